//! People and tokens.

use super::SecretValue;
use kiwi_core::access::{Role, Scope};
use kiwi_core::domain::{ApiToken, Email, Timestamp, TokenName, UserName, VariableName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The first admin.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// The token that the server printed when it started.
    pub token: SecretValue,
    /// The admin's name.
    pub name: UserName,
    /// Their address.
    pub email: Email,
    /// Their name as people say it; the user name when absent.
    #[serde(default)]
    pub full_name: Option<String>,
}

/// A person to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Their name.
    pub name: UserName,
    /// Their address.
    pub email: Email,
    /// Their name as people say it; the user name when absent.
    #[serde(default)]
    pub full_name: Option<String>,
    /// What they may do.
    pub role: Role,
}

/// A token to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// Whose it will be; the caller's own when absent.
    #[serde(default)]
    pub user: Option<UserName>,
    /// What it is for.
    pub name: TokenName,
    /// What it may be used for.
    #[schema(value_type = Vec<Scope>)]
    pub scopes: BTreeSet<Scope>,
    /// When it ends by itself; never when absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A token that was made. This is the only time its value is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The value, for `Authorization: Bearer`.
    pub value: SecretValue,
    /// What lists show of it.
    pub token: ApiToken,
}

/// Secrets for the builds of a service.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildSecrets {
    /// By name.
    pub secrets: BTreeMap<VariableName, SecretValue>,
}
