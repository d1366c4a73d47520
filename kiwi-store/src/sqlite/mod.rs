//! SQLite: one file, write-ahead log, every commit on disk before it is acknowledged.

mod access;
mod deployments;
mod hosts;
mod runs;
mod secrets;
mod settings;

use crate::key::{Key, KeySource, current};
use crate::record::{integer, lease_lost, new_installation};
use crate::seal;
use async_trait::async_trait;
use kiwi_core::domain::RunId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::change::{Announcer, Changes};
use kiwi_core::provider::{Fence, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often followers look by themselves: a file tells nothing of what another process wrote.
const LOOK: Duration = Duration::from_millis(200);

/// The store of one machine.
pub struct SqliteStore {
    pool: SqlitePool,
    source: KeySource,
    directory: PathBuf,
    keys: Mutex<Vec<Key>>,
    announcer: Announcer,
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
        let keys = source.read(Some(directory))?;
        let options = SqliteConnectOptions::new()
            .filename(directory.join("kiwi.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(sql("open database"))?;
        let store = Self { pool, source, directory: directory.to_owned(), keys: Mutex::new(keys), announcer: Announcer::new(LOOK) };
        store.migrate().await?;
        store.check_key().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<()> {
        sqlx::migrate!("migrations/sqlite").run(&self.pool).await.map_err(|error| {
            Error::new(ErrorKind::Storage, "migrate database", "the database cannot be brought to this version")
                .with_source(error)
                .with_hint("it may have been made by a newer Kiwi; upgrade this one, or restore a backup")
        })
    }

    async fn check_key(&self) -> Result<()> {
        let found: Option<Vec<u8>> =
            sqlx::query("SELECT value FROM meta WHERE name = 'key_check'").fetch_optional(&self.pool).await.map_err(sql("check key"))?.map(|row| row.get(0));
        match found {
            Some(sealed) => {
                let keys = self.keys();
                if seal::made_with_any(&keys, &sealed) {
                    return Ok(());
                }
                Err(Error::new(ErrorKind::Unauthenticated, "check key", "the key is not the one that this data directory was made with")
                    .with_hint("give the right key with KIWI_KEY or --key-file; without it the secrets in it are lost"))
            }
            None => {
                let sealed = seal::key_check(current(&self.keys())?)?;
                let mut transaction = self.write().await?;
                for (name, value) in [("key_check", sealed), ("installation", new_installation().into_bytes())] {
                    sqlx::query("INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)")
                        .bind(name)
                        .bind(value)
                        .execute(&mut *transaction)
                        .await
                        .map_err(sql("prepare database"))?;
                }
                transaction.commit().await.map_err(sql("prepare database"))?;
                // Two processes may have raced for the first start with two keys.
                Box::pin(self.check_key()).await
            }
        }
    }

    fn keys(&self) -> MutexGuard<'_, Vec<Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction that may write. It takes the write lock at once: a read lock that grows could fail half-way.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(sql("begin transaction"))
    }

    /// A transaction for a worker that still holds its lease.
    async fn write_fenced(&self, fence: &Fence) -> Result<Transaction<'static, Sqlite>> {
        let mut transaction = self.write().await?;
        check_fence(&mut transaction, fence).await?;
        Ok(transaction)
    }
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
        let (new, olds) = if self.source.is_text() {
            // The environment names the new key first; only the sealing is left to do.
            (None, 0)
        } else {
            let new = Key::generate();
            let keys = self.keys();
            let all: Vec<&Key> = std::iter::once(&new).chain(keys.iter()).collect();
            // Until the last value is sealed anew, both keys must be there: a kill in between loses nothing.
            self.source.replace(&all)?;
            let olds = keys.len();
            drop(keys);
            (Some(new), olds)
        };
        if let Some(new) = new {
            self.keys().insert(0, new);
        }
        let count = self.reseal().await?;
        if !self.source.is_text() && olds > 0 {
            let mut keys = self.keys();
            keys.truncate(1);
            self.source.replace(&[current(&keys)?])?;
        }
        Ok(count)
    }
}

impl SqliteStore {
    async fn reseal(&self) -> Result<u64> {
        let mut transaction = self.write().await?;
        let rows = sqlx::query("SELECT id, sealed FROM secrets").fetch_all(&mut *transaction).await.map_err(sql("rotate key"))?;
        let mut updates = Vec::new();
        {
            let keys = self.keys();
            let key = current(&keys)?;
            for row in &rows {
                let (id, sealed): (String, Vec<u8>) = (row.get(0), row.get(1));
                let value = seal::open_with_any(&keys, &id, &sealed)?;
                updates.push((seal::seal(key, &id, &value)?, key.id(), id));
            }
            updates.push((seal::key_check(key)?, String::new(), String::new()));
        }
        let count = updates.len() as u64 - 1;
        for (sealed, key_id, id) in updates {
            let query = if id.is_empty() {
                sqlx::query("UPDATE meta SET value = ? WHERE name = 'key_check'").bind(sealed)
            } else {
                sqlx::query("UPDATE secrets SET sealed = ?, key_id = ? WHERE id = ?").bind(sealed).bind(key_id).bind(id)
            };
            query.execute(&mut *transaction).await.map_err(sql("rotate key"))?;
        }
        transaction.commit().await.map_err(sql("rotate key"))?;
        // The old ciphertexts are still in the log and in free pages until these two.
        for statement in ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"] {
            sqlx::query(statement).execute(&self.pool).await.map_err(sql("rotate key"))?;
        }
        Ok(count)
    }
}

/// A run's id as text, for binding.
fn text(run: &RunId) -> &str {
    run.as_str()
}
