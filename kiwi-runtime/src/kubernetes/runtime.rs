//! The [`Runtime`] of a cluster.

use async_trait::async_trait;
use futures_util::StreamExt as _;
use kiwi_core::domain::{Digest, ImageReference, Release, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{
    Aborted, ApplyRequest, BoxStream, Candidate, CheckItem, Cleanup, DeploymentEvent, DeploymentPlan, LogLine, LogQuery, Runtime, RuntimeCapabilities,
    RuntimeReport, RuntimeStatus, TaskEvent, TaskRequest, Workload,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::PathBuf;
use std::time::Duration;

/// How a cluster is reached.
#[derive(Debug, Clone, Default)]
pub struct KubernetesConfig {
    /// The kubeconfig file; `KUBECONFIG`, the usual place, or the pod's own account when absent.
    pub kubeconfig: Option<PathBuf>,
    /// The context; the current one when absent.
    pub context: Option<String>,
}

/// Knows a cluster.
#[derive(Debug, Clone)]
pub struct KubernetesRuntime {
    config: KubernetesConfig,
}

impl KubernetesRuntime {
    /// A runtime on this cluster; nothing is sent yet.
    pub fn new(config: KubernetesConfig) -> Self {
        Self { config }
    }

    async fn client(&self) -> Result<(Client, String)> {
        let fail = |message: String| {
            Error::invalid("read kubeconfig", message).with_hint("check --kubeconfig and --context; `kubectl config get-contexts` lists what there is")
        };
        let options = KubeConfigOptions { context: self.config.context.clone(), ..KubeConfigOptions::default() };
        let mut config = match &self.config.kubeconfig {
            Some(path) => {
                let file = Kubeconfig::read_from(path).map_err(|error| fail(format!("{} cannot be read", path.display())).with_source(error))?;
                Config::from_custom_kubeconfig(file, &options).await.map_err(|error| fail("the kubeconfig cannot be used".to_owned()).with_source(error))?
            }
            None if self.config.context.is_some() => {
                Config::from_kubeconfig(&options).await.map_err(|error| fail("the kubeconfig cannot be used".to_owned()).with_source(error))?
            }
            None => Config::infer().await.map_err(|error| fail("there is no kubeconfig, and this is not a pod".to_owned()).with_source(error))?,
        };
        config.connect_timeout = Some(Duration::from_secs(10));
        config.read_timeout = Some(Duration::from_secs(30));
        let url = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| fail("the kubeconfig cannot be used".to_owned()).with_source(error))?;
        Ok((client, url))
    }
}

fn later(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, operation, "this version of Kiwi can register and check a cluster, but not deploy to it")
        .with_hint("use a Docker runtime")
}

fn refused<T: Send + 'static>(operation: &'static str) -> BoxStream<Result<T>> {
    futures_util::stream::once(async move { Err(later(operation)) }).boxed()
}

#[async_trait]
impl Runtime for KubernetesRuntime {
    fn capabilities(&self) -> RuntimeCapabilities {
        RuntimeCapabilities::default()
    }

    async fn check(&self) -> Result<RuntimeReport> {
        let (client, url) = self.client().await?;
        let version = client.apiserver_version().await.map_err(|error| {
            let (kind, message) = match &error {
                kube::Error::Api(status) if status.code == 401 => (ErrorKind::Unauthenticated, "the cluster refused the credentials"),
                kube::Error::Api(status) if status.code == 403 => (ErrorKind::Forbidden, "the account may not ask for the cluster's version"),
                kube::Error::Api(_) | kube::Error::SerdeError(_) => (ErrorKind::Protocol, "it does not answer like a Kubernetes API"),
                _ => (ErrorKind::ConnectionRefused, "the cluster cannot be reached"),
            };
            Error::new(kind, "check cluster", format!("{url}: {message}")).with_source(error)
        })?;
        let numbers: Vec<u32> = [&version.major, &version.minor].iter().filter_map(|text| text.trim_end_matches('+').parse().ok()).collect();
        let new_enough = numbers >= vec![1, 30];
        Ok(RuntimeReport {
            description: format!("Kubernetes {} at {url}", version.git_version),
            items: vec![
                CheckItem { name: "version".to_owned(), ok: new_enough, detail: format!("{}; 1.30 or newer is needed", version.git_version) },
                CheckItem {
                    name: "deployments".to_owned(),
                    ok: false,
                    detail: "this version of Kiwi cannot deploy to clusters yet; use a Docker runtime".to_owned(),
                },
            ],
        })
    }

    async fn plan(&self, _: &ApplyRequest) -> Result<DeploymentPlan> {
        Err(later("plan deployment"))
    }

    async fn candidate(&self, _: &ApplyRequest) -> Result<Candidate> {
        Err(later("start candidate"))
    }

    async fn remove_candidate(&self, _: &ApplyRequest) -> Result<()> {
        Ok(())
    }

    fn apply(&self, _: ApplyRequest) -> BoxStream<Result<DeploymentEvent>> {
        refused("apply release")
    }

    async fn abort(&self, _: &ApplyRequest) -> Result<Aborted> {
        Ok(Aborted::Undone)
    }

    async fn held_image(&self, _: &ImageReference) -> Result<Option<Digest>> {
        Ok(None)
    }

    async fn status<'a>(&self, _: &Workload, _: Option<&'a Release>) -> Result<RuntimeStatus> {
        Err(later("read status"))
    }

    fn logs(&self, _: LogQuery) -> BoxStream<Result<LogLine>> {
        refused("read logs")
    }

    fn task(&self, _: TaskRequest) -> BoxStream<Result<TaskEvent>> {
        refused("run task")
    }

    async fn cancel_tasks(&self, _: &RunId) -> Result<()> {
        Ok(())
    }

    async fn remove(&self, _: &Workload, _: bool) -> Result<()> {
        Err(later("remove workload"))
    }

    async fn clean(&self, _: &Cleanup) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
