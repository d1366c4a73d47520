//! Registries of an organization.

use super::{Kiwi, missing};
use crate::access::{Actor, Operation};
use crate::domain::{OrganizationId, RegistryAddress, RegistryName, RegistrySettings};
use crate::error::Result;
use crate::provider::{RegistryAccess, RegistryReport};
use crate::secret::SecretString;

impl Kiwi {
    /// Registers a registry after it took the credentials.
    pub async fn add_registry(
        &self,
        actor: &Actor,
        name: RegistryName,
        address: RegistryAddress,
        credentials: Option<(String, SecretString)>,
        insecure: bool,
    ) -> Result<RegistrySettings> {
        actor.may(Operation::ChangeRegistries)?;
        let access = RegistryAccess { name: name.clone(), address: address.clone(), credentials: credentials.clone(), insecure };
        self.image_registry()?.check(&access).await?;
        let (username, password) = match &credentials {
            Some((username, password)) => (Some(username.clone()), Some(self.store().insert_secret(password).await?)),
            None => (None, None),
        };
        let settings = RegistrySettings { name, address, username, password, insecure };
        let inserted = self.store().insert_registry(&actor.organization, &settings).await;
        if let (Err(_), Some(password)) = (&inserted, &settings.password) {
            self.store().remove_secrets(std::slice::from_ref(password)).await?;
        }
        inserted.map(|()| settings)
    }

    /// Every registry, in name order.
    pub async fn registries(&self, actor: &Actor) -> Result<Vec<RegistrySettings>> {
        actor.may(Operation::ReadRegistries)?;
        self.store().registries(&actor.organization).await
    }

    /// Whether a registry answers and takes the credentials, and whether they may push.
    pub async fn check_registry(&self, actor: &Actor, name: &RegistryName) -> Result<RegistryReport> {
        actor.may(Operation::ReadRegistries)?;
        let access = self.registry_access(&actor.organization, name).await?;
        self.image_registry()?.check(&access).await
    }

    /// Forgets a registry that no service uses, with its password.
    pub async fn remove_registry(&self, actor: &Actor, name: &RegistryName) -> Result<()> {
        actor.may(Operation::ChangeRegistries)?;
        let password = self.registry_settings(&actor.organization, name).await?.password;
        self.store().remove_registry(&actor.organization, name).await?;
        self.store().remove_secrets(password.as_slice()).await
    }

    pub(super) async fn registry_settings(&self, organization: &OrganizationId, name: &RegistryName) -> Result<RegistrySettings> {
        let all = self.store().registries(organization).await?;
        all.into_iter().find(|registry| registry.name == *name).ok_or_else(|| missing("registry", name))
    }

    pub(super) async fn registry_access(&self, organization: &OrganizationId, name: &RegistryName) -> Result<RegistryAccess> {
        let settings = self.registry_settings(organization, name).await?;
        self.to_access(settings).await
    }

    /// Every registry with its credentials: base images and siblings may come from any of them.
    pub(super) async fn all_registry_access(&self, organization: &OrganizationId) -> Result<Vec<RegistryAccess>> {
        let mut all = Vec::new();
        for settings in self.store().registries(organization).await? {
            all.push(self.to_access(settings).await?);
        }
        Ok(all)
    }

    async fn to_access(&self, settings: RegistrySettings) -> Result<RegistryAccess> {
        let credentials = match (settings.username, &settings.password) {
            (Some(username), Some(password)) => Some((username, self.store().secret(password).await?)),
            _ => None,
        };
        Ok(RegistryAccess { name: settings.name, address: settings.address, credentials, insecure: settings.insecure })
    }
}
