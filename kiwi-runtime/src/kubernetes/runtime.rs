//! The [`Runtime`] of a cluster.

use super::client::Cluster;
use super::{apply, candidate, plan, pods, rbac, remove, status, task};
use crate::feed::feed;
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Node;
use kiwi_core::domain::{Digest, ImageReference, Release, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{
    Aborted, ApplyRequest, BoxStream, Candidate, CheckItem, Cleanup, DeploymentEvent, DeploymentPlan, LogLine, LogQuery, Runtime, RuntimeCapabilities,
    RuntimeReport, RuntimeStatus, TaskEvent, TaskRequest, Workload,
};
use kube::Api;
use kube::api::ListParams;

/// Runs releases on a cluster.
#[derive(Debug, Clone)]
pub struct KubernetesRuntime {
    cluster: Cluster,
}

impl KubernetesRuntime {
    /// A runtime on this cluster; nothing is sent yet.
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }
}

#[async_trait]
impl Runtime for KubernetesRuntime {
    fn capabilities(&self) -> RuntimeCapabilities {
        let mut capabilities = RuntimeCapabilities::default();
        (capabilities.candidate, capabilities.tasks, capabilities.releases) = (true, true, true);
        capabilities
    }

    async fn check(&self) -> Result<RuntimeReport> {
        let (client, url) = (self.cluster.client().await?, self.cluster.url().await?);
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
        let mut items = vec![CheckItem {
            name: "version".to_owned(),
            // The sleep before SIGTERM needs no program in the image since then.
            ok: numbers >= vec![1, 30],
            detail: format!("{}; 1.30 or newer is needed", version.git_version),
        }];
        items.extend(rbac::check(&self.cluster).await?);
        items.extend(nodes(client).await);
        items.extend(gateway(&self.cluster).await?);
        Ok(RuntimeReport { description: format!("Kubernetes {} at {url}", version.git_version), items })
    }

    fn rbac(&self) -> Vec<serde_json::Value> {
        rbac::manifests(self.cluster.settings())
    }

    async fn plan(&self, request: &ApplyRequest) -> Result<DeploymentPlan> {
        plan::plan(&self.cluster, request).await
    }

    async fn candidate(&self, request: &ApplyRequest) -> Result<Candidate> {
        candidate::start(&self.cluster, request).await
    }

    async fn remove_candidate(&self, request: &ApplyRequest) -> Result<()> {
        candidate::remove(&self.cluster, request).await
    }

    fn apply(&self, request: ApplyRequest) -> BoxStream<Result<DeploymentEvent>> {
        let cluster = self.cluster.clone();
        feed(move |feed| async move { apply::apply(&cluster, &request, feed).await })
    }

    async fn abort(&self, request: &ApplyRequest) -> Result<Aborted> {
        apply::abort(&self.cluster, request).await
    }

    async fn held_image(&self, _: &ImageReference) -> Result<Option<Digest>> {
        Ok(None)
    }

    async fn status<'a>(&self, workload: &Workload, release: Option<&'a Release>) -> Result<RuntimeStatus> {
        status::status(&self.cluster, workload, release).await
    }

    fn logs(&self, query: LogQuery) -> BoxStream<Result<LogLine>> {
        let cluster = self.cluster.clone();
        feed(move |feed| pods::logs(cluster, query, feed))
    }

    fn task(&self, request: TaskRequest) -> BoxStream<Result<TaskEvent>> {
        let cluster = self.cluster.clone();
        feed(move |feed| task::task(cluster, request, feed))
    }

    async fn cancel_tasks(&self, run: &RunId) -> Result<()> {
        task::cancel(&self.cluster, run).await
    }

    async fn remove(&self, workload: &Workload, volumes: bool) -> Result<()> {
        remove::workload(&self.cluster, workload, volumes).await
    }

    async fn clean(&self, keep: &Cleanup) -> Result<Vec<String>> {
        remove::clean(&self.cluster, keep).await
    }
}

/// How many nodes can take pods, and of which architectures.
async fn nodes(client: &kube::Client) -> Option<CheckItem> {
    // Without the permission, which is told elsewhere, there is nothing to say.
    let nodes = Api::<Node>::all(client.clone()).list(&ListParams::default()).await.ok()?.items;
    let ready = |node: &&Node| {
        let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"))
    };
    let ready: Vec<&Node> = nodes.iter().filter(ready).collect();
    let mut architectures: Vec<&str> =
        ready.iter().filter_map(|node| node.status.as_ref()?.node_info.as_ref().map(|info| info.architecture.as_str())).collect();
    architectures.sort_unstable();
    architectures.dedup();
    Some(CheckItem {
        name: "nodes".to_owned(),
        ok: !ready.is_empty(),
        detail: format!("{} of {} are ready ({})", ready.len(), nodes.len(), architectures.join(", ")),
    })
}

/// Whether the Gateway that routes are attached to is there.
async fn gateway(cluster: &Cluster) -> Result<Option<CheckItem>> {
    let Some(name) = &cluster.settings().gateway else { return Ok(None) };
    let kind = super::objects::kind("gateway.networking.k8s.io", "v1", "Gateway", "gateways");
    let found = kind.api(cluster.client().await?, name.namespace()).get_opt(name.name()).await;
    let missing = format!("there is no Gateway {name}, or the cluster has no Gateway API: install it, or register the cluster without --gateway");
    let (ok, detail) = match found {
        Ok(Some(_)) => (true, format!("{name} is there")),
        Ok(None) => (false, missing),
        Err(error) if super::convert::code(&error) == Some(404) => (false, missing),
        // Only its controller must read it; that we may not is no fault.
        Err(error) => (true, format!("{name} cannot be looked at: {error}")),
    };
    Ok(Some(CheckItem { name: "gateway".to_owned(), ok, detail }))
}
