//! The runtime on a cluster in memory: SIMULATED, see `kiwi_tests::double`. The same contract runs on a real cluster in `kubernetes.rs`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends by panicking, and prints its figures")]

use futures_util::StreamExt as _;
use kiwi_core::domain::{ClusterSettings, ImagePin, Replicas, RunId, Variable, Volume};
use kiwi_core::error::ErrorKind;
use kiwi_core::provider::{Aborted, ApplyRequest, Cleanup, DeploymentEvent, Fence, Guarantee, Runtime as _, Workload};
use kiwi_runtime::kubernetes::{Cluster, KubernetesRuntime};
use kiwi_tests::contract::runtime::{Fixture, all, apply, request, workload};
use kiwi_tests::double::{Double, Faults};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(4);

fn runtime(double: &Double) -> KubernetesRuntime {
    KubernetesRuntime::new(Cluster::from_client(double.client(), ClusterSettings::default()).unwrap())
}

fn figure(what: &str, value: impl std::fmt::Display) {
    println!("FIGURE SIMULATED {what}: {value}");
}

fn image(name: &str) -> ImagePin {
    ImagePin::Registry {
        reference: format!("registry.invalid/{name}:1").parse().unwrap(),
        digest: format!("sha256:{}", "1".repeat(64)).parse().unwrap(),
        registry: None,
    }
}

fn fixture(runtime: &KubernetesRuntime) -> Fixture<'_> {
    Fixture { runtime, image: image("good"), real: false, streams: false, registries: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_holds() {
    let double = Double::start(STEP);
    all(&fixture(&runtime(&double))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_is_told_and_undone() {
    let volume = || Volume { mount_path: "/data".parse().unwrap(), size: "1Gi".parse().unwrap() };
    type Change = fn(&mut ApplyRequest);
    let stages: [(&str, Change, ErrorKind, &str); 6] = [
        ("missing", |_| {}, ErrorKind::ImageUnavailable, "there is no such image: rpc error"),
        ("denied", |_| {}, ErrorKind::ImageUnavailable, "does not give the image"),
        ("crash", |_| {}, ErrorKind::Unhealthy, "ends again and again (exit code 3)"),
        ("oom", |_| {}, ErrorKind::Unhealthy, "killed for want of memory"),
        ("deaf", |request| request.release.rollout.start_seconds = 300, ErrorKind::Unhealthy, "its probe never succeeds"),
        ("good", |request| request.release.containers[0].resources.cpu = "900:900".parse().unwrap(), ErrorKind::Unhealthy, "no node can take the pod"),
    ];
    let mut running = Vec::new();
    for (name, change, kind, says) in stages {
        running.push(tokio::spawn(async move {
            let double = Double::start(STEP);
            let runtime = runtime(&double);
            let workload = workload();
            let live = request(&fixture(&runtime), &workload, 1, 1);
            apply(&runtime, live.clone()).await.unwrap();
            let mut next = request(&fixture(&runtime), &workload, 2, 2);
            next.release.containers[0].image = image(name);
            next.release.rollout.start_seconds = 6000;
            change(&mut next);
            let begin = Instant::now();
            let error = apply(&runtime, next).await.unwrap_err();
            figure(name, format!("told after {:.1} s: {}", begin.elapsed().as_secs_f64(), error.message()));
            assert!(error.kind() == kind && error.message().contains(says), "{name}: {}", error.chain());
            let status = runtime.status(&workload, Some(&live.release)).await.unwrap();
            assert_eq!((status.revision, status.drift), (Some(1), Vec::new()), "{name}");
            assert!(double.list("secrets", workload.name.as_str()).len() == 1, "{name}: the Secret of the failed release is gone");
        }));
    }
    for one in running {
        one.await.unwrap();
    }
    // A first release that fails leaves nothing but its volumes.
    let double = Double::start(STEP);
    let settings = ClusterSettings { storage_class: Some("none".to_owned()), ..ClusterSettings::default() };
    let runtime = KubernetesRuntime::new(Cluster::from_client(double.client(), settings).unwrap());
    let workload = workload();
    let mut first = request(&fixture(&runtime), &workload, 1, 1);
    first.release.containers[0].volumes = vec![volume()];
    first.release.rollout.start_seconds = 100_000;
    assert_eq!(runtime.plan(&first).await.unwrap().containers[0].guarantee, Guarantee::Recreate);
    let error = apply(&runtime, first).await.unwrap_err();
    assert!(error.message().contains("is not bound"), "{}", error.chain());
    for plural in ["deployments", "services", "ingresses", "secrets"] {
        assert_eq!(double.list(plural, workload.name.as_str()), Vec::<serde_json::Value>::new(), "{plural}");
    }
    assert_eq!(double.list("persistentvolumeclaims", workload.name.as_str()).len(), 1);
    runtime.remove(&workload, true).await.unwrap();
    assert_eq!(double.list("namespaces", "").len(), 1, "only the default one is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_told_at_once() {
    let double = Double::start(STEP);
    let runtime = runtime(&double);
    let workload = workload();
    apply(&runtime, request(&fixture(&runtime), &workload, 1, 1)).await.unwrap();
    double.put(json!({ "kind": "ResourceQuota", "metadata": { "name": "small", "namespace": workload.name.as_str() }, "spec": { "hard": { "pods": "1" } } }));
    let error = apply(&runtime, request(&fixture(&runtime), &workload, 2, 2)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.message().contains("exceeded quota"), "{}", error.chain());
}

/// What a proxy would see: from the first release on, never fewer ready pods than replicas.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_never_fall_below_their_number() {
    let double = Double::start(STEP);
    let runtime = runtime(&double);
    let workload = workload();
    let make = |revision: u64| {
        let mut made = request(&fixture(&runtime), &workload, revision, revision);
        made.release.containers[0].replicas = Replicas::TWO;
        made
    };
    apply(&runtime, make(1)).await.unwrap();
    let (watched, name, stop, low) = (double.clone(), workload.name.to_string(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let watching = tokio::spawn({
        let (stop, low) = (stop.clone(), low.clone());
        async move {
            while !stop.load(Ordering::Relaxed) {
                let ready = |pod: &serde_json::Value| {
                    pod["metadata"]["deletionTimestamp"].is_null() && pod["status"]["conditions"].to_string().contains("\"status\":\"True\",\"type\":\"Ready\"")
                };
                let count = watched.list("pods", &name).iter().filter(|pod| ready(pod)).count();
                low.fetch_or(count < 2, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    for revision in 2..8 {
        apply(&runtime, make(revision)).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    watching.await.unwrap();
    assert!(!low.load(Ordering::Relaxed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cuts_watches_and_loses_history_changes_nothing() {
    for faults in [
        Faults { watch_events: Some(1), ..Faults::default() },
        Faults { watch_events: Some(2), forget_history: true, ..Faults::default() },
        Faults { conflicts: 3, ..Faults::default() },
    ] {
        let double = Double::start(STEP);
        double.behave(faults.clone());
        let runtime = runtime(&double);
        let workload = workload();
        for revision in 1..4 {
            let made = request(&fixture(&runtime), &workload, revision, revision);
            tokio::time::timeout(Duration::from_secs(60), apply(&runtime, made.clone())).await.unwrap_or_else(|_| unreachable!("{faults:?}")).unwrap();
            let status = runtime.status(&workload, Some(&made.release)).await.unwrap();
            assert_eq!((status.revision, status.drift), (Some(revision), Vec::new()), "{faults:?}");
        }
    }
}

/// A worker that is dropped after any number of requests: the next one finishes or undoes, and nothing is left.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_after_any_request_is_followed_by_another() {
    let double = Double::start(STEP);
    let runtime = runtime(&double);
    let workload = workload();
    apply(&runtime, request(&fixture(&runtime), &workload, 1, 1)).await.unwrap();
    let mut live = 1;
    for round in 0..60u64 {
        let next = request(&fixture(&runtime), &workload, 2 + round, 2 + 3 * round);
        let begin = double.requests().len();
        let mut stream = runtime.apply(next.clone());
        loop {
            tokio::select! {
                biased;
                () = async { while double.requests().len() < begin + usize::try_from(round).unwrap() { tokio::time::sleep(Duration::from_micros(200)).await; } } => break,
                event = stream.next() => if event.is_none() { break },
            }
        }
        drop(stream);
        let again = ApplyRequest { fence: Fence { epoch: 3 + 3 * round, owner: "second".into(), ..next.fence.clone() }, ..next.clone() };
        if round % 2 == 0 {
            apply(&runtime, again).await.unwrap();
            live = next.release.revision;
        } else if runtime.abort(&again).await.unwrap() == Aborted::AlreadyLive {
            live = next.release.revision;
        }
        let status = runtime.status(&workload, None).await.unwrap();
        assert_eq!((status.revision, status.drift), (Some(live), Vec::new()), "after {round} requests");
        assert_eq!(double.list("secrets", workload.name.as_str()).len(), 1, "after {round} requests");
        let stale = apply(&runtime, ApplyRequest { fence: Fence { epoch: 1, ..next.fence.clone() }, ..request(&fixture(&runtime), &workload, 1000, 1) }).await;
        assert_eq!(stale.unwrap_err().kind(), ErrorKind::LeaseLost);
    }
}

/// The write that would make a release live is on its way when its worker dies, and arrives after another worker undid everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_of_a_dead_worker_makes_nothing_live() {
    for live in [None, Some(1)] {
        let double = Double::start(STEP);
        let runtime = runtime(&double);
        let workload = workload();
        if live.is_some() {
            apply(&runtime, request(&fixture(&runtime), &workload, 1, 1)).await.unwrap();
        }
        // A worker claims the object, by creating it the first time, and writes it.
        double.behave(Faults { late: Some(("patch configmaps kiwi-live".to_owned(), 1 + usize::from(live.is_some()))), ..Faults::default() });
        let next = request(&fixture(&runtime), &workload, 2, 2);
        let mut stream = runtime.apply(next.clone());
        while double.late() == 0 {
            let _ = tokio::time::timeout(Duration::from_millis(5), stream.next()).await;
        }
        drop(stream);
        let second = ApplyRequest { fence: Fence { epoch: 3, owner: "second".into(), ..next.fence.clone() }, ..next.clone() };
        assert_eq!(runtime.abort(&second).await.unwrap(), Aborted::Undone);
        assert_eq!(double.deliver(), [409]);
        let status = runtime.status(&workload, None).await.unwrap();
        assert_eq!((status.revision, status.drift), (live, Vec::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_changes_and_changes_nothing() {
    let double = Double::start(STEP);
    let runtime = runtime(&double);
    let workload = workload();
    let first = request(&fixture(&runtime), &workload, 1, 1);
    let plan = runtime.plan(&first).await.unwrap();
    assert_eq!(plan.containers[0].changes, ["it runs for the first time"]);
    assert_eq!(double.list("namespaces", "").len(), 1, "a plan makes nothing");
    apply(&runtime, first.clone()).await.unwrap();
    let same = ApplyRequest { fresh: false, ..request(&fixture(&runtime), &workload, 2, 2) };
    assert_eq!(runtime.plan(&same).await.unwrap().containers[0].reason, "it changes in nothing and keeps running");
    let mut next = same.clone();
    next.release.containers[0].replicas = Replicas::TWO;
    next.release.containers[0].variables.insert("MODE".parse().unwrap(), Variable::Plain("fast".to_owned()));
    next.release.containers[0].resources.memory = "64Mi:512Mi".parse().unwrap();
    let plan = runtime.plan(&next).await.unwrap();
    assert_eq!(plan.containers[0].changes, ["replicas: 1 -> 2", "its variables change", "memory limit: 256Mi -> 512Mi", "it gets a PodDisruptionBudget"]);
    assert!(plan.manifests.iter().any(|object| object["kind"] == "PodDisruptionBudget"));
    assert_eq!(double.list("deployments", "")[0]["spec"]["replicas"], 1, "a plan changes nothing");
    // Rights of others.
    let other = Workload { service: kiwi_core::domain::ServiceId::generate(), ..workload.clone() };
    let stranger = request(&fixture(&runtime), &other, 1, 1);
    assert_eq!(runtime.plan(&stranger).await.unwrap_err().kind(), ErrorKind::Conflict);
    for (namespace, what) in [("default", "the cluster's own"), ("kube-system", "the cluster's own")] {
        let mut wrong = stranger.clone();
        wrong.release.namespace = Some(namespace.parse().unwrap());
        let error = runtime.plan(&wrong).await.unwrap_err();
        assert!(error.message().contains(what), "{}", error.chain());
    }
    double.put(json!({ "kind": "Namespace", "metadata": { "name": "theirs" } }));
    let mut wrong = stranger.clone();
    wrong.release.namespace = Some("theirs".parse().unwrap());
    assert!(runtime.plan(&wrong).await.unwrap_err().message().contains("belongs to somebody else"));
    let mut local = stranger;
    local.release.namespace = Some("free".parse().unwrap());
    local.release.containers[0].image =
        ImagePin::Local { reference: "kiwi.local/x:1".parse().unwrap(), id: format!("sha256:{}", "0".repeat(64)).parse().unwrap() };
    assert_eq!(runtime.plan(&local).await.unwrap_err().kind(), ErrorKind::Unsupported);
}

/// An account that may work only where it binds itself, and one that may not even do that.
#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_bound_or_named() {
    let double = Double::start(STEP);
    let runtime = runtime(&double);
    assert!(runtime.check().await.unwrap().ok());
    double.behave(Faults { forbidden: vec!["watch deployments".to_owned(), "create leases".to_owned(), "bind clusterroles".to_owned()], ..Faults::default() });
    let report = runtime.check().await.unwrap();
    let missing: Vec<&str> = report.items.iter().filter(|item| !item.ok).map(|item| item.detail.split(':').next().unwrap()).collect();
    assert_eq!(missing, ["create leases.coordination.k8s.io", "watch deployments.apps"]);
    let manifests = runtime.rbac();
    let roles = serde_json::to_string(&manifests).unwrap();
    assert!(roles.contains("kiwi-workload") && !roles.contains("\"*\""), "nothing is granted wholesale");
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_finished_runs_are_cleaned() {
    let double = Double::start(STEP);
    let runtime = runtime(&double);
    let (finished, unfinished, foreign) = (RunId::generate(), RunId::generate(), RunId::generate());
    for (run, installation) in [(&finished, "here"), (&unfinished, "here"), (&foreign, "elsewhere")] {
        let labels = json!({ "app.kubernetes.io/managed-by": "kiwi", "kiwi.dev/run": run.to_string(), "kiwi.dev/installation": installation });
        double.put(json!({ "kind": "Job", "metadata": { "name": format!("kiwi-build-{run}"), "namespace": "default", "labels": labels }, "spec": { "suspend": true } }));
    }
    let keep = Cleanup { installation: "here".to_owned(), unfinished: [unfinished.clone()].into(), ..Cleanup::default() };
    assert_eq!(runtime.clean(&keep).await.unwrap(), [format!("Job default/kiwi-build-{finished}")]);
    assert_eq!(double.list("jobs", "").len(), 2, "what another installation runs in the same cluster is its own");
}

/// A thousand services that are followed at once: one watch per kind for all of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_services_share_four_watches() {
    let many = 1000;
    let double = Double::start(Duration::from_millis(200));
    let names: Vec<Workload> = (0..many).map(|_| workload()).collect();
    // Deployed by hand, so that only the watching is measured.
    for workload in &names {
        let name = workload.name.as_str();
        let labels = json!({ "app.kubernetes.io/managed-by": "kiwi", "kiwi.dev/installation": "contract", "kiwi.dev/service-id": workload.service.as_str(),
            "kiwi.dev/environment": "development", "kiwi.dev/container": name, "kiwi.dev/role": "replica" });
        double.put(json!({ "kind": "Namespace", "metadata": { "name": name, "labels": labels } }));
        double.put(
            json!({ "kind": "Deployment", "metadata": { "name": name, "namespace": name, "labels": labels, "annotations": {} }, "spec": { "replicas": 1,
            "selector": { "matchLabels": labels }, "strategy": { "type": "RollingUpdate" },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": name, "image": "good" }] } } } }),
        );
    }
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
    };
    while double.list("deployments", "").iter().any(|deployment| deployment["status"]["availableReplicas"] != 1) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // Whoever applies follows, and a release that never becomes well keeps following. The second connection shows what following costs: the
    // first one's lists left room in the heap.
    let (mut streams, mut grown) = (Vec::new(), 0.0);
    for _ in 0..2 {
        let before = resident();
        let runtime = self::runtime(&double);
        let mut never = request(&fixture(&runtime), &workload(), 1, 1);
        never.release.containers[0].image = image("deaf");
        never.release.rollout.start_seconds = 100_000;
        let mut stream = runtime.apply(never);
        // What it tells first comes from a watch; some seconds later every list has arrived.
        while let Some(event) = stream.next().await {
            if matches!(event, Ok(DeploymentEvent::Info(_))) {
                break;
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(4), async { while stream.next().await.is_some() {} }).await;
        streams.push(stream);
        grown = resident() - before;
    }
    let watches: Vec<String> = double.requests().into_iter().filter(|request| request.contains("watch=true")).collect();
    let kinds: std::collections::BTreeSet<&str> = watches.iter().map(|request| request.split('?').next().unwrap()).collect();
    figure(&format!("{many} services"), format!("{} kinds watched, {:.1} KiB of memory for each service", kinds.len(), grown / 1024.0 / f64::from(many)));
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}
