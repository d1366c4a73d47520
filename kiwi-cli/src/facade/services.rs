//! Services and their settings.

use super::Facade;
use kiwi_core::access::Actor;
use kiwi_core::domain::{EnvironmentName, EnvironmentSettings, Service, ServiceName, VariableName};
use kiwi_core::error::Result;
use kiwi_core::pipeline::NewService;
use kiwi_core::secret::SecretString;
use kiwi_http::wire::{BuildSecrets, ChangeEnvironment, ChangeService, RegisterService, SecretValue};
use std::collections::BTreeMap;

type Secrets = BTreeMap<VariableName, SecretString>;

fn values(secrets: Secrets) -> BTreeMap<VariableName, SecretValue> {
    secrets.into_iter().map(|(name, value)| (name, SecretValue(value))).collect()
}

impl Facade {
    pub(crate) async fn register(&self, actor: &Actor, new: NewService) -> Result<Service> {
        match self {
            Self::Embedded(kiwi) => kiwi.register(actor, new).await,
            Self::Remote(client) => client.post("/services", &RegisterService::from(new)).await,
        }
    }

    pub(crate) async fn services(&self, actor: &Actor) -> Result<Vec<Service>> {
        match self {
            Self::Embedded(kiwi) => kiwi.services(actor, None, u32::MAX).await,
            Self::Remote(client) => client.list("/services", usize::MAX).await,
        }
    }

    pub(crate) async fn service(&self, actor: &Actor, name: &ServiceName) -> Result<Service> {
        match self {
            Self::Embedded(kiwi) => kiwi.service(actor, name).await,
            Self::Remote(client) => client.get(&format!("/services/{name}")).await,
        }
    }

    pub(crate) async fn update_service(&self, actor: &Actor, name: &ServiceName, change: impl FnOnce(&mut Service) -> Result<()> + Send) -> Result<Service> {
        match self {
            Self::Embedded(kiwi) => kiwi.update_service(actor, name, change).await,
            Self::Remote(client) => {
                let path = format!("/services/{name}");
                let (mut service, tag): (Service, _) = client.get_tagged(&path).await?;
                change(&mut service)?;
                client.put(&path, &ChangeService::from(&service), Some(&tag)).await
            }
        }
    }

    pub(crate) async fn remove_service(&self, actor: &Actor, name: &ServiceName, volumes: bool) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.remove_service(actor, name, volumes).await,
            Self::Remote(client) => client.delete(&format!("/services/{name}?volumes={volumes}")).await.map(|_| ()),
        }
    }

    pub(crate) async fn set_build_secrets(&self, actor: &Actor, name: &ServiceName, secrets: Secrets) -> Result<Service> {
        match self {
            Self::Embedded(kiwi) => kiwi.set_build_secrets(actor, name, secrets).await,
            Self::Remote(client) => client.put(&format!("/services/{name}/build-secrets"), &BuildSecrets { secrets: values(secrets) }, None).await,
        }
    }

    pub(crate) async fn environment(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<EnvironmentSettings> {
        match self {
            Self::Embedded(kiwi) => kiwi.environment(actor, name, environment).await,
            Self::Remote(client) => client.get(&format!("/services/{name}/environments/{environment}")).await,
        }
    }

    pub(crate) async fn update_environment(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        secrets: Secrets,
        change: impl FnOnce(&mut EnvironmentSettings) -> Result<()> + Send,
    ) -> Result<EnvironmentSettings> {
        match self {
            Self::Embedded(kiwi) => kiwi.update_environment(actor, name, environment, secrets, change).await,
            Self::Remote(_) => self.change_environment(name, environment, secrets, false, change).await,
        }
    }

    pub(crate) async fn update_live_environment(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        secrets: Secrets,
        change: impl FnOnce(&mut EnvironmentSettings) -> Result<()> + Send,
    ) -> Result<EnvironmentSettings> {
        match self {
            Self::Embedded(kiwi) => kiwi.update_live_environment(actor, name, environment, secrets, change).await,
            Self::Remote(_) => self.change_environment(name, environment, secrets, true, change).await,
        }
    }

    async fn change_environment(
        &self,
        name: &ServiceName,
        environment: EnvironmentName,
        secrets: Secrets,
        live: bool,
        change: impl FnOnce(&mut EnvironmentSettings) -> Result<()> + Send,
    ) -> Result<EnvironmentSettings> {
        let Self::Remote(client) = self else { return Err(kiwi_core::Error::new(kiwi_core::ErrorKind::Internal, "ask server", "there is no server")) };
        let path = format!("/services/{name}/environments/{environment}");
        let (mut settings, tag): (EnvironmentSettings, _) = client.get_tagged(&path).await?;
        change(&mut settings)?;
        let form = ChangeEnvironment { secrets: values(secrets), ..ChangeEnvironment::from(&settings) };
        client.put(&format!("{path}?live={live}"), &form, Some(&tag)).await
    }
}
