//! Applying and removing objects of the kinds that Kiwi makes, and of no other.

use super::{convert, names};
use kiwi_core::error::{Error, ErrorKind, Result};
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PropagationPolicy};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) group: &'static str,
    version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
}

pub(super) const fn kind(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind { group, version, kind, plural }
}

pub(super) const NAMESPACE: Kind = kind("", "v1", "Namespace", "namespaces");
pub(super) const CONFIG_MAP: Kind = kind("", "v1", "ConfigMap", "configmaps");
pub(super) const SECRET: Kind = kind("", "v1", "Secret", "secrets");
pub(super) const SERVICE: Kind = kind("", "v1", "Service", "services");
pub(super) const CLAIM: Kind = kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
pub(super) const POD: Kind = kind("", "v1", "Pod", "pods");
pub(super) const DEPLOYMENT: Kind = kind("apps", "v1", "Deployment", "deployments");
pub(super) const JOB: Kind = kind("batch", "v1", "Job", "jobs");
pub(super) const BUDGET: Kind = kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
pub(super) const INGRESS: Kind = kind("networking.k8s.io", "v1", "Ingress", "ingresses");
pub(super) const ROUTE: Kind = kind("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes");

/// What a release may consist of. What is not in it is never pruned; claims are not in it, because they hold data.
pub(super) const PRUNED: [Kind; 6] = [ROUTE, INGRESS, BUDGET, DEPLOYMENT, SERVICE, SECRET];
const ALL: [Kind; 12] = [NAMESPACE, CONFIG_MAP, SECRET, SERVICE, CLAIM, POD, DEPLOYMENT, JOB, BUDGET, INGRESS, ROUTE, super::rbac::ROLE_BINDING];

impl Kind {
    fn resource(self) -> ApiResource {
        let api_version = if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) };
        ApiResource { group: self.group.to_owned(), version: self.version.to_owned(), api_version, kind: self.kind.to_owned(), plural: self.plural.to_owned() }
    }

    pub(super) fn api(self, client: &Client, namespace: &str) -> Api<DynamicObject> {
        if self == NAMESPACE || namespace.is_empty() {
            Api::all_with(client.clone(), &self.resource())
        } else {
            Api::namespaced_with(client.clone(), namespace, &self.resource())
        }
    }
}

/// The kind of this name, if Kiwi makes such.
pub(super) fn of_name(name: &str) -> Option<Kind> {
    ALL.into_iter().find(|kind| kind.kind == name)
}

fn kind_of(object: &Value) -> Result<Kind> {
    let name = object["kind"].as_str().unwrap_or_default();
    of_name(name).ok_or_else(|| Error::new(ErrorKind::Internal, "apply object", format!("{name} is no kind that Kiwi makes")))
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"][key].as_str().unwrap_or_default()
}

/// How an object is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct How {
    /// Takes fields over that others manage.
    pub(super) force: bool,
    /// Only asks whether it would work.
    pub(super) dry_run: bool,
}

/// Applies one object as the field manager `kiwi`, with strict validation.
pub(super) async fn apply(client: &Client, object: &Value, how: How) -> Result<DynamicObject> {
    let kind = kind_of(object)?;
    let mut parameters = PatchParams::apply(names::MANAGER).validation_strict();
    parameters.force = how.force;
    parameters.dry_run = how.dry_run;
    let name = text(object, "name");
    let applied = kind.api(client, text(object, "namespace")).patch(name, &parameters, &Patch::Apply(object)).await;
    applied.map_err(|error| {
        let owners = convert::owners(&error);
        if owners.is_empty() {
            let error = convert::cluster("apply release")(error);
            return Error::new(error.kind(), "apply release", format!("{} {name}: {}", kind.kind, error.message())).with_hint(error.hint().to_owned());
        }
        let message = format!("{} {name} has fields that somebody else manages: {}", kind.kind, owners.join(", "));
        Error::new(ErrorKind::Conflict, "apply release", message).with_hint("undo the change there, or take the fields back with `kiwi restart`")
    })
}

/// Removes one object; that it is gone already is no error.
pub(super) async fn remove(client: &Client, kind: Kind, namespace: &str, name: &str) -> Result<bool> {
    // In the background is the default of most kinds, but not of Jobs, whose pods would stay.
    let parameters = DeleteParams { propagation_policy: Some(PropagationPolicy::Background), ..DeleteParams::default() };
    match kind.api(client, namespace).delete(name, &parameters).await {
        Ok(_) => Ok(true),
        Err(error) if convert::code(&error) == Some(404) => Ok(false),
        Err(error) => Err(convert::cluster("remove object")(error)),
    }
}

/// Every object of a kind that a selector finds; none where the cluster does not have the kind.
pub(super) async fn list(client: &Client, kind: Kind, namespace: &str, selector: &str) -> Result<Vec<DynamicObject>> {
    match kind.api(client, namespace).list(&ListParams::default().labels(selector)).await {
        Ok(found) => Ok(found.items),
        // Without the Gateway API there are no routes.
        Err(error) if convert::code(&error) == Some(404) => Ok(Vec::new()),
        Err(error) => Err(convert::cluster("list objects")(error)),
    }
}

/// Removes every object of a workload in the namespace that is not among `keep`. Answers what was removed.
pub(super) async fn prune(client: &Client, namespace: &str, selector: &str, keep: &[Value]) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    let lists = futures_util::future::try_join_all(PRUNED.iter().map(|kind| list(client, *kind, namespace, selector))).await?;
    for (kind, found) in PRUNED.into_iter().zip(lists) {
        for object in found {
            let name = object.name_any();
            let kept = keep.iter().any(|keep| keep["kind"] == kind.kind && text(keep, "name") == name);
            // Tasks and builds bring their own Secrets, which leave with them.
            let ours = !object.labels().contains_key(names::RUN);
            if !kept && ours && remove(client, kind, namespace, &name).await? {
                removed.push(format!("{} {name}", kind.kind));
            }
        }
    }
    Ok(removed)
}
