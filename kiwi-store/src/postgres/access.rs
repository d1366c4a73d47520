//! Tokens, the audit log and idempotency keys.

use super::hosts::insert_user;
use super::settings::{body, unique};
use super::{PostgresStore, sql};
use crate::record::{missing, read_json, write_json};
use async_trait::async_trait;
use kiwi_core::access::Role;
use kiwi_core::domain::{ApiToken, AuditEntry, OrganizationId, SecretId, Timestamp, TokenId, User, UserName};
use kiwi_core::error::Result;
use kiwi_core::provider::store::{AuditFilter, AuditStore, KeptToken, KeyClaim, KeyStore, TokenStore, admin_exists};
use kiwi_core::token::TokenHash;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

const BY_ID: &str = "SELECT organization, hash, used_at, revoked_at, body FROM tokens WHERE id = $1";
const BY_OWNER: &str =
    "SELECT organization, hash, used_at, revoked_at, body FROM tokens WHERE organization = $1 AND ($2::TEXT IS NULL OR owner = $2) ORDER BY id";

fn kept(row: &PgRow) -> Result<KeptToken> {
    let organization: String = row.get(0);
    let token: ApiToken = read_json(row.get(4))?;
    let time = |column: usize| row.get::<Option<i64>, _>(column).map(Timestamp::from_millis);
    let token = ApiToken { last_used_at: time(2), revoked_at: time(3), ..token };
    Ok(KeptToken { organization: organization.parse()?, hash: TokenHash::from_bytes(row.get(1)), token })
}

async fn insert(connection: &mut PgConnection, token: &KeptToken) -> Result<()> {
    sqlx::query("INSERT INTO tokens (id, organization, owner, hash, body) VALUES ($1, $2, $3, $4, $5)")
        .bind(token.token.id.as_str())
        .bind(token.organization.as_str())
        .bind(token.token.user.as_str().to_ascii_lowercase())
        .bind(token.hash.as_bytes())
        .bind(write_json(&token.token)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(unique("insert token", token.token.id.as_str()))
}

#[async_trait]
impl TokenStore for PostgresStore {
    async fn insert_token(&self, token: &KeptToken) -> Result<()> {
        self.write("insert token", |mut work| {
            Box::pin(async move {
                // Held until the token is there, so that whoever removes the user ends it with the others.
                let user = sqlx::query("SELECT 1 FROM users WHERE organization = $1 AND name = $2 FOR SHARE")
                    .bind(token.organization.as_str())
                    .bind(token.token.user.as_str().to_ascii_lowercase())
                    .fetch_optional(&mut *work)
                    .await
                    .map_err(sql("insert token"))?;
                if user.is_none() && !token.is_bootstrap() {
                    return Err(missing("insert token", token.token.user.as_str()));
                }
                insert(&mut work, token).await
            })
        })
        .await
    }

    async fn token(&self, id: &TokenId) -> Result<Option<KeptToken>> {
        self.row("read token", || sqlx::query(BY_ID).bind(id.as_str())).await?.as_ref().map(kept).transpose()
    }

    async fn tokens<'a>(&self, organization: &OrganizationId, user: Option<&'a UserName>) -> Result<Vec<ApiToken>> {
        let owner = &user.map(|user| user.as_str().to_ascii_lowercase());
        let rows = self.rows("list tokens", || sqlx::query(BY_OWNER).bind(organization.as_str()).bind(owner)).await?;
        rows.iter().map(|row| Ok(kept(row)?.token)).collect()
    }

    async fn use_token(&self, id: &TokenId, at: Timestamp) -> Result<()> {
        let noted = self.rows("note use of token", || sqlx::query("UPDATE tokens SET used_at = $1 WHERE id = $2").bind(at.as_millis()).bind(id.as_str()));
        noted.await.map(|_| ())
    }

    async fn revoke_token(&self, organization: &OrganizationId, id: &TokenId, at: Timestamp) -> Result<()> {
        let rows = self.rows("revoke token", || {
            sqlx::query("UPDATE tokens SET revoked_at = COALESCE(revoked_at, $1) WHERE organization = $2 AND id = $3 RETURNING 1")
                .bind(at.as_millis())
                .bind(organization.as_str())
                .bind(id.as_str())
        });
        if rows.await?.is_empty() { Err(missing("revoke token", id.as_str())) } else { Ok(()) }
    }

    async fn insert_first_admin(&self, bootstrap: &TokenId, admin: &User, token: &KeptToken) -> Result<()> {
        const OPERATION: &str = "insert first admin";
        self.write(OPERATION, |mut work| {
            Box::pin(async move {
                // There may be no row yet to lock.
                sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('kiwi first admin ' || current_schema(), 0))")
                    .execute(&mut *work)
                    .await
                    .map_err(sql(OPERATION))?;
                let users = sqlx::query("SELECT body FROM users WHERE organization = $1").bind(token.organization.as_str()).fetch_all(&mut *work).await;
                let users: Vec<User> = users.map_err(sql(OPERATION))?.iter().map(body).collect::<Result<_>>()?;
                if users.iter().any(|user| user.role == Role::Admin) {
                    return Err(admin_exists());
                }
                let taken = sqlx::query("DELETE FROM tokens WHERE id = $1").bind(bootstrap.as_str()).execute(&mut *work).await.map_err(sql(OPERATION))?;
                if taken.rows_affected() == 0 {
                    return Err(missing(OPERATION, bootstrap.as_str()));
                }
                insert_user(&mut work, &token.organization, admin).await?;
                insert(&mut work, token).await
            })
        })
        .await
    }
}

#[async_trait]
impl AuditStore for PostgresStore {
    async fn append_audit(&self, organization: &OrganizationId, entry: &AuditEntry) -> Result<()> {
        let body = &write_json(entry)?;
        // The id makes a second attempt harmless.
        let written = self.rows("write audit log", || {
            sqlx::query("INSERT INTO audit (organization, id, actor, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                .bind(organization.as_str())
                .bind(entry.id.as_str())
                .bind(&entry.actor)
                .bind(body)
        });
        written.await.map(|_| ())
    }

    async fn audit(&self, organization: &OrganizationId, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        let rows = self.rows("read audit log", || {
            sqlx::query(
                "SELECT body FROM audit WHERE organization = $1 AND ($2::TEXT IS NULL OR id < $2) AND ($3::TEXT IS NULL OR actor = $3)
                 ORDER BY id DESC LIMIT $4",
            )
            .bind(organization.as_str())
            .bind(filter.before.as_ref().map(|before| before.as_str()))
            .bind(&filter.actor)
            .bind(filter.limit.map_or(i64::MAX, i64::from))
        });
        rows.await?.iter().map(body).collect()
    }
}

#[async_trait]
impl KeyStore for PostgresStore {
    async fn claim_key(&self, organization: &OrganizationId, key: &str, fingerprint: &str, now: Timestamp, until: Timestamp) -> Result<KeyClaim> {
        self.write("claim key", |mut work| {
            Box::pin(async move {
                let ours = sqlx::query(
                    "INSERT INTO keys (organization, key, fingerprint, until) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (organization, key) DO NOTHING RETURNING 1",
                )
                .bind(organization.as_str())
                .bind(key)
                .bind(fingerprint)
                .bind(until.as_millis())
                .fetch_optional(&mut *work)
                .await
                .map_err(sql("claim key"))?;
                if ours.is_some() {
                    return Ok(KeyClaim::New);
                }
                let found = sqlx::query("SELECT fingerprint, answer, until FROM keys WHERE organization = $1 AND key = $2")
                    .bind(organization.as_str())
                    .bind(key)
                    .fetch_optional(&mut *work)
                    .await
                    .map_err(sql("claim key"))?;
                // It may end between the two statements; whoever asks again finds it free.
                let Some(row) = found else { return Ok(KeyClaim::Busy) };
                let (taken_by, answer): (String, Option<String>) = (row.get(0), row.get(1));
                let answer: Option<SecretId> = answer.map(|answer| answer.parse()).transpose()?;
                Ok(KeyClaim::of(taken_by == fingerprint, answer.as_ref(), row.get::<i64, _>(2) <= now.as_millis()))
            })
        })
        .await
    }

    async fn answer_key(&self, organization: &OrganizationId, key: &str, answer: &SecretId, until: Timestamp) -> Result<()> {
        let written = self.rows("answer key", || {
            sqlx::query("UPDATE keys SET answer = $1, until = $2 WHERE organization = $3 AND key = $4")
                .bind(answer.as_str())
                .bind(until.as_millis())
                .bind(organization.as_str())
                .bind(key)
        });
        written.await.map(|_| ())
    }

    async fn forget_key(&self, organization: &OrganizationId, key: &str) -> Result<()> {
        let written = self.rows("forget key", || {
            sqlx::query("DELETE FROM keys WHERE organization = $1 AND key = $2 AND answer IS NULL").bind(organization.as_str()).bind(key)
        });
        written.await.map(|_| ())
    }

    async fn expire_keys(&self, now: Timestamp, abandoned: Timestamp) -> Result<Vec<SecretId>> {
        self.write("expire keys", |mut work| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM keys WHERE until <= $1 AND (answer IS NOT NULL OR until <= $2) RETURNING answer");
                let query = query.bind(now.as_millis()).bind(abandoned.as_millis());
                let rows = query.fetch_all(&mut *work).await.map_err(sql("expire keys"))?;
                rows.iter().filter_map(|row| row.get::<Option<String>, _>(0)).map(|id| Ok(id.parse()?)).collect()
            })
        })
        .await
    }
}
