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
pub struct CreateRun {
    /// Where; `development` when absent.
    #[serde(default)]
    pub environment: EnvironmentName,
    /// What.
    #[serde(flatten)]
    pub request: RunRequest,
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
