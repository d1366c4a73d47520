//! The tables, and the first start.

use super::convert::{sql, too_slow};
use super::session::LONG;
use crate::key::KeySource;
use crate::record::new_installation;
use crate::ring::KeyRing;
use kiwi_core::error::{Error, ErrorKind, Result};
use sqlx::migrate::MigrateError;
use sqlx::{Connection as _, PgConnection, Row as _};

/// Brings the tables to this version, and answers the keys.
///
/// Everything is one transaction under a lock of its own, so of several replicas one does it and the others find it done. The lock is the
/// transaction's and not the session's, so that none is left behind.
pub(super) async fn prepare(connection: &mut PgConnection, source: KeySource) -> Result<KeyRing> {
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
    migrator.set_locking(false);
    migrator.set_ignore_missing(true);
    migrator.run_direct(&mut *connection).await.map_err(failed)?;
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

async fn agree_on_key(connection: &mut PgConnection, source: KeySource) -> Result<KeyRing> {
    let found = sqlx::query("SELECT value FROM meta WHERE name = 'key_check'").fetch_optional(&mut *connection).await.map_err(sql("check key"))?;
    let (keys, made) = KeyRing::open(source, None, found.as_ref().map(|row| row.get(0)))?;
    if let Some(check) = made {
        for (name, value) in [("key_check", check), ("installation", new_installation().into_bytes())] {
            sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2)")
                .bind(name)
                .bind(value)
                .execute(&mut *connection)
                .await
                .map_err(sql("prepare database"))?;
        }
    }
    Ok(keys)
}
