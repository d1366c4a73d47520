//! What Kiwi looks at in a cluster: a few fields of each object, so that watching a thousand services stays small.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ContainerStatus, Event, PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use std::collections::BTreeMap;
use std::time::Duration;

use super::names;

/// One namespace at one moment. Ages are relative to that moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Namespace {
    pub(super) deployments: BTreeMap<String, DeploymentView>,
    pub(super) replica_sets: BTreeMap<String, ReplicaSetView>,
    pub(super) pods: BTreeMap<String, PodView>,
    pub(super) claims: BTreeMap<String, ClaimView>,
    pub(super) events: Vec<EventView>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) kind: String,
    pub(super) status: bool,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) since: Option<Timestamp>,
    pub(super) age: Duration,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DeploymentView {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) generation: i64,
    pub(super) observed_generation: i64,
    /// The cluster's own count of templates.
    pub(super) revision: String,
    pub(super) wanted: u32,
    pub(super) updated: u32,
    pub(super) replicas: u32,
    pub(super) available: u32,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ReplicaSetView {
    pub(super) uid: String,
    pub(super) owner: String,
    pub(super) revision: String,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PodView {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) owner: String,
    pub(super) role: String,
    pub(super) container: String,
    /// The revision of the release that made it.
    pub(super) revision: u64,
    pub(super) created: Option<Timestamp>,
    pub(super) age: Duration,
    pub(super) deleting: bool,
    pub(super) phase: String,
    pub(super) reason: Option<String>,
    pub(super) ready: bool,
    /// The scheduler's message, and since when it says so.
    pub(super) unschedulable: Option<(String, Duration)>,
    pub(super) unschedulable_since: Option<Timestamp>,
    pub(super) containers: Vec<ContainerView>,
    pub(super) claims: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ContainerView {
    pub(super) name: String,
    pub(super) running: bool,
    pub(super) restarts: u32,
    pub(super) waiting: Option<Waiting>,
    pub(super) terminated: Option<Ended>,
    pub(super) last_terminated: Option<Ended>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) reason: String,
    pub(super) message: String,
    /// When this watcher first saw it: the cluster keeps no time.
    pub(super) since: Option<Timestamp>,
    pub(super) age: Duration,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) exit_code: i32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClaimView {
    pub(super) name: String,
    pub(super) phase: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EventView {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) warning: bool,
    pub(super) age: Duration,
}

impl DeploymentView {
    pub(super) fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}

impl ReplicaSetView {
    pub(super) fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}

impl Namespace {
    /// The same, with ages as of `now`.
    pub(super) fn at(mut self, now: Timestamp) -> Self {
        let age = |since: Option<Timestamp>| since.map_or(Duration::ZERO, |since| Duration::try_from(now.duration_since(since)).unwrap_or_default());
        let conditions = |all: &mut Vec<Condition>| all.iter_mut().for_each(|condition| condition.age = age(condition.since));
        self.deployments.values_mut().for_each(|view| conditions(&mut view.conditions));
        self.replica_sets.values_mut().for_each(|view| conditions(&mut view.conditions));
        for pod in self.pods.values_mut() {
            pod.age = age(pod.created);
            if let Some((_, since)) = &mut pod.unschedulable {
                *since = age(pod.unschedulable_since);
            }
            for waiting in pod.containers.iter_mut().filter_map(|container| container.waiting.as_mut()) {
                waiting.age = age(waiting.since);
            }
        }
        self
    }
}

fn uid(metadata: &ObjectMeta) -> String {
    metadata.uid.clone().unwrap_or_default()
}

fn owner(metadata: &ObjectMeta) -> String {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone()).unwrap_or_default()
}

fn revision(metadata: &ObjectMeta) -> String {
    metadata.annotations.as_ref().and_then(|all| all.get("deployment.kubernetes.io/revision").cloned()).unwrap_or_default()
}

fn count(number: Option<i32>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

fn condition(kind: &str, status: &str, reason: Option<String>, message: Option<String>, since: Option<Time>) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: status == "True",
        reason: reason.unwrap_or_default(),
        message: message.unwrap_or_default(),
        since: since.map(|time| time.0),
        age: Duration::ZERO,
    }
}

impl From<&Deployment> for DeploymentView {
    fn from(object: &Deployment) -> Self {
        let status = object.status.clone().unwrap_or_default();
        Self {
            name: object.name_any(),
            uid: uid(&object.metadata),
            generation: object.metadata.generation.unwrap_or(0),
            observed_generation: status.observed_generation.unwrap_or(0),
            revision: revision(&object.metadata),
            wanted: object.spec.as_ref().and_then(|spec| spec.replicas).map_or(1, |replicas| count(Some(replicas))),
            updated: count(status.updated_replicas),
            replicas: count(status.replicas),
            available: count(status.available_replicas),
            conditions: status
                .conditions
                .unwrap_or_default()
                .into_iter()
                .map(|c| condition(&c.type_, &c.status, c.reason, c.message, c.last_transition_time))
                .collect(),
        }
    }
}

impl From<&ReplicaSet> for ReplicaSetView {
    fn from(object: &ReplicaSet) -> Self {
        let conditions = object.status.clone().and_then(|status| status.conditions).unwrap_or_default();
        Self {
            uid: uid(&object.metadata),
            owner: owner(&object.metadata),
            revision: revision(&object.metadata),
            conditions: conditions.into_iter().map(|c| condition(&c.type_, &c.status, c.reason, c.message, c.last_transition_time)).collect(),
        }
    }
}

impl PodView {
    /// A view of `pod` that remembers what `before` saw: since when it waits, and the first message of a pull, which later ones hide.
    pub(super) fn new(pod: &Pod, before: Option<&Self>, now: Timestamp) -> Self {
        let status = pod.status.clone().unwrap_or_default();
        let conditions = status.conditions.clone().unwrap_or_default();
        let scheduled = conditions.iter().find(|c| c.type_ == "PodScheduled" && c.status == "False" && c.reason.as_deref() == Some("Unschedulable"));
        let label = |name: &str| pod.labels().get(name).cloned().unwrap_or_default();
        let all = status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
        let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
        Self {
            name: pod.name_any(),
            uid: uid(&pod.metadata),
            owner: owner(&pod.metadata),
            role: label(names::ROLE),
            container: label(names::CONTAINER),
            revision: label(names::REVISION).parse().unwrap_or(0),
            created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            age: Duration::ZERO,
            deleting: pod.metadata.deletion_timestamp.is_some(),
            phase: status.phase.clone().unwrap_or_default(),
            reason: status.reason.clone(),
            ready: conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True"),
            unschedulable: scheduled.map(|c| (c.message.clone().unwrap_or_default(), Duration::ZERO)),
            unschedulable_since: scheduled.and_then(|c| c.last_transition_time.as_ref()).map(|time| time.0),
            containers: all.map(|status| ContainerView::new(status, before.and_then(|before| before.container(&status.name)), now)).collect(),
            claims: volumes.into_iter().flatten().filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.clone())).collect(),
        }
    }

    pub(super) fn container(&self, name: &str) -> Option<&ContainerView> {
        self.containers.iter().find(|container| container.name == name)
    }
}

impl ContainerView {
    fn new(status: &ContainerStatus, before: Option<&Self>, now: Timestamp) -> Self {
        let state = status.state.clone().unwrap_or_default();
        let ended = |ended: k8s_openapi::api::core::v1::ContainerStateTerminated| Ended {
            reason: ended.reason.unwrap_or_default(),
            message: ended.message.unwrap_or_default(),
            exit_code: ended.exit_code,
        };
        let waiting = state.waiting.map(|waiting| {
            let reason = waiting.reason.unwrap_or_default();
            let message = waiting.message.unwrap_or_default();
            let earlier = before.and_then(|before| before.waiting.as_ref()).filter(|earlier| family(&earlier.reason) == family(&reason));
            match earlier {
                // "Back-off pulling image" says less than what came first.
                Some(earlier) if reason == "ImagePullBackOff" && !earlier.message.is_empty() && !message.contains(": ") => {
                    Waiting { reason, message: earlier.message.clone(), since: earlier.since, age: Duration::ZERO }
                }
                Some(earlier) => Waiting { reason, message, since: earlier.since, age: Duration::ZERO },
                None => Waiting { reason, message, since: Some(now), age: Duration::ZERO },
            }
        });
        Self {
            name: status.name.clone(),
            running: state.running.is_some(),
            restarts: count(Some(status.restart_count)),
            waiting,
            terminated: state.terminated.map(ended),
            last_terminated: status.last_state.clone().and_then(|last| last.terminated).map(ended),
        }
    }
}

/// Reasons that alternate while one thing is wrong.
fn family(reason: &str) -> &str {
    match reason {
        "ErrImagePull" | "ImagePullBackOff" => "pull",
        other => other,
    }
}

impl From<&PersistentVolumeClaim> for ClaimView {
    fn from(object: &PersistentVolumeClaim) -> Self {
        Self { name: object.name_any(), phase: object.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default() }
    }
}

impl EventView {
    pub(super) fn new(event: &Event, now: Timestamp) -> Self {
        let last = event.last_timestamp.as_ref().map(|time| time.0).or_else(|| event.event_time.as_ref().map(|time| time.0));
        Self {
            kind: event.involved_object.kind.clone().unwrap_or_default(),
            name: event.involved_object.name.clone().unwrap_or_default(),
            reason: event.reason.clone().unwrap_or_default(),
            message: event.message.clone().unwrap_or_default(),
            warning: event.type_.as_deref() == Some("Warning"),
            age: last.map_or(Duration::ZERO, |last| Duration::try_from(now.duration_since(last)).unwrap_or_default()),
        }
    }
}
