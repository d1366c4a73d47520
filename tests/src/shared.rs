//! A runtime that several processes share: a folder with a file for each service, changed under a lock of the kernel, which a killed process gives back. It
//! judges fences as a real runtime does, and writes down what became live.

use async_trait::async_trait;
use futures_util::StreamExt as _;
use kiwi_core::domain::{Digest, ImageReference, Release, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::memory::MemoryRuntime;
use kiwi_core::provider::{
    Aborted, ApplyRequest, BoxStream, Candidate, Cleanup, DeploymentEvent, DeploymentPlan, LogLine, LogQuery, Runtime, RuntimeCapabilities, RuntimeReport,
    RuntimeStatus, TaskEvent, TaskRequest, Workload,
};
use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The runtime. Everything but what is live is as in memory.
pub struct SharedRuntime {
    folder: PathBuf,
    inner: MemoryRuntime,
}

/// What became live, oldest first, as `revision epoch run`.
pub type Lines = Vec<(u64, u64, String)>;

impl SharedRuntime {
    /// In this folder, which exists.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), inner: MemoryRuntime::default() }
    }

    /// What became live of a service; `line` adds to it, after it saw what there is.
    pub fn journal(folder: &Path, service: &str, line: impl FnOnce(&Lines) -> Result<Option<String>>) -> Result<Lines> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(folder.join(service)).unwrap();
        file.lock().unwrap();
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_string(&mut text).unwrap();
        let parse = |line: &str| {
            let parts: Vec<&str> = line.split(' ').collect();
            (parts[0].parse().unwrap(), parts[1].parse().unwrap(), parts[2].to_owned())
        };
        let lines: Lines = text.lines().map(parse).collect();
        if let Some(line) = line(&lines)? {
            file.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
        Ok(lines)
    }
}

fn make_live(folder: &Path, request: &ApplyRequest) -> Result<()> {
    let (revision, epoch) = (request.release.revision, request.fence.epoch);
    SharedRuntime::journal(folder, request.workload.service.as_str(), |lines| match lines.last() {
        Some((_, newest, _)) if *newest > epoch => Err(Error::new(ErrorKind::LeaseLost, "apply", "a newer worker took the workload over")),
        Some((live, _, _)) if *live == revision => Ok(None),
        _ => Ok(Some(format!("{revision} {epoch} {}", request.run))),
    })
    .map(|_| ())
}

#[async_trait]
impl Runtime for SharedRuntime {
    fn capabilities(&self) -> RuntimeCapabilities {
        self.inner.capabilities()
    }
    fn rbac(&self) -> Vec<serde_json::Value> {
        self.inner.rbac()
    }
    async fn check(&self) -> Result<RuntimeReport> {
        self.inner.check().await
    }
    async fn plan(&self, request: &ApplyRequest) -> Result<DeploymentPlan> {
        self.inner.plan(request).await
    }
    async fn candidate(&self, request: &ApplyRequest) -> Result<Candidate> {
        self.inner.candidate(request).await
    }
    async fn remove_candidate(&self, request: &ApplyRequest) -> Result<()> {
        self.inner.remove_candidate(request).await
    }
    fn apply(&self, request: ApplyRequest) -> BoxStream<Result<DeploymentEvent>> {
        let folder = self.folder.clone();
        // As long as a small rollout; the revision makes it differ.
        let pause = Duration::from_millis(300 + request.release.revision * 97 % 900);
        let live = async move {
            tokio::time::sleep(pause).await;
            make_live(&folder, &request).map(|()| DeploymentEvent::Live(Vec::new()))
        };
        futures_util::stream::once(live).chain(futures_util::stream::iter([Ok(DeploymentEvent::Done)])).boxed()
    }
    async fn abort(&self, request: &ApplyRequest) -> Result<Aborted> {
        let lines = Self::journal(&self.folder, request.workload.service.as_str(), |_| Ok(None))?;
        let live = lines.last().is_some_and(|(revision, _, _)| *revision == request.release.revision);
        Ok(if live { Aborted::AlreadyLive } else { Aborted::Undone })
    }
    async fn held_image(&self, reference: &ImageReference) -> Result<Option<Digest>> {
        self.inner.held_image(reference).await
    }
    async fn status<'a>(&self, workload: &Workload, release: Option<&'a Release>) -> Result<RuntimeStatus> {
        self.inner.status(workload, release).await
    }
    fn logs(&self, query: LogQuery) -> BoxStream<Result<LogLine>> {
        self.inner.logs(query)
    }
    fn task(&self, request: TaskRequest) -> BoxStream<Result<TaskEvent>> {
        self.inner.task(request)
    }
    async fn cancel_tasks(&self, run: &RunId) -> Result<()> {
        self.inner.cancel_tasks(run).await
    }
    async fn remove(&self, workload: &Workload, volumes: bool) -> Result<()> {
        self.inner.remove(workload, volumes).await
    }
    async fn clean(&self, keep: &Cleanup) -> Result<Vec<String>> {
        self.inner.clean(keep).await
    }
}
