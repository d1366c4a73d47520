//! The Build Wizard's Dockerfiles, built for real by both builders and run as strictly as a cluster would, and the whole way of a
//! service whose repository has none.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use futures_util::StreamExt as _;
use kiwi_core::domain::{DockerfileChoice, ImageReference, RunId};
use kiwi_core::provider::{BuildContext, BuildEvent, BuildPurpose, BuildRequest, Builder as _};
use kiwi_core::wizard::{Choices, Directory, Rendering, plan};
use kiwi_runtime::docker::{BuilderChoice, DockerBuilder, DockerConfig, Engine};
use kiwi_tests::command::{Kiwi, docker, leftovers, unique};
use kiwi_tests::git::GitHost;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("projects").join(name)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Plans and builds a project; the image and its port.
async fn build(name: &str, choice: BuilderChoice) -> (ImageReference, u16) {
    let tree = tempfile::tempdir().unwrap();
    copy(&project(name), tree.path());
    let rendering = if choice == BuilderChoice::Classic { Rendering::Plain } else { Rendering::BuildKit };
    let planned = plan(&Directory::open(tree.path()).unwrap(), &Choices { rendering, ..Choices::default() }).unwrap();
    let run = RunId::generate();
    let image: ImageReference = format!("kiwi.local/{}:kiwi-run-{run}", unique(&format!("wizard-{name}"))).parse().unwrap();
    let request = BuildRequest {
        image: image.clone(),
        run,
        installation: "contract".to_owned(),
        purpose: BuildPurpose::Release,
        context: BuildContext::Tree(tree.path().to_owned()),
        directory: None,
        dockerfile: DockerfileChoice::Text(planned.dockerfile().unwrap()),
        ignore: Some(planned.dockerignore()),
        target: None,
        arguments: Default::default(),
        secrets: Default::default(),
        labels: Default::default(),
        push: None,
        pull: Vec::new(),
    };
    let builder = DockerBuilder::new(Engine::new(DockerConfig { builder: choice, ..DockerConfig::new(None).unwrap() }).unwrap());
    let (mut stream, mut log) = (builder.build(request), Vec::new());
    while let Some(event) = stream.next().await {
        match event {
            Ok(BuildEvent::Log { chunk, .. }) => log.extend(chunk),
            Ok(_) => {}
            Err(error) => panic!("{name}, {choice:?}: {error}\n{}", String::from_utf8_lossy(&log)),
        }
    }
    (image, planned.port.unwrap())
}

async fn answers(name: &str, choice: BuilderChoice, body: &str) {
    let (image, port) = build(name, choice).await;
    let (image, container) = (image.to_string(), unique("wizard-run"));
    // A read-only root, no capability, and a user that the image has never heard of.
    let strict = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "54321:54321"];
    let publish = format!("127.0.0.1:0:{port}");
    docker(&[&["run", "--detach", "--name", &container], strict.as_slice(), &["--publish", &publish, &image]].concat());
    let address = docker(&["port", &container, &port.to_string()]).remove(0);
    let client = reqwest::Client::new();
    let mut answer = None;
    for _ in 0..100 {
        match client.get(format!("http://{address}/")).send().await {
            Ok(response) => {
                answer = Some(response.text().await.unwrap());
                break;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    let logs = || docker(&["logs", &container]).join("\n");
    assert_eq!(answer.as_deref().map(str::trim), Some(body), "{name}, {choice:?}: {}", logs());
    let mut health = String::new();
    for _ in 0..100 {
        health = docker(&["inspect", "--format", "{{.State.Health.Status}}", &container]).join("");
        if health != "starting" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(health, "healthy", "{name}, {choice:?}");
    // The engine kills what has not ended after two seconds; that would be 137.
    docker(&["stop", "--time", "2", &container]);
    let code = docker(&["inspect", "--format", "{{.State.ExitCode}}", &container]).join("");
    assert!(["0", "143"].contains(&code.as_str()), "{name}, {choice:?} ended with {code}: {}", logs());
    docker(&["rm", "--force", &container]);
    docker(&["rmi", "--force", &image]);
}

macro_rules! built_and_run {
    ($($test:ident: $name:literal, $body:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                answers($name, BuilderChoice::Buildkit, $body).await;
                answers($name, BuilderChoice::Classic, $body).await;
            }
        )*
    };
}

built_and_run! {
    npm_answers: "npm", "npm 1000";
    pnpm_answers: "pnpm", "pnpm 1000";
    pip_answers: "pip", "pip";
    uv_answers: "uv", "uv iniconfig";
    maven_answers: "maven", "maven";
    go_answers: "go", "go";
    rust_answers: "rust", "rust";
    static_answers: "static", "static";
}

#[test]
fn a_service_without_a_dockerfile_is_planned_tested_and_delivered() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    copy(&project("npm"), repository.folder());
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique("planned");
    // isarray is a development dependency: only the stage for tests has it.
    let test = "node --eval \"if (!require('isarray')([])) process.exit(1)\"";
    kiwi.run(&["service", "register", &name, "--git", &host.url("shop"), "--test", test]).ok();
    let run = kiwi.run(&["run", &name, "-o", "json"]).ok();
    let result = run.json();
    assert_eq!(result["status"], "live");
    assert!(run.err.contains("Build Wizard") && run.err.contains("port 3000"), "{}", run.err);
    let url = result["url"].as_str().unwrap();
    let answer = reqwest::blocking::get(url).unwrap().text().unwrap();
    assert_eq!(answer.trim(), "npm 1000");
    let service = kiwi.run(&["service", "show", &name, "-o", "json"]).ok().json();
    assert_eq!(service["containers"][0]["port"], 3000, "the port is the plan's from now on");
    // The image itself has production dependencies only.
    let image = docker(&["ps", "--filter", &format!("name=kiwi-{name}-"), "--format", "{{.ID}}"]).remove(0);
    assert_eq!(docker(&["exec", &image, "ls", "/app/node_modules"]), ["ms"]);
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
    assert_eq!(leftovers(&format!("kiwi-{name}")), Vec::<String>::new());
}

#[test]
fn a_repository_that_nobody_can_plan_says_what_to_do() {
    let host = GitHost::start(None);
    let repository = host.create("several");
    for app in ["api", "web"] {
        copy(&project("npm"), &repository.folder().join(app));
    }
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique("several");
    kiwi.run(&["service", "register", &name, "--git", &host.url("several")]).ok();
    let run = kiwi.run(&["run", &name]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("the repository has several apps: api, web") && run.err.contains("--app"), "{}", run.err);
    kiwi.run(&["service", "update", &name, "--app", "web"]).ok();
    assert_eq!(kiwi.run(&["run", &name, "-o", "json"]).ok().json()["status"], "live");
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
}
