//! The log of one run up to a million lines: an append should cost as much at the end as at the beginning.

use crate::row;
use kiwi_core::domain::{EnvironmentName, EventBody, Run, RunRequest, Timestamp};
use kiwi_core::provider::Store;
use kiwi_core::provider::store::Claim;
use kiwi_store::{KeySource, SqliteStore};
use kiwi_tests::host;
use kiwi_tests::postgres::Database;
use std::time::{Duration, Instant};

const LINES: usize = 1_000_000;
/// How many lines are written together.
const GROUP: usize = 1_000;
/// How many groups are compared, of the beginning and of the end.
const COMPARED: usize = 100;

pub(crate) fn measure() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("data"), KeySource::File(folder.path().join("key"))).await.unwrap();
        compare("SQLite", &appends(&store).await);
        if std::env::var("KIWI_TEST_POSTGRES").is_ok() {
            compare("PostgreSQL", &appends(&Database::new().store().await).await);
        }
    });
}

/// How long each group took.
async fn appends(store: &dyn Store) -> Vec<Duration> {
    let shop = host::service("shop");
    store.insert_service(&shop).await.unwrap();
    let run = Run::queued(&shop, EnvironmentName::Development, RunRequest::Restart, "ada");
    store.insert_run(&shop.organization, "s", &run).await.unwrap();
    let Claim::Held(fence) = store.claim("s", &run.id, "w", Duration::from_secs(3600)).await.unwrap() else { panic!("the slot is free") };
    let mut took = Vec::new();
    for group in 0..LINES / GROUP {
        let line = |number: usize| EventBody::Info { message: format!("line {} of a build that has much to say", group * GROUP + number) };
        let lines: Vec<_> = (0..GROUP).map(|number| (Timestamp::now(), line(number))).collect();
        let began = Instant::now();
        store.append_events(&run.id, &lines, &fence).await.unwrap();
        took.push(began.elapsed());
    }
    took
}

fn compare(database: &str, took: &[Duration]) {
    let (first, last) = (&took[..COMPARED], &took[took.len() - COMPARED..]);
    row(
        &format!("{database}: {GROUP} lines appended to a run's log, of its first and of its last 100,000 of {LINES}"),
        &format!("{}; {}", crate::percentiles(first), crate::percentiles(last)),
    );
}
