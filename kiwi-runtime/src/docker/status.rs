//! What runs, and how it differs from its release.

use super::client::Engine;
use super::gateway::{Gateway, Proxy as _, Route};
use super::labels::role;
use super::replica::{self, Found};
use kiwi_core::domain::{Protocol, Release, ReleaseContainer};
use kiwi_core::error::Result;
use kiwi_core::provider::{ContainerStatus, Endpoint, Guarantee, RuntimeStatus, Workload};

/// Where a route answers.
pub(super) fn urls(engine: &Engine, route: &Route) -> Vec<String> {
    let mut urls = Vec::new();
    let host = engine.config.address.public_host();
    if let Some(port) = route.port {
        let scheme = if route.protocol == Protocol::Tcp { "tcp" } else { "http" };
        urls.push(format!("{scheme}://{host}:{port}"));
    }
    if let Some(host) = &route.host {
        urls.push(format!("http://{host}{}", route.path.as_ref().map_or("", |path| path.as_str())));
    }
    urls
}

pub(super) async fn status(engine: &Engine, workload: &Workload, release: Option<&Release>) -> Result<RuntimeStatus> {
    let routes = match Gateway::existing(engine).await? {
        Some(mut gateway) => gateway.all().await?.into_iter().find(|routes| routes.workload == *workload),
        None => None,
    };
    let revision = routes.as_ref().and_then(|routes| routes.revision);
    let found: Vec<_> = replica::list(engine, workload).await?.into_iter().filter(|found| found.role == role::REPLICA).collect();
    let (mut containers, mut drift) = (Vec::new(), Vec::new());
    for replica in &found {
        let Some(container) = replica.container.clone() else { continue };
        let restarts = replica::inspect(engine, &replica.name).await?.and_then(|found| found.restart_count).unwrap_or(0);
        let current = replica::newest(&found, &container, revision.map(|revision| revision + 1)).iter().any(|newest| newest.name == replica.name);
        let routed = revision.is_some() && current && replica.state == "running";
        containers.push(ContainerStatus {
            revision: replica.revision,
            container,
            replica: replica.name.clone(),
            state: replica.state.clone(),
            routed,
            restarts: u64::try_from(restarts).unwrap_or(0),
        });
    }
    containers.sort_by(|a, b| a.replica.cmp(&b.replica));
    if let Some(release) = release {
        if revision != Some(release.revision) {
            drift.push(match revision {
                Some(other) => format!("revision {other} gets the traffic instead of {}", release.revision),
                None => "nothing gets the traffic".to_owned(),
            });
        }
        let belongs = |replica: &Found| {
            let container = release.containers.iter().find(|container| Some(&container.name) == replica.container.as_ref());
            container.is_some_and(|container| {
                replica.revision == release.revision || replica.specification == replica::specification(container, release.rollout.stop_seconds)
            })
        };
        for replica in found.iter().filter(|replica| !belongs(replica)) {
            drift.push(format!("{} is of revision {} and should not be here", replica.name, replica.revision));
        }
        for container in &release.containers {
            let running =
                found.iter().filter(|replica| belongs(replica) && replica.container.as_ref() == Some(&container.name) && replica.state == "running").count();
            if running != container.replicas.count() as usize {
                drift.push(format!("container {}: {running} of {} replicas run", container.name, container.replicas.count()));
            }
            drift.extend(
                differences(engine, workload, release.revision, container).await?.into_iter().map(|change| format!("container {}: {change}", container.name)),
            );
        }
    }
    let endpoints = routes.iter().flat_map(|routes| &routes.containers).filter(|route| route.port.is_some() || route.host.is_some()).map(|route| Endpoint {
        container: route.container.clone(),
        urls: urls(engine, route),
        guarantee: release
            .and_then(|release| Some((release, release.containers.iter().find(|container| container.name == route.container)?)))
            .map_or(Guarantee::ZeroDowntime, |(release, container)| super::plan::guarantee(container, release.rollout.strategy)),
    });
    Ok(RuntimeStatus { revision, endpoints: endpoints.collect(), containers, drift })
}

/// How the running replicas of a revision differ from what `container` says. Values of variables are never told.
pub(super) async fn differences(engine: &Engine, workload: &Workload, revision: u64, container: &ReleaseContainer) -> Result<Vec<String>> {
    let all = replica::list(engine, workload).await?;
    // Replicas that changed in nothing are older than the revision that they belong to.
    let ours = replica::newest(&all, &container.name, Some(revision + 1));
    let mut changes = Vec::new();
    if ours.len() != container.replicas.count() as usize {
        changes.push(format!("replicas: {} -> {}", ours.len(), container.replicas.count()));
    }
    let Some(first) = ours.first() else { return Ok(changes) };
    let Some(found) = replica::inspect(engine, &first.name).await? else { return Ok(changes) };
    let config = found.config.unwrap_or_default();
    let host = found.host_config.unwrap_or_default();
    if config.image.as_deref() != Some(container.image.exact().as_str()) {
        changes.push(format!("image: {} -> {}", config.image.unwrap_or_default(), container.image.exact()));
    }
    let memory = i64::try_from(container.resources.memory.limit.bytes()).unwrap_or(i64::MAX);
    if host.memory != Some(memory) {
        changes.push(format!("memory limit: {} -> {memory} bytes", host.memory.unwrap_or(0)));
    }
    let cpu = i64::try_from(container.resources.cpu.limit.millis()).unwrap_or(i64::MAX);
    if host.nano_cpus != Some(cpu * 1_000_000) {
        changes.push(format!("CPU limit: {}m -> {cpu}m", host.nano_cpus.unwrap_or(0) / 1_000_000));
    }
    let env = config.env.unwrap_or_default();
    for (name, variable) in &container.variables {
        let now = env.iter().find_map(|line| line.strip_prefix(name.as_str())?.strip_prefix('='));
        match (now, variable) {
            (None, _) => changes.push(format!("variable {name} is added")),
            (Some(now), kiwi_core::domain::Variable::Plain(value)) if now != value => changes.push(format!("variable {name} changes")),
            _ => {}
        }
    }
    Ok(changes)
}
