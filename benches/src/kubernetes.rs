//! `kiwi deploy` beside `kubectl apply` and `kubectl rollout status` of the same manifests, on the cluster of `KIWI_TEST_KUBECONFIG`.

use crate::{median, row};
use kiwi_tests::cluster::Ground;
use kiwi_tests::command::{Kiwi, unique};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often each rolls out, in turn.
const TIMES: usize = 7;

pub(crate) fn measure() {
    let Some(ground) = Ground::given() else {
        row("`kiwi deploy` beside kubectl", "not measured: KIWI_TEST_KUBECONFIG names no cluster");
        return;
    };
    // Two images in turn, which the node has both: neither pulls. They listen after the first probe, so that chance does not decide whether it
    // finds them.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let images = [1, 2].map(|number| {
        runtime.block_on(ground.image(Some(&format!(
            "FROM python:3.11-slim\nENV NUMBER={number}\nCOPY app.py /app.py\nUSER 10001\nCMD [\"sh\", \"-c\", \"sleep 0.3; exec python3 /app.py\"]\n"
        ))))
    });
    let kiwi = Kiwi::new();
    kiwi.run(&["runtime", "add", "kubernetes", "cluster", "--kubeconfig", &ground.kubeconfig]).ok();
    kiwi.run_with(&["registry", "add", "reg", "--url", &ground.registry, "--username", "kiwi", "--password-stdin", "--insecure"], &ground.password).ok();
    let (ours, theirs) = (unique("ours"), unique("theirs"));
    let container = |round: usize| format!("web={}", images[round % 2].reference());
    kiwi.run(&["service", "register", &ours, "--image", &container(0), "--registry", "reg", "--port", "8080", "--health", "/"]).ok();
    kiwi.run(&["deploy", &ours, "--replicas", "2"]).ok();
    kiwi.run(&["service", "update", &ours, "--image", &container(1)]).ok();
    kiwi.run(&["deploy", &ours]).ok();
    // The same objects in another namespace, with the Secrets as they are in the cluster.
    let plan = kiwi.run(&["deploy", &ours, "--plan", "-o", "json"]).ok().json();
    let mut manifests: Vec<Value> = plan["plan"]["manifests"].as_array().unwrap().clone();
    for object in &mut manifests {
        if object["kind"] == "Secret" {
            let text = kubectl(&ground, &["--namespace", &ours, "get", "secret", object["metadata"]["name"].as_str().unwrap(), "-o", "json"], None);
            object["data"] = serde_json::from_str::<Value>(&text).unwrap()["data"].clone();
        }
        // Without our labels: a namespace that carried them would be one that the service left, and be emptied.
        let text = object.to_string().replace(&format!("\"{ours}\""), &format!("\"{theirs}\"")).replace("kiwi.dev/", "peer.dev/");
        *object = serde_json::from_str(&text.replace("managed-by\":\"kiwi\"", "managed-by\":\"peer\"")).unwrap();
    }
    let apply = |manifests: &[Value]| {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": manifests }).to_string();
        kubectl(&ground, &["apply", "--server-side", "--filename", "-"], Some(&list));
        kubectl(&ground, &["--namespace", &theirs, "rollout", "status", "deployment/web"], None);
    };
    apply(&manifests);
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for round in 0..TIMES {
        kiwi.run(&["service", "update", &ours, "--image", &container(round)]).ok();
        let begin = Instant::now();
        kiwi.run(&["deploy", &ours]).ok();
        our_times.push(begin.elapsed().as_secs_f64());
        for object in manifests.iter_mut().filter(|object| object["kind"] == "Deployment") {
            object["spec"]["template"]["spec"]["containers"][0]["image"] = images[round % 2].exact().into();
        }
        let begin = Instant::now();
        apply(&manifests);
        their_times.push(begin.elapsed().as_secs_f64());
    }
    let (our, their) = (median(&mut our_times), median(&mut their_times));
    row(
        "rollout of two replicas, `kiwi deploy` / `kubectl apply` and `rollout status` of the same manifests",
        &format!("{our:.2} / {their:.2} s = {:.2}, {:+.2} s", our / their, our - their),
    );
    kiwi.run(&["service", "remove", &ours, "--volumes"]).ok();
    kubectl(&ground, &["delete", "namespace", &theirs, "--wait=false"], None);
}

fn kubectl(ground: &Ground, arguments: &[&str], input: Option<&str>) -> String {
    let mut child = Command::new("kubectl")
        .args(["--kubeconfig", &ground.kubeconfig])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
