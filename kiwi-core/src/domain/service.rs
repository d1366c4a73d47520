//! What a person registers.

use super::text::text_value;
use super::{
    Branch, ContainerName, EnvironmentName, GitUrl, Host, ImageReference, IngressPath, OrganizationId, Port, Protocol, RegistryName, Replicas, RepositoryLink,
    RuntimeName, SecretId, ServiceId, ServiceName, Strategy, TagRule, Timestamp, VariableName, Variables, Volume,
};
use crate::error::{Error, Result, ValueError};
use crate::wizard::Choices;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A registered thing to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Service {
    /// Its id, which never changes.
    pub id: ServiceId,
    /// Who owns it.
    pub organization: OrganizationId,
    /// Its name, unique in the organization.
    pub name: ServiceName,
    /// Where it comes from.
    pub source: Source,
    /// How its image is made.
    pub build: BuildSettings,
    /// What runs.
    pub containers: Vec<ContainerSpec>,
    /// Where it runs, when an environment says nothing else.
    pub runtime: RuntimeName,
    /// A command that runs with the new image and variables before the switch, such as a migration.
    pub release_command: Option<String>,
    /// How versions are replaced.
    pub strategy: Strategy,
    /// How long old replicas may finish what they are doing, in seconds.
    pub drain_seconds: u32,
    /// How long a stopped container may take to end, in seconds.
    pub stop_seconds: u32,
    /// How long a new replica may take to answer, in seconds.
    pub start_seconds: u32,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Where a service comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A branch of a git repository.
    Git {
        /// Whose API knows the repository.
        provider: GitProviderKind,
        /// Where it is fetched from.
        repository: GitUrl,
        /// What is delivered.
        branch: Branch,
        /// Where the store keeps the token of a private repository.
        token: Option<SecretId>,
        /// A CA certificate (PEM) of the server, beyond those of the machine.
        ca: Option<String>,
        /// The repository at its host, when the host has an API; token and CA are then the organization's.
        #[serde(default)]
        link: Option<RepositoryLink>,
    },
    /// Ready images, one for each container.
    Images(BTreeMap<ContainerName, ImageReference>),
}

/// Which API knows a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum GitProviderKind {
    /// None: the URL is all there is.
    Url,
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
}

impl GitProviderKind {
    /// The provider as people type it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
        }
    }

    /// The provider as people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Url => "git URL",
            Self::Github => "GitHub",
            Self::Gitlab => "GitLab",
        }
    }
}

impl std::str::FromStr for GitProviderKind {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "github" => Ok(Self::Github),
            "gitlab" => Ok(Self::Gitlab),
            _ => Err(ValueError::new("provider", text, "is not known", "choose github or gitlab")),
        }
    }
}

text_value!(
    /// A path inside a repository: relative, without `..`.
    RepositoryPath,
    parse_path
);

fn parse_path(text: &str) -> Result<String, ValueError> {
    let fail = |problem: &str| Err(ValueError::new("repository path", text, problem, "give a path inside the repository, such as \"deploy/Dockerfile\""));
    if text.is_empty() || text.len() > 1024 {
        return fail("is empty or longer than 1024 characters");
    }
    if text.starts_with(['/', '-', '~']) || text.contains('\\') || text.chars().any(char::is_control) {
        return fail("starts with '/', '-' or '~', or contains a backslash or a control character");
    }
    if text.split('/').any(|part| part == "..") {
        return fail("leads out of the repository");
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.first().is_some_and(|first| first.eq_ignore_ascii_case(".git")) {
        return fail("lies in git's own directory");
    }
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// How the image of a git service is made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BuildSettings {
    /// Which Dockerfile.
    pub dockerfile: DockerfileChoice,
    /// What the Build Wizard is told, when it makes the Dockerfile.
    pub wizard: Choices,
    /// The directory that is sent to the builder; the root of the repository when absent.
    pub context: Option<RepositoryPath>,
    /// The stage to build; the last one when absent.
    pub target: Option<String>,
    /// Build arguments. They enter the image's history: never a secret.
    pub arguments: BTreeMap<VariableName, String>,
    /// Build secrets by id, for `RUN --mount=type=secret`; they never enter a layer.
    pub secrets: BTreeMap<VariableName, SecretId>,
    /// Where images are pushed; none when builder and runtime are one engine.
    pub registry: Option<RegistryName>,
    /// The repository's name within the registry; the service's name when absent.
    pub image_name: Option<String>,
    /// How published images are tagged.
    pub tag_rule: TagRule,
    /// The runtime that builds; the one that runs the service when absent.
    pub runtime: Option<RuntimeName>,
    /// How the image is tested before it is published.
    pub test: Option<TestSettings>,
}

/// Which Dockerfile builds a service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DockerfileChoice {
    /// `Dockerfile`, or `Containerfile`, at the root of the context; the Build Wizard's when there is none.
    #[default]
    Auto,
    /// The Build Wizard's, even when the repository has one.
    Wizard,
    /// This file of the repository.
    Path(RepositoryPath),
    /// This text, which is not in the repository.
    Text(String),
}

/// How an image is tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TestSettings {
    /// A shell command in the built image.
    Command(String),
    /// A stage of the Dockerfile that must build.
    Target(String),
}

/// One container of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContainerSpec {
    /// Its name, by which the other containers of the service reach it.
    pub name: ContainerName,
    /// The port it listens on; none for a worker.
    pub port: Option<Port>,
    /// What the port speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// The path that answers 2xx or 3xx when the container is well; connecting is enough when absent.
    pub health: Option<IngressPath>,
    /// Variables in every environment.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, super::Variable>))]
    pub variables: Variables,
    /// What it keeps beyond its own life.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// The path it is routed by.
    pub ingress_path: Option<IngressPath>,
    /// Whether it is reachable from the other containers only.
    #[serde(default)]
    pub is_internal: bool,
    /// The host name it is routed by, on port 80 of the gateway.
    pub host: Option<Host>,
    /// The port of the gateway that it keeps; one is chosen when absent.
    pub publish: Option<Port>,
    /// Its own number of replicas.
    pub replicas: Option<Replicas>,
}

impl ContainerSpec {
    /// A container that listens nowhere and keeps nothing.
    pub fn new(name: ContainerName) -> Self {
        Self {
            name,
            port: None,
            protocol: Protocol::Http,
            health: None,
            variables: Variables::new(),
            volumes: Vec::new(),
            ingress_path: None,
            is_internal: false,
            host: None,
            publish: None,
            replicas: None,
        }
    }
}

impl ContainerSpec {
    /// Checks containers of one service against each other; `built` says that one image is built for them.
    pub fn validate_together(all: &[Self], built: bool) -> Result<()> {
        let fail = |message: String| Err(Error::invalid("service", message));
        if built && all.len() != 1 {
            return fail("a git service has exactly one container, which runs the built image".into());
        }
        if all.is_empty() {
            return fail("a service needs at least one container".into());
        }
        let (mut names, mut published, mut routes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for container in all {
            if !names.insert(&container.name) {
                return fail(format!("two containers are called {}", container.name));
            }
            if container.port.is_none()
                && (container.publish.is_some() || container.host.is_some() || container.ingress_path.is_some() || container.health.is_some())
            {
                return fail(format!("container {} has a route or a health path but no port", container.name));
            }
            if container.is_internal && (container.publish.is_some() || container.host.is_some() || container.ingress_path.is_some()) {
                return fail(format!("container {} is internal and cannot have a route", container.name));
            }
            if container.protocol == Protocol::Tcp && (container.health.is_some() || container.host.is_some() || container.ingress_path.is_some()) {
                return fail(format!("container {} speaks tcp and cannot have a health path, a host or an ingress path", container.name));
            }
            if container.publish.is_some_and(|port| !published.insert(port)) {
                return fail(format!("two containers publish port {}", container.publish.map(Port::number).unwrap_or_default()));
            }
            if container.host.is_some() && !routes.insert((&container.host, &container.ingress_path)) {
                return fail(format!("two containers have the route of container {}", container.name));
            }
            let mut mounts = BTreeSet::new();
            if let Some(volume) = container.volumes.iter().find(|volume| !mounts.insert(&volume.mount_path)) {
                return fail(format!("container {} mounts two volumes at {}", container.name, volume.mount_path));
            }
        }
        Ok(())
    }
}

impl Service {
    /// Checks what no single value can: the parts against each other.
    pub fn validate(&self) -> Result<()> {
        ContainerSpec::validate_together(&self.containers, matches!(self.source, Source::Git { .. }))?;
        match &self.source {
            Source::Images(images) if !images.keys().eq(self.containers.iter().map(|container| &container.name).collect::<BTreeSet<_>>()) => {
                Err(Error::invalid("service", "each container of an image service needs exactly one image"))
            }
            _ => Ok(()),
        }
    }
}

impl Service {
    /// The Kubernetes namespace that an environment gets when nobody names one: of a GitHub service the service's name, which is what its
    /// people look for; of others one that no other environment has.
    pub fn default_namespace(&self, environment: EnvironmentName) -> String {
        match &self.source {
            Source::Git { provider: GitProviderKind::Github, .. } => self.name.to_string(),
            _ => format!("{}-{environment}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_github_service_s_namespace_is_called_like_it() {
        let mut service = Service {
            id: ServiceId::generate(),
            organization: OrganizationId::default(),
            name: "shop".parse().unwrap(),
            source: Source::Images(BTreeMap::new()),
            build: BuildSettings::default(),
            containers: Vec::new(),
            runtime: "k8s".parse().unwrap(),
            release_command: None,
            strategy: crate::domain::Strategy::Rolling,
            drain_seconds: 30,
            stop_seconds: 10,
            start_seconds: 60,
            created_at: Timestamp::now(),
        };
        assert_eq!(service.default_namespace(EnvironmentName::Staging), "shop-staging");
        let repository = "https://github.com/team/shop.git".parse().unwrap();
        let link = Some(RepositoryLink { id: 1, path: "team/shop".to_owned() });
        service.source = Source::Git { provider: GitProviderKind::Github, repository, branch: "main".parse().unwrap(), token: None, ca: None, link };
        assert_eq!(service.default_namespace(EnvironmentName::Staging), "shop");
    }

    #[test]
    fn a_path_stays_in_the_repository() {
        for text in ["", "/etc/passwd", "../../etc/passwd", "a/../../b", "-f", "~/x", "a\\b", ".git/config", "a\0b"] {
            assert!(text.parse::<RepositoryPath>().is_err(), "{text:?}");
        }
        assert_eq!("./a//b/".parse::<RepositoryPath>().unwrap().as_str(), "a/b");
    }

    proptest! {
        #[test]
        fn no_accepted_path_has_a_parent_segment(text in "[a-z./\\\\~-]{0,20}") {
            if let Ok(path) = text.parse::<RepositoryPath>() {
                prop_assert!(!path.as_str().starts_with('/') && path.as_str().split('/').all(|part| part != ".."));
            }
        }
    }
}
