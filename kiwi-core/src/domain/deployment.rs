//! The history of a service in an environment.

use super::{Release, RunId, Timestamp};
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// One attempt to make a release live. Its revision is its release's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deployment {
    /// What is deployed.
    pub release: Release,
    /// Why.
    pub kind: DeploymentKind,
    /// How it stands.
    pub status: DeploymentStatus,
    /// The run that makes the attempt.
    pub run: RunId,
    /// For a rollback, the revision whose content it brings back.
    pub restores: Option<u64>,
    /// Who asked for it.
    pub actor: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it became live, if it ever did.
    pub live_at: Option<Timestamp>,
    /// When the attempt ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub diagnosis: Option<Diagnosis>,
}

/// Why a deployment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DeploymentKind {
    /// A new build.
    Deploy,
    /// Another environment's release.
    Promotion,
    /// An older release.
    Rollback,
    /// The same release again.
    Restart,
    /// Another number of replicas.
    Scale,
    /// Other variables.
    Config,
}

/// How a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DeploymentStatus {
    /// Under way.
    Running,
    /// What answers now. At most one deployment of a service and environment is.
    Live,
    /// It never became healthy.
    Failed,
    /// Something newer took its place, before or after it was live.
    Superseded,
    /// Somebody cancelled it.
    Cancelled,
}

impl DeploymentStatus {
    /// The status as scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why something failed, in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diagnosis {
    /// What happened and why.
    pub cause: String,
    /// What to do next.
    pub hint: String,
    /// The last lines of what the failed thing printed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

impl From<&Error> for Diagnosis {
    fn from(error: &Error) -> Self {
        Self { cause: error.chain(), hint: error.hint().to_owned(), log: error.log().to_vec() }
    }
}
