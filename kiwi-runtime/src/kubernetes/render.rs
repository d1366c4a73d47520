//! From a release to the objects of a cluster, as one pure function.

use super::accounts;
use super::names::{self, role};
use crate::variables;
use kiwi_core::domain::{ClusterSettings, ContainerName, Protocol, Release, ReleaseContainer, Strategy, Variable};
use kiwi_core::error::Result;
use kiwi_core::provider::{RegistryAccess, SecretValues, Workload};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How long a pod still serves after it was taken out of rotation, in seconds: every proxy of the cluster must have heard of it before
/// the program is told to end.
const LEAVE_SECONDS: u32 = 10;
/// A container without a port is well when it stays up this long.
const STEADY_SECONDS: u32 = 5;
/// Everything that objects are made from.
pub(super) struct Input<'a> {
    pub(super) workload: &'a Workload,
    pub(super) release: &'a Release,
    pub(super) namespace: &'a str,
    pub(super) secrets: &'a SecretValues,
    pub(super) registries: &'a [RegistryAccess],
    pub(super) cluster: &'a ClusterSettings,
    /// The user that each image names; none when its registry did not say.
    pub(super) users: &'a BTreeMap<ContainerName, String>,
    /// What runs: each container's specification with the revision that made its pods.
    pub(super) running: &'a BTreeMap<ContainerName, (String, u64)>,
    /// Whether containers that change in nothing are replaced too.
    pub(super) fresh: bool,
}

/// The objects of a release, in the order in which they are applied.
#[derive(Debug, Clone)]
pub(super) struct Rendered {
    pub(super) namespace: Value,
    /// With the values of secrets.
    pub(super) objects: Vec<Value>,
    /// Whether every pod keeps the restricted Pod Security Standard.
    pub(super) restricted: bool,
}

impl Input<'_> {
    pub(super) fn render(&self) -> Result<Rendered> {
        let containers = &self.release.containers;
        let restricted = containers.iter().all(|container| self.user(container).is_some());
        let pulls = self.pull_secret();
        let mut objects: Vec<Value> = pulls.iter().cloned().collect();
        let mut workloads = Vec::new();
        let mut routes = Vec::new();
        for container in containers {
            let variables = self.variables(container)?;
            let deployment = self.deployment(container, variables.as_ref(), pulls.is_some());
            objects.extend(variables);
            objects.extend(container.volumes.iter().map(|volume| self.claim(container, volume)));
            objects.extend(self.service(container));
            workloads.push(deployment);
            workloads.extend(self.disruption_budget(container));
            routes.extend(self.route(container));
        }
        objects.extend(workloads);
        objects.extend(routes);
        Ok(Rendered { namespace: self.namespace(restricted), objects, restricted })
    }

    /// The numeric user of a container's image, when it has one that is not root.
    fn user(&self, container: &ReleaseContainer) -> Option<u32> {
        accounts::plain(self.users.get(&container.name)?)
    }

    fn namespace(&self, restricted: bool) -> Value {
        let mut labels = names::labels(self.workload, role::STATE);
        labels.insert(names::ORGANIZATION.to_owned(), self.release.organization.to_string().into());
        labels.insert(names::POD_SECURITY.to_owned(), if restricted { "restricted" } else { "baseline" }.into());
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": self.namespace, "labels": labels } })
    }

    fn metadata(&self, name: &str, role: &str, container: Option<&ReleaseContainer>) -> Value {
        let mut labels = names::labels(self.workload, role);
        if let Some(container) = container {
            labels.insert(names::CONTAINER.to_owned(), container.name.as_str().into());
            labels.insert("app.kubernetes.io/component".to_owned(), container.name.as_str().into());
        }
        json!({ "name": name, "namespace": self.namespace, "labels": labels })
    }

    /// The variables of a container, in a Secret that never changes: its name is of its content, so that a rollback brings the content back.
    /// The name is of the ids of secrets, not of their values, which it must not give away.
    fn variables(&self, container: &ReleaseContainer) -> Result<Option<Value>> {
        let mut data = Map::new();
        let mut identity = String::new();
        for (name, variable) in &container.variables {
            let shown = match variable {
                Variable::Plain(value) => json!([name.as_str(), value]),
                Variable::Secret(id) => json!([name.as_str(), { "secret": id.as_str() }]),
            };
            identity.push_str(&shown.to_string());
            data.insert(name.to_string(), accounts::encoded(variables::value("render release", name, variable, self.secrets)?));
        }
        if let Some(port) = container.port
            && !data.contains_key("PORT")
        {
            // The convention of every platform: an application that reads it listens where it is probed.
            data.insert("PORT".to_owned(), accounts::encoded(&port.to_string()));
            identity.push_str(&json!(["PORT", port.to_string()]).to_string());
        }
        if data.is_empty() {
            return Ok(None);
        }
        let name = format!("{}-{}", container.name, &names::hash(identity)[..10]);
        let metadata = self.metadata(&name, role::VARIABLES, Some(container));
        Ok(Some(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "immutable": true, "data": data })))
    }

    /// Credentials for the registries of the release's images, and for no other.
    fn pull_secret(&self) -> Option<Value> {
        let used = self.registries.iter().filter(|access| self.release.containers.iter().any(|container| accounts::serves(access, &container.image)));
        accounts::secret(self.metadata(names::PULL, role::PULL, None), used)
    }

    fn deployment(&self, container: &ReleaseContainer, variables: Option<&Value>, pull: bool) -> Value {
        let rollout = self.release.rollout;
        let recreate = container.recreate_reason(rollout.strategy).is_some();
        let mut template = self.template(container, variables, pull);
        let specification = names::hash(template.to_string())[..16].to_owned();
        let kept = self.running.get(&container.name).filter(|(running, _)| *running == specification && !self.fresh);
        let revision = kept.map_or(self.release.revision, |(_, revision)| *revision);
        for label in [names::REVISION, "app.kubernetes.io/version"] {
            template["metadata"]["labels"][label] = revision.to_string().into();
        }
        let strategy = if recreate { json!({ "type": "Recreate" }) } else { rolling() };
        let mut metadata = self.metadata(container.name.as_str(), role::REPLICA, Some(container));
        metadata["annotations"] = json!({ names::REVISION: self.release.revision.to_string(), names::SPECIFICATION: specification });
        let mut spec = json!({
            "replicas": container.replicas.count(),
            // Kiwi's own history brings releases back; the cluster's only costs objects.
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": rollout.start_seconds.max(STEADY_SECONDS + 1) + LEAVE_SECONDS,
            "strategy": strategy,
            "selector": { "matchLabels": self.selector(container) },
            "template": template,
        });
        if container.port.is_none() {
            spec["minReadySeconds"] = STEADY_SECONDS.into();
        }
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec })
    }

    /// What a Deployment and a Service find pods by: it can never be changed, so nothing that changes is in it.
    fn selector(&self, container: &ReleaseContainer) -> Value {
        json!({ names::SERVICE_ID: self.workload.service.as_str(), names::ENVIRONMENT: self.workload.environment.as_str(), names::CONTAINER: container.name.as_str() })
    }

    /// A pod of a container, without the revision.
    fn template(&self, container: &ReleaseContainer, variables: Option<&Value>, pull: bool) -> Value {
        let mut labels = names::labels(self.workload, role::REPLICA);
        labels.insert(names::CONTAINER.to_owned(), container.name.as_str().into());
        json!({ "metadata": { "labels": labels }, "spec": self.pod(container, variables, pull) })
    }

    fn pod(&self, container: &ReleaseContainer, variables: Option<&Value>, pull: bool) -> Value {
        let rollout = self.release.rollout;
        let user = self.user(container);
        let mut main = json!({
            "name": container.name.as_str(),
            "image": container.image.exact(),
            "resources": {
                "requests": { "cpu": container.resources.cpu.request.as_str(), "memory": container.resources.memory.request.as_str() },
                "limits": { "cpu": container.resources.cpu.limit.as_str(), "memory": container.resources.memory.limit.as_str() },
            },
            "securityContext": security(user.is_some()),
            // The last lines of a container that ended say more than nothing.
            "terminationMessagePolicy": "FallbackToLogsOnError",
        });
        if let Some(variables) = variables {
            main["envFrom"] = json!([{ "secretRef": { "name": variables["metadata"]["name"] } }]);
        }
        if let Some(port) = container.port {
            main["ports"] = json!([{ "containerPort": port.number(), "protocol": "TCP" }]);
            let mut probe = match (&container.health, container.protocol) {
                (Some(path), Protocol::Http) => json!({ "httpGet": { "path": path.as_str(), "port": port.number() } }),
                _ => json!({ "tcpSocket": { "port": port.number() } }),
            };
            for (key, value) in [("periodSeconds", 1), ("timeoutSeconds", 3), ("failureThreshold", 3)] {
                probe[key] = value.into();
            }
            main["readinessProbe"] = probe;
            let leave = LEAVE_SECONDS.min(rollout.drain_seconds);
            if leave > 0 && container.recreate_reason(rollout.strategy).is_none() {
                main["lifecycle"] = json!({ "preStop": { "sleep": { "seconds": leave } } });
            }
        }
        let mut pod_security = json!({ "seccompProfile": { "type": "RuntimeDefault" } });
        if user.is_some() {
            pod_security["runAsNonRoot"] = true.into();
        }
        let mut pod = json!({
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": rollout.drain_seconds + rollout.stop_seconds,
        });
        if !container.volumes.is_empty() {
            let claims: Vec<_> = container.volumes.iter().map(|volume| (names::claim(&container.name, volume.mount_path.as_str()), volume)).collect();
            main["volumeMounts"] = claims.iter().map(|(name, volume)| json!({ "name": name, "mountPath": volume.mount_path.as_str() })).collect();
            pod["volumes"] = claims.iter().map(|(name, _)| json!({ "name": name, "persistentVolumeClaim": { "claimName": name } })).collect();
            if let Some(user) = user {
                // A new volume belongs to root: without its group, the image's user could not write.
                pod_security["fsGroup"] = user.into();
                pod_security["fsGroupChangePolicy"] = "OnRootMismatch".into();
            }
        }
        if pull {
            pod["imagePullSecrets"] = json!([{ "name": names::PULL }]);
        }
        pod["securityContext"] = pod_security;
        pod["containers"] = json!([main]);
        pod
    }

    fn service(&self, container: &ReleaseContainer) -> Option<Value> {
        let port = container.port?.number();
        Some(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.metadata(container.name.as_str(), role::REPLICA, Some(container)),
            "spec": {
                "type": "ClusterIP",
                "selector": self.selector(container),
                "ports": [{ "name": if container.protocol == Protocol::Tcp { "tcp" } else { "http" }, "port": port, "targetPort": port, "protocol": "TCP" }],
            },
        }))
    }

    fn claim(&self, container: &ReleaseContainer, volume: &kiwi_core::domain::Volume) -> Value {
        let mut spec = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": volume.size.as_str() } } });
        if let Some(class) = &self.cluster.storage_class {
            spec["storageClassName"] = class.as_str().into();
        }
        let name = names::claim(&container.name, volume.mount_path.as_str());
        json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": self.metadata(&name, role::REPLICA, Some(container)), "spec": spec })
    }

    /// With one replica a budget would only block the drain of its node.
    fn disruption_budget(&self, container: &ReleaseContainer) -> Option<Value> {
        (container.replicas.count() > 1).then(|| {
            json!({
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": self.metadata(container.name.as_str(), role::REPLICA, Some(container)),
                "spec": { "maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": { "matchLabels": self.selector(container) } },
            })
        })
    }

    fn route(&self, container: &ReleaseContainer) -> Option<Value> {
        let path = container.ingress_path.as_ref().filter(|_| is_routed(container))?.as_str();
        let port = container.port?.number();
        let metadata = self.metadata(container.name.as_str(), role::REPLICA, Some(container));
        let host = container.host.as_ref().map(|host| host.as_str());
        if let Some(gateway) = &self.cluster.gateway {
            let mut spec = json!({
                "parentRefs": [{ "namespace": gateway.namespace(), "name": gateway.name() }],
                "rules": [{
                    "matches": [{ "path": { "type": "PathPrefix", "value": path } }],
                    "backendRefs": [{ "name": container.name.as_str(), "port": port }],
                }],
            });
            if let Some(host) = host {
                spec["hostnames"] = json!([host]);
            }
            return Some(json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec }));
        }
        let backend = json!({ "service": { "name": container.name.as_str(), "port": { "number": port } } });
        let mut rule = json!({ "http": { "paths": [{ "path": path, "pathType": "Prefix", "backend": backend }] } });
        if let Some(host) = host {
            rule["host"] = host.into();
        }
        let mut spec = json!({ "rules": [rule] });
        if let Some(class) = &self.cluster.ingress_class {
            spec["ingressClassName"] = class.as_str().into();
        }
        Some(json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec }))
    }

    /// A pod with a container of the release that no Service selects.
    pub(super) fn candidate(&self, container: &ReleaseContainer, name: &str) -> Result<(Value, Vec<Value>)> {
        let (pulls, variables) = (self.pull_secret(), self.variables(container)?);
        let mut pod = self.pod(container, variables.as_ref(), pulls.is_some());
        pod["restartPolicy"] = "Never".into();
        let mut metadata = self.metadata(name, role::CANDIDATE, None);
        metadata["labels"][names::REVISION] = self.release.revision.to_string().into();
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod });
        Ok((pod, pulls.into_iter().chain(variables).collect()))
    }
}

/// Whether requests from outside reach a container.
pub(super) fn is_routed(container: &ReleaseContainer) -> bool {
    container.is_exposed() && container.protocol == Protocol::Http && container.ingress_path.is_some()
}

fn rolling() -> Value {
    json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } })
}

/// Restricted where the image runs as a numeric user that is not root; else what images made for root need is left to them.
pub(super) fn security(restricted: bool) -> Value {
    let mut context = json!({ "allowPrivilegeEscalation": false });
    if restricted {
        context["capabilities"] = json!({ "drop": ["ALL"] });
    }
    context
}

/// The same objects for people: values of secrets are not shown.
pub(super) fn masked(objects: &[Value]) -> Vec<Value> {
    let mut objects = objects.to_vec();
    for object in objects.iter_mut().filter(|object| object["kind"] == "Secret") {
        if let Some(data) = object["data"].as_object_mut() {
            data.values_mut().for_each(|value| *value = "***".into());
        }
    }
    objects
}

/// Whether a strategy leaves a gap, in words.
pub(super) fn reason(container: &ReleaseContainer, strategy: Strategy) -> &'static str {
    container.recreate_reason(strategy).unwrap_or("new replicas answer before old ones leave")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use k8s_openapi::api::{apps::v1 as apps, core::v1 as core, networking::v1 as networking, policy::v1 as policy};
    use kiwi_core::domain::{EnvironmentName, ImagePin, Replicas, Rollout, SecretId, Timestamp};

    fn container(name: &str, change: impl FnOnce(&mut ReleaseContainer)) -> ReleaseContainer {
        let mut container = ReleaseContainer {
            name: name.parse().unwrap(),
            image: ImagePin::Registry {
                reference: format!("registry.example.com/team/{name}:1").parse().unwrap(),
                digest: format!("sha256:{}", "a".repeat(64)).parse().unwrap(),
                registry: Some("hub".parse().unwrap()),
            },
            port: Some(8080.try_into().unwrap()),
            protocol: Protocol::Http,
            health: Some("/healthz".parse().unwrap()),
            variables: [("LOG".parse().unwrap(), Variable::Plain("info".to_owned())), ("TOKEN".parse().unwrap(), Variable::Secret(secret()))].into(),
            volumes: Vec::new(),
            ingress_path: Some("/".parse().unwrap()),
            is_internal: false,
            host: Some("shop.example.com".parse().unwrap()),
            publish: None,
            replicas: Replicas::TWO,
            resources: EnvironmentName::Production.resources(),
        };
        change(&mut container);
        container
    }

    fn secret() -> SecretId {
        serde_json::from_value("01k00000000000000000000000".into()).unwrap()
    }

    struct World {
        workload: Workload,
        release: Release,
        secrets: SecretValues,
        registries: Vec<RegistryAccess>,
        cluster: ClusterSettings,
        users: BTreeMap<ContainerName, String>,
        running: BTreeMap<ContainerName, (String, u64)>,
    }

    impl World {
        fn new(containers: Vec<ReleaseContainer>) -> Self {
            let service = serde_json::from_value("01k00000000000000000000001".into()).unwrap();
            let workload =
                Workload { installation: "0123456789abcdef".to_owned(), service, name: "shop".parse().unwrap(), environment: EnvironmentName::Production };
            let release = Release {
                service: workload.service.clone(),
                service_name: workload.name.clone(),
                organization: Default::default(),
                environment: workload.environment,
                revision: 7,
                commit: None,
                built_by: None,
                runtime: "prod".parse().unwrap(),
                namespace: None,
                containers,
                release_command: None,
                rollout: Rollout { strategy: Strategy::Rolling, drain_seconds: 30, stop_seconds: 10, start_seconds: 60 },
                created_at: Timestamp::now(),
            };
            let hub = RegistryAccess {
                name: "hub".parse().unwrap(),
                address: "registry.example.com".parse().unwrap(),
                credentials: Some(("ci".to_owned(), "p?ssw>rd~1".into())),
                insecure: false,
            };
            let other = RegistryAccess { name: "other".parse().unwrap(), address: "other.example.com".parse().unwrap(), ..hub.clone() };
            Self {
                users: release.containers.iter().map(|container| (container.name.clone(), "10001:10001".to_owned())).collect(),
                workload,
                release,
                secrets: [(secret(), "hunter22".into())].into(),
                registries: vec![hub, other],
                cluster: ClusterSettings::default(),
                running: BTreeMap::new(),
            }
        }

        fn render(&self, fresh: bool) -> Rendered {
            let Self { workload, release, secrets, registries, cluster, users, running } = self;
            Input { workload, release, namespace: "shop-production", secrets, registries, cluster, users, running, fresh }.render().unwrap()
        }
    }

    fn of<'r>(rendered: &'r Rendered, kind: &str, name: &str) -> &'r Value {
        rendered.objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name).unwrap()
    }

    #[test]
    fn a_release_of_every_kind_of_container() {
        let volume = || kiwi_core::domain::Volume { mount_path: "/var/lib/data".parse().unwrap(), size: "10Gi".parse().unwrap() };
        let world = World::new(vec![
            container("web", |_| {}),
            container("db", |db| {
                (db.protocol, db.health, db.is_internal, db.ingress_path, db.host) = (Protocol::Tcp, None, true, None, None);
                (db.volumes, db.replicas) = (vec![volume()], Replicas::ONE);
            }),
            container("worker", |worker| (worker.port, worker.health, worker.ingress_path, worker.variables) = (None, None, None, Default::default())),
        ]);
        let rendered = world.render(false);
        insta::assert_snapshot!(serde_json::to_string_pretty(&json!({ "namespace": rendered.namespace, "objects": masked(&rendered.objects) })).unwrap());
        // Nothing that a cluster would call unknown, or would read otherwise than it was meant.
        for object in &rendered.objects {
            let read = |text: &str| -> Value {
                let object = object.clone();
                match text {
                    "Secret" => serde_json::to_value(serde_json::from_value::<core::Secret>(object).unwrap()),
                    "Service" => serde_json::to_value(serde_json::from_value::<core::Service>(object).unwrap()),
                    "PersistentVolumeClaim" => serde_json::to_value(serde_json::from_value::<core::PersistentVolumeClaim>(object).unwrap()),
                    "Deployment" => serde_json::to_value(serde_json::from_value::<apps::Deployment>(object).unwrap()),
                    "PodDisruptionBudget" => serde_json::to_value(serde_json::from_value::<policy::PodDisruptionBudget>(object).unwrap()),
                    "Ingress" => serde_json::to_value(serde_json::from_value::<networking::Ingress>(object).unwrap()),
                    other => panic!("{other}"),
                }
                .unwrap()
            };
            assert_eq!(&read(object["kind"].as_str().unwrap()), object);
        }
        assert!(!serde_json::to_string(&masked(&rendered.objects)).unwrap().contains(&base64::engine::general_purpose::STANDARD.encode("hunter22")));
        let pull = String::from_utf8(
            base64::engine::general_purpose::STANDARD.decode(of(&rendered, "Secret", names::PULL)["data"][".dockerconfigjson"].as_str().unwrap()).unwrap(),
        );
        assert!(
            pull.as_ref().unwrap().contains("registry.example.com") && !pull.unwrap().contains("other.example.com"),
            "credentials of other registries stay away"
        );
    }

    #[test]
    fn what_does_not_change_keeps_its_pods() {
        let mut world = World::new(vec![container("web", |_| {})]);
        let first = world.render(false);
        let made = of(&first, "Deployment", "web");
        let revision = |object: &Value| object["spec"]["template"]["metadata"]["labels"][names::REVISION].as_str().unwrap().to_owned();
        let specification = made["metadata"]["annotations"][names::SPECIFICATION].as_str().unwrap().to_owned();
        world.running.insert("web".parse().unwrap(), (specification, 7));
        world.release.revision = 8;
        assert_eq!(revision(of(&world.render(false), "Deployment", "web")), "7", "nothing changed");
        assert_eq!(revision(of(&world.render(true), "Deployment", "web")), "8", "a restart replaces what did not change");
        world.release.containers[0].replicas = Replicas::ONE;
        assert_eq!(revision(of(&world.render(false), "Deployment", "web")), "7", "scaling makes no new pods of the old ones");
        world.release.containers[0].variables.insert("LOG".parse().unwrap(), Variable::Plain("debug".to_owned()));
        assert_eq!(revision(of(&world.render(false), "Deployment", "web")), "8", "a variable does");
    }

    #[test]
    fn the_name_of_a_secret_is_of_ids_and_not_of_values() {
        let mut world = World::new(vec![container("web", |_| {})]);
        let name = |world: &World| world.render(false).objects.iter().find(|object| object["type"] == "Opaque").unwrap()["metadata"]["name"].clone();
        let before = name(&world);
        world.secrets.insert(secret(), "another".into());
        assert_eq!(name(&world), before, "a name that followed the value would give it away");
        world.release.containers[0].variables.insert("LOG".parse().unwrap(), Variable::Plain("debug".to_owned()));
        assert_ne!(name(&world), before);
    }

    #[test]
    fn an_image_that_runs_as_root_or_does_not_say_gets_the_baseline() {
        let mut world = World::new(vec![container("web", |_| {}), container("db", |_| {})]);
        assert!(world.render(false).restricted);
        for user in ["0", "root", "app", "", "0:0"] {
            world.users.insert("db".parse().unwrap(), user.to_owned());
            let rendered = world.render(false);
            assert!(!rendered.restricted, "{user}");
            assert_eq!(rendered.namespace["metadata"]["labels"][names::POD_SECURITY], "baseline");
            assert_eq!(of(&rendered, "Deployment", "web")["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"], true, "the other keeps its own");
        }
        world.users.clear();
        assert!(!world.render(false).restricted);
    }

    #[test]
    fn routes_are_attached_to_the_gateway_where_there_is_one() {
        let mut world = World::new(vec![container("web", |_| {}), container("inner", |inner| inner.is_internal = true)]);
        world.cluster.gateway = Some("infra/public".parse().unwrap());
        let rendered = world.render(false);
        insta::assert_snapshot!(serde_json::to_string_pretty(&of(&rendered, "HTTPRoute", "web")["spec"]).unwrap());
        assert_eq!(rendered.objects.iter().filter(|object| object["kind"] == "HTTPRoute" || object["kind"] == "Ingress").count(), 1);
    }
}
