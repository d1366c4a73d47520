//! Running releases.

use super::{BoxStream, RegistryAccess, SecretValues};
use crate::domain::{
    ContainerName, Digest, EnvironmentName, ImagePin, ImageReference, LogStream, MountPath, Release, RunId, ServiceId, ServiceName, Timestamp, Variables,
};
use crate::error::{Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use url::Url;

/// What a runtime can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeCapabilities {
    /// It can start a replica that gets no traffic.
    pub candidate: bool,
    /// It runs images that exist only on its engine.
    pub local_images: bool,
    /// It runs one-off tasks.
    pub tasks: bool,
    /// It runs releases.
    pub releases: bool,
}

/// Whether a runtime can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeReport {
    /// What it is, with its version.
    pub description: String,
    /// What was looked at.
    pub items: Vec<CheckItem>,
}

impl RuntimeReport {
    /// Whether nothing is missing.
    pub fn ok(&self) -> bool {
        self.items.iter().all(|item| item.ok)
    }
}

/// One thing that a check looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckItem {
    /// What.
    pub name: String,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What was found, and what to do when it is not well.
    pub detail: String,
}

/// A service in an environment, as a runtime knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Workload {
    /// Which Kiwi installation owns it.
    pub installation: String,
    /// The service.
    pub service: ServiceId,
    /// The service's name.
    pub name: ServiceName,
    /// The environment.
    pub environment: EnvironmentName,
}

/// The right to change a workload, which a newer one of a higher epoch takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// What is fenced.
    pub slot: String,
    /// Who holds it.
    pub owner: String,
    /// Rises with every new holder.
    pub epoch: u64,
}

/// Everything a runtime needs to make a release live.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// Whose.
    pub workload: Workload,
    /// What.
    pub release: Release,
    /// The run that asks.
    pub run: RunId,
    /// The values of the release's secrets.
    pub secrets: SecretValues,
    /// Credentials for pulls, looked up now.
    pub registries: Vec<RegistryAccess>,
    /// The right to do it.
    pub fence: Fence,
    /// Whether containers that change in nothing are replaced too. Otherwise they keep running: a database outlives an update of its web server.
    pub fresh: bool,
}

/// What a deployment would do, and with which guarantee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeploymentPlan {
    /// One entry per container.
    pub containers: Vec<ContainerPlan>,
    /// What a person should know before.
    pub notes: Vec<String>,
    /// The objects that would be applied, where the runtime works with such; values of secrets are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<serde_json::Value>,
}

/// What a deployment would do to one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContainerPlan {
    /// Which.
    pub name: ContainerName,
    /// Whether requests can be lost.
    pub guarantee: Guarantee,
    /// Why that is so.
    pub reason: String,
    /// Differences from what runs, in words.
    pub changes: Vec<String>,
}

/// Whether requests can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// None is.
    ZeroDowntime,
    /// There is a gap between the old and the new version.
    Recreate,
}

/// An unrouted replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it answers, seen from this machine.
    pub endpoint: Option<Url>,
}

/// Where a live container answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Endpoint {
    /// The container.
    pub container: ContainerName,
    /// Its URLs, the first one being the service's own.
    pub urls: Vec<String>,
    /// What it keeps of the promise.
    pub guarantee: Guarantee,
}

/// One step of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeploymentEvent {
    /// Something a person wants to know.
    Info(String),
    /// Something a person should act on.
    Warning(String),
    /// How far a part is.
    Progress {
        /// Which part.
        label: String,
        /// How much is done.
        current: u64,
        /// Of how much.
        total: Option<u64>,
    },
    /// The release answers; old replicas may still drain. From here on a failure does not bring the old release back.
    Live(Vec<Endpoint>),
    /// The old replicas are gone, or leave by themselves; nothing follows.
    Done,
}

/// What an abort found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aborted {
    /// What had begun is undone; the release before is live.
    Undone,
    /// The release was live already; nothing was undone.
    AlreadyLive,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeStatus {
    /// The revision that gets the traffic; none when nothing runs.
    pub revision: Option<u64>,
    /// Its replicas.
    pub containers: Vec<ContainerStatus>,
    /// Where it answers.
    pub endpoints: Vec<Endpoint>,
    /// Differences from the release, in words.
    pub drift: Vec<String>,
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContainerStatus {
    /// The container it is a replica of.
    pub container: ContainerName,
    /// Its name on the runtime.
    pub replica: String,
    /// The revision that made it: an older one than is live when the container changed in nothing since and was kept.
    pub revision: u64,
    /// Its state in the runtime's word.
    pub state: String,
    /// Whether it gets traffic.
    pub routed: bool,
    /// How often it was restarted.
    pub restarts: u64,
}

/// Which log lines.
#[derive(Debug, Clone)]
pub struct LogQuery {
    /// Of what.
    pub workload: Workload,
    /// Of one container; of all when absent.
    pub container: Option<ContainerName>,
    /// Whether to go on when the present end is reached.
    pub follow: bool,
    /// At most so many lines from the past.
    pub tail: Option<u32>,
    /// Only lines after this time.
    pub since: Option<Timestamp>,
}

/// A line that a container printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The replica.
    pub replica: String,
    /// Where to.
    pub stream: LogStream,
    /// When, by the runtime's clock.
    pub at: Option<Timestamp>,
    /// The line without its end.
    pub line: String,
}

/// A tar archive in pieces.
pub struct TarStream(pub BoxStream<std::io::Result<Bytes>>);

impl std::fmt::Debug for TarStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TarStream")
    }
}

/// Files for a task.
#[derive(Debug)]
pub struct TaskInput {
    /// The directory that they are unpacked in; nothing else is in it, and no output lies above or below it.
    pub path: MountPath,
    /// The files, as a whole archive with its end. Owners in it are not kept.
    pub files: TarStream,
}

/// A one-off command in an image.
///
/// The image needs nothing but the command: neither a shell nor `tar`.
#[derive(Debug)]
pub struct TaskRequest {
    /// What it is for, such as `test`; with the run it makes the task's name.
    pub purpose: &'static str,
    /// The run.
    pub run: RunId,
    /// The service it belongs to; its siblings are reachable.
    pub workload: Workload,
    /// The image.
    pub image: ImagePin,
    /// Program and arguments; the image's own entry point is not used.
    pub command: Vec<String>,
    /// Variables.
    pub variables: Variables,
    /// The values of the variables' secrets.
    pub secrets: SecretValues,
    /// Credentials for the pull.
    pub registries: Vec<RegistryAccess>,
    /// Files that it finds when it starts.
    pub input: Option<TaskInput>,
    /// Directories that are empty and writable at the start, and handed back after the end.
    pub outputs: Vec<MountPath>,
    /// The most time it may take, in seconds.
    pub timeout_seconds: u32,
}

impl TaskRequest {
    /// Fails when the directories of its files lie in each other, of which runtimes would make different things.
    pub fn check_files(&self) -> Result<()> {
        let all: Vec<&MountPath> = self.input.iter().map(|input| &input.path).chain(&self.outputs).collect();
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                let inside = |inner: &MountPath, outer: &MountPath| Path::new(inner.as_str()).starts_with(outer.as_str());
                if inside(one, other) || inside(other, one) {
                    return Err(Error::invalid("run task", format!("the task's directories {one} and {other} lie in each other"))
                        .with_hint("give the input and each output a directory of its own"));
                }
            }
        }
        Ok(())
    }
}

/// One step of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEvent {
    /// A part of the log; chunks may cut lines.
    Log {
        /// Where it was printed.
        stream: LogStream,
        /// The bytes.
        chunk: Vec<u8>,
    },
    /// A piece of an output, as the tar of one directory, which has the last part of the path as its name.
    Output {
        /// Which of the outputs.
        path: MountPath,
        /// The bytes.
        chunk: Bytes,
    },
    /// The command ended; nothing follows.
    Exited {
        /// Its exit code.
        code: i64,
        /// Whether it was killed for want of memory.
        out_of_memory: bool,
    },
}

/// What may stay.
#[derive(Debug, Clone, Default)]
pub struct Cleanup {
    /// Whose.
    pub installation: String,
    /// Runs that are not finished: their leftovers are theirs.
    pub unfinished: BTreeSet<RunId>,
    /// Images that releases in the history need.
    pub images: BTreeSet<Digest>,
}

/// Runs releases and one-off tasks.
///
/// Order for a deployment: [`plan`](Self::plan), perhaps [`candidate`](Self::candidate), [`apply`](Self::apply); after a
/// cancellation [`abort`](Self::abort). Every change of a workload goes through `apply`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Runtime: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> RuntimeCapabilities;

    /// Whether it can be used, and what is missing. An error means that it cannot be reached.
    async fn check(&self) -> Result<RuntimeReport>;

    /// The manifests that grant exactly what this runtime needs; none where there is nothing to grant.
    fn rbac(&self) -> Vec<serde_json::Value>;

    /// All that can be known to fail fails here, before the first side effect.
    ///
    /// Errors: `Conflict` (owned by somebody else, port or route taken), `InvalidInput`, `ImageUnavailable`, `Unsupported`.
    async fn plan(&self, request: &ApplyRequest) -> Result<DeploymentPlan>;

    /// Starts one replica of the first exposed container that gets no traffic, and waits until it answers.
    async fn candidate(&self, request: &ApplyRequest) -> Result<Candidate>;

    /// Removes the candidate. Idempotent.
    async fn remove_candidate(&self, request: &ApplyRequest) -> Result<()>;

    /// Makes the release live: new replicas answer, traffic moves, old replicas drain and leave. A repeated call resumes.
    ///
    /// Errors: `Unhealthy`, `ImageUnavailable` and others before [`DeploymentEvent::Live`] mean that the old release is live and nothing of the new one
    /// is left. `LeaseLost` when a higher epoch took over; then nothing is undone.
    fn apply(&self, request: ApplyRequest) -> BoxStream<Result<DeploymentEvent>>;

    /// Undoes an apply that was stopped before it was live. Idempotent.
    async fn abort(&self, request: &ApplyRequest) -> Result<Aborted>;

    /// The id of an image that the runtime itself holds under this name; none where it holds none, or keeps no images of its own.
    async fn held_image(&self, reference: &ImageReference) -> Result<Option<Digest>>;

    /// What runs, and how it differs from `release`.
    async fn status<'a>(&self, workload: &Workload, release: Option<&'a Release>) -> Result<RuntimeStatus>;

    /// Log lines of the replicas, oldest first, each replica in order.
    fn logs(&self, query: LogQuery) -> BoxStream<Result<LogLine>>;

    /// Runs a command to its end and removes its container. A repeated call removes what the first one left and runs anew;
    /// after a drop, [`cancel_tasks`](Self::cancel_tasks) removes it.
    fn task(&self, request: TaskRequest) -> BoxStream<Result<TaskEvent>>;

    /// Stops every task of a run and removes its container. Idempotent.
    async fn cancel_tasks(&self, run: &RunId) -> Result<()>;

    /// Removes everything of a workload; its volumes only when asked. Idempotent.
    async fn remove(&self, workload: &Workload, volumes: bool) -> Result<()>;

    /// Removes what has no owner: leftovers of finished runs, and images that no release needs. Answers what was removed, in words.
    async fn clean(&self, keep: &Cleanup) -> Result<Vec<String>>;
}
