//! What a person decides about a Kubernetes cluster when it is registered.

use super::{ImageReference, Memory, ServiceName};
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Settings of a cluster. What is absent is the cluster's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ClusterSettings {
    /// The Gateway that routes are attached to; routes are Ingresses where none is named.
    pub gateway: Option<GatewayName>,
    /// The class of Ingresses.
    pub ingress_class: Option<String>,
    /// The class of volumes.
    pub storage_class: Option<String>,
    /// The namespace of builds; [`BUILD_NAMESPACE`](Self::BUILD_NAMESPACE) when absent.
    pub build_namespace: Option<ServiceName>,
    /// The image of Kaniko's executor; [`KANIKO_IMAGE`](Self::KANIKO_IMAGE) when absent.
    pub kaniko_image: Option<ImageReference>,
    /// The image that carries files into tasks and out of them, with `sh`, `kill`, `sleep` and `tar`; [`HELPER_IMAGE`](Self::HELPER_IMAGE) when absent.
    #[serde(default)]
    pub helper_image: Option<ImageReference>,
    /// The memory limit of a build; [`BUILD_MEMORY`](Self::BUILD_MEMORY) when absent.
    pub build_memory: Option<Memory>,
    /// Registries that a build asks first for images of Docker Hub, as a host with or without a port.
    pub mirrors: Vec<String>,
}

impl ClusterSettings {
    /// Where builds run when nobody says otherwise.
    pub const BUILD_NAMESPACE: &str = "kiwi-builds";
    /// The maintained fork of Kaniko (<https://github.com/osscontainertools/kaniko>).
    pub const KANIKO_IMAGE: &str = "ghcr.io/osscontainertools/kaniko:v1.28.3";
    /// A few common programs in four megabytes.
    pub const HELPER_IMAGE: &str = "docker.io/library/busybox:1.37";
    /// Kaniko holds layers in memory while it takes snapshots; with less, images of a few hundred megabytes fail.
    pub const BUILD_MEMORY: &str = "4Gi";
}

/// A Gateway of the Gateway API, as `NAMESPACE/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GatewayName {
    namespace: ServiceName,
    name: ServiceName,
}

super::schema::string_schema!(GatewayName);

impl GatewayName {
    /// The namespace it is in.
    pub fn namespace(&self) -> &str {
        self.namespace.as_str()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl FromStr for GatewayName {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let fail = || ValueError::new("gateway", text, "is not NAMESPACE/NAME", "write it like \"infra/public\"");
        let (namespace, name) = text.split_once('/').ok_or_else(fail)?;
        Ok(Self { namespace: namespace.parse().map_err(|_| fail())?, name: name.parse().map_err(|_| fail())? })
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl TryFrom<String> for GatewayName {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<GatewayName> for String {
    fn from(name: GatewayName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_legal_values() {
        assert!(ClusterSettings::BUILD_NAMESPACE.parse::<ServiceName>().is_ok());
        assert!(ClusterSettings::KANIKO_IMAGE.parse::<ImageReference>().is_ok());
        assert!(ClusterSettings::BUILD_MEMORY.parse::<Memory>().is_ok());
    }

    #[test]
    fn a_gateway_has_a_namespace() {
        assert_eq!("infra/public".parse::<GatewayName>().unwrap().to_string(), "infra/public");
        for text in ["", "public", "/public", "infra/", "a/b/c", "A/b"] {
            assert!(text.parse::<GatewayName>().is_err(), "{text:?}");
        }
    }
}
