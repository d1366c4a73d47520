//! What a deployment would do, and all that can be known to fail before it begins.

use super::client::Engine;
use super::gateway::{Gateway, Proxy as _, Route, Routes};
use super::{convert, network, replica, status};
use kiwi_core::domain::{ImagePin, ReleaseContainer, Strategy};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{ApplyRequest, ContainerPlan, DeploymentPlan, Guarantee};

pub(super) fn guarantee(container: &ReleaseContainer, strategy: Strategy) -> Guarantee {
    if container.recreate_reason(strategy).is_some() { Guarantee::Recreate } else { Guarantee::ZeroDowntime }
}

/// The routes that a release wants; a port of 0 stands for "exposed, any port".
pub(super) fn wanted_routes(request: &ApplyRequest) -> Routes {
    let route = |container: &ReleaseContainer| Route {
        container: container.name.clone(),
        backend: format!("{}.r{}", super::gateway::backend_name(&request.workload, &container.name), request.release.revision),
        protocol: container.protocol,
        health: container.health.clone(),
        port: container.is_exposed().then(|| container.publish.map_or(0, |port| port.number())),
        host: container.host.clone(),
        path: container.ingress_path.clone(),
        servers: Vec::new(),
    };
    let with_port = request.release.containers.iter().filter(|container| container.port.is_some());
    Routes { workload: request.workload.clone(), revision: None, containers: with_port.map(route).collect(), staged: Vec::new() }
}

pub(super) async fn plan(engine: &Engine, request: &ApplyRequest) -> Result<DeploymentPlan> {
    let release = &request.release;
    // Fails when the name belongs to another installation.
    network::find(engine, &request.workload).await?;
    let mut notes = Vec::new();
    let mut running = None;
    if let Some(mut gateway) = Gateway::existing(engine).await? {
        let all = gateway.all().await?;
        let ours = all.iter().find(|routes| routes.workload == request.workload);
        let mut wanted = wanted_routes(request);
        notes.extend(super::gateway::choose_ports(&all, ours, &[], &mut wanted)?);
        running = ours.cloned();
    }
    for container in &release.containers {
        if let ImagePin::Local { reference, id } = &container.image
            && let Err(error) = engine.docker.inspect_image(id.as_str()).await
        {
            let gone = convert::status(&error) == Some(404);
            return Err(if gone {
                Error::new(ErrorKind::ImageUnavailable, "plan deployment", format!("the image {reference} is no longer on the engine"))
                    .with_hint("build it again")
            } else {
                convert::engine("plan deployment")(error)
            });
        }
        if !container.volumes.is_empty() {
            notes.push(format!("container {}: Docker does not enforce the size of its volumes", container.name));
        }
        if container.ingress_path.is_some() && container.host.is_none() {
            notes.push(format!("container {}: without a host, its ingress path changes nothing on Docker; its port answers every path", container.name));
        }
    }
    if release.namespace.is_some() {
        notes.push("a namespace means nothing on Docker".to_owned());
    }
    let mut containers = Vec::new();
    let all = replica::list(engine, &request.workload).await?;
    for container in &release.containers {
        let specification = replica::specification(container, release.rollout.stop_seconds);
        let now = replica::newest(&all, &container.name, None);
        let same = now.len() == container.replicas.count() as usize && now.iter().all(|found| found.specification == specification);
        if same && !request.fresh {
            containers.push(ContainerPlan {
                name: container.name.clone(),
                guarantee: Guarantee::ZeroDowntime,
                reason: "it changes in nothing and keeps running".to_owned(),
                changes: Vec::new(),
            });
            continue;
        }
        let changes = match running.as_ref().and_then(|routes| routes.revision) {
            None => vec!["it runs for the first time".to_owned()],
            Some(revision) => status::differences(engine, &request.workload, revision, container).await?,
        };
        containers.push(ContainerPlan {
            name: container.name.clone(),
            guarantee: guarantee(container, release.rollout.strategy),
            reason: container.recreate_reason(release.rollout.strategy).unwrap_or("new replicas answer before old ones leave").to_owned(),
            changes,
        });
    }
    Ok(DeploymentPlan { containers, notes, manifests: Vec::new() })
}
