//! Registries, git hosts and sources.

use super::SecretValue;
use kiwi_core::domain::{Branch, CommitSha, Digest, GitUrl, ProviderSettings, RegistryAddress, RegistryName, RuntimeSettings, ServerUrl};
use kiwi_core::provider::{RuntimeReport, TokenReport};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A registry to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRegistry {
    /// Its name.
    pub name: RegistryName,
    /// Where it is.
    pub address: RegistryAddress,
    /// The user name, when it needs one.
    #[serde(default)]
    pub username: Option<String>,
    /// The password or token, when it needs one.
    #[serde(default)]
    pub password: Option<SecretValue>,
    /// Whether plain HTTP is allowed.
    #[serde(default)]
    pub insecure: bool,
}

/// A runtime that was registered, and what was found there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AddedRuntime {
    /// The settings.
    pub settings: RuntimeSettings,
    /// What was looked at.
    pub report: RuntimeReport,
}

/// A git host to set up.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetProvider {
    /// Where it is; the public one of its kind when absent.
    #[serde(default)]
    pub url: Option<ServerUrl>,
    /// The token that members will use unseen.
    pub token: SecretValue,
    /// A CA certificate (PEM) beyond those of the machine.
    #[serde(default)]
    pub ca: Option<String>,
    /// Whether plain HTTP and addresses that are not public are allowed.
    #[serde(default)]
    pub private: bool,
}

/// A git host that was set up, and what its token may do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SetProviderAnswer {
    /// The settings.
    pub settings: ProviderSettings,
    /// What the host says of the token.
    pub report: TokenReport,
}

/// A repository to test the connection to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSource {
    /// The repository.
    pub url: GitUrl,
    /// A branch that must be there.
    #[serde(default)]
    pub branch: Option<Branch>,
    /// A token for a private repository.
    #[serde(default)]
    pub token: Option<SecretValue>,
    /// A CA certificate (PEM) of the server.
    #[serde(default)]
    pub ca: Option<String>,
}

/// What is in a repository.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SourceCheck {
    /// The default branch.
    pub default_branch: Option<Branch>,
    /// Branches, with their commits.
    pub branches: Vec<BranchHead>,
}

/// A branch and what it points to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BranchHead {
    /// The branch.
    pub branch: Branch,
    /// Its newest commit.
    pub commit: CommitSha,
}

impl From<(Branch, CommitSha)> for BranchHead {
    fn from((branch, commit): (Branch, CommitSha)) -> Self {
        Self { branch, commit }
    }
}

/// What a rotation of the key did.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Rotated {
    /// How many secrets are encrypted with a new key.
    pub rotated: u64,
}

/// What an image's tag names now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Resolved {
    /// The digest.
    pub digest: Digest,
}
