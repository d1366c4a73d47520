//! What is kept of finished runs, their logs, and decided deliveries.

use super::Kiwi;
use crate::domain::{DeliveryId, EnvironmentName, OrganizationId, RunId, Service, Timestamp};
use crate::error::Result;
use crate::provider::store::RunFilter;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a server tidies up.
const ROUND: Duration = Duration::from_secs(60 * 60);
/// How many services, and how many runs of one, are looked at at once.
const PAGE: u32 = 200;

/// What is kept. A run that a release in the history was made by stays whatever its age, with its log: a person who rolls back reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The newest finished runs of a service, whatever their age.
    pub runs: u32,
    /// Older ones go after this time.
    pub age: Duration,
}

impl Default for Retention {
    /// 50 runs of a service, and everything of the last 30 days.
    fn default() -> Self {
        Self { runs: 50, age: Duration::from_secs(30 * 24 * 60 * 60) }
    }
}

impl Kiwi {
    /// Removes what need not be kept of an organization's services; answers how many runs and deliveries went.
    pub async fn tidy(&self, organization: &OrganizationId, retention: &Retention) -> Result<(u64, u64)> {
        let (mut runs, mut deliveries, mut after) = (0, 0, None);
        loop {
            let services = self.store().services(organization, after.as_ref(), PAGE).await?;
            for service in &services {
                let (old_runs, old_deliveries) = self.tidy_service(service, retention).await?;
                runs += old_runs;
                deliveries += old_deliveries;
            }
            match services.last() {
                Some(last) => after = Some(last.name.clone()),
                None => return Ok((runs, deliveries)),
            }
        }
    }

    pub(super) async fn tidy_always(&self, retention: &Retention) {
        loop {
            tokio::time::sleep(ROUND).await;
            match self.tidy_everything(retention).await {
                Ok((runs, deliveries)) => tracing::debug!(runs, deliveries, "old runs and deliveries were removed"),
                Err(error) => tracing::warn!(error = %error.chain(), "old runs and deliveries could not be removed"),
            }
        }
    }

    async fn tidy_everything(&self, retention: &Retention) -> Result<(u64, u64)> {
        let (mut runs, mut deliveries) = (0, 0);
        for organization in self.store().organizations().await? {
            let (old_runs, old_deliveries) = self.tidy(&organization, retention).await?;
            runs += old_runs;
            deliveries += old_deliveries;
        }
        Ok((runs, deliveries))
    }

    async fn tidy_service(&self, service: &Service, retention: &Retention) -> Result<(u64, u64)> {
        let oldest = Timestamp::from_millis(Timestamp::now().as_millis().saturating_sub(i64::try_from(retention.age.as_millis()).unwrap_or(i64::MAX)));
        let mut needed = BTreeSet::new();
        for environment in EnvironmentName::ALL {
            for deployment in self.store().deployments(&service.id, environment, u32::MAX).await? {
                needed.insert(deployment.run);
                needed.extend(deployment.release.built_by);
            }
        }
        // What can be deployed without another build.
        needed.extend(self.choose_build(service, None).await.ok().map(|build| build.id));
        let (mut removed, mut finished, mut before): (u64, u32, Option<RunId>) = (0, 0, None);
        loop {
            let filter = RunFilter { service: Some(service.id.clone()), before: before.clone(), limit: Some(PAGE), ..RunFilter::default() };
            let runs = self.store().runs(&service.organization, &filter).await?;
            let Some(last) = runs.last() else { break };
            before = Some(last.id.clone());
            let mut old = Vec::new();
            for run in runs.into_iter().filter(|run| run.status.is_final()) {
                finished = finished.saturating_add(1);
                if finished > retention.runs && run.finished_at.is_none_or(|ended| ended < oldest) && !needed.contains(&run.id) {
                    old.push(run.id);
                }
            }
            removed += self.store().remove_runs(&old).await?;
        }
        Ok((removed, self.store().remove_deliveries(&service.id, &DeliveryId::first_of(oldest)).await?))
    }
}
