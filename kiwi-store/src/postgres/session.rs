//! The one way to the database: a time limit for every call, and another try where that is safe.
//!
//! Transactions are READ COMMITTED. Each that decides by what it reads first locks the row that decides (a slot, a service, a run), and every statement
//! after the lock sees what others committed before it. That is as strict as SERIALIZABLE here, and nobody is refused only because somebody wrote a
//! neighbouring row.
//!
//! Settings are `SET LOCAL` and locks are the transaction's, so that nothing is left on a connection which a pooler hands on to somebody else. Prepared
//! statements do stay, so a pooler must give a connection to one client for as long as it is there: its session mode.

use super::PostgresStore;
use super::convert::{committing, sql, too_slow, unknown_outcome};
use kiwi_core::error::{Error, Result};
use kiwi_core::provider::Fence;
use rand::Rng as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Connection as _, PgConnection, Postgres};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;

/// How long a call may take, with its wait for a connection and every try. It is less than a lease, so that a worker learns in time that it cannot renew.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// The same for what touches many rows: removing a service with its history, sealing every secret anew.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// How often a call is tried before its error is told. Each try that meets a dead connection closes it, so this is more than a process has.
const TRIES: u32 = 20;

/// A process that was stopped in the middle must not keep others from its slot: the server ends its transaction. And nobody waits for a lock for
/// longer than a call may take.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL lock_timeout = '8s'";

/// What a transaction does, for as long as the connection is lent.
pub(super) type Pending<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// A connection in the middle of a transaction. The second lifetime is of what the work borrows from around it, which outlives the connection.
pub(super) struct Work<'c, 'around: 'c> {
    connection: &'c mut PgConnection,
    around: PhantomData<&'around ()>,
}

impl Deref for Work<'_, '_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection
    }
}

impl DerefMut for Work<'_, '_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection
    }
}

impl PostgresStore {
    /// Does `work` in a transaction, which is committed when it answers `Ok`. The work may be done several times.
    pub(super) async fn write<'around, T>(&self, operation: &'static str, work: impl for<'c> Fn(Work<'c, 'around>) -> Pending<'c, T>) -> Result<T> {
        self.transact(operation, LIMIT, None, work).await
    }

    /// The same for what touches many rows.
    pub(super) async fn write_much<'around, T>(&self, operation: &'static str, work: impl for<'c> Fn(Work<'c, 'around>) -> Pending<'c, T>) -> Result<T> {
        self.transact(operation, LONG, None, work).await
    }

    /// The same for a worker that still holds its lease. Everything under one slot is done one after the other.
    pub(super) async fn write_fenced<'around, T>(
        &self,
        operation: &'static str,
        fence: &Fence,
        work: impl for<'c> Fn(Work<'c, 'around>) -> Pending<'c, T>,
    ) -> Result<T> {
        self.transact(operation, LIMIT, Some(fence), work).await
    }

    async fn transact<'around, T>(
        &self,
        operation: &'static str,
        limit: Duration,
        fence: Option<&Fence>,
        work: impl for<'c> Fn(Work<'c, 'around>) -> Pending<'c, T>,
    ) -> Result<T> {
        let due = Instant::now() + limit;
        for tried in 1.. {
            let mut connection = match self.connection(operation, due).await {
                Err(error) if error.is_retryable() && tried < TRIES && Instant::now() < due => {
                    pause(tried).await;
                    continue;
                }
                connection => connection?,
            };
            let mut committed = false;
            let transaction = async {
                let mut transaction = connection.begin_with(BEGIN).await.map_err(sql(operation))?;
                if let Some(fence) = fence {
                    super::runs::lock_slot(&mut transaction, fence).await?;
                }
                let value = work(Work { connection: &mut transaction, around: PhantomData }).await?;
                committed = true;
                transaction.commit().await.map_err(committing(operation))?;
                Ok::<T, Error>(value)
            };
            match tokio::time::timeout_at(due, transaction).await {
                Ok(Err(error)) if error.is_retryable() && tried < TRIES => pause(tried).await,
                Ok(outcome) => return outcome,
                Err(_) => {
                    // Nobody knows what the connection is in the middle of; the pool opens another.
                    drop(connection.detach());
                    return Err(if committed { unknown_outcome(operation) } else { too_slow(operation) });
                }
            }
        }
        Err(too_slow(operation))
    }

    /// A connection, for as long as there is time to wait for one.
    async fn connection(&self, operation: &'static str, due: Instant) -> Result<PoolConnection<Postgres>> {
        tokio::time::timeout_at(due, self.pool.acquire()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(sql(operation))
    }

    /// The rows of a statement that may be repeated.
    pub(super) async fn rows<'q>(&self, operation: &'static str, query: impl Fn() -> Query<'q, Postgres, PgArguments>) -> Result<Vec<PgRow>> {
        let due = Instant::now() + LIMIT;
        for tried in 1.. {
            let mut connection = match self.connection(operation, due).await {
                Err(error) if error.is_retryable() && tried < TRIES && Instant::now() < due => {
                    pause(tried).await;
                    continue;
                }
                connection => connection?,
            };
            match tokio::time::timeout_at(due, query().fetch_all(&mut *connection)).await.map(|rows| rows.map_err(sql(operation))) {
                Ok(Err(error)) if error.is_retryable() && tried < TRIES => pause(tried).await,
                Ok(outcome) => return outcome,
                Err(_) => {
                    drop(connection.detach());
                    return Err(too_slow(operation));
                }
            }
        }
        Err(too_slow(operation))
    }

    /// The first row of a statement that may be repeated.
    pub(super) async fn row<'q>(&self, operation: &'static str, query: impl Fn() -> Query<'q, Postgres, PgArguments>) -> Result<Option<PgRow>> {
        Ok(self.rows(operation, query).await?.into_iter().next())
    }
}

/// Those who were in each other's way must not meet again: the pause differs, and grows.
async fn pause(tried: u32) {
    let longest = 10 << tried.min(4);
    let pause = rand::rng().random_range(longest / 2..=longest);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}
