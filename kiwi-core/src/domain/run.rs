//! Executions of the pipeline.

use super::{CommitSha, Diagnosis, EnvironmentName, GateDecision, ImagePin, RunId, ServiceId, ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One execution of the pipeline, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    /// Its id. Every external effect carries it in its name.
    pub id: RunId,
    /// The service.
    pub service: ServiceId,
    /// The service's name when the run was made.
    pub service_name: ServiceName,
    /// The environment.
    pub environment: EnvironmentName,
    /// What was asked for.
    pub request: RunRequest,
    /// How it stands.
    pub status: RunStatus,
    /// Its stages, in order.
    pub stages: Vec<StageRecord>,
    /// Who asked for it.
    pub actor: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub diagnosis: Option<Diagnosis>,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
}

impl Run {
    /// A new run that waits for its turn.
    pub fn queued(service: &super::Service, environment: EnvironmentName, request: RunRequest, actor: &str) -> Self {
        Self {
            id: RunId::generate(),
            service: service.id.clone(),
            service_name: service.name.clone(),
            environment,
            stages: request.stages().iter().map(|stage| StageRecord::pending(*stage)).collect(),
            request,
            status: RunStatus::Queued,
            actor: actor.to_owned(),
            created_at: Timestamp::now(),
            finished_at: None,
            diagnosis: None,
            cancel_requested: false,
        }
    }
}

/// What a run was asked to do. Everything it needs is here, so that any worker can take it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RunRequest {
    /// The whole pipeline.
    Pipeline {
        /// The commit; the head of the branch when absent.
        commit: Option<CommitSha>,
    },
    /// From fetch to publish.
    Build {
        /// The commit; the head of the branch when absent.
        commit: Option<CommitSha>,
        /// Another branch than the service's.
        branch: Option<super::Branch>,
    },
    /// Deploys a build.
    Deploy {
        /// The build; the newest that passed when absent.
        build: Option<RunId>,
    },
    /// Deploys another environment's live release.
    Promotion {
        /// From where.
        from: EnvironmentName,
    },
    /// Deploys an older release.
    Rollback {
        /// Which; the newest live one before the running one when absent.
        to: Option<u64>,
        /// Whether today's variables are kept.
        #[serde(default)]
        current_config: bool,
    },
    /// Deploys the live release again.
    Restart,
    /// Deploys the live images again with the number of replicas that the environment has now.
    Scale,
    /// Deploys the live images again with the variables that the environment has now.
    Config,
}

/// The kind of a [`RunRequest`], as lists show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is the request of the same name")]
pub enum RunKind {
    Pipeline,
    Build,
    Deploy,
    Promotion,
    Rollback,
    Restart,
    Scale,
    Config,
}

impl RunRequest {
    /// Its kind.
    pub fn kind(&self) -> RunKind {
        match self {
            Self::Pipeline { .. } => RunKind::Pipeline,
            Self::Build { .. } => RunKind::Build,
            Self::Deploy { .. } => RunKind::Deploy,
            Self::Promotion { .. } => RunKind::Promotion,
            Self::Rollback { .. } => RunKind::Rollback,
            Self::Restart => RunKind::Restart,
            Self::Scale => RunKind::Scale,
            Self::Config => RunKind::Config,
        }
    }

    /// The stages it goes through.
    pub fn stages(&self) -> &'static [Stage] {
        match self.kind() {
            RunKind::Pipeline => &[Stage::Fetch, Stage::Build, Stage::Scan, Stage::Test, Stage::Publish, Stage::Deploy, Stage::Dast],
            RunKind::Build => &[Stage::Fetch, Stage::Build, Stage::Scan, Stage::Test, Stage::Publish],
            _ => &[Stage::Deploy, Stage::Dast],
        }
    }
}

impl RunKind {
    /// The kind as people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline",
            Self::Build => "build",
            Self::Deploy => "deploy",
            Self::Promotion => "promotion",
            Self::Rollback => "rollback",
            Self::Restart => "restart",
            Self::Scale => "scale",
            Self::Config => "config",
        }
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Waits for its turn.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Every stage passed.
    Succeeded,
    /// A stage failed.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// A newer run took its place.
    Superseded,
}

impl RunStatus {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The status as scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }
}

/// One step of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Resolve the branch to a commit and get its tree.
    Fetch,
    /// Make the image and push it under the run's tag.
    Build,
    /// Look at source and image; the gate decides.
    Scan,
    /// Run the tests; the gate decides.
    Test,
    /// Tag the image for people.
    Publish,
    /// Make the release live.
    Deploy,
    /// Look at what runs; the gate decides.
    Dast,
}

impl Stage {
    /// The stage as people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Build => "build",
            Self::Scan => "scan",
            Self::Test => "test",
            Self::Publish => "publish",
            Self::Deploy => "deploy",
            Self::Dast => "dast",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The journal of one stage. It is written before the next stage begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageRecord {
    /// Which.
    pub stage: Stage,
    /// How it stands.
    pub status: StageStatus,
    /// When it first began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What came out.
    pub output: Option<StageOutput>,
}

impl StageRecord {
    /// A stage that has not begun.
    pub fn pending(stage: Stage) -> Self {
        Self { stage, status: StageStatus::Pending, started_at: None, finished_at: None, output: None }
    }

    /// How long it took, in seconds.
    pub fn seconds(&self) -> f64 {
        match (self.started_at, self.finished_at) {
            (Some(start), Some(end)) => end.since(start).as_secs_f64(),
            _ => 0.0,
        }
    }
}

/// How a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StageStatus {
    /// Not begun.
    Pending,
    /// Under way.
    Running,
    /// Done.
    Passed,
    /// Nothing to do; the output says why.
    Skipped,
    /// It ended the run.
    Failed,
}

/// What a stage leaves for the next ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "stage", rename_all = "lowercase")]
pub enum StageOutput {
    /// The exact commit.
    Fetch {
        /// It.
        commit: CommitSha,
        /// The branch it was found on.
        branch: super::Branch,
    },
    /// The exact image.
    Build {
        /// It.
        image: ImagePin,
        /// Whether every step came from the cache.
        cached: bool,
    },
    /// The gate's decision.
    Gate {
        /// It.
        decision: GateDecision,
    },
    /// The image under its public tag.
    Publish {
        /// It.
        image: ImagePin,
    },
    /// The revision that was made.
    Deploy {
        /// It.
        revision: u64,
    },
    /// Nothing was to be done.
    Nothing {
        /// Why.
        reason: String,
    },
}

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its place in the run, from 0 and without gaps.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventBody {
    /// A stage changed its status.
    Stage {
        /// Which.
        stage: Stage,
        /// To what.
        status: StageStatus,
        /// Why, or with what result.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Something a person wants to know.
    Info {
        /// In words.
        message: String,
    },
    /// Something a person should act on.
    Warning {
        /// In words.
        message: String,
    },
    /// How far something is. Only the newest of a label matters.
    Progress {
        /// What.
        label: String,
        /// How much is done.
        current: u64,
        /// Of how much, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    /// A line that something printed.
    Log {
        /// The stage.
        stage: Stage,
        /// Where to.
        stream: LogStream,
        /// The line, redacted.
        line: String,
    },
    /// The run ended.
    Finished {
        /// How.
        status: RunStatus,
    },
}

/// Where a line was printed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}
