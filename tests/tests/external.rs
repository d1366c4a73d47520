//! Tools of other people: named to `kiwi scan`, and as a task on Docker.
//!
//! `KIWI_TEST_BANDIT` names a real Bandit, `bin/bandit` in the folder of its packages.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends by panicking, and says what it left out")]

use k8s_openapi::api::batch::v1::Job;
use kiwi_core::domain::{EnvironmentName, ImagePin, ScanKind, ScanReport, ServiceId};
use kiwi_core::provider::{Runtime, ScanTarget, Scanner as _, Workload};
use kiwi_runtime::docker::{DockerConfig, DockerRuntime, Engine};
use kiwi_runtime::kubernetes::KubernetesRuntime;
use kiwi_scan::external::{ExternalScanner, Tool, ToolTask, ToolVersion, tools};
use kiwi_tests::cluster::Ground;
use kiwi_tests::command::{Kiwi, docker, leftovers};
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

fn bandit() -> Option<PathBuf> {
    let program = std::env::var_os("KIWI_TEST_BANDIT");
    if program.is_none() {
        println!("KIWI_TEST_BANDIT names no program: not run");
    }
    program.map(PathBuf::from)
}

fn tree(folder: &Path) -> PathBuf {
    let tree = folder.join("tree");
    std::fs::create_dir_all(tree.join("app")).unwrap();
    std::fs::write(tree.join("app/shop.py"), "import subprocess\n\n\ndef show(name):\n    subprocess.run('ls ' + name, shell=True)\n").unwrap();
    tree
}

#[test]
fn a_tool_is_run_besides_what_kiwi_has() {
    let kiwi = Kiwi::new();
    let tree = tree(kiwi.folder());
    let tree = tree.to_str().unwrap();
    let missing = kiwi.run(&["scan", tree, "--secrets", "--tool", "bandit=/nowhere/bandit"]);
    assert!(missing.code == 1 && missing.out.contains("/nowhere/bandit was not found") && missing.out.contains("pip install bandit"), "{}", missing.out);
    for wrong in [vec!["--tool", "nothing"], vec!["--tool", "zap"], vec!["--tool", "bandit", "--tool-argument", "trivy=--x"]] {
        let refused = kiwi.run(&[&["scan", tree, "--secrets"], wrong.as_slice()].concat());
        assert!(refused.code == 2 && refused.err.contains("hint: "), "{}", refused.err);
    }
    // A stand-in that is asked for its version, and then writes what its arguments say.
    let program = kiwi.folder().join("gitleaks");
    let script = "#!/bin/sh\n[ \"$1\" = version ] && { echo 8.30.1; exit 0; }\nfor a; do case $a in --report-path=*) out=${a#*=} ;; esac; done\n\
        echo '[{\"RuleID\":\"made-up\",\"Description\":\"A token.\",\"StartLine\":2,\"EndLine\":2,\"Secret\":\"hunter2\",\"Match\":\"hunter2\",\"File\":\"app/shop.py\"}]' > \"$out\"\nexit 10\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (named, sarif) = (format!("gitleaks={}", program.display()), kiwi.folder().join("o.sarif"));
    let sarif = sarif.to_str().unwrap();
    let arguments = ["scan", tree, "--secrets", "--tool", &named, "-o", "json", "--format", "sarif", "--output-file", sarif];
    let found = kiwi.run(&arguments);
    let value = found.json();
    assert_eq!((found.code, value["status"].as_str(), value["findings"][0]["rule"].as_str()), (1, Some("failed"), Some("made-up")));
    let sarif = std::fs::read_to_string(sarif).unwrap();
    assert!(!found.out.contains("hunter2") && !sarif.contains("hunter2"));
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(
        sarif["runs"][1]["tool"]["driver"],
        serde_json::json!({ "name": "gitleaks", "version": "8.30.1", "rules": sarif["runs"][1]["tool"]["driver"]["rules"], "supportedTaxonomies": [{ "name": "CWE" }] })
    );
    // Accepted in the tree, it is accepted from whatever tool.
    std::fs::create_dir(Path::new(tree).join(".kiwi")).unwrap();
    std::fs::write(Path::new(tree).join(".kiwi/suppressions.toml"), "[[suppress]]\nrule = \"made-up\"\nreason = \"an example\"\n").unwrap();
    assert_eq!(kiwi.run(&arguments).ok().json()["suppressed"][0]["reason"], "an example");
}

fn task(runtime: &Arc<DockerRuntime>, tag: &str) -> ToolTask {
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", tag]).remove(0);
    task_on(runtime.clone(), ImagePin::Local { reference: tag.parse().unwrap(), id: id.parse().unwrap() })
}

fn task_on(runtime: Arc<dyn Runtime>, image: ImagePin) -> ToolTask {
    let service = ServiceId::generate();
    let name = format!("tool-{}", &service.as_str()[18..]);
    ToolTask {
        runtime,
        image,
        program: None,
        workload: Workload { installation: "tools".into(), service, name: name.parse().unwrap(), environment: EnvironmentName::Development },
        run: None,
        registries: Vec::new(),
    }
}

async fn scan(tool: Tool, task: ToolTask, tree: &Path) -> ScanReport {
    ExternalScanner::task(tool, task).timeout(Duration::from_secs(120)).scan(&ScanTarget::Tree(tree.to_owned())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_runs_as_a_task_on_docker() {
    let folder = tempfile::tempdir().unwrap();
    let tree = tree(folder.path());
    let runtime = Arc::new(DockerRuntime::new(Engine::new(DockerConfig::new(None).unwrap()).unwrap()));
    let version = ToolVersion { arguments: &[], after: "", least: [0, 0, 0] };
    let mut tool = Tool::sarif("finder", ScanKind::Sast, "sh", version);
    // Every file of the tree is a finding.
    tool.tree = Some(&[
        "-c",
        "echo '{\"runs\":[{\"tool\":{\"driver\":{\"name\":\"finder\"}},\"results\":[' > \"$2/report.sarif\"; for file in $(find \"$1\" -type f); do echo \"{\\\"ruleId\\\":\\\"file\\\",\\\"message\\\":{\\\"text\\\":\\\"a file\\\"},\\\"locations\\\":[{\\\"physicalLocation\\\":{\\\"artifactLocation\\\":{\\\"uri\\\":\\\"$file\\\"},\\\"region\\\":{\\\"startLine\\\":5}}}]}\"; done >> \"$2/report.sarif\"; echo ']}]}' >> \"$2/report.sarif\"",
        "sh",
        "{target}",
        "{reports}",
    ]);
    let used = task(&runtime, "debian:bookworm-slim");
    let name = used.workload.name.to_string();
    let report = scan(tool, used.clone(), &tree).await;
    assert_eq!(report.incomplete, None);
    assert_eq!(report.findings.iter().map(|finding| finding.place()).collect::<Vec<_>>(), ["app/shop.py:5"]);
    // One that writes too much, one that ends badly, and an image without the program.
    tool.tree = Some(&["-c", "head -c 70000000 /dev/zero > \"$0/report.sarif\"", "{reports}"]);
    assert!(scan(tool, used.clone(), &tree).await.incomplete.unwrap().contains("larger than 64 MiB"));
    tool.tree = Some(&["-c", "echo 'no such thing' >&2; exit 7"]);
    assert!(scan(tool, used.clone(), &tree).await.incomplete.unwrap().contains("it ended with 7, whose meaning is not known: no such thing"));
    assert!(scan(tools::TRIVY, used, &tree).await.incomplete.unwrap().contains("its task failed"));
    assert_eq!(leftovers(&format!("kiwi-{name}")), Vec::<String>::new());
}

/// Built where its packages are.
const BANDIT_IMAGE: &str = "FROM python:3.11-slim\nCOPY . /opt/bandit\nENV PYTHONPATH=/opt/bandit\n\
    RUN printf '#!/bin/sh\\nexec python3 -c \"import bandit.cli.main as m; m.main()\" \"$@\"\\n' > /usr/local/bin/bandit && chmod +x /usr/local/bin/bandit\n\
    USER 10001:10001\n";

#[tokio::test(flavor = "multi_thread")]
async fn bandit_finds_the_same_as_a_program_and_as_a_task() {
    let Some(program) = bandit() else { return };
    let folder = tempfile::tempdir().unwrap();
    let tree = tree(folder.path());
    let packages = program.parent().and_then(Path::parent).unwrap();
    let file = folder.path().join("Dockerfile");
    std::fs::write(&file, BANDIT_IMAGE).unwrap();
    docker(&["build", "--quiet", "--tag", "kiwi.local/bandit:1", "--file", file.to_str().unwrap(), packages.to_str().unwrap()]);
    let runtime = Arc::new(DockerRuntime::new(Engine::new(DockerConfig::new(None).unwrap()).unwrap()));
    let inside = scan(tools::BANDIT, task(&runtime, "kiwi.local/bandit:1"), &tree).await;
    let outside = ExternalScanner::program(tools::BANDIT, Some(program)).scan(&ScanTarget::Tree(tree)).await.unwrap();
    // Only a program is asked for its version.
    assert_eq!((inside.version.as_deref(), outside.version.is_some()), (None, true));
    assert_eq!(inside, ScanReport { version: None, ..outside });
    let rules: Vec<&str> = inside.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!((rules, inside.incomplete.as_deref()), (vec!["B602", "B404"], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn bandit_finds_the_same_as_a_job_of_a_cluster() {
    let (Some(program), Some(ground)) = (bandit(), Ground::given()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tree = tree(folder.path());
    let packages = program.parent().and_then(Path::parent).unwrap();
    let context = folder.path().join("image");
    assert!(std::process::Command::new("cp").arg("-r").arg(packages).arg(&context).status().unwrap().success());
    std::fs::write(context.join("Dockerfile"), BANDIT_IMAGE).unwrap();
    let image = ground.image_of(&context).await;
    let runtime = Arc::new(KubernetesRuntime::new(ground.cluster_with(ground.helper().await)));
    let task = ToolTask { registries: vec![ground.access()], ..task_on(runtime, image) };
    let began = std::time::Instant::now();
    let inside = scan(tools::BANDIT, task.clone(), &tree).await;
    println!("FIGURE bandit as a Job, with its pull: {:.1} s", began.elapsed().as_secs_f64());
    let outside = ExternalScanner::program(tools::BANDIT, Some(program)).scan(&ScanTarget::Tree(tree.clone())).await.unwrap();
    // Only a program is asked for its version.
    assert_eq!((inside.version.as_deref(), outside.version.is_some()), (None, true));
    assert_eq!(inside, ScanReport { version: None, ..outside });
    // One that ends badly says why, and nothing of either is left.
    let mut failing = Tool::sarif("finder", ScanKind::Sast, "sh", ToolVersion { arguments: &[], after: "", least: [0, 0, 0] });
    failing.tree = Some(&["-c", "echo 'no such thing' >&2; exit 7"]);
    assert!(scan(failing, task, &tree).await.incomplete.unwrap().contains("it ended with 7, whose meaning is not known: no such thing"));
    let jobs: Api<Job> = Api::all(ground.client().await);
    let names: Vec<String> = jobs.list(&ListParams::default()).await.unwrap().into_iter().filter_map(|job| job.metadata.name).collect();
    assert!(!names.iter().any(|name| name.contains("tool-")), "{names:?}");
}
