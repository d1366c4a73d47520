//! The rotation of the key that every replica shares.

use super::session::Work;
use super::{PostgresStore, sql};
use kiwi_core::error::Result;
use sqlx::Row as _;

impl PostgresStore {
    /// Seals every secret with a new key; answers how many there are.
    pub(super) async fn rotate(&self) -> Result<u64> {
        let count = self.write_much("rotate key", |work| Box::pin(self.reseal(work))).await?;
        self.write("rotate key", |work| Box::pin(self.forget_old_keys(work))).await?;
        // The old ciphertexts are in dead rows until this. Copies stay in the server's log and in backups, so the old key must go too.
        if let Err(error) = self.rows("rotate key", || sqlx::query("VACUUM secrets")).await {
            tracing::warn!(error = %error.chain(), "old ciphertexts are still in the table of secrets");
        }
        Ok(count)
    }

    async fn reseal(&self, mut work: Work<'_, '_>) -> Result<u64> {
        let check = key_check(&mut work, true).await?;
        let rows = sqlx::query("SELECT id, sealed FROM secrets").fetch_all(&mut *work).await.map_err(sql("rotate key"))?;
        let resealed = self.keys.reseal(&check, rows.iter().map(|row| (row.get(0), row.get(1))).collect())?;
        sqlx::query("UPDATE secrets SET sealed = new.sealed, key_id = $3 FROM unnest($1::text[], $2::bytea[]) AS new (id, sealed) WHERE secrets.id = new.id")
            .bind(&resealed.ids)
            .bind(&resealed.values)
            .bind(&resealed.key_id)
            .execute(&mut *work)
            .await
            .map_err(sql("rotate key"))?;
        sqlx::query("UPDATE meta SET value = $1 WHERE name = 'key_check'").bind(&resealed.check).execute(&mut *work).await.map_err(sql("rotate key"))?;
        Ok(resealed.ids.len() as u64)
    }

    async fn forget_old_keys(&self, mut work: Work<'_, '_>) -> Result<()> {
        let check = key_check(&mut work, true).await?;
        self.keys.forget_old(&check)
    }
}

/// What the current key made. Whoever seals a secret keeps the row from changing until the secret is there; a rotation keeps it for itself.
pub(super) async fn key_check(work: &mut Work<'_, '_>, alone: bool) -> Result<Vec<u8>> {
    let statement =
        if alone { "SELECT value FROM meta WHERE name = 'key_check' FOR UPDATE" } else { "SELECT value FROM meta WHERE name = 'key_check' FOR SHARE" };
    let row = sqlx::query(statement).fetch_one(&mut **work).await.map_err(sql("find key"))?;
    Ok(row.get(0))
}
