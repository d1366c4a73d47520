//! What must outlive the process: one trait per aggregate.
//!
//! Rules: a call that returned `Ok` is durable. Every write of a run carries its [`Fence`] and fails with
//! `LeaseLost` when another worker took the slot over. Records hold no secrets; [`SecretStore`] keeps those, encrypted.

mod access;

pub use super::inbox::{AutoCiStore, DeliveryStore, Judgement, Turn};
pub use access::{AuditFilter, AuditStore, KeptToken, KeyClaim, KeyStore, TokenStore, admin_exists, is_last_admin, last_admin};

use super::Fence;
use super::change::Changes;
use crate::domain::{
    Deployment, EnvironmentName, EnvironmentSettings, Event, EventBody, GitProviderKind, OrganizationId, ProviderSettings, RegistryName, RegistrySettings, Run,
    RunId, RuntimeName, RuntimeSettings, SecretId, Service, ServiceId, ServiceName, StageReports, Timestamp, User, UserName,
};
use crate::error::Result;
use crate::secret::SecretString;
use async_trait::async_trait;
use std::time::Duration;

/// Services.
#[async_trait]
pub trait ServiceStore: Send + Sync {
    /// Adds one. Errors: `AlreadyExists` when the organization has the name.
    async fn insert_service(&self, service: &Service) -> Result<()>;
    /// Replaces one by its id. Errors: `NotFound`.
    async fn update_service(&self, service: &Service) -> Result<()>;
    /// One by name.
    async fn service(&self, organization: &OrganizationId, name: &ServiceName) -> Result<Option<Service>>;
    /// One by id.
    async fn service_by_id(&self, id: &ServiceId) -> Result<Option<Service>>;
    /// At most `limit` in name order, after the name `after`.
    async fn services<'a>(&self, organization: &OrganizationId, after: Option<&'a ServiceName>, limit: u32) -> Result<Vec<Service>>;
    /// Removes one with its settings, runs, history, deliveries and Auto CI. Errors: `Conflict` while a run is not finished.
    async fn remove_service(&self, id: &ServiceId) -> Result<()>;
    /// Every organization that has a service, in name order.
    async fn organizations(&self) -> Result<Vec<OrganizationId>>;
}

/// Runtimes.
#[async_trait]
pub trait RuntimeStore: Send + Sync {
    /// Adds one. Errors: `AlreadyExists`.
    async fn insert_runtime(&self, organization: &OrganizationId, runtime: &RuntimeSettings) -> Result<()>;
    /// All, in name order.
    async fn runtimes(&self, organization: &OrganizationId) -> Result<Vec<RuntimeSettings>>;
    /// Removes one. Errors: `NotFound`, `Conflict` while a service uses it.
    async fn remove_runtime(&self, organization: &OrganizationId, name: &RuntimeName) -> Result<()>;
}

/// Registries.
#[async_trait]
pub trait RegistryStore: Send + Sync {
    /// Adds one. Errors: `AlreadyExists`.
    async fn insert_registry(&self, organization: &OrganizationId, registry: &RegistrySettings) -> Result<()>;
    /// All, in name order.
    async fn registries(&self, organization: &OrganizationId) -> Result<Vec<RegistrySettings>>;
    /// Removes one. Errors: `NotFound`, `Conflict` while a service uses it.
    async fn remove_registry(&self, organization: &OrganizationId, name: &RegistryName) -> Result<()>;
}

/// Git hosts: one of each kind for an organization.
#[async_trait]
pub trait ProviderStore: Send + Sync {
    /// Adds or replaces the one of its kind.
    async fn put_provider(&self, organization: &OrganizationId, provider: &ProviderSettings) -> Result<()>;
    /// All.
    async fn providers(&self, organization: &OrganizationId) -> Result<Vec<ProviderSettings>>;
    /// Removes one. Errors: `NotFound`, `Conflict` while a service comes from it.
    async fn remove_provider(&self, organization: &OrganizationId, kind: GitProviderKind) -> Result<()>;
}

/// People.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Adds one. Errors: `AlreadyExists`; names differ by more than case.
    async fn insert_user(&self, organization: &OrganizationId, user: &User) -> Result<()>;
    /// One, by its name in any case.
    async fn user(&self, organization: &OrganizationId, name: &UserName) -> Result<Option<User>>;
    /// All, in name order.
    async fn users(&self, organization: &OrganizationId) -> Result<Vec<User>>;
    /// Removes one and ends their tokens, in one step. Errors: `NotFound`, `Conflict` when it is the last admin.
    async fn remove_user(&self, organization: &OrganizationId, name: &UserName, at: Timestamp) -> Result<()>;
}

/// Secrets, encrypted at rest.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Keeps a value under a new id. The value of an id never changes.
    async fn insert_secret(&self, value: &SecretString) -> Result<SecretId>;
    /// The value of an id. Errors: `NotFound`, `Storage` when it cannot be decrypted.
    async fn secret(&self, id: &SecretId) -> Result<SecretString>;
    /// Removes values that nothing names any more.
    async fn remove_secrets(&self, ids: &[SecretId]) -> Result<()>;
}

/// Settings of services in environments.
#[async_trait]
pub trait EnvironmentStore: Send + Sync {
    /// The settings; the preset when nothing was chosen.
    async fn environment(&self, service: &ServiceId, environment: EnvironmentName) -> Result<EnvironmentSettings>;
    /// Replaces the settings.
    async fn put_environment(&self, settings: &EnvironmentSettings) -> Result<()>;
}

/// A request to work on a slot.
#[derive(Debug, Clone)]
pub enum Claim {
    /// The slot is ours.
    Held(Fence),
    /// Somebody else holds it.
    Busy {
        /// Who.
        owner: String,
        /// Their run.
        run: RunId,
        /// Until when, if they say nothing more.
        until: Timestamp,
    },
}

/// Which runs.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of one service.
    pub service: Option<ServiceId>,
    /// Only those that are not finished.
    pub unfinished: bool,
    /// Only those that wait for, or hold, this slot.
    pub slot: Option<String>,
    /// Only those created before this one.
    pub before: Option<RunId>,
    /// At most so many; all when absent.
    pub limit: Option<u32>,
}

/// Runs and their leases.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Adds a queued run that waits for `slot`.
    async fn insert_run(&self, organization: &OrganizationId, slot: &str, run: &Run) -> Result<()>;
    /// One by id.
    async fn run(&self, id: &RunId) -> Result<Option<Run>>;
    /// Newest first.
    async fn runs(&self, organization: &OrganizationId, filter: &RunFilter) -> Result<Vec<Run>>;
    /// The oldest unfinished run of every slot, of every organization, in the order they were asked for: what a worker may take up now.
    async fn heads(&self) -> Result<Vec<(OrganizationId, RunId)>>;
    /// The slot of a run.
    async fn slot(&self, id: &RunId) -> Result<Option<String>>;
    /// Takes the slot for `run` when nobody holds it or its lease has expired; raises the epoch.
    async fn claim(&self, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Result<Claim>;
    /// Extends the lease, and answers whether the run is to be cancelled. Errors: `LeaseLost`.
    async fn renew(&self, fence: &Fence, lease: Duration) -> Result<bool>;
    /// Gives the slot back. Giving back what is lost is no error.
    async fn release(&self, fence: &Fence) -> Result<()>;
    /// Replaces the run's record. Errors: `LeaseLost`, `Cancelled` when it was cancelled while it waited.
    async fn update_run(&self, run: &Run, fence: &Fence) -> Result<()>;
    /// Takes the next run that nobody works, of any organization, with its slot: the first of its slot, on a runtime where fewer than `per_runtime`
    /// runs are worked, of the service that has the fewest under way, and among those the oldest. None when there is none now.
    async fn take(&self, owner: &str, lease: Duration, per_runtime: u32) -> Result<Option<(OrganizationId, Run, Fence)>>;
    /// Removes finished runs with their events; what is not finished or not there is left out. Answers how many.
    async fn remove_runs(&self, ids: &[RunId]) -> Result<u64>;
    /// Marks a run to be cancelled; one that still waits for its turn is cancelled at once. Errors: `NotFound`, `Conflict` when it is finished.
    async fn request_cancel(&self, id: &RunId) -> Result<()>;
}

/// Deployments and releases.
#[async_trait]
pub trait DeploymentStore: Send + Sync {
    /// Adds a deployment and gives its release the next revision; the one that the run began already, when there is one.
    /// Errors: `LeaseLost`.
    async fn begin_deployment(&self, deployment: &Deployment, fence: &Fence) -> Result<Deployment>;
    /// Replaces a deployment. When it is live, the one that was live before becomes superseded in the same transaction. Errors: `LeaseLost`.
    async fn update_deployment(&self, deployment: &Deployment, fence: &Fence) -> Result<()>;
    /// One by revision.
    async fn deployment(&self, service: &ServiceId, environment: EnvironmentName, revision: u64) -> Result<Option<Deployment>>;
    /// Newest first, at most `limit`.
    async fn deployments(&self, service: &ServiceId, environment: EnvironmentName, limit: u32) -> Result<Vec<Deployment>>;
    /// What is live.
    async fn live(&self, service: &ServiceId, environment: EnvironmentName) -> Result<Option<Deployment>>;
}

/// Events of runs.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Appends, without gaps. Errors: `LeaseLost`.
    async fn append_events(&self, run: &RunId, events: &[(Timestamp, EventBody)], fence: &Fence) -> Result<()>;
    /// At most `limit` events from `sequence` on.
    async fn events(&self, run: &RunId, sequence: u64, limit: u32) -> Result<Vec<Event>>;
}

/// What scanners said in runs. It goes with the run.
#[async_trait]
pub trait ReportStore: Send + Sync {
    /// Keeps the reports of a stage; a second time replaces them. Errors: `LeaseLost`.
    async fn put_reports(&self, run: &RunId, reports: &StageReports, fence: &Fence) -> Result<()>;
    /// The reports of a run, in the order of its stages.
    async fn reports(&self, run: &RunId) -> Result<Vec<StageReports>>;
}

/// Everything a platform must keep.
#[async_trait]
pub trait Store:
    ServiceStore
    + RuntimeStore
    + RegistryStore
    + ProviderStore
    + UserStore
    + TokenStore
    + AuditStore
    + KeyStore
    + SecretStore
    + EnvironmentStore
    + RunStore
    + DeploymentStore
    + EventStore
    + ReportStore
    + DeliveryStore
    + AutoCiStore
    + Send
    + Sync
{
    /// What changes from now on: runs that were inserted, written, cancelled or released, and events that were appended. Every store tells of what was
    /// done through itself; one that is made to be shared tells of other processes too.
    fn changes(&self) -> Changes;
    /// The random name of this installation, made when the store was created.
    async fn installation(&self) -> Result<String>;
    /// Encrypts every secret with a new key; answers how many there are.
    async fn rotate_key(&self) -> Result<u64>;
}
