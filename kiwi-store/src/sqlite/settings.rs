//! Services, runtimes, registries and environments.

use super::{SqliteStore, sql};
use crate::record::{exists, missing, read_json, used, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{
    EnvironmentName, EnvironmentSettings, OrganizationId, RegistryName, RegistrySettings, RuntimeName, RuntimeSettings, Service, ServiceId, ServiceName,
};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::store::{EnvironmentStore, RegistryStore, RuntimeStore, ServiceStore};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

pub(super) fn body<T: DeserializeOwned>(row: &SqliteRow) -> Result<T> {
    read_json(row.get::<&str, _>(0))
}

pub(super) fn unique(operation: &'static str, name: &str) -> impl Fn(sqlx::Error) -> Error {
    let name = name.to_owned();
    move |error| match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => exists(operation, &name),
        _ => sql(operation)(error),
    }
}

#[async_trait]
impl ServiceStore for SqliteStore {
    async fn insert_service(&self, service: &Service) -> Result<()> {
        sqlx::query("INSERT INTO services (id, organization, name, runtime, build_runtime, registry, body) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(service.id.as_str())
            .bind(service.organization.as_str())
            .bind(service.name.as_str())
            .bind(service.runtime.as_str())
            .bind(service.build.runtime.as_ref().map(|name| name.as_str()))
            .bind(service.build.registry.as_ref().map(|name| name.as_str()))
            .bind(write_json(service)?)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(unique("insert service", service.name.as_str()))
    }

    async fn update_service(&self, service: &Service) -> Result<()> {
        let done = sqlx::query("UPDATE services SET runtime = ?, build_runtime = ?, registry = ?, body = ? WHERE id = ?")
            .bind(service.runtime.as_str())
            .bind(service.build.runtime.as_ref().map(|name| name.as_str()))
            .bind(service.build.registry.as_ref().map(|name| name.as_str()))
            .bind(write_json(service)?)
            .bind(service.id.as_str())
            .execute(&self.pool)
            .await
            .map_err(sql("update service"))?;
        if done.rows_affected() == 0 { Err(missing("update service", service.name.as_str())) } else { Ok(()) }
    }

    async fn service(&self, organization: &OrganizationId, name: &ServiceName) -> Result<Option<Service>> {
        let row = sqlx::query("SELECT body FROM services WHERE organization = ? AND name = ?")
            .bind(organization.as_str())
            .bind(name.as_str())
            .fetch_optional(&self.pool)
            .await;
        row.map_err(sql("read service"))?.as_ref().map(body).transpose()
    }

    async fn service_by_id(&self, id: &ServiceId) -> Result<Option<Service>> {
        let row = sqlx::query("SELECT body FROM services WHERE id = ?").bind(id.as_str()).fetch_optional(&self.pool).await.map_err(sql("read service"))?;
        row.as_ref().map(body).transpose()
    }

    async fn services<'a>(&self, organization: &OrganizationId, after: Option<&'a ServiceName>, limit: u32) -> Result<Vec<Service>> {
        let rows = sqlx::query("SELECT body FROM services WHERE organization = ? AND name > ? ORDER BY name LIMIT ?")
            .bind(organization.as_str())
            .bind(after.map_or("", |name| name.as_str()))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(sql("list services"))?;
        rows.iter().map(body).collect()
    }

    async fn organizations(&self) -> Result<Vec<OrganizationId>> {
        let rows = sqlx::query("SELECT DISTINCT organization FROM services ORDER BY organization").fetch_all(&self.pool).await;
        rows.map_err(sql("list organizations"))?.iter().map(|row| Ok(row.get::<&str, _>(0).parse()?)).collect()
    }

    async fn remove_service(&self, id: &ServiceId) -> Result<()> {
        let mut transaction = self.write().await?;
        let busy = sqlx::query("SELECT 1 FROM runs WHERE service = ? AND finished = 0 LIMIT 1")
            .bind(id.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql("remove service"))?;
        if busy.is_some() {
            return Err(Error::new(ErrorKind::Conflict, "remove service", "a run of the service is not finished"));
        }
        sqlx::query("DELETE FROM services WHERE id = ?").bind(id.as_str()).execute(&mut *transaction).await.map_err(sql("remove service"))?;
        transaction.commit().await.map_err(sql("remove service"))
    }
}

#[async_trait]
impl RuntimeStore for SqliteStore {
    async fn insert_runtime(&self, organization: &OrganizationId, runtime: &RuntimeSettings) -> Result<()> {
        sqlx::query("INSERT INTO runtimes (organization, name, body) VALUES (?, ?, ?)")
            .bind(organization.as_str())
            .bind(runtime.name.as_str())
            .bind(write_json(runtime)?)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(unique("insert runtime", runtime.name.as_str()))
    }

    async fn runtimes(&self, organization: &OrganizationId) -> Result<Vec<RuntimeSettings>> {
        let rows = sqlx::query("SELECT body FROM runtimes WHERE organization = ? ORDER BY name").bind(organization.as_str()).fetch_all(&self.pool).await;
        rows.map_err(sql("list runtimes"))?.iter().map(body).collect()
    }

    async fn remove_runtime(&self, organization: &OrganizationId, name: &RuntimeName) -> Result<()> {
        let mut transaction = self.write().await?;
        // Two questions, so that each has its index.
        let user = sqlx::query(
            "SELECT name FROM services WHERE organization = ?1 AND runtime = ?2 \
             UNION ALL SELECT name FROM services WHERE organization = ?1 AND build_runtime = ?2 LIMIT 1",
        )
        .bind(organization.as_str())
        .bind(name.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(sql("remove runtime"))?;
        if let Some(row) = user {
            let service: String = row.get(0);
            return Err(used("remove runtime", name.as_str(), &service));
        }
        let done = sqlx::query("DELETE FROM runtimes WHERE organization = ? AND name = ?")
            .bind(organization.as_str())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(sql("remove runtime"))?;
        if done.rows_affected() == 0 {
            return Err(missing("remove runtime", name.as_str()));
        }
        transaction.commit().await.map_err(sql("remove runtime"))
    }
}

#[async_trait]
impl RegistryStore for SqliteStore {
    async fn insert_registry(&self, organization: &OrganizationId, registry: &RegistrySettings) -> Result<()> {
        sqlx::query("INSERT INTO registries (organization, name, body) VALUES (?, ?, ?)")
            .bind(organization.as_str())
            .bind(registry.name.as_str())
            .bind(write_json(registry)?)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(unique("insert registry", registry.name.as_str()))
    }

    async fn registries(&self, organization: &OrganizationId) -> Result<Vec<RegistrySettings>> {
        let rows = sqlx::query("SELECT body FROM registries WHERE organization = ? ORDER BY name").bind(organization.as_str()).fetch_all(&self.pool).await;
        rows.map_err(sql("list registries"))?.iter().map(body).collect()
    }

    async fn remove_registry(&self, organization: &OrganizationId, name: &RegistryName) -> Result<()> {
        let mut transaction = self.write().await?;
        let user = sqlx::query("SELECT name FROM services WHERE organization = ? AND registry = ? LIMIT 1")
            .bind(organization.as_str())
            .bind(name.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql("remove registry"))?;
        if let Some(row) = user {
            let service: String = row.get(0);
            return Err(used("remove registry", name.as_str(), &service));
        }
        let done = sqlx::query("DELETE FROM registries WHERE organization = ? AND name = ?")
            .bind(organization.as_str())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(sql("remove registry"))?;
        if done.rows_affected() == 0 {
            return Err(missing("remove registry", name.as_str()));
        }
        transaction.commit().await.map_err(sql("remove registry"))
    }
}

#[async_trait]
impl EnvironmentStore for SqliteStore {
    async fn environment(&self, service: &ServiceId, environment: EnvironmentName) -> Result<EnvironmentSettings> {
        let row = sqlx::query("SELECT body FROM environments WHERE service = ? AND environment = ?")
            .bind(service.as_str())
            .bind(environment.as_str())
            .fetch_optional(&self.pool)
            .await;
        let found = row.map_err(sql("read environment"))?.as_ref().map(body).transpose()?;
        Ok(found.unwrap_or_else(|| EnvironmentSettings::preset(service.clone(), environment)))
    }

    async fn put_environment(&self, settings: &EnvironmentSettings) -> Result<()> {
        sqlx::query("INSERT INTO environments (service, environment, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body")
            .bind(settings.service.as_str())
            .bind(settings.environment.as_str())
            .bind(write_json(settings)?)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(sql("write environment"))
    }
}
