//! Auto CI.

use kiwi_core::domain::{AutoCi, AutoCiState, CommitSha, EnvironmentName, RunId, WatchPattern};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

/// Switches Auto CI on.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableAutoCi {
    /// Where pushes are deployed.
    #[serde(default)]
    pub environment: EnvironmentName,
    /// Where the git host reaches this server; what the server was started with when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uri")]
    pub public_url: Option<Url>,
    /// Only pushes that change one of these are built, by the rules of `.gitignore`; every push when there is none.
    #[serde(default)]
    pub watch: Vec<WatchPattern>,
}

/// Auto CI of a service: its settings, and how far it came.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AutoCiReport {
    /// The settings.
    pub settings: AutoCi,
    /// How far it came.
    pub state: AutoCiState,
}

/// What is asked about a commit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ForecastPush {
    /// Where it would be deployed.
    #[serde(default)]
    pub environment: EnvironmentName,
    /// The patterns to try.
    #[serde(default)]
    pub watch: Vec<WatchPattern>,
    /// The commit that somebody might push.
    pub commit: CommitSha,
}

/// A run that has not begun.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaitingRun {
    /// Which.
    pub run: RunId,
    /// What it waits for, in words.
    pub reason: String,
}
