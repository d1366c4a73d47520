//! Deployments and releases.

use super::session::Work;
use super::{PostgresStore, sql, text};
use crate::record::{integer, read_json, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{Deployment, DeploymentStatus, EnvironmentName, ServiceId};
use kiwi_core::error::Result;
use kiwi_core::provider::Fence;
use kiwi_core::provider::store::DeploymentStore;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

fn deployment(row: &PgRow) -> Result<Deployment> {
    read_json(row.get::<&str, _>(0))
}

async fn write(connection: &mut PgConnection, deployment: &Deployment) -> Result<()> {
    let release = &deployment.release;
    sqlx::query(
        "INSERT INTO deployments (service, environment, revision, run, live, body) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (service, environment, revision) DO UPDATE SET live = excluded.live, body = excluded.body",
    )
    .bind(release.service.as_str())
    .bind(release.environment.as_str())
    .bind(integer(release.revision))
    .bind(text(&deployment.run))
    .bind(deployment.status == DeploymentStatus::Live)
    .bind(write_json(deployment)?)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(sql("write deployment"))
}

async fn begin(wanted: &Deployment, mut work: Work<'_, '_>) -> Result<Deployment> {
    let release = &wanted.release;
    // Two runs of one service may be under different slots; its revisions have no gap and no double all the same.
    sqlx::query("SELECT 1 FROM services WHERE id = $1 FOR NO KEY UPDATE")
        .bind(release.service.as_str())
        .execute(&mut *work)
        .await
        .map_err(sql("begin deployment"))?;
    let begun =
        sqlx::query("SELECT body FROM deployments WHERE run = $1").bind(text(&wanted.run)).fetch_optional(&mut *work).await.map_err(sql("begin deployment"))?;
    if let Some(row) = begun {
        return deployment(&row);
    }
    let row = sqlx::query("SELECT coalesce(max(revision), 0) + 1 FROM deployments WHERE service = $1 AND environment = $2")
        .bind(release.service.as_str())
        .bind(release.environment.as_str())
        .fetch_one(&mut *work)
        .await
        .map_err(sql("begin deployment"))?;
    let mut begun = wanted.clone();
    begun.release.revision = u64::try_from(row.get::<i64, _>(0)).unwrap_or(1);
    write(&mut work, &begun).await?;
    Ok(begun)
}

async fn update(changed: &Deployment, mut work: Work<'_, '_>) -> Result<()> {
    if changed.status == DeploymentStatus::Live {
        let rows = sqlx::query("SELECT body FROM deployments WHERE service = $1 AND environment = $2 AND live AND revision <> $3 FOR UPDATE")
            .bind(changed.release.service.as_str())
            .bind(changed.release.environment.as_str())
            .bind(integer(changed.release.revision))
            .fetch_all(&mut *work)
            .await
            .map_err(sql("write deployment"))?;
        for row in &rows {
            let mut before = deployment(row)?;
            before.status = DeploymentStatus::Superseded;
            write(&mut work, &before).await?;
        }
    }
    write(&mut work, changed).await
}

#[async_trait]
impl DeploymentStore for PostgresStore {
    async fn begin_deployment(&self, wanted: &Deployment, fence: &Fence) -> Result<Deployment> {
        self.write_fenced("begin deployment", fence, |work| Box::pin(begin(wanted, work))).await
    }

    async fn update_deployment(&self, changed: &Deployment, fence: &Fence) -> Result<()> {
        self.write_fenced("write deployment", fence, |work| Box::pin(update(changed, work))).await
    }

    async fn deployment(&self, service: &ServiceId, environment: EnvironmentName, revision: u64) -> Result<Option<Deployment>> {
        let row = self.row("read deployment", || {
            sqlx::query("SELECT body FROM deployments WHERE service = $1 AND environment = $2 AND revision = $3")
                .bind(service.as_str())
                .bind(environment.as_str())
                .bind(integer(revision))
        });
        row.await?.as_ref().map(deployment).transpose()
    }

    async fn deployments(&self, service: &ServiceId, environment: EnvironmentName, limit: u32) -> Result<Vec<Deployment>> {
        let rows = self.rows("list deployments", || {
            sqlx::query("SELECT body FROM deployments WHERE service = $1 AND environment = $2 ORDER BY revision DESC LIMIT $3")
                .bind(service.as_str())
                .bind(environment.as_str())
                .bind(i64::from(limit))
        });
        rows.await?.iter().map(deployment).collect()
    }

    async fn live(&self, service: &ServiceId, environment: EnvironmentName) -> Result<Option<Deployment>> {
        let row = self.row("read deployment", || {
            sqlx::query("SELECT body FROM deployments WHERE service = $1 AND environment = $2 AND live").bind(service.as_str()).bind(environment.as_str())
        });
        row.await?.as_ref().map(deployment).transpose()
    }
}
