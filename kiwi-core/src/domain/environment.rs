//! Environments: presets of replicas and resources, and what people changed in them.

use super::{Cpu, Gate, Memory, Replicas, Request, Resources, RuntimeName, ServiceId, ServiceName, Variables};
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a service runs; each is a preset that the settings of a service may override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentName {
    /// One replica with low resources.
    #[default]
    Development,
    /// Like production.
    Staging,
    /// Two replicas with sufficient resources.
    Production,
}

impl EnvironmentName {
    /// Every environment.
    pub const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    /// The name as people type it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The replicas of a container without a volume.
    pub fn replicas(self) -> Replicas {
        match self {
            Self::Development => Replicas::ONE,
            Self::Staging | Self::Production => Replicas::TWO,
        }
    }

    /// The rule over scans. Development only reports: people try things there, and what is found is said where it costs nothing to mend it.
    pub fn gate(self) -> Gate {
        Gate { report_only: self == Self::Development, ..Gate::default() }
    }

    /// The resources of one replica.
    pub fn resources(self) -> Resources {
        let (cpu, memory) = match self {
            Self::Development => (["100m", "500m"], ["64Mi", "256Mi"]),
            Self::Staging | Self::Production => (["250m", "1"], ["256Mi", "1Gi"]),
        };
        Resources { cpu: preset::<Cpu>(cpu), memory: preset::<Memory>(memory) }
    }
}

/// The presets above are literals, and a test reads every one of them.
fn preset<T: FromStr<Err = ValueError>>([request, limit]: [&str; 2]) -> Request<T> {
    let read = |text: &str| text.parse().unwrap_or_else(|_| unreachable!("a preset is a legal amount"));
    Request { request: read(request), limit: read(limit) }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for EnvironmentName {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| ValueError::new("environment", text, "does not exist", "choose development, staging or production"))
    }
}

/// What was chosen for one service in one environment; it holds for every later deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentSettings {
    /// The service.
    pub service: ServiceId,
    /// The environment.
    pub environment: EnvironmentName,
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
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, super::Variable>))]
    pub variables: Variables,
    /// Another rule over scans than the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
}

impl EnvironmentSettings {
    /// The preset alone.
    pub fn preset(service: ServiceId, environment: EnvironmentName) -> Self {
        Self { service, environment, runtime: None, namespace: None, replicas: None, cpu: None, memory: None, variables: Variables::new(), gate: None }
    }

    /// The replicas that a container without a volume gets.
    pub fn effective_replicas(&self) -> Replicas {
        self.replicas.unwrap_or_else(|| self.environment.replicas())
    }

    /// The resources that a replica gets.
    pub fn effective_resources(&self) -> Resources {
        let preset = self.environment.resources();
        Resources { cpu: self.cpu.clone().unwrap_or(preset.cpu), memory: self.memory.clone().unwrap_or(preset.memory) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_legal_and_production_survives_a_loss() {
        for name in EnvironmentName::ALL {
            let resources = name.resources();
            assert!(resources.cpu.request.millis() <= resources.cpu.limit.millis());
            assert!(resources.memory.request.bytes() <= resources.memory.limit.bytes());
        }
        assert!(EnvironmentName::Production.replicas() >= Replicas::TWO);
        assert_eq!(EnvironmentName::Staging.resources(), EnvironmentName::Production.resources());
    }
}
