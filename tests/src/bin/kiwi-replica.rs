//! One replica of a server on PostgreSQL, with a runtime that it shares with others through a folder: `kiwi-replica FOLDER`. The database is
//! `KIWI_DATABASE`, the key's file `KIWI_KEY_FILE`, the lease in milliseconds `KIWI_LEASE`. It hands over when it is interrupted.

#![expect(clippy::unwrap_used, reason = "it is part of a test")]

use kiwi_core::memory::{MemoryBuilder, MemoryConnector, MemoryRegistry, MemorySource};
use kiwi_core::pipeline::{Kiwi, ServerOptions};
use kiwi_store::{KeySource, PostgresConfig, PostgresStore};
use kiwi_tests::contract::inbox::commit;
use kiwi_tests::shared::SharedRuntime;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let variable = |name| std::env::var(name).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let config = PostgresConfig::parse(&variable("KIWI_DATABASE").into()).unwrap();
        let store = Arc::new(PostgresStore::open(config, KeySource::File(variable("KIWI_KEY_FILE").into())).await.unwrap());
        let source = MemorySource::default();
        source.push("main".parse().unwrap(), commit(1));
        let connector =
            MemoryConnector { runtime: Arc::new(SharedRuntime::new(&Path::new(&folder).join("live"))), builder: Arc::new(MemoryBuilder::default()) };
        let kiwi = Kiwi::builder(store, Arc::new(connector))
            .source(Arc::new(source))
            .registry(Arc::new(MemoryRegistry::default()))
            .work_directory(Path::new(&folder).join(format!("work-{}", std::process::id())))
            .lease(Duration::from_millis(variable("KIWI_LEASE").parse().unwrap()))
            .open()
            .await
            .unwrap();
        let options = ServerOptions { runs: 6, runs_per_runtime: 18, ..ServerOptions::default() };
        kiwi.serve(options, async { drop(tokio::signal::ctrl_c().await) }).await;
    });
}
