//! The Docker builder, BuildKit and classic, on a real engine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use futures_util::StreamExt as _;
use kiwi_core::domain::{DockerfileChoice, RunId};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{BuildContext, BuildEvent, BuildOutcome, BuildPurpose, BuildRequest, Builder as _, Cleanup, Runtime as _};
use kiwi_runtime::docker::{BuilderChoice, DockerBuilder, DockerConfig, DockerRuntime, Engine};
use kiwi_tests::command::{docker, unique};
use std::path::Path;
use std::time::{Duration, Instant};

fn builder(choice: BuilderChoice) -> DockerBuilder {
    DockerBuilder::new(Engine::new(DockerConfig { builder: choice, ..DockerConfig::new(None).unwrap() }).unwrap())
}

fn request(tree: &Path, dockerfile: DockerfileChoice) -> BuildRequest {
    let run = RunId::generate();
    BuildRequest {
        image: format!("kiwi.local/{}:kiwi-run-{run}", unique("built")).parse().unwrap(),
        run,
        installation: "contract".to_owned(),
        purpose: BuildPurpose::Release,
        context: BuildContext::Tree(tree.to_owned()),
        directory: None,
        dockerfile,
        ignore: None,
        target: None,
        arguments: [("WHO".parse().unwrap(), "world".to_owned())].into(),
        secrets: Default::default(),
        labels: [("kiwi.dev/service".to_owned(), "test".to_owned())].into(),
        push: None,
        pull: Vec::new(),
    }
}

async fn build(builder: &DockerBuilder, request: &BuildRequest) -> (Result<BuildOutcome, Error>, String) {
    let (mut stream, mut log) = (builder.build(request.clone()), Vec::new());
    while let Some(event) = stream.next().await {
        match event {
            Ok(BuildEvent::Log { chunk, .. }) => log.extend(chunk),
            Ok(BuildEvent::Done(outcome)) => return (Ok(outcome), String::from_utf8_lossy(&log).into_owned()),
            Ok(_) => {}
            Err(error) => return (Err(error), String::from_utf8_lossy(&log).into_owned()),
        }
    }
    panic!("the stream ended without a word")
}

fn in_image(reference: &str, command: &str) -> String {
    docker(&["run", "--rm", "--entrypoint", "sh", reference, "-c", command]).join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_builders_build_the_same() {
    let tree = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = tree.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "Dockerfile",
        "FROM debian:bookworm-slim AS base\nARG WHO\nCOPY . /app/\nRUN echo hello $WHO && echo $WHO > /who\nFROM base AS extra\nRUN touch /extra\n",
    );
    write(".dockerignore", "*.log\n!keep.log\nnode_modules\nsecret.txt\n");
    for name in ["a.log", "keep.log", "node_modules/x/y", "src/deep/file", "secret.txt"] {
        write(name, name);
    }
    std::os::unix::fs::symlink("src/deep/file", tree.path().join("link")).unwrap();
    std::fs::set_permissions(tree.path().join("src/deep/file"), std::os::unix::fs::PermissionsExt::from_mode(0o750)).unwrap();
    for choice in [BuilderChoice::Buildkit, BuilderChoice::Classic] {
        let (builder, mut request) = (builder(choice), request(tree.path(), DockerfileChoice::Auto));
        request.target = Some("base".into());
        // A step of its own for each run of the test: a cached one prints nothing.
        let who = unique("world");
        request.arguments = [("WHO".parse().unwrap(), who.clone())].into();
        assert_eq!(builder.find(&request).await.unwrap(), None);
        let (outcome, log) = build(&builder, &request).await;
        let outcome = outcome.unwrap();
        assert!(log.contains(&format!("hello {who}")), "{choice:?}: {log}");
        assert_eq!(builder.find(&request).await.unwrap().unwrap().image, outcome.image, "a resumed run finds it");
        let reference = request.image.to_string();
        let listed =
            in_image(&reference, "cd /app && find . -type f -o -type l | sort | tr '\\n' ' '; stat -c '%a %u' src/deep/file; cat /who link; test ! -e /extra");
        assert_eq!(listed, format!("./.dockerignore ./Dockerfile ./keep.log ./link ./src/deep/file 750 0\n{who}\nsrc/deep/file"), "{choice:?}");
        let (again, _) = build(&builder, &request).await;
        let again = again.unwrap();
        assert_eq!((again.image.digest(), again.cached), (outcome.image.digest(), true), "{choice:?}: the second build comes from the cache");
        // The text of a Dockerfile that is not in the tree.
        request.dockerfile = DockerfileChoice::Text("FROM debian:bookworm-slim\nCOPY src /src\n".into());
        request.target = None;
        build(&builder, &request).await.0.unwrap();
        assert_eq!(in_image(&reference, "cat /src/deep/file"), "src/deep/file", "{choice:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_secret_never_enters_a_layer() {
    let tree = tempfile::tempdir().unwrap();
    let dockerfile = "FROM debian:bookworm-slim\nRUN --mount=type=secret,id=NPM_TOKEN test \"$(wc -c < /run/secrets/NPM_TOKEN)\" = 16 && echo used\nRUN --mount=type=cache,target=/cache touch /cache/x\n";
    let mut request = request(tree.path(), DockerfileChoice::Text(dockerfile.into()));
    request.secrets = [("NPM_TOKEN".parse().unwrap(), "s3cret-npm-token".to_owned().into())].into();
    let (outcome, log) = build(&builder(BuilderChoice::Buildkit), &request).await;
    outcome.unwrap();
    assert!(log.contains("used"), "{log}");
    let saved = std::process::Command::new("docker").args(["save", &request.image.to_string()]).output().unwrap().stdout;
    assert!(!saved.windows(16).any(|window| window == b"s3cret-npm-token"), "neither in a layer nor in the history");
    let refused = build(&builder(BuilderChoice::Classic), &request).await.0.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "the classic builder would leave it in a layer");
    request.secrets.clear();
    // A secret is no part of a step's cache key; only a step that runs can miss one.
    request.dockerfile = DockerfileChoice::Text(format!("{dockerfile}RUN --mount=type=secret,id=NPM_TOKEN,required=true echo {}\n", unique("other")));
    let missing = build(&builder(BuilderChoice::Buildkit), &request).await.0.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::BuildFailed, "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_build_leaves_nothing_behind() {
    let tree = tempfile::tempdir().unwrap();
    let marker = unique("sleep");
    for choice in [BuilderChoice::Buildkit, BuilderChoice::Classic] {
        let builder = builder(choice);
        let request = request(tree.path(), DockerfileChoice::Text(format!("FROM debian:bookworm-slim\nRUN echo {marker}-{choice:?} && sleep 300\n")));
        let mut stream = builder.build(request.clone());
        let mut log = Vec::new();
        while !String::from_utf8_lossy(&log).lines().any(|line| line.ends_with(&format!("{marker}-{choice:?}"))) {
            if let Some(Ok(BuildEvent::Log { chunk, .. })) = stream.next().await {
                log.extend(chunk);
            }
        }
        drop(stream);
        builder.cancel(&request.run).await.unwrap();
        builder.cancel(&request.run).await.unwrap();
        let began = Instant::now();
        let running = || std::process::Command::new("pgrep").args(["-f", "^sleep 300"]).output().unwrap().stdout;
        while !running().is_empty() && began.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(running().is_empty(), "{choice:?}: the step still runs");
        assert_eq!(builder.find(&request).await.unwrap(), None);
        let left = docker(&["ps", "--all", "--quiet", "--filter", &format!("ancestor={}", request.image)]);
        assert!(left.is_empty() || choice == BuilderChoice::Buildkit, "{choice:?}: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_stage_is_built_and_forgotten() {
    let tree = tempfile::tempdir().unwrap();
    let builder = builder(BuilderChoice::Auto);
    let mut request = request(tree.path(), DockerfileChoice::Text("FROM debian:bookworm-slim AS test\nRUN exit 0\n".into()));
    (request.purpose, request.target) = (BuildPurpose::Test, Some("test".into()));
    build(&builder, &request).await.0.unwrap();
    builder.cancel(&request.run).await.unwrap();
    let left = docker(&["images", "--quiet", &format!("kiwi.local/test:kiwi-run-{}", request.run)]);
    assert!(left.is_empty());
    request.dockerfile = DockerfileChoice::Text("FROM debian:bookworm-slim AS test\nRUN echo tests-fail; exit 9\n".into());
    let (failed, log) = build(&builder, &request).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::BuildFailed);
    assert!(log.contains("tests-fail"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cleaning_removes_our_images_and_keeps_what_is_needed() {
    let tree = tempfile::tempdir().unwrap();
    std::fs::write(tree.path().join("Dockerfile"), "FROM debian:bookworm-slim\nARG WHO\nRUN echo $WHO >/who\n").unwrap();
    let installation = unique("installation");
    let (mut needed, mut gone) = (std::collections::BTreeSet::new(), Vec::new());
    for choice in [BuilderChoice::Buildkit, BuilderChoice::Classic] {
        for keep in [true, false] {
            let mut request = request(tree.path(), DockerfileChoice::Auto);
            request.arguments = [("WHO".parse().unwrap(), unique("world"))].into();
            request.labels.insert("kiwi.dev/installation".to_owned(), installation.clone());
            let outcome = build(&builder(choice), &request).await.0.unwrap();
            if keep {
                needed.insert(outcome.image.digest().clone());
            } else {
                gone.push(outcome.image.digest().to_string());
            }
        }
    }
    let runtime = DockerRuntime::new(Engine::new(DockerConfig::new(None).unwrap()).unwrap());
    let mut keep = Cleanup { installation: unique("another"), ..Cleanup::default() };
    assert_eq!(runtime.clean(&keep).await.unwrap(), Vec::<String>::new(), "images of another installation stay");
    (keep.installation, keep.images) = (installation, needed.clone());
    let removed = runtime.clean(&keep).await.unwrap();
    assert_eq!(removed.len(), 3, "one name of BuildKit's image, two of the classic builder's: {removed:?}");
    let left = docker(&["images", "--all", "--quiet", "--no-trunc"]);
    assert!(gone.iter().all(|image| !left.contains(image)), "{left:?}");
    assert!(needed.iter().all(|image| left.contains(&image.to_string())), "{left:?}");
    keep.images.clear();
    runtime.clean(&keep).await.unwrap();
}
