//! What several replicas on one PostgreSQL promise each other, on a real server.

use kiwi_core::domain::{DeploymentStatus, EnvironmentName, EventBody, Run, RunId, RunRequest, RunStatus, Service, Timestamp};
use kiwi_core::error::{ErrorKind, Result};
use kiwi_core::provider::change::Change;
use kiwi_core::provider::store::{Claim, DeploymentStore as _, EventStore as _, RunFilter, RunStore as _, SecretStore as _, ServiceStore as _};
use kiwi_core::provider::{Fence, Store as _};
use kiwi_store::PostgresStore;
use kiwi_tests::contract::store::{deployment, rotations, service};
use kiwi_tests::fill::{self, Amount};
use kiwi_tests::postgres::Database;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const LEASE: Duration = Duration::from_secs(30);

/// Several replicas of one database, and a service.
async fn replicas(database: &Database, count: usize) -> (Vec<Arc<PostgresStore>>, Service) {
    let mut stores = Vec::new();
    for _ in 0..count {
        stores.push(Arc::new(database.store().await));
    }
    let service = service("shared");
    stores[0].insert_service(&service).await.unwrap();
    (stores, service)
}

async fn queued(store: &PostgresStore, service: &Service, slot: &str) -> Run {
    let run = Run::queued(service, EnvironmentName::Development, RunRequest::Pipeline { commit: None }, "admin");
    store.insert_run(&service.organization, slot, &run).await.unwrap();
    run
}

async fn held(store: &PostgresStore, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Fence {
    match store.claim(slot, run, owner, lease).await.unwrap() {
        Claim::Held(fence) => fence,
        busy => panic!("{busy:?}"),
    }
}

fn info(message: impl Into<String>) -> (Timestamp, EventBody) {
    (Timestamp::now(), EventBody::Info { message: message.into() })
}

#[tokio::test(flavor = "multi_thread")]
async fn four_replicas_may_start_at_once() {
    let database = Arc::new(Database::new());
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let database = database.clone();
        starting.spawn(async move { database.store().await.installation().await.unwrap() });
    }
    let names = starting.join_all().await;
    assert!(names.iter().all(|name| name.len() == 16 && *name == names[0]), "{names:?}");
    assert_eq!(database.sql("SELECT count(*) FROM _sqlx_migrations WHERE success"), "2");
}

#[tokio::test]
async fn an_older_replica_starts_on_newer_tables_unless_they_say_no() {
    let database = Database::new();
    drop(database.store().await);
    database.sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'newer', true, '', 0)");
    drop(database.store().await);
    database.sql("UPDATE meta SET value = '9999' WHERE name = 'oldest'");
    let refused = database.open(&database.url()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.hint()), (ErrorKind::Conflict, "upgrade this replica, or restore a backup from before the upgrade"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_thirty_two_holds_a_slot_and_epochs_rise() {
    let database = Database::new();
    let (stores, service) = replicas(&database, 4).await;
    let run = queued(&stores[0], &service, "one").await;
    let mut epoch = 0;
    for _ in 0..10 {
        let mut claims = JoinSet::new();
        for task in 0..32 {
            let (store, run) = (stores[task % stores.len()].clone(), run.id.clone());
            claims.spawn(async move { store.claim("one", &run, &format!("worker {task}"), LEASE).await.unwrap() });
        }
        let (mut fences, mut owners) = (Vec::new(), Vec::new());
        for claim in claims.join_all().await {
            match claim {
                Claim::Held(fence) => fences.push(fence),
                Claim::Busy { owner, until, .. } => {
                    assert!(until > Timestamp::now());
                    owners.push(owner);
                }
            }
        }
        let [fence] = fences.as_slice() else { panic!("{fences:?}") };
        assert!(fence.epoch > epoch);
        assert!(owners.iter().all(|owner| *owner == fence.owner), "{owners:?}");
        epoch = fence.epoch;
        stores[1].release(fence).await.unwrap();
    }
}

#[tokio::test]
async fn a_stale_fence_writes_nothing() {
    let database = Database::new();
    let (stores, service) = replicas(&database, 2).await;
    let mut run = queued(&stores[0], &service, "s").await;
    let stale = held(&stores[0], "s", &run.id, "a", LEASE).await;
    let mut begun = stores[0].begin_deployment(&deployment(&service, &run.id), &stale).await.unwrap();
    // The database's clock decides: it says that the lease is over, whatever this machine's says.
    database.sql("UPDATE slots SET until = clock_timestamp() - interval '1 ms'");
    held(&stores[1], "s", &run.id, "b", LEASE).await;
    run.status = RunStatus::Running;
    begun.status = DeploymentStatus::Live;
    for refused in [
        stores[0].update_run(&run, &stale).await,
        stores[0].append_events(&run.id, &[info("x")], &stale).await,
        stores[0].begin_deployment(&deployment(&service, &RunId::generate()), &stale).await.map(|_| ()),
        stores[0].update_deployment(&begun, &stale).await,
        stores[0].renew(&stale, LEASE).await.map(|_| ()),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::LeaseLost);
    }
    assert_eq!(stores[1].run(&run.id).await.unwrap().unwrap().status, RunStatus::Queued);
    assert!(stores[1].live(&service.id, EnvironmentName::Development).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_have_no_gap_and_none_of_a_stale_owner() {
    let database = Database::new();
    let (stores, service) = replicas(&database, 2).await;
    let run = queued(&stores[0], &service, "e").await;
    let old = held(&stores[0], "e", &run.id, "old", LEASE).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let (store, run, fence) = (stores[writer % 2].clone(), run.id.clone(), old.clone());
        writers.spawn(async move {
            for batch in 0.. {
                let events = [info(format!("old {writer} {batch}")), info(format!("old {writer} {batch}"))];
                match store.append_events(&run, &events, &fence).await {
                    Ok(()) => {}
                    Err(error) => return (batch, error.kind()),
                }
            }
            unreachable!()
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    database.sql("UPDATE slots SET until = clock_timestamp()");
    let new = held(&stores[1], "e", &run.id, "new", LEASE).await;
    stores[1].append_events(&run.id, &[info("new")], &new).await.unwrap();
    let written: i32 = writers.join_all().await.into_iter().map(|(batches, kind)| (assert_eq!(kind, ErrorKind::LeaseLost), batches).1).sum();
    let events = stores[0].events(&run.id, 0, u32::MAX).await.unwrap();
    assert!(events.iter().zip(0..).all(|(event, number)| event.sequence == number), "a gap");
    assert_eq!(events.len(), 2 * usize::try_from(written).unwrap() + 1, "what was acknowledged is there, and nothing else");
    assert!(matches!(&events.last().unwrap().body, EventBody::Info { message } if message == "new"), "the old owner wrote after the new one");
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_have_no_gap_whatever_the_slots() {
    let database = Database::new();
    let (stores, service) = replicas(&database, 4).await;
    let mut begins = JoinSet::new();
    for task in 0..32 {
        let (store, service) = (stores[task % stores.len()].clone(), service.clone());
        begins.spawn(async move {
            let slot = format!("slot {task}");
            let run = queued(&store, &service, &slot).await;
            let fence = held(&store, &slot, &run.id, "w", LEASE).await;
            let begun = store.begin_deployment(&deployment(&service, &run.id), &fence).await.unwrap();
            assert_eq!(store.begin_deployment(&deployment(&service, &run.id), &fence).await.unwrap(), begun);
            begun.release.revision
        });
    }
    let mut revisions = begins.join_all().await;
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=32).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_runs_over_fifty_slots_are_each_worked_once_and_in_order() {
    const SLOTS: usize = 50;
    let database = Database::new();
    let (stores, service) = replicas(&database, 8).await;
    let mut wanted: HashMap<String, Vec<RunId>> = HashMap::new();
    for number in 0..1000 {
        let slot = format!("slot {}", number % SLOTS);
        let run = queued(&stores[number % stores.len()], &service, &slot).await;
        wanted.entry(slot).or_default().push(run.id);
    }
    // Ids made in one millisecond are in any order; their order is what counts.
    wanted.values_mut().for_each(|runs| runs.sort());
    let worked: Arc<Mutex<HashMap<String, Vec<RunId>>>> = Arc::default();
    let mut workers = JoinSet::new();
    for (number, store) in stores.iter().enumerate() {
        let (store, service, worked) = (store.clone(), service.clone(), worked.clone());
        workers.spawn(async move {
            let mut slot = number * SLOTS / 8;
            let mut idle = 0;
            while idle < SLOTS {
                slot = (slot + 1) % SLOTS;
                idle = if work_one(&store, &service, &format!("slot {slot}"), &format!("worker {number}"), &worked).await.unwrap() { 0 } else { idle + 1 };
            }
        });
    }
    workers.join_all().await;
    assert_eq!(*worked.lock().unwrap(), wanted);
    let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
    assert!(stores[0].runs(&service.organization, &unfinished).await.unwrap().is_empty());
}

/// Works the oldest run of a slot, as a worker does; answers whether the slot has, or somebody works, any.
async fn work_one(store: &PostgresStore, service: &Service, slot: &str, owner: &str, worked: &Mutex<HashMap<String, Vec<RunId>>>) -> Result<bool> {
    let filter = RunFilter { unfinished: true, slot: Some(slot.to_owned()), ..RunFilter::default() };
    let Some(first) = store.runs(&service.organization, &filter).await?.pop() else { return Ok(false) };
    let Claim::Held(fence) = store.claim(slot, &first.id, owner, LEASE).await? else { return Ok(true) };
    let mut run = store.run(&first.id).await?.unwrap();
    if !run.status.is_final() {
        assert_eq!(run.status, RunStatus::Queued, "somebody left it half-way");
        run.status = RunStatus::Running;
        store.update_run(&run, &fence).await?;
        store.append_events(&run.id, &[info(owner)], &fence).await?;
        worked.lock().unwrap().entry(slot.to_owned()).or_default().push(run.id.clone());
        (run.status, run.finished_at) = (RunStatus::Succeeded, Some(Timestamp::now()));
        store.update_run(&run, &fence).await?;
    }
    store.release(&fence).await?;
    Ok(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_hear_of_each_other_at_once_and_again_after_a_cut() {
    let database = Database::new();
    let (stores, service) = replicas(&database, 2).await;
    let listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN \"' || (SELECT 'kiwi_' || left(md5(current_schema()), 16)) || '\"%'";
    let both = async |why: &str| {
        let began = Instant::now();
        while database.sql(listening) != "2" {
            assert!(began.elapsed() < Duration::from_secs(10), "nobody listens {why}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    both("at first").await;
    let run = queued(&stores[0], &service, "c").await;
    let fence = held(&stores[0], "c", &run.id, "a", LEASE).await;
    for cut in [false, true] {
        if cut {
            database.sql(&listening.replace("count(*)", "pg_terminate_backend(pid)"));
            tokio::time::sleep(Duration::from_millis(200)).await;
            both("after the cut").await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut waits = Vec::new();
        for _ in 0..20 {
            let mut changes = stores[1].changes();
            let began = Instant::now();
            stores[0].append_events(&run.id, &[info("x")], &fence).await.unwrap();
            changes.wait(|change| *change == Change::Events(run.id.clone())).await;
            waits.push(began.elapsed());
        }
        waits.sort();
        println!("FIGURE an event written by one replica wakes a follower of another after {:?} (median, with its write), cut before: {cut}", waits[10]);
        assert!(waits[18] < Duration::from_secs(1), "{waits:?}");
    }
}

#[tokio::test]
async fn a_rotation_is_one_moment_for_all_replicas() {
    let database = Database::new();
    let (stores, _) = replicas(&database, 2).await;
    rotations(&*stores[0], &*stores[1]).await;
    assert_eq!(std::fs::read_to_string(database.key()).unwrap().lines().count(), 1, "the old keys are gone");
    assert_eq!(database.sql("SELECT count(DISTINCT key_id) FROM secrets"), "1");
    assert_eq!(database.sql("SELECT count(*) FROM secrets WHERE encode(sealed, 'escape') LIKE '%value%'"), "0");
    // A replica with a file of its own that was not given the new key is refused, and so is what it would have sealed.
    let late = database.store().await;
    let old = std::fs::read(database.key()).unwrap();
    stores[0].rotate_key().await.unwrap();
    std::fs::write(database.key(), old).unwrap();
    assert_eq!(late.insert_secret(&"lost".into()).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert_eq!(database.open(&database.url()).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_done_often_reads_a_whole_table() {
    let database = Database::new();
    let amount = Amount { services: 5_000, runs: 50_000 };
    drop(database.store().await);
    for statement in fill::statements(amount, false) {
        database.sql(&statement);
    }
    database.sql("VACUUM ANALYZE");
    let scans =
        "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname IN ('services', 'runs', 'deployments', 'events')";
    let before = database.sql(scans);
    let store = database.store().await;
    for number in 0..20 {
        fill::often(&store, amount, number).await;
    }
    drop(store);
    // A connection reports what it did when it ends.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(database.sql(scans), before);
    let indexed = database
        .sql("SELECT sum(idx_scan) FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname IN ('services', 'runs', 'deployments', 'events')");
    assert!(indexed.parse::<u64>().unwrap() > 20 * 12, "{indexed}: what was done is not counted yet");
}
