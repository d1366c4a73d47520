//! Auto CI and deliveries.

use super::Facade;
use kiwi_core::access::Actor;
use kiwi_core::domain::{AutoCi, AutoCiState, CommitSha, Delivery, DeliveryId, EnvironmentName, Run, RunId, RunStatus, ServiceName, WatchPattern};
use kiwi_core::error::{ErrorKind, Result};
use kiwi_core::pipeline::ci::{EnableAutoCi, Forecast, Reconciliation};
use kiwi_http::wire::{self, AutoCiReport, ForecastPush, WaitingRun};
use serde_json::json;
use std::collections::BTreeMap;

impl Facade {
    pub(crate) async fn enable_auto_ci(&self, actor: &Actor, name: &ServiceName, new: EnableAutoCi) -> Result<AutoCi> {
        match self {
            Self::Embedded(kiwi) => kiwi.enable_auto_ci(actor, name, new).await,
            Self::Remote(client) => {
                let form = wire::EnableAutoCi { environment: new.environment, public_url: new.public_url, watch: new.watch };
                client.put(&format!("/services/{name}/ci"), &form, None).await
            }
        }
    }

    pub(crate) async fn disable_auto_ci(&self, actor: &Actor, name: &ServiceName) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.disable_auto_ci(actor, name).await,
            Self::Remote(client) => client.delete(&format!("/services/{name}/ci")).await.map(|_| ()),
        }
    }

    pub(crate) async fn auto_ci(&self, actor: &Actor, name: &ServiceName) -> Result<Option<(AutoCi, AutoCiState)>> {
        match self {
            Self::Embedded(kiwi) => kiwi.auto_ci(actor, name).await,
            Self::Remote(client) => match client.get::<AutoCiReport>(&format!("/services/{name}/ci")).await {
                Ok(AutoCiReport { settings, state }) => Ok(Some((settings, state))),
                // Off, or no such service: the latter is an error of its own.
                Err(error) if error.kind() == ErrorKind::NotFound => self.service(actor, name).await.map(|_| None),
                Err(error) => Err(error),
            },
        }
    }

    pub(crate) async fn reconcile(&self, actor: &Actor, name: &ServiceName) -> Result<Reconciliation> {
        match self {
            Self::Embedded(kiwi) => kiwi.reconcile(actor, name).await,
            Self::Remote(client) => client.post(&format!("/services/{name}/ci/reconcile"), &json!({})).await,
        }
    }

    pub(crate) async fn forecast_push(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        watch: &[WatchPattern],
        commit: &CommitSha,
    ) -> Result<Forecast> {
        match self {
            Self::Embedded(kiwi) => kiwi.forecast_push(actor, name, environment, watch, commit).await,
            Self::Remote(client) => {
                let form = ForecastPush { environment, watch: watch.to_vec(), commit: commit.clone() };
                client.post(&format!("/services/{name}/ci/forecast"), &form).await
            }
        }
    }

    pub(crate) async fn deliveries(&self, actor: &Actor, name: &ServiceName, before: Option<&DeliveryId>, limit: u32) -> Result<Vec<Delivery>> {
        match self {
            Self::Embedded(kiwi) => kiwi.deliveries(actor, name, before, limit).await,
            Self::Remote(client) => {
                let before = before.map(|before| format!("?cursor={before}")).unwrap_or_default();
                client.list(&format!("/services/{name}/deliveries{before}"), limit as usize).await
            }
        }
    }

    pub(crate) async fn delivery(&self, actor: &Actor, id: &DeliveryId) -> Result<Delivery> {
        match self {
            Self::Embedded(kiwi) => kiwi.delivery(actor, id).await,
            Self::Remote(client) => client.get(&format!("/deliveries/{id}")).await,
        }
    }

    /// What each of these runs waits for; only those that wait are named.
    pub(crate) async fn waiting(&self, actor: &Actor, runs: &[Run]) -> Result<BTreeMap<RunId, String>> {
        match self {
            Self::Embedded(kiwi) => kiwi.waiting(actor, runs).await,
            Self::Remote(_) if runs.iter().all(|run| run.status != RunStatus::Queued) => Ok(BTreeMap::new()),
            Self::Remote(client) => {
                let waiting: Vec<WaitingRun> = client.get("/runs/waiting").await?;
                Ok(waiting.into_iter().map(|waiting| (waiting.run, waiting.reason)).collect())
            }
        }
    }
}
