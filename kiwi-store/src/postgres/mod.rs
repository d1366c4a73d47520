//! PostgreSQL: one server, any number of replicas that share the work.

mod access;
mod changes;
mod config;
mod convert;
mod deployments;
mod hosts;
mod inbox;
mod keys;
mod queue;
mod runs;
mod schema;
mod secrets;
mod session;
mod settings;

pub use config::PostgresConfig;

use crate::batch::Batcher;
use crate::key::KeySource;
use crate::record::Arrived;
use crate::ring::KeyRing;
use async_trait::async_trait;
use changes::Courier;
use convert::{sql, too_slow};
use kiwi_core::domain::RunId;
use kiwi_core::error::Result;
use kiwi_core::provider::Store;
use kiwi_core::provider::change::{Change, Changes};
use session::LIMIT;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, Row as _};
use std::time::Duration;

/// A connection that was idle for longer may have died unnoticed, and is asked before it is used. It has as long to answer.
const FRESH: Duration = Duration::from_secs(1);

/// The store of several machines.
///
/// Leases are counted by the database's clock, so that the replicas' clocks may differ. A call that meets a server which is stopping or starting
/// waits for some seconds, then fails with `Unavailable` or `Timeout`; nothing that was acknowledged is lost.
pub struct PostgresStore {
    pool: PgPool,
    keys: KeyRing,
    courier: Courier,
    inbox: Batcher<Arrived>,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The pool's own text has the options, and with them the password.
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the database, and makes the tables when there are none; several replicas may do so at once. Every replica must have the same key.
    ///
    /// Errors: what the server says of address, TLS, user and database, each as its own kind; `Unauthenticated` for a wrong key.
    pub async fn open(config: PostgresConfig, source: KeySource) -> Result<Self> {
        let connect = PgConnection::connect_with(&config.options);
        let mut first = tokio::time::timeout(LIMIT, connect).await.map_err(|_| too_slow("open database"))?.map_err(sql("open database"))?;
        let keys = schema::prepare(&mut first, source).await?;
        let channel = changes::channel(&mut first).await?;
        // A failed farewell harms nobody.
        let _ = first.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(config.connections)
            .acquire_timeout(LIMIT)
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    // One that does not answer is closed, and the next one is tried.
                    Ok(about.idle_for < FRESH || tokio::time::timeout(FRESH, connection.ping()).await.is_ok_and(|answer| answer.is_ok()))
                })
            })
            .connect_lazy_with(config.options.clone());
        let courier = Courier::start(pool.clone(), config.options, channel);
        let inbox = Batcher::start({
            let pool = pool.clone();
            move |arrived: Vec<Arrived>| {
                let pool = pool.clone();
                async move {
                    let written = inbox::write(&pool, &arrived).await;
                    (arrived, written)
                }
            }
        });
        Ok(Self { pool, keys, courier, inbox })
    }

    /// Tells every replica. Call it after the commit.
    fn tell(&self, change: Change) {
        self.courier.tell(change);
    }
}

/// A run's id as text, for binding.
fn text(run: &RunId) -> &str {
    run.as_str()
}

#[async_trait]
impl Store for PostgresStore {
    fn changes(&self) -> Changes {
        self.courier.follow()
    }

    async fn installation(&self) -> Result<String> {
        let row = self.row("read installation", || sqlx::query("SELECT value FROM meta WHERE name = 'installation'")).await?;
        Ok(row.map(|row| String::from_utf8_lossy(row.get(0)).into_owned()).unwrap_or_default())
    }

    async fn rotate_key(&self) -> Result<u64> {
        self.rotate().await
    }
}
