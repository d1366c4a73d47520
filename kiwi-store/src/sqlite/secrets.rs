//! Secrets, sealed.

use super::{SqliteStore, key_check, sql};
use async_trait::async_trait;
use kiwi_core::domain::SecretId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::store::SecretStore;
use kiwi_core::secret::SecretString;
use sqlx::Row as _;

#[async_trait]
impl SecretStore for SqliteStore {
    async fn insert_secret(&self, value: &SecretString) -> Result<SecretId> {
        let id = SecretId::generate();
        // The write lock keeps a rotation from coming between the key and the value.
        let mut transaction = self.write().await?;
        let check = key_check(&mut transaction).await?;
        let (key_id, sealed) = self.keys.seal(&check, id.as_str(), value)?;
        sqlx::query("INSERT INTO secrets (id, key_id, sealed) VALUES (?, ?, ?)")
            .bind(id.as_str())
            .bind(key_id)
            .bind(sealed)
            .execute(&mut *transaction)
            .await
            .map_err(sql("keep secret"))?;
        transaction.commit().await.map_err(sql("keep secret"))?;
        Ok(id)
    }

    async fn secret(&self, id: &SecretId) -> Result<SecretString> {
        let row =
            sqlx::query("SELECT key_id, sealed FROM secrets WHERE id = ?").bind(id.as_str()).fetch_optional(&self.pool).await.map_err(sql("read secret"))?;
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "read secret", format!("the secret {id} is not in the store")))?;
        self.keys.unseal(row.get(0), id.as_str(), row.get(1))
    }

    async fn remove_secrets(&self, ids: &[SecretId]) -> Result<()> {
        let mut transaction = self.write().await?;
        for id in ids {
            sqlx::query("DELETE FROM secrets WHERE id = ?").bind(id.as_str()).execute(&mut *transaction).await.map_err(sql("remove secret"))?;
        }
        transaction.commit().await.map_err(sql("remove secret"))
    }
}
