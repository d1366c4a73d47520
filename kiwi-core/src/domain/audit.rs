//! The audit log: who changed what, when, from where, and how it ended.

use super::text::text_value;
use super::{Timestamp, TokenId};
use crate::error::{ErrorKind, ValueError};
use serde::{Deserialize, Serialize};

fn parse_id(text: &str) -> Result<String, ValueError> {
    super::ids::ulid("audit id", text)
}

text_value!(
    /// The id of an entry of the audit log; later entries have later ids.
    AuditId,
    parse_id,
    r"^[0-7][0-9a-hjkmnp-tv-z]{25}$"
);

impl AuditId {
    /// A new id.
    pub fn generate() -> Self {
        Self(super::ids::next().to_string().to_ascii_lowercase())
    }
}

/// One attempt to change something. It names things and never holds a value, so it cannot hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// With which API token, when it was one.
    pub token: Option<TokenId>,
    /// What, as a verb and a noun such as `remove_service`.
    pub action: String,
    /// To which thing, as the API addresses it, such as `services/shop`.
    pub resource: String,
    /// From which address, when it came over a network.
    pub origin: Option<String>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: AuditOutcome,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum AuditOutcome {
    /// It was done, or is under way.
    Done,
    /// It was refused or failed.
    Failed {
        /// Why.
        cause: ErrorKind,
    },
}
