//! Tokens, the audit log and idempotency keys.

use super::hosts::{insert_user, users};
use super::settings::{body, unique};
use super::{SqliteStore, sql};
use crate::record::{missing, read_json, write_json};
use async_trait::async_trait;
use kiwi_core::access::Role;
use kiwi_core::domain::{ApiToken, AuditEntry, OrganizationId, SecretId, Timestamp, TokenId, User, UserName};
use kiwi_core::error::Result;
use kiwi_core::provider::store::{AuditFilter, AuditStore, KeptToken, KeyClaim, KeyStore, TokenStore, admin_exists};
use kiwi_core::token::TokenHash;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

const TOKEN: &str = "SELECT organization, hash, used_at, revoked_at, body FROM tokens";

fn kept(row: &SqliteRow) -> Result<KeptToken> {
    let organization: String = row.get(0);
    let token: ApiToken = read_json(row.get(4))?;
    let time = |column: usize| row.get::<Option<i64>, _>(column).map(Timestamp::from_millis);
    let token = ApiToken { last_used_at: time(2), revoked_at: time(3), ..token };
    Ok(KeptToken { organization: organization.parse()?, hash: TokenHash::from_bytes(row.get(1)), token })
}

async fn insert(connection: &mut SqliteConnection, token: &KeptToken) -> Result<()> {
    sqlx::query("INSERT INTO tokens (id, organization, user, hash, body) VALUES (?, ?, ?, ?, ?)")
        .bind(token.token.id.as_str())
        .bind(token.organization.as_str())
        .bind(token.token.user.as_str())
        .bind(token.hash.as_bytes())
        .bind(write_json(&token.token)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(unique("insert token", token.token.id.as_str()))
}

#[async_trait]
impl TokenStore for SqliteStore {
    async fn insert_token(&self, token: &KeptToken) -> Result<()> {
        let mut transaction = self.write().await?;
        let user = sqlx::query("SELECT 1 FROM users WHERE organization = ? AND name = ?")
            .bind(token.organization.as_str())
            .bind(token.token.user.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql("insert token"))?;
        if user.is_none() && !token.is_bootstrap() {
            return Err(missing("insert token", token.token.user.as_str()));
        }
        insert(&mut transaction, token).await?;
        transaction.commit().await.map_err(sql("insert token"))
    }

    async fn token(&self, id: &TokenId) -> Result<Option<KeptToken>> {
        let query = format!("{TOKEN} WHERE id = ?");
        let row = sqlx::query(&query).bind(id.as_str()).fetch_optional(&self.pool).await.map_err(sql("read token"))?;
        row.as_ref().map(kept).transpose()
    }

    async fn tokens<'a>(&self, organization: &OrganizationId, user: Option<&'a UserName>) -> Result<Vec<ApiToken>> {
        let query = format!("{TOKEN} WHERE organization = ?1 AND (?2 IS NULL OR user = ?2) ORDER BY id");
        let rows = sqlx::query(&query).bind(organization.as_str()).bind(user.map(UserName::as_str)).fetch_all(&self.pool).await;
        rows.map_err(sql("list tokens"))?.iter().map(|row| Ok(kept(row)?.token)).collect()
    }

    async fn use_token(&self, id: &TokenId, at: Timestamp) -> Result<()> {
        let query = sqlx::query("UPDATE tokens SET used_at = ? WHERE id = ?").bind(at.as_millis()).bind(id.as_str());
        query.execute(&self.pool).await.map(|_| ()).map_err(sql("note use of token"))
    }

    async fn revoke_token(&self, organization: &OrganizationId, id: &TokenId, at: Timestamp) -> Result<()> {
        let done = sqlx::query("UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE organization = ? AND id = ?")
            .bind(at.as_millis())
            .bind(organization.as_str())
            .bind(id.as_str())
            .execute(&self.pool)
            .await
            .map_err(sql("revoke token"))?;
        if done.rows_affected() == 0 { Err(missing("revoke token", id.as_str())) } else { Ok(()) }
    }

    async fn insert_first_admin(&self, bootstrap: &TokenId, admin: &User, token: &KeptToken) -> Result<()> {
        const OPERATION: &str = "insert first admin";
        let mut transaction = self.write().await?;
        if users(&mut *transaction, &token.organization).await?.iter().any(|user| user.role == Role::Admin) {
            return Err(admin_exists());
        }
        let taken = sqlx::query("DELETE FROM tokens WHERE id = ?").bind(bootstrap.as_str()).execute(&mut *transaction).await.map_err(sql(OPERATION))?;
        if taken.rows_affected() == 0 {
            return Err(missing(OPERATION, bootstrap.as_str()));
        }
        insert_user(&mut *transaction, &token.organization, admin).await?;
        insert(&mut transaction, token).await?;
        transaction.commit().await.map_err(sql(OPERATION))
    }
}

#[async_trait]
impl AuditStore for SqliteStore {
    async fn append_audit(&self, organization: &OrganizationId, entry: &AuditEntry) -> Result<()> {
        sqlx::query("INSERT INTO audit (organization, id, actor, body) VALUES (?, ?, ?, ?)")
            .bind(organization.as_str())
            .bind(entry.id.as_str())
            .bind(&entry.actor)
            .bind(write_json(entry)?)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(sql("write audit log"))
    }

    async fn audit(&self, organization: &OrganizationId, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        // One statement for each filter, so that each reads its own index.
        let actor = if filter.actor.is_some() { "AND actor = ?3 " } else { "" };
        let query = format!("SELECT body FROM audit WHERE organization = ?1 AND (?2 IS NULL OR id < ?2) {actor}ORDER BY id DESC LIMIT ?4");
        let rows = sqlx::query(&query)
            .bind(organization.as_str())
            .bind(filter.before.as_ref().map(|before| before.as_str()))
            .bind(&filter.actor)
            .bind(filter.limit.map_or(i64::MAX, i64::from))
            .fetch_all(&self.pool)
            .await
            .map_err(sql("read audit log"))?;
        rows.iter().map(body).collect()
    }
}

#[async_trait]
impl KeyStore for SqliteStore {
    async fn claim_key(&self, organization: &OrganizationId, key: &str, fingerprint: &str, now: Timestamp, until: Timestamp) -> Result<KeyClaim> {
        let mut transaction = self.write().await?;
        let found = sqlx::query("SELECT fingerprint, answer, until FROM keys WHERE organization = ? AND key = ?")
            .bind(organization.as_str())
            .bind(key)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql("claim key"))?;
        if let Some(row) = found {
            let (taken_by, answer): (String, Option<String>) = (row.get(0), row.get(1));
            let answer: Option<SecretId> = answer.map(|answer| answer.parse()).transpose()?;
            return Ok(KeyClaim::of(taken_by == fingerprint, answer.as_ref(), row.get::<i64, _>(2) <= now.as_millis()));
        }
        sqlx::query("INSERT INTO keys (organization, key, fingerprint, until) VALUES (?, ?, ?, ?)")
            .bind(organization.as_str())
            .bind(key)
            .bind(fingerprint)
            .bind(until.as_millis())
            .execute(&mut *transaction)
            .await
            .map_err(sql("claim key"))?;
        transaction.commit().await.map_err(sql("claim key"))?;
        Ok(KeyClaim::New)
    }

    async fn answer_key(&self, organization: &OrganizationId, key: &str, answer: &SecretId, until: Timestamp) -> Result<()> {
        sqlx::query("UPDATE keys SET answer = ?, until = ? WHERE organization = ? AND key = ?")
            .bind(answer.as_str())
            .bind(until.as_millis())
            .bind(organization.as_str())
            .bind(key)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(sql("answer key"))
    }

    async fn forget_key(&self, organization: &OrganizationId, key: &str) -> Result<()> {
        let query = sqlx::query("DELETE FROM keys WHERE organization = ? AND key = ? AND answer IS NULL").bind(organization.as_str()).bind(key);
        query.execute(&self.pool).await.map(|_| ()).map_err(sql("forget key"))
    }

    async fn expire_keys(&self, now: Timestamp, abandoned: Timestamp) -> Result<Vec<SecretId>> {
        // Most calls find nothing, and reading takes no lock.
        let due = sqlx::query("SELECT 1 FROM keys WHERE until <= ?1 AND (answer IS NOT NULL OR until <= ?2) LIMIT 1");
        let due = due.bind(now.as_millis()).bind(abandoned.as_millis()).fetch_optional(&self.pool).await;
        if due.map_err(sql("expire keys"))?.is_none() {
            return Ok(Vec::new());
        }
        let over = sqlx::query("DELETE FROM keys WHERE until <= ?1 AND (answer IS NOT NULL OR until <= ?2) RETURNING answer");
        let rows = over.bind(now.as_millis()).bind(abandoned.as_millis()).fetch_all(&self.pool).await;
        rows.map_err(sql("expire keys"))?.iter().filter_map(|row| row.get::<Option<String>, _>(0)).map(|id| Ok(id.parse()?)).collect()
    }
}
