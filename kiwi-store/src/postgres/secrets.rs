//! Secrets, sealed.

use super::keys::key_check;
use super::{PostgresStore, sql};
use async_trait::async_trait;
use kiwi_core::domain::SecretId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::store::SecretStore;
use kiwi_core::secret::SecretString;
use sqlx::Row as _;

#[async_trait]
impl SecretStore for PostgresStore {
    async fn insert_secret(&self, value: &SecretString) -> Result<SecretId> {
        let id = SecretId::generate();
        let inserted = &id;
        self.write("keep secret", |mut work| {
            Box::pin(async move {
                let check = key_check(&mut work, false).await?;
                let (key_id, sealed) = self.keys.seal(&check, inserted.as_str(), value)?;
                sqlx::query("INSERT INTO secrets (id, key_id, sealed) VALUES ($1, $2, $3)")
                    .bind(inserted.as_str())
                    .bind(key_id)
                    .bind(sealed)
                    .execute(&mut *work)
                    .await
                    .map(|_| ())
                    .map_err(sql("keep secret"))
            })
        })
        .await?;
        Ok(id)
    }

    async fn secret(&self, id: &SecretId) -> Result<SecretString> {
        let row = self.row("read secret", || sqlx::query("SELECT key_id, sealed FROM secrets WHERE id = $1").bind(id.as_str())).await?;
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "read secret", format!("the secret {id} is not in the store")))?;
        self.keys.unseal(row.get(0), id.as_str(), row.get(1))
    }

    async fn remove_secrets(&self, ids: &[SecretId]) -> Result<()> {
        let ids: &Vec<String> = &ids.iter().map(|id| id.as_str().to_owned()).collect();
        self.rows("remove secret", || sqlx::query("DELETE FROM secrets WHERE id = ANY($1)").bind(ids)).await.map(|_| ())
    }
}
