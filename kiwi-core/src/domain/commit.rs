//! Commit ids.

use super::text::text_value;
use crate::error::ValueError;

text_value!(
    /// The full id of a commit: 40 (SHA-1) or 64 (SHA-256) hexadecimal digits, lower case.
    CommitSha,
    parse
);

impl CommitSha {
    /// The first seven digits, as people quote commits.
    pub fn short(&self) -> &str {
        &self.as_str()[..7]
    }
}

fn parse(text: &str) -> Result<String, ValueError> {
    if (text.len() == 40 || text.len() == 64) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(ValueError::new("commit", text, "is not a full commit id", "give all 40 (or 64) hexadecimal digits; `git rev-parse HEAD` prints them"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_full_hexadecimal_ids(text in "[0-9a-fA-Fg]{38,66}") {
            let legal = (text.len() == 40 || text.len() == 64) && !text.contains('g');
            prop_assert_eq!(text.parse::<CommitSha>().is_ok(), legal);
        }
    }
}
