//! The inbox: a delivery is verified and kept before it is answered. What becomes of it is decided later.

use super::super::{Kiwi, missing};
use crate::domain::{AutoCi, Delivery, DeliveryId, DeliveryOrigin, GitProviderKind, Service, ServiceId, Timestamp};
use crate::error::Result;
use crate::secret::SecretString;
use crate::webhook::{UnverifiedWebhook, WebhookVerdict};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a webhook's secret is remembered. A change elsewhere is known after it; one that fails to verify asks the store at once.
const REMEMBERED: Duration = Duration::from_secs(2);
/// How many are remembered; a stranger's guesses are not among them.
const MOST: usize = 4096;
/// The headers that say what a delivery is. Tokens and signatures are not among them.
const KEPT_HEADERS: [&str; 12] = [
    "content-type",
    "user-agent",
    "x-github-event",
    "x-github-delivery",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-gitlab-webhook-uuid",
    "x-gitlab-instance",
    "idempotency-key",
    "webhook-id",
];

/// What became of a delivery at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It is authentic and durable; its decision follows.
    Kept(DeliveryId),
    /// It is not authentic, or cannot be read. It was counted, and nothing of it was kept.
    Rejected {
        /// Why, in words.
        reason: String,
    },
}

/// The webhooks that deliveries came by lately, and how many were rejected.
#[derive(Debug, Default)]
pub(in super::super) struct Hooks {
    known: Mutex<HashMap<ServiceId, (Instant, Arc<Hook>)>>,
    rejected: AtomicU64,
}

#[derive(Debug)]
struct Hook {
    service: Service,
    secret: SecretString,
}

impl Hooks {
    pub(super) fn forget(&self, service: &ServiceId) {
        self.known().remove(service);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ServiceId, (Instant, Arc<Hook>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, service: &ServiceId) -> Option<Arc<Hook>> {
        self.known().get(service).filter(|(since, _)| since.elapsed() < REMEMBERED).map(|(_, hook)| hook.clone())
    }

    fn remember(&self, hook: Arc<Hook>) {
        let mut known = self.known();
        if known.len() >= MOST {
            known.retain(|_, (since, _)| since.elapsed() < REMEMBERED);
        }
        known.insert(hook.service.id.clone(), (Instant::now(), hook));
    }
}

impl Kiwi {
    /// Takes a delivery in: verifies it on its raw bytes and keeps it durably. Nobody's rights are asked: the signature is the right.
    ///
    /// Errors: `NotFound` when no webhook was ever registered there; whatever the store fails with, and then the host must be told to try again.
    pub async fn receive(&self, provider: GitProviderKind, service: &ServiceId, delivery: &UnverifiedWebhook) -> Result<Receipt> {
        let verifier = self.inner.connector.webhooks(provider)?;
        let verify = |hook: &Hook| match verifier.verify(delivery, Some(&hook.secret)) {
            verdict @ WebhookVerdict::Rejected { .. } => verdict,
            verdict => match super::followed(&hook.service) {
                Ok(followed) if followed.provider == provider => verdict.for_repository(followed.link.id),
                _ => verdict,
            },
        };
        let (hook, verdict) = match self.inner.hooks.remembered(service).map(|hook| (verify(&hook), hook)) {
            Some((verdict, hook)) if !matches!(verdict, WebhookVerdict::Rejected { .. }) => (hook, verdict),
            // The secret may be new.
            _ => {
                let hook = self.hook(service).await?;
                let verdict = verify(&hook);
                (hook, verdict)
            }
        };
        if let WebhookVerdict::Rejected { reason, .. } = verdict {
            self.inner.hooks.rejected.fetch_add(1, Ordering::Relaxed);
            tracing::info!(service = %hook.service.name, reason, "a delivery was rejected");
            return Ok(Receipt::Rejected { reason });
        }
        let kept = record(&hook.service, provider, delivery, &verdict);
        self.store().insert_delivery(&kept, delivery.body()).await?;
        Ok(Receipt::Kept(kept.id))
    }

    /// Whether a webhook was registered for a service: who brings a delivery for another need not be listened to.
    ///
    /// Errors: `NotFound` when none was.
    pub async fn expects_deliveries(&self, service: &ServiceId) -> Result<()> {
        match self.inner.hooks.remembered(service) {
            Some(_) => Ok(()),
            None => self.hook(service).await.map(|_| ()),
        }
    }

    /// How many deliveries this process rejected since it began.
    pub fn rejected_deliveries(&self) -> u64 {
        self.inner.hooks.rejected.load(Ordering::Relaxed)
    }

    async fn hook(&self, id: &ServiceId) -> Result<Arc<Hook>> {
        let Some((AutoCi { secret, .. }, _)) = self.store().auto_ci(id).await? else { return Err(missing("webhook", id)) };
        let service = self.store().service_by_id(id).await?.ok_or_else(|| missing("webhook", id))?;
        let hook = Arc::new(Hook { service, secret: self.store().secret(&secret).await? });
        self.inner.hooks.remember(hook.clone());
        Ok(hook)
    }
}

fn record(service: &Service, provider: GitProviderKind, delivery: &UnverifiedWebhook, verdict: &WebhookVerdict) -> Delivery {
    // Authentic does not mean harmless: a header is cut to what a person reads.
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    let headers = KEPT_HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), short(delivery.header(name)?)))).collect();
    let about = verdict.about();
    Delivery {
        id: DeliveryId::generate(),
        organization: service.organization.clone(),
        service: service.id.clone(),
        service_name: service.name.clone(),
        origin: DeliveryOrigin::Webhook,
        provider,
        received_at: Timestamp::now(),
        headers,
        host_id: about.delivery.as_deref().map(short),
        event: about.event.as_deref().map(short),
        repository: about.repository.map(|repository| short(&repository.path)),
        branch: about.branch,
        tag: about.tag,
        commit: about.commit,
        irrelevant: match verdict {
            WebhookVerdict::Ignored { reason, .. } => Some(reason.clone()),
            _ => None,
        },
        decision: None,
    }
}
