//! What a rollout is about to become: a pure function over what the cluster says.
//!
//! Done is what `kubectl rollout status` calls done: the generation is observed, all replicas are updated and available, and no old replica
//! is left. Failure is told as soon as it is certain, long before a deadline: by the pods of the current ReplicaSet alone, because those of
//! an older one may well be the reason for this deployment.

use super::views::{ClaimView, ContainerView, DeploymentView, EventView, Namespace, PodView, ReplicaSetView};
use std::time::Duration;

/// An image that a registry does not have, or does not give, may appear within moments of its push.
const IMAGE_GRACE: Duration = Duration::from_secs(8);
/// A network may recover.
const NETWORK_GRACE: Duration = Duration::from_secs(60);
/// Secrets and volumes may be a moment late.
const OBJECT_GRACE: Duration = Duration::from_secs(10);
/// A node may be on its way; kstatus waits a little longer than this.
const SCHEDULE_GRACE: Duration = Duration::from_secs(12);
/// A new node takes some minutes on every cloud.
const SCALE_UP_GRACE: Duration = Duration::from_secs(600);
/// Attaching a volume takes this long on slow clouds.
const VOLUME_GRACE: Duration = Duration::from_secs(60);

/// Where a rollout stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Waiting(Progress),
    Failed(Trouble),
}

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) ready: u32,
    pub(super) wanted: u32,
    /// What is waited for.
    pub(super) what: String,
}

/// Why a rollout cannot succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) cause: Cause,
    /// What happened, with the cluster's own words.
    pub(super) message: String,
    /// The pod that shows it, and the container in it.
    pub(super) pod: Option<(String, String)>,
    /// How long the cluster has said so.
    pub(super) since: Duration,
}

/// The kinds of trouble, which decide what a person is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Cause {
    InvalidImageName,
    ImageMissing,
    ImageForbidden,
    RegistryUnreachable,
    ImageBroken,
    Configuration,
    CannotStart,
    Crash,
    OutOfMemory,
    ProbeFails,
    Unschedulable,
    Volume,
    /// A volume is held by a pod on another node.
    VolumeHeld,
    Quota,
    PodSecurity,
    Admission,
    Deadline,
    Gone,
}

impl Cause {
    /// What to do about it.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::InvalidImageName => "correct the image's name",
            Self::ImageMissing => "check the image's name and tag; was it deleted from the registry?",
            Self::ImageForbidden => "register the registry with `kiwi registry add`, and check its credentials with `kiwi registry check`",
            Self::RegistryUnreachable => "check that the cluster's nodes reach the registry: its name, network, proxy, and certificate",
            Self::ImageBroken => "the image cannot be run on this node; was it built for another architecture?",
            Self::Configuration => "somebody removed what the pod refers to; deploy again, which puts it back",
            Self::CannotStart => "check the image's entry point and command",
            Self::Crash => "read the last lines above; the same image may run elsewhere because of a variable that is missing here",
            Self::OutOfMemory => "give it more with `kiwi deploy --memory REQUEST:LIMIT`, or find out why it needs so much",
            Self::ProbeFails => "does the program listen on 0.0.0.0 at the service's port, and does its health path answer with 200 to 399?",
            Self::Unschedulable => "free or add nodes, or ask for less with `kiwi deploy --cpu` and `--memory`",
            Self::VolumeHeld => "a pod on another node holds the volume, which only one node may have; it is free when that pod is gone",
            Self::Volume => "look at the claim with `kubectl describe pvc`; does the cluster have a default storage class?",
            Self::Quota => "ask for less with `kiwi deploy --cpu`, `--memory` or `--replicas`, or have the namespace's quota raised",
            Self::PodSecurity => "have the image run as a numeric user that is not root, or choose a namespace that allows it",
            Self::Admission => "an admission policy of the cluster refuses the pods; its message says why",
            Self::Deadline => "look at the events above; give it more time with the service's start time",
            Self::Gone => "somebody removed it while it was rolled out; deploy again",
        }
    }
}

/// The verdict for one container of a release.
///
/// `uid` is that of the Deployment when its rollout began: a Deployment that was removed and made again is another one.
pub(super) fn classify(namespace: &Namespace, deployment: &str, uid: Option<&str>, started: Duration) -> Verdict {
    let gone = |message: &str| Verdict::Failed(Trouble { cause: Cause::Gone, message: message.to_owned(), pod: None, since: Duration::ZERO });
    let Some(live) = namespace.deployments.get(deployment) else {
        return if uid.is_some() { gone("the Deployment is gone") } else { waiting(0, 0, "the Deployment") };
    };
    if uid.is_some_and(|uid| uid != live.uid) {
        return gone("the Deployment was removed and made again by somebody else");
    }
    if live.observed_generation < live.generation {
        return waiting(0, live.wanted, "the cluster to see the new version");
    }
    if live.updated >= live.wanted && live.replicas <= live.updated && live.available >= live.updated && live.available >= live.wanted {
        return Verdict::Done;
    }
    if let Some(trouble) = trouble(namespace, live) {
        return Verdict::Failed(trouble);
    }
    if live.condition("Progressing").is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded") {
        return Verdict::Failed(deadline(namespace, live, started));
    }
    let what = if live.updated < live.wanted {
        "new pods"
    } else if live.available < live.updated {
        "new pods to answer"
    } else {
        "old pods to leave"
    };
    Verdict::Waiting(Progress {
        ready: live.available.min(live.updated),
        wanted: live.wanted,
        what: details(namespace, live).unwrap_or_else(|| what.to_owned()),
    })
}

fn waiting(ready: u32, wanted: u32, what: &str) -> Verdict {
    Verdict::Waiting(Progress { ready, wanted, what: what.to_owned() })
}

/// The ReplicaSet of the Deployment's present template.
fn current<'a>(namespace: &'a Namespace, deployment: &DeploymentView) -> Option<&'a ReplicaSetView> {
    namespace.replica_sets.values().find(|set| set.owner == deployment.uid && set.revision == deployment.revision && !set.revision.is_empty())
}

fn pods<'a>(namespace: &'a Namespace, set: &ReplicaSetView) -> Vec<&'a PodView> {
    let mut pods: Vec<_> = namespace.pods.values().filter(|pod| pod.owner == set.uid && !pod.deleting).collect();
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    pods
}

/// What is certain.
fn trouble(namespace: &Namespace, deployment: &DeploymentView) -> Option<Trouble> {
    let set = current(namespace, deployment)?;
    let pods = pods(namespace, set);
    // Pods that cannot even be made.
    let refused = set.condition("ReplicaFailure").or_else(|| deployment.condition("ReplicaFailure")).filter(|condition| condition.status);
    if let Some(condition) = refused.filter(|_| pods.len() < deployment.wanted as usize) {
        let lower = condition.message.to_lowercase();
        let cause = if lower.contains("exceeded quota") || lower.contains("must specify") {
            Cause::Quota
        } else if lower.contains("podsecurity") {
            Cause::PodSecurity
        } else {
            Cause::Admission
        };
        return Some(Trouble { cause, message: condition.message.clone(), pod: None, since: condition.age });
    }
    // Every new pod must be lost: one that is well, or may become so, can carry the rollout on.
    let verdicts: Vec<_> = pods.iter().map(|pod| self::pod(namespace, pod)).collect();
    if verdicts.is_empty() || verdicts.iter().any(Option::is_none) {
        return None;
    }
    verdicts.into_iter().flatten().min_by_key(|trouble| rank(trouble.cause))
}

/// What explains most comes first.
fn rank(cause: Cause) -> u8 {
    match cause {
        Cause::OutOfMemory => 0,
        Cause::Crash | Cause::CannotStart => 1,
        _ => 2,
    }
}

/// What keeps one pod from ever being well.
pub(super) fn pod(namespace: &Namespace, pod: &PodView) -> Option<Trouble> {
    // A node that went away is no fault of the pod; the ReplicaSet makes another.
    if matches!(pod.reason.as_deref(), Some("Evicted" | "Preempting" | "NodeShutdown" | "NodeLost")) {
        return None;
    }
    if pod.ready {
        return None;
    }
    if let Some((message, age)) = &pod.unschedulable {
        return unschedulable(namespace, pod, message, *age);
    }
    if let Some(found) = pod.containers.iter().find_map(|container| container_trouble(pod, container)) {
        return Some(found);
    }
    mount_trouble(namespace, pod)
}

fn container_trouble(pod: &PodView, container: &ContainerView) -> Option<Trouble> {
    let at = |cause: Cause, message: String, since: Duration| Some(Trouble { cause, message, pod: Some((pod.name.clone(), container.name.clone())), since });
    let ended = container.terminated.as_ref().or(container.last_terminated.as_ref());
    if let Some(ended) = ended.filter(|ended| ended.reason == "OOMKilled") {
        return at(Cause::OutOfMemory, format!("it was killed for want of memory (exit code {})", ended.exit_code), Duration::ZERO);
    }
    let crashed = |message: &str| {
        let exit = ended.map(|ended| format!(" (exit code {})", ended.exit_code)).unwrap_or_default();
        format!("it {message}{exit}")
    };
    if let Some(waiting) = &container.waiting {
        let words = |what: &str| format!("{what}: {}", waiting.message);
        match waiting.reason.as_str() {
            "InvalidImageName" => return at(Cause::InvalidImageName, words("the image's name is not legal"), waiting.age),
            "ErrImageNeverPull" => return at(Cause::ImageMissing, words("the image is not on the node"), waiting.age),
            "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "ImageInspectError" | "ErrSignatureValidationFailed" => {
                let (cause, what, grace) = image(&waiting.message);
                return if waiting.age >= grace { at(cause, words(what), waiting.age) } else { None };
            }
            "CreateContainerConfigError" if !waiting.message.contains("failed to sync") => {
                return if waiting.age >= OBJECT_GRACE { at(Cause::Configuration, words("the pod's configuration is incomplete"), waiting.age) } else { None };
            }
            "CreateContainerError" | "RunContainerError" => {
                return if waiting.age >= OBJECT_GRACE { at(Cause::CannotStart, words("the container cannot be started"), waiting.age) } else { None };
            }
            "CrashLoopBackOff" => {
                let cannot = ended.is_some_and(|ended| ended.reason == "StartError" || ended.reason == "ContainerCannotRun");
                if let Some(ended) = ended.filter(|_| cannot) {
                    let cause = if ended.message.contains("exec format error") { Cause::ImageBroken } else { Cause::CannotStart };
                    return at(cause, format!("the container cannot be started: {}", ended.message), waiting.age);
                }
                return at(Cause::Crash, crashed("ends again and again"), waiting.age);
            }
            _ => {}
        }
    }
    if container.restarts >= 3 {
        return at(Cause::Crash, crashed(&format!("was restarted {} times", container.restarts)), Duration::ZERO);
    }
    None
}

/// Which of a pull's failures a message tells, in words, and how long it may heal by itself.
fn image(message: &str) -> (Cause, &'static str, Duration) {
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["no match for platform", "no matching manifest", "exec format error"]) {
        (Cause::ImageBroken, "the image has nothing for the node's architecture", IMAGE_GRACE)
    } else if has(&["unauthorized", "denied", "authentication required", "no basic auth", "forbidden", "insufficient_scope"]) {
        (Cause::ImageForbidden, "the registry does not give the image", IMAGE_GRACE)
    } else if has(&["no such host", "connection refused", "i/o timeout", "timeout", "network is unreachable", "x509", "certificate", "http response to https"])
    {
        (Cause::RegistryUnreachable, "the registry cannot be reached", NETWORK_GRACE)
    } else if has(&["not found", "manifest unknown", "does not exist", "name unknown"]) {
        (Cause::ImageMissing, "there is no such image", IMAGE_GRACE)
    } else if has(&["toomanyrequests", "rate limit"]) {
        (Cause::ImageForbidden, "the registry's rate limit is used up", NETWORK_GRACE)
    } else {
        (Cause::ImageMissing, "the image cannot be pulled", NETWORK_GRACE)
    }
}

fn unschedulable(namespace: &Namespace, pod: &PodView, message: &str, age: Duration) -> Option<Trouble> {
    let claims: Vec<&ClaimView> = pod.claims.iter().filter_map(|name| namespace.claims.get(name)).filter(|claim| claim.phase != "Bound").collect();
    let about_volumes = message.contains("PersistentVolumeClaim") || message.contains("persistentvolumeclaim") || message.contains("volume node affinity");
    if about_volumes {
        if age < OBJECT_GRACE {
            return None;
        }
        let why = claims.first().and_then(|claim| claim_event(namespace, &claim.name)).unwrap_or_else(|| message.to_owned());
        let names: Vec<_> = claims.iter().map(|claim| claim.name.as_str()).collect();
        let what = if names.is_empty() { "a volume cannot be used".to_owned() } else { format!("the volume claim {} is not bound", names.join(", ")) };
        return Some(Trouble { cause: Cause::Volume, message: format!("{what}: {why}"), pod: Some((pod.name.clone(), String::new())), since: age });
    }
    // Room comes with a node that the cluster makes, or with pods that leave: neither is certain to fail.
    let comes = namespace.events.iter().any(|event| event.name == pod.name && event.reason == "TriggeredScaleUp");
    let leaves = namespace.pods.values().any(|other| other.deleting);
    let grace = if comes || leaves { SCALE_UP_GRACE } else { SCHEDULE_GRACE };
    (age >= grace).then(|| Trouble {
        cause: Cause::Unschedulable,
        message: format!("no node can take the pod: {message}"),
        pod: Some((pod.name.clone(), String::new())),
        since: age,
    })
}

fn claim_event(namespace: &Namespace, claim: &str) -> Option<String> {
    let found = namespace.events.iter().filter(|event| event.kind == "PersistentVolumeClaim" && event.name == claim);
    found.max_by_key(|event| (event.warning, std::cmp::Reverse(event.age))).map(|event| event.message.clone())
}

/// A pod that waits for its volumes says so in events only.
fn mount_trouble(namespace: &Namespace, pod: &PodView) -> Option<Trouble> {
    let stuck = pod.containers.iter().all(|container| container.waiting.as_ref().is_some_and(|waiting| waiting.reason == "ContainerCreating"));
    if !stuck || pod.age < OBJECT_GRACE {
        return None;
    }
    let of_pod = |event: &&EventView| event.kind == "Pod" && event.name == pod.name && matches!(event.reason.as_str(), "FailedAttachVolume" | "FailedMount");
    let event = namespace.events.iter().filter(of_pod).max_by_key(|event| (event.message.contains("Multi-Attach"), std::cmp::Reverse(event.age)))?;
    let multi = event.message.contains("Multi-Attach");
    // Another pod holds it, and will not let it go: certain at once. Anything else may be slow.
    (multi || pod.age >= VOLUME_GRACE).then(|| Trouble {
        cause: if multi { Cause::VolumeHeld } else { Cause::Volume },
        message: format!("a volume cannot be attached: {}", event.message),
        pod: Some((pod.name.clone(), String::new())),
        since: pod.age,
    })
}

/// The deadline passed, and no pod says plainly why: what it says of its probes is the best there is.
fn deadline(namespace: &Namespace, deployment: &DeploymentView, started: Duration) -> Trouble {
    let newest = current(namespace, deployment).map(|set| pods(namespace, set)).unwrap_or_default();
    let unready = newest.iter().find(|pod| !pod.ready);
    if let Some(pod) = unready {
        let container = pod.containers.first().map(|container| container.name.clone()).unwrap_or_default();
        let probe = namespace.events.iter().filter(|event| event.kind == "Pod" && event.name == pod.name && event.reason == "Unhealthy");
        if let Some(event) = probe.min_by_key(|event| event.age) {
            let message = format!("the pod runs, but never answers: {}", event.message);
            return Trouble { cause: Cause::ProbeFails, message, pod: Some((pod.name.clone(), container)), since: pod.age };
        }
        if pod.containers.iter().any(|container| container.running) {
            let message = "the pod runs, but its probe never succeeds".to_owned();
            return Trouble { cause: Cause::ProbeFails, message, pod: Some((pod.name.clone(), container)), since: pod.age };
        }
    }
    let details = details(namespace, deployment).unwrap_or_else(|| "no new pod became ready".to_owned());
    Trouble {
        cause: Cause::Deadline,
        message: format!("the rollout made no progress in time: {details}"),
        pod: unready.map(|pod| (pod.name.clone(), String::new())),
        since: started,
    }
}

/// What the first new pod that is not ready waits for.
fn details(namespace: &Namespace, deployment: &DeploymentView) -> Option<String> {
    let set = current(namespace, deployment)?;
    let pod = pods(namespace, set).into_iter().find(|pod| !pod.ready)?;
    if let Some((message, _)) = &pod.unschedulable {
        return Some(format!("{}: {message}", pod.name));
    }
    let waiting = pod.containers.iter().find_map(|container| container.waiting.as_ref())?;
    let message = if waiting.message.is_empty() { String::new() } else { format!(": {}", waiting.message) };
    Some(format!("{}: {}{message}", pod.name, waiting.reason))
}

#[cfg(test)]
mod tests {
    use super::super::views::{Condition, Ended, Waiting};
    use super::*;
    use proptest::prelude::*;

    fn deployment(updated: u32, replicas: u32, available: u32) -> DeploymentView {
        DeploymentView {
            name: "web".to_owned(),
            uid: "d".to_owned(),
            generation: 2,
            observed_generation: 2,
            revision: "2".to_owned(),
            wanted: 2,
            updated,
            replicas,
            available,
            conditions: Vec::new(),
        }
    }

    fn set(uid: &str, revision: &str) -> ReplicaSetView {
        ReplicaSetView { uid: uid.to_owned(), owner: "d".to_owned(), revision: revision.to_owned(), conditions: Vec::new() }
    }

    fn pod(name: &str, owner: &str, ready: bool, change: impl FnOnce(&mut PodView)) -> PodView {
        let main = ContainerView { name: "web".to_owned(), running: ready, ..ContainerView::default() };
        let mut pod = PodView { name: name.to_owned(), uid: name.to_owned(), owner: owner.to_owned(), ready, containers: vec![main], ..PodView::default() };
        change(&mut pod);
        pod
    }

    fn world(deployment: DeploymentView, pods: Vec<PodView>) -> Namespace {
        Namespace {
            deployments: [("web".to_owned(), deployment)].into(),
            replica_sets: [("old".to_owned(), set("old", "1")), ("new".to_owned(), set("new", "2"))].into(),
            pods: pods.into_iter().map(|pod| (pod.name.clone(), pod)).collect(),
            ..Namespace::default()
        }
    }

    fn waiting(reason: &str, message: &str, seconds: u64) -> impl FnOnce(&mut PodView) + use<> {
        let waiting = Waiting { reason: reason.to_owned(), message: message.to_owned(), since: None, age: Duration::from_secs(seconds) };
        move |pod: &mut PodView| pod.containers[0].waiting = Some(waiting)
    }

    fn ended(reason: &str, code: i32) -> Ended {
        Ended { reason: reason.to_owned(), message: String::new(), exit_code: code }
    }

    fn judge(namespace: &Namespace) -> Verdict {
        classify(namespace, "web", Some("d"), Duration::ZERO)
    }

    #[test]
    fn done_is_what_kubectl_calls_done() {
        assert_eq!(judge(&world(deployment(2, 2, 2), Vec::new())), Verdict::Done);
        for (what, not_yet) in [
            ("the generation is not observed", DeploymentView { observed_generation: 1, ..deployment(2, 2, 2) }),
            ("not all are new", deployment(1, 2, 2)),
            ("an old one is left", deployment(2, 3, 2)),
            ("not all are available", deployment(2, 2, 1)),
        ] {
            assert!(matches!(judge(&world(not_yet, Vec::new())), Verdict::Waiting(_)), "{what}");
        }
        let other = classify(&world(deployment(2, 2, 2), Vec::new()), "web", Some("another"), Duration::ZERO);
        assert!(matches!(other, Verdict::Failed(Trouble { cause: Cause::Gone, .. })), "a Deployment of the same name is another");
        assert!(matches!(classify(&Namespace::default(), "web", Some("d"), Duration::ZERO), Verdict::Failed(Trouble { cause: Cause::Gone, .. })));
        assert!(matches!(classify(&Namespace::default(), "web", None, Duration::ZERO), Verdict::Waiting(_)));
    }

    #[test]
    fn each_failure_has_its_cause_and_its_patience() {
        let pull = |message: &str, seconds| waiting("ImagePullBackOff", message, seconds);
        type Change = Box<dyn FnOnce(&mut PodView)>;
        let cases: Vec<(Change, Option<Cause>)> = vec![
            (Box::new(waiting("InvalidImageName", "couldn't parse image name", 0)), Some(Cause::InvalidImageName)),
            (Box::new(pull("rpc error: code = NotFound desc = not found", 9)), Some(Cause::ImageMissing)),
            (Box::new(pull("rpc error: code = NotFound desc = not found", 2)), None),
            (Box::new(pull("pull access denied, repository does not exist or may require authorization", 9)), Some(Cause::ImageForbidden)),
            (Box::new(pull("dial tcp: lookup registry: no such host", 30)), None),
            (Box::new(pull("dial tcp: lookup registry: no such host", 61)), Some(Cause::RegistryUnreachable)),
            (Box::new(pull("no match for platform in manifest: not found", 9)), Some(Cause::ImageBroken)),
            (Box::new(waiting("CreateContainerConfigError", "secret \"x\" not found", 11)), Some(Cause::Configuration)),
            (Box::new(waiting("CreateContainerConfigError", "failed to sync secret cache: timed out", 60)), None),
            (Box::new(waiting("CrashLoopBackOff", "back-off 10s", 0)), Some(Cause::Crash)),
            (Box::new(waiting("ContainerCreating", "", 60)), None),
            (Box::new(|pod: &mut PodView| pod.containers[0].last_terminated = Some(ended("OOMKilled", 137))), Some(Cause::OutOfMemory)),
            (Box::new(|pod: &mut PodView| pod.containers[0].restarts = 3), Some(Cause::Crash)),
            (Box::new(|pod: &mut PodView| pod.containers[0].restarts = 1), None),
            (
                Box::new(|pod: &mut PodView| pod.unschedulable = Some(("0/3 nodes are available: 3 Insufficient cpu.".to_owned(), Duration::from_secs(13)))),
                Some(Cause::Unschedulable),
            ),
            (Box::new(|pod: &mut PodView| pod.unschedulable = Some(("0/3 nodes are available: 3 Insufficient cpu.".to_owned(), Duration::from_secs(5)))), None),
            (
                Box::new(|pod: &mut PodView| {
                    pod.unschedulable = Some(("pod has unbound immediate PersistentVolumeClaims.".to_owned(), Duration::from_secs(11)))
                }),
                Some(Cause::Volume),
            ),
            (Box::new(|pod: &mut PodView| pod.reason = Some("Evicted".to_owned())), None),
        ];
        for (number, (change, cause)) in cases.into_iter().enumerate() {
            let namespace = world(deployment(1, 3, 2), vec![pod("new-1", "new", false, change)]);
            let found = match judge(&namespace) {
                Verdict::Failed(trouble) => Some(trouble.cause),
                _ => None,
            };
            assert_eq!(found, cause, "case {number}");
        }
    }

    #[test]
    fn a_start_that_cannot_be_says_more_than_a_crash() {
        let change = |pod: &mut PodView| {
            waiting("CrashLoopBackOff", "back-off", 0)(pod);
            pod.containers[0].last_terminated = Some(Ended { message: "exec: \"/nowhere\": no such file".to_owned(), ..ended("StartError", 128) });
        };
        let Verdict::Failed(trouble) = judge(&world(deployment(1, 3, 2), vec![pod("new-1", "new", false, change)])) else { panic!() };
        assert_eq!((trouble.cause, trouble.message.contains("/nowhere")), (Cause::CannotStart, true));
    }

    #[test]
    fn refusals_and_volumes_are_read_where_the_cluster_tells_them() {
        let refusal = |message: &str| {
            let mut namespace = world(deployment(0, 2, 2), Vec::new());
            let condition = Condition {
                kind: "ReplicaFailure".to_owned(),
                status: true,
                reason: "FailedCreate".to_owned(),
                message: message.to_owned(),
                since: None,
                age: Duration::ZERO,
            };
            namespace.replica_sets.get_mut("new").unwrap().conditions.push(condition);
            match judge(&namespace) {
                Verdict::Failed(trouble) => trouble.cause,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refusal("pods \"x\" is forbidden: exceeded quota: small"), Cause::Quota);
        assert_eq!(refusal("pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\""), Cause::PodSecurity);
        assert_eq!(refusal("admission webhook \"policy\" denied the request"), Cause::Admission);
        let creating = |pod: &mut PodView| {
            waiting("ContainerCreating", "", 20)(pod);
            pod.age = Duration::from_secs(20);
        };
        let mut namespace = world(deployment(1, 3, 2), vec![pod("new-1", "new", false, creating)]);
        let message = "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) old-1".to_owned();
        namespace.events.push(EventView {
            kind: "Pod".into(),
            name: "new-1".into(),
            reason: "FailedAttachVolume".into(),
            message,
            warning: true,
            age: Duration::ZERO,
        });
        assert!(matches!(judge(&namespace), Verdict::Failed(Trouble { cause: Cause::VolumeHeld, .. })));
    }

    #[test]
    fn a_deadline_is_explained_by_the_probe() {
        let mut late = deployment(1, 3, 2);
        let condition = |reason: &str| Condition {
            kind: "Progressing".into(),
            status: false,
            reason: reason.into(),
            message: String::new(),
            since: None,
            age: Duration::ZERO,
        };
        late.conditions.push(condition("ProgressDeadlineExceeded"));
        let mut namespace = world(late, vec![pod("new-1", "new", false, |pod| pod.containers[0].running = true)]);
        let message = "Readiness probe failed: HTTP probe failed with statuscode: 404".to_owned();
        namespace.events.push(EventView { kind: "Pod".into(), name: "new-1".into(), reason: "Unhealthy".into(), message, warning: true, age: Duration::ZERO });
        let Verdict::Failed(trouble) = judge(&namespace) else { panic!() };
        assert!(trouble.cause == Cause::ProbeFails && trouble.message.contains("404"), "{trouble:?}");
    }

    /// One change of one object, as a watch delivers it.
    type Step = (&'static str, fn(&mut Namespace));

    /// A rollout that succeeds while the replicas of before crash all the time: each list is one kind's, in its order.
    fn history() -> Vec<Vec<Step>> {
        fn put(namespace: &mut Namespace, pod: PodView) {
            namespace.pods.insert(pod.name.clone(), pod);
        }
        vec![
            vec![
                ("seen", |namespace| drop(namespace.deployments.insert("web".into(), deployment(0, 2, 0)))),
                ("one new", |namespace| drop(namespace.deployments.insert("web".into(), deployment(1, 3, 0)))),
                ("one available", |namespace| drop(namespace.deployments.insert("web".into(), deployment(2, 3, 1)))),
                ("done", |namespace| drop(namespace.deployments.insert("web".into(), deployment(2, 2, 2)))),
            ],
            vec![("new set", |namespace| drop(namespace.replica_sets.insert("new".into(), set("new", "2"))))],
            vec![
                ("old crashes", |namespace| put(namespace, pod("old-1", "old", false, waiting("CrashLoopBackOff", "", 99)))),
                ("old crashes too", |namespace| put(namespace, pod("old-2", "old", false, |pod| pod.containers[0].restarts = 50))),
                ("new pod", |namespace| put(namespace, pod("new-1", "new", false, waiting("ContainerCreating", "", 1)))),
                ("a pull that recovers", |namespace| put(namespace, pod("new-1", "new", false, waiting("ErrImagePull", "i/o timeout", 5)))),
                ("ready", |namespace| put(namespace, pod("new-1", "new", true, |_| {}))),
                ("second", |namespace| put(namespace, pod("new-2", "new", true, |_| {}))),
                ("old leaves", |namespace| drop(namespace.pods.remove("old-1"))),
            ],
        ]
    }

    proptest! {
        /// Kinds are watched apart, so their changes arrive in any order between them.
        #[test]
        fn no_order_of_events_fails_a_good_rollout_or_ends_it_early(picks in prop::collection::vec(0usize..3, 40)) {
            let mut lists = history();
            let mut namespace = world(DeploymentView { observed_generation: 1, ..deployment(0, 2, 0) }, Vec::new());
            namespace.replica_sets.remove("new");
            let mut picks = picks.into_iter().chain(std::iter::repeat_n(0, 40).chain(std::iter::repeat_n(1, 40)).chain(std::iter::repeat_n(2, 40)));
            let mut finished = false;
            while lists.iter().any(|list| !list.is_empty()) {
                let list = picks.next().unwrap();
                if lists[list].is_empty() {
                    continue;
                }
                let (name, step) = lists[list].remove(0);
                step(&mut namespace);
                finished |= name == "done";
                match judge(&namespace) {
                    Verdict::Done => prop_assert!(finished, "done before the Deployment says so"),
                    Verdict::Failed(trouble) => prop_assert!(false, "{trouble:?} after {name}"),
                    Verdict::Waiting(_) => {}
                }
            }
            prop_assert_eq!(judge(&namespace), Verdict::Done);
        }
    }
}
