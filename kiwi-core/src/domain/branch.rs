//! Branch names under git's own rules.

use super::text::{first_bad, text_value};
use crate::error::ValueError;

text_value!(
    /// A short branch name such as `main` or `feature/login`, legal under `git check-ref-format --branch`.
    Branch,
    parse
);

impl Branch {
    /// The full reference, `refs/heads/<name>`. Servers match short names loosely, so Kiwi always asks for this one.
    pub fn full_reference(&self) -> String {
        format!("refs/heads/{}", self.as_str())
    }
}

fn parse(text: &str) -> Result<String, ValueError> {
    let fail = |problem: String| Err(ValueError::new("branch", text, problem, "give a branch name such as \"main\" or \"feature/login\""));
    if text.is_empty() {
        return fail("is empty".into());
    }
    if text.len() > 244 {
        return fail(format!("has {} bytes, 244 are allowed", text.len()));
    }
    if text.starts_with('-') {
        return fail("starts with a hyphen, which git would take for an option".into());
    }
    if text == "HEAD" || text.starts_with("refs/") {
        return fail("is a full reference, not a branch name".into());
    }
    if let Some(bad) = first_bad(text, |c| !c.is_control() && !" ~^:?*[\\".contains(c)) {
        return fail(format!("contains {bad}"));
    }
    for sequence in ["..", "@{", "//"] {
        if text.contains(sequence) {
            return fail(format!("contains {sequence:?}"));
        }
    }
    if text == "@" || text.ends_with('.') || text.starts_with('/') || text.ends_with('/') {
        return fail("is \"@\", ends with a dot, or starts or ends with a slash".into());
    }
    if let Some(part) = text.split('/').find(|part| part.starts_with('.') || part.ends_with(".lock")) {
        return fail(format!("has the part {part:?}, which starts with a dot or ends with \".lock\""));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        /// Git itself is the oracle: what Kiwi accepts, git accepts.
        #[test]
        fn accepts_only_what_git_accepts(text in "[a-z./~^:?*@{\\[ \\\\-]{1,12}") {
            if text.parse::<Branch>().is_ok() {
                let status = Command::new("git").args(["check-ref-format", &format!("refs/heads/{text}")]).status().unwrap();
                prop_assert!(status.success(), "git refuses {text:?}");
            }
        }
    }

    #[test]
    fn refuses_options_and_full_references() {
        for text in ["--upload-pack=x", "-b", "refs/heads/main", "HEAD", "a..b", "a b", "a.lock", "x/.y", "a\nb", "@", "a@{1}", ""] {
            assert!(text.parse::<Branch>().is_err(), "{text:?}");
        }
        for text in ["main", "feature/login", "v1.2", "ünïcode", "a@b"] {
            assert!(text.parse::<Branch>().is_ok(), "{text:?}");
        }
    }
}
