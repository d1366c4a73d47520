//! Runs, deployments and what runs.

use kiwi_core::access::{Role, Scope};
use kiwi_core::domain::{Deployment, EnvironmentName, LogStream, OrganizationId, Release, RunRequest, Timestamp};
use kiwi_core::pipeline::ServiceStatus;
use kiwi_core::provider::{DeploymentPlan, LogLine, RuntimeStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Something to do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "WrittenRun")]
pub struct CreateRun {
    /// Where; `development` when absent.
    #[serde(default)]
    pub environment: EnvironmentName,
    /// What.
    #[serde(flatten)]
    pub request: RunRequest,
}

/// A run as somebody wrote it: a field that is misspelt must not pass for one that was left out.
#[derive(Deserialize)]
struct WrittenRun {
    #[serde(default)]
    environment: EnvironmentName,
    #[serde(flatten)]
    request: serde_json::Map<String, serde_json::Value>,
}

impl TryFrom<WrittenRun> for CreateRun {
    type Error = String;

    fn try_from(written: WrittenRun) -> Result<Self, String> {
        let request: RunRequest = serde_json::from_value(written.request.clone().into()).map_err(|error| error.to_string())?;
        let known = serde_json::to_value(&request).map_err(|error| error.to_string())?;
        match written.request.keys().find(|name| known.get(name).is_none()) {
            Some(name) => Err(format!("unknown field `{name}`")),
            None => Ok(Self { environment: written.environment, request }),
        }
    }
}

/// What a deployment would do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeploymentPlanned {
    /// The release it would make.
    pub release: Release,
    /// What would change.
    pub plan: DeploymentPlan,
}

/// A service in an environment, as the history and the runtime see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StatusReport {
    /// What the history calls live.
    pub live: Option<Deployment>,
    /// What the runtime runs; none when nothing was ever deployed.
    pub runtime: Option<RuntimeStatus>,
}

impl From<ServiceStatus> for StatusReport {
    fn from(status: ServiceStatus) -> Self {
        Self { live: status.live, runtime: status.runtime }
    }
}

/// A line that a container printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// The replica.
    pub replica: String,
    /// Where to.
    pub stream: LogStream,
    /// When, where the runtime knows it.
    pub at: Option<Timestamp>,
    /// The line, redacted.
    pub line: String,
}

impl From<LogLine> for LogEntry {
    fn from(line: LogLine) -> Self {
        Self { replica: line.replica, stream: line.stream, at: line.at, line: line.line }
    }
}

impl From<LogEntry> for LogLine {
    fn from(entry: LogEntry) -> Self {
        Self { replica: entry.replica, stream: entry.stream, at: entry.at, line: entry.line }
    }
}

/// Who calls, and what for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Facts {
    /// The caller's name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Where.
    pub organization: OrganizationId,
    /// What the token may be used for.
    pub scopes: BTreeSet<Scope>,
    /// The version of the server.
    pub version: String,
}
