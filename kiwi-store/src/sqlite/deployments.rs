//! Deployments and releases.

use super::{SqliteStore, sql, text};
use crate::record::{integer, read_json, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{Deployment, DeploymentStatus, EnvironmentName, ServiceId};
use kiwi_core::error::Result;
use kiwi_core::provider::Fence;
use kiwi_core::provider::store::DeploymentStore;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

fn deployment(row: &SqliteRow) -> Result<Deployment> {
    read_json(row.get::<&str, _>(0))
}

async fn write(connection: &mut SqliteConnection, deployment: &Deployment) -> Result<()> {
    let release = &deployment.release;
    sqlx::query(
        "INSERT INTO deployments (service, environment, revision, run, live, body) VALUES (?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (service, environment, revision) DO UPDATE SET live = excluded.live, body = excluded.body",
    )
    .bind(release.service.as_str())
    .bind(release.environment.as_str())
    .bind(integer(release.revision))
    .bind(text(&deployment.run))
    .bind(i64::from(deployment.status == DeploymentStatus::Live))
    .bind(write_json(deployment)?)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(sql("write deployment"))
}

#[async_trait]
impl DeploymentStore for SqliteStore {
    async fn begin_deployment(&self, wanted: &Deployment, fence: &Fence) -> Result<Deployment> {
        let mut transaction = self.write_fenced(fence).await?;
        let begun = sqlx::query("SELECT body FROM deployments WHERE run = ?")
            .bind(text(&wanted.run))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql("begin deployment"))?;
        if let Some(row) = begun {
            return deployment(&row);
        }
        let row = sqlx::query("SELECT coalesce(max(revision), 0) + 1 FROM deployments WHERE service = ? AND environment = ?")
            .bind(wanted.release.service.as_str())
            .bind(wanted.release.environment.as_str())
            .fetch_one(&mut *transaction)
            .await
            .map_err(sql("begin deployment"))?;
        let mut begun = wanted.clone();
        begun.release.revision = u64::try_from(row.get::<i64, _>(0)).unwrap_or(1);
        write(&mut transaction, &begun).await?;
        transaction.commit().await.map_err(sql("begin deployment"))?;
        Ok(begun)
    }

    async fn update_deployment(&self, changed: &Deployment, fence: &Fence) -> Result<()> {
        let mut transaction = self.write_fenced(fence).await?;
        if changed.status == DeploymentStatus::Live {
            let rows = sqlx::query("SELECT body FROM deployments WHERE service = ? AND environment = ? AND live = 1 AND revision <> ?")
                .bind(changed.release.service.as_str())
                .bind(changed.release.environment.as_str())
                .bind(integer(changed.release.revision))
                .fetch_all(&mut *transaction)
                .await
                .map_err(sql("write deployment"))?;
            for row in &rows {
                let mut before = deployment(row)?;
                before.status = DeploymentStatus::Superseded;
                write(&mut transaction, &before).await?;
            }
        }
        write(&mut transaction, changed).await?;
        transaction.commit().await.map_err(sql("write deployment"))
    }

    async fn deployment(&self, service: &ServiceId, environment: EnvironmentName, revision: u64) -> Result<Option<Deployment>> {
        let row = sqlx::query("SELECT body FROM deployments WHERE service = ? AND environment = ? AND revision = ?")
            .bind(service.as_str())
            .bind(environment.as_str())
            .bind(integer(revision))
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("read deployment"))?;
        row.as_ref().map(deployment).transpose()
    }

    async fn deployments(&self, service: &ServiceId, environment: EnvironmentName, limit: u32) -> Result<Vec<Deployment>> {
        let rows = sqlx::query("SELECT body FROM deployments WHERE service = ? AND environment = ? ORDER BY revision DESC LIMIT ?")
            .bind(service.as_str())
            .bind(environment.as_str())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(sql("list deployments"))?;
        rows.iter().map(deployment).collect()
    }

    async fn live(&self, service: &ServiceId, environment: EnvironmentName) -> Result<Option<Deployment>> {
        let row = sqlx::query("SELECT body FROM deployments WHERE service = ? AND environment = ? AND live = 1")
            .bind(service.as_str())
            .bind(environment.as_str())
            .fetch_optional(&self.pool)
            .await;
        row.map_err(sql("read deployment"))?.as_ref().map(deployment).transpose()
    }
}
