//! The reference store: what the SQL stores must do, without SQL.

use super::access::AccessState;
use super::lock;
use crate::domain::{
    AutoCi, AutoCiState, Delivery, DeliveryId, Deployment, DeploymentStatus, EnvironmentName, EnvironmentSettings, Event, EventBody, GitProviderKind,
    OrganizationId, ProviderSettings, RegistryName, RegistrySettings, Run, RunId, RunStatus, RuntimeName, RuntimeSettings, SecretId, Service, ServiceId,
    ServiceName, Source, Stage, StageReports, Timestamp, User, UserName,
};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::change::{Announcer, Change, Changes};
use crate::provider::store::{
    Claim, DeploymentStore, EnvironmentStore, EventStore, ProviderStore, RegistryStore, ReportStore, RunFilter, RunStore, RuntimeStore, SecretStore,
    ServiceStore, UserStore, is_last_admin, last_admin,
};
use crate::provider::{Fence, Store};
use crate::secret::SecretString;
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Keeps everything in memory.
#[derive(Debug)]
pub struct MemoryStore {
    pub(super) state: Mutex<State>,
    access: Mutex<AccessState>,
    pub(super) announcer: Announcer,
}

impl Default for MemoryStore {
    fn default() -> Self {
        // Nobody tells that a lease ended, so followers look often.
        Self { state: Mutex::default(), access: Mutex::default(), announcer: Announcer::new(Duration::from_millis(100)) }
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) services: BTreeMap<ServiceId, Service>,
    runtimes: BTreeMap<(OrganizationId, RuntimeName), RuntimeSettings>,
    registries: BTreeMap<(OrganizationId, RegistryName), RegistrySettings>,
    providers: BTreeMap<(OrganizationId, &'static str), ProviderSettings>,
    pub(super) users: BTreeMap<(OrganizationId, String), User>,
    secrets: BTreeMap<SecretId, SecretString>,
    environments: BTreeMap<(ServiceId, EnvironmentName), EnvironmentSettings>,
    pub(super) runs: BTreeMap<RunId, (OrganizationId, String, Run)>,
    slots: BTreeMap<String, Slot>,
    deployments: BTreeMap<(ServiceId, EnvironmentName, u64), Deployment>,
    events: BTreeMap<RunId, Vec<Event>>,
    reports: BTreeMap<(RunId, Stage), StageReports>,
    pub(super) deliveries: BTreeMap<DeliveryId, (Delivery, Bytes)>,
    pub(super) auto_ci: BTreeMap<ServiceId, (AutoCi, AutoCiState)>,
}

#[derive(Debug, Clone)]
struct Slot {
    owner: String,
    run: RunId,
    epoch: u64,
    until: Timestamp,
    held: bool,
}

impl MemoryStore {
    pub(super) fn access(&self) -> MutexGuard<'_, AccessState> {
        lock(&self.access)
    }
}

impl State {
    fn check(&self, fence: &Fence) -> Result<()> {
        let holds = self.slots.get(&fence.slot).is_some_and(|slot| slot.held && slot.epoch == fence.epoch && slot.owner == fence.owner);
        if holds { Ok(()) } else { Err(Error::new(ErrorKind::LeaseLost, "write run", "another worker took this run over")) }
    }
}

impl State {
    /// What [`RunStore::take`] takes.
    fn next(&self, per_runtime: u32) -> Option<(OrganizationId, String, Run)> {
        let now = Timestamp::now();
        let is_held = |slot: &Slot| slot.held && slot.until > now;
        let runtime =
            |service: &ServiceId| self.services.get(service).map(|service| (&service.organization, service.build.runtime.as_ref().unwrap_or(&service.runtime)));
        let (mut by_runtime, mut by_service): (BTreeMap<_, u32>, BTreeMap<_, u32>) = Default::default();
        for slot in self.slots.values().filter(|slot| is_held(slot)) {
            let Some((_, _, run)) = self.runs.get(&slot.run) else { continue };
            *by_runtime.entry(runtime(&run.service)).or_default() += 1;
            *by_service.entry(&run.service).or_default() += 1;
        }
        let mut slots = BTreeSet::new();
        let unfinished = self.runs.values().filter(|(_, _, run)| !run.status.is_final());
        let free = unfinished.filter(|(_, slot, _)| slots.insert(slot) && !self.slots.get(slot).is_some_and(is_held));
        let allowed = free.filter(|(_, _, run)| by_runtime.get(&runtime(&run.service)).is_none_or(|count| *count < per_runtime));
        allowed.min_by_key(|(_, _, run)| (by_service.get(&run.service).copied().unwrap_or_default(), run.id.clone())).cloned()
    }
}

pub(super) fn exists(what: &'static str, name: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::AlreadyExists, what, format!("{name} exists already"))
}

pub(super) fn missing(what: &'static str, name: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, what, format!("{name} does not exist"))
}

fn used(what: &'static str, name: impl std::fmt::Display, service: &ServiceName) -> Error {
    Error::new(ErrorKind::Conflict, what, format!("{name} is used by service {service}")).with_hint("remove or change the service first")
}

#[async_trait]
impl ServiceStore for MemoryStore {
    async fn insert_service(&self, service: &Service) -> Result<()> {
        let mut state = lock(&self.state);
        if state.services.values().any(|other| other.organization == service.organization && other.name == service.name) {
            return Err(exists("insert service", &service.name));
        }
        state.services.insert(service.id.clone(), service.clone());
        Ok(())
    }

    async fn update_service(&self, service: &Service) -> Result<()> {
        match lock(&self.state).services.get_mut(&service.id) {
            Some(slot) => {
                *slot = service.clone();
                Ok(())
            }
            None => Err(missing("update service", &service.name)),
        }
    }

    async fn service(&self, organization: &OrganizationId, name: &ServiceName) -> Result<Option<Service>> {
        Ok(lock(&self.state).services.values().find(|service| service.organization == *organization && service.name == *name).cloned())
    }

    async fn service_by_id(&self, id: &ServiceId) -> Result<Option<Service>> {
        Ok(lock(&self.state).services.get(id).cloned())
    }

    async fn services<'a>(&self, organization: &OrganizationId, after: Option<&'a ServiceName>, limit: u32) -> Result<Vec<Service>> {
        let state = lock(&self.state);
        let mut all: Vec<_> = state.services.values().filter(|service| service.organization == *organization).cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all.into_iter().filter(|service| after.is_none_or(|after| service.name > *after)).take(limit as usize).collect())
    }

    async fn organizations(&self) -> Result<Vec<OrganizationId>> {
        let all: BTreeSet<_> = lock(&self.state).services.values().map(|service| service.organization.clone()).collect();
        Ok(all.into_iter().collect())
    }

    async fn remove_service(&self, id: &ServiceId) -> Result<()> {
        let mut state = lock(&self.state);
        if state.runs.values().any(|(_, _, run)| run.service == *id && !run.status.is_final()) {
            return Err(Error::new(ErrorKind::Conflict, "remove service", "a run of the service is not finished"));
        }
        state.services.remove(id);
        state.environments.retain(|(service, _), _| service != id);
        state.deployments.retain(|(service, _, _), _| service != id);
        state.deliveries.retain(|_, (delivery, _)| delivery.service != *id);
        state.auto_ci.remove(id);
        let runs: Vec<_> = state.runs.values().filter(|(_, _, run)| run.service == *id).map(|(_, _, run)| run.id.clone()).collect();
        for run in runs {
            state.runs.remove(&run);
            state.events.remove(&run);
        }
        Ok(())
    }
}

#[async_trait]
impl RuntimeStore for MemoryStore {
    async fn insert_runtime(&self, organization: &OrganizationId, runtime: &RuntimeSettings) -> Result<()> {
        let key = (organization.clone(), runtime.name.clone());
        let mut state = lock(&self.state);
        if state.runtimes.contains_key(&key) {
            return Err(exists("insert runtime", &runtime.name));
        }
        state.runtimes.insert(key, runtime.clone());
        Ok(())
    }

    async fn runtimes(&self, organization: &OrganizationId) -> Result<Vec<RuntimeSettings>> {
        Ok(lock(&self.state).runtimes.iter().filter(|((owner, _), _)| owner == organization).map(|(_, runtime)| runtime.clone()).collect())
    }

    async fn remove_runtime(&self, organization: &OrganizationId, name: &RuntimeName) -> Result<()> {
        let mut state = lock(&self.state);
        let uses = |service: &&Service| service.organization == *organization && (service.runtime == *name || service.build.runtime.as_ref() == Some(name));
        if let Some(service) = state.services.values().find(uses) {
            return Err(used("remove runtime", name, &service.name));
        }
        state.runtimes.remove(&(organization.clone(), name.clone())).map(|_| ()).ok_or_else(|| missing("remove runtime", name))
    }
}

#[async_trait]
impl RegistryStore for MemoryStore {
    async fn insert_registry(&self, organization: &OrganizationId, registry: &RegistrySettings) -> Result<()> {
        let key = (organization.clone(), registry.name.clone());
        let mut state = lock(&self.state);
        if state.registries.contains_key(&key) {
            return Err(exists("insert registry", &registry.name));
        }
        state.registries.insert(key, registry.clone());
        Ok(())
    }

    async fn registries(&self, organization: &OrganizationId) -> Result<Vec<RegistrySettings>> {
        Ok(lock(&self.state).registries.iter().filter(|((owner, _), _)| owner == organization).map(|(_, registry)| registry.clone()).collect())
    }

    async fn remove_registry(&self, organization: &OrganizationId, name: &RegistryName) -> Result<()> {
        let mut state = lock(&self.state);
        if let Some(service) = state.services.values().find(|service| service.organization == *organization && service.build.registry.as_ref() == Some(name)) {
            return Err(used("remove registry", name, &service.name));
        }
        state.registries.remove(&(organization.clone(), name.clone())).map(|_| ()).ok_or_else(|| missing("remove registry", name))
    }
}

#[async_trait]
impl ProviderStore for MemoryStore {
    async fn put_provider(&self, organization: &OrganizationId, provider: &ProviderSettings) -> Result<()> {
        lock(&self.state).providers.insert((organization.clone(), provider.kind.as_str()), provider.clone());
        Ok(())
    }

    async fn providers(&self, organization: &OrganizationId) -> Result<Vec<ProviderSettings>> {
        Ok(lock(&self.state).providers.iter().filter(|((owner, _), _)| owner == organization).map(|(_, provider)| provider.clone()).collect())
    }

    async fn remove_provider(&self, organization: &OrganizationId, kind: GitProviderKind) -> Result<()> {
        let mut state = lock(&self.state);
        let comes_from =
            |service: &&Service| service.organization == *organization && matches!(service.source, Source::Git { provider, .. } if provider == kind);
        if let Some(service) = state.services.values().find(comes_from) {
            return Err(used("remove provider", kind.title(), &service.name));
        }
        state.providers.remove(&(organization.clone(), kind.as_str())).map(|_| ()).ok_or_else(|| missing("remove provider", kind.title()))
    }
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn insert_user(&self, organization: &OrganizationId, user: &User) -> Result<()> {
        let key = (organization.clone(), user.name.as_str().to_ascii_lowercase());
        let mut state = lock(&self.state);
        if state.users.contains_key(&key) {
            return Err(exists("insert user", &user.name));
        }
        state.users.insert(key, user.clone());
        Ok(())
    }

    async fn user(&self, organization: &OrganizationId, name: &UserName) -> Result<Option<User>> {
        Ok(lock(&self.state).users.get(&(organization.clone(), name.as_str().to_ascii_lowercase())).cloned())
    }

    async fn users(&self, organization: &OrganizationId) -> Result<Vec<User>> {
        Ok(lock(&self.state).users.iter().filter(|((owner, _), _)| owner == organization).map(|(_, user)| user.clone()).collect())
    }

    async fn remove_user(&self, organization: &OrganizationId, name: &UserName, at: Timestamp) -> Result<()> {
        let key = (organization.clone(), name.as_str().to_ascii_lowercase());
        let mut state = lock(&self.state);
        let users: Vec<User> = state.users.iter().filter(|((owner, _), _)| owner == organization).map(|(_, user)| user.clone()).collect();
        if is_last_admin(&users, name) {
            return Err(last_admin(name));
        }
        state.users.remove(&key).ok_or_else(|| missing("remove user", name))?;
        self.access().revoke_all(organization, name, at);
        Ok(())
    }
}

#[async_trait]
impl SecretStore for MemoryStore {
    async fn insert_secret(&self, value: &SecretString) -> Result<SecretId> {
        let id = SecretId::generate();
        lock(&self.state).secrets.insert(id.clone(), value.clone());
        Ok(id)
    }

    async fn secret(&self, id: &SecretId) -> Result<SecretString> {
        lock(&self.state).secrets.get(id).cloned().ok_or_else(|| missing("read secret", id))
    }

    async fn remove_secrets(&self, ids: &[SecretId]) -> Result<()> {
        lock(&self.state).secrets.retain(|id, _| !ids.contains(id));
        Ok(())
    }
}

#[async_trait]
impl EnvironmentStore for MemoryStore {
    async fn environment(&self, service: &ServiceId, environment: EnvironmentName) -> Result<EnvironmentSettings> {
        let settings = lock(&self.state).environments.get(&(service.clone(), environment)).cloned();
        Ok(settings.unwrap_or_else(|| EnvironmentSettings::preset(service.clone(), environment)))
    }

    async fn put_environment(&self, settings: &EnvironmentSettings) -> Result<()> {
        lock(&self.state).environments.insert((settings.service.clone(), settings.environment), settings.clone());
        Ok(())
    }
}

#[async_trait]
impl RunStore for MemoryStore {
    async fn insert_run(&self, organization: &OrganizationId, slot: &str, run: &Run) -> Result<()> {
        lock(&self.state).runs.insert(run.id.clone(), (organization.clone(), slot.to_owned(), run.clone()));
        self.announcer.tell(Change::Run(run.id.clone()));
        Ok(())
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>> {
        Ok(lock(&self.state).runs.get(id).map(|(_, _, run)| run.clone()))
    }

    async fn runs(&self, organization: &OrganizationId, filter: &RunFilter) -> Result<Vec<Run>> {
        let state = lock(&self.state);
        let matches = |(owner, slot, run): &&(OrganizationId, String, Run)| {
            owner == organization
                && filter.service.as_ref().is_none_or(|service| run.service == *service)
                && (!filter.unfinished || !run.status.is_final())
                && filter.slot.as_ref().is_none_or(|wanted| slot == wanted)
                && filter.before.as_ref().is_none_or(|before| run.id < *before)
        };
        let limit = filter.limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(state.runs.values().rev().filter(matches).take(limit).map(|(_, _, run)| run.clone()).collect())
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, RunId)>> {
        let state = lock(&self.state);
        let mut seen = std::collections::BTreeSet::new();
        let first = |(_, slot, run): &&(OrganizationId, String, Run)| !run.status.is_final() && seen.insert(slot.clone());
        Ok(state.runs.values().filter(first).map(|(owner, _, run)| (owner.clone(), run.id.clone())).collect())
    }

    async fn slot(&self, id: &RunId) -> Result<Option<String>> {
        Ok(lock(&self.state).runs.get(id).map(|(_, slot, _)| slot.clone()))
    }

    async fn claim(&self, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Result<Claim> {
        let mut state = lock(&self.state);
        let now = Timestamp::now();
        let epoch = match state.slots.get(slot) {
            Some(held) if held.held && held.until > now => return Ok(Claim::Busy { owner: held.owner.clone(), run: held.run.clone(), until: held.until }),
            Some(free) => free.epoch + 1,
            None => 1,
        };
        state.slots.insert(slot.to_owned(), Slot { owner: owner.to_owned(), run: run.clone(), epoch, until: now.after(lease), held: true });
        Ok(Claim::Held(Fence { slot: slot.to_owned(), owner: owner.to_owned(), epoch }))
    }

    async fn renew(&self, fence: &Fence, lease: Duration) -> Result<bool> {
        let mut state = lock(&self.state);
        state.check(fence)?;
        let cancel = state.slots.get(&fence.slot).and_then(|slot| state.runs.get(&slot.run)).is_some_and(|(_, _, run)| run.cancel_requested);
        if let Some(slot) = state.slots.get_mut(&fence.slot) {
            slot.until = Timestamp::now().after(lease);
        }
        Ok(cancel)
    }

    async fn release(&self, fence: &Fence) -> Result<()> {
        let mut state = lock(&self.state);
        if state.check(fence).is_ok()
            && let Some(slot) = state.slots.get_mut(&fence.slot)
        {
            slot.held = false;
            self.announcer.tell(Change::Run(slot.run.clone()));
        }
        Ok(())
    }

    async fn update_run(&self, run: &Run, fence: &Fence) -> Result<()> {
        let mut state = lock(&self.state);
        state.check(fence)?;
        if let Some((_, _, kept)) = state.runs.get_mut(&run.id) {
            if kept.status == RunStatus::Cancelled && !run.status.is_final() {
                return Err(Error::new(ErrorKind::Cancelled, "write run", "somebody cancelled the run"));
            }
            let cancel_requested = kept.cancel_requested;
            *kept = Run { cancel_requested, ..run.clone() };
        }
        self.announcer.tell(Change::Run(run.id.clone()));
        Ok(())
    }

    async fn take(&self, owner: &str, lease: Duration, per_runtime: u32) -> Result<Option<(OrganizationId, Run, Fence)>> {
        let next = lock(&self.state).next(per_runtime);
        let Some((organization, slot, run)) = next else { return Ok(None) };
        Ok(match self.claim(&slot, &run.id, owner, lease).await? {
            Claim::Held(fence) => Some((organization, run, fence)),
            // Somebody was faster.
            Claim::Busy { .. } => None,
        })
    }

    async fn remove_runs(&self, ids: &[RunId]) -> Result<u64> {
        let mut state = lock(&self.state);
        let mut removed = 0;
        for id in ids {
            if state.runs.get(id).is_some_and(|(_, _, run)| run.status.is_final()) {
                state.runs.remove(id);
                state.events.remove(id);
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn request_cancel(&self, id: &RunId) -> Result<()> {
        match lock(&self.state).runs.get_mut(id) {
            None => Err(missing("cancel run", id)),
            Some((_, _, run)) if run.status.is_final() => {
                Err(Error::new(ErrorKind::Conflict, "cancel run", format!("run {id} is {} already", run.status.as_str())))
            }
            Some((_, _, run)) => {
                run.cancel_requested = true;
                if run.status == RunStatus::Queued {
                    (run.status, run.finished_at) = (RunStatus::Cancelled, Some(Timestamp::now()));
                }
                self.announcer.tell(Change::Run(id.clone()));
                Ok(())
            }
        }
    }
}

#[async_trait]
impl DeploymentStore for MemoryStore {
    async fn begin_deployment(&self, deployment: &Deployment, fence: &Fence) -> Result<Deployment> {
        let mut state = lock(&self.state);
        state.check(fence)?;
        let (service, environment) = (&deployment.release.service, deployment.release.environment);
        let ours = |key: &(ServiceId, EnvironmentName, u64)| key.0 == *service && key.1 == environment;
        if let Some((_, begun)) = state.deployments.iter().find(|(key, other)| ours(key) && other.run == deployment.run) {
            return Ok(begun.clone());
        }
        let revision = state.deployments.keys().filter(|key| ours(key)).map(|key| key.2).max().unwrap_or(0) + 1;
        let mut begun = deployment.clone();
        begun.release.revision = revision;
        state.deployments.insert((service.clone(), environment, revision), begun.clone());
        Ok(begun)
    }

    async fn update_deployment(&self, deployment: &Deployment, fence: &Fence) -> Result<()> {
        let mut state = lock(&self.state);
        state.check(fence)?;
        let (service, environment, revision) = (&deployment.release.service, deployment.release.environment, deployment.release.revision);
        if deployment.status == DeploymentStatus::Live {
            for (key, other) in &mut state.deployments {
                if key.0 == *service && key.1 == environment && key.2 != revision && other.status == DeploymentStatus::Live {
                    other.status = DeploymentStatus::Superseded;
                }
            }
        }
        state.deployments.insert((service.clone(), environment, revision), deployment.clone());
        Ok(())
    }

    async fn deployment(&self, service: &ServiceId, environment: EnvironmentName, revision: u64) -> Result<Option<Deployment>> {
        Ok(lock(&self.state).deployments.get(&(service.clone(), environment, revision)).cloned())
    }

    async fn deployments(&self, service: &ServiceId, environment: EnvironmentName, limit: u32) -> Result<Vec<Deployment>> {
        let state = lock(&self.state);
        let ours = state.deployments.iter().rev().filter(|(key, _)| key.0 == *service && key.1 == environment);
        Ok(ours.take(limit as usize).map(|(_, deployment)| deployment.clone()).collect())
    }

    async fn live(&self, service: &ServiceId, environment: EnvironmentName) -> Result<Option<Deployment>> {
        Ok(self.deployments(service, environment, u32::MAX).await?.into_iter().find(|deployment| deployment.status == DeploymentStatus::Live))
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append_events(&self, run: &RunId, events: &[(Timestamp, EventBody)], fence: &Fence) -> Result<()> {
        let mut state = lock(&self.state);
        state.check(fence)?;
        let log = state.events.entry(run.clone()).or_default();
        for (at, body) in events {
            log.push(Event { sequence: log.len() as u64, at: *at, body: body.clone() });
        }
        self.announcer.tell(Change::Events(run.clone()));
        Ok(())
    }

    async fn events(&self, run: &RunId, sequence: u64, limit: u32) -> Result<Vec<Event>> {
        let state = lock(&self.state);
        let log = state.events.get(run).map(Vec::as_slice).unwrap_or_default();
        let from = usize::try_from(sequence).unwrap_or(usize::MAX).min(log.len());
        Ok(log[from..].iter().take(limit as usize).cloned().collect())
    }
}

#[async_trait]
impl ReportStore for MemoryStore {
    async fn put_reports(&self, run: &RunId, reports: &StageReports, fence: &Fence) -> Result<()> {
        let mut state = lock(&self.state);
        state.check(fence)?;
        state.reports.insert((run.clone(), reports.stage), reports.clone());
        Ok(())
    }

    async fn reports(&self, run: &RunId) -> Result<Vec<StageReports>> {
        Ok(lock(&self.state).reports.iter().filter(|((of, _), _)| of == run).map(|(_, reports)| reports.clone()).collect())
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn changes(&self) -> Changes {
        self.announcer.follow()
    }

    async fn installation(&self) -> Result<String> {
        Ok("memory".to_owned())
    }

    async fn rotate_key(&self) -> Result<u64> {
        Ok(lock(&self.state).secrets.len() as u64)
    }
}
