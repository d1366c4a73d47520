//! The reconciler: what a push whose webhook never came still leads to.

use super::super::Kiwi;
use super::decide::not_asked;
use crate::access::{Actor, Operation};
use crate::domain::{AutoCi, CommitSha, Decision, Delivery, DeliveryId, DeliveryOrigin, Service, ServiceName, Timestamp};
use crate::error::Result;
use bytes::Bytes;
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one look found and did.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reconciliation {
    /// The head of the branch.
    pub head: CommitSha,
    /// What was decided about it; none when it was decided before.
    pub decision: Option<Decision>,
    /// How many deliveries had waited to be decided.
    pub waiting: usize,
}

/// The longest pause after failures.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

impl Kiwi {
    /// Looks at a service now: decides what waits, compares the branch's head with what was last decided, and mends the webhook.
    pub async fn reconcile(&self, actor: &Actor, name: &ServiceName) -> Result<Reconciliation> {
        actor.may(Operation::Deploy)?;
        let service = self.service(actor, name).await?;
        let (settings, _) = self.required_auto_ci(&service).await?;
        self.reconcile_service(service, &settings).await
    }

    /// Looks at a service whose turn it is, and says when its next is: after `interval`, give or take a fifth; later and later while it fails.
    pub(in super::super) async fn reconcile_due(&self, settings: &AutoCi, interval: Duration) -> Result<()> {
        let Some(service) = self.store().service_by_id(&settings.service).await? else { return Ok(()) };
        let outcome = self.reconcile_service(service, settings).await;
        let failures = match &outcome {
            Ok(_) => 0,
            Err(_) => self.store().auto_ci(&settings.service).await?.map_or(0, |(_, state)| state.failures).saturating_add(1),
        };
        let pause = interval.saturating_mul(1 << failures.min(16)).min(LONGEST.max(interval));
        let jitter = rand::rng().random_range(0.8..=1.2);
        self.store().schedule(&settings.service, pause.mul_f64(jitter), failures).await?;
        outcome.map(|_| ())
    }

    async fn reconcile_service(&self, mut service: Service, settings: &AutoCi) -> Result<Reconciliation> {
        let followed = super::followed(&service)?;
        let waiting = self.decide_waiting(&service.id).await?;
        let head = self.resolve_head(&mut service, &followed.branch).await.map_err(|error| not_asked(&service, error))?;
        let mut decision = None;
        if self.required_auto_ci(&service).await?.1.head.as_ref() != Some(&head) {
            let found = Delivery {
                id: DeliveryId::generate(),
                organization: service.organization.clone(),
                service: service.id.clone(),
                service_name: service.name.clone(),
                origin: DeliveryOrigin::Reconciler,
                provider: followed.provider,
                received_at: Timestamp::now(),
                headers: Vec::new(),
                host_id: None,
                event: None,
                repository: Some(followed.link.path.clone()),
                branch: Some(followed.branch.clone()),
                tag: None,
                commit: Some(head.clone()),
                irrelevant: None,
                decision: None,
            };
            self.store().insert_delivery(&found, &Bytes::new()).await?;
            self.decide_waiting(&service.id).await?;
            decision = self.store().delivery(&found.id).await?.and_then(|found| found.decision);
        }
        // The host may have switched it off, or somebody removed it. The same secret again changes nothing for deliveries under way.
        let git = self.git_provider(&Self::local_actor(&service), followed.provider).await?;
        let secret = self.store().secret(&settings.secret).await?;
        git.ensure_webhook(&followed.link, &settings.hook_url(followed.provider)?, &secret).await?;
        Ok(Reconciliation { head, decision, waiting })
    }
}
