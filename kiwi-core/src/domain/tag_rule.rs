//! How a published image is tagged.

use super::text::text_value;
use super::{Branch, CommitSha, RunId, Tag, Timestamp};
use crate::error::ValueError;

text_value!(
    /// A template for tags, such as `${BRANCH}-${SHORT_SHA}`.
    ///
    /// Variables: `${BRANCH}`, `${SHORT_SHA}`, `${SHA}`, `${TAG}`, `${DATE}` (`YYYYMMDD`, UTC) and `${RUN}`. Characters that a
    /// tag cannot hold become `-`.
    TagRule,
    parse
);

const VARIABLES: [&str; 6] = ["BRANCH", "SHORT_SHA", "SHA", "TAG", "DATE", "RUN"];

/// What the variables of a [`TagRule`] stand for in one run.
#[derive(Debug, Clone)]
pub struct TagContext<'a> {
    /// The branch that is delivered.
    pub branch: &'a Branch,
    /// The commit that is delivered.
    pub commit: &'a CommitSha,
    /// The git tag of the commit; the short commit id stands in when there is none.
    pub tag: Option<&'a str>,
    /// When the run started.
    pub time: Timestamp,
    /// The run.
    pub run: &'a RunId,
}

impl Default for TagRule {
    fn default() -> Self {
        Self("${BRANCH}-${SHORT_SHA}".to_owned())
    }
}

impl TagRule {
    /// The tag for one run. Always legal: what a tag cannot hold is replaced, and it is cut at 128 characters.
    pub fn expand(&self, context: &TagContext<'_>) -> Tag {
        let mut out = String::new();
        let mut rest = self.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let (name, tail) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(&match name {
                "BRANCH" => context.branch.as_str().to_owned(),
                "SHORT_SHA" => context.commit.short().to_owned(),
                "SHA" => context.commit.as_str().to_owned(),
                "TAG" => context.tag.unwrap_or(context.commit.short()).to_owned(),
                "DATE" => context.time.date(),
                _ => context.run.as_str().to_owned(),
            });
            rest = tail;
        }
        out.push_str(rest);
        let legal: String = out.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' }).take(128).collect();
        let trimmed = legal.trim_start_matches(['.', '-']);
        // Everything left is legal except the empty text, which a rule such as `${TAG}` of the tag "-" would give.
        trimmed.parse().or_else(|_| context.commit.short().parse()).unwrap_or_else(|_| unreachable!("hexadecimal digits are a legal tag"))
    }
}

fn parse(text: &str) -> Result<String, ValueError> {
    let fail = |problem: String| Err(ValueError::new("tag rule", text, problem, "write something like \"${BRANCH}-${SHORT_SHA}\""));
    if text.is_empty() || text.len() > 256 {
        return fail("is empty or longer than 256 characters".into());
    }
    let mut rest = text;
    let mut literal = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        literal.push_str(before);
        let Some((name, tail)) = after.split_once('}') else { return fail("has a variable without its closing brace".into()) };
        if !VARIABLES.contains(&name) {
            return fail(format!("has the unknown variable ${{{name}}}; known are {}", VARIABLES.map(|v| format!("${{{v}}}")).join(", ")));
        }
        rest = tail;
    }
    literal.push_str(rest);
    if let Some(bad) = literal.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c)) {
        return fail(format!("contains {bad:?}, which no tag can hold"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_unknown_variables_and_illegal_literals() {
        for text in ["", "${NOPE}", "${BRANCH", "a b", "v:${SHA}", "$BRANCH", "${branch}"] {
            assert!(text.parse::<TagRule>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_expansion_is_a_legal_tag(rule in "([a-z.-]{0,3}\\$\\{(BRANCH|SHORT_SHA|SHA|TAG|DATE|RUN)\\}){1,4}", branch in "[a-z/é.-]{1,30}", tag in "\\PC{0,8}") {
            if let (Ok(rule), Ok(branch)) = (rule.parse::<TagRule>(), branch.parse::<Branch>()) {
                let commit = "0123456789012345678901234567890123456789".parse().unwrap();
                let run = RunId::generate();
                let context = TagContext { branch: &branch, commit: &commit, tag: Some(&tag), time: Timestamp::now(), run: &run };
                prop_assert!(rule.expand(&context).as_str().parse::<Tag>().is_ok());
            }
        }
    }
}
