//! What runs, and how it differs from its release.

use super::client::Cluster;
use super::objects::{self, How};
use super::state::State;
use super::views::PodView;
use super::{apply, convert, difference, foreign, names, namespace};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kiwi_core::domain::Release;
use kiwi_core::error::Result;
use kiwi_core::provider::{ContainerStatus, RuntimeStatus, Workload};
use kube::Api;
use kube::api::ListParams;

pub(super) async fn status(cluster: &Cluster, workload: &Workload, release: Option<&Release>) -> Result<RuntimeStatus> {
    let client = cluster.client().await?;
    let mut status = RuntimeStatus { revision: None, containers: Vec::new(), endpoints: Vec::new(), drift: Vec::new() };
    for found in namespace::find(client, workload).await? {
        let live = State::read(client, &found.name).await?;
        status.revision = status.revision.or(live.as_ref().map(|live| live.revision));
        let selector = format!("{},{}={}", names::selector(workload), names::ROLE, names::role::REPLICA);
        let pods = Api::<Pod>::namespaced(client.clone(), &found.name).list(&ListParams::default().labels(&selector)).await;
        for pod in pods.map_err(convert::cluster("list pods"))?.items {
            let view = PodView::new(&pod, None, Timestamp::now());
            let Ok(container) = view.container.parse() else { continue };
            status.containers.push(ContainerStatus {
                container,
                state: state(&view),
                routed: view.ready && !view.deleting,
                restarts: view.containers.iter().map(|container| u64::from(container.restarts)).sum(),
                revision: view.revision,
                replica: view.name,
            });
        }
        if let Some(live) = &live {
            for object in live.applicable() {
                status.drift.extend(drift(client, object).await?);
            }
            for secret in live.objects.iter().filter(|object| object["kind"] == "Secret") {
                let name = secret["metadata"]["name"].as_str().unwrap_or_default();
                if objects::SECRET.api(client, &found.name).get_opt(name).await.map_err(convert::cluster("read status"))?.is_none() {
                    status.drift.push(format!("Secret {name} is gone; new pods cannot start without it"));
                }
            }
        }
        if let Some(release) = release {
            status.endpoints.extend(apply::endpoints(client, &found.name, release).await?);
        }
    }
    status.containers.sort_by(|a, b| a.replica.cmp(&b.replica));
    if let Some(release) = release {
        if status.revision != Some(release.revision) {
            status.drift.push(match status.revision {
                Some(other) => format!("revision {other} is live instead of {}", release.revision),
                None => "nothing is live".to_owned(),
            });
        }
        for container in &release.containers {
            let ready = status.containers.iter().filter(|found| found.container == container.name && found.routed).count();
            if ready != container.replicas.count() as usize {
                status.drift.push(format!("container {}: {ready} of {} replicas are ready", container.name, container.replicas.count()));
            }
        }
    }
    Ok(status)
}

/// The cluster's word for a pod's state, as `kubectl get pods` shows it.
fn state(pod: &PodView) -> String {
    if pod.deleting {
        return "Terminating".to_owned();
    }
    let waiting = pod.containers.iter().find_map(|container| container.waiting.as_ref()).map(|waiting| waiting.reason.clone());
    let ended = pod.containers.iter().find_map(|container| container.terminated.as_ref()).map(|ended| ended.reason.clone());
    waiting.or(ended).or(pod.reason.clone()).unwrap_or_else(|| pod.phase.clone())
}

/// How an object differs from what Kiwi applied: what applying it once more would change.
async fn drift(client: &kube::Client, object: &serde_json::Value) -> Result<Vec<String>> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let place = object["metadata"]["namespace"].as_str().unwrap_or_default();
    let Some(known) = objects::of_name(kind) else { return Ok(Vec::new()) };
    let Some(live) = known.api(client, place).get_opt(name).await.map_err(convert::cluster("read status"))? else {
        return Ok(vec![format!("{kind} {name} is gone")]);
    };
    // A claim may only grow, and what it is bound to is the cluster's.
    if known == objects::CLAIM {
        return Ok(Vec::new());
    }
    let wanted = objects::apply(client, object, How { force: true, dry_run: true }).await?;
    let (live, wanted) = (serde_json::to_value(&live).unwrap_or_default(), serde_json::to_value(&wanted).unwrap_or_default());
    let added = if known == objects::DEPLOYMENT { foreign::added(&live) } else { Vec::new() };
    Ok(difference::between(&live, &wanted).into_iter().chain(added).map(|change| format!("{kind} {name}: {change}")).collect())
}
