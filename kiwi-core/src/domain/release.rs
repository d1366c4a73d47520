//! What is deployed: image digests plus the complete configuration.

use super::{
    CommitSha, ContainerName, Digest, EnvironmentName, Host, ImageReference, IngressPath, OrganizationId, Port, Protocol, RegistryName, Replicas, Resources,
    RunId, RuntimeName, ServiceId, ServiceName, Timestamp, Variables, Volume,
};
use serde::{Deserialize, Serialize};

/// An immutable deployable. A rollback re-applies one; nothing is rebuilt and git is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Release {
    /// The service.
    pub service: ServiceId,
    /// The service's name.
    pub service_name: ServiceName,
    /// The owner.
    pub organization: OrganizationId,
    /// The environment.
    pub environment: EnvironmentName,
    /// Counts the releases of the service in the environment, from 1.
    pub revision: u64,
    /// The commit that was built, for git services.
    pub commit: Option<CommitSha>,
    /// The run that built the images.
    pub built_by: Option<RunId>,
    /// Where it runs.
    pub runtime: RuntimeName,
    /// The Kubernetes namespace, when one was chosen.
    pub namespace: Option<ServiceName>,
    /// What runs.
    pub containers: Vec<ReleaseContainer>,
    /// The command before the switch.
    pub release_command: Option<String>,
    /// How it replaces the release before.
    pub rollout: Rollout,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One container of a release, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReleaseContainer {
    /// Its name.
    pub name: ContainerName,
    /// What runs in it, exactly.
    pub image: ImagePin,
    /// The port it listens on.
    pub port: Option<Port>,
    /// What the port speaks.
    pub protocol: Protocol,
    /// The path that says it is well.
    pub health: Option<IngressPath>,
    /// Every variable, those of service and environment joined.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, super::Variable>))]
    pub variables: Variables,
    /// Its volumes.
    pub volumes: Vec<Volume>,
    /// The path it is routed by.
    pub ingress_path: Option<IngressPath>,
    /// Whether only its siblings reach it.
    pub is_internal: bool,
    /// The host it is routed by.
    pub host: Option<Host>,
    /// The gateway port that was asked for.
    pub publish: Option<Port>,
    /// How many run.
    pub replicas: Replicas,
    /// What each gets.
    pub resources: Resources,
}

impl ReleaseContainer {
    /// Whether one port of the gateway leads to it.
    pub fn is_exposed(&self) -> bool {
        self.port.is_some() && !self.is_internal
    }

    /// Whether versions must be replaced one after the other, and why.
    pub fn recreate_reason(&self, strategy: Strategy) -> Option<&'static str> {
        if !self.volumes.is_empty() {
            Some("it has a volume that only one replica may hold")
        } else if strategy == Strategy::Recreate {
            Some("the service asks for it")
        } else {
            None
        }
    }
}

/// Exactly one image content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ImagePin {
    /// Content of a registry.
    Registry {
        /// The name a person gave it, with its tag.
        reference: ImageReference,
        /// The content.
        digest: Digest,
        /// Whose credentials pull it.
        registry: Option<RegistryName>,
    },
    /// An image that exists only on the engine that built it.
    Local {
        /// The name a person gave it, with its tag.
        reference: ImageReference,
        /// The image id.
        id: Digest,
    },
}

impl ImagePin {
    /// The name a person knows the image by.
    pub fn reference(&self) -> &ImageReference {
        match self {
            Self::Registry { reference, .. } | Self::Local { reference, .. } => reference,
        }
    }

    /// The digest, or the image id of a local image.
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Registry { digest, .. } => digest,
            Self::Local { id, .. } => id,
        }
    }

    /// The same content under another tag.
    #[must_use]
    pub fn with_reference(&self, name: ImageReference) -> Self {
        match self.clone() {
            Self::Registry { digest, registry, .. } => Self::Registry { reference: name, digest, registry },
            Self::Local { id, .. } => Self::Local { reference: name, id },
        }
    }

    /// What an engine is asked to run: never a tag.
    pub fn exact(&self) -> String {
        match self {
            Self::Registry { reference, digest, .. } => reference.with_digest(digest.clone()).to_string(),
            Self::Local { id, .. } => id.to_string(),
        }
    }
}

/// How a release replaces the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rollout {
    /// Side by side, or one after the other.
    pub strategy: Strategy,
    /// How long old replicas may finish what they are doing, in seconds.
    pub drain_seconds: u32,
    /// How long a stopped container may take to end, in seconds.
    pub stop_seconds: u32,
    /// How long a new replica may take to answer, in seconds.
    pub start_seconds: u32,
}

/// Side by side, or one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// New replicas answer before old ones leave: no request is lost.
    #[default]
    Rolling,
    /// Old replicas leave first: there is a gap.
    Recreate,
}

impl std::str::FromStr for Strategy {
    type Err = crate::error::ValueError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "rolling" => Ok(Self::Rolling),
            "recreate" => Ok(Self::Recreate),
            _ => Err(crate::error::ValueError::new("strategy", text, "does not exist", "choose rolling or recreate")),
        }
    }
}
