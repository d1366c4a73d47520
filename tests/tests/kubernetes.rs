//! The runtime and the builder on a real cluster, when one is given: see `kiwi_tests::cluster`. The figures are printed.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends by panicking, and its figures are read from its output")]

use futures_util::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, ResourceQuota, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kiwi_core::domain::{ImagePin, Replicas, Variable, Volume};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{ApplyRequest, DeploymentEvent, Runtime as _, Workload};
use kiwi_runtime::kubernetes::KubernetesRuntime;
use kiwi_tests::cluster::Ground;
use kiwi_tests::command::{Kiwi, unique};
use kiwi_tests::contract::runtime::{all, apply, request, workload};
use kiwi_tests::git::GitHost;
use kiwi_tests::load::{Addresses, Load, Plan};
use kube::api::{ListParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn figure(what: &str, value: impl std::fmt::Display) {
    println!("FIGURE {what}: {value}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_holds() {
    let Some(ground) = Ground::given() else { return };
    let runtime = KubernetesRuntime::new(ground.cluster_with(ground.helper().await));
    let image = ground.image(None).await;
    all(&ground.fixture(&runtime, image)).await;
}

/// A failure that is staged, and what Kiwi must say of it.
struct Stage {
    name: &'static str,
    change: Box<dyn Fn(&mut ApplyRequest)>,
    kind: ErrorKind,
    says: &'static str,
}

/// When the cluster itself first showed the trouble: what a person with `kubectl` could have seen.
async fn certain(client: kube::Client, namespace: String, container: String) -> Instant {
    let (pods, deployments) = (Api::<Pod>::namespaced(client.clone(), &namespace), Api::<Deployment>::namespaced(client, &namespace));
    loop {
        let bad = |pod: &Pod| {
            let status = pod.status.clone().unwrap_or_default();
            let unschedulable = status.conditions.iter().flatten().any(|condition| condition.reason.as_deref() == Some("Unschedulable"));
            let broken = status.container_statuses.iter().flatten().any(|status| {
                let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref()).and_then(|waiting| waiting.reason.clone());
                let ended = status.last_state.as_ref().and_then(|state| state.terminated.as_ref()).is_some();
                ended || waiting.is_some_and(|reason| !["ContainerCreating", "PodInitializing"].contains(&reason.as_str()))
            });
            unschedulable || broken
        };
        let seen = pods.list(&ListParams::default()).await.is_ok_and(|pods| pods.items.iter().any(bad));
        let refused = deployments.get_opt(&container).await.ok().flatten().and_then(|found| found.status).and_then(|status| status.conditions);
        let refused = refused
            .unwrap_or_default()
            .iter()
            .any(|c| (c.type_ == "ReplicaFailure" && c.status == "True") || c.reason.as_deref() == Some("ProgressDeadlineExceeded"));
        if seen || refused {
            return Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How long ago it was certain; no time when it was told, and undone, between two looks.
async fn since(seen: tokio::task::JoinHandle<Instant>) -> Duration {
    tokio::time::timeout(Duration::from_secs(1), seen).await.map_or(Duration::ZERO, |seen| seen.unwrap().elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_is_told_and_undone() {
    let Some(ground) = Ground::given() else { return };
    let runtime = KubernetesRuntime::new(ground.cluster());
    let good = ground.image(None).await;
    let crash = ground.image(Some("FROM python:3.11-slim\nUSER 10001\nCMD [\"sh\", \"-c\", \"echo no database; exit 3\"]\n")).await;
    let memory = ground.image(Some("FROM python:3.11-slim\nUSER 10001\nCMD [\"python3\", \"-c\", \"x = bytearray(900 * 1024 * 1024)\"]\n")).await;
    let program = ground.image(Some("FROM python:3.11-slim\nUSER 10001\nCMD [\"/nowhere\"]\n")).await;
    let deaf = ground.image(Some("FROM python:3.11-slim\nUSER 10001\nCMD [\"sleep\", \"600\"]\n")).await;
    let missing = match good.clone() {
        ImagePin::Registry { reference, registry, .. } => {
            ImagePin::Registry { reference, digest: format!("sha256:{}", "1".repeat(64)).parse().unwrap(), registry }
        }
        other => other,
    };
    let unreachable = ImagePin::Registry {
        reference: "registry.invalid:5000/none:1".parse().unwrap(),
        digest: format!("sha256:{}", "1".repeat(64)).parse().unwrap(),
        registry: None,
    };
    let with = |image: ImagePin| -> Box<dyn Fn(&mut ApplyRequest)> { Box::new(move |request| request.release.containers[0].image = image.clone()) };
    let stages = [
        Stage { name: "an image that is not there", change: with(missing), kind: ErrorKind::ImageUnavailable, says: "there is no such image" },
        Stage {
            name: "no credentials for the image",
            change: Box::new(|request| {
                request.registries.clear();
                // Another image than the node holds already.
                request.release.rollout.start_seconds = 61;
            }),
            kind: ErrorKind::ImageUnavailable,
            says: "does not give the image",
        },
        Stage { name: "a registry that is not there", change: with(unreachable), kind: ErrorKind::ImageUnavailable, says: "cannot be reached" },
        Stage { name: "a program that crashes", change: with(crash), kind: ErrorKind::Unhealthy, says: "ends again and again (exit code 3)" },
        Stage { name: "too little memory", change: with(memory), kind: ErrorKind::Unhealthy, says: "killed for want of memory" },
        Stage { name: "a program that is not there", change: with(program), kind: ErrorKind::Unhealthy, says: "cannot be started" },
        Stage {
            name: "a probe that fails",
            change: Box::new(move |request| {
                request.release.containers[0].image = deaf.clone();
                request.release.rollout.start_seconds = 6;
            }),
            kind: ErrorKind::Unhealthy,
            says: "never answers",
        },
        Stage {
            name: "more CPU than any node has",
            change: Box::new(|request| request.release.containers[0].resources.cpu = "900:900".parse().unwrap()),
            kind: ErrorKind::Unhealthy,
            says: "no node can take the pod",
        },
        Stage {
            name: "a volume without a class",
            change: Box::new(|request| {
                request.release.containers[0].volumes = vec![Volume { mount_path: "/data".parse().unwrap(), size: "1Gi".parse().unwrap() }];
            }),
            kind: ErrorKind::Unhealthy,
            says: "is not bound",
        },
    ];
    for stage in stages {
        let workload = workload();
        let fixture = ground.fixture(&runtime, good.clone());
        let live = request(&fixture, &workload, 1, 1);
        let mut next = request(&fixture, &workload, 2, 2);
        next.release.containers[0].variables.insert("CHANGED".parse().unwrap(), Variable::Plain("yes".to_owned()));
        next.release.rollout.start_seconds = 60;
        (stage.change)(&mut next);
        let before = stage.name != "no credentials for the image" && stage.name != "a volume without a class";
        if before {
            apply(&runtime, live.clone()).await.unwrap();
        }
        if stage.name == "no credentials for the image" {
            next.release.containers[0].image = ground.image(Some("FROM python:3.11-slim\nUSER 10001\nCMD [\"sleep\", \"1\"]\n")).await;
        }
        let seen = tokio::spawn(certain(ground.client().await, workload.name.to_string(), workload.name.to_string()));
        let error = apply(&runtime, next.clone()).await.unwrap_err();
        let late = since(seen).await;
        figure(
            &format!("{}: from certain to told", stage.name),
            format!("{:.1} s: {}", late.as_secs_f64(), error.message().chars().take(160).collect::<String>()),
        );
        assert_eq!(error.kind(), stage.kind, "{}: {}", stage.name, error.chain());
        assert!(error.message().contains(stage.says), "{}: {}", stage.name, error.chain());
        assert!(!error.hint().is_empty());
        let status = runtime.status(&workload, before.then_some(&live.release)).await.unwrap();
        assert_eq!(status.revision, before.then_some(1), "{}", stage.name);
        assert_eq!(status.drift, Vec::<String>::new(), "{}: the old release is whole", stage.name);
        runtime.remove(&workload, true).await.unwrap();
    }
}

/// What an admin of the cluster forbids.
#[tokio::test(flavor = "multi_thread")]
async fn quotas_and_pod_security_are_told() {
    let Some(ground) = Ground::given() else { return };
    let (runtime, client) = (KubernetesRuntime::new(ground.cluster()), ground.client().await);
    let image = ground.image(None).await;
    let root = ground.image(Some("FROM python:3.11-slim\nCOPY app.py /app.py\nCMD [\"python3\", \"/app.py\"]\n")).await;
    let workload = workload();
    let fixture = ground.fixture(&runtime, image);
    apply(&runtime, request(&fixture, &workload, 1, 1)).await.unwrap();

    let quotas = Api::<ResourceQuota>::namespaced(client.clone(), workload.name.as_str());
    let quota = serde_json::from_value(json!({ "metadata": { "name": "small" }, "spec": { "hard": { "requests.cpu": "150m" } } })).unwrap();
    quotas.create(&PostParams::default(), &quota).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let seen = tokio::spawn(certain(client.clone(), workload.name.to_string(), workload.name.to_string()));
    let error = apply(&runtime, request(&fixture, &workload, 2, 2)).await.unwrap_err();
    figure("a quota: from certain to told", format!("{:.1} s: {}", since(seen).await.as_secs_f64(), error.message()));
    assert!(error.kind() == ErrorKind::Conflict && error.message().contains("exceeded quota"), "{}", error.chain());
    quotas.delete("small", &Default::default()).await.unwrap();

    // An image that runs as root is let in with the baseline standard, and a release of before tightens it again.
    let mut as_root = request(&fixture, &workload, 3, 3);
    as_root.release.containers[0].image = root;
    apply(&runtime, as_root).await.unwrap();
    apply(&runtime, request(&fixture, &workload, 4, 4)).await.unwrap();
    let namespace = Api::<k8s_openapi::api::core::v1::Namespace>::all(client.clone()).get(workload.name.as_str()).await.unwrap();
    assert_eq!(namespace.metadata.labels.unwrap()["pod-security.kubernetes.io/enforce"], "restricted");
    runtime.remove(&workload, true).await.unwrap();
}

/// The addresses of a Service's ready pods, as a proxy knows them that hears of changes two seconds late.
async fn endpoints(client: kube::Client, namespace: String, addresses: Addresses) {
    let api = Api::<EndpointSlice>::namespaced(client, &namespace);
    let mut pending: Vec<(Instant, Vec<SocketAddr>)> = Vec::new();
    loop {
        let slices = api.list(&ListParams::default()).await.unwrap();
        let mut now: Vec<SocketAddr> = Vec::new();
        for endpoint in slices.items.into_iter().flat_map(|slice| slice.endpoints) {
            if endpoint.conditions.and_then(|conditions| conditions.ready) == Some(true) {
                now.extend(endpoint.addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 8080)));
            }
        }
        now.sort();
        if pending.last().map(|(_, known)| known) != Some(&now) {
            pending.push((Instant::now(), now));
        }
        // The next change counts when it is two seconds old too.
        while pending.get(1).is_some_and(|(since, _)| since.elapsed() > Duration::from_secs(2)) {
            pending.remove(0);
        }
        let (since, known) = &pending[0];
        if since.elapsed() > Duration::from_secs(2) || addresses.lock().unwrap().is_empty() {
            addresses.lock().unwrap().clone_from(known);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn under_load(ground: &Ground, drain: u32, enough: u64) -> (u64, u64, Vec<String>) {
    let runtime = KubernetesRuntime::new(ground.cluster());
    let image = ground.image(None).await;
    let workload = workload();
    let fixture = ground.fixture(&runtime, image);
    let make = |revision: u64, greeting: &str| {
        let mut made = request(&fixture, &workload, revision, revision);
        made.release.containers[0].replicas = Replicas::TWO;
        made.release.containers[0].variables.insert("GREETING".parse().unwrap(), Variable::Plain(greeting.to_owned()));
        made.release.rollout.drain_seconds = drain;
        made.release.rollout.stop_seconds = if drain == 0 { 1 } else { 5 };
        made.release.rollout.start_seconds = 30;
        made.fresh = false;
        made
    };
    apply(&runtime, make(1, "one")).await.unwrap();
    let addresses: Addresses = Arc::new(Mutex::new(Vec::new()));
    let follower = tokio::spawn(endpoints(ground.client().await, workload.name.to_string(), addresses.clone()));
    while addresses.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let plan = Plan { keep_alive: 30, fresh: 6, slow: 0, latency: Duration::ZERO, pause: Duration::from_millis(25) };
    let load = Load::on(addresses, plan);
    let mut revision = 1;
    let mut step = async |change: &dyn Fn(u64) -> ApplyRequest| {
        revision += 1;
        apply(&runtime, change(revision)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
    };
    loop {
        // A deployment, a change of configuration, a restart, and a rollback: all the same careful way.
        step(&|revision| make(revision, "two")).await;
        step(&|revision| make(revision, "three")).await;
        step(&|revision| ApplyRequest { fresh: true, ..make(revision, "three") }).await;
        step(&|revision| make(revision, "one")).await;
        if load.answered() >= enough {
            break;
        }
    }
    let tally = tokio::task::spawn_blocking(move || load.finish()).await.unwrap();
    follower.abort();
    runtime.remove(&workload, true).await.unwrap();
    let count = |number: &std::sync::atomic::AtomicU64| number.load(std::sync::atomic::Ordering::Relaxed);
    let reasons = tally.reasons.lock().unwrap().clone();
    (count(&tally.answered), count(&tally.failed), reasons)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost() {
    let Some(ground) = Ground::given() else { return };
    let (answered, failed, reasons) = under_load(&ground, 12, 20_000).await;
    figure("requests through the pods' endpoints during deploy, configuration change, restart and rollback", format!("{failed} failed of {answered}"));
    assert_eq!(failed, 0, "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_without_a_pause_before_the_end_loses_requests() {
    let Some(ground) = Ground::given() else { return };
    let (answered, failed, _) = under_load(&ground, 0, 1).await;
    figure("the control without preStop", format!("{failed} failed of {answered}"));
    assert!(failed > 0, "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_dropped_anywhere_is_finished_or_undone() {
    let Some(ground) = Ground::given() else { return };
    let runtime = KubernetesRuntime::new(ground.cluster());
    let image = ground.image(None).await;
    let workload = workload();
    let fixture = ground.fixture(&runtime, image);
    apply(&runtime, request(&fixture, &workload, 1, 1)).await.unwrap();
    let mut live = 1;
    for round in 0..10u64 {
        let next = request(&fixture, &workload, 2 + round, 2 + round * 3);
        let mut stream = runtime.apply(next.clone());
        let enough = tokio::time::sleep(Duration::from_millis(20 + round * 90));
        tokio::pin!(enough);
        loop {
            tokio::select! {
                _ = &mut enough => break,
                event = stream.next() => if event.is_none() { break },
            }
        }
        drop(stream);
        let again = ApplyRequest { fence: kiwi_core::provider::Fence { epoch: 3 + round * 3, owner: "second".into(), ..next.fence.clone() }, ..next.clone() };
        if round % 2 == 0 {
            apply(&runtime, again).await.unwrap();
            live = next.release.revision;
        } else if runtime.abort(&again).await.unwrap() == kiwi_core::provider::Aborted::AlreadyLive {
            live = next.release.revision;
        }
        let status = runtime.status(&workload, None).await.unwrap();
        assert_eq!(status.revision, Some(live), "round {round}");
        assert_eq!(status.drift, Vec::<String>::new(), "round {round}");
        let secrets = Api::<Secret>::namespaced(ground.client().await, workload.name.as_str()).list(&ListParams::default()).await.unwrap();
        let ours = secrets.items.iter().filter(|secret| secret.immutable == Some(true)).count();
        assert_eq!(ours, 1, "round {round}: a Secret is left");
    }
    runtime.remove(&workload, true).await.unwrap();
}

/// Somebody else's changes are told, and taken back on request.
#[tokio::test(flavor = "multi_thread")]
async fn fields_of_others_are_told_with_their_owner() {
    let Some(ground) = Ground::given() else { return };
    let runtime = KubernetesRuntime::new(ground.cluster());
    let workload = workload();
    let fixture = ground.fixture(&runtime, ground.image(None).await);
    let first = request(&fixture, &workload, 1, 1);
    apply(&runtime, first.clone()).await.unwrap();
    let deployments = Api::<Deployment>::namespaced(ground.client().await, workload.name.as_str());
    let scale = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": workload.name.as_str() }, "spec": { "replicas": 3 } });
    let foreign = kube::api::PatchParams::apply("somebody").force();
    deployments.patch(workload.name.as_str(), &foreign, &kube::api::Patch::Apply(&scale)).await.unwrap();
    let status = runtime.status(&workload, Some(&first.release)).await.unwrap();
    assert!(status.drift.iter().any(|drift| drift.contains("replicas: 3 -> 1")), "{:?}", status.drift);
    let gentle = ApplyRequest { fresh: false, ..request(&fixture, &workload, 2, 2) };
    let error: Error = runtime.plan(&gentle).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.message().contains("spec.replicas") && error.message().contains("somebody"), "{}", error.chain());
    assert_eq!(apply(&runtime, gentle.clone()).await.unwrap_err().kind(), ErrorKind::Conflict);
    runtime.abort(&gentle).await.unwrap();
    let replicas = async || deployments.get(workload.name.as_str()).await.unwrap().spec.unwrap().replicas;
    assert_eq!(replicas().await, Some(3), "what is refused changes nothing");
    // What is added beats Kiwi's own variables: it is told as drift, and by a deployment that leaves it.
    let name = workload.name.as_str();
    kubectl(&ground, &["--namespace", name, "set", "env", &format!("deployment/{name}"), "HACK=1"], "");
    let back = json!({ "spec": { "replicas": 1 } });
    deployments
        .patch(name, &kube::api::PatchParams { field_manager: Some("kiwi".to_owned()), ..Default::default() }, &kube::api::Patch::Merge(&back))
        .await
        .unwrap();
    let added = format!("Deployment {name}: spec.template.spec.containers[{name}].env was added by kubectl-set");
    let drift = runtime.status(&workload, Some(&first.release)).await.unwrap().drift;
    assert!(drift.contains(&added), "{drift:?}");
    let mut events = runtime.apply(ApplyRequest { fresh: false, ..request(&fixture, &workload, 3, 3) });
    let mut warned = false;
    while let Some(event) = events.next().await {
        warned |= matches!(event.unwrap(), DeploymentEvent::Warning(text) if text.starts_with(&added));
    }
    assert!(warned);
    let restart = request(&fixture, &workload, 4, 4);
    apply(&runtime, restart.clone()).await.unwrap();
    let live = deployments.get(name).await.unwrap().spec.unwrap().template.spec.unwrap();
    assert_eq!(live.containers[0].env.clone().unwrap_or_default(), []);
    let pull = Api::<Secret>::namespaced(ground.client().await, name);
    pull.delete("kiwi-pull", &Default::default()).await.unwrap();
    let drift = runtime.status(&workload, Some(&restart.release)).await.unwrap().drift;
    assert_eq!(drift, ["Secret kiwi-pull is gone; new pods cannot start without it"]);
    apply(&runtime, request(&fixture, &workload, 5, 5)).await.unwrap();
    let restart = request(&fixture, &workload, 5, 5);
    assert_eq!(runtime.status(&workload, Some(&restart.release)).await.unwrap().drift, Vec::<String>::new());
    // Another workload may not have the namespace, nor the host.
    let other = Workload { service: kiwi_core::domain::ServiceId::generate(), ..workload.clone() };
    let error = runtime.plan(&request(&fixture, &other, 1, 1)).await.unwrap_err();
    assert!(error.message().contains("belongs to service"), "{}", error.chain());
    let mut elsewhere = request(&fixture, &other, 1, 1);
    elsewhere.release.namespace = Some(unique("elsewhere").parse().unwrap());
    let error = runtime.plan(&elsewhere).await.unwrap_err();
    assert!(error.message().contains("is routed to the namespace"), "{}", error.chain());
    runtime.remove(&workload, true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_answers_and_gets_no_traffic() {
    let Some(ground) = Ground::given() else { return };
    let runtime = KubernetesRuntime::new(ground.cluster());
    let workload = workload();
    let fixture = ground.fixture(&runtime, ground.image(None).await);
    apply(&runtime, request(&fixture, &workload, 1, 1)).await.unwrap();
    let next = request(&fixture, &workload, 2, 2);
    let candidate = runtime.candidate(&next).await.unwrap();
    let answer = reqwest::get(candidate.endpoint.unwrap()).await.unwrap().text().await.unwrap();
    assert!(answer.starts_with("shop 1"), "{answer}");
    let slices = Api::<EndpointSlice>::namespaced(ground.client().await, workload.name.as_str()).list(&ListParams::default()).await.unwrap();
    assert_eq!(slices.items.iter().flat_map(|slice| slice.endpoints.iter()).count(), 1, "only the live replica is an endpoint");
    runtime.remove_candidate(&next).await.unwrap();
    runtime.remove_candidate(&next).await.unwrap();
    let mut lines = runtime.logs(kiwi_core::provider::LogQuery { workload: workload.clone(), container: None, follow: false, tail: None, since: None });
    assert!(lines.next().await.unwrap().unwrap().line.contains("listens"));
    let mut events = runtime.apply(next);
    while let Some(event) = events.next().await {
        if let DeploymentEvent::Warning(text) = event.unwrap() {
            panic!("{text}");
        }
    }
    runtime.remove(&workload, true).await.unwrap();
}

/// A commit of a private repository is built by Kaniko, tested, pushed, deployed, updated and rolled back, by the command.
#[test]
fn a_commit_is_built_in_the_cluster_and_deployed() {
    let Some(ground) = Ground::given() else { return };
    let Some(kaniko) = Ground::kaniko() else {
        println!("not run: KIWI_TEST_KANIKO_IMAGE names no image");
        return;
    };
    let machine: std::net::Ipv4Addr = ground.registry.split(':').next().unwrap().parse().unwrap();
    let host = GitHost::start_at(machine, Some("s3cr3t-token"));
    let repository = host.create("shop");
    let base = format!("FROM {}/python:3.11-slim\n", ground.registry);
    let dockerfile = format!("{base}WORKDIR /app\nCOPY *.py ./\nUSER 10001:10001\nEXPOSE 8080\nCMD [\"python3\", \"app.py\"]\n");
    ground.base_image("python:3.11-slim");
    let write = |version: &str| {
        kiwi_tests::sample::write(repository.folder(), version);
        std::fs::write(repository.folder().join("Dockerfile"), &dockerfile).unwrap();
        repository.push("main")
    };
    let first = write("1");
    let kiwi = Kiwi::new();
    let add = ["runtime", "add", "kubernetes", "cluster", "--kubeconfig", &ground.kubeconfig, "--kaniko-image", &kaniko, "--build-memory", "2Gi"];
    kiwi.run(&add).ok();
    kiwi.run_with(&["registry", "add", "reg", "--url", &ground.registry, "--username", "kiwi", "--password-stdin", "--insecure"], &ground.password).ok();
    let name = unique("built");
    let (url, routed) = (host.url("shop"), format!("{name}.example.com"));
    let register = [
        &["service", "register", &name, "--git", &url, "--token-stdin", "--registry", "reg", "--port", "8080", "--health", "/"][..],
        &["--ingress-path", "/", "--host", &routed, "--test", "grep -q shop app.py"],
    ];
    kiwi.run_with(&register.concat(), "s3cr3t-token").ok();
    let begin = Instant::now();
    let run = kiwi.run(&["run", &name, "-o", "json"]).ok();
    let result = run.json();
    figure("a private commit, built by Kaniko, tested and deployed", format!("{:.0} s", begin.elapsed().as_secs_f64()));
    assert_eq!((result["status"].as_str(), result["commit"].as_str()), (Some("live"), Some(first.as_str())), "{}", run.err);
    assert!(!run.err.contains("s3cr3t-token") && !run.out.contains("s3cr3t-token"));
    assert_eq!(result["url"], format!("http://{name}.example.com/"));
    let cli = |arguments: &[&str]| {
        let output = std::process::Command::new("kubectl").args(["--kubeconfig", &ground.kubeconfig]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let answer = |namespace: &str| {
        let address = cli(&[
            "--namespace",
            namespace,
            "get",
            "pods",
            "--field-selector",
            "status.phase=Running",
            "--sort-by=.metadata.creationTimestamp",
            "-o",
            "jsonpath={.items[-1:].status.podIP}",
        ]);
        reqwest::blocking::get(format!("http://{address}:8080/")).unwrap().text().unwrap()
    };
    assert!(answer(&name).starts_with("shop 1"));
    // Other tests build there too.
    let left = cli(&["--namespace", "kiwi-builds", "get", "jobs,secrets,configmaps", "-l", "app.kubernetes.io/managed-by=kiwi", "-o", "name"]);
    let run = result["run"].as_str().unwrap();
    assert!(!left.contains(run), "something of the build is left: {left}");
    write("2");
    let begin = Instant::now();
    assert_eq!(kiwi.run(&["run", &name, "-o", "json"]).ok().json()["status"], "live");
    figure("the second commit", format!("{:.0} s", begin.elapsed().as_secs_f64()));
    assert!(answer(&name).starts_with("shop 2"));
    assert_eq!(kiwi.run(&["rollback", &name, "-o", "json"]).ok().json()["status"], "live");
    assert!(answer(&name).starts_with("shop 1"));
    // What a build says when it fails, and what is left of it.
    std::fs::write(repository.folder().join("Dockerfile"), format!("{base}RUN echo to the log && exit 7\n")).unwrap();
    repository.push("main");
    let broken = kiwi.run(&["build", &name]);
    assert!(broken.code == 1 && broken.err.contains("a step of the Dockerfile failed"), "{}", broken.err);
    std::fs::write(repository.folder().join("Dockerfile"), format!("FROM {}/nothing:1\n", ground.registry)).unwrap();
    repository.push("main");
    let broken = kiwi.run(&["build", &name]);
    assert!(broken.code == 1 && broken.err.contains("a base image cannot be pulled"), "{}", broken.err);
    kiwi.run(&["service", "update", &name, "--dockerfile", "nope/Dockerfile"]).ok();
    let broken = kiwi.run(&["build", &name]);
    assert!(broken.code == 1 && broken.err.contains("the repository has no such Dockerfile"), "{}", broken.err);
    assert_eq!(cli(&["--namespace", "kiwi-builds", "get", "jobs,secrets,configmaps", "-l", "app.kubernetes.io/managed-by=kiwi", "-o", "name"]), "");
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
    assert_eq!(cli(&["get", "namespace", &name, "--ignore-not-found", "-o", "name"]), "");
}

/// Every Job that a run ever had, by its name: a second one of the same name would be a build that was done twice.
async fn jobs_of(client: kube::Client, seen: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>) {
    let api = Api::<Job>::namespaced(client, "kiwi-builds");
    loop {
        for job in api.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default() {
            seen.lock().unwrap().entry(job.name_any()).or_default().insert(job.uid().unwrap_or_default());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// `kill -9` at seeded points of build and deployment; with KIWI_TEST_FULL=yes at 50 of them.
#[test]
fn a_killed_run_is_resumed_with_one_job_and_one_rollout() {
    let (Some(ground), Some(kaniko)) = (Ground::given(), Ground::kaniko()) else { return };
    let points = if std::env::var("KIWI_TEST_FULL").is_ok_and(|value| value == "yes") { 50 } else { 4 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let seen: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>> = Arc::default();
    let client = runtime.block_on(ground.client());
    let watching = runtime.spawn(jobs_of(client.clone(), seen.clone()));
    let machine: std::net::Ipv4Addr = ground.registry.split(':').next().unwrap().parse().unwrap();
    let host = GitHost::start_at(machine, Some("s3cr3t-token"));
    let repository = host.create("shop");
    ground.base_image("python:3.11-slim");
    let dockerfile = format!("FROM {}/python:3.11-slim\nWORKDIR /app\nCOPY *.py ./\nUSER 10001:10001\nCMD [\"python3\", \"app.py\"]\n", ground.registry);
    let write = |version: &str| {
        kiwi_tests::sample::write(repository.folder(), version);
        std::fs::write(repository.folder().join("Dockerfile"), &dockerfile).unwrap();
        repository.push("main")
    };
    write("0");
    let kiwi = Kiwi::new().env("KIWI_LEASE_SECONDS", "2");
    kiwi.run(&["runtime", "add", "kubernetes", "cluster", "--kubeconfig", &ground.kubeconfig, "--kaniko-image", &kaniko, "--build-memory", "2Gi"]).ok();
    kiwi.run_with(&["registry", "add", "reg", "--url", &ground.registry, "--username", "kiwi", "--password-stdin", "--insecure"], &ground.password).ok();
    let (name, url) = (unique("killed"), host.url("shop"));
    let register = ["service", "register", &name, "--git", &url, "--token-stdin", "--registry", "reg", "--port", "8080", "--health", "/"];
    kiwi.run_with(&register, "s3cr3t-token").ok();
    let begin = Instant::now();
    kiwi.run(&["run", &name]).ok();
    let whole = begin.elapsed();
    let mut killed = 0;
    let mut point = 0;
    // A time after the end kills nobody and does not count.
    while killed < points && point < 4 * points {
        point += 1;
        let commit = write(&format!("point {point}"));
        let mut child = kiwi.start(&["run", &name]);
        // Seeded, and all over the time that a run takes.
        std::thread::sleep(whole.mul_f64(((point * 37 + 11) % 100) as f64 / 100.0));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        let mut status = String::new();
        for _ in 0..60 {
            kiwi.run(&["runs", "resume"]);
            let runs = kiwi.run(&["runs", "list", "-o", "json"]).ok().json();
            status = runs[0]["status"].as_str().unwrap_or_default().to_owned();
            if status == "succeeded" || status == "failed" || runs[0]["commit"].as_str().is_some_and(|other| other != commit) {
                break;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(status, "succeeded", "point {point}");
        let live = kiwi.run(&["status", &name, "-o", "json"]).ok().json();
        assert_eq!(live["drift"], json!([]), "point {point}: {live}");
    }
    figure("kill -9 at seeded points of build and deployment, all resumed", format!("{killed} of {point} came before the end"));
    assert_eq!(killed, points);
    let history = kiwi.run(&["history", &name, "-o", "json"]).ok().json();
    let commits: Vec<&str> = history.as_array().unwrap().iter().filter_map(|entry| entry["commit"].as_str()).collect();
    let distinct: BTreeSet<&&str> = commits.iter().collect();
    assert_eq!(commits.len(), distinct.len(), "one rollout for each commit: {history}");
    let twice: Vec<_> = seen.lock().unwrap().iter().filter(|(_, uids)| uids.len() > 1).map(|(name, _)| name.clone()).collect();
    assert_eq!(twice, Vec::<String>::new(), "a build was done twice");
    watching.abort();
    let left = runtime.block_on(async {
        let secrets = Api::<Secret>::namespaced(client.clone(), "kiwi-builds").list(&ListParams::default()).await.unwrap().items.len();
        let mine = Api::<Secret>::namespaced(client.clone(), &name).list(&ListParams::default()).await.unwrap();
        (secrets, mine.items.iter().filter(|secret| secret.immutable == Some(true)).count())
    });
    assert_eq!(left, (0, 1), "no Secret is left behind");
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
}

fn kubectl(ground: &Ground, arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child =
        Command::new("kubectl").args(["--kubeconfig", &ground.kubeconfig]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "kubectl {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What `kiwi runtime rbac` prints is enough for a whole life of a service of two containers, and reads no Secret elsewhere.
#[test]
fn the_printed_roles_are_enough_and_no_more() {
    let Some(ground) = Ground::given() else { return };
    let image = tokio::runtime::Runtime::new().unwrap().block_on(ground.image(None));
    let kiwi = Kiwi::new();
    kiwi.run(&["runtime", "add", "kubernetes", "admin", "--kubeconfig", &ground.kubeconfig]).ok();
    let roles = kiwi.run(&["runtime", "rbac", "admin"]).ok().out;
    kubectl(&ground, &["apply", "--filename", "-"], &roles);
    let token = kubectl(&ground, &["--namespace", "kiwi", "create", "token", "kiwi"], "");
    let mut config: serde_json::Value = serde_json::from_str(&kubectl(&ground, &["config", "view", "--raw", "--minify", "-o", "json"], "")).unwrap();
    config["users"][0]["user"] = json!({ "token": token });
    let least = kiwi.folder().join("least.json");
    std::fs::write(&least, config.to_string()).unwrap();
    kiwi.run(&["runtime", "add", "kubernetes", "least", "--kubeconfig", least.to_str().unwrap()]).ok();
    let check = kiwi.run(&["runtime", "check", "least"]).ok();
    assert!(check.out.contains("where it binds them to itself"), "{}", check.out);
    kiwi.run_with(&["registry", "add", "reg", "--url", &ground.registry, "--username", "kiwi", "--password-stdin", "--insecure"], &ground.password).ok();
    let (name, file) = (unique("least"), kiwi.folder().join("service.json"));
    let (reference, tag) = image.reference().to_string().rsplit_once(':').map(|(name, tag)| (name.to_owned(), tag.to_owned())).unwrap();
    let container = |name: &str, rest: serde_json::Value| {
        let mut container = json!({ "name": name, "image": reference, "tag": tag, "port": 8080, "health": "/" });
        container.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        container
    };
    let service = json!({ "name": name, "runtime": "least", "build": { "registry": "reg" }, "containers": [
        container("web", json!({ "ingressPath": "/", "host": format!("{name}.example.com"), "environment": { "GREETING": "hi" } })),
        container("inner", json!({ "isInternal": true, "replicas": 1 })),
    ] });
    std::fs::write(&file, service.to_string()).unwrap();
    kiwi.run(&["service", "register", &name, "--file", file.to_str().unwrap()]).ok();
    let deployed = kiwi.run(&["deploy", &name, "--replicas", "2", "-o", "json"]).ok().json();
    assert_eq!((deployed["status"].as_str(), deployed["containers"].as_array().map(Vec::len)), (Some("live"), Some(2)), "{deployed}");
    assert_eq!(
        kubectl(&ground, &["--namespace", &name, "get", "ingress", "-o", "jsonpath={.items[*].metadata.name}"], ""),
        "web",
        "the internal one is not routed"
    );
    let before = kubectl(&ground, &["--namespace", &name, "get", "pods", "-l", "kiwi.dev/container=inner", "-o", "name"], "");
    // A secret for one container alone: the other keeps its pods.
    kiwi.run_with(&["config", &name, "--secret", "PASSWORD"], "hunter22").ok();
    let shown = kiwi.run(&["status", &name, "-o", "json"]).ok();
    assert_eq!(shown.json()["drift"], json!([]), "{}", shown.out);
    assert!(!before.is_empty());
    kiwi.run(&["rollback", &name]).ok();
    assert!(kiwi.run(&["logs", &name]).ok().out.contains("listens"));
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
    let kubeconfig = least.to_str().unwrap().to_owned();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let ground = Ground { kubeconfig, registry: ground.registry.clone(), password: ground.password.clone() };
        let runtime = KubernetesRuntime::new(ground.cluster_with(ground.helper().await));
        let fixture = ground.fixture(&runtime, image);
        kiwi_tests::contract::runtime::tasks(&fixture).await;
        let candidate = request(&fixture, &workload(), 1, 1);
        let endpoint = runtime.candidate(&candidate).await.unwrap().endpoint.unwrap();
        assert!(reqwest::get(endpoint).await.unwrap().status().is_success());
        runtime.remove_candidate(&candidate).await.unwrap();
        runtime.remove(&candidate.workload, true).await.unwrap();
    });
    let may = |arguments: &[&str]| {
        let output = std::process::Command::new("kubectl").args(["--kubeconfig", least.to_str().unwrap(), "auth", "can-i"]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(
        (may(&["get", "secrets", "-A"]), may(&["create", "pods", "-n", "kube-system"]), may(&["create", "clusterroles"])),
        ("no".into(), "no".into(), "no".into())
    );
    assert_eq!(kubectl(&ground, &["get", "namespace", &name, "--ignore-not-found", "-o", "name"], ""), "");
}

/// Lines of all replicas, through a restart of the program and a replacement of the pod, each once.
#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_through_restarts_and_replacements() {
    let Some(ground) = Ground::given() else { return };
    let runtime = KubernetesRuntime::new(ground.cluster());
    let workload = workload();
    let fixture = ground.fixture(&runtime, ground.image(None).await);
    apply(&runtime, request(&fixture, &workload, 1, 1)).await.unwrap();
    let query = kiwi_core::provider::LogQuery { workload: workload.clone(), container: None, follow: true, tail: None, since: None };
    let (mut lines, seen) = (runtime.logs(query), Arc::new(Mutex::new(Vec::new())));
    let reading = tokio::spawn({
        let seen = seen.clone();
        async move {
            while let Some(line) = lines.next().await {
                let line = line.unwrap();
                seen.lock().unwrap().push(format!("{} {}", line.replica, line.line));
            }
        }
    });
    let listens = || seen.lock().unwrap().iter().filter(|line| line.ends_with("listens")).count();
    let until = async |count: usize| {
        for _ in 0..200 {
            if listens() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    until(1).await;
    let pod = kubectl(&ground, &["--namespace", workload.name.as_str(), "get", "pods", "-o", "name"], "");
    kubectl(&ground, &["--namespace", workload.name.as_str(), "exec", &pod, "--", "python3", "-c", "import os, signal; os.kill(1, signal.SIGTERM)"], "");
    until(2).await;
    assert_eq!(listens(), 2, "the program of the same pod began again: {:?}", seen.lock().unwrap());
    apply(&runtime, request(&fixture, &workload, 2, 2)).await.unwrap();
    until(3).await;
    assert_eq!(listens(), 3, "each line once: {:?}", seen.lock().unwrap());
    reading.abort();
    runtime.remove(&workload, true).await.unwrap();
}
