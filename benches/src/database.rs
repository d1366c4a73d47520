//! What is done often, on a short and on a long history: it should cost the same.

use crate::row;
use kiwi_core::provider::Store;
use kiwi_store::{KeySource, SqliteStore};
use kiwi_tests::fill::{self, Amount};
use kiwi_tests::postgres::Database;
use sqlx::{Connection as _, SqliteConnection};
use std::time::Duration;

const SHORT: Amount = Amount { services: 1_000, runs: 10_000 };
const LONG: Amount = Amount { services: 100_000, runs: 1_000_000 };
const ROUNDS: u64 = 300;

pub(crate) fn measure() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        compare("SQLite", &sqlite(SHORT).await, &sqlite(LONG).await);
        if std::env::var("KIWI_TEST_POSTGRES").is_ok() {
            compare("PostgreSQL", &postgres(SHORT).await, &postgres(LONG).await);
        } else {
            row("PostgreSQL", "not measured: KIWI_TEST_POSTGRES names no server");
        }
    });
}

type Figures = Vec<(&'static str, Vec<Duration>)>;

async fn sqlite(amount: Amount) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = (folder.path().join("data"), folder.path().join("key"));
    let open = async || SqliteStore::open(&data, KeySource::File(key.clone())).await.unwrap();
    drop(open().await);
    let mut connection = SqliteConnection::connect(data.join("kiwi.db").to_str().unwrap()).await.unwrap();
    // The journal of one statement would be as large as what it writes.
    let quickly = ["PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"].map(str::to_owned);
    for statement in quickly.into_iter().chain(fill::statements(amount, true)) {
        sqlx::query(&statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    rounds(&open().await, amount).await
}

async fn postgres(amount: Amount) -> Figures {
    let database = Database::new();
    drop(database.store().await);
    for statement in fill::statements(amount, false) {
        database.sql(&statement);
    }
    // As autovacuum would have, by the time there is so much.
    database.sql("VACUUM ANALYZE");
    rounds(&database.store().await, amount).await
}

async fn rounds(store: &dyn Store, amount: Amount) -> Figures {
    // The first rounds fill caches.
    for number in 0..20 {
        fill::often(store, amount, number).await;
    }
    let mut figures: Figures = Vec::new();
    for number in 0..ROUNDS {
        for (place, (what, took)) in fill::often(store, amount, number).await.into_iter().enumerate() {
            match figures.get_mut(place) {
                Some((_, times)) => times.push(took),
                None => figures.push((what, vec![took])),
            }
        }
    }
    figures
}

fn compare(database: &str, short: &Figures, long: &Figures) {
    for ((what, short), (_, long)) in short.iter().zip(long) {
        let value = format!("{} with {} runs; {} with {}", crate::percentiles(short), SHORT.runs, crate::percentiles(long), LONG.runs);
        row(&format!("{database}: {what}"), &value);
    }
}
