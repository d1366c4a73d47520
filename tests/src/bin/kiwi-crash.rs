//! `kiwi` with a store that kills the process before or after its n-th write: `KIWI_CRASH_AT=n:before`. With `KIWI_CRASH_COUNT=file` it writes down
//! how many writes there were.

#![expect(clippy::panic, reason = "it exists to die")]

use async_trait::async_trait;
use bytes::Bytes;
use kiwi_core::domain::{
    ApiToken, AuditEntry, AutoCi, AutoCiState, CommitSha, Delivery, DeliveryId, Deployment, EnvironmentName, EnvironmentSettings, Event, EventBody,
    GitProviderKind, OrganizationId, ProviderSettings, RegistryName, RegistrySettings, Run, RunId, RuntimeName, RuntimeSettings, SecretId, Service, ServiceId,
    ServiceName, StageReports, Timestamp, TokenId, User, UserName,
};
use kiwi_core::error::Result;
use kiwi_core::provider::change::Changes;
use kiwi_core::provider::store::{
    AuditFilter, AuditStore, AutoCiStore, Claim, DeliveryStore, DeploymentStore, EnvironmentStore, EventStore, Judgement, KeptToken, KeyClaim, KeyStore,
    ProviderStore, RegistryStore, ReportStore, RunFilter, RunStore, RuntimeStore, SecretStore, ServiceStore, TokenStore, UserStore,
};
use kiwi_core::provider::{Fence, Store};
use kiwi_core::secret::SecretString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn main() -> ExitCode {
    kiwi_cli::run_with(Some(|inner| Arc::new(Mortal { inner, writes: AtomicU64::new(0) })))
}

struct Mortal {
    inner: Arc<dyn Store>,
    writes: AtomicU64,
}

impl Mortal {
    async fn write<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        if let Ok(file) = std::env::var("KIWI_CRASH_COUNT") {
            let _ = std::fs::write(file, (number + 1).to_string());
        }
        let at = std::env::var("KIWI_CRASH_AT").unwrap_or_default();
        if at == format!("{number}:before") {
            die();
        }
        let result = call.await;
        if at == format!("{number}:after") {
            die();
        }
        result
    }
}

fn die() -> ! {
    let _ = std::process::Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
    panic!("kill did not kill")
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ServiceStore for Mortal {
    async fn insert_service(&self, service: &Service) -> Result<()> {
        self.write(self.inner.insert_service(service)).await
    }
    async fn update_service(&self, service: &Service) -> Result<()> {
        self.write(self.inner.update_service(service)).await
    }
    async fn service(&self, organization: &OrganizationId, name: &ServiceName) -> Result<Option<Service>> {
        self.inner.service(organization, name).await
    }
    async fn service_by_id(&self, id: &ServiceId) -> Result<Option<Service>> {
        self.inner.service_by_id(id).await
    }
    async fn services<'a>(&self, organization: &OrganizationId, after: Option<&'a ServiceName>, limit: u32) -> Result<Vec<Service>> {
        self.inner.services(organization, after, limit).await
    }
    async fn remove_service(&self, id: &ServiceId) -> Result<()> {
        self.write(self.inner.remove_service(id)).await
    }
    async fn organizations(&self) -> Result<Vec<OrganizationId>> {
        self.inner.organizations().await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl RuntimeStore for Mortal {
    async fn insert_runtime(&self, organization: &OrganizationId, runtime: &RuntimeSettings) -> Result<()> {
        self.write(self.inner.insert_runtime(organization, runtime)).await
    }
    async fn runtimes(&self, organization: &OrganizationId) -> Result<Vec<RuntimeSettings>> {
        self.inner.runtimes(organization).await
    }
    async fn remove_runtime(&self, organization: &OrganizationId, name: &RuntimeName) -> Result<()> {
        self.write(self.inner.remove_runtime(organization, name)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl RegistryStore for Mortal {
    async fn insert_registry(&self, organization: &OrganizationId, registry: &RegistrySettings) -> Result<()> {
        self.write(self.inner.insert_registry(organization, registry)).await
    }
    async fn registries(&self, organization: &OrganizationId) -> Result<Vec<RegistrySettings>> {
        self.inner.registries(organization).await
    }
    async fn remove_registry(&self, organization: &OrganizationId, name: &RegistryName) -> Result<()> {
        self.write(self.inner.remove_registry(organization, name)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ProviderStore for Mortal {
    async fn put_provider(&self, organization: &OrganizationId, provider: &ProviderSettings) -> Result<()> {
        self.write(self.inner.put_provider(organization, provider)).await
    }
    async fn providers(&self, organization: &OrganizationId) -> Result<Vec<ProviderSettings>> {
        self.inner.providers(organization).await
    }
    async fn remove_provider(&self, organization: &OrganizationId, kind: GitProviderKind) -> Result<()> {
        self.write(self.inner.remove_provider(organization, kind)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl UserStore for Mortal {
    async fn insert_user(&self, organization: &OrganizationId, user: &User) -> Result<()> {
        self.write(self.inner.insert_user(organization, user)).await
    }
    async fn user(&self, organization: &OrganizationId, name: &UserName) -> Result<Option<User>> {
        self.inner.user(organization, name).await
    }
    async fn users(&self, organization: &OrganizationId) -> Result<Vec<User>> {
        self.inner.users(organization).await
    }
    async fn remove_user(&self, organization: &OrganizationId, name: &UserName, at: Timestamp) -> Result<()> {
        self.write(self.inner.remove_user(organization, name, at)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl TokenStore for Mortal {
    async fn insert_token(&self, token: &KeptToken) -> Result<()> {
        self.write(self.inner.insert_token(token)).await
    }
    async fn token(&self, id: &TokenId) -> Result<Option<KeptToken>> {
        self.inner.token(id).await
    }
    async fn tokens<'a>(&self, organization: &OrganizationId, user: Option<&'a UserName>) -> Result<Vec<ApiToken>> {
        self.inner.tokens(organization, user).await
    }
    async fn use_token(&self, id: &TokenId, at: Timestamp) -> Result<()> {
        self.write(self.inner.use_token(id, at)).await
    }
    async fn revoke_token(&self, organization: &OrganizationId, id: &TokenId, at: Timestamp) -> Result<()> {
        self.write(self.inner.revoke_token(organization, id, at)).await
    }
    async fn insert_first_admin(&self, bootstrap: &TokenId, admin: &User, token: &KeptToken) -> Result<()> {
        self.write(self.inner.insert_first_admin(bootstrap, admin, token)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl AuditStore for Mortal {
    async fn append_audit(&self, organization: &OrganizationId, entry: &AuditEntry) -> Result<()> {
        self.write(self.inner.append_audit(organization, entry)).await
    }
    async fn audit(&self, organization: &OrganizationId, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        self.inner.audit(organization, filter).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyStore for Mortal {
    async fn claim_key(&self, organization: &OrganizationId, key: &str, fingerprint: &str, now: Timestamp, until: Timestamp) -> Result<KeyClaim> {
        self.write(self.inner.claim_key(organization, key, fingerprint, now, until)).await
    }
    async fn answer_key(&self, organization: &OrganizationId, key: &str, answer: &SecretId, until: Timestamp) -> Result<()> {
        self.write(self.inner.answer_key(organization, key, answer, until)).await
    }
    async fn forget_key(&self, organization: &OrganizationId, key: &str) -> Result<()> {
        self.write(self.inner.forget_key(organization, key)).await
    }
    async fn expire_keys(&self, now: Timestamp, abandoned: Timestamp) -> Result<Vec<SecretId>> {
        self.write(self.inner.expire_keys(now, abandoned)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl SecretStore for Mortal {
    async fn insert_secret(&self, value: &SecretString) -> Result<SecretId> {
        self.write(self.inner.insert_secret(value)).await
    }
    async fn secret(&self, id: &SecretId) -> Result<SecretString> {
        self.inner.secret(id).await
    }
    async fn remove_secrets(&self, ids: &[SecretId]) -> Result<()> {
        self.write(self.inner.remove_secrets(ids)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl EnvironmentStore for Mortal {
    async fn environment(&self, service: &ServiceId, environment: EnvironmentName) -> Result<EnvironmentSettings> {
        self.inner.environment(service, environment).await
    }
    async fn put_environment(&self, settings: &EnvironmentSettings) -> Result<()> {
        self.write(self.inner.put_environment(settings)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl RunStore for Mortal {
    async fn insert_run(&self, organization: &OrganizationId, slot: &str, run: &Run) -> Result<()> {
        self.write(self.inner.insert_run(organization, slot, run)).await
    }
    async fn run(&self, id: &RunId) -> Result<Option<Run>> {
        self.inner.run(id).await
    }
    async fn runs(&self, organization: &OrganizationId, filter: &RunFilter) -> Result<Vec<Run>> {
        self.inner.runs(organization, filter).await
    }
    async fn heads(&self) -> Result<Vec<(OrganizationId, RunId)>> {
        self.inner.heads().await
    }
    async fn slot(&self, id: &RunId) -> Result<Option<String>> {
        self.inner.slot(id).await
    }
    async fn claim(&self, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Result<Claim> {
        self.write(self.inner.claim(slot, run, owner, lease)).await
    }
    // Heartbeats come by the clock, not by the work: they are not counted, so that a number means the same point in every run.
    async fn renew(&self, fence: &Fence, lease: Duration) -> Result<bool> {
        self.inner.renew(fence, lease).await
    }
    async fn release(&self, fence: &Fence) -> Result<()> {
        self.write(self.inner.release(fence)).await
    }
    async fn update_run(&self, run: &Run, fence: &Fence) -> Result<()> {
        self.write(self.inner.update_run(run, fence)).await
    }
    async fn take(&self, owner: &str, lease: Duration, per_runtime: u32) -> Result<Option<(OrganizationId, Run, Fence)>> {
        self.write(self.inner.take(owner, lease, per_runtime)).await
    }
    async fn remove_runs(&self, ids: &[RunId]) -> Result<u64> {
        self.write(self.inner.remove_runs(ids)).await
    }
    async fn request_cancel(&self, id: &RunId) -> Result<()> {
        self.write(self.inner.request_cancel(id)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl DeploymentStore for Mortal {
    async fn begin_deployment(&self, deployment: &Deployment, fence: &Fence) -> Result<Deployment> {
        self.write(self.inner.begin_deployment(deployment, fence)).await
    }
    async fn update_deployment(&self, deployment: &Deployment, fence: &Fence) -> Result<()> {
        self.write(self.inner.update_deployment(deployment, fence)).await
    }
    async fn deployment(&self, service: &ServiceId, environment: EnvironmentName, revision: u64) -> Result<Option<Deployment>> {
        self.inner.deployment(service, environment, revision).await
    }
    async fn deployments(&self, service: &ServiceId, environment: EnvironmentName, limit: u32) -> Result<Vec<Deployment>> {
        self.inner.deployments(service, environment, limit).await
    }
    async fn live(&self, service: &ServiceId, environment: EnvironmentName) -> Result<Option<Deployment>> {
        self.inner.live(service, environment).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl EventStore for Mortal {
    async fn append_events(&self, run: &RunId, events: &[(Timestamp, EventBody)], fence: &Fence) -> Result<()> {
        self.write(self.inner.append_events(run, events, fence)).await
    }
    async fn events(&self, run: &RunId, sequence: u64, limit: u32) -> Result<Vec<Event>> {
        self.inner.events(run, sequence, limit).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ReportStore for Mortal {
    async fn put_reports(&self, run: &RunId, reports: &StageReports, fence: &Fence) -> Result<()> {
        self.write(self.inner.put_reports(run, reports, fence)).await
    }
    async fn reports(&self, run: &RunId) -> Result<Vec<StageReports>> {
        self.inner.reports(run).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl DeliveryStore for Mortal {
    async fn insert_delivery(&self, delivery: &Delivery, body: &Bytes) -> Result<()> {
        self.write(self.inner.insert_delivery(delivery, body)).await
    }
    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>> {
        self.inner.delivery(id).await
    }
    async fn delivery_body(&self, id: &DeliveryId) -> Result<Option<Bytes>> {
        self.inner.delivery_body(id).await
    }
    async fn deliveries<'a>(&self, service: &ServiceId, before: Option<&'a DeliveryId>, limit: u32) -> Result<Vec<Delivery>> {
        self.inner.deliveries(service, before, limit).await
    }
    async fn undecided(&self, service: &ServiceId, limit: u32) -> Result<Vec<Delivery>> {
        self.inner.undecided(service, limit).await
    }
    async fn undecided_services(&self) -> Result<Vec<ServiceId>> {
        self.inner.undecided_services().await
    }
    async fn decide(&self, judgement: &Judgement) -> Result<bool> {
        self.write(self.inner.decide(judgement)).await
    }
    async fn remove_deliveries(&self, service: &ServiceId, before: &DeliveryId) -> Result<u64> {
        self.write(self.inner.remove_deliveries(service, before)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl AutoCiStore for Mortal {
    async fn put_auto_ci<'a>(&self, settings: &AutoCi, head: Option<&'a CommitSha>) -> Result<()> {
        self.write(self.inner.put_auto_ci(settings, head)).await
    }
    async fn auto_ci(&self, service: &ServiceId) -> Result<Option<(AutoCi, AutoCiState)>> {
        self.inner.auto_ci(service).await
    }
    async fn remove_auto_ci(&self, service: &ServiceId) -> Result<()> {
        self.write(self.inner.remove_auto_ci(service)).await
    }
    async fn take_due(&self, hold: Duration, limit: u32) -> Result<Vec<AutoCi>> {
        self.write(self.inner.take_due(hold, limit)).await
    }
    async fn schedule(&self, service: &ServiceId, after: Duration, failures: u32) -> Result<()> {
        self.write(self.inner.schedule(service, after, failures)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Store for Mortal {
    fn changes(&self) -> Changes {
        self.inner.changes()
    }
    async fn installation(&self) -> Result<String> {
        self.inner.installation().await
    }
    async fn rotate_key(&self) -> Result<u64> {
        self.inner.rotate_key().await
    }
}
