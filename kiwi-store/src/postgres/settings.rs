//! Services, runtimes, registries and environments.

use super::{PostgresStore, sql};
use crate::record::{exists, missing, read_json, used, write_json};
use async_trait::async_trait;
use kiwi_core::domain::{
    EnvironmentName, EnvironmentSettings, OrganizationId, RegistryName, RegistrySettings, RuntimeName, RuntimeSettings, Service, ServiceId, ServiceName, Source,
};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::store::{EnvironmentStore, RegistryStore, RuntimeStore, ServiceStore};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

pub(super) fn body<T: DeserializeOwned>(row: &PgRow) -> Result<T> {
    read_json(row.get::<&str, _>(0))
}

pub(super) fn unique(operation: &'static str, name: &str) -> impl Fn(sqlx::Error) -> Error {
    let name = name.to_owned();
    move |error| match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => exists(operation, &name),
        _ => sql(operation)(error),
    }
}

/// The git host that a service comes from.
fn provider(service: &Service) -> Option<&'static str> {
    match &service.source {
        Source::Git { provider, .. } => Some(provider.as_str()),
        _ => None,
    }
}

#[async_trait]
impl ServiceStore for PostgresStore {
    async fn insert_service(&self, service: &Service) -> Result<()> {
        let body = &write_json(service)?;
        self.write("insert service", |mut work| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO services (id, organization, name, provider, runtime, build_runtime, registry, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(service.id.as_str())
                .bind(service.organization.as_str())
                .bind(service.name.as_str())
                .bind(provider(service))
                .bind(service.runtime.as_str())
                .bind(service.build.runtime.as_ref().map(|name| name.as_str()))
                .bind(service.build.registry.as_ref().map(|name| name.as_str()))
                .bind(body)
                .execute(&mut *work)
                .await
                .map(|_| ())
                .map_err(unique("insert service", service.name.as_str()))
            })
        })
        .await
    }

    async fn update_service(&self, service: &Service) -> Result<()> {
        let body = &write_json(service)?;
        let updated = self.row("update service", || {
            sqlx::query("UPDATE services SET provider = $1, runtime = $2, build_runtime = $3, registry = $4, body = $5 WHERE id = $6 RETURNING 1")
                .bind(provider(service))
                .bind(service.runtime.as_str())
                .bind(service.build.runtime.as_ref().map(|name| name.as_str()))
                .bind(service.build.registry.as_ref().map(|name| name.as_str()))
                .bind(body)
                .bind(service.id.as_str())
        });
        updated.await?.map(|_| ()).ok_or_else(|| missing("update service", service.name.as_str()))
    }

    async fn service(&self, organization: &OrganizationId, name: &ServiceName) -> Result<Option<Service>> {
        let row = self.row("read service", || {
            sqlx::query("SELECT body FROM services WHERE organization = $1 AND name = $2").bind(organization.as_str()).bind(name.as_str())
        });
        row.await?.as_ref().map(body).transpose()
    }

    async fn service_by_id(&self, id: &ServiceId) -> Result<Option<Service>> {
        let row = self.row("read service", || sqlx::query("SELECT body FROM services WHERE id = $1").bind(id.as_str()));
        row.await?.as_ref().map(body).transpose()
    }

    async fn services<'a>(&self, organization: &OrganizationId, after: Option<&'a ServiceName>, limit: u32) -> Result<Vec<Service>> {
        let rows = self.rows("list services", || {
            sqlx::query("SELECT body FROM services WHERE organization = $1 AND name > $2 ORDER BY name LIMIT $3")
                .bind(organization.as_str())
                .bind(after.map_or("", |name| name.as_str()))
                .bind(i64::from(limit))
        });
        rows.await?.iter().map(body).collect()
    }

    async fn organizations(&self) -> Result<Vec<OrganizationId>> {
        let rows = self.rows("list organizations", || sqlx::query("SELECT DISTINCT organization FROM services ORDER BY organization")).await?;
        rows.iter().map(|row| Ok(row.get::<&str, _>(0).parse()?)).collect()
    }

    async fn remove_service(&self, id: &ServiceId) -> Result<()> {
        self.write_much("remove service", |mut work| {
            Box::pin(async move {
                // A run that is being asked for waits for this lock, and then finds no service.
                sqlx::query("SELECT 1 FROM services WHERE id = $1 FOR UPDATE").bind(id.as_str()).execute(&mut *work).await.map_err(sql("remove service"))?;
                let busy = sqlx::query("SELECT 1 FROM runs WHERE service = $1 AND NOT finished LIMIT 1")
                    .bind(id.as_str())
                    .fetch_optional(&mut *work)
                    .await
                    .map_err(sql("remove service"))?;
                if busy.is_some() {
                    return Err(Error::new(ErrorKind::Conflict, "remove service", "a run of the service is not finished"));
                }
                sqlx::query("DELETE FROM services WHERE id = $1").bind(id.as_str()).execute(&mut *work).await.map(|_| ()).map_err(sql("remove service"))
            })
        })
        .await
    }
}

#[async_trait]
impl RuntimeStore for PostgresStore {
    async fn insert_runtime(&self, organization: &OrganizationId, runtime: &RuntimeSettings) -> Result<()> {
        let body = &write_json(runtime)?;
        self.write("insert runtime", |mut work| {
            Box::pin(async move {
                sqlx::query("INSERT INTO runtimes (organization, name, body) VALUES ($1, $2, $3)")
                    .bind(organization.as_str())
                    .bind(runtime.name.as_str())
                    .bind(body)
                    .execute(&mut *work)
                    .await
                    .map(|_| ())
                    .map_err(unique("insert runtime", runtime.name.as_str()))
            })
        })
        .await
    }

    async fn runtimes(&self, organization: &OrganizationId) -> Result<Vec<RuntimeSettings>> {
        let rows = self.rows("list runtimes", || sqlx::query("SELECT body FROM runtimes WHERE organization = $1 ORDER BY name").bind(organization.as_str()));
        rows.await?.iter().map(body).collect()
    }

    async fn remove_runtime(&self, organization: &OrganizationId, name: &RuntimeName) -> Result<()> {
        self.write("remove runtime", |mut work| {
            Box::pin(async move {
                let user = sqlx::query("SELECT name FROM services WHERE organization = $1 AND (runtime = $2 OR build_runtime = $2) LIMIT 1")
                    .bind(organization.as_str())
                    .bind(name.as_str())
                    .fetch_optional(&mut *work)
                    .await
                    .map_err(sql("remove runtime"))?;
                if let Some(row) = user {
                    return Err(used("remove runtime", name.as_str(), row.get(0)));
                }
                let done = sqlx::query("DELETE FROM runtimes WHERE organization = $1 AND name = $2")
                    .bind(organization.as_str())
                    .bind(name.as_str())
                    .execute(&mut *work)
                    .await
                    .map_err(sql("remove runtime"))?;
                if done.rows_affected() == 0 { Err(missing("remove runtime", name.as_str())) } else { Ok(()) }
            })
        })
        .await
    }
}

#[async_trait]
impl RegistryStore for PostgresStore {
    async fn insert_registry(&self, organization: &OrganizationId, registry: &RegistrySettings) -> Result<()> {
        let body = &write_json(registry)?;
        self.write("insert registry", |mut work| {
            Box::pin(async move {
                sqlx::query("INSERT INTO registries (organization, name, body) VALUES ($1, $2, $3)")
                    .bind(organization.as_str())
                    .bind(registry.name.as_str())
                    .bind(body)
                    .execute(&mut *work)
                    .await
                    .map(|_| ())
                    .map_err(unique("insert registry", registry.name.as_str()))
            })
        })
        .await
    }

    async fn registries(&self, organization: &OrganizationId) -> Result<Vec<RegistrySettings>> {
        let rows =
            self.rows("list registries", || sqlx::query("SELECT body FROM registries WHERE organization = $1 ORDER BY name").bind(organization.as_str()));
        rows.await?.iter().map(body).collect()
    }

    async fn remove_registry(&self, organization: &OrganizationId, name: &RegistryName) -> Result<()> {
        self.write("remove registry", |mut work| {
            Box::pin(async move {
                let user = sqlx::query("SELECT name FROM services WHERE organization = $1 AND registry = $2 LIMIT 1")
                    .bind(organization.as_str())
                    .bind(name.as_str())
                    .fetch_optional(&mut *work)
                    .await
                    .map_err(sql("remove registry"))?;
                if let Some(row) = user {
                    return Err(used("remove registry", name.as_str(), row.get(0)));
                }
                let done = sqlx::query("DELETE FROM registries WHERE organization = $1 AND name = $2")
                    .bind(organization.as_str())
                    .bind(name.as_str())
                    .execute(&mut *work)
                    .await
                    .map_err(sql("remove registry"))?;
                if done.rows_affected() == 0 { Err(missing("remove registry", name.as_str())) } else { Ok(()) }
            })
        })
        .await
    }
}

#[async_trait]
impl EnvironmentStore for PostgresStore {
    async fn environment(&self, service: &ServiceId, environment: EnvironmentName) -> Result<EnvironmentSettings> {
        let row = self.row("read environment", || {
            sqlx::query("SELECT body FROM environments WHERE service = $1 AND environment = $2").bind(service.as_str()).bind(environment.as_str())
        });
        let found = row.await?.as_ref().map(body).transpose()?;
        Ok(found.unwrap_or_else(|| EnvironmentSettings::preset(service.clone(), environment)))
    }

    async fn put_environment(&self, settings: &EnvironmentSettings) -> Result<()> {
        let body = &write_json(settings)?;
        let written = self.rows("write environment", || {
            sqlx::query(
                "INSERT INTO environments (service, environment, body) VALUES ($1, $2, $3) \
                 ON CONFLICT (service, environment) DO UPDATE SET body = excluded.body",
            )
            .bind(settings.service.as_str())
            .bind(settings.environment.as_str())
            .bind(body)
        });
        written.await.map(|_| ())
    }
}
