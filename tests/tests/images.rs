//! Ready images from a real registry: looked up, deployed side by side, updated one at a time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use kiwi_core::error::ErrorKind;
use kiwi_core::provider::{ImageRegistry as _, RegistryAccess};
use kiwi_runtime::registry::OciRegistry;
use kiwi_tests::command::{Kiwi, docker, leftovers, unique};
use kiwi_tests::fake::{FakeHub, HUB_TOKEN};
use kiwi_tests::sample;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

fn registry() -> (String, String) {
    let get = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; tests/run.sh starts the registry"));
    (get("KIWI_TEST_REGISTRY"), get("KIWI_TEST_REGISTRY_PASSWORD"))
}

/// Builds and pushes an image by hand; answers its digest.
fn push(reference: &str, write: impl FnOnce(&std::path::Path)) -> String {
    let (host, password) = registry();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    docker(&["build", "--quiet", "--tag", reference, folder.path().to_str().unwrap()]);
    let mut login = Command::new("docker")
        .args(["login", &host, "--username", "kiwi", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    login.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    assert!(login.wait().unwrap().success());
    docker(&["push", "--quiet", reference]);
    let digest = docker(&["inspect", "--format", "{{index .RepoDigests 0}}", reference]).remove(0);
    digest.split_once('@').unwrap().1.to_owned()
}

fn kiwi_with_registry() -> Kiwi {
    let (host, password) = registry();
    let kiwi = Kiwi::new().with_runtime();
    kiwi.run_with(&["registry", "add", "local", "--url", &host, "--username", "kiwi", "--password-stdin", "--insecure"], &password).ok();
    kiwi
}

fn ask(url: &str) -> String {
    String::from_utf8(Command::new("curl").args(["-s", "--max-time", "5", url]).output().unwrap().stdout).unwrap()
}

#[test]
fn a_web_server_and_a_database_as_one_service() {
    let (host, _) = registry();
    let kiwi = kiwi_with_registry();
    let (name, web, db) = (unique("duo"), format!("{host}/{}/web", unique("t")), format!("{host}/{}/db", unique("t")));
    let first = push(&format!("{web}:1"), |folder| sample::write(folder, "1"));
    push(&format!("{db}:1"), |folder| {
        let text = "FROM debian:bookworm-slim\nRUN command -v redis-server || { apt-get update && apt-get install -y --no-install-recommends redis-server; }\nCMD [\"sh\", \"-c\", \"exec redis-server --bind 0.0.0.0 --dir /data --appendonly yes --requirepass $PASSWORD\"]\n";
        std::fs::write(folder.join("Dockerfile"), text).unwrap();
    });
    let file = kiwi.folder().join("duo.yaml");
    let write = |web_tag: &str| {
        let text = format!(
            "containers:\n  - {{name: web, image: {web}, tag: \"{web_tag}\", port: 8080, health: /, environment: {{GREETING: hello}}}}\n  - {{name: db, image: {db}, tag: \"1\", port: 6379, protocol: tcp, isInternal: true, secrets: [PASSWORD], volumes: [{{mountPath: /data, size: 1Gi}}]}}\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    write("none");
    let missing = kiwi.run_with(&["service", "register", &name, "--file", file.to_str().unwrap()], "s3cret-of-the-database");
    assert!(missing.code == 1 && missing.err.contains(&format!("{web} has no tag none")), "{missing:?}");
    write("1");
    kiwi.run_with(&["--as-role", "member", "service", "register", &name, "--file", file.to_str().unwrap()], "s3cret-of-the-database").ok();
    let plan = kiwi.run(&["deploy", &name, "--plan"]).ok();
    assert!(
        plan.out.contains("Docker does not enforce the size of its volumes") || plan.err.contains("Docker does not enforce the size of its volumes"),
        "{plan:?}"
    );
    let live = kiwi.run(&["deploy", &name, "-o", "json"]).ok().json();
    assert_eq!((live["status"].as_str(), live["containers"][0]["digest"].as_str()), (Some("live"), Some(first.as_str())), "{live}");
    let url = live["url"].as_str().unwrap().to_owned();
    assert_eq!(ask(&url).trim(), "shop 1 hello");
    let database = || {
        docker(&["ps", "--no-trunc", "--format", "{{.ID}}", "--filter", &format!("label=kiwi.dev/service={name}"), "--filter", "label=kiwi.dev/container=db"])
    };
    let redis =
        |command: &[&str]| docker(&[&["exec", &database()[0], "redis-cli", "--no-auth-warning", "-a", "s3cret-of-the-database"], command].concat()).remove(0);
    assert_eq!(redis(&["set", "key", "value"]), "OK");
    let before = database();

    // The tag moves; the web server is updated, and the database is not touched.
    let second = push(&format!("{web}:1"), |folder| sample::write(folder, "2"));
    let plan = kiwi.run(&["deploy", &name, "--plan", "-o", "json"]).ok();
    assert!(plan.out.contains("changes in nothing"), "{plan:?}");
    let updated = kiwi.run(&["deploy", &name, "-o", "json"]).ok();
    assert_eq!(updated.json()["containers"][0]["digest"], second, "{}", updated.out);
    assert!(updated.err.contains("container db changes in nothing and keeps running"), "{}", updated.err);
    let guarantees: Vec<_> = updated.json()["containers"].as_array().unwrap().iter().map(|container| container["guarantee"].clone()).collect();
    assert_eq!(guarantees, ["zero_downtime", "zero_downtime"], "the database was not recreated");
    assert_eq!((ask(&url).trim(), database()), ("shop 2 hello", before.clone()));
    assert_eq!(redis(&["get", "key"]), "value");
    let status = kiwi.run(&["status", &name, "-o", "json"]).ok().json();
    assert_eq!(status["drift"], serde_json::json!([]), "{status}");
    kiwi.run(&["rollback", &name]).ok();
    assert_eq!((ask(&url).trim(), database()), ("shop 1 hello", before.clone()));
    // Another tag, by name.
    push(&format!("{web}:other"), |folder| sample::write(folder, "9"));
    for (image, why) in [(format!("nobody={web}:other"), "has no container nobody"), (format!("web={web}:gone"), "has no tag gone")] {
        let refused = kiwi.run(&["service", "update", &name, "--image", &image]);
        assert!(refused.code != 0 && refused.err.contains(why), "{refused:?}");
    }
    kiwi.run(&["service", "update", &name, "--image", &format!("web={web}:other")]).ok();
    kiwi.run(&["deploy", &name]).ok();
    assert_eq!((ask(&url).trim(), database()), ("shop 9 hello", before.clone()));
    kiwi.run(&["service", "update", &name, "--image", &format!("web={web}:1")]).ok();
    kiwi.run(&["rollback", &name]).ok();
    assert_eq!(ask(&url).trim(), "shop 1 hello");
    // A broken web server leaves everything as it was.
    push(&format!("{web}:1"), |folder| std::fs::write(folder.join("Dockerfile"), "FROM debian:bookworm-slim\nCMD [\"sleep\", \"1000\"]\n").unwrap());
    kiwi.run(&["service", "update", &name, "--start-timeout", "3"]).ok();
    let broken = kiwi.run(&["deploy", &name]);
    assert_eq!(broken.code, 1, "{broken:?}");
    assert_eq!((ask(&url).trim(), database()), ("shop 1 hello", before.clone()));
    // A restart is of everything; its data stays.
    push(&format!("{web}:1"), |folder| sample::write(folder, "3"));
    kiwi.run(&["restart", &name]).ok();
    assert_ne!(database(), before);
    assert_eq!(redis(&["get", "key"]), "value");
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
    assert_eq!(leftovers(&format!("kiwi-{name}")), Vec::<String>::new());
    let found = Command::new("grep").args(["-rlF", "s3cret-of-the-database"]).arg(kiwi.data()).output().unwrap();
    assert!(found.stdout.is_empty(), "the secret lies in {}", String::from_utf8_lossy(&found.stdout));
}

#[test]
fn tags_digests_and_credentials_of_a_real_registry() {
    let (host, password) = registry();
    let kiwi = kiwi_with_registry();
    let image = format!("{host}/{}", unique("tags"));
    let mut digests = Vec::new();
    for tag in ["1.9", "1.10", "1.2"] {
        digests.push(push(&format!("{image}:{tag}"), |folder| {
            std::fs::write(folder.join("Dockerfile"), format!("FROM debian:bookworm-slim\nRUN echo {} > /tag\n", unique("x"))).unwrap()
        }));
    }
    let tags = kiwi.run(&["image", "tags", &image, "-o", "json"]).ok().json();
    let names: Vec<_> = tags.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["1.2", "1.10", "1.9"], "newest first, by when they were made");
    assert!(tags[0]["size"].as_u64().unwrap() > 1_000_000 && tags[0]["platforms"][0] == "linux/amd64" && tags[0]["digest"] == digests[2].as_str(), "{tags}");
    let resolved = kiwi.run(&["image", "resolve", &format!("{image}:1.10"), "-o", "json"]).ok().json();
    assert_eq!(resolved["digest"], digests[1].as_str());
    let none = kiwi.run(&["image", "resolve", &format!("{image}:none")]);
    assert!(none.code == 1 && none.err.contains("has no tag none") && none.err.contains("kiwi image tags"), "{none:?}");
    assert_eq!(kiwi.run(&["registry", "check", "local", "-o", "json"]).ok().json()["push"], true);
    let wrong =
        Kiwi::new().run_with(&["registry", "add", "wrong", "--url", &host, "--username", "kiwi", "--password-stdin", "--insecure"], &format!("{password}x"));
    assert!(wrong.code == 1 && wrong.err.contains("refused the credentials"), "{wrong:?}");
}

#[test]
fn an_engine_s_own_copy_where_no_registry_is_reached() {
    let kiwi = Kiwi::new().env("HTTPS_PROXY", "http://127.0.0.1:1").with_runtime();
    let name = unique("held");
    let folder = tempfile::tempdir().unwrap();
    sample::write(folder.path(), "7");
    let image = format!("registry.example.com/{name}:1");
    docker(&["build", "--quiet", "--tag", &image, folder.path().to_str().unwrap()]);
    kiwi.run(&["service", "register", &name, "--image", &format!("web={image}"), "--port", "8080", "--health", "/"]).ok();
    let live = kiwi.run(&["deploy", &name, "-o", "json"]).ok();
    assert!(live.err.contains("the engine's own copy is deployed"), "{}", live.err);
    assert!(ask(live.json()["url"].as_str().unwrap()).starts_with("shop 7"));
    kiwi.run(&["service", "remove", &name]).ok();
    let other = kiwi.run(&["service", "register", &name, "--image", "web=registry.example.com/none:1"]);
    assert_eq!(other.code, 1, "{other:?}");
}

#[test]
fn image_services_are_judged_as_a_whole() {
    let kiwi = Kiwi::new().with_runtime();
    for (arguments, why) in [
        (["--image", "web=debian:bookworm-slim", "--image", "web=haproxy:lts"].as_slice(), "two images are for one container"),
        (&["--image", "web"], "CONTAINER=IMAGE:TAG"),
        (&["--image", "Web=debian"], "contains 'W'"),
        (&["--image", "web=de bian"], "image reference"),
        (&["--image", "web=debian", "--git", "https://git.example.com/a/b"], "cannot be used with"),
        (&["--create", "github", "--owner", "x"], "--repository"),
        (&[], "required"),
        (&["--image", "web=debian", "--token-stdin"], "belong to a plain --git URL"),
    ] {
        let refused = kiwi.run(&[&["service", "register", "x"], arguments].concat());
        assert!(refused.code == 2 && refused.err.contains(why), "{arguments:?}: {refused:?}");
    }
    let file = kiwi.folder().join("x.yaml");
    for (text, why) in [
        ("containers: [{name: a, image: x, tag: '1'}, {name: a, image: y, tag: '1'}]", "two containers are called a"),
        ("containers: [{name: a, image: 'x:2', tag: '1'}]", "names a tag or digest"),
        ("containers: [{name: a}]", "it has no image"),
        ("source: {git: https://git.example.com/a/b, github: a/b}", "not exactly one of"),
        ("source: {github: a/b}\ncontainers: [{name: a, image: x}]", "has no image of its own"),
        ("containers: [{name: a, image: x, port: 80, publish: 20500}, {name: b, image: y, port: 80, publish: 20500}]", "two containers publish port 20500"),
        ("containers: [{name: a, image: x, port: 80, isInternal: true, ingressPath: /}]", "internal and cannot have a route"),
        ("containers: [{name: a, image: x, volumes: [{mountPath: data, size: 1Gi}]}]", "mount path"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = kiwi.run(&["service", "register", "x", "--file", file.to_str().unwrap()]);
        assert!(refused.code == 2 && refused.err.contains(why), "{text}: {refused:?}");
    }
}

#[test]
fn docker_hub_is_searched_and_its_tags_are_listed() {
    let hub = FakeHub::start();
    let kiwi = Kiwi::new().env("KIWI_DOCKER_HUB", format!("http://{}", hub.address));
    let found = kiwi.run(&["image", "search", "library/nginx", "-o", "json"]).ok().json();
    let names: Vec<_> = found.as_array().unwrap().iter().map(|image| (image["name"].as_str().unwrap(), image["official"].as_bool().unwrap())).collect();
    assert_eq!(names, [("nginx", true), ("bitnami/nginx", false)]);
    hub.limit(1);
    let tags = kiwi.run(&["image", "tags", "nginx", "-o", "json"]).ok().json();
    let tags = tags.as_array().unwrap();
    assert_eq!((tags.len(), tags[0]["name"].as_str(), tags[249]["name"].as_str()), (250, Some("1.249"), Some("1.0")), "every page, newest first");
    assert_eq!((&tags[0]["size"], &tags[0]["platforms"]), (&60_000_000.into(), &serde_json::json!(["linux/amd64", "linux/arm64"])));
    let private = kiwi.run(&["image", "tags", "ada/app"]);
    assert!(private.code != 0 && private.err.contains("there is no such thing"), "{private:?}");
    hub.limit(10);
    let limited = kiwi.run(&["image", "tags", "nginx"]);
    assert!(limited.code == 1 && limited.err.contains("rate limit"), "{limited:?}");
    let nothing = kiwi.run(&["image", "search", " "]);
    assert_eq!(nothing.code, 2, "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn private_images_of_docker_hub_need_the_access_token() {
    let hub = FakeHub::start();
    let registry = OciRegistry::new(format!("http://{}", hub.address).parse().ok()).unwrap();
    let access = |token: &str| RegistryAccess {
        name: "hub".parse().unwrap(),
        address: "docker.io".parse().unwrap(),
        credentials: Some(("ada".to_owned(), token.to_owned().into())),
        insecure: false,
    };
    let image = "ada/app".parse().unwrap();
    assert_eq!(registry.tag_details(&image, Some(&access(HUB_TOKEN))).await.unwrap().len(), 1);
    let wrong = registry.tag_details(&image, Some(&access("wrong"))).await.unwrap_err();
    assert!(wrong.kind() == ErrorKind::Unauthenticated && wrong.hint().contains("access token"), "{wrong:?}");
    // Dropped where blocking is allowed.
    tokio::task::spawn_blocking(|| drop(hub)).await.unwrap();
}

#[test]
fn a_tool_is_given_the_image_as_the_registry_has_it() {
    let (host, _) = registry();
    let kiwi = kiwi_with_registry();
    let image = format!("{host}/{}:1", unique("scanned"));
    let digest = push(&image, |folder| sample::write(folder, "1"));
    // It stands for Trivy: it writes down what it is asked to look at, and leaves a report in its format.
    let (program, seen) = (kiwi.folder().join("trivy"), kiwi.folder().join("seen"));
    let report = concat!(env!("CARGO_MANIFEST_DIR"), "/../kiwi-scan/tests/external/trivy/vulnerabilities.json");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 'Version: 0.60.0'; exit 0; }}\nfor argument; do case $argument in --output=*) cp '{report}' \"${{argument#--output=}}\";; esac; done\necho \"$1 $argument\" >'{}'\n",
        seen.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let tool = format!("trivy={}", program.display());
    let scan = kiwi.run(&["scan", "--image", &image, "--tool", &tool, "-o", "json"]);
    let name = image.rsplit_once(':').unwrap().0;
    assert_eq!(std::fs::read_to_string(&seen).unwrap().trim(), format!("image {name}@{digest}"), "{scan:?}");
    assert!(scan.code == 1 && !scan.json()["findings"].as_array().unwrap().is_empty(), "{scan:?}");
    for (arguments, says) in [
        (vec!["--image", &image], "--tool"),
        (vec!["--image", &image, "--tool", "bandit"], "no tool that scans an image"),
        (vec!["--url", "http://127.0.0.1:1", "--tool", &tool], "no tool that scans an address"),
    ] {
        let refused = kiwi.run(&[&["scan"], &arguments[..]].concat());
        assert!(refused.code == 2 && refused.err.contains(says), "{arguments:?}: {refused:?}");
    }
    let none = kiwi.run(&["scan", "--image", &format!("{name}:none"), "--tool", &tool]);
    assert!(none.code == 1 && none.err.contains("none"), "{none:?}");
    docker(&["rmi", &image]);
}
