//! Runtimes of an organization.

use super::{Kiwi, missing};
use crate::access::{Actor, Operation};
use crate::domain::{RuntimeName, RuntimeSettings};
use crate::error::Result;
use crate::provider::{Builder, Cleanup, Runtime, RuntimeReport, store::RunFilter};
use std::sync::Arc;

impl Kiwi {
    /// Registers a runtime after it answered.
    pub async fn add_runtime(&self, actor: &Actor, settings: &RuntimeSettings) -> Result<RuntimeReport> {
        actor.may(Operation::ChangeRuntimes)?;
        let report = self.inner.connector.runtime(settings).await?.check().await?;
        self.store().insert_runtime(&actor.organization, settings).await?;
        Ok(report)
    }

    /// Every runtime, in name order.
    pub async fn runtimes(&self, actor: &Actor) -> Result<Vec<RuntimeSettings>> {
        actor.may(Operation::ReadRuntimes)?;
        self.store().runtimes(&actor.organization).await
    }

    /// Whether a runtime can be used, and what is missing.
    pub async fn check_runtime(&self, actor: &Actor, name: &RuntimeName) -> Result<RuntimeReport> {
        actor.may(Operation::ReadRuntimes)?;
        let settings = self.runtime_settings(actor, name).await?;
        self.inner.connector.runtime(&settings).await?.check().await
    }

    /// The manifests that grant exactly what a runtime needs; none where there is nothing to grant.
    pub async fn runtime_rbac(&self, actor: &Actor, name: &RuntimeName) -> Result<Vec<serde_json::Value>> {
        actor.may(Operation::ReadRuntimes)?;
        let settings = self.runtime_settings(actor, name).await?;
        Ok(self.inner.connector.runtime(&settings).await?.rbac())
    }

    /// Forgets a runtime that no service uses.
    pub async fn remove_runtime(&self, actor: &Actor, name: &RuntimeName) -> Result<()> {
        actor.may(Operation::ChangeRuntimes)?;
        self.store().remove_runtime(&actor.organization, name).await
    }

    /// Removes from a runtime what has no owner: leftovers of finished runs, and images that no release in the history needs.
    pub async fn clean_runtime(&self, actor: &Actor, name: &RuntimeName) -> Result<Vec<String>> {
        actor.may(Operation::CleanUp)?;
        let settings = self.runtime_settings(actor, name).await?;
        let mut keep = Cleanup { installation: self.inner.installation.clone(), ..Cleanup::default() };
        let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
        keep.unfinished = self.store().runs(&actor.organization, &unfinished).await?.into_iter().map(|run| run.id).collect();
        for service in self.store().services(&actor.organization, None, u32::MAX).await? {
            keep.images.extend(self.needed_images(&service.id).await?);
        }
        self.inner.connector.runtime(&settings).await?.clean(&keep).await
    }

    pub(super) async fn runtime_settings(&self, actor: &Actor, name: &RuntimeName) -> Result<RuntimeSettings> {
        let all = self.store().runtimes(&actor.organization).await?;
        all.into_iter().find(|runtime| runtime.name == *name).ok_or_else(|| missing("runtime", name))
    }

    pub(super) async fn open_runtime(&self, actor: &Actor, name: &RuntimeName) -> Result<Arc<dyn Runtime>> {
        self.inner.connector.runtime(&self.runtime_settings(actor, name).await?).await
    }

    pub(super) async fn open_builder(&self, actor: &Actor, name: &RuntimeName) -> Result<Arc<dyn Builder>> {
        self.inner.connector.builder(&self.runtime_settings(actor, name).await?).await
    }
}
