//! Auto CI: from a push to a decision, and from a decision to a run.

mod decide;
mod intake;
mod reconcile;
mod report;
mod watch;

pub(super) use intake::Hooks;
pub use intake::Receipt;
pub use reconcile::Reconciliation;
pub use watch::Forecast;

use super::{Kiwi, missing};
use crate::access::{Actor, Operation};
use crate::domain::{
    AutoCi, AutoCiState, Branch, Delivery, DeliveryId, EnvironmentName, GitProviderKind, RepositoryLink, Service, ServiceName, Source, Timestamp, WatchPattern,
};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::SecretString;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng as _;
use url::Url;

/// What a person gives to switch Auto CI on.
#[derive(Debug, Clone, Default)]
pub struct EnableAutoCi {
    /// Where pushes are deployed.
    pub environment: EnvironmentName,
    /// Where the git host reaches this installation; what the engine was opened with when absent.
    pub public_url: Option<Url>,
    /// Only pushes that change one of these are built; every push when there is none.
    pub watch: Vec<WatchPattern>,
}

/// A branch of a repository of a git host.
pub(super) struct Followed {
    provider: GitProviderKind,
    link: RepositoryLink,
    branch: Branch,
}

impl Kiwi {
    /// Switches Auto CI on: from now on a push to the service's branch is built and deployed. The webhook gets a new secret, and the settings replace
    /// those before. Errors: `InvalidInput` when nobody said where the git host reaches this installation, `Unsupported` for a service without a git host.
    pub async fn enable_auto_ci(&self, actor: &Actor, name: &ServiceName, new: EnableAutoCi) -> Result<AutoCi> {
        actor.may(Operation::ChangeServices)?;
        let mut service = self.service(actor, name).await?;
        let followed = followed(&service)?;
        let public_url = new.public_url.or_else(|| self.inner.public_url.clone()).ok_or_else(|| {
            Error::invalid("enable Auto CI", "the git host must be told where it reaches this server, and nobody said so")
                .with_hint("give the server's public address with --public-url or KIWI_PUBLIC_URL, such as https://kiwi.example.com")
        })?;
        let before = self.store().auto_ci(&service.id).await?.map(|(settings, _)| settings);
        // Looked at before the webhook is there: what is pushed from now on is delivered, what was pushed before is not.
        let head = self.resolve_head(&mut service, &followed.branch).await?;
        let secret = new_secret();
        let settings = AutoCi {
            service: service.id.clone(),
            organization: service.organization.clone(),
            environment: new.environment,
            secret: self.store().insert_secret(&secret).await?,
            public_url,
            watch: new.watch,
            enabled_by: actor.name.clone(),
            enabled_at: Timestamp::now(),
        };
        let enabled = async {
            let url = settings.hook_url(followed.provider)?;
            // Kept first: a delivery may come as soon as the host has the secret.
            self.store().put_auto_ci(&settings, Some(&head)).await?;
            self.inner.hooks.forget(&service.id);
            let git = self.git_provider(actor, followed.provider).await?;
            git.ensure_webhook(&followed.link, &url, &secret).await?;
            // Somebody else may have enabled it meanwhile. Whoever tells the host last tells it what the store has.
            match self.store().auto_ci(&service.id).await? {
                Some((kept, _)) if kept.secret != settings.secret => {
                    git.ensure_webhook(&followed.link, &kept.hook_url(followed.provider)?, &self.store().secret(&kept.secret).await?).await
                }
                _ => Ok(()),
            }
        };
        if let Err(error) = enabled.await {
            match &before {
                Some(before) => self.store().put_auto_ci(before, None).await?,
                None => drop(self.store().remove_auto_ci(&service.id).await),
            }
            self.inner.hooks.forget(&service.id);
            self.store().remove_secrets(std::slice::from_ref(&settings.secret)).await?;
            return Err(error);
        }
        if let Some(before) = before {
            if before.public_url != settings.public_url {
                self.remove_hook(actor, &before, &followed).await;
            }
            self.store().remove_secrets(&[before.secret]).await?;
        }
        Ok(settings)
    }

    /// Switches Auto CI off and removes the webhook. A host that cannot be reached does not keep it on.
    pub async fn disable_auto_ci(&self, actor: &Actor, name: &ServiceName) -> Result<()> {
        actor.may(Operation::ChangeServices)?;
        let service = self.service(actor, name).await?;
        let (settings, _) = self.required_auto_ci(&service).await?;
        self.store().remove_auto_ci(&service.id).await?;
        self.inner.hooks.forget(&service.id);
        if let Ok(followed) = followed(&service) {
            self.remove_hook(actor, &settings, &followed).await;
        }
        self.store().remove_secrets(&[settings.secret]).await
    }

    /// Settings of Auto CI and how far it came; none when it is off.
    pub async fn auto_ci(&self, actor: &Actor, name: &ServiceName) -> Result<Option<(AutoCi, AutoCiState)>> {
        actor.may(Operation::ReadServices)?;
        let service = self.service(actor, name).await?;
        self.store().auto_ci(&service.id).await
    }

    /// Deliveries of a service, newest first.
    pub async fn deliveries(&self, actor: &Actor, name: &ServiceName, before: Option<&DeliveryId>, limit: u32) -> Result<Vec<Delivery>> {
        actor.may(Operation::ExplainDeliveries)?;
        let service = self.service(actor, name).await?;
        self.store().deliveries(&service.id, before, limit).await
    }

    /// One delivery. Another organization's does not exist.
    pub async fn delivery(&self, actor: &Actor, id: &DeliveryId) -> Result<Delivery> {
        actor.may(Operation::ExplainDeliveries)?;
        let found = self.store().delivery(id).await?.filter(|delivery| delivery.organization == actor.organization);
        found.ok_or_else(|| missing("delivery", id))
    }

    pub(super) async fn required_auto_ci(&self, service: &Service) -> Result<(AutoCi, AutoCiState)> {
        let off = || {
            Error::new(ErrorKind::NotFound, "find Auto CI", format!("Auto CI of {} is off", service.name))
                .with_hint(format!("switch it on with `kiwi ci enable {}`", service.name))
        };
        self.store().auto_ci(&service.id).await?.ok_or_else(off)
    }

    /// A webhook that stays at its host is answered with 404; the host switches it off by itself in time.
    async fn remove_hook(&self, actor: &Actor, settings: &AutoCi, followed: &Followed) {
        let removed = async {
            let url = settings.hook_url(followed.provider)?;
            self.git_provider(actor, followed.provider).await?.remove_webhook(&followed.link, &url).await
        };
        if let Err(error) = removed.await {
            tracing::warn!(error = %error.chain(), "the webhook could not be removed; remove it at the git host");
        }
    }
}

/// What Auto CI follows of a service. Errors: `Unsupported`.
pub(super) fn followed(service: &Service) -> Result<Followed> {
    match &service.source {
        Source::Git { provider, link: Some(link), branch, .. } => Ok(Followed { provider: *provider, link: link.clone(), branch: branch.clone() }),
        Source::Git { .. } => {
            Err(Error::new(ErrorKind::Unsupported, "enable Auto CI", format!("{} comes from a plain git URL, which delivers no webhooks", service.name))
                .with_hint("register the service with --github or --gitlab"))
        }
        Source::Images(_) => {
            Err(Error::new(ErrorKind::Unsupported, "enable Auto CI", format!("{} is made of ready images, so nothing is pushed", service.name))
                .with_hint(format!("deploy newer images with `kiwi deploy {}`", service.name)))
        }
    }
}

/// 32 random bytes, in the form that GitLab signs with; GitHub takes any text.
fn new_secret() -> SecretString {
    let bytes: [u8; 32] = rand::rng().random();
    format!("whsec_{}", STANDARD.encode(bytes)).into()
}
