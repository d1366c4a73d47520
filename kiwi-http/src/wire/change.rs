//! Changing services and environments: what is not given goes back to its default, so that one document says how things are.

use super::SecretValue;
use super::register::check_seconds;
use kiwi_core::domain::{
    Branch, BuildSettings, ContainerName, ContainerSpec, Cpu, EnvironmentSettings, ImageReference, Memory, Replicas, Request, RuntimeName, SecretId, Service,
    ServiceName, Source, Strategy, Variable, VariableName, Variables,
};
use kiwi_core::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The settings of a service. Secrets that it has are named by the ids that reading it shows; others cannot be named.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeService {
    /// What is delivered, of a git service; as it is when absent.
    #[serde(default)]
    pub branch: Option<Branch>,
    /// One for each container, of an image service; as they are when absent.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub images: Option<BTreeMap<ContainerName, ImageReference>>,
    /// How its image is made.
    #[serde(default)]
    pub build: BuildSettings,
    /// What runs.
    pub containers: Vec<ContainerSpec>,
    /// Where it runs.
    pub runtime: RuntimeName,
    /// The command before the switch.
    #[serde(default)]
    pub release_command: Option<String>,
    /// How versions are replaced.
    #[serde(default)]
    pub strategy: Strategy,
    /// How long old replicas may finish what they are doing, in seconds.
    #[schema(maximum = 3600)]
    pub drain_seconds: u32,
    /// How long a stopped container may take to end, in seconds.
    #[schema(maximum = 3600)]
    pub stop_seconds: u32,
    /// How long a new replica may take to answer, in seconds.
    #[schema(minimum = 1, maximum = 3600)]
    pub start_seconds: u32,
}

impl From<&Service> for ChangeService {
    fn from(service: &Service) -> Self {
        let (branch, images) = match &service.source {
            Source::Git { branch, .. } => (Some(branch.clone()), None),
            Source::Images(images) => (None, Some(images.clone())),
        };
        Self {
            branch,
            images,
            build: service.build.clone(),
            containers: service.containers.clone(),
            runtime: service.runtime.clone(),
            release_command: service.release_command.clone(),
            strategy: service.strategy,
            drain_seconds: service.drain_seconds,
            stop_seconds: service.stop_seconds,
            start_seconds: service.start_seconds,
        }
    }
}

impl ChangeService {
    /// Changes a service. Where it comes from stays: a token that came with one repository must not be sent to another.
    pub(crate) fn apply(self, service: &mut Service) -> Result<()> {
        let before = service_secrets(service);
        match (&mut service.source, self.branch, self.images) {
            (Source::Git { branch, .. }, wanted, None) => *branch = wanted.unwrap_or_else(|| branch.clone()),
            (Source::Images(images), None, wanted) => *images = wanted.unwrap_or_else(|| images.clone()),
            (Source::Git { .. }, ..) => return Err(Error::invalid("change service", "a service from a repository has no images of its own")),
            (Source::Images(_), ..) => return Err(Error::invalid("change service", "a service of ready images has no branch")),
        }
        check_seconds(self.drain_seconds, self.stop_seconds, self.start_seconds)?;
        (service.build, service.containers, service.runtime) = (self.build, self.containers, self.runtime);
        (service.release_command, service.strategy) = (self.release_command, self.strategy);
        (service.drain_seconds, service.stop_seconds, service.start_seconds) = (self.drain_seconds, self.stop_seconds, self.start_seconds);
        only_known(&before, &service_secrets(service))
    }
}

/// The settings of a service in an environment.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeEnvironment {
    /// Another runtime than the service's own.
    pub runtime: Option<RuntimeName>,
    /// Another Kubernetes namespace than the one named after the service.
    pub namespace: Option<ServiceName>,
    /// Another number of replicas than the preset's.
    pub replicas: Option<Replicas>,
    /// Other CPU than the preset's.
    pub cpu: Option<Request<Cpu>>,
    /// Other memory than the preset's.
    pub memory: Option<Request<Memory>>,
    /// Variables on top of those of the service.
    #[schema(value_type = BTreeMap<String, Variable>)]
    pub variables: Variables,
    /// Values of new secret variables, by name.
    pub secrets: BTreeMap<VariableName, SecretValue>,
}

impl From<&EnvironmentSettings> for ChangeEnvironment {
    fn from(settings: &EnvironmentSettings) -> Self {
        Self {
            runtime: settings.runtime.clone(),
            namespace: settings.namespace.clone(),
            replicas: settings.replicas,
            cpu: settings.cpu.clone(),
            memory: settings.memory.clone(),
            variables: settings.variables.clone(),
            secrets: BTreeMap::new(),
        }
    }
}

impl ChangeEnvironment {
    /// Changes the settings of an environment.
    pub(crate) fn apply(self, settings: &mut EnvironmentSettings) -> Result<()> {
        only_known(&secrets(settings.variables.values()), &secrets(self.variables.values()))?;
        (settings.runtime, settings.namespace, settings.replicas) = (self.runtime, self.namespace, self.replicas);
        (settings.cpu, settings.memory, settings.variables) = (self.cpu, self.memory, self.variables);
        Ok(())
    }
}

fn secrets<'a>(variables: impl Iterator<Item = &'a Variable>) -> BTreeSet<SecretId> {
    variables.filter_map(Variable::secret).cloned().collect()
}

fn service_secrets(service: &Service) -> BTreeSet<SecretId> {
    let mut all = secrets(service.containers.iter().flat_map(|container| container.variables.values()));
    all.extend(service.build.secrets.values().cloned());
    all
}

fn only_known(before: &BTreeSet<SecretId>, after: &BTreeSet<SecretId>) -> Result<()> {
    match after.difference(before).next() {
        Some(stranger) => {
            Err(Error::invalid("change settings", format!("there is no secret {stranger} here")).with_hint("give a new secret's value, not an id"))
        }
        None => Ok(()),
    }
}
