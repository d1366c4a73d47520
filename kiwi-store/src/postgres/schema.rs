//! The tables, and the first start.

use super::convert::{sql, too_slow};
use super::session::LONG;
use crate::key::{Key, KeySource, current};
use crate::record::new_installation;
use crate::seal;
use kiwi_core::error::{Error, ErrorKind, Result};
use sqlx::migrate::MigrateError;
use sqlx::{Connection as _, PgConnection, Row as _};

/// Brings the tables to this version, and answers the keys that fit the database.
///
/// Everything is one transaction under a lock of its own, so of several replicas one does it and the others find it done. The lock is the
/// transaction's and not the session's: a pooler cannot lose it.
pub(super) async fn prepare(connection: &mut PgConnection, source: &KeySource) -> Result<Vec<Key>> {
    let prepare = async {
        let mut transaction = connection.begin().await.map_err(sql("open database"))?;
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended('kiwi ' || current_schema(), 0))";
        sqlx::query(lock).execute(&mut *transaction).await.map_err(sql("open database"))?;
        migrate(&mut transaction).await?;
        let keys = agree_on_key(&mut transaction, source).await?;
        transaction.commit().await.map_err(sql("open database"))?;
        Ok(keys)
    };
    tokio::time::timeout(LONG, prepare).await.map_err(|_| too_slow("migrate database"))?
}

async fn migrate(connection: &mut PgConnection) -> Result<()> {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    // A replica of the version before may start again while the others are upgraded.
    migrator.set_locking(false).set_ignore_missing(true);
    migrator.run_direct(None, connection, false).await.map_err(failed)?;
    let row = sqlx::query("SELECT value FROM meta WHERE name = 'oldest'").fetch_one(connection).await.map_err(sql("migrate database"))?;
    let oldest: i64 = String::from_utf8_lossy(row.get(0)).parse().unwrap_or(i64::MAX);
    if migrator.iter().all(|known| known.version < oldest) {
        return Err(Error::new(ErrorKind::Conflict, "migrate database", "the database belongs to a newer Kiwi, and this one would damage it")
            .with_hint("upgrade this replica, or restore a backup from before the upgrade"));
    }
    Ok(())
}

fn failed(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => sql("migrate database")(error),
        error => Error::new(ErrorKind::Storage, "migrate database", "the database cannot be brought to this version")
            .with_source(error)
            .with_hint("it may have been made by another Kiwi; upgrade this one, or restore a backup"),
    }
}

/// The first replica ever chooses the key; every other must have the same.
async fn agree_on_key(connection: &mut PgConnection, source: &KeySource) -> Result<Vec<Key>> {
    let found = sqlx::query("SELECT value FROM meta WHERE name = 'key_check'").fetch_optional(&mut *connection).await.map_err(sql("check key"))?;
    let Some(row) = found else {
        let keys = source.read(None)?;
        let key = current(&keys)?;
        for (name, value) in [("key_check", seal::key_check(key)?), ("key_id", key.id().into_bytes()), ("installation", new_installation().into_bytes())] {
            sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2)")
                .bind(name)
                .bind(value)
                .execute(&mut *connection)
                .await
                .map_err(sql("prepare database"))?;
        }
        return Ok(keys);
    };
    let wrong = || {
        Error::new(ErrorKind::Unauthenticated, "check key", "the key is not the one that this database was made with")
            .with_hint("give every replica the same key, with KIWI_KEY or --key-file; without it the secrets in the database are lost")
    };
    // A key that is only made now cannot be the right one.
    if source.is_missing() {
        return Err(wrong());
    }
    let keys = source.read(None)?;
    if seal::made_with_any(&keys, row.get(0)) { Ok(keys) } else { Err(wrong()) }
}
