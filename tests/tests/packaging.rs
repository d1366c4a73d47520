//! What Kiwi itself is installed with: each file is checked against the program that it starts.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use kiwi_core::wizard::{Choices, Directory, plan};
use kiwi_tests::command::Kiwi;
use kiwi_tests::double::known;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The words of a text that could be flags or variables of Kiwi.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c)));
    words.filter(|word| word.starts_with("KIWI_") || word.starts_with("--")).map(str::to_owned).collect()
}

fn assert_known(place: &str, text: &str) {
    let help = words(&Kiwi::new().run(&["serve", "--help"]).ok().out);
    let stray: Vec<_> = words(text).difference(&help).cloned().collect();
    assert!(stray.is_empty(), "{place} names {stray:?}, which `kiwi serve --help` does not know");
}

/// The instructions of a file, without comments.
fn instructions(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n")
}

fn documents() -> Vec<Value> {
    ["access", "kiwi"].iter().flat_map(|name| serde_saphyr::from_multiple::<Value>(&read(&format!("packaging/kubernetes/{name}.yaml"))).unwrap()).collect()
}

fn document(kind: &str) -> Value {
    documents().into_iter().find(|document| document["kind"] == kind && document["metadata"]["name"] == "kiwi").unwrap()
}

#[test]
fn the_dockerfile_is_what_the_wizard_writes_for_this_repository() {
    let planned = plan(&Directory::open(&path("")).unwrap(), &Choices::default()).unwrap();
    for (name, text) in [("packaging/Dockerfile", planned.dockerfile().unwrap()), (".dockerignore", planned.dockerignore())] {
        if std::env::var_os("KIWI_WRITE_DOCS").is_some() {
            std::fs::write(path(name), &text).unwrap();
        }
        assert_eq!(read(name), text, "write {name} anew with KIWI_WRITE_DOCS=1");
    }
}

#[test]
fn the_image_serves_and_is_not_root() {
    let text = read("packaging/Dockerfile");
    let last = &text[text.rfind("\nFROM ").unwrap()..];
    assert!(last.contains("\nUSER 10001:10001\n") && last.ends_with("CMD [\"/usr/local/bin/kiwi\", \"serve\"]\n"), "{last}");
    assert_known("packaging/Dockerfile", &last[..last.find("\nHEALTHCHECK").unwrap()].replace("--from", "").replace("--yes --no-install-recommends", ""));
}

#[test]
fn a_cluster_knows_every_field_of_the_manifests() {
    for document in documents() {
        known(&document).unwrap_or_else(|field| panic!("{field} of {document}"));
        // A kind that nobody looks into would let everything pass.
        let mut wrong = document.clone();
        wrong["metadata"]["nonsense"] = json!(1);
        known(&wrong).expect_err(document["kind"].as_str().unwrap());
    }
}

#[test]
fn the_manifests_fit_each_other_and_the_image() {
    let deployment = document("Deployment");
    let pod = &deployment["spec"]["template"];
    assert_eq!(deployment["spec"]["replicas"], 2);
    for selector in [
        &deployment["spec"]["selector"]["matchLabels"],
        &document("Service")["spec"]["selector"],
        &document("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ] {
        assert_eq!(*selector, pod["metadata"]["labels"]);
    }
    assert_eq!(pod["spec"]["serviceAccountName"], document("ServiceAccount")["metadata"]["name"]);
    let container = &pod["spec"]["containers"][0];
    for (probe, path) in [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"], json!({ "path": path, "port": container["ports"][0]["name"] }));
    }
    let image = read("packaging/Dockerfile");
    assert!(image.contains(&format!("\nEXPOSE {}\n", container["ports"][0]["containerPort"])));
    assert!(image.contains(&format!("\nUSER {0}:{0}\n", pod["spec"]["securityContext"]["runAsUser"])));
    let data = image.lines().find_map(|line| line.trim().strip_prefix("KIWI_DATA_DIR=")).unwrap().trim_end_matches([' ', '\\']).to_owned();
    assert!(container["volumeMounts"].as_array().unwrap().iter().any(|mount| mount["mountPath"] == data.as_str()), "{data}");
    assert_known("packaging/kubernetes/kiwi.yaml", &pod.to_string());
}

#[test]
fn the_pods_are_as_strict_as_their_namespace() {
    assert_eq!(document("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    let spec = &document("Deployment")["spec"]["template"]["spec"];
    assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
    assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let container = &spec["containers"][0];
    let strict = json!({ "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] } });
    assert_eq!(container["securityContext"], strict);
    assert!(container["resources"]["limits"]["memory"].is_string());
}

#[test]
fn the_unit_starts_what_the_command_knows() {
    let unit = instructions(&read("packaging/kiwi.service"));
    assert!(unit.contains("\nExecStart=/usr/local/bin/kiwi serve\n") && unit.contains("\nUser=kiwi\n"));
    assert_known("packaging/kiwi.service", &unit);
}
