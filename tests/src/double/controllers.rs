//! What moves in a cluster: Deployments, ReplicaSets, Jobs, the scheduler and the kubelet. Each step moves each of them once.

use super::objects::{Key, State, number, text};
use serde_json::{Value, json};

/// How many steps a pod takes to leave.
const LEAVING_STEPS: u64 = 3;

pub(super) fn step(state: &mut State) {
    for deployment in state.list("deployments", "", &[]) {
        roll(state, deployment);
    }
    for set in state.list("replicasets", "", &[]) {
        replicate(state, &set);
    }
    for job in state.list("jobs", "", &[]) {
        work(state, &job);
    }
    for pod in state.list("pods", "", &[]) {
        run(state, pod);
    }
    for mut claim in state.list("persistentvolumeclaims", "", &[]) {
        if text(&claim, "/status/phase").is_empty() {
            let phase = if text(&claim, "/spec/storageClassName") == "none" { "Pending" } else { "Bound" };
            claim["status"] = json!({ "phase": phase });
            state.put(claim);
        }
    }
}

fn count(state: &mut State, what: String) -> u64 {
    let counter = state.memory.entry(what).or_insert(0);
    *counter += 1;
    *counter
}

fn owned(state: &State, plural: &str, owner: &Value) -> Vec<Value> {
    let uid = text(owner, "/metadata/uid");
    let all = state.list(plural, text(owner, "/metadata/namespace"), &[]);
    all.into_iter().filter(|object| text(object, "/metadata/ownerReferences/0/uid") == uid).collect()
}

fn leaving(pod: &Value) -> bool {
    !pod["metadata"]["deletionTimestamp"].is_null()
}

fn ready(pod: &Value) -> bool {
    !leaving(pod) && pod["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
}

fn owner(kind: &str, version: &str, of: &Value) -> Value {
    json!([{ "apiVersion": version, "kind": kind, "name": of["metadata"]["name"], "uid": of["metadata"]["uid"], "controller": true }])
}

fn hash(value: &Value) -> String {
    let mut hash: u64 = 1469598103934665603;
    for byte in value.to_string().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(1099511628211);
    }
    format!("{hash:016x}")[..9].to_owned()
}

fn revision(object: &Value) -> u64 {
    text(object, "/metadata/annotations/deployment.kubernetes.io~1revision").parse().unwrap_or(0)
}

/// One step of a Deployment: its ReplicaSet, how many pods each may have, and its status.
fn roll(state: &mut State, mut deployment: Value) {
    let (namespace, name) = (text(&deployment, "/metadata/namespace").to_owned(), text(&deployment, "/metadata/name").to_owned());
    let template = deployment["spec"]["template"].clone();
    let hash = hash(&template);
    let sets = owned(state, "replicasets", &deployment);
    let newest = sets.iter().map(revision).max().unwrap_or(0);
    let current = sets.iter().find(|set| text(set, "/metadata/labels/pod-template-hash") == hash).cloned();
    let current = match current {
        Some(set) if revision(&set) == newest => set,
        Some(mut set) => {
            set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = (newest + 1).to_string().into();
            state.put(set)
        }
        None => {
            let mut labels = template["metadata"]["labels"].clone();
            labels["pod-template-hash"] = hash.as_str().into();
            let mut template = template.clone();
            template["metadata"]["labels"] = labels.clone();
            state.put(json!({
                "kind": "ReplicaSet",
                "metadata": {
                    "name": format!("{name}-{hash}"), "namespace": namespace, "labels": labels, "ownerReferences": owner("Deployment", "apps/v1", &deployment),
                    "annotations": { "deployment.kubernetes.io/revision": (newest + 1).to_string() },
                },
                "spec": { "replicas": 0, "template": template, "selector": deployment["spec"]["selector"] },
            }))
        }
    };
    let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let old: Vec<Value> = sets.into_iter().filter(|set| set["metadata"]["uid"] != current["metadata"]["uid"]).collect();
    let pods_of = |state: &State, set: &Value| owned(state, "pods", set);
    let old_pods: Vec<Value> = old.iter().flat_map(|set| pods_of(state, set)).collect();
    let new_pods: Vec<Value> = pods_of(state, &current).into_iter().filter(|pod| !leaving(pod)).collect();
    let old_wanted: i64 = old.iter().map(|set| number(set, "/spec/replicas")).sum();
    let have = number(&current, "/spec/replicas");
    let new_ready = new_pods.iter().filter(|pod| ready(pod)).count() as i64;
    let old_here = old_pods.iter().filter(|pod| !leaving(pod)).count() as i64;
    let scale = |state: &mut State, set: &Value, to: i64| {
        if number(set, "/spec/replicas") != to {
            let mut set = set.clone();
            set["spec"]["replicas"] = to.into();
            state.put(set);
        }
    };
    if deployment["spec"]["strategy"]["type"] == "Recreate" {
        for set in &old {
            scale(state, set, 0);
        }
        // Also those that are leaving hold the volume.
        if old_pods.is_empty() {
            scale(state, &current, wanted);
        }
    } else {
        // One more than wanted, and never fewer that answer.
        let room = (wanted + 1 - old_wanted - have).max(0);
        let to = if have > wanted { wanted } else { (have + room).min(wanted) };
        scale(state, &current, to);
        let old_ready = old_pods.iter().filter(|pod| ready(pod)).count() as i64;
        let mut spare = (old_ready + new_ready - wanted).max(0) + (old_wanted - old_ready).max(0);
        for set in &old {
            let now = number(set, "/spec/replicas");
            let less = now.min(spare);
            spare -= less;
            scale(state, set, now - less);
        }
    }
    let updated = new_pods.len() as i64;
    let all = updated + old_here;
    let available = new_ready + old_pods.iter().filter(|pod| ready(pod)).count() as i64;
    let mut conditions =
        vec![json!({ "type": "Available", "status": if available >= wanted { "True" } else { "False" }, "reason": "MinimumReplicasAvailable" })];
    // A deadline in steps: each is taken for a second.
    let seen = format!("progress {namespace}/{name} {updated} {available} {all} {}", number(&deployment, "/metadata/generation"));
    let stuck = count(state, seen);
    let deadline = deployment["spec"]["progressDeadlineSeconds"].as_u64().unwrap_or(600);
    let complete = updated == wanted && all == updated && new_ready >= wanted;
    let (status, reason) = if complete {
        ("True", "NewReplicaSetAvailable")
    } else if stuck > deadline {
        ("False", "ProgressDeadlineExceeded")
    } else {
        ("True", "ReplicaSetUpdated")
    };
    conditions.push(json!({ "type": "Progressing", "status": status, "reason": reason }));
    if let Some(failure) = current["status"]["conditions"].as_array().and_then(|all| all.first()) {
        conditions.push(failure.clone());
    }
    let Some(mut live) = state.objects.get(&("deployments".to_owned(), namespace, name)).cloned() else { return };
    live["status"] = json!({
        "observedGeneration": deployment["metadata"]["generation"], "replicas": all, "updatedReplicas": updated, "readyReplicas": available,
        "availableReplicas": available, "conditions": conditions,
    });
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = revision(&current).to_string().into();
    deployment = live;
    state.put(deployment);
    // The oldest sets leave, as the limit says.
    let limit = usize::try_from(template["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(1)).unwrap_or(1);
    let mut empty: Vec<&Value> = old.iter().filter(|set| number(set, "/spec/replicas") == 0 && pods_of(state, set).is_empty()).collect();
    empty.sort_by_key(|set| revision(set));
    let gone: Vec<Key> = empty.iter().take(empty.len().saturating_sub(limit)).map(|set| State::key(set)).collect();
    gone.iter().for_each(|key| drop(state.remove(key)));
}

fn replicate(state: &mut State, set: &Value) {
    if !state.objects.contains_key(&State::key(set)) {
        return;
    }
    let namespace = text(set, "/metadata/namespace").to_owned();
    let mut pods: Vec<Value> = owned(state, "pods", set).into_iter().filter(|pod| !leaving(pod)).collect();
    let wanted = usize::try_from(number(set, "/spec/replicas")).unwrap_or(0);
    let quota = state
        .list("resourcequotas", &namespace, &[])
        .first()
        .and_then(|quota| quota["spec"]["hard"]["pods"].as_str().and_then(|text| text.parse::<usize>().ok()));
    let there = state.list("pods", &namespace, &[]).iter().filter(|pod| !leaving(pod)).count();
    if pods.len() < wanted && quota.is_some_and(|quota| there >= quota) {
        let mut set = set.clone();
        let message = format!(
            "pods \"{}-x\" is forbidden: exceeded quota: small, requested: pods=1, used: pods={there}, limited: pods={}",
            text(&set, "/metadata/name"),
            quota.unwrap()
        );
        set["status"]["conditions"] = json!([{ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message }]);
        state.put(set);
        return;
    }
    if pods.len() < wanted {
        let number = count(state, "pods".to_owned());
        state.put(json!({
            "kind": "Pod",
            "metadata": {
                "name": format!("{}-{number:05}", text(set, "/metadata/name")), "namespace": namespace, "labels": set["spec"]["template"]["metadata"]["labels"],
                "annotations": { "double/log": "shop 1 listens\n" }, "ownerReferences": owner("ReplicaSet", "apps/v1", set),
            },
            "spec": set["spec"]["template"]["spec"],
            "status": { "phase": "Pending" },
        }));
    } else if pods.len() > wanted {
        pods.sort_by_key(ready);
        state.leave(&State::key(&pods[0]));
        // What was never running leaves at once.
        if text(&pods[0], "/status/phase") == "Pending" {
            state.remove(&State::key(&pods[0]));
        }
    }
}

fn work(state: &mut State, job: &Value) {
    if job["spec"]["suspend"] == true || !job["status"]["conditions"].is_null() {
        return;
    }
    let pods = owned(state, "pods", job);
    let name = text(job, "/metadata/name").to_owned();
    match pods.first() {
        None => {
            let mut labels = job["spec"]["template"]["metadata"]["labels"].clone();
            labels["batch.kubernetes.io/job-name"] = name.as_str().into();
            state.put(json!({
                "kind": "Pod",
                "metadata": {
                    "name": format!("{name}-x"), "namespace": job["metadata"]["namespace"], "labels": labels, "ownerReferences": owner("Job", "batch/v1", job),
                    "annotations": { "double/log": "out\n" },
                },
                "spec": job["spec"]["template"]["spec"],
                "status": { "phase": "Pending" },
            }));
        }
        Some(pod) => {
            let kind = match text(pod, "/status/phase") {
                "Succeeded" => "Complete",
                "Failed" => "Failed",
                _ => return,
            };
            let mut job = job.clone();
            job["status"] = json!({ "conditions": [{ "type": kind, "status": "True" }] });
            state.put(job);
        }
    }
}

fn container(pod: &Value, current: Value, restarts: u64, last: Value, is_ready: bool) -> Value {
    let name = &pod["spec"]["containers"][0]["name"];
    json!({ "name": name, "image": "", "imageID": "", "ready": is_ready, "restartCount": restarts, "state": current, "lastState": last })
}

/// One step of a pod on its node.
fn run(state: &mut State, mut pod: Value) {
    let key = State::key(&pod);
    if !state.objects.contains_key(&key) {
        return;
    }
    let uid = text(&pod, "/metadata/uid").to_owned();
    if leaving(&pod) {
        if count(state, format!("leaving {uid}")) >= LEAVING_STEPS {
            state.remove(&key);
        }
        return;
    }
    if matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed") {
        return;
    }
    let age = count(state, format!("age {uid}"));
    let since = pod["metadata"]["creationTimestamp"].clone();
    let claims: Vec<String> = pod["spec"]["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|volume| text(volume, "/persistentVolumeClaim/claimName").to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let unbound = claims.iter().any(|name| {
        state.objects.get(&("persistentvolumeclaims".to_owned(), key.1.clone(), name.clone())).is_none_or(|claim| text(claim, "/status/phase") != "Bound")
    });
    let cpu = text(&pod, "/spec/containers/0/resources/requests/cpu").to_owned();
    let much = cpu.parse::<f64>().is_ok_and(|cores| cores > 64.0);
    if unbound || much {
        let message =
            if unbound { "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims." } else { "0/1 nodes are available: 1 Insufficient cpu." };
        pod["status"] = json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastTransitionTime": since }] });
        state.put(pod);
        return;
    }
    let image = text(&pod, "/spec/containers/0/image").to_owned();
    let does = ["missing", "denied", "crash", "oom", "deaf"].into_iter().find(|word| image.contains(word)).unwrap_or("");
    let waiting = |reason: &str, message: &str| json!({ "waiting": { "reason": reason, "message": message } });
    let running = json!({ "running": { "startedAt": since } });
    let ended = |reason: &str, code: i64| json!({ "terminated": { "reason": reason, "exitCode": code } });
    let none = json!({});
    let of_job = text(&pod, "/metadata/ownerReferences/0/kind") == "Job";
    let (phase, is_ready, status) = match (does, age) {
        (_, 1) => ("Pending", false, container(&pod, waiting("ContainerCreating", ""), 0, none, false)),
        ("missing", 2..=4) => {
            ("Pending", false, container(&pod, waiting("ErrImagePull", "rpc error: code = NotFound desc = failed to pull: not found"), 0, none, false))
        }
        ("denied", 2..=4) => ("Pending", false, container(&pod, waiting("ErrImagePull", "failed to authorize: 401 Unauthorized"), 0, none, false)),
        ("missing" | "denied", _) => ("Pending", false, container(&pod, waiting("ImagePullBackOff", "Back-off pulling image"), 0, none, false)),
        ("crash", 2) => ("Running", false, container(&pod, running, 0, none, false)),
        ("crash", _) => {
            ("Running", false, container(&pod, waiting("CrashLoopBackOff", "back-off 10s restarting failed container"), 1, ended("Error", 3), false))
        }
        ("oom", 2) => ("Running", false, container(&pod, running, 0, none, false)),
        ("oom", _) => ("Running", false, container(&pod, waiting("CrashLoopBackOff", "back-off"), 1, ended("OOMKilled", 137), false)),
        ("deaf", _) | (_, 2) if !of_job => ("Running", false, container(&pod, running, 0, none, false)),
        _ if of_job => {
            let command = pod["spec"]["containers"][0]["command"].to_string();
            let code = command.split("exit ").nth(1).and_then(|rest| rest.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()).unwrap_or(0);
            (if code == 0 { "Succeeded" } else { "Failed" }, false, container(&pod, ended(if code == 0 { "Completed" } else { "Error" }, code), 0, none, false))
        }
        _ => ("Running", true, container(&pod, running, 0, none, true)),
    };
    let is = |yes: bool| if yes { "True" } else { "False" };
    pod["status"] = json!({
        "phase": phase, "containerStatuses": [status],
        "conditions": [{ "type": "PodScheduled", "status": "True" }, { "type": "Ready", "status": is(is_ready) }],
    });
    state.put(pod);
}
