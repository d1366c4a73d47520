//! Git hosts and people.

use super::settings::{body, unique};
use super::{PostgresStore, sql};
use crate::record::{comes_from, missing, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{GitProviderKind, OrganizationId, ProviderSettings, Timestamp, User, UserName};
use kiwi_core::error::Result;
use kiwi_core::provider::store::{ProviderStore, UserStore, is_last_admin, last_admin};
use sqlx::{PgConnection, Row as _};

#[async_trait]
impl ProviderStore for PostgresStore {
    async fn put_provider(&self, organization: &OrganizationId, provider: &ProviderSettings) -> Result<()> {
        let body = &write_json(provider)?;
        let written = self.rows("write provider", || {
            sqlx::query(
                "INSERT INTO providers (organization, kind, body) VALUES ($1, $2, $3) ON CONFLICT (organization, kind) DO UPDATE SET body = excluded.body",
            )
            .bind(organization.as_str())
            .bind(provider.kind.as_str())
            .bind(body)
        });
        written.await.map(|_| ())
    }

    async fn providers(&self, organization: &OrganizationId) -> Result<Vec<ProviderSettings>> {
        let rows = self.rows("list providers", || sqlx::query("SELECT body FROM providers WHERE organization = $1 ORDER BY kind").bind(organization.as_str()));
        rows.await?.iter().map(body).collect()
    }

    async fn remove_provider(&self, organization: &OrganizationId, kind: GitProviderKind) -> Result<()> {
        self.write("remove provider", |mut work| {
            Box::pin(async move {
                let user = sqlx::query("SELECT name FROM services WHERE organization = $1 AND provider = $2 LIMIT 1")
                    .bind(organization.as_str())
                    .bind(kind.as_str())
                    .fetch_optional(&mut *work)
                    .await
                    .map_err(sql("remove provider"))?;
                if let Some(row) = user {
                    return Err(comes_from(kind.title(), row.get(0)));
                }
                let done = sqlx::query("DELETE FROM providers WHERE organization = $1 AND kind = $2")
                    .bind(organization.as_str())
                    .bind(kind.as_str())
                    .execute(&mut *work)
                    .await
                    .map_err(sql("remove provider"))?;
                if done.rows_affected() == 0 { Err(missing("remove provider", kind.title())) } else { Ok(()) }
            })
        })
        .await
    }
}

pub(super) async fn insert_user(connection: &mut PgConnection, organization: &OrganizationId, user: &User) -> Result<()> {
    sqlx::query("INSERT INTO users (organization, name, body) VALUES ($1, $2, $3)")
        .bind(organization.as_str())
        .bind(user.name.as_str().to_ascii_lowercase())
        .bind(write_json(user)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(unique("insert user", user.name.as_str()))
}

#[async_trait]
impl UserStore for PostgresStore {
    async fn insert_user(&self, organization: &OrganizationId, user: &User) -> Result<()> {
        self.write("insert user", |mut work| Box::pin(async move { insert_user(&mut work, organization, user).await })).await
    }

    async fn user(&self, organization: &OrganizationId, name: &UserName) -> Result<Option<User>> {
        let name = &name.as_str().to_ascii_lowercase();
        let query = || sqlx::query("SELECT body FROM users WHERE organization = $1 AND name = $2").bind(organization.as_str()).bind(name);
        self.row("read user", query).await?.as_ref().map(body).transpose()
    }

    async fn users(&self, organization: &OrganizationId) -> Result<Vec<User>> {
        let rows = self.rows("list users", || sqlx::query("SELECT body FROM users WHERE organization = $1 ORDER BY name").bind(organization.as_str()));
        rows.await?.iter().map(body).collect()
    }

    async fn remove_user(&self, organization: &OrganizationId, name: &UserName, at: Timestamp) -> Result<()> {
        self.write("remove user", |mut work| {
            Box::pin(async move {
                // Of two admins who remove each other at once, the second sees what the first did; so does whoever makes a token meanwhile.
                let users = sqlx::query("SELECT body FROM users WHERE organization = $1 ORDER BY name FOR UPDATE")
                    .bind(organization.as_str())
                    .fetch_all(&mut *work)
                    .await
                    .map_err(sql("remove user"))?;
                let users: Vec<User> = users.iter().map(body).collect::<Result<_>>()?;
                if is_last_admin(&users, name) {
                    return Err(last_admin(name));
                }
                sqlx::query("UPDATE tokens SET revoked_at = COALESCE(revoked_at, $1) WHERE organization = $2 AND owner = $3")
                    .bind(at.as_millis())
                    .bind(organization.as_str())
                    .bind(name.as_str().to_ascii_lowercase())
                    .execute(&mut *work)
                    .await
                    .map_err(sql("remove user"))?;
                let done = sqlx::query("DELETE FROM users WHERE organization = $1 AND name = $2")
                    .bind(organization.as_str())
                    .bind(name.as_str().to_ascii_lowercase())
                    .execute(&mut *work)
                    .await
                    .map_err(sql("remove user"))?;
                if done.rows_affected() == 0 { Err(missing("remove user", name.as_str())) } else { Ok(()) }
            })
        })
        .await
    }
}
