//! Word between replicas, by LISTEN and NOTIFY.
//!
//! Word is sent after the commit and not in its transaction: PostgreSQL lets transactions that notify commit one by one, and none of them should
//! wait for another's disk. What is lost by that, and while the server is away, followers find when they look by themselves.

use super::convert::sql;
use kiwi_core::error::Result;
use kiwi_core::provider::change::{Announcer, Change, Changes};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Executor as _, PgConnection, Row as _};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// How often followers look by themselves.
const LOOK: Duration = Duration::from_secs(2);
/// How long nothing is heard before the connection is asked whether it is alive.
const SILENCE: Duration = Duration::from_secs(30);
/// How long to wait before another try, and for an answer.
const AGAIN: Duration = Duration::from_secs(1);

/// The channel of the tables in use: other schemas of the database have their own.
pub(super) async fn channel(connection: &mut PgConnection) -> Result<String> {
    let row = sqlx::query("SELECT 'kiwi_' || left(md5(current_schema()), 16)").fetch_one(connection).await.map_err(sql("open database"))?;
    Ok(row.get(0))
}

/// Carries word out and in, until it is dropped.
pub(super) struct Courier {
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    announcer: Announcer,
    /// What is to be sent, each only once.
    outbox: Mutex<BTreeSet<Change>>,
    filled: Notify,
    /// The beginning of what this store sends, so that it does not hear itself.
    name: String,
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Courier {
    pub(super) fn start(pool: PgPool, options: PgConnectOptions, channel: String) -> Self {
        let name = crate::record::new_installation();
        let shared = Arc::new(Shared { announcer: Announcer::new(LOOK), outbox: Mutex::default(), filled: Notify::new(), name });
        let carried = shared.clone();
        let task = tokio::spawn(async move {
            tokio::join!(carried.send(&pool, &channel), carried.listen(&options, &channel));
        });
        Self { shared, task: task.abort_handle() }
    }

    pub(super) fn tell(&self, change: Change) {
        self.shared.announcer.tell(change.clone());
        self.shared.outbox.lock().unwrap_or_else(PoisonError::into_inner).insert(change);
        self.shared.filled.notify_one();
    }

    pub(super) fn follow(&self) -> Changes {
        self.shared.announcer.follow()
    }
}

impl Shared {
    /// Sends all that has gathered while the last word was under way, in one statement.
    async fn send(&self, pool: &PgPool, channel: &str) {
        loop {
            self.filled.notified().await;
            let gathered = std::mem::take(&mut *self.outbox.lock().unwrap_or_else(PoisonError::into_inner));
            let words: Vec<String> = gathered.iter().map(|change| self.write(change)).collect();
            let send = sqlx::query("SELECT pg_notify($1, word) FROM unnest($2::text[]) AS word").bind(channel).bind(&words).execute(pool);
            match tokio::time::timeout(SILENCE, send).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "other replicas were not told of changes"),
                Err(_) => tracing::debug!("other replicas were not told of changes in time"),
            }
        }
    }

    async fn listen(&self, options: &PgConnectOptions, channel: &str) {
        loop {
            if let Err(error) = self.hear(options, channel).await {
                tracing::debug!(%error, "changes of other replicas are not heard");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Listens for as long as the connection lives.
    async fn hear(&self, options: &PgConnectOptions, channel: &str) -> Result<(), sqlx::Error> {
        // A connection of its own: the others are for work.
        let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None).acquire_timeout(SILENCE).connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen(channel).await?;
        tracing::debug!("changes of other replicas are heard");
        // Nobody listened until now.
        self.announcer.tell(Change::Anything);
        loop {
            match tokio::time::timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(word))) => {
                    if let Some(change) = self.read(word.payload()) {
                        self.announcer.tell(change);
                    }
                }
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    let alive = tokio::time::timeout(AGAIN * 10, listener.execute("SELECT 1")).await;
                    alive.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
            }
        }
    }

    /// `<who> run <id>`, `<who> events <id>`, or `<who> delivery`.
    fn write(&self, change: &Change) -> String {
        match change {
            Change::Run(run) => format!("{} run {run}", self.name),
            Change::Events(run) => format!("{} events {run}", self.name),
            Change::Delivery => format!("{} delivery", self.name),
            _ => format!("{} anything", self.name),
        }
    }

    /// Nothing for this store's own word. What a newer Kiwi says may be anything.
    fn read(&self, word: &str) -> Option<Change> {
        let mut parts = word.split(' ');
        if parts.next() == Some(&self.name) {
            return None;
        }
        let change = match (parts.next(), parts.next().and_then(|id| id.parse().ok())) {
            (Some("run"), Some(run)) => Change::Run(run),
            (Some("events"), Some(run)) => Change::Events(run),
            (Some("delivery"), None) => Change::Delivery,
            _ => Change::Anything,
        };
        Some(change)
    }
}
