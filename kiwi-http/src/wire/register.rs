//! Registering a service.

use super::SecretValue;
use kiwi_core::domain::{
    Branch, BuildSettings, ContainerName, ContainerSpec, GitProviderKind, GitUrl, ImageReference, RuntimeName, ServiceName, Strategy, Variable, VariableName,
};
use kiwi_core::error::{Error, Result};
use kiwi_core::pipeline::{NewService, NewSource};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A service to register.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterService {
    /// Its name.
    pub name: ServiceName,
    /// Where it comes from.
    pub source: SourceForm,
    /// How its image is made.
    #[serde(default)]
    pub build: BuildSettings,
    /// Secrets for the build, by name.
    #[serde(default)]
    pub build_secrets: BTreeMap<VariableName, SecretValue>,
    /// What runs; one container of the service's name when empty.
    #[serde(default)]
    pub containers: Vec<ContainerSpec>,
    /// Secrets of containers, by variable.
    #[serde(default)]
    pub container_secrets: BTreeMap<ContainerName, BTreeMap<VariableName, SecretValue>>,
    /// Where it runs; the only runtime when absent.
    #[serde(default)]
    pub runtime: Option<RuntimeName>,
    /// The command before the switch.
    #[serde(default)]
    pub release_command: Option<String>,
    /// How versions are replaced.
    #[serde(default)]
    pub strategy: Strategy,
    /// How long old replicas may finish what they are doing, in seconds; 30 when absent.
    #[serde(default)]
    #[schema(maximum = 3600)]
    pub drain_seconds: Option<u32>,
    /// How long a stopped container may take to end, in seconds; 10 when absent.
    #[serde(default)]
    #[schema(maximum = 3600)]
    pub stop_seconds: Option<u32>,
    /// How long a new replica may take to answer, in seconds; 60 when absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3600)]
    pub start_seconds: Option<u32>,
}

/// Where a new service comes from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SourceForm {
    /// A git repository by URL.
    Git {
        /// The repository.
        url: GitUrl,
        /// What is delivered; the default branch when absent.
        branch: Option<Branch>,
        /// A token for a private repository.
        token: Option<SecretValue>,
        /// A CA certificate (PEM) of the server.
        ca: Option<String>,
    },
    /// A repository of a git host that an admin set up.
    Hosted {
        /// Which host.
        provider: GitProviderKind,
        /// Its full path.
        path: String,
        /// What is delivered; the default branch when absent.
        branch: Option<Branch>,
    },
    /// A repository that is created at a git host.
    Create {
        /// Which host.
        provider: GitProviderKind,
        /// The full path of its owner.
        owner: String,
        /// Its name.
        repository: String,
    },
    /// Ready images.
    Images {
        /// One for each container.
        #[schema(value_type = BTreeMap<String, String>)]
        images: BTreeMap<ContainerName, ImageReference>,
    },
}

/// What a client may not name: the ids under which the store keeps other people's secrets.
pub(crate) fn no_kept_secrets(build: &BuildSettings, containers: &[ContainerSpec]) -> Result<()> {
    let variables = containers.iter().flat_map(|container| container.variables.values());
    if build.secrets.is_empty() && variables.filter_map(Variable::secret).next().is_none() {
        return Ok(());
    }
    Err(Error::invalid("register service", "a new service has no secrets yet that could be named")
        .with_hint("give their values in build_secrets and container_secrets"))
}

/// How long each phase of a rollout may take.
pub(crate) fn check_seconds(drain: u32, stop: u32, start: u32) -> Result<()> {
    if drain > 3600 || stop > 3600 || !(1..=3600).contains(&start) {
        return Err(Error::invalid("read service", "drain_seconds, stop_seconds and start_seconds are at most 3600, and start_seconds at least 1"));
    }
    Ok(())
}

impl TryFrom<RegisterService> for NewService {
    type Error = Error;

    fn try_from(form: RegisterService) -> Result<Self> {
        no_kept_secrets(&form.build, &form.containers)?;
        let source = match form.source {
            SourceForm::Git { url, branch, token, ca } => NewSource::Git { url, branch, token: token.map(|token| token.0), ca },
            SourceForm::Hosted { provider, path, branch } => NewSource::Hosted { provider, path, branch },
            SourceForm::Create { provider, owner, repository } => NewSource::NewRepository { provider, owner, name: repository },
            SourceForm::Images { images } => NewSource::Images(images),
        };
        let values = |secrets: BTreeMap<VariableName, SecretValue>| secrets.into_iter().map(|(name, value)| (name, value.0)).collect();
        let mut new = Self::new(form.name, source);
        (new.build, new.containers, new.runtime) = (form.build, form.containers, form.runtime);
        (new.release_command, new.strategy) = (form.release_command, form.strategy);
        new.build_secrets = values(form.build_secrets);
        new.container_secrets = form.container_secrets.into_iter().map(|(name, secrets)| (name, values(secrets))).collect();
        new.drain_seconds = form.drain_seconds.unwrap_or(new.drain_seconds);
        new.stop_seconds = form.stop_seconds.unwrap_or(new.stop_seconds);
        new.start_seconds = form.start_seconds.unwrap_or(new.start_seconds);
        check_seconds(new.drain_seconds, new.stop_seconds, new.start_seconds)?;
        Ok(new)
    }
}

impl From<NewService> for RegisterService {
    fn from(new: NewService) -> Self {
        let source = match new.source {
            NewSource::Git { url, branch, token, ca } => SourceForm::Git { url, branch, token: token.map(SecretValue), ca },
            NewSource::Hosted { provider, path, branch } => SourceForm::Hosted { provider, path, branch },
            NewSource::NewRepository { provider, owner, name } => SourceForm::Create { provider, owner, repository: name },
            NewSource::Images(images) => SourceForm::Images { images },
        };
        let values =
            |secrets: BTreeMap<VariableName, kiwi_core::secret::SecretString>| secrets.into_iter().map(|(name, value)| (name, SecretValue(value))).collect();
        Self {
            name: new.name,
            source,
            build: new.build,
            build_secrets: values(new.build_secrets),
            containers: new.containers,
            container_secrets: new.container_secrets.into_iter().map(|(name, secrets)| (name, values(secrets))).collect(),
            runtime: new.runtime,
            release_command: new.release_command,
            strategy: new.strategy,
            drain_seconds: Some(new.drain_seconds),
            stop_seconds: Some(new.stop_seconds),
            start_seconds: Some(new.start_seconds),
        }
    }
}
