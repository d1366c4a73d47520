//! A push to a git host becomes a deployment: a webhook over HTTP, two servers on one database, Docker.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test ends by panicking, and prints its figures")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use kiwi_core::domain::GitProviderKind;
use kiwi_tests::command::{Kiwi, unique};
use kiwi_tests::fake::{FakeHost, TOKEN};
use kiwi_tests::git::{GitHost, Repository};
use kiwi_tests::server::Server;
use kiwi_tests::{host, sample};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;
use std::time::{Duration, Instant};

/// Everything that takes part.
struct World {
    host: FakeHost,
    kind: GitProviderKind,
    shops: Vec<Shop>,
    kiwi: Kiwi,
    servers: Vec<Server>,
    token: String,
}

type Event = (Vec<(String, String)>, Vec<u8>);

/// A push as GitHub delivers it (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>).
fn github_push(shop: &Shop, branch: &str, commit: &str, id: &str, secret: &str) -> Event {
    let body = json!({
        "ref": format!("refs/heads/{branch}"), "before": "1".repeat(40), "after": commit, "deleted": false,
        "head_commit": { "id": commit, "message": "a change" }, "repository": { "id": shop.id, "full_name": shop.path }
    });
    let body = serde_json::to_vec(&body).unwrap();
    (host::headers("push", id, &body, secret).into(), body)
}

/// A push as GitLab delivers it, signed by the rules of Standard Webhooks.
fn gitlab_push(shop: &Shop, branch: &str, commit: &str, id: &str, secret: &str) -> Event {
    let body = json!({
        "object_kind": "push", "ref": format!("refs/heads/{branch}"), "before": "1".repeat(40), "after": commit, "checkout_sha": commit,
        "project": { "id": shop.id, "path_with_namespace": shop.path }, "commits": [{ "id": commit, "message": "a change" }], "total_commits_count": 1
    });
    let body = serde_json::to_vec(&body).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{now}.").as_bytes());
    mac.update(&body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers =
        [("X-Gitlab-Event", "Push Hook"), ("Idempotency-Key", id), ("webhook-id", id), ("webhook-timestamp", &now), ("webhook-signature", &signature)];
    (headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(), body)
}

/// A service with its repository at the git host.
struct Shop {
    service: String,
    path: String,
    repository: Repository,
    id: u64,
}

impl World {
    fn start(kind: GitProviderKind, count: usize) -> Self {
        let host = FakeHost::start(kind, Some(GitHost::start(Some(TOKEN))));
        let kiwi = Kiwi::new().with_runtime();
        kiwi.run_with(&["provider", "set", kind.as_str(), "--url", host.url().as_str(), "--token-stdin"], TOKEN).ok();
        let shop = |number: usize| {
            let path = format!("team/shop-{number}");
            let repository = host.git().create(&path);
            sample::write(repository.folder(), "1");
            let id = host.adopt(&path, &repository.push("main"));
            let service = unique("pushed");
            kiwi.run(&["service", "register", &service, &format!("--{}", kind.as_str()), &path, "--port", "8080", "--health", "/"]).ok();
            Shop { service, path, repository, id }
        };
        let shops = (0..count).map(shop).collect();
        let first = Server::start(&kiwi);
        let token = first.first_admin();
        let servers = vec![first, Server::start(&kiwi)];
        Self { host, kind, shops, kiwi, servers, token }
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
    fn push(&self, shop: &Shop, version: &str) -> String {
        sample::write(shop.repository.folder(), version);
        let commit = shop.repository.push("main");
        self.host.memory().repositories.get_mut(&shop.id).unwrap().branches.insert("main".to_owned(), commit.clone());
        commit
    }

    /// What the host sends one of the servers for a push.
    async fn deliver(&self, server: usize, shop: &Shop, branch: &str, commit: &str, id: &str, secret: Option<&str>) -> (u16, Value) {
        let hook = self.host.memory().repositories[&shop.id].hooks.values().next().unwrap().clone();
        let (headers, body) = match self.kind {
            GitProviderKind::Gitlab => gitlab_push(shop, branch, commit, id, secret.unwrap_or_else(|| hook["signing_token"].as_str().unwrap())),
            _ => github_push(shop, branch, commit, id, secret.unwrap_or_else(|| hook["config"]["secret"].as_str().unwrap())),
        };
        let mut url: reqwest::Url = hook["url"].as_str().or(hook["config"]["url"].as_str()).unwrap().parse().unwrap();
        url.set_port(self.servers[server].address.rsplit(':').next().unwrap().parse().ok()).unwrap();
        let request = reqwest::Client::new().post(url).body(body);
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

    async fn answer(&self, shop: &Shop) -> String {
        let status = self.json(&["status", &shop.service]);
        reqwest::get(status["url"].as_str().unwrap_or_else(|| panic!("{status}"))).await.unwrap().text().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_github_becomes_a_deployment() {
    a_push_becomes_a_deployment(GitProviderKind::Github).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_gitlab_becomes_a_deployment() {
    a_push_becomes_a_deployment(GitProviderKind::Gitlab).await;
}

async fn a_push_becomes_a_deployment(kind: GitProviderKind) {
    let world = World::start(kind, 1);
    let shop = &world.shops[0];
    let refused = world.remote(&["ci", "enable", &shop.service]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--public-url"), "{refused:?}");
    let url = world.servers[0].url();
    world.json(&["ci", "enable", &shop.service, "--public-url", &url]);
    assert_eq!(world.json(&["ci", "show", &shop.service])["enabled"], true);

    // Only what the host signed counts, and only the branch.
    let commit = world.push(shop, "2");
    assert_eq!(world.deliver(0, shop, "main", &commit, "d-0", Some("guessed")).await.0, 401);
    let (status, other) = world.deliver(0, shop, "other", &commit, "d-1", None).await;
    assert_eq!((status, world.decided(&other["delivery"])["decision"].as_str()), (202, Some("ignored")));

    let began = Instant::now();
    let (status, kept) = world.deliver(0, shop, "main", &commit, "d-2", None).await;
    assert_eq!(status, 202, "{kept}");
    let delivery = world.decided(&kept["delivery"]);
    assert_eq!((delivery["decision"].as_str(), delivery["commit"].as_str()), (Some("build"), Some(commit.as_str())), "{delivery}");
    let run = world.finished(&delivery["run"]);
    assert_eq!(run["status"], "succeeded", "{run}");
    println!("FIGURE from a webhook to the end of its run, with drain and removal: {:.1} s", began.elapsed().as_secs_f64());
    assert!(world.answer(shop).await.contains("shop 2"), "{}", world.answer(shop).await);

    // The same push again, with its id and with another.
    for id in ["d-2", "d-3"] {
        let (status, again) = world.deliver(0, shop, "main", &commit, id, None).await;
        let again = world.decided(&again["delivery"]);
        assert_eq!((status, again["decision"].as_str(), &again["run"]), (202, Some("duplicate"), &delivery["run"]), "{again}");
    }

    // A push that nobody delivered is found, and its commit says what became of it.
    let lost = world.push(shop, "3");
    let found = world.json(&["ci", "reconcile", &shop.service]);
    assert_eq!((found["head"].as_str(), found["decision"].as_str()), (Some(lost.as_str()), Some("build")), "{found}");
    assert_eq!(world.finished(&found["run"])["status"], "succeeded");
    assert!(world.answer(shop).await.contains("shop 3"));
    let told = world.host.memory().repositories[&shop.id].statuses.clone();
    for commit in [&commit, &lost] {
        assert_eq!(told.iter().rfind(|(of, _)| of == commit).map(|(_, state)| state.as_str()), Some("success"), "{told:?}");
    }

    assert_eq!(world.json(&["runs", "list"]).as_array().unwrap().len(), 2, "one run for each push");
    world.json(&["ci", "disable", &shop.service]);
    assert!(world.host.memory().repositories[&shop.id].hooks.is_empty());
    world.json(&["service", "remove", &shop.service]);
}

/// With `KIWI_TEST_FULL`: pushes to five services, told twice, in another order, or not at all, while one of two servers dies.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_deliveries_end_at_every_head() {
    const SERVICES: usize = 5;
    const PUSHES: usize = 25;
    if std::env::var("KIWI_TEST_FULL").as_deref() != Ok("yes") {
        return;
    }
    let mut world = World::start(GitProviderKind::Github, SERVICES);
    let url = world.servers[0].url();
    for shop in &world.shops {
        world.json(&["ci", "enable", &shop.service, "--public-url", &url]);
    }
    let began = Instant::now();
    let (mut random, mut sent, mut commits) = (7_u64, Vec::new(), BTreeMap::new());
    for push in 0..PUSHES {
        // What is to be told of this round of pushes: each push once, most twice, a tenth never, in no order.
        let mut told = Vec::new();
        for (number, shop) in world.shops.iter().enumerate() {
            let commit = world.push(shop, &format!("{}", push + 2));
            let place = push * SERVICES + number;
            commits.entry(number).or_insert_with(Vec::new).push(commit.clone());
            let copies = [2, 2, 0, 2, 2, 2, 2, 1, 2, 2][place % 10];
            told.extend((0..copies).map(|copy| (number, commit.clone(), format!("d-{place}-{}", copy * (place % 3)))));
        }
        while !told.is_empty() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (number, commit, id) = told.swap_remove((random >> 33) as usize % told.len());
            let (status, kept) = world.deliver(sent.len() % 2, &world.shops[number], "main", &commit, &id, None).await;
            assert_eq!(status, 202, "{kept}");
            sent.push(kept["delivery"].clone());
        }
        if push == PUSHES / 2 {
            // Killed, not asked: its runs and its deliveries are the other's, until it is there again.
            drop(world.servers.pop());
            world.servers.push(Server::start(&world.kiwi));
        }
    }
    let answered = began.elapsed();
    let due = Instant::now() + Duration::from_secs(900);
    for shop in &world.shops {
        world.json(&["ci", "reconcile", &shop.service]);
    }
    let runs = loop {
        let runs = world.json(&["runs", "list", "--limit", "1000"]);
        if runs.as_array().unwrap().iter().all(|run| !run["finished_at"].is_null()) {
            break runs;
        }
        assert!(Instant::now() < due, "{runs}");
        std::thread::sleep(Duration::from_secs(1));
    };
    for delivery in &sent {
        world.decided(delivery);
    }
    let mut built = BTreeSet::new();
    for run in runs.as_array().unwrap() {
        let url = format!("{}/api/v1/runs/{}", world.servers[0].url(), run["run"].as_str().unwrap());
        let answer = reqwest::Client::new().get(url).bearer_auth(&world.token).send().await.unwrap().bytes().await.unwrap();
        let run: Value = serde_json::from_slice(&answer).unwrap();
        assert!(run["request"]["commit"].is_string(), "{run}");
        assert!(built.insert((run["service"].to_string(), run["request"]["commit"].to_string())), "a second run of one commit: {run}");
    }
    for (number, shop) in world.shops.iter().enumerate() {
        let head = commits[&number].last().unwrap();
        assert_eq!(world.json(&["status", &shop.service])["commit"].as_str(), Some(head.as_str()));
        assert!(world.answer(shop).await.contains(&format!("shop {}", PUSHES + 1)));
    }
    let succeeded = runs.as_array().unwrap().iter().filter(|run| run["status"] == "succeeded").count();
    println!(
        "FIGURE {} deliveries of {} pushes for {SERVICES} services on Docker, one of two servers killed: taken in {:.0} s, every head live after {:.0} s, {} runs, {succeeded} of them to the end, the rest superseded",
        sent.len(),
        SERVICES * PUSHES,
        answered.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        built.len()
    );
    for shop in &world.shops {
        world.json(&["service", "remove", &shop.service]);
    }
}
