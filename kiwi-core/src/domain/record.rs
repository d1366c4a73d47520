//! Records of an organization's runtimes and registries.

use super::{ClusterSettings, Host, Port, RegistryName, RuntimeName, SecretId};
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A registered place where containers run and images are built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuntimeSettings {
    /// Its name.
    pub name: RuntimeName,
    /// How to reach it.
    #[serde(flatten)]
    pub kind: RuntimeKind,
}

/// The kinds of runtime, with what each needs to be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum RuntimeKind {
    /// A Docker Engine.
    Docker {
        /// Its address, `unix:///path` or `tcp://host:port`; the machine's default socket when absent.
        engine: Option<String>,
    },
    /// A Kubernetes cluster.
    Kubernetes {
        /// The kubeconfig file; the machine's default, or the pod's own account, when absent.
        kubeconfig: Option<String>,
        /// The context within it; the current one when absent.
        context: Option<String>,
        /// What a person decided about it.
        #[serde(default)]
        cluster: Box<ClusterSettings>,
    },
}

impl RuntimeKind {
    /// The kind as people type it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Docker { .. } => "docker",
            Self::Kubernetes { .. } => "kubernetes",
        }
    }
}

/// A registered image registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrySettings {
    /// Its name.
    pub name: RegistryName,
    /// Where it is.
    pub address: RegistryAddress,
    /// The user name, when it needs one.
    pub username: Option<String>,
    /// Where the store keeps the password or token.
    pub password: Option<SecretId>,
    /// Whether plain HTTP is allowed.
    pub insecure: bool,
}

/// `HOST[:PORT][/PATH]`: a registry, and where in it Kiwi's repositories live.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryAddress {
    host: String,
    path: String,
}

super::schema::string_schema!(RegistryAddress);

impl RegistryAddress {
    /// The host with its port, as image references begin.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The prefix of repository names; empty when they start at the root.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for RegistryAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let hint = "give HOST[:PORT][/PATH], such as registry.example.com/team";
        let fail = |problem: &str| ValueError::new("registry address", text, problem, hint);
        if text.contains('@') {
            return Err(ValueError::new("registry address", "", "contains credentials", "give them with --username and --password-stdin"));
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text).trim_end_matches('/');
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "443"));
        name.parse::<Host>().map_err(|_| fail("has no legal host"))?;
        port.parse::<Port>().map_err(|_| fail("has no legal port"))?;
        // A reference with this host and path is legal exactly when the address is.
        let probe = if path.is_empty() { format!("{host}/x") } else { format!("{host}/{path}/x") };
        probe.parse::<super::ImageReference>().map_err(|_| fail("has a path that no image name can have"))?;
        Ok(Self { host: host.to_owned(), path: path.to_owned() })
    }
}

impl TryFrom<String> for RegistryAddress {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<RegistryAddress> for String {
    fn from(address: RegistryAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for RegistryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if !self.path.is_empty() {
            write!(f, "/{}", self.path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_host_port_and_path() {
        let address: RegistryAddress = "https://Registry:5000/team/a/".to_lowercase().parse().unwrap();
        assert_eq!((address.host(), address.path()), ("registry:5000", "team/a"));
        for text in ["", "/", "a b", "host:0", "host:x", "u:p@host", "host/UPPER", "host//a", "-host"] {
            assert!(text.parse::<RegistryAddress>().is_err(), "{text:?}");
        }
    }
}
