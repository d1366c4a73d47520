//! Git hosts and people.

use super::settings::{body, unique};
use super::{SqliteStore, sql};
use crate::record::{comes_from, missing, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{GitProviderKind, OrganizationId, ProviderSettings, Timestamp, User, UserName};
use kiwi_core::error::Result;
use kiwi_core::provider::store::{ProviderStore, UserStore, is_last_admin, last_admin};
use sqlx::{Row as _, SqliteExecutor};

#[async_trait]
impl ProviderStore for SqliteStore {
    async fn put_provider(&self, organization: &OrganizationId, provider: &ProviderSettings) -> Result<()> {
        sqlx::query("INSERT INTO providers (organization, kind, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body")
            .bind(organization.as_str())
            .bind(provider.kind.as_str())
            .bind(write_json(provider)?)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(sql("write provider"))
    }

    async fn providers(&self, organization: &OrganizationId) -> Result<Vec<ProviderSettings>> {
        let rows = sqlx::query("SELECT body FROM providers WHERE organization = ? ORDER BY kind").bind(organization.as_str()).fetch_all(&self.pool).await;
        rows.map_err(sql("list providers"))?.iter().map(body).collect()
    }

    async fn remove_provider(&self, organization: &OrganizationId, kind: GitProviderKind) -> Result<()> {
        let mut transaction = self.write().await?;
        let user = sqlx::query("SELECT name FROM services WHERE organization = ? AND json_extract(body, '$.source.git.provider') = ? LIMIT 1")
            .bind(organization.as_str())
            .bind(kind.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql("remove provider"))?;
        if let Some(row) = user {
            let service: String = row.get(0);
            return Err(comes_from(kind.title(), &service));
        }
        let done = sqlx::query("DELETE FROM providers WHERE organization = ? AND kind = ?")
            .bind(organization.as_str())
            .bind(kind.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(sql("remove provider"))?;
        if done.rows_affected() == 0 {
            return Err(missing("remove provider", kind.title()));
        }
        transaction.commit().await.map_err(sql("remove provider"))
    }
}

pub(super) async fn insert_user(executor: impl SqliteExecutor<'_>, organization: &OrganizationId, user: &User) -> Result<()> {
    sqlx::query("INSERT INTO users (organization, name, body) VALUES (?, ?, ?)")
        .bind(organization.as_str())
        .bind(user.name.as_str())
        .bind(write_json(user)?)
        .execute(executor)
        .await
        .map(|_| ())
        .map_err(unique("insert user", user.name.as_str()))
}

/// In name order.
pub(super) async fn users(executor: impl SqliteExecutor<'_>, organization: &OrganizationId) -> Result<Vec<User>> {
    let rows = sqlx::query("SELECT body FROM users WHERE organization = ? ORDER BY name").bind(organization.as_str()).fetch_all(executor).await;
    rows.map_err(sql("list users"))?.iter().map(body).collect()
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn insert_user(&self, organization: &OrganizationId, user: &User) -> Result<()> {
        insert_user(&self.pool, organization, user).await
    }

    async fn user(&self, organization: &OrganizationId, name: &UserName) -> Result<Option<User>> {
        let query = sqlx::query("SELECT body FROM users WHERE organization = ? AND name = ?").bind(organization.as_str()).bind(name.as_str());
        query.fetch_optional(&self.pool).await.map_err(sql("read user"))?.as_ref().map(body).transpose()
    }

    async fn users(&self, organization: &OrganizationId) -> Result<Vec<User>> {
        users(&self.pool, organization).await
    }

    async fn remove_user(&self, organization: &OrganizationId, name: &UserName, at: Timestamp) -> Result<()> {
        let mut transaction = self.write().await?;
        if is_last_admin(&users(&mut *transaction, organization).await?, name) {
            return Err(last_admin(name));
        }
        sqlx::query("UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE organization = ? AND user = ?")
            .bind(at.as_millis())
            .bind(organization.as_str())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(sql("remove user"))?;
        let done = sqlx::query("DELETE FROM users WHERE organization = ? AND name = ?")
            .bind(organization.as_str())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(sql("remove user"))?;
        if done.rows_affected() == 0 {
            return Err(missing("remove user", name.as_str()));
        }
        transaction.commit().await.map_err(sql("remove user"))
    }
}
