//! What Kiwi may do in a cluster: the rules as data, as manifests, and as a check.
//!
//! Two roles keep it least: one for the whole cluster, which reads no Secret, and one for the namespaces of services, which Kiwi binds to itself in
//! each namespace that it makes.

use super::client::Cluster;
use super::convert;
use super::names::{self, role};
use super::objects::{self, How, Kind};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kiwi_core::domain::ClusterSettings;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::CheckItem;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use std::time::Duration;

/// The role of the whole cluster.
const CLUSTER_ROLE: &str = "kiwi";
/// The role of one namespace.
const WORKLOAD_ROLE: &str = "kiwi-workload";
/// Where Kiwi itself is taken to run.
const HOME: &str = "kiwi";

/// So many permissions are asked for at once: one after the other, a hundred round trips would add up.
const AT_ONCE: usize = 16;

/// Verbs on resources of a group, as a rule of RBAC has them.
type Rule = (&'static str, &'static [&'static str], &'static [&'static str]);

/// For the whole cluster: the namespaces, what is watched over all of them, and routes that others may have claimed.
const CLUSTER: [Rule; 8] = [
    ("", &["namespaces"], &["get", "list", "create", "patch", "delete"]),
    ("", &["pods", "persistentvolumeclaims"], &["list", "watch"]),
    ("", &["nodes"], &["list"]),
    ("apps", &["deployments", "replicasets"], &["list", "watch"]),
    ("batch", &["jobs"], &["list"]),
    ("networking.k8s.io", &["ingresses"], &["list"]),
    ("gateway.networking.k8s.io", &["httproutes"], &["list"]),
    ("rbac.authorization.k8s.io", &["rolebindings"], &["get", "create", "patch"]),
];

/// For each namespace of a service, and for that of builds.
const WORKLOAD: [Rule; 10] = [
    ("", &["configmaps", "secrets", "services", "persistentvolumeclaims"], &["get", "list", "create", "patch", "delete"]),
    ("", &["pods"], &["get", "list", "create", "patch", "delete"]),
    ("", &["pods/log"], &["get"]),
    // A WebSocket is asked for by GET, which clusters before 1.35 take for `get` alone (https://github.com/kubernetes/kubernetes/issues/133515).
    ("", &["pods/portforward", "pods/exec"], &["get", "create"]),
    ("", &["events"], &["list"]),
    ("apps", &["deployments"], &["get", "list", "create", "patch", "delete"]),
    ("batch", &["jobs"], &["get", "list", "create", "patch", "delete"]),
    ("policy", &["poddisruptionbudgets"], &["get", "list", "create", "patch", "delete"]),
    ("networking.k8s.io", &["ingresses"], &["get", "list", "create", "patch", "delete"]),
    ("coordination.k8s.io", &["leases"], &["get", "create", "update"]),
];

/// Routes where the Gateway API is used.
const GATEWAY: Rule = ("gateway.networking.k8s.io", &["httproutes"], &["get", "list", "create", "patch", "delete"]);

fn rules(list: &[Rule]) -> Vec<Value> {
    list.iter().map(|(group, resources, verbs)| json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })).collect()
}

/// The manifests that grant exactly what Kiwi needs, to a service account of its own.
pub(super) fn manifests(settings: &ClusterSettings) -> Vec<Value> {
    let api = "rbac.authorization.k8s.io/v1";
    let account = json!({ "kind": "ServiceAccount", "name": "kiwi", "namespace": HOME });
    let role = |name: &str| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name });
    let mut of_cluster = rules(&CLUSTER);
    of_cluster.push(json!({ "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "resourceNames": [WORKLOAD_ROLE], "verbs": ["bind"] }));
    let mut of_workload = rules(&WORKLOAD);
    of_workload.extend(rules(&[GATEWAY]));
    let builds = build_namespace_of(settings);
    vec![
        // Kiwi itself needs nothing that the strictest standard forbids.
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": HOME, "labels": { names::POD_SECURITY: "restricted" } } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "kiwi", "namespace": HOME } }),
        json!({ "apiVersion": api, "kind": "ClusterRole", "metadata": { "name": CLUSTER_ROLE }, "rules": of_cluster }),
        json!({ "apiVersion": api, "kind": "ClusterRole", "metadata": { "name": WORKLOAD_ROLE }, "rules": of_workload }),
        json!({ "apiVersion": api, "kind": "ClusterRoleBinding", "metadata": { "name": CLUSTER_ROLE }, "roleRef": role(CLUSTER_ROLE), "subjects": [account] }),
        build_namespace_object(builds),
        json!({
            "apiVersion": api, "kind": "RoleBinding", "metadata": { "name": "kiwi", "namespace": builds }, "roleRef": role(WORKLOAD_ROLE), "subjects": [account],
        }),
    ]
}

fn build_namespace_of(settings: &ClusterSettings) -> &str {
    settings.build_namespace.as_ref().map_or(ClusterSettings::BUILD_NAMESPACE, |name| name.as_str())
}

/// Kaniko runs as root, without privileges: what the baseline standard allows.
fn build_namespace_object(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": name, "labels": { names::MANAGED_BY: names::MANAGER, names::ROLE: role::BUILD, names::POD_SECURITY: "baseline" } },
    })
}

/// The namespace of builds, made where it is missing.
pub(super) async fn build_namespace(cluster: &Cluster) -> Result<String> {
    let client = cluster.client().await?;
    let name = build_namespace_of(cluster.settings());
    let found = Api::<k8s_openapi::api::core::v1::Namespace>::all(client.clone()).get_opt(name).await.map_err(convert::cluster("find namespace"))?;
    match found {
        Some(found) if found.metadata.labels.as_ref().and_then(|labels| labels.get(names::MANAGED_BY)).map(String::as_str) == Some(names::MANAGER) => {
            if found.metadata.labels.as_ref().and_then(|labels| labels.get(names::POD_SECURITY)).map(String::as_str) == Some("restricted") {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "plan build",
                    format!("the namespace {name} enforces the restricted Pod Security Standard, under which Kaniko cannot build"),
                )
                .with_hint(format!("label it {}=baseline, or name another with --build-namespace", names::POD_SECURITY)));
            }
        }
        Some(_) => {
            return Err(Error::new(ErrorKind::Conflict, "plan build", format!("the namespace {name} is not Kiwi's")).with_hint(format!(
                "name another with --build-namespace, or label it {}={}",
                names::MANAGED_BY,
                names::MANAGER
            )));
        }
        None => drop(objects::apply(client, &build_namespace_object(name), How::default()).await?),
    }
    ensure(client, name).await?;
    Ok(name.to_owned())
}

/// Binds the role of namespaces to Kiwi itself where it may not work in one yet.
pub(super) async fn ensure(client: &Client, namespace: &str) -> Result<()> {
    let mine = Attributes { group: "", resource: "secrets", verb: "create", namespace, name: None };
    if mine.allowed(client).await? {
        return Ok(());
    }
    let me = Api::<SelfSubjectReview>::all(client.clone()).create(&PostParams::default(), &SelfSubjectReview::default()).await;
    let name = me.map_err(convert::cluster("find own account"))?.status.and_then(|status| status.user_info).and_then(|user| user.username).unwrap_or_default();
    let subject = match name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
        Some((namespace, account)) => json!({ "kind": "ServiceAccount", "namespace": namespace, "name": account }),
        None => json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }),
    };
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": { "name": "kiwi", "namespace": namespace, "labels": { names::MANAGED_BY: names::MANAGER } },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": WORKLOAD_ROLE },
        "subjects": [subject],
    });
    objects::apply(client, &binding, How::default()).await?;
    // The cluster's authorizer learns of it a moment later.
    for _ in 0..50 {
        if mine.allowed(client).await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Error::new(ErrorKind::Forbidden, "bind role", format!("the account {name} may not work in {namespace}"))
        .with_hint("apply the roles that `kiwi runtime rbac` prints"))
}

/// One thing that one may do or not.
#[derive(Debug, Clone, Copy)]
struct Attributes<'a> {
    group: &'a str,
    resource: &'a str,
    verb: &'a str,
    namespace: &'a str,
    name: Option<&'a str>,
}

impl Attributes<'_> {
    async fn allowed(self, client: &Client) -> Result<bool> {
        let (resource, subresource) = self.resource.split_once('/').map_or((self.resource, None), |(resource, sub)| (resource, Some(sub.to_owned())));
        let attributes = ResourceAttributes {
            group: Some(self.group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource,
            verb: Some(self.verb.to_owned()),
            namespace: Some(self.namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
            name: self.name.map(str::to_owned),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..SelfSubjectAccessReviewSpec::default() },
            ..SelfSubjectAccessReview::default()
        };
        let answer = Api::<SelfSubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await;
        Ok(answer.map_err(convert::cluster("check permissions"))?.status.is_some_and(|status| status.allowed))
    }

    fn text(self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        format!("{} {}{group}", self.verb, self.resource)
    }
}

async fn missing(client: &Client, list: &[Rule], namespace: &str) -> Result<Vec<String>> {
    let all: Vec<_> = list
        .iter()
        .flat_map(|(group, resources, verbs)| {
            resources.iter().flat_map(move |resource| verbs.iter().map(move |verb| Attributes { group, resource, verb, namespace, name: None }))
        })
        .collect();
    let mut lacking = Vec::new();
    for some in all.chunks(AT_ONCE) {
        let answers = futures_util::future::try_join_all(some.iter().map(|one| one.allowed(client))).await?;
        lacking.extend(some.iter().zip(answers).filter(|(_, allowed)| !allowed).map(|(one, _)| one.text()));
    }
    Ok(lacking)
}

/// One item for each permission that is missing, or one for all of them.
pub(super) async fn check(cluster: &Cluster) -> Result<Vec<CheckItem>> {
    let client = cluster.client().await?;
    let mut of_cluster = CLUSTER.to_vec();
    let mut of_workload = WORKLOAD.to_vec();
    if cluster.settings().gateway.is_some() {
        of_workload.push(GATEWAY);
    } else {
        of_cluster.retain(|(group, ..)| *group != GATEWAY.0);
    }
    let everywhere = missing(client, &of_workload, "").await?;
    let binds = Attributes { group: "rbac.authorization.k8s.io", resource: "clusterroles", verb: "bind", namespace: "", name: Some(WORKLOAD_ROLE) };
    let mut lacking = missing(client, &of_cluster, "").await?;
    let how = if everywhere.is_empty() {
        // An admin of the cluster binds nothing.
        lacking.retain(|text| !text.contains("rolebindings"));
        "in every namespace"
    } else if binds.allowed(client).await? && !lacking.iter().any(|text| text.contains("rolebindings")) {
        "in the namespaces that Kiwi makes, where it binds them to itself"
    } else {
        let all: usize = of_workload.iter().map(|(_, resources, verbs)| resources.len() * verbs.len()).sum();
        if everywhere.len() == all {
            // Who may do nothing anywhere is meant to bind the role of namespaces; each of its permissions would hide that.
            lacking.push(format!("{} {WORKLOAD_ROLE}", binds.text()));
        } else {
            lacking.extend(everywhere);
        }
        ""
    };
    lacking.sort();
    lacking.dedup();
    if lacking.is_empty() {
        return Ok(vec![CheckItem { name: "permissions".to_owned(), ok: true, detail: format!("all that are needed, {how}") }]);
    }
    let item = |text: String| CheckItem {
        name: "permission".to_owned(),
        ok: false,
        detail: format!("{text}: missing; `kiwi runtime rbac` prints the roles that grant it"),
    };
    Ok(lacking.into_iter().map(item).collect())
}

/// The kind that bindings are.
pub(super) const ROLE_BINDING: Kind = objects::kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings");
