//! The namespace of a workload: one holds one service in one environment, and is marked with both.

use super::objects::{self, How};
use super::{convert, names};
use k8s_openapi::api::core::v1::Namespace;
use kiwi_core::domain::{EnvironmentName, Release};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::Workload;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use std::time::Duration;

/// The namespace of a release.
///
/// Errors: `InvalidInput` for one that no service may have.
pub(super) fn of(release: &Release) -> Result<String> {
    let name = match (&release.namespace, release.environment) {
        (Some(name), _) => name.to_string(),
        (None, EnvironmentName::Development) => release.service_name.to_string(),
        (None, other) => format!("{}-{other}", release.service_name),
    };
    if name == "default" || name.starts_with("kube-") {
        return Err(Error::invalid("choose namespace", format!("the namespace {name} is the cluster's own")).with_hint("choose another with --namespace"));
    }
    Ok(names::cut(&name, 63))
}

/// What is known of a namespace.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) created_by_kiwi: bool,
    pub(super) pod_security: Option<String>,
}

/// The namespaces that hold a workload: one, or two while it moves.
pub(super) async fn find(client: &Client, workload: &Workload) -> Result<Vec<Found>> {
    let all = Api::<Namespace>::all(client.clone()).list(&ListParams::default().labels(&names::selector(workload))).await;
    let all = all.map_err(convert::cluster("find namespace"))?;
    Ok(all.items.into_iter().filter(|namespace| namespace.metadata.deletion_timestamp.is_none()).map(|namespace| found(&namespace)).collect())
}

fn found(namespace: &Namespace) -> Found {
    Found {
        name: namespace.name_any(),
        created_by_kiwi: namespace.annotations().contains_key(names::CREATED),
        pod_security: namespace.labels().get(names::POD_SECURITY).cloned(),
    }
}

/// Whether the workload may have the namespace: it is not there, or it is its own.
pub(super) async fn look(client: &Client, name: &str, workload: &Workload) -> Result<Option<Found>> {
    let Some(namespace) = Api::<Namespace>::all(client.clone()).get_opt(name).await.map_err(convert::cluster("find namespace"))? else { return Ok(None) };
    if namespace.metadata.deletion_timestamp.is_some() {
        return Err(Error::new(ErrorKind::Busy, "find namespace", format!("the namespace {name} is being removed"))
            .with_hint("wait until it is gone; `kubectl get namespace` shows what holds it up"));
    }
    let label = |key: &str| namespace.labels().get(key).map(String::as_str);
    if label(names::INSTALLATION) == Some(&workload.installation)
        && label(names::SERVICE_ID) == Some(workload.service.as_str())
        && label(names::ENVIRONMENT) == Some(workload.environment.as_str())
    {
        return Ok(Some(found(&namespace)));
    }
    let same = label(names::INSTALLATION) == Some(&workload.installation) && label(names::ENVIRONMENT) == Some(workload.environment.as_str());
    let owner = match (label(names::SERVICE), label(names::ENVIRONMENT)) {
        (Some(service), Some(environment)) if label(names::INSTALLATION) == Some(&workload.installation) => {
            format!("service {service} in {environment}")
        }
        (Some(service), _) => format!("service {service} of another Kiwi installation"),
        _ => "somebody else".to_owned(),
    };
    let taken = format!(
        "kubectl label --overwrite namespace {name} {}={} {}={} {}={}",
        names::INSTALLATION,
        workload.installation,
        names::SERVICE_ID,
        workload.service,
        names::ENVIRONMENT,
        workload.environment
    );
    let hint = match label(names::SERVICE) {
        // A service of this name was removed and its volumes were kept.
        Some(service) if same && service == workload.name.as_str() => format!(
            "a removed service of this name left its volumes in it: `kubectl delete namespace {name}` removes them; `{taken}` lets this service have them"
        ),
        Some(_) => "choose another with --namespace".to_owned(),
        None => format!("choose another with --namespace; an admin of the cluster can hand over an empty one: {taken}"),
    };
    Err(Error::new(ErrorKind::Conflict, "find namespace", format!("the namespace {name} belongs to {owner}")).with_hint(hint))
}

/// The namespace, made where it is missing.
pub(super) async fn ensure(client: &Client, name: &str, wanted: &Value, workload: &Workload) -> Result<Found> {
    if let Some(found) = look(client, name, workload).await? {
        return Ok(found);
    }
    let mut object = wanted.clone();
    mark_created(&mut object);
    objects::apply(client, &object, How::default()).await?;
    Ok(Found { name: name.to_owned(), created_by_kiwi: true, pod_security: object["metadata"]["labels"][names::POD_SECURITY].as_str().map(str::to_owned) })
}

/// Marks a namespace as one that Kiwi made, and may remove.
pub(super) fn mark_created(object: &mut Value) {
    object["metadata"]["annotations"] = json!({ names::CREATED: "true" });
}

/// Removes a namespace and waits until it is gone, so that its name is free again.
pub(super) async fn remove(client: &Client, name: &str) -> Result<()> {
    objects::remove(client, objects::NAMESPACE, "", name).await?;
    let api = Api::<Namespace>::all(client.clone());
    for _ in 0..600 {
        if api.get_opt(name).await.map_err(convert::cluster("remove namespace"))?.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(Error::new(ErrorKind::Timeout, "remove namespace", format!("the namespace {name} does not go away"))
        .with_hint(format!("`kubectl describe namespace {name}` names the finalizer that holds it up")))
}
