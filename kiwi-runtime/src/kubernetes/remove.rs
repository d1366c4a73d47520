//! Removing workloads and leftovers.

use super::client::Cluster;
use super::namespace::Found;
use super::objects::{self, CLAIM, CONFIG_MAP, JOB, POD};
use super::{names, namespace as namespaces};
use kiwi_core::error::Result;
use kiwi_core::provider::{Cleanup, Workload};
use kube::{Client, ResourceExt as _};

/// Removes everything of a workload; its volumes only when asked.
pub(super) async fn workload(cluster: &Cluster, workload: &Workload, volumes: bool) -> Result<()> {
    let client = cluster.client().await?;
    for found in namespaces::find(client, workload).await? {
        namespace(client, workload, &found, volumes).await?;
    }
    Ok(())
}

/// Removes a workload from one namespace, and the namespace too when Kiwi made it and nothing is left in it.
pub(super) async fn namespace(client: &Client, workload: &Workload, found: &Found, volumes: bool) -> Result<()> {
    let selector = names::selector(workload);
    objects::prune(client, &found.name, &selector, &[]).await?;
    for kind in [JOB, POD, CONFIG_MAP] {
        for object in objects::list(client, kind, &found.name, &selector).await? {
            // Pods of a Deployment leave with it, as gently as they were promised.
            if kind != POD || object.owner_references().is_empty() {
                objects::remove(client, kind, &found.name, &object.name_any()).await?;
            }
        }
    }
    let claims = objects::list(client, CLAIM, &found.name, &selector).await?;
    if volumes {
        for claim in &claims {
            objects::remove(client, CLAIM, &found.name, &claim.name_any()).await?;
        }
    }
    if found.created_by_kiwi && (volumes || claims.is_empty()) {
        namespaces::remove(client, &found.name).await?;
    }
    Ok(())
}

/// Removes what runs left that are no longer under way.
pub(super) async fn clean(cluster: &Cluster, keep: &Cleanup) -> Result<Vec<String>> {
    let client = cluster.client().await?;
    let mut removed = Vec::new();
    for kind in [JOB, POD] {
        let selector = format!("{}={},{}", names::MANAGED_BY, names::MANAGER, names::RUN);
        for object in objects::list(client, kind, "", &selector).await? {
            let label = |name: &str| object.labels().get(name).cloned().unwrap_or_default();
            // Several installations may share a cluster, and its namespace of builds.
            let ours = label(names::INSTALLATION) == keep.installation;
            let unfinished = label(names::RUN).parse().is_ok_and(|run| keep.unfinished.contains(&run));
            let namespace = object.metadata.namespace.clone().unwrap_or_default();
            if ours && !unfinished && object.owner_references().is_empty() && objects::remove(client, kind, &namespace, &object.name_any()).await? {
                removed.push(format!("{} {}/{}", kind.kind, namespace, object.name_any()));
            }
        }
    }
    Ok(removed)
}
