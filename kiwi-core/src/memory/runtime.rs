//! A runtime that remembers which release is live.

use super::{Failures, lock};
use crate::domain::{Digest, ImageReference, MountPath, Release, RunId};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{
    Aborted, ApplyRequest, BoxStream, Candidate, CheckItem, Cleanup, ContainerPlan, ContainerStatus, DeploymentEvent, DeploymentPlan, Endpoint, Guarantee,
    LogLine, LogQuery, Runtime, RuntimeCapabilities, RuntimeReport, RuntimeStatus, TaskEvent, TaskRequest, Workload,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Makes every release live at once.
#[derive(Debug, Default)]
pub struct MemoryRuntime {
    live: Mutex<BTreeMap<Workload, (Release, u64)>>,
    applies: Mutex<Vec<u64>>,
    task_exit: Mutex<i64>,
    task_outputs: Mutex<BTreeMap<MountPath, Bytes>>,
    tasks: Arc<Mutex<Vec<MemoryTask>>>,
    cancelled: Mutex<Vec<RunId>>,
    failures: Failures,
}

/// A task that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTask {
    /// Program and arguments.
    pub command: Vec<String>,
    /// The whole archive of its files, where it had some.
    pub input: Option<Vec<u8>>,
}

impl MemoryRuntime {
    /// Makes every later task that has this output hand back this archive.
    pub fn hand_back(&self, output: MountPath, archive: impl Into<Bytes>) {
        lock(&self.task_outputs).insert(output, archive.into());
    }

    /// The tasks that ended, oldest first.
    pub fn tasks(&self) -> Vec<MemoryTask> {
        lock(&self.tasks).clone()
    }

    /// The runs whose tasks were cancelled, oldest call first.
    pub fn cancelled(&self) -> Vec<RunId> {
        lock(&self.cancelled).clone()
    }

    /// Makes the next apply fail before it is live.
    pub fn fail(&self, error: Error) {
        self.failures.push(error);
    }

    /// Makes every later task end with this exit code.
    pub fn exit_tasks_with(&self, code: i64) {
        *lock(&self.task_exit) = code;
    }

    /// The revisions that became live, oldest first.
    pub fn applied(&self) -> Vec<u64> {
        lock(&self.applies).clone()
    }

    fn make_live(&self, request: &ApplyRequest) -> Result<Vec<Endpoint>> {
        self.failures.next()?;
        let mut live = lock(&self.live);
        match live.get(&request.workload) {
            Some((_, epoch)) if *epoch > request.fence.epoch => return Err(Error::new(ErrorKind::LeaseLost, "apply", "a newer worker took the workload over")),
            Some((release, _)) if release.revision == request.release.revision => {}
            _ => lock(&self.applies).push(request.release.revision),
        }
        live.insert(request.workload.clone(), (request.release.clone(), request.fence.epoch));
        Ok(endpoints(&request.release))
    }
}

fn guarantee(release: &Release, container: &crate::domain::ReleaseContainer) -> Guarantee {
    if container.recreate_reason(release.rollout.strategy).is_some() { Guarantee::Recreate } else { Guarantee::ZeroDowntime }
}

fn endpoints(release: &Release) -> Vec<Endpoint> {
    let exposed = release.containers.iter().filter(|container| container.is_exposed());
    exposed
        .map(|container| Endpoint {
            container: container.name.clone(),
            urls: vec![format!("memory://{}/{}", release.service_name, container.name)],
            guarantee: guarantee(release, container),
        })
        .collect()
}

#[async_trait]
impl Runtime for MemoryRuntime {
    fn capabilities(&self) -> RuntimeCapabilities {
        RuntimeCapabilities { candidate: true, local_images: true, tasks: true, releases: true }
    }

    fn rbac(&self) -> Vec<serde_json::Value> {
        Vec::new()
    }

    async fn check(&self) -> Result<RuntimeReport> {
        let item = CheckItem { name: "memory".to_owned(), ok: true, detail: "always there".to_owned() };
        Ok(RuntimeReport { description: "in memory".to_owned(), items: vec![item] })
    }

    async fn plan(&self, request: &ApplyRequest) -> Result<DeploymentPlan> {
        let plan = |container: &crate::domain::ReleaseContainer| ContainerPlan {
            name: container.name.clone(),
            guarantee: guarantee(&request.release, container),
            reason: container.recreate_reason(request.release.rollout.strategy).unwrap_or("new replicas answer before old ones leave").to_owned(),
            changes: Vec::new(),
        };
        Ok(DeploymentPlan { containers: request.release.containers.iter().map(plan).collect(), notes: Vec::new(), manifests: Vec::new() })
    }

    async fn candidate(&self, request: &ApplyRequest) -> Result<Candidate> {
        let url = format!("memory://{}/candidate", request.release.service_name);
        Ok(Candidate { endpoint: url.parse().ok() })
    }

    async fn remove_candidate(&self, _: &ApplyRequest) -> Result<()> {
        Ok(())
    }

    fn apply(&self, request: ApplyRequest) -> BoxStream<Result<DeploymentEvent>> {
        match self.make_live(&request) {
            Ok(endpoints) => futures_util::stream::iter([Ok(DeploymentEvent::Live(endpoints)), Ok(DeploymentEvent::Done)]).boxed(),
            Err(error) => futures_util::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn abort(&self, request: &ApplyRequest) -> Result<Aborted> {
        let live = lock(&self.live).get(&request.workload).is_some_and(|(release, _)| release.revision == request.release.revision);
        Ok(if live { Aborted::AlreadyLive } else { Aborted::Undone })
    }

    async fn held_image(&self, _: &ImageReference) -> Result<Option<Digest>> {
        Ok(None)
    }

    async fn status<'a>(&self, workload: &Workload, release: Option<&'a Release>) -> Result<RuntimeStatus> {
        let live = lock(&self.live).get(workload).map(|(release, _)| release.clone());
        let revision = live.as_ref().map(|live| live.revision);
        let drift = match release {
            Some(release) if Some(release.revision) != revision => vec![format!("revision {revision:?} runs instead of {}", release.revision)],
            _ => Vec::new(),
        };
        let replicas = |container: &crate::domain::ReleaseContainer| {
            let name = container.name.clone();
            (0..container.replicas.count()).map(move |index| ContainerStatus {
                revision: revision.unwrap_or_default(),
                container: name.clone(),
                replica: format!("{name}-{index}"),
                state: "running".to_owned(),
                routed: true,
                restarts: 0,
            })
        };
        let containers = live.iter().flat_map(|release| &release.containers).flat_map(replicas).collect();
        Ok(RuntimeStatus { revision, containers, endpoints: live.as_ref().map(endpoints).unwrap_or_default(), drift })
    }

    fn logs(&self, _: LogQuery) -> BoxStream<Result<LogLine>> {
        futures_util::stream::empty().boxed()
    }

    fn task(&self, request: TaskRequest) -> BoxStream<Result<TaskEvent>> {
        let code = *lock(&self.task_exit);
        let held = lock(&self.task_outputs).clone();
        let tasks = self.tasks.clone();
        let run = async move {
            let mut input = request.input.map(|input| (Vec::new(), input.files.0));
            if let Some((bytes, files)) = &mut input {
                while let Some(piece) = files.next().await {
                    match piece {
                        Ok(piece) => bytes.extend_from_slice(&piece),
                        Err(error) => return vec![Err(Error::new(ErrorKind::TaskFailed, "run task", "its files broke off").with_source(error))],
                    }
                }
            }
            lock(&tasks).push(MemoryTask { command: request.command, input: input.map(|(bytes, _)| bytes) });
            let output = |path: MountPath| held.get(&path).cloned().map(|chunk| Ok(TaskEvent::Output { path, chunk }));
            let outputs = request.outputs.into_iter().filter_map(output);
            outputs.chain([Ok(TaskEvent::Exited { code, out_of_memory: false })]).collect::<Vec<_>>()
        };
        futures_util::stream::once(run).flat_map(futures_util::stream::iter).boxed()
    }

    async fn cancel_tasks(&self, run: &RunId) -> Result<()> {
        lock(&self.cancelled).push(run.clone());
        Ok(())
    }

    async fn remove(&self, workload: &Workload, _: bool) -> Result<()> {
        lock(&self.live).remove(workload);
        Ok(())
    }

    async fn clean(&self, _: &Cleanup) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
