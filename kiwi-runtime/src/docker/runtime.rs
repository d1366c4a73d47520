//! The [`Runtime`] of an engine.

use super::client::Engine;
use super::gateway::{Gateway, Proxy as _, Server};
use super::labels::{self, role};
use super::replica::{self, Place};
use super::{apply, clean, convert, logs, network, plan, pull, status, task};
use crate::feed::feed;
use async_trait::async_trait;
use bollard::models::SystemInfo;
use kiwi_core::domain::{Digest, ImageReference, Release, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{
    Aborted, ApplyRequest, BoxStream, Candidate, CheckItem, Cleanup, DeploymentEvent, DeploymentPlan, LogLine, LogQuery, Runtime, RuntimeCapabilities,
    RuntimeReport, RuntimeStatus, TaskEvent, TaskRequest, Workload,
};
use std::time::{Duration, Instant};

/// Runs releases on a Docker Engine.
#[derive(Debug, Clone)]
pub struct DockerRuntime {
    engine: Engine,
}

impl DockerRuntime {
    /// A runtime on this engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

fn candidate_name(request: &ApplyRequest) -> String {
    format!("{}-candidate-{}", labels::stem(&request.workload), request.run)
}

#[async_trait]
impl Runtime for DockerRuntime {
    fn capabilities(&self) -> RuntimeCapabilities {
        let mut capabilities = RuntimeCapabilities::default();
        (capabilities.candidate, capabilities.local_images, capabilities.tasks, capabilities.releases) = (true, true, true, true);
        capabilities
    }

    fn rbac(&self) -> Vec<serde_json::Value> {
        Vec::new()
    }

    async fn check(&self) -> Result<RuntimeReport> {
        let version = self.engine.docker.version().await.map_err(convert::engine("reach Docker Engine"))?;
        let info: SystemInfo = self.engine.docker.info().await.map_err(convert::engine("reach Docker Engine"))?;
        let number = version.version.unwrap_or_default();
        let parts: Vec<u32> = number.split('.').map_while(|part| part.parse().ok()).collect();
        let item = |name: &str, ok: bool, detail: String| CheckItem { name: name.to_owned(), ok, detail };
        let linux = info.os_type.as_deref() == Some("linux");
        let image = &self.engine.config.gateway_image;
        let gateway = match Gateway::existing(&self.engine).await {
            Ok(Some(_)) => item("gateway", true, "it runs".to_owned()),
            Ok(None) => match self.engine.docker.inspect_image(image).await {
                Ok(_) => item("gateway", true, format!("it starts with the first deployment, from {image}")),
                Err(_) => item("gateway", true, format!("it starts with the first deployment; {image} will be pulled then")),
            },
            Err(error) => item("gateway", false, format!("{}; {}", error.chain(), error.hint())),
        };
        Ok(RuntimeReport {
            description: format!("Docker Engine {number} at {}", self.engine.config.address),
            items: vec![
                item("version", parts >= vec![20, 10], format!("{number}; 20.10 or newer is needed")),
                item("linux containers", linux, info.os_type.unwrap_or_default()),
                item("memory", true, format!("{} MiB", info.mem_total.unwrap_or(0) >> 20)),
                gateway,
            ],
        })
    }

    async fn plan(&self, request: &ApplyRequest) -> Result<DeploymentPlan> {
        plan::plan(&self.engine, request).await
    }

    async fn candidate(&self, request: &ApplyRequest) -> Result<Candidate> {
        let Some(container) = request.release.containers.iter().find(|container| container.is_exposed()) else { return Ok(Candidate { endpoint: None }) };
        let Some(port) = container.port else { return Ok(Candidate { endpoint: None }) };
        pull::pin(&self.engine, &container.image, &request.registries).await?;
        let network = network::ensure(&self.engine, &request.workload).await?;
        self.remove_candidate(request).await?;
        let address = network.free(&self.engine, &request.workload).await?.next();
        let address = address.ok_or_else(|| Error::new(ErrorKind::Conflict, "start candidate", "the network of the service has no free address"))?;
        // A volume that only one replica may hold stays with the live one.
        let mut alone = container.clone();
        alone.volumes.clear();
        let place = Place { name: candidate_name(request), network: &network, address, role: role::CANDIDATE };
        let replica = replica::start(&self.engine, request, &alone, place).await?;
        let server = Server { name: "candidate".to_owned(), address: format!("{}:{port}", replica.address) };
        let mut gateway = Gateway::open(&self.engine).await?;
        let routes = gateway.prepare(plan::wanted_routes(request)).await?;
        let Some(route) = routes.route(&container.name) else { return Ok(Candidate { endpoint: None }) };
        gateway.add(route, &server).await?;
        let deadline = Instant::now() + Duration::from_secs(u64::from(request.release.rollout.start_seconds));
        loop {
            let probe = gateway.probe(route, &server).await?;
            if probe.healthy {
                gateway.forget(&request.workload, &container.name, &[server.name]).await?;
                return Ok(Candidate { endpoint: format!("http://{}:{port}/", replica.address).parse().ok() });
            }
            replica::alive(&self.engine, &replica.name, container).await?;
            if Instant::now() > deadline {
                gateway.forget(&request.workload, &container.name, &[server.name]).await?;
                return Err(Error::new(ErrorKind::Unhealthy, "start candidate", format!("the candidate never answered (last probe: {})", probe.detail))
                    .with_log(replica::last_lines(&self.engine, &replica.name).await));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn remove_candidate(&self, request: &ApplyRequest) -> Result<()> {
        replica::remove(&self.engine, &candidate_name(request)).await
    }

    fn apply(&self, request: ApplyRequest) -> BoxStream<Result<DeploymentEvent>> {
        let engine = self.engine.clone();
        feed(move |feed| async move { apply::apply(&engine, &request, feed).await })
    }

    async fn abort(&self, request: &ApplyRequest) -> Result<Aborted> {
        apply::abort(&self.engine, request).await
    }

    async fn held_image(&self, reference: &ImageReference) -> Result<Option<Digest>> {
        match self.engine.docker.inspect_image(&reference.to_string()).await {
            Ok(found) => Ok(found.id.and_then(|id| id.parse().ok())),
            Err(error) if convert::status(&error) == Some(404) => Ok(None),
            Err(error) => Err(convert::engine("look for image")(error)),
        }
    }

    async fn status<'a>(&self, workload: &Workload, release: Option<&'a Release>) -> Result<RuntimeStatus> {
        status::status(&self.engine, workload, release).await
    }

    fn logs(&self, query: LogQuery) -> BoxStream<Result<LogLine>> {
        let engine = self.engine.clone();
        feed(move |feed| logs::logs(engine, query, feed))
    }

    fn task(&self, request: TaskRequest) -> BoxStream<Result<TaskEvent>> {
        let engine = self.engine.clone();
        feed(move |feed| async move { task::task(&engine, request, &feed).await })
    }

    async fn cancel_tasks(&self, run: &RunId) -> Result<()> {
        task::cancel(&self.engine, run).await
    }

    async fn remove(&self, workload: &Workload, volumes: bool) -> Result<()> {
        clean::remove(&self.engine, workload, volumes).await
    }

    async fn clean(&self, keep: &Cleanup) -> Result<Vec<String>> {
        clean::clean(&self.engine, keep).await
    }
}
