//! The whole way on real parts: git over smart HTTP with a token, Docker Engine, HAProxy, SQLite, and a registry with a password.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use kiwi_tests::command::{Kiwi, docker, leftovers, unique};
use kiwi_tests::git::GitHost;
use kiwi_tests::load::{Load, Plan};
use kiwi_tests::sample;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const TOKEN: &str = "t0k3n-that-nobody-may-see";

struct Delivered {
    host: GitHost,
    repository: kiwi_tests::git::Repository,
    kiwi: Kiwi,
    name: String,
    port: u16,
}

/// A service of this version, live.
fn delivered(prefix: &str, extra: &[&str]) -> Delivered {
    let host = GitHost::start(Some(TOKEN));
    let repository = host.create("shop");
    sample::write(repository.folder(), "one");
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique(prefix);
    let url = host.url("shop");
    let mut arguments = vec!["service", "register", &name, "--git", &url, "--token-stdin", "--port", "8080", "--health", "/"];
    arguments.extend(extra);
    kiwi.run_with(&arguments, TOKEN).ok();
    let run = kiwi.run(&["run", &name, "-o", "json"]).ok().json();
    assert_eq!(run["status"], "live");
    let port = run["url"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    Delivered { host, repository, kiwi, name, port }
}

impl Delivered {
    fn push(&self, version: &str) -> String {
        sample::write(self.repository.folder(), version);
        self.repository.push("main")
    }

    fn answer(&self) -> String {
        get(self.port)
    }

    fn end(self) {
        self.kiwi.run(&["service", "remove", &self.name, "--volumes"]).ok();
        assert_eq!(leftovers(&format!("kiwi-{}", self.name)), Vec::<String>::new());
        drop(self.host);
    }
}

fn get(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.rsplit("\r\n\r\n").next().unwrap().trim().to_owned()
}

#[test]
fn every_command_of_the_way() {
    let service = delivered("way", &["--test", "echo the-tests-run"]);
    let (kiwi, name) = (&service.kiwi, service.name.as_str());
    assert_eq!(service.answer(), "shop one hello");
    let commit = service.push("two");
    let build = kiwi.run(&["build", name, "-o", "json"]).ok().json();
    assert_eq!((&build["commit"], &build["status"]), (&Value::from(commit.clone()), &Value::from("succeeded")));
    assert_eq!(service.answer(), "shop one hello", "a build deploys nothing");
    let plan = kiwi.run(&["deploy", name, "--plan"]).ok().out;
    assert!(plan.contains("zero_downtime") && plan.contains("image:"), "{plan}");
    let deploy = kiwi.run(&["deploy", name, "-o", "json"]).ok().json();
    assert_eq!(deploy["containers"][0]["digest"], build["digest"], "what was built is what is deployed");
    assert_eq!(service.answer(), "shop two hello");
    kiwi.run_with(&["config", name, "--secret", "GREETING"], "s3cret-greeting").ok();
    assert_eq!(service.answer(), "shop two s3cret-greeting");
    kiwi.run(&["scale", name, "--replicas", "3"]).ok();
    let status = kiwi.run(&["status", name, "-o", "json"]).ok().json();
    assert_eq!((status["replicas"].as_array().unwrap().len(), &status["drift"]), (3, &Value::from(Vec::<Value>::new())));
    kiwi.run(&["restart", name]).ok();
    kiwi.run(&["deploy", name, "--from", "development", "--environment", "staging"]).ok();
    let staging = kiwi.run(&["status", name, "--environment", "staging", "-o", "json"]).ok().json();
    assert_eq!(staging["replicas"].as_array().unwrap().len(), 2, "staging is like production");
    let back = kiwi.run(&["rollback", name, "--to", "1", "-o", "json"]).ok().json();
    assert_eq!((back["status"].as_str(), service.answer()), (Some("live"), "shop one hello".to_owned()), "a rollback brings variables back too");
    kiwi.run(&["rollback", name]).ok();
    assert_eq!(service.answer(), "shop two s3cret-greeting", "without a target it takes the newest live release before the running one");
    let history = kiwi.run(&["history", name, "-o", "json"]).ok().json();
    let kinds: Vec<_> = history.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["rollback", "rollback", "restart", "scale", "config", "deploy", "deploy"]);
    assert_eq!(history.as_array().unwrap().iter().filter(|entry| entry["status"] == "live").count(), 1);
    assert!(kiwi.run(&["logs", name]).ok().out.contains("listens"));
    let run = kiwi.run(&["runs", "list", "-o", "json"]).ok().json()[0]["run"].as_str().unwrap().to_owned();
    let all = kiwi.run(&["events", &run, "-o", "json"]).ok().out;
    let tail = kiwi.run(&["events", &run, "-o", "json", "--since", "2"]).ok().out;
    assert_eq!(all.lines().skip(2).collect::<Vec<_>>(), tail.lines().collect::<Vec<_>>(), "events replay from an offset");
    // A drift is told: somebody stopped a replica behind Kiwi's back.
    let replica = docker(&["ps", "--format", "{{.Names}}", "--filter", &format!("name=kiwi-{name}-development-{name}-r")]).remove(0);
    docker(&["stop", "--time", "0", &replica]);
    let status = kiwi.run(&["status", name, "-o", "json"]).ok().json();
    assert!(status["drift"][0].as_str().unwrap().contains("replicas run"), "{status}");
    // No secret lies in the data directory in clear.
    for secret in [TOKEN, "s3cret-greeting"] {
        let found = std::process::Command::new("grep").args(["-rlF", secret]).arg(kiwi.data()).output().unwrap();
        assert!(found.stdout.is_empty(), "{secret} lies in {}", String::from_utf8_lossy(&found.stdout));
    }
    service.end();
}

#[test]
fn a_broken_version_never_gets_traffic() {
    let service = delivered("broken", &["--start-timeout", "5"]);
    let load = Load::start(service.port, Plan { keep_alive: 4, fresh: 2, slow: 0, ..Plan::near() });
    let app = sample::APP.replace("server = Server", "print('no database here', flush=True); sys.exit(7)\nserver = Server");
    std::fs::write(service.repository.folder().join("app.py"), app).unwrap();
    service.repository.push("main");
    let crash = service.kiwi.run(&["run", &service.name, "-o", "json"]);
    assert_eq!(crash.code, 1);
    let diagnosis = &crash.json()["diagnosis"];
    assert!(diagnosis["cause"].as_str().unwrap().contains("exit code 7"), "{diagnosis}");
    assert!(diagnosis["log"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("no database here")), "{diagnosis}");
    assert!(!diagnosis["hint"].as_str().unwrap().is_empty());
    // Wrong port: it runs, but nobody listens where it should.
    let app = sample::APP.replace("int(os.environ.get(\"PORT\", \"8080\"))", "9999");
    std::fs::write(service.repository.folder().join("app.py"), app).unwrap();
    service.repository.push("main");
    let deaf = service.kiwi.run(&["run", &service.name, "-o", "json"]);
    assert_eq!(deaf.code, 1);
    assert!(deaf.json()["diagnosis"]["cause"].as_str().unwrap().contains("nothing listens on port 8080"), "{}", deaf.out);
    let tally = load.finish();
    assert_eq!(tally.failed.load(std::sync::atomic::Ordering::Relaxed), 0, "{:?}", tally.reasons.lock().unwrap());
    assert_eq!(service.answer(), "shop one hello");
    assert_eq!(leftovers(&format!("kiwi-{}-development-{}-r", service.name, service.name)).len(), 1, "nothing half-made is left");
    // A test that fails stops the pipeline before anything is published.
    service.kiwi.run(&["service", "update", &service.name, "--test", "echo broken-on-purpose; exit 4"]).ok();
    service.push("three");
    let refused = service.kiwi.run(&["run", &service.name, "-o", "json"]);
    assert_eq!((refused.code, service.answer().as_str()), (1, "shop one hello"));
    assert!(refused.json()["diagnosis"]["cause"].as_str().unwrap().contains("exit code 4"));
    service.end();
}

#[test]
fn a_volume_is_kept_and_its_container_recreated() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    sample::write(repository.folder(), "one");
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique("volume");
    let file = kiwi.folder().join("service.yaml");
    let text = format!(
        "name: {name}\nsource:\n  git: {}\ncontainers:\n  - name: {name}\n    port: 8080\n    volumes:\n      - mountPath: /data\n        size: 1Gi\n",
        host.url("shop")
    );
    std::fs::write(&file, text).unwrap();
    kiwi.run(&["service", "register", &name, "--file", file.to_str().unwrap()]).ok();
    let first = kiwi.run(&["run", &name, "-o", "json"]).ok();
    assert_eq!(first.json()["containers"][0]["guarantee"], "recreate");
    let container = format!("kiwi-{name}-development-{name}-r1-0");
    docker(&["exec", "--user", "0", &container, "sh", "-c", "echo kept > /data/file"]);
    kiwi.run(&["restart", &name]).ok();
    let container = format!("kiwi-{name}-development-{name}-r2-0");
    assert_eq!(docker(&["exec", &container, "cat", "/data/file"]), ["kept"]);
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
    assert!(docker(&["volume", "ls", "--quiet", "--filter", &format!("name=kiwi-{name}")]).is_empty());
}

#[test]
fn an_image_travels_through_a_registry_with_a_password() {
    let address = std::env::var("KIWI_TEST_REGISTRY").expect("tests/run.sh starts a registry and names it in KIWI_TEST_REGISTRY");
    // Base64 of this password has the characters in which the two alphabets differ.
    let password = std::env::var("KIWI_TEST_REGISTRY_PASSWORD").expect("tests/run.sh names it");
    let host = GitHost::start(None);
    let repository = host.create("shop");
    sample::write(repository.folder(), "one");
    let commit = repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let wrong = kiwi.run_with(&["registry", "add", "hub", "--url", &address, "--username", "kiwi", "--password-stdin", "--insecure"], "wrong");
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    assert!(wrong.err.contains("refused the credentials") && !wrong.err.contains("wrong\n"), "{}", wrong.err);
    kiwi.run_with(&["registry", "add", "hub", "--url", &address, "--username", "kiwi", "--password-stdin", "--insecure"], &password).ok();
    kiwi.run(&["registry", "check", "hub"]).ok();
    let name = unique("pushed");
    kiwi.run(&["service", "register", &name, "--git", &host.url("shop"), "--port", "8080", "--registry", "hub", "--tag-rule", "v-${SHORT_SHA}"]).ok();
    let run = kiwi.run(&["run", &name, "-o", "json"]).ok().json();
    let reference = run["containers"][0]["reference"].as_str().unwrap();
    assert_eq!(reference, format!("{address}/{name}:v-{}", &commit[..7]));
    let digest = run["containers"][0]["digest"].as_str().unwrap();
    // The engine runs it by digest, and a pull by digest brings it back after the engine forgot it.
    let container = format!("kiwi-{name}-development-{name}-r1-0");
    assert_eq!(docker(&["inspect", "--format", "{{.Config.Image}}", &container]), [format!("{address}/{name}@{digest}")]);
    kiwi.run(&["service", "update", &name, "--drain", "1"]).ok();
    kiwi.run(&["service", "remove", &name]).ok();
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let service = delivered("stopped", &[]);
    service.kiwi.run(&["service", "update", &service.name, "--test", "echo the-test-began; sleep 300"]).ok();
    service.push("two");
    let child = service.kiwi.start(&["run", &service.name]);
    let task = || docker(&["ps", "--quiet", "--filter", &format!("label=kiwi.dev/service={}", service.name), "--filter", "label=kiwi.dev/role=task"]);
    while task().is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    kiwi_tests::crash::kill("-INT", child.id());
    let ended = kiwi_tests::command::finished(child.wait_with_output().unwrap(), Duration::ZERO);
    assert_eq!(ended.code, 130, "{ended:?}");
    assert_eq!(task(), Vec::<String>::new());
    let run = service.kiwi.run(&["runs", "list", "--limit", "1", "-o", "json"]).ok().json();
    assert_eq!((&run[0]["status"], service.answer().as_str()), (&Value::from("cancelled"), "shop one hello"));
    service.end();
}

/// What a failed change must not touch: the route, the probe and the port of what is live. And a host's route must answer.
#[test]
fn a_failed_change_of_routes_leaves_the_old_ones() {
    let host = format!("{}.example.com", unique("host"));
    let service = delivered("routes", &["--host", &host, "--start-timeout", "4"]);
    let by_host = |host: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", 80)).unwrap();
        stream.write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    assert!(by_host(&host).contains("shop one"), "the host's route answers");
    assert!(by_host("nobody.example.com").starts_with("HTTP/1.1 404"));
    let load = Load::start(service.port, Plan { keep_alive: 8, fresh: 2, slow: 0, ..Plan::near() });
    // A health path that the new version does not have: the sample answers every path, so the version is made picky.
    let picky = sample::APP.replace(
        "if self.path == \"/slow\":",
        "if self.path == \"/gone\":\n            self.send_error(404)\n            return\n        if self.path == \"/slow\":",
    );
    std::fs::write(service.repository.folder().join("app.py"), picky).unwrap();
    service.repository.push("main");
    service.kiwi.run(&["service", "update", &service.name, "--health", "/gone"]).ok();
    let failed = service.kiwi.run(&["run", &service.name]);
    assert!(failed.code == 1 && failed.err.contains("/gone does not answer"), "{}", failed.err);
    assert!(by_host(&host).contains("shop one"));
    // Another health path that works: the probes change, and no request is lost.
    service.kiwi.run(&["service", "update", &service.name, "--health", "/well"]).ok();
    service.kiwi.run(&["run", &service.name]).ok();
    service.kiwi.run(&["rollback", &service.name, "--to", "1"]).ok();
    // A port that another program has: nothing changes, and the port stays ours.
    let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    service.kiwi.run(&["service", "update", &service.name, "--publish", &port]).ok();
    let refused = service.kiwi.run(&["deploy", &service.name]);
    assert!(refused.code == 1 && refused.err.contains("another program listens"), "{}", refused.err);
    let status = service.kiwi.run(&["status", &service.name, "-o", "json"]).ok().json();
    assert_eq!(status["url"], format!("http://127.0.0.1:{}", service.port));
    let tally = load.finish();
    assert_eq!(tally.failed.load(std::sync::atomic::Ordering::Relaxed), 0, "{:?}", tally.reasons.lock().unwrap());
    service.end();
}

/// A secret that is no longer set comes back with an old release, and must be hidden still.
#[test]
fn an_old_secret_is_hidden_too() {
    let service = delivered("oldsecret", &["--release-command", "echo the-secret-is $GREETING"]);
    for secret in ["first-secret-value", "second-secret-value"] {
        service.kiwi.run_with(&["config", &service.name, "--secret", "GREETING"], secret).ok();
    }
    let back = service.kiwi.run(&["rollback", &service.name]).ok();
    assert!(back.err.contains("the-secret-is [redacted]"), "{}", back.err);
    let found = std::process::Command::new("grep").args(["-rlF", "first-secret-value"]).arg(service.kiwi.data()).output().unwrap();
    assert!(found.stdout.is_empty());
    service.end();
}

#[test]
fn nobody_s_change_of_settings_is_lost() {
    let service = delivered("both", &[]);
    std::thread::scope(|scope| {
        for index in 0..4 {
            let (kiwi, name) = (&service.kiwi, &service.name);
            scope.spawn(move || kiwi.run(&["config", name, "--set", &format!("P{index}=x")]).ok());
        }
    });
    let settings = service.kiwi.run(&["config", &service.name, "-o", "json"]).ok().json();
    assert_eq!(settings["variables"].as_object().unwrap().len(), 4, "{settings}");
    service.end();
}
