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
            Self::Configuration => "somebody removed what the pod refers to; `kiwi restart` puts it back",
            Self::CannotStart => "check the image's entry point and command",
            Self::Crash => "read the last lines above; the same image may run elsewhere because of a variable that is missing here",
            Self::OutOfMemory => "give it more with `kiwi deploy --memory REQUEST:LIMIT`, or find out why it needs so much",
            Self::ProbeFails => "does the program listen on 0.0.0.0 at the service's port, and does its health path answer with 200 to 399?",
            Self::Unschedulable => "free or add nodes, or ask for less with `kiwi deploy --cpu` and `--memory`",
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
    (age >= SCHEDULE_GRACE).then(|| Trouble {
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
        cause: Cause::Volume,
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
