//! A storm of deliveries: doubled, in the wrong order, a tenth of them lost, over a kill and a restart. In the end every service runs its branch's head.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use futures_util::StreamExt as _;
use kiwi_core::Actor;
use kiwi_core::domain::{CommitSha, EnvironmentName, GitProviderKind, Outcome, RunRequest, ServiceId};
use kiwi_core::pipeline::ci::{EnableAutoCi, Receipt};
use kiwi_core::pipeline::{Kiwi, ServerOptions};
use kiwi_core::provider::Store;
use kiwi_core::provider::store::RunFilter;
use kiwi_store::{KeySource, SqliteStore};
use kiwi_tests::contract::inbox::commit;
use kiwi_tests::host::{self, World, name};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How many deliveries reach the door, for how many services.
fn amount() -> (usize, usize) {
    if std::env::var("KIWI_TEST_FULL").as_deref() == Ok("yes") { (10_000, 50) } else { (1_000, 20) }
}

struct Server {
    kiwi: Kiwi,
    store: Arc<dyn Store>,
    stop: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

/// A process, as far as it can be one in a test: a store and an engine of its own.
async fn server(world: &World) -> Server {
    let (data, key) = (world.folder().join("data"), world.folder().join("key"));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data, KeySource::File(key)).await.unwrap());
    let kiwi = world.engine(store.clone(), |builder| builder.lease(Duration::from_secs(2))).await;
    let (stop, stopped) = oneshot::channel();
    let options = ServerOptions { runs: 8, runs_per_runtime: 8, reconcile: Duration::from_secs(2), ..ServerOptions::default() };
    let work = tokio::spawn({
        let kiwi = kiwi.clone();
        async move { kiwi.serve(options, async { drop(stopped.await) }).await }
    });
    Server { kiwi, store, stop, work }
}

/// What happens at the host, in order: a push, or a delivery of an earlier one.
#[derive(Clone)]
enum Happening {
    Push(usize, CommitSha),
    Delivery(usize, CommitSha, String),
}

fn storm(deliveries: usize, services: usize, random: &mut StdRng) -> Vec<Happening> {
    let mut happenings = Vec::new();
    let mut heads = vec![1; services];
    let mut waiting = Vec::new();
    let mut count = 0;
    while count < deliveries {
        let service = random.random_range(0..services);
        heads[service] += 1;
        let pushed = commit(heads[service]);
        happenings.push(Happening::Push(service, pushed.clone()));
        if !random.random_ratio(1, 10) {
            let id = format!("{service}-{}", heads[service]);
            let copies = if random.random_ratio(1, 4) { 2 } else { 1 };
            waiting.extend(std::iter::repeat_n(Happening::Delivery(service, pushed, id), copies));
        }
        if waiting.len() > 40 {
            waiting.shuffle(random);
            let now = waiting.split_off(waiting.len() / 3);
            count += now.len();
            happenings.extend(now);
        }
    }
    happenings.extend(waiting);
    happenings
}

async fn send(world: &World, kiwi: &Kiwi, ids: &[ServiceId], names: &[String], happenings: &[Happening]) -> usize {
    let sent = futures_util::stream::iter(happenings).map(async |happening| match happening {
        Happening::Push(service, pushed) => {
            world.host.push(&names[*service], pushed);
            0
        }
        Happening::Delivery(service, pushed, id) => {
            let delivery = world.host.delivery(&names[*service], pushed, id);
            let receipt = kiwi.receive(GitProviderKind::Github, &ids[*service], &delivery).await.unwrap();
            assert!(matches!(receipt, Receipt::Kept(_)), "{receipt:?}");
            1
        }
    });
    sent.buffered(64).fold(0, async |sum, one| sum + one).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_service_ends_at_its_head() {
    let (deliveries, services) = amount();
    let world = World::default();
    let actor = Actor::local_admin();
    let names: Vec<String> = (0..services).map(|number| format!("service-{number}")).collect();
    let first = server(&world).await;
    host::prepare(&*first.store, &world.host, &names.iter().map(String::as_str).collect::<Vec<_>>(), &commit(1)).await;
    let mut ids = Vec::new();
    for service in &names {
        ids.push(first.kiwi.enable_auto_ci(&actor, &name(service), EnableAutoCi::default()).await.unwrap().service);
    }
    let happenings = storm(deliveries, services, &mut StdRng::seed_from_u64(7));
    let (before, rest) = happenings.split_at(happenings.len() / 3);
    let (between, after) = rest.split_at(rest.len() / 2);
    let began = Instant::now();
    let mut sent = send(&world, &first.kiwi, &ids, &names, before).await;
    // As by a kill: nothing is finished, nothing is given back.
    first.work.abort();
    drop((first.kiwi, first.store, first.stop));
    let second = server(&world).await;
    sent += send(&world, &second.kiwi, &ids, &names, between).await;
    second.stop.send(()).unwrap();
    second.work.await.unwrap();
    drop((second.kiwi, second.store));
    let third = server(&world).await;
    sent += send(&world, &third.kiwi, &ids, &names, after).await;
    assert!(sent >= deliveries, "{sent}");
    println!("FIGURE {sent} deliveries for {services} services were kept in {:.1} s", began.elapsed().as_secs_f64());
    settle(&world, &third, &names).await;
    println!("FIGURE and every service ran its head after {:.1} s", began.elapsed().as_secs_f64());
    judge(&third, &actor, &names, sent).await;
    third.stop.send(()).unwrap();
    third.work.await.unwrap();
}

/// Waits until nothing is under way and every service runs its head.
async fn settle(world: &World, server: &Server, names: &[String]) {
    let due = Instant::now() + Duration::from_secs(600);
    loop {
        let mut behind = Vec::new();
        for service in names {
            let head = world.host.state().heads[service].clone();
            let status = server.kiwi.status(&Actor::local_admin(), &name(service), EnvironmentName::Development).await.unwrap();
            if status.live.and_then(|live| live.release.commit).as_ref() != Some(&head) {
                behind.push(service.clone());
            }
        }
        let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
        let runs = server.store.runs(&Actor::local_admin().organization, &unfinished).await.unwrap();
        if behind.is_empty() && runs.is_empty() && server.store.undecided_services().await.unwrap().is_empty() {
            return;
        }
        assert!(Instant::now() < due, "{behind:?} are behind, {} runs are under way", runs.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn judge(server: &Server, actor: &Actor, names: &[String], sent: usize) {
    let mut kept = 0;
    for service in names {
        let mut built: BTreeMap<CommitSha, usize> = BTreeMap::new();
        let filter = RunFilter { service: Some(server.kiwi.service(actor, &name(service)).await.unwrap().id), ..RunFilter::default() };
        let mut runs = BTreeSet::new();
        for run in server.kiwi.runs(actor, &filter).await.unwrap() {
            let RunRequest::Pipeline { commit: Some(commit) } = run.request else { panic!("{run:?}") };
            *built.entry(commit).or_default() += 1;
            runs.insert(run.id);
        }
        assert!(built.values().all(|count| *count == 1), "{service}: {built:?}");
        let mut asked = BTreeSet::new();
        for delivery in server.kiwi.deliveries(actor, &name(service), None, 100_000).await.unwrap() {
            let decision = delivery.decision.unwrap();
            kept += usize::from(delivery.event.is_some());
            if decision.outcome == Outcome::Build {
                assert!(asked.insert(decision.run.unwrap()), "two decisions asked for one run");
            }
        }
        assert_eq!(asked, runs, "each run has the decision that asked for it");
        // In the order of the pushes: an older commit never came after a newer one.
        let history = server.kiwi.history(actor, &name(service), EnvironmentName::Development).await.unwrap();
        let commits: Vec<_> = history.into_iter().rev().filter_map(|deployment| deployment.release.commit).collect();
        assert!(commits.is_sorted(), "{service}: {commits:?}");
    }
    assert_eq!(kept, sent, "every delivery that was answered is there");
}
