//! Three replicas on one PostgreSQL, of which one is killed, stopped or interrupted every moment, work 200 runs: all end, each once, in order per service.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use kiwi_core::Actor;
use kiwi_core::domain::{EnvironmentName, OrganizationId, RunRequest, RunStatus, RuntimeKind, RuntimeSettings, ServiceName};
use kiwi_core::memory::{MemoryBuilder, MemoryConnector, MemorySource};
use kiwi_core::pipeline::Kiwi;
use kiwi_core::provider::Store as _;
use kiwi_core::provider::store::{RunFilter, RunStore as _, RuntimeStore as _, ServiceStore as _};
use kiwi_tests::command::program;
use kiwi_tests::contract::inbox::commit;
use kiwi_tests::contract::store::service;
use kiwi_tests::crash::kill;
use kiwi_tests::postgres::Database;
use kiwi_tests::shared::SharedRuntime;
use rand::Rng as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SERVICES: usize = 20;
const RUNS: usize = 10;
const REPLICAS: usize = 3;
const LEASE: Duration = Duration::from_secs(2);
/// What may go wrong beyond the lease: the look for silent workers, and a machine that is busy.
const SLACK: Duration = Duration::from_secs(60);

struct Fleet {
    replicas: Vec<Child>,
    folder: PathBuf,
    database: String,
    key: PathBuf,
}

impl Fleet {
    fn start(&self) -> Child {
        let mut command = Command::new(program("kiwi-replica"));
        command.arg(&self.folder).env("KIWI_DATABASE", &self.database).env("KIWI_KEY_FILE", &self.key).env("KIWI_LEASE", LEASE.as_millis().to_string());
        command.spawn().unwrap()
    }

    /// Something happens to one of them; it is there again afterwards.
    async fn strike(&mut self, round: usize) -> &'static str {
        let victim = rand::rng().random_range(0..self.replicas.len());
        let process = self.replicas[victim].id();
        let (signal, what) = [("-KILL", "killed"), ("-STOP", "stopped past its lease"), ("-KILL", "killed"), ("-INT", "interrupted")][round % 4];
        kill(signal, process);
        if signal == "-STOP" {
            tokio::time::sleep(LEASE * 2).await;
            kill("-CONT", process);
            return what;
        }
        self.replicas[victim].wait().unwrap();
        self.replicas[victim] = self.start();
        what
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for replica in &mut self.replicas {
            let _ = replica.kill();
            let _ = replica.wait();
        }
    }
}

async fn until(what: &str, due: Instant, mut done: impl AsyncFnMut() -> bool) {
    while !done().await {
        assert!(Instant::now() < due, "{what} takes too long");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_end_each_once_in_order() {
    let (database, folder) = (Database::new(), tempfile::tempdir().unwrap());
    let live = folder.path().join("live");
    std::fs::create_dir(&live).unwrap();
    let store = Arc::new(database.store().await);
    let organization = OrganizationId::default();
    let settings = RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } };
    store.insert_runtime(&organization, &settings).await.unwrap();
    let services: Vec<_> = (0..SERVICES).map(|number| service(&format!("service-{number}"))).collect();
    for service in &services {
        store.insert_service(service).await.unwrap();
    }
    // This process asks for runs and works none.
    let connector = MemoryConnector { runtime: Arc::new(SharedRuntime::new(&live)), builder: Arc::new(MemoryBuilder::default()) };
    let source = MemorySource::default();
    source.push("main".parse().unwrap(), commit(1));
    let kiwi = Kiwi::builder(store.clone(), Arc::new(connector)).source(Arc::new(source)).open().await.unwrap();
    let actor = Actor::local_admin();
    let ask = async |name: &ServiceName, request| kiwi.request(&actor, name, EnvironmentName::Development, request).await.unwrap();
    for service in &services {
        ask(&service.name, RunRequest::Pipeline { commit: Some(commit(1)) }).await;
    }
    let mut fleet = Fleet { replicas: Vec::new(), folder: folder.path().to_owned(), database: database.url(), key: database.key() };
    for _ in 0..REPLICAS {
        let replica = fleet.start();
        fleet.replicas.push(replica);
    }
    let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
    let none_waits = async || store.runs(&organization, &unfinished).await.unwrap().is_empty();
    until("the first release of each service", Instant::now() + SLACK, none_waits).await;
    for _ in 1..RUNS {
        for service in &services {
            ask(&service.name, RunRequest::Restart).await;
        }
    }
    let began = Instant::now();
    let mut strikes = Vec::new();
    while !none_waits().await {
        strikes.push(fleet.strike(strikes.len()).await);
        assert!(began.elapsed() < Duration::from_secs(300), "the runs do not end");
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(500..1500))).await;
    }
    println!("FIGURE {} runs on three replicas in {:.1} s, with {} strikes: {strikes:?}", SERVICES * RUNS, began.elapsed().as_secs_f64(), strikes.len());
    assert!(strikes.len() >= 3, "{strikes:?}");
    for service in &services {
        let mut runs = store.runs(&organization, &RunFilter { service: Some(service.id.clone()), ..RunFilter::default() }).await.unwrap();
        runs.reverse();
        assert_eq!(runs.len(), RUNS);
        assert!(runs.iter().all(|run| run.status == RunStatus::Succeeded), "{runs:?}");
        let became = SharedRuntime::journal(&live, service.id.as_str(), |_| Ok(None)).unwrap();
        let expected: Vec<_> = runs.iter().enumerate().map(|(place, run)| (place as u64 + 1, run.id.to_string())).collect();
        assert_eq!(
            became.iter().map(|(revision, _, run)| (*revision, run.clone())).collect::<Vec<_>>(),
            expected,
            "each once, in the order they were asked for"
        );
        assert!(became.is_sorted_by_key(|(_, epoch, _)| *epoch));
        let history = kiwi.history(&actor, &service.name, EnvironmentName::Development).await.unwrap();
        assert_eq!(history.len(), RUNS);
        // One after the other: nothing waits for a dead worker for longer than its lease, and for more strikes than there were.
        for pair in runs.windows(2) {
            let pause = pair[1].finished_at.unwrap().since(pair[0].finished_at.unwrap());
            assert!(pause < (LEASE * 3).saturating_mul(u32::try_from(strikes.len()).unwrap()) + SLACK, "{pause:?}");
        }
    }
    assert!(store.installation().await.is_ok());
}
