//! What a deployment would do, and all that can be known to fail.

use super::client::Cluster;
use super::objects::{self, How};
use super::render::{self, is_routed};
use super::{accounts, apply, difference, names, namespace};
use kiwi_core::domain::{ImagePin, ReleaseContainer};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{ApplyRequest, ContainerPlan, DeploymentPlan, Guarantee};
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) async fn plan(cluster: &Cluster, request: &ApplyRequest) -> Result<DeploymentPlan> {
    let client = cluster.client().await?;
    let release = &request.release;
    let name = namespace::of(release)?;
    let mut notes = Vec::new();
    let found = namespace::look(client, &name, &request.workload).await?;
    for other in namespace::find(client, &request.workload).await?.into_iter().filter(|other| other.name != name) {
        let claims = objects::list(client, objects::CLAIM, &other.name, &names::selector(&request.workload)).await?;
        if !claims.is_empty() {
            return Err(Error::new(
                ErrorKind::Conflict,
                "plan deployment",
                format!("the service has volumes in the namespace {}, which cannot move to {name}", other.name),
            )
            .with_hint("keep the namespace, or remove the service with its volumes first"));
        }
        notes.push(format!("it moves from the namespace {} to {name}", other.name));
    }
    for container in &release.containers {
        if let ImagePin::Local { reference, .. } = &container.image {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "plan deployment",
                format!("the image {reference} exists on one Docker engine only; a cluster pulls from a registry"),
            )
            .with_hint("register a registry, give the service --registry, and build again"));
        }
        image(cluster, request, container, &mut notes).await?;
        remarks(container, &mut notes);
    }
    routes(cluster, client, request, &name).await?;
    let rendered = apply::render(cluster, request, &name).await?;
    notes.push(format!(
        "Pod Security: {}",
        if rendered.restricted { "restricted, every image runs as a numeric user" } else { "baseline, because an image runs as root or does not say as whom" }
    ));
    let (mut live, mut wanted) = (BTreeMap::new(), BTreeMap::new());
    if found.is_some() {
        let judged = rendered.objects.iter().map(|object| objects::apply(client, object, How { dry_run: true, force: request.fresh }));
        let selector = names::selector(&request.workload);
        let lists = objects::PRUNED.iter().map(|kind| objects::list(client, *kind, &name, &selector));
        let (judged, lists) = tokio::try_join!(futures_util::future::try_join_all(judged), futures_util::future::try_join_all(lists))?;
        for (object, judged) in rendered.objects.iter().zip(judged) {
            let key = (object["kind"].as_str().unwrap_or_default().to_owned(), object["metadata"]["name"].as_str().unwrap_or_default().to_owned());
            wanted.insert(key, serde_json::to_value(&judged).unwrap_or_default());
        }
        for (kind, list) in objects::PRUNED.iter().zip(lists) {
            live.extend(list.into_iter().map(|object| ((kind.kind.to_owned(), object.name_any()), serde_json::to_value(&object).unwrap_or_default())));
        }
    } else {
        objects::apply(client, &rendered.namespace, How { dry_run: true, force: false }).await?;
        notes.push(format!("the namespace {name} is made"));
    }
    let containers = release.containers.iter().map(|container| container_plan(request, container, &live, &wanted)).collect();
    let mut manifests = vec![rendered.namespace.clone()];
    manifests.extend(render::masked(&rendered.objects));
    Ok(DeploymentPlan { containers, notes, manifests })
}

type Objects = BTreeMap<(String, String), Value>;

fn container_plan(request: &ApplyRequest, container: &ReleaseContainer, live: &Objects, wanted: &Objects) -> ContainerPlan {
    let release = &request.release;
    let name = container.name.as_str();
    let of = |objects: &'_ Objects, kind: &str| objects.get(&(kind.to_owned(), name.to_owned())).cloned();
    let mut changes = Vec::new();
    match (of(live, "Deployment"), of(wanted, "Deployment")) {
        (None, _) => changes.push("it runs for the first time".to_owned()),
        (Some(now), Some(then)) => changes.extend(difference::between(&now, &then)),
        _ => {}
    }
    for kind in ["Service", "Ingress", "HTTPRoute", "PodDisruptionBudget"] {
        match (of(live, kind), of(wanted, kind)) {
            (Some(now), Some(then)) => changes.extend(difference::between(&now, &then).into_iter().map(|change| format!("{kind}: {change}"))),
            (Some(_), None) if !wanted.is_empty() => changes.push(format!("its {kind} is removed")),
            (None, Some(_)) if live.contains_key(&("Deployment".to_owned(), name.to_owned())) => changes.push(format!("it gets a {kind}")),
            _ => {}
        }
    }
    let revision = |object: Option<Value>| object.map(|object| object["spec"]["template"]["metadata"]["labels"][names::REVISION].clone());
    let kept = revision(of(live, "Deployment")).is_some_and(|now| Some(now) == revision(of(wanted, "Deployment")));
    if kept {
        changes.retain(|change| !change.starts_with("its variables"));
        if changes.is_empty() {
            return ContainerPlan {
                name: container.name.clone(),
                guarantee: Guarantee::ZeroDowntime,
                reason: "it changes in nothing and keeps running".to_owned(),
                changes,
            };
        }
    }
    let reason = render::reason(container, release.rollout.strategy).to_owned();
    ContainerPlan { name: container.name.clone(), guarantee: apply::guarantee(container, release), reason, changes }
}

/// Refuses an image that its registry does not have; a registry that cannot be asked from here may still answer the cluster.
async fn image(cluster: &Cluster, request: &ApplyRequest, container: &ReleaseContainer, notes: &mut Vec<String>) -> Result<()> {
    let ImagePin::Registry { reference, digest, .. } = &container.image else { return Ok(()) };
    match accounts::user(cluster, &container.image, &request.registries).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            Err(Error::new(ErrorKind::ImageUnavailable, "plan deployment", format!("the registry has no {reference} with the digest {digest} any more"))
                .with_hint("it was deleted; build it again"))
        }
        Err(error) => {
            notes.push(format!("container {}: whether its image is there could not be checked from here: {}", container.name, error.message()));
            Ok(())
        }
    }
}

fn remarks(container: &ReleaseContainer, notes: &mut Vec<String>) {
    let mut note = |text: &str| notes.push(format!("container {}: {text}", container.name));
    if container.publish.is_some() {
        note("a published port means nothing on Kubernetes");
    }
    if container.ingress_path.is_some() && container.is_internal {
        note("it is internal, so its ingress path means nothing");
    } else if container.ingress_path.is_some() && !is_routed(container) {
        note("only HTTP is routed by a path");
    } else if container.host.is_some() && container.ingress_path.is_none() {
        note("without an ingress path, its host means nothing");
    } else if container.ingress_path.is_none() && container.is_exposed() {
        note("it has no ingress path: only other pods of the cluster reach it");
    }
}

/// Refuses a host and path that another namespace has.
async fn routes(cluster: &Cluster, client: &Client, request: &ApplyRequest, namespace: &str) -> Result<()> {
    let routed: Vec<_> = request.release.containers.iter().filter(|container| is_routed(container)).collect();
    if routed.is_empty() {
        return Ok(());
    }
    let mut claimed: Vec<(String, String, String)> = Vec::new();
    for object in objects::list(client, objects::INGRESS, "", "").await? {
        let place = object.metadata.namespace.clone().unwrap_or_default();
        for rule in object.data["spec"]["rules"].as_array().into_iter().flatten() {
            for path in rule["http"]["paths"].as_array().into_iter().flatten() {
                claimed.push((place.clone(), rule["host"].as_str().unwrap_or_default().to_owned(), path["path"].as_str().unwrap_or("/").to_owned()));
            }
        }
    }
    // Where Kiwi makes no HTTPRoutes it need not be allowed to see them.
    let all = match objects::list(client, objects::ROUTE, "", "").await {
        Err(error) if error.kind() == ErrorKind::Forbidden && cluster.settings().gateway.is_none() => Vec::new(),
        all => all?,
    };
    for object in all {
        let place = object.metadata.namespace.clone().unwrap_or_default();
        let hosts: Vec<String> =
            object.data["spec"]["hostnames"].as_array().into_iter().flatten().filter_map(|host| host.as_str().map(str::to_owned)).collect();
        let hosts = if hosts.is_empty() { vec![String::new()] } else { hosts };
        for rule in object.data["spec"]["rules"].as_array().into_iter().flatten() {
            for found in rule["matches"].as_array().into_iter().flatten() {
                let path = found["path"]["value"].as_str().unwrap_or("/");
                claimed.extend(hosts.iter().map(|host| (place.clone(), host.clone(), path.to_owned())));
            }
        }
    }
    for container in routed {
        let host = container.host.as_ref().map_or("", |host| host.as_str());
        let path = container.ingress_path.as_ref().map_or("/", |path| path.as_str());
        if let Some((place, ..)) = claimed.iter().find(|(place, other, taken)| place != namespace && other == host && taken == path) {
            let shown = if host.is_empty() { "every host".to_owned() } else { host.to_owned() };
            return Err(Error::new(ErrorKind::Conflict, "plan deployment", format!("the path {path} of {shown} is routed to the namespace {place} already"))
                .with_hint("choose another host or path"));
        }
    }
    Ok(())
}
