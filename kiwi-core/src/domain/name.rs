//! Names that people give: one rule for all, because they become DNS names on both runtimes.

use super::text::{first_bad, text_value};
use crate::error::ValueError;

/// Longest name. Runtimes add suffixes and still must stay within a 63-character DNS label.
const LONGEST: usize = 40;

fn label(what: &'static str, text: &str) -> Result<String, ValueError> {
    let hint = "use 1 to 40 lower-case letters, digits and hyphens, starting with a letter, such as \"shop-api\"";
    let fail = |problem: String| Err(ValueError::new(what, text, problem, hint));
    if text.is_empty() {
        return fail("is empty".into());
    }
    if text.len() > LONGEST {
        return fail(format!("has {} characters, {LONGEST} are allowed", text.chars().count()));
    }
    if let Some(bad) = first_bad(text, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return fail(format!("contains {bad}"));
    }
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return fail("does not start with a letter".into());
    }
    if text.ends_with('-') {
        return fail("ends with a hyphen".into());
    }
    Ok(text.to_owned())
}

macro_rules! name {
    ($name:ident, $parse:ident, $what:literal) => {
        fn $parse(text: &str) -> Result<String, ValueError> {
            label($what, text)
        }
        text_value!(
            #[doc = concat!("The name of a ", $what, ": an RFC 1035 label of at most 40 characters.")]
            $name,
            $parse,
            r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
        );
    };
}

name!(ServiceName, service, "service name");
name!(ContainerName, container, "container name");
name!(RuntimeName, runtime, "runtime name");
name!(RegistryName, registry, "registry name");

impl From<&ServiceName> for ContainerName {
    /// The container of a service with one container is called like the service; both follow one rule.
    fn from(name: &ServiceName) -> Self {
        Self(name.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_which_rule_is_broken() {
        for (text, problem) in [
            ("", "is empty"),
            ("Shop", "contains 'S'"),
            ("1shop", "does not start with a letter"),
            ("shop-", "ends with a hyphen"),
            ("shop api", "contains ' '"),
            ("--upload-pack=x", "contains '='"),
            ("sh\u{0}p", "control character"),
        ] {
            let message = text.parse::<ServiceName>().unwrap_err().message();
            assert!(message.contains(problem), "{text:?}: {message}");
        }
        assert!("a".repeat(41).parse::<ServiceName>().is_err());
    }

    proptest! {
        #[test]
        fn accepts_exactly_the_labels(text in "\\PC{0,45}") {
            let legal = !text.is_empty() && text.len() <= 40
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && text.as_bytes()[0].is_ascii_lowercase() && !text.ends_with('-');
            prop_assert_eq!(text.parse::<ServiceName>().is_ok(), legal);
        }

        #[test]
        fn what_is_accepted_reads_back(text in "[a-z]([a-z0-9-]{0,38}[a-z0-9])?") {
            let name: ServiceName = text.parse().unwrap();
            prop_assert_eq!(name.as_str(), &text);
            let json = serde_json::to_string(&name).unwrap();
            prop_assert_eq!(serde_json::from_str::<ServiceName>(&json).unwrap(), name);
        }
    }
}
