//! Registration and settings of services.

use super::{Kiwi, missing};
use crate::access::{Actor, Operation};
use crate::domain::{
    Branch, BuildSettings, ContainerName, ContainerSpec, EnvironmentName, EnvironmentSettings, GitProviderKind, GitUrl, ImageReference, RunId, RuntimeName,
    Service, ServiceId, ServiceName, Source, Strategy, Timestamp, Variable, VariableName,
};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::store::{Claim, RunFilter};
use crate::provider::{Fence, ServiceSource, SourceAccess, SourceReport, Workload};
use crate::secret::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A process that dies while it changes settings blocks others for so long.
const SETTINGS_LEASE: Duration = Duration::from_secs(5);

/// What a person gives to register a service. Absent values are found out or have a default.
#[derive(Debug, Clone)]
pub struct NewService {
    /// Its name.
    pub name: ServiceName,
    /// Where it comes from.
    pub source: NewSource,
    /// How its image is made.
    pub build: BuildSettings,
    /// Secrets for the build, by name.
    pub build_secrets: BTreeMap<VariableName, SecretString>,
    /// Secrets of containers, by variable.
    pub container_secrets: BTreeMap<ContainerName, BTreeMap<VariableName, SecretString>>,
    /// What runs; one container of the service's name when empty.
    pub containers: Vec<ContainerSpec>,
    /// Where it runs; the only runtime when absent.
    pub runtime: Option<RuntimeName>,
    /// The command before the switch.
    pub release_command: Option<String>,
    /// How versions are replaced.
    pub strategy: Strategy,
    /// How long old replicas may finish what they are doing, in seconds.
    pub drain_seconds: u32,
    /// How long a stopped container may take to end, in seconds.
    pub stop_seconds: u32,
    /// How long a new replica may take to answer, in seconds.
    pub start_seconds: u32,
}

impl NewService {
    /// A service with defaults everywhere else.
    pub fn new(name: ServiceName, source: NewSource) -> Self {
        Self {
            name,
            source,
            build: BuildSettings::default(),
            build_secrets: BTreeMap::new(),
            container_secrets: BTreeMap::new(),
            containers: Vec::new(),
            runtime: None,
            release_command: None,
            strategy: Strategy::Rolling,
            drain_seconds: 30,
            stop_seconds: 10,
            start_seconds: 60,
        }
    }
}

/// Where a new service comes from.
#[derive(Debug, Clone)]
pub enum NewSource {
    /// A git repository by URL.
    Git {
        /// The repository.
        url: GitUrl,
        /// What is delivered; the repository's default branch when absent.
        branch: Option<Branch>,
        /// A token for a private repository.
        token: Option<SecretString>,
        /// A CA certificate (PEM) of the server.
        ca: Option<String>,
    },
    /// A repository of a git host that an admin set up.
    Hosted {
        /// Which host.
        provider: GitProviderKind,
        /// Its full path, such as `group/subgroup/project`.
        path: String,
        /// What is delivered; the repository's default branch when absent.
        branch: Option<Branch>,
    },
    /// A repository that is created at a git host; one of this name that is there is adopted.
    NewRepository {
        /// Which host.
        provider: GitProviderKind,
        /// The full path of its owner: a user, an organization or a group.
        owner: String,
        /// Its name.
        name: String,
    },
    /// Ready images, one for each container.
    Images(BTreeMap<ContainerName, ImageReference>),
}

impl Kiwi {
    /// Tests the connection to a git repository and lists its branches. Nothing is kept.
    pub async fn check_source(&self, actor: &Actor, url: &GitUrl, branch: Option<&Branch>, access: &SourceAccess) -> Result<SourceReport> {
        actor.may(Operation::CheckSources)?;
        let source = Source::Git {
            provider: GitProviderKind::Url,
            repository: url.clone(),
            branch: probe_branch(branch)?,
            token: None,
            ca: access.ca.clone(),
            link: None,
        };
        let report = self.source_for(&source)?.check(&source, access).await?;
        if let Some(branch) = branch {
            require_branch(&report, branch)?;
        }
        Ok(report)
    }

    /// Registers a service, after its source and everything it names was found. Nothing is kept when it fails.
    pub async fn register(&self, actor: &Actor, new: NewService) -> Result<Service> {
        actor.may(Operation::RegisterServices)?;
        let runtime = self.choose_runtime(actor, new.runtime.clone()).await?;
        self.check_build_settings(actor, &new, &runtime).await?;
        if self.store().service(&actor.organization, &new.name).await?.is_some() {
            return Err(Error::new(ErrorKind::AlreadyExists, "register service", format!("a service called {} exists already", new.name)));
        }
        let containers = if new.containers.is_empty() { vec![ContainerSpec::new(ContainerName::from(&new.name))] } else { new.containers };
        // Before anything is asked of a host, and above all before a repository is made there.
        ContainerSpec::validate_together(&containers, !matches!(new.source, NewSource::Images(_)))?;
        if let Some(stranger) = new.container_secrets.keys().find(|name| !containers.iter().any(|container| container.name == **name)) {
            return Err(Error::invalid("register service", format!("there are secrets for container {stranger}, which the service does not have")));
        }
        let (source, token) = match new.source {
            NewSource::Git { url, branch, token, ca } => {
                let access = SourceAccess { token: token.clone(), ca: ca.clone(), private: false };
                let report = self.check_source(actor, &url, branch.as_ref(), &access).await?;
                let branch = branch
                    .or(report.default_branch)
                    .ok_or_else(|| Error::invalid("register service", "the repository has no default branch").with_hint("name the branch with --branch"))?;
                (Source::Git { provider: GitProviderKind::Url, repository: url, branch, token: None, ca, link: None }, token)
            }
            NewSource::Hosted { provider, path, branch } => {
                let repository = self.git_provider(actor, provider).await?.repository(&path).await?;
                (self.hosted_source(actor, provider, repository, branch).await?, None)
            }
            NewSource::NewRepository { provider, owner, name } => {
                actor.may(Operation::CreateRepositories)?;
                let repository = self.git_provider(actor, provider).await?.create_repository(&owner, &name).await?;
                let path = repository.link.path.clone();
                let source = self.hosted_source(actor, provider, repository, None).await.map_err(|error| {
                    let hint = format!("{path} exists now; run the same command again, which adopts it. {}", error.hint());
                    error.with_hint(hint)
                })?;
                (source, None)
            }
            NewSource::Images(images) => (Source::Images(images), None),
        };
        let mut service = Service {
            id: ServiceId::generate(),
            organization: actor.organization.clone(),
            name: new.name,
            source,
            build: new.build,
            containers,
            runtime,
            release_command: new.release_command,
            strategy: new.strategy,
            drain_seconds: new.drain_seconds,
            stop_seconds: new.stop_seconds,
            start_seconds: new.start_seconds,
            created_at: Timestamp::now(),
        };
        service.validate()?;
        // As a deployment will: a tag that is not there, or credentials that are wrong, are told now.
        self.pin_service_images(&service, &service.runtime).await?;
        let mut kept = Vec::new();
        if let (Some(value), Source::Git { token, .. }) = (token, &mut service.source) {
            let id = self.store().insert_secret(&value).await?;
            kept.push(id.clone());
            *token = Some(id);
        }
        for (name, value) in &new.build_secrets {
            let id = self.store().insert_secret(value).await?;
            kept.push(id.clone());
            service.build.secrets.insert(name.clone(), id);
        }
        for container in &mut service.containers {
            for (name, value) in new.container_secrets.get(&container.name).into_iter().flatten() {
                let id = self.store().insert_secret(value).await?;
                kept.push(id.clone());
                container.variables.insert(name.clone(), Variable::Secret(id));
            }
        }
        if let Err(error) = self.store().insert_service(&service).await {
            self.store().remove_secrets(&kept).await?;
            return Err(error);
        }
        Ok(service)
    }

    /// At most `limit` services in name order, after the name `after`.
    pub async fn services(&self, actor: &Actor, after: Option<&ServiceName>, limit: u32) -> Result<Vec<Service>> {
        actor.may(Operation::ReadServices)?;
        self.store().services(&actor.organization, after, limit).await
    }

    /// One service.
    pub async fn service(&self, actor: &Actor, name: &ServiceName) -> Result<Service> {
        actor.may(Operation::ReadServices)?;
        self.store().service(&actor.organization, name).await?.ok_or_else(|| missing("service", name))
    }

    /// Changes the settings of a service. They hold for what is built and deployed from now on; what runs stays as it is.
    pub async fn update_service(&self, actor: &Actor, name: &ServiceName, change: impl FnOnce(&mut Service) -> Result<()> + Send) -> Result<Service> {
        actor.may(Operation::ChangeServices)?;
        let fence = self.lock_settings(actor, name).await?;
        let updated = self.update_service_locked(actor, name, change).await;
        self.store().release(&fence).await?;
        updated
    }

    async fn update_service_locked(&self, actor: &Actor, name: &ServiceName, change: impl FnOnce(&mut Service) -> Result<()> + Send) -> Result<Service> {
        let before = self.service(actor, name).await?;
        let mut service = before.clone();
        change(&mut service)?;
        // What identifies a service is not a setting.
        (service.id, service.name, service.created_at) = (before.id.clone(), before.name.clone(), before.created_at);
        service.organization.clone_from(&before.organization);
        service.validate()?;
        self.runtime_settings(actor, &service.runtime).await?;
        if let Some(registry) = &service.build.registry {
            self.registry_settings(&actor.organization, registry).await?;
        }
        if service.source != before.source {
            if let Source::Git { branch, .. } = &service.source {
                let access = self.source_access(&service.organization, &service.source).await?;
                require_branch(&self.source_for(&service.source)?.check(&service.source, &access).await?, branch)?;
            }
            self.pin_service_images(&service, &service.runtime).await?;
        }
        self.store().update_service(&service).await?;
        Ok(service)
    }

    /// Removes a service from its runtimes and from Kiwi; its volumes only when asked.
    pub async fn remove_service(&self, actor: &Actor, name: &ServiceName, volumes: bool) -> Result<()> {
        actor.may(Operation::RemoveServices)?;
        let service = self.service(actor, name).await?;
        let filter = RunFilter { service: Some(service.id.clone()), unfinished: true, ..RunFilter::default() };
        if let Some(run) = self.store().runs(&actor.organization, &filter).await?.first() {
            return Err(Error::new(ErrorKind::Conflict, "remove service", format!("run {} of {name} is not finished", run.id))
                .with_hint(format!("wait for it, resume it with `kiwi runs resume`, or cancel it with `kiwi runs cancel {}`", run.id)));
        }
        for environment in EnvironmentName::ALL {
            let workload = self.workload(&service, environment);
            match self.store().deployments(&service.id, environment, 1).await?.first() {
                Some(newest) => self.open_runtime(actor, &newest.release.runtime).await?.remove(&workload, volumes).await?,
                // Tests may have left a network there; a runtime that is gone must not keep a service that was never deployed.
                None => {
                    let runtime = service.build.runtime.as_ref().unwrap_or(&service.runtime);
                    if let Err(error) = self.open_runtime(actor, runtime).await?.remove(&workload, volumes).await {
                        tracing::debug!(error = %error.chain(), "nothing to remove");
                    }
                }
            }
        }
        let mut secrets: Vec<_> = service.build.secrets.values().cloned().collect();
        secrets.extend(service.containers.iter().flat_map(|container| container.variables.values()).filter_map(Variable::secret).cloned());
        if let Source::Git { token: Some(token), .. } = &service.source {
            secrets.push(token.clone());
        }
        for environment in EnvironmentName::ALL {
            let settings = self.store().environment(&service.id, environment).await?;
            secrets.extend(settings.variables.values().filter_map(Variable::secret).cloned());
        }
        if self.store().auto_ci(&service.id).await?.is_some() {
            self.disable_auto_ci(actor, name).await?;
        }
        self.store().remove_service(&service.id).await?;
        self.store().remove_secrets(&secrets).await
    }

    /// The settings of a service in an environment.
    pub async fn environment(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<EnvironmentSettings> {
        let service = self.service(actor, name).await?;
        self.store().environment(&service.id, environment).await
    }

    /// Changes the settings of a service in an environment; they hold from the next deployment on.
    pub async fn update_environment(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        secrets: BTreeMap<VariableName, SecretString>,
        change: impl FnOnce(&mut EnvironmentSettings) -> Result<()> + Send,
    ) -> Result<EnvironmentSettings> {
        actor.may(Operation::Deploy)?;
        let fence = self.lock_settings(actor, name).await?;
        let updated = self.update_environment_locked(actor, name, environment, secrets, change).await;
        self.store().release(&fence).await?;
        updated
    }

    /// Changes the settings of an environment in which the service is live, for a run that is asked for next.
    ///
    /// Errors: `NotFound` when nothing is live; then nothing is changed.
    pub async fn update_live_environment(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        secrets: BTreeMap<VariableName, SecretString>,
        change: impl FnOnce(&mut EnvironmentSettings) -> Result<()> + Send,
    ) -> Result<EnvironmentSettings> {
        actor.may(Operation::Deploy)?;
        let service = self.service(actor, name).await?;
        self.require_live(&service, environment).await?;
        self.update_environment(actor, name, environment, secrets, change).await
    }

    /// Sets secrets of a service's builds; the next build has them.
    pub async fn set_build_secrets(&self, actor: &Actor, name: &ServiceName, secrets: BTreeMap<VariableName, SecretString>) -> Result<Service> {
        actor.may(Operation::ChangeServices)?;
        let mut ids = BTreeMap::new();
        for (variable, value) in secrets {
            ids.insert(variable, self.store().insert_secret(&value).await?);
        }
        self.update_service(actor, name, |service| {
            service.build.secrets.extend(ids);
            Ok(())
        })
        .await
    }

    /// Settings are read, changed and written; two people who do it at once must both be heard.
    async fn lock_settings(&self, actor: &Actor, name: &ServiceName) -> Result<Fence> {
        let slot = format!("settings/{}", self.service(actor, name).await?.id);
        loop {
            match self.store().claim(&slot, &RunId::generate(), &format!("{}-{}", self.inner.owner, RunId::generate()), SETTINGS_LEASE).await? {
                Claim::Held(fence) => return Ok(fence),
                Claim::Busy { .. } => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn update_environment_locked(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        secrets: BTreeMap<VariableName, SecretString>,
        change: impl FnOnce(&mut EnvironmentSettings) -> Result<()> + Send,
    ) -> Result<EnvironmentSettings> {
        let service = self.service(actor, name).await?;
        let mut settings = self.store().environment(&service.id, environment).await?;
        change(&mut settings)?;
        (settings.service, settings.environment) = (service.id, environment);
        if let Some(runtime) = &settings.runtime {
            self.runtime_settings(actor, runtime).await?;
        }
        for (name, value) in secrets {
            let id = self.store().insert_secret(&value).await?;
            settings.variables.insert(name, Variable::Secret(id));
        }
        self.store().put_environment(&settings).await?;
        Ok(settings)
    }

    pub(super) fn workload(&self, service: &Service, environment: EnvironmentName) -> Workload {
        Workload { installation: self.inner.installation.clone(), service: service.id.clone(), name: service.name.clone(), environment }
    }

    pub(super) fn source_for(&self, source: &Source) -> Result<&Arc<dyn ServiceSource>> {
        let unsupported = || Error::new(ErrorKind::Unsupported, "open source", "this platform was built without a provider for this kind of source");
        self.inner.sources.iter().find(|provider| provider.supports(source)).ok_or_else(unsupported)
    }

    async fn choose_runtime(&self, actor: &Actor, wanted: Option<RuntimeName>) -> Result<RuntimeName> {
        let all = self.store().runtimes(&actor.organization).await?;
        match wanted {
            Some(name) if all.iter().any(|runtime| runtime.name == name) => Ok(name),
            Some(name) => {
                Err(Error::invalid("register service", format!("there is no runtime called {name}")).with_hint("`kiwi runtime list` shows what there is"))
            }
            None => match all.as_slice() {
                [] => Err(Error::invalid("register service", "no runtime is registered yet, so the service could run nowhere")
                    .with_hint("register one first, for example with `kiwi runtime add docker local`")),
                [only] => Ok(only.name.clone()),
                several => {
                    let names: Vec<_> = several.iter().map(|runtime| runtime.name.as_str()).collect();
                    Err(Error::invalid("register service", format!("several runtimes are registered: {}", names.join(", ")))
                        .with_hint("choose one with --runtime"))
                }
            },
        }
    }

    async fn check_build_settings(&self, actor: &Actor, new: &NewService, runtime: &RuntimeName) -> Result<()> {
        let build_runtime = new.build.runtime.as_ref().unwrap_or(runtime);
        self.runtime_settings(actor, build_runtime).await.map_err(|error| Error::invalid("register service", error.message().to_owned()))?;
        match &new.build.registry {
            Some(registry) => self
                .registry_settings(&actor.organization, registry)
                .await
                .map(|_| ())
                .map_err(|error| Error::invalid("register service", error.message().to_owned()).with_hint("`kiwi registry list` shows what there is")),
            None if matches!(new.source, NewSource::Images(_)) => Ok(()),
            None => {
                let local = build_runtime == runtime && self.open_runtime(actor, runtime).await?.capabilities().local_images;
                if local {
                    return Ok(());
                }
                Err(Error::invalid("register service", "builder and runtime are not one Docker engine, so images must travel through a registry")
                    .with_hint("register one with `kiwi registry add` and name it with --registry"))
            }
        }
    }
}

/// A check needs no branch, but a source always has one; `main` stands in.
fn probe_branch(branch: Option<&Branch>) -> Result<Branch> {
    match branch {
        Some(branch) => Ok(branch.clone()),
        None => Ok("main".parse()?),
    }
}

pub(super) fn require_branch(report: &SourceReport, branch: &Branch) -> Result<()> {
    if report.branches.iter().any(|(name, _)| name == branch) {
        return Ok(());
    }
    let names: Vec<_> = report.branches.iter().take(10).map(|(name, _)| name.as_str()).collect();
    Err(Error::new(ErrorKind::BranchNotFound, "check source", format!("Branch not found: {branch}"))
        .with_hint(format!("the repository has: {}", names.join(", "))))
}
