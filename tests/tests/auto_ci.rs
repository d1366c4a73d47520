//! Auto CI: what becomes of a push, whatever happens to its webhook.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use kiwi_core::Actor;
use kiwi_core::domain::{CommitSha, Delivery, DeploymentKind, EnvironmentName, Outcome, RunRequest, RunStatus};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::memory::MemoryStore;
use kiwi_core::pipeline::ci::{EnableAutoCi, Receipt, Reconciliation};
use kiwi_core::pipeline::{Kiwi, Retention, ServerOptions};
use kiwi_core::provider::store::RunFilter;
use kiwi_core::provider::{CommitState, Store};
use kiwi_core::webhook::UnverifiedWebhook;
use kiwi_store::{KeySource, SqliteStore};
use kiwi_tests::contract::inbox::commit;
use kiwi_tests::host::{self, World, name};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

const DEVELOPMENT: EnvironmentName = EnvironmentName::Development;

struct Shop {
    world: World,
    kiwi: Kiwi,
    store: Arc<dyn Store>,
    actor: Actor,
}

/// The service `shop`, at commit 1, with Auto CI on.
async fn shop() -> Shop {
    shop_on(Arc::new(MemoryStore::default())).await
}

async fn shop_on(store: Arc<dyn Store>) -> Shop {
    let world = World::default();
    host::prepare(&*store, &world.host, &["shop"], &commit(1)).await;
    let kiwi = world.engine(store.clone(), |builder| builder).await;
    let shop = Shop { world, kiwi, store, actor: Actor::local_admin() };
    shop.enable(&[]).await;
    shop
}

impl Shop {
    async fn enable(&self, watch: &[&str]) {
        let watch = watch.iter().map(|pattern| pattern.parse().unwrap()).collect();
        self.kiwi.enable_auto_ci(&self.actor, &name("shop"), EnableAutoCi { watch, ..EnableAutoCi::default() }).await.unwrap();
    }

    async fn deliver(&self, delivery: &UnverifiedWebhook) -> Delivery {
        let service = self.kiwi.service(&self.actor, &name("shop")).await.unwrap();
        match self.kiwi.receive(kiwi_core::domain::GitProviderKind::Github, &service.id, delivery).await.unwrap() {
            Receipt::Kept(id) => self.kiwi.delivery(&self.actor, &id).await.unwrap(),
            Receipt::Rejected { reason } => panic!("{reason}"),
        }
    }

    /// Pushes, and delivers it.
    async fn push(&self, number: u64, id: &str) -> Delivery {
        self.world.host.push("shop", &commit(number));
        self.deliver(&self.world.host.delivery("shop", &commit(number), id)).await
    }

    async fn reconcile(&self) -> Reconciliation {
        self.kiwi.reconcile(&self.actor, &name("shop")).await.unwrap()
    }

    async fn decided(&self, delivery: &Delivery) -> (Outcome, String) {
        self.reconcile().await;
        let decision = self.kiwi.delivery(&self.actor, &delivery.id).await.unwrap().decision.unwrap();
        (decision.outcome, decision.reason)
    }

    /// Works every run that waits, and answers how they ended.
    async fn work(&self) -> Vec<RunStatus> {
        self.kiwi.resume(&self.actor, |_| {}).await.unwrap().iter().map(|run| run.status).collect()
    }

    async fn live(&self) -> Option<CommitSha> {
        self.kiwi.status(&self.actor, &name("shop"), DEVELOPMENT).await.unwrap().live.and_then(|live| live.release.commit)
    }
}

#[tokio::test]
async fn enabling_registers_the_webhook_with_a_secret_of_its_own() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let world = World::default();
    host::prepare(&*store, &world.host, &["shop"], &commit(1)).await;
    let (actor, shop) = (Actor::local_admin(), name("shop"));
    let providers = host::Providers { host: world.host.clone(), runtime: world.runtime.clone(), builder: world.builder.clone() };
    let without = Kiwi::builder(store.clone(), Arc::new(providers)).source(world.host.clone()).open().await.unwrap();
    let refused = without.enable_auto_ci(&actor, &shop, EnableAutoCi::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.hint().contains("--public-url"), "{}", refused.hint());
    assert!(world.host.state().hooks.is_empty());
    let kiwi = world.engine(store.clone(), |builder| builder).await;
    let settings = kiwi.enable_auto_ci(&actor, &shop, EnableAutoCi::default()).await.unwrap();
    let first = world.host.state().hooks["shop"].clone();
    assert_eq!(first.0.as_str(), format!("https://kiwi.example.com/hooks/github/{}", settings.service));
    kiwi.enable_auto_ci(&actor, &shop, EnableAutoCi::default()).await.unwrap();
    let second = world.host.state().hooks["shop"].clone();
    assert_ne!(secrecy::ExposeSecret::expose_secret(&first.1), secrecy::ExposeSecret::expose_secret(&second.1));
    assert_eq!(store.secret(&settings.secret).await.unwrap_err().kind(), ErrorKind::NotFound, "the old secret is gone");
    // A host that refuses leaves things as they were.
    world.host.state().failure = Some((ErrorKind::Forbidden, "no"));
    assert!(kiwi.enable_auto_ci(&actor, &shop, EnableAutoCi { watch: vec!["x".parse().unwrap()], ..EnableAutoCi::default() }).await.is_err());
    world.host.state().failure = None;
    assert!(kiwi.auto_ci(&actor, &shop).await.unwrap().unwrap().0.watch.is_empty());
    kiwi.disable_auto_ci(&actor, &shop).await.unwrap();
    assert!(world.host.state().hooks.is_empty() && kiwi.auto_ci(&actor, &shop).await.unwrap().is_none());
    let member = Actor { role: kiwi_core::Role::Member { service: false }, ..actor };
    assert_eq!(kiwi.enable_auto_ci(&member, &shop, EnableAutoCi::default()).await.unwrap_err().kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_commit_that_asks_not_to_be_built_is_not_found_by_the_reconciler_either() {
    let shop = shop().await;
    let skip = |number: u64| {
        let push = json!({
            "ref": "refs/heads/main", "before": "1".repeat(40), "after": commit(number), "deleted": false,
            "head_commit": { "id": commit(number), "message": "words [skip ci]" }, "repository": { "id": host::number("shop"), "full_name": "shop" }
        });
        shop.world.host.event("shop", "push", &format!("skip-{number}"), &push)
    };
    shop.world.host.push("shop", &commit(2));
    let delivery = shop.deliver(&skip(2)).await;
    let (outcome, reason) = shop.decided(&delivery).await;
    assert!(outcome == Outcome::Ignored && reason.contains("asks not to be built"), "{reason}");
    assert!(shop.reconcile().await.decision.is_none() && shop.work().await.is_empty());
    // The next push is built; one that asks not to be built says nothing about the head that came after it.
    shop.world.host.push("shop", &commit(3));
    shop.world.host.push("shop", &commit(4));
    shop.deliver(&skip(3)).await;
    let found = shop.reconcile().await.decision.unwrap();
    assert_eq!((found.outcome, shop.work().await), (Outcome::Build, vec![RunStatus::Succeeded]));
    assert_eq!(shop.live().await, Some(commit(4)));
}

#[tokio::test]
async fn a_push_is_built_and_deployed_and_its_commit_says_so() {
    let shop = shop().await;
    let delivery = shop.push(2, "a").await;
    assert_eq!((delivery.decision.as_ref(), delivery.commit.as_ref()), (None, Some(&commit(2))), "it is answered before it is decided");
    assert!(delivery.headers.iter().all(|(name, _)| !name.contains("signature")));
    let (outcome, reason) = shop.decided(&delivery).await;
    assert_eq!((outcome, reason.as_str()), (Outcome::Build, "a push to main: every push is built"));
    assert_eq!(shop.work().await, [RunStatus::Succeeded]);
    assert_eq!(shop.live().await, Some(commit(2)));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let statuses = shop.world.host.state().statuses.clone();
    assert_eq!(statuses.last().map(|(commit, state, _)| (commit.clone(), *state)), Some((commit(2), CommitState::Success)));
    assert!(statuses.iter().any(|(_, state, _)| *state == CommitState::Running), "{statuses:?}");
    assert!(statuses.iter().all(|(_, _, target)| target.starts_with("https://kiwi.example.com/api/v1/runs/")), "{statuses:?}");
    // A host that cannot be told never harms a run.
    shop.push(3, "b").await;
    shop.reconcile().await;
    shop.world.host.state().failure = Some((ErrorKind::Unavailable, "down"));
    assert_eq!(shop.work().await, [RunStatus::Succeeded]);
}

#[tokio::test]
async fn what_is_not_to_be_built_says_why() {
    let shop = shop().await;
    let host = &shop.world.host;
    let push = |reference: &str, after: &str| {
        json!({ "ref": reference, "after": after, "deleted": after.starts_with("0000"), "head_commit": { "id": after, "message": "m" },
            "repository": { "id": host::number("shop"), "full_name": "shop" } })
    };
    let some = "9".repeat(40);
    for (event, body, why) in [
        ("ping", json!({}), "GitHub tests the webhook"),
        ("issues", json!({}), "the event issues is not a push"),
        ("push", push("refs/heads/other", &some), "the push is to other, and main is delivered"),
        ("push", push("refs/heads/main", &"0".repeat(40)), "the branch was deleted"),
        ("push", push("refs/tags/main", &some), "a tag was pushed, and only pushes to a branch are delivered"),
    ] {
        let delivery = shop.deliver(&host.event("shop", event, why, &body)).await;
        assert_eq!(shop.decided(&delivery).await, (Outcome::Ignored, why.to_owned()));
    }
    assert!(shop.work().await.is_empty());
    let late = shop.deliver(&host.delivery("shop", &commit(2), "late")).await;
    shop.kiwi.disable_auto_ci(&shop.actor, &name("shop")).await.unwrap();
    shop.enable(&[]).await;
    assert_eq!(shop.decided(&late).await.0, Outcome::Ignored, "the branch is at commit 1, which was there before");
}

#[tokio::test]
async fn one_run_for_a_commit_and_another_when_it_failed_and_comes_again() {
    let shop = shop().await;
    let first = shop.push(2, "a").await;
    assert_eq!(shop.decided(&first).await.0, Outcome::Build);
    for id in ["a", "b"] {
        let again = shop.push(2, id).await;
        assert_eq!(shop.decided(&again).await.0, Outcome::Duplicate);
    }
    shop.world.runtime.fail(Error::new(ErrorKind::Unhealthy, "start", "no"));
    assert_eq!(shop.work().await, [RunStatus::Failed]);
    assert!(shop.reconcile().await.decision.is_none(), "the reconciler does not insist");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let again = shop.push(2, "a").await;
    assert_eq!(shop.decided(&again).await.0, Outcome::Build);
    assert_eq!(shop.work().await, [RunStatus::Succeeded]);
    let again = shop.push(2, "a").await;
    assert_eq!(shop.decided(&again).await.0, Outcome::Duplicate);
}

#[tokio::test]
async fn an_older_commit_never_overwrites_a_newer_one() {
    let shop = shop().await;
    let host = &shop.world.host;
    for number in 2..=4 {
        host.push("shop", &commit(number));
    }
    // The newest is lost, the older ones come late and in the wrong order.
    let third = shop.deliver(&host.delivery("shop", &commit(3), "3")).await;
    let (outcome, reason) = shop.decided(&third).await;
    assert_eq!((outcome, reason.contains("moved on")), (Outcome::Build, true), "{reason}");
    let second = shop.deliver(&host.delivery("shop", &commit(2), "2")).await;
    assert_eq!(shop.decided(&second).await.0, Outcome::Ignored);
    assert_eq!((shop.work().await, shop.live().await), (vec![RunStatus::Succeeded], Some(commit(4))));
    // A queued older commit gives way.
    shop.push(5, "5").await;
    shop.reconcile().await;
    shop.push(6, "6").await;
    shop.reconcile().await;
    assert_eq!(shop.work().await, [RunStatus::Superseded, RunStatus::Succeeded]);
    assert_eq!(shop.live().await, Some(commit(6)));
    // Going back on purpose is a new head.
    let forced = shop.push(5, "5 again").await;
    assert_eq!(shop.decided(&forced).await.0, Outcome::Build);
}

#[tokio::test]
async fn what_a_person_rolled_back_does_not_come_back() {
    let shop = shop().await;
    for number in 2..=3 {
        shop.push(number, &number.to_string()).await;
        shop.reconcile().await;
        shop.work().await;
    }
    let rollback = RunRequest::Rollback { to: None, current_config: false };
    shop.kiwi.request(&shop.actor, &name("shop"), DEVELOPMENT, rollback).await.unwrap();
    shop.work().await;
    assert_eq!(shop.live().await, Some(commit(2)));
    // Somebody switches Auto CI off and on, so that nothing of the decision is left, and the host delivers again.
    let state = shop.store.auto_ci(&shop.kiwi.service(&shop.actor, &name("shop")).await.unwrap().id).await.unwrap().unwrap();
    shop.store.remove_auto_ci(&state.0.service).await.unwrap();
    shop.store.put_auto_ci(&state.0, None).await.unwrap();
    let again = shop.deliver(&shop.world.host.delivery("shop", &commit(3), "3")).await;
    let (outcome, reason) = shop.decided(&again).await;
    assert_eq!((outcome, reason.contains("rolled back by revision 3")), (Outcome::Ignored, true), "{reason}");
    assert!(shop.work().await.is_empty());
    shop.push(4, "4").await;
    shop.reconcile().await;
    shop.work().await;
    assert_eq!(shop.live().await, Some(commit(4)), "the next new commit deploys");
    let history = shop.kiwi.history(&shop.actor, &name("shop"), DEVELOPMENT).await.unwrap();
    assert_eq!(history.iter().filter(|deployment| deployment.kind == DeploymentKind::Rollback).count(), 1);
}

#[tokio::test]
async fn only_watched_files_count_and_nothing_is_lost_between() {
    let shop = shop().await;
    shop.push(2, "2").await;
    shop.reconcile().await;
    shop.work().await;
    shop.enable(&["/src", "!*.md"]).await;
    let files = |files: &[&str]| shop.world.host.state().files = files.iter().map(|file| (*file).to_owned()).collect();
    files(&["README.md", "src/notes.md"]);
    let dry = shop.kiwi.forecast_push(&shop.actor, &name("shop"), DEVELOPMENT, &["*.md".parse().unwrap()], &commit(3)).await.unwrap();
    assert_eq!((dry.builds, dry.files.len(), dry.base), (true, 2, Some(commit(2))));
    let push = shop.push(3, "3").await;
    let (outcome, reason) = shop.decided(&push).await;
    assert_eq!((outcome, reason.as_str()), (Outcome::Ignored, "none of the 2 files that differ from 0000000 is watched"));
    files(&["README.md", "src/main.rs"]);
    let push = shop.push(4, "4").await;
    let (outcome, reason) = shop.decided(&push).await;
    assert_eq!((outcome, reason.as_str()), (Outcome::Build, "a push to main: src/main.rs is watched and differs from 0000000"));
}

#[tokio::test]
async fn the_reconciler_finds_what_was_lost_and_mends_the_webhook() {
    let shop = shop().await;
    shop.world.host.push("shop", &commit(2));
    shop.world.host.state().hooks.clear();
    let found = shop.reconcile().await;
    assert_eq!((found.head, found.decision.unwrap().outcome), (commit(2), Outcome::Build));
    assert!(shop.world.host.state().hooks.contains_key("shop"));
    assert!(shop.reconcile().await.decision.is_none());
    assert_eq!((shop.work().await, shop.live().await), (vec![RunStatus::Succeeded], Some(commit(2))));
    shop.deliver(&shop.world.host.delivery("shop", &commit(2), "after all")).await;
    shop.world.host.state().failure = Some((ErrorKind::Unavailable, "rate limit"));
    assert_eq!(shop.kiwi.reconcile(&shop.actor, &name("shop")).await.unwrap_err().kind(), ErrorKind::Unavailable);
    shop.world.host.state().failure = None;
    shop.world.host.state().heads.clear();
    assert_eq!(shop.kiwi.reconcile(&shop.actor, &name("shop")).await.unwrap_err().kind(), ErrorKind::BranchNotFound);
}

#[tokio::test]
async fn a_kill_between_answer_and_decision_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let store = SqliteStore::open(&folder.path().join("data"), KeySource::File(folder.path().join("key"))).await.unwrap();
        Arc::new(store) as Arc<dyn Store>
    };
    let first = shop_on(open().await).await;
    let kept = first.push(2, "a").await;
    let Shop { world, kiwi, store, actor } = first;
    drop((kiwi, store));
    let store = open().await;
    let kiwi = world.engine(store.clone(), |builder| builder).await;
    let shop = Shop { world, kiwi, store, actor };
    assert_eq!(shop.decided(&kept).await.0, Outcome::Build);
    assert_eq!((shop.work().await, shop.live().await), (vec![RunStatus::Succeeded], Some(commit(2))));
}

#[tokio::test]
async fn old_runs_go_and_those_of_releases_stay() {
    let shop = shop().await;
    for number in 2..=6 {
        if number % 2 == 1 {
            shop.world.runtime.fail(Error::new(ErrorKind::Unhealthy, "start", "no"));
        }
        shop.push(number, &number.to_string()).await;
        shop.reconcile().await;
        shop.work().await;
    }
    let build = RunRequest::Build { commit: Some(commit(7)), branch: None };
    for _ in 0..3 {
        shop.kiwi.request(&shop.actor, &name("shop"), DEVELOPMENT, build.clone()).await.unwrap();
    }
    shop.work().await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let (runs, deliveries) = shop.kiwi.tidy(&shop.actor.organization, &Retention { runs: 0, age: Duration::ZERO }).await.unwrap();
    assert_eq!((runs, deliveries), (2, 5), "the newest build can still be deployed, and every deployment keeps its run");
    assert_eq!(shop.work().await, []);
    shop.kiwi.request(&shop.actor, &name("shop"), DEVELOPMENT, RunRequest::Rollback { to: Some(1), current_config: false }).await.unwrap();
    assert_eq!(shop.work().await, [RunStatus::Succeeded]);
}

#[tokio::test]
async fn the_door_tells_a_stranger_from_the_host() {
    let shop = shop().await;
    let service = shop.kiwi.service(&shop.actor, &name("shop")).await.unwrap();
    let body = serde_json::to_vec(&json!({ "zen": "x" })).unwrap();
    let ask = async |path: String, secret: &str, body: &[u8]| {
        let headers = host::headers("ping", "p", &serde_json::to_vec(&json!({ "zen": "x" })).unwrap(), secret);
        let request = headers.iter().fold(Request::post(path), |request, (name, value)| request.header(name, value));
        kiwi_http::hooks(shop.kiwi.clone()).oneshot(request.body(Body::from(body.to_vec())).unwrap()).await.unwrap().status()
    };
    let secret = secrecy::ExposeSecret::expose_secret(&shop.world.host.state().hooks["shop"].1).to_owned();
    let path = format!("/hooks/github/{}", service.id);
    assert_eq!(ask(path.clone(), &secret, &body).await, StatusCode::ACCEPTED);
    assert_eq!(ask(path.clone(), "wrong", &body).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(path.clone(), &secret, b"{\"zen\":\"y\"}").await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(format!("/hooks/github/{}", kiwi_core::domain::ServiceId::generate()), &secret, &body).await, StatusCode::NOT_FOUND);
    assert_eq!(ask("/hooks/bitbucket/x".to_owned(), &secret, &body).await, StatusCode::NOT_FOUND);
    assert_eq!(shop.kiwi.deliveries(&shop.actor, &name("shop"), None, 10).await.unwrap().len(), 1, "nothing of a stranger is kept");
    assert_eq!(shop.kiwi.rejected_deliveries(), 2);
    shop.enable(&[]).await;
    assert_eq!(ask(path, &secret, &body).await, StatusCode::UNAUTHORIZED, "the old secret counts no more");
}

#[tokio::test]
async fn a_run_says_what_it_waits_for() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let world = World::default();
    host::prepare(&*store, &world.host, &["a", "b", "c"], &commit(1)).await;
    let kiwi = world.engine(store.clone(), |builder| builder).await;
    let actor = Actor::local_admin();
    let mut runs = Vec::new();
    for service in ["a", "b", "c", "c"] {
        runs.push(kiwi.request(&actor, &name(service), DEVELOPMENT, RunRequest::Pipeline { commit: None }).await.unwrap());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (_, mut working, fence) = store.take("worker", Duration::from_secs(60), 1).await.unwrap().unwrap();
    assert!(store.take("worker", Duration::from_secs(60), 1).await.unwrap().is_none(), "the runtime has no room");
    working.status = RunStatus::Running;
    store.update_run(&working, &fence).await.unwrap();
    runs[0] = working;
    let waiting = kiwi.waiting(&actor, &runs).await.unwrap();
    let reasons: Vec<_> = runs.iter().map(|run| waiting.get(&run.id).map(String::as_str)).collect();
    let behind = format!("run {} of the same service and environment comes first", runs[2].id);
    assert_eq!(reasons, [None, Some("1 run ahead on runtime local"), Some("2 runs ahead on runtime local"), Some(behind.as_str())]);
}

#[tokio::test]
async fn a_server_that_stops_hands_its_run_over() {
    let shop = shop().await;
    shop.push(2, "a").await;
    // One that does not answer for long: the run is in the middle of its stage when the server stops.
    shop.world.host.state().slow = Some(Duration::from_secs(3600));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn({
        let kiwi = shop.kiwi.clone();
        async move { kiwi.serve(ServerOptions::default(), async { drop(stopped.await) }).await }
    });
    let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
    let running = async || shop.kiwi.runs(&shop.actor, &unfinished).await.unwrap().iter().any(|run| run.status == RunStatus::Running);
    while !running().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
    shop.world.host.state().slow = None;
    let next = shop.world.engine(shop.store.clone(), |builder| builder).await;
    let began = std::time::Instant::now();
    let done = next.resume(&shop.actor, |_| {}).await.unwrap();
    assert_eq!((done.len(), done[0].status, shop.live().await), (1, RunStatus::Succeeded, Some(commit(2))));
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits for the lease");
}
