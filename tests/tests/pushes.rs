//! A push to a git host becomes a deployment: a webhook over HTTP, two servers on one database, Docker.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking, and prints its figures")]

use kiwi_core::domain::GitProviderKind;
use kiwi_tests::command::{Kiwi, unique};
use kiwi_tests::fake::{FakeHost, TOKEN};
use kiwi_tests::git::{GitHost, Repository};
use kiwi_tests::server::Server;
use kiwi_tests::{host, sample};
use serde_json::{Value, json};
use std::process::Output;
use std::time::{Duration, Instant};

const PATH: &str = "team/shop";

/// Everything that takes part.
struct World {
    github: FakeHost,
    repository: Repository,
    id: u64,
    kiwi: Kiwi,
    servers: Vec<Server>,
    token: String,
    service: String,
}

impl World {
    fn start() -> Self {
        let github = FakeHost::start(GitProviderKind::Github, Some(GitHost::start(Some(TOKEN))));
        let repository = github.git().create(PATH);
        sample::write(repository.folder(), "1");
        let id = github.adopt(PATH, &repository.push("main"));
        let kiwi = Kiwi::new().with_runtime();
        kiwi.run_with(&["provider", "set", "github", "--url", github.url().as_str(), "--token-stdin"], TOKEN).ok();
        let service = unique("pushed");
        kiwi.run(&["service", "register", &service, "--github", PATH, "--port", "8080", "--health", "/"]).ok();
        let first = Server::start(&kiwi);
        let token = first.first_admin();
        let servers = vec![first, Server::start(&kiwi)];
        Self { github, repository, id, kiwi, servers, token, service }
    }

    fn remote(&self, arguments: &[&str]) -> Output {
        let url = self.servers[1].url();
        let arguments: Vec<&str> = ["--server", &url].into_iter().chain(arguments.iter().copied()).collect();
        self.kiwi.command(&arguments).env("KIWI_TOKEN", &self.token).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.remote(&[arguments, &["-o", "json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Pushes a version; the host is asked for it, but nobody is told.
    fn push(&self, version: &str) -> String {
        sample::write(self.repository.folder(), version);
        let commit = self.repository.push("main");
        self.github.memory().repositories.get_mut(&self.id).unwrap().branches.insert("main".to_owned(), commit.clone());
        commit
    }

    /// What the host sends for a push, by the webhook that it was given.
    async fn deliver(&self, branch: &str, commit: &str, id: &str, secret: Option<&str>) -> (u16, Value) {
        let hook = self.github.memory().repositories[&self.id].hooks.values().next().unwrap().clone();
        let body = json!({
            "ref": format!("refs/heads/{branch}"), "before": "1".repeat(40), "after": commit, "deleted": false,
            "head_commit": { "id": commit, "message": "a change" }, "repository": { "id": self.id, "full_name": PATH }
        });
        let body = serde_json::to_vec(&body).unwrap();
        let headers = host::headers("push", id, &body, secret.unwrap_or_else(|| hook["config"]["secret"].as_str().unwrap()));
        let request = reqwest::Client::new().post(hook["config"]["url"].as_str().unwrap()).body(body);
        let answer = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    /// Waits until a delivery is decided, and answers it.
    fn decided(&self, id: &Value) -> Value {
        let due = Instant::now() + Duration::from_secs(30);
        loop {
            let shown = self.json(&["delivery", "show", id.as_str().unwrap()]);
            if shown["decision"] != "waiting" {
                return shown;
            }
            assert!(Instant::now() < due, "{shown}");
        }
    }

    /// Waits until a run is finished.
    fn finished(&self, run: &Value) -> Value {
        let due = Instant::now() + Duration::from_secs(120);
        loop {
            let shown = self.json(&["runs", "show", run.as_str().unwrap()]);
            if !shown["finished_at"].is_null() {
                return shown;
            }
            assert!(Instant::now() < due, "{shown}");
        }
    }

    async fn answer(&self) -> String {
        let status = self.json(&["status", &self.service]);
        reqwest::get(status["url"].as_str().unwrap_or_else(|| panic!("{status}"))).await.unwrap().text().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_becomes_a_deployment() {
    let world = World::start();
    let refused = world.remote(&["ci", "enable", &world.service]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--public-url"), "{refused:?}");
    let url = world.servers[0].url();
    world.json(&["ci", "enable", &world.service, "--public-url", &url]);
    assert_eq!(world.json(&["ci", "show", &world.service])["enabled"], true);

    // Only what the host signed counts, and only the branch.
    let commit = world.push("2");
    assert_eq!(world.deliver("main", &commit, "d-0", Some("guessed")).await.0, 401);
    let (status, other) = world.deliver("other", &commit, "d-1", None).await;
    assert_eq!((status, world.decided(&other["delivery"])["decision"].as_str()), (202, Some("ignored")));

    let began = Instant::now();
    let (status, kept) = world.deliver("main", &commit, "d-2", None).await;
    assert_eq!(status, 202, "{kept}");
    let delivery = world.decided(&kept["delivery"]);
    assert_eq!((delivery["decision"].as_str(), delivery["commit"].as_str()), (Some("build"), Some(commit.as_str())), "{delivery}");
    let run = world.finished(&delivery["run"]);
    assert_eq!(run["status"], "succeeded", "{run}");
    println!("FIGURE from a webhook to the end of its run, with drain and removal: {:.1} s", began.elapsed().as_secs_f64());
    assert!(world.answer().await.contains("shop 2"), "{}", world.answer().await);

    // The same push again, with its id and with another.
    for id in ["d-2", "d-3"] {
        let (status, again) = world.deliver("main", &commit, id, None).await;
        let again = world.decided(&again["delivery"]);
        assert_eq!((status, again["decision"].as_str(), &again["run"]), (202, Some("duplicate"), &delivery["run"]), "{again}");
    }

    // A push that nobody delivered is found, and its commit says what became of it.
    let lost = world.push("3");
    let found = world.json(&["ci", "reconcile", &world.service]);
    assert_eq!((found["head"].as_str(), found["decision"].as_str()), (Some(lost.as_str()), Some("build")), "{found}");
    assert_eq!(world.finished(&found["run"])["status"], "succeeded");
    assert!(world.answer().await.contains("shop 3"));
    let told = world.github.memory().repositories[&world.id].statuses.clone();
    for commit in [&commit, &lost] {
        assert_eq!(told.iter().rfind(|(of, _)| of == commit).map(|(_, state)| state.as_str()), Some("success"), "{told:?}");
    }

    assert_eq!(world.json(&["runs", "list"]).as_array().unwrap().len(), 2, "one run for each push");
    world.json(&["ci", "disable", &world.service]);
    assert!(world.github.memory().repositories[&world.id].hooks.is_empty());
    world.json(&["service", "remove", &world.service]);
}
