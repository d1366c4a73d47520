//! SQLite: one file, write-ahead log, every commit on disk before it is acknowledged.

mod access;
mod deployments;
mod hosts;
mod inbox;
mod queue;
mod runs;
mod secrets;
mod settings;

use crate::batch::Batcher;
use crate::key::KeySource;
use crate::record::{Arrived, integer, lease_lost, new_installation};
use crate::ring::KeyRing;
use async_trait::async_trait;
use kiwi_core::domain::RunId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::change::{Announcer, Changes};
use kiwi_core::provider::{Fence, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Row as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often followers look by themselves: a file tells nothing of what another process wrote.
const LOOK: Duration = Duration::from_millis(200);

const KEY_CHECK: &str = "SELECT value FROM meta WHERE name = 'key_check'";

/// The store of one machine.
pub struct SqliteStore {
    pool: SqlitePool,
    directory: PathBuf,
    keys: KeyRing,
    announcer: Announcer,
    inbox: Batcher<Arrived>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the database in `directory`, and makes it when there is none. A wrong key is an error.
    pub async fn open(directory: &Path, source: KeySource) -> Result<Self> {
        // Readable by its owner alone: names and variables are not secrets, but nobody else's business.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| Error::new(ErrorKind::Storage, "open data directory", format!("{} cannot be made", directory.display())).with_source(error))?;
        let options = SqliteConnectOptions::new()
            .filename(directory.join("kiwi.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // Of a database that is made now. A run is some 5 KB: in pages of 4 KiB each is spread over three, and lists took twice as long.
            .page_size(16 * 1024)
            .busy_timeout(Duration::from_secs(30));
        // A disk that is full ends a transaction by itself. The library then takes it for open for as long as the connection lives.
        let pool = SqlitePoolOptions::new().max_connections(4).before_acquire(|connection, _| {
            let usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(usable) })
        });
        let pool = pool.connect_with(options).await.map_err(sql("open database"))?;
        migrate(&pool).await?;
        let keys = agree_on_key(&pool, source, directory).await?;
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
        Ok(Self { pool, directory: directory.to_owned(), keys, announcer: Announcer::new(LOOK), inbox })
    }

    /// A transaction that may write. It takes the write lock at once: a read lock that grows could fail half-way.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>> {
        write(&self.pool).await
    }

    /// A transaction for a worker that still holds its lease.
    async fn write_fenced(&self, fence: &Fence) -> Result<Transaction<'static, Sqlite>> {
        let mut transaction = self.write().await?;
        check_fence(&mut transaction, fence).await?;
        Ok(transaction)
    }
}

/// On a task of its own: where the caller goes away while it waits, the transaction is rolled back as soon as it began. sqlx 0.8 would leave it open, and
/// the write lock taken, on a connection that lies idle in the pool.
async fn write(pool: &SqlitePool) -> Result<Transaction<'static, Sqlite>> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with("BEGIN IMMEDIATE").await }).await;
    begun.unwrap_or(Err(sqlx::Error::WorkerCrashed)).map_err(sql("begin transaction"))
}

async fn migrate(pool: &SqlitePool) -> Result<()> {
    sqlx::migrate!("migrations/sqlite").run(pool).await.map_err(|error| {
        Error::new(ErrorKind::Storage, "migrate database", "the database cannot be brought to this version")
            .with_source(error)
            .with_hint("it may have been made by a newer Kiwi; upgrade this one, or restore a backup")
    })
}

async fn agree_on_key(pool: &SqlitePool, source: KeySource, directory: &Path) -> Result<KeyRing> {
    let mut transaction = write(pool).await?;
    let found = sqlx::query(KEY_CHECK).fetch_optional(&mut *transaction).await.map_err(sql("check key"))?;
    let (keys, made) = KeyRing::open(source, Some(directory.to_owned()), found.as_ref().map(|row| row.get(0)))?;
    if let Some(check) = made {
        for (name, value) in [("key_check", check), ("installation", new_installation().into_bytes())] {
            sqlx::query("INSERT INTO meta (name, value) VALUES (?, ?)")
                .bind(name)
                .bind(value)
                .execute(&mut *transaction)
                .await
                .map_err(sql("prepare database"))?;
        }
        transaction.commit().await.map_err(sql("prepare database"))?;
    }
    Ok(keys)
}

async fn check_fence(connection: &mut SqliteConnection, fence: &Fence) -> Result<()> {
    let row = sqlx::query("SELECT 1 FROM slots WHERE slot = ? AND owner = ? AND epoch = ? AND held = 1")
        .bind(&fence.slot)
        .bind(&fence.owner)
        .bind(integer(fence.epoch))
        .fetch_optional(connection)
        .await
        .map_err(sql("check lease"))?;
    row.map(|_| ()).ok_or_else(lease_lost)
}

fn sql(operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| {
        let text = error.to_string();
        let hint = if text.contains("disk is full") || text.contains("No space left") {
            Some("the disk is full; free some space, nothing that was acknowledged is lost")
        } else if text.contains("readonly") || text.contains("unable to open") {
            Some("check who owns the data directory, and its permissions")
        } else if text.contains("malformed") || text.contains("not a database") {
            Some("the database file is damaged; restore a backup")
        } else if text.contains("is locked") {
            Some(
                "a process that hangs or is stopped in the middle of a write holds the database; find it with `ps -eo pid,stat,args`, and let it go on or end it: what it was writing is undone, nothing else is lost",
            )
        } else {
            None
        };
        let error = Error::new(ErrorKind::Storage, operation, "the database failed").with_source(error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn changes(&self) -> Changes {
        self.announcer.follow()
    }

    async fn installation(&self) -> Result<String> {
        let row = sqlx::query("SELECT value FROM meta WHERE name = 'installation'").fetch_one(&self.pool).await.map_err(sql("read installation"))?;
        Ok(String::from_utf8_lossy(&row.get::<Vec<u8>, _>(0)).into_owned())
    }

    async fn rotate_key(&self) -> Result<u64> {
        let count = self.reseal().await?;
        // Another rotation may have come between; the check says which key counts.
        let mut transaction = self.write().await?;
        self.keys.forget_old(&key_check(&mut transaction).await?)?;
        drop(transaction);
        // The old ciphertexts are still in the log and in free pages until these two.
        for statement in ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"] {
            sqlx::query(statement).execute(&self.pool).await.map_err(sql("rotate key"))?;
        }
        Ok(count)
    }
}

impl SqliteStore {
    async fn reseal(&self) -> Result<u64> {
        let mut transaction = self.write().await?;
        let check = key_check(&mut transaction).await?;
        let rows = sqlx::query("SELECT id, sealed FROM secrets").fetch_all(&mut *transaction).await.map_err(sql("rotate key"))?;
        let resealed = self.keys.reseal(&check, rows.iter().map(|row| (row.get(0), row.get(1))).collect())?;
        for (id, value) in resealed.ids.iter().zip(&resealed.values) {
            sqlx::query("UPDATE secrets SET sealed = ?, key_id = ? WHERE id = ?")
                .bind(value)
                .bind(&resealed.key_id)
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(sql("rotate key"))?;
        }
        sqlx::query("UPDATE meta SET value = ? WHERE name = 'key_check'").bind(&resealed.check).execute(&mut *transaction).await.map_err(sql("rotate key"))?;
        transaction.commit().await.map_err(sql("rotate key"))?;
        Ok(resealed.ids.len() as u64)
    }
}

/// What the current key made.
async fn key_check(connection: &mut SqliteConnection) -> Result<Vec<u8>> {
    Ok(sqlx::query(KEY_CHECK).fetch_one(connection).await.map_err(sql("find key"))?.get(0))
}

/// A run's id as text, for binding.
fn text(run: &RunId) -> &str {
    run.as_str()
}
