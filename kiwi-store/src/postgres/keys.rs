//! The key that every replica shares, and its rotation.
//!
//! `meta` names the key that seals new secrets, and whoever seals one holds that row. So a rotation is one moment for all replicas: before it everybody
//! seals with the old key, after it with the new one, and a replica that was not given the new one is refused.

use super::session::Work;
use super::{PostgresStore, sql};
use crate::key::{Key, current};
use crate::seal;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::secret::SecretString;
use sqlx::Row as _;

impl PostgresStore {
    /// Seals every secret with a new key; answers how many there are.
    pub(super) async fn rotate(&self) -> Result<u64> {
        let count = self.write_much("rotate key", |work| Box::pin(self.reseal(work))).await?;
        if !self.source.is_text() {
            self.write("rotate key", |work| Box::pin(self.forget_old_keys(work))).await?;
        }
        // The old ciphertexts are in dead rows until this. Copies stay in the server's log and in backups, so the old key must go too.
        if let Err(error) = self.rows("rotate key", || sqlx::query("VACUUM secrets")).await {
            tracing::warn!(error = %error.chain(), "old ciphertexts are still in the table of secrets");
        }
        Ok(count)
    }

    async fn reseal(&self, mut work: Work<'_, '_>) -> Result<u64> {
        let before = key_id(&mut work, true).await?;
        self.find_key(&before)?;
        if !self.source.is_text() {
            // Until the last value is sealed anew, both keys must be there: a kill in between loses nothing. The environment names the new key first by itself.
            let new = Key::generate();
            let mut keys = self.keys();
            self.source.replace(&std::iter::once(&new).chain(keys.iter()).collect::<Vec<_>>())?;
            keys.insert(0, new);
        }
        let rows = sqlx::query("SELECT id, sealed FROM secrets").fetch_all(&mut *work).await.map_err(sql("rotate key"))?;
        let (mut ids, mut values) = (Vec::new(), Vec::new());
        let (check, id) = {
            let keys = self.keys();
            let key = current(&keys)?;
            for row in &rows {
                let id: String = row.get(0);
                values.push(seal::seal(key, &id, &seal::open_with_any(&keys, &id, row.get(1))?)?);
                ids.push(id);
            }
            (seal::key_check(key)?, key.id())
        };
        sqlx::query("UPDATE secrets SET sealed = new.sealed, key_id = $3 FROM unnest($1::text[], $2::bytea[]) AS new (id, sealed) WHERE secrets.id = new.id")
            .bind(&ids)
            .bind(&values)
            .bind(&id)
            .execute(&mut *work)
            .await
            .map_err(sql("rotate key"))?;
        for (name, value) in [("key_check", check), ("key_id", id.into_bytes())] {
            sqlx::query("UPDATE meta SET value = $2 WHERE name = $1").bind(name).bind(value).execute(&mut *work).await.map_err(sql("rotate key"))?;
        }
        Ok(ids.len() as u64)
    }

    async fn forget_old_keys(&self, mut work: Work<'_, '_>) -> Result<()> {
        let id = key_id(&mut work, true).await?;
        self.find_key(&id)?;
        let mut keys = self.keys();
        keys.retain(|key| key.id() == id);
        self.source.replace(&[current(&keys)?])
    }

    /// Seals a value with the key that the database names.
    pub(super) fn seal(&self, key_id: &str, id: &str, value: &SecretString) -> Result<Vec<u8>> {
        self.find_key(key_id)?;
        let keys = self.keys();
        let key = keys.iter().find(|key| key.id() == key_id).ok_or_else(rotated)?;
        seal::seal(key, id, value)
    }

    /// Opens a value; when its key is new to this replica, after another look at where keys come from.
    pub(super) fn open_sealed(&self, key_id: &str, id: &str, sealed: &[u8]) -> Result<SecretString> {
        self.find_key(key_id)?;
        seal::open_with_any(&self.keys(), id, sealed)
    }

    /// Makes sure that the key of this id is among ours. Replicas that share a key file learn of a rotation here.
    fn find_key(&self, id: &str) -> Result<()> {
        let mut keys = self.keys();
        if keys.iter().any(|key| key.id() == id) {
            return Ok(());
        }
        if self.source.is_missing() {
            return Err(rotated());
        }
        let found = self.source.read(None)?;
        if !found.iter().any(|key| key.id() == id) {
            return Err(rotated());
        }
        *keys = found;
        Ok(())
    }
}

/// The id of the key that seals. Whoever writes a secret keeps the row from changing; a rotation keeps it for itself.
pub(super) async fn key_id(work: &mut Work<'_, '_>, alone: bool) -> Result<String> {
    let statement = if alone { "SELECT value FROM meta WHERE name = 'key_id' FOR UPDATE" } else { "SELECT value FROM meta WHERE name = 'key_id' FOR SHARE" };
    let row = sqlx::query(statement).fetch_one(&mut **work).await.map_err(sql("find key"))?;
    Ok(String::from_utf8_lossy(row.get(0)).into_owned())
}

fn rotated() -> Error {
    Error::new(ErrorKind::Unauthenticated, "find key", "the key was rotated, and this replica has not got the new one")
        .with_hint("give this replica the key of the one that rotated it, with KIWI_KEY or --key-file, and start it again")
}
