//! API tokens: how programs, and people's command lines, say who they are.

use super::text::text_value;
use super::{Timestamp, UserName};
use crate::access::Scope;
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

fn parse_id(text: &str) -> Result<String, ValueError> {
    super::ids::ulid("token id", text)
}

text_value!(
    /// The id of an API token. It is the part of the token's text that is no secret.
    TokenId,
    parse_id,
    r"^[0-7][0-9a-hjkmnp-tv-z]{25}$"
);

impl TokenId {
    /// A new id.
    pub fn generate() -> Self {
        Self(super::ids::next().to_string().to_ascii_lowercase())
    }
}

text_value!(
    /// What a token is for, in its owner's words.
    TokenName,
    parse_name,
    r"^[^\x00-\x1f\x7f-\x9f]{1,100}$"
);

fn parse_name(text: &str) -> Result<String, ValueError> {
    let fail = |problem: &str| Err(ValueError::new("token name", text, problem, "use 1 to 100 characters, such as \"laptop\" or \"nightly build\""));
    match text.chars().count() {
        0 => fail("is empty"),
        1..=100 if text.chars().any(char::is_control) => fail("contains a control character"),
        1..=100 => Ok(text.to_owned()),
        _ => fail("is longer than 100 characters"),
    }
}

/// An API token as lists show it. Its value is shown once, when it is made, and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// Whose it is. What the user may do is the most that the token may do.
    pub user: UserName,
    /// What it is for.
    pub name: TokenName,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When somebody ended it.
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    /// Whether it opens anything at this time.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
