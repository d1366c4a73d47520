//! Secrets, sealed.

use super::{SqliteStore, sql};
use crate::key::current;
use crate::seal;
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
        let (key_id, sealed) = {
            let keys = self.keys();
            let key = current(&keys)?;
            (key.id(), seal::seal(key, id.as_str(), value)?)
        };
        sqlx::query("INSERT INTO secrets (id, key_id, sealed) VALUES (?, ?, ?)")
            .bind(id.as_str())
            .bind(key_id)
            .bind(sealed)
            .execute(&self.pool)
            .await
            .map_err(sql("keep secret"))?;
        Ok(id)
    }

    async fn secret(&self, id: &SecretId) -> Result<SecretString> {
        let row = sqlx::query("SELECT sealed FROM secrets WHERE id = ?").bind(id.as_str()).fetch_optional(&self.pool).await.map_err(sql("read secret"))?;
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "read secret", format!("the secret {id} is not in the store")))?;
        seal::open_with_any(&self.keys(), id.as_str(), &row.get::<Vec<u8>, _>(0))
    }

    async fn remove_secrets(&self, ids: &[SecretId]) -> Result<()> {
        let mut transaction = self.write().await?;
        for id in ids {
            sqlx::query("DELETE FROM secrets WHERE id = ?").bind(id.as_str()).execute(&mut *transaction).await.map_err(sql("remove secret"))?;
        }
        transaction.commit().await.map_err(sql("remove secret"))
    }
}
