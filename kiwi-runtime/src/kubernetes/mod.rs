//! Kubernetes. For now a cluster can be registered and checked; releases follow.

mod runtime;

pub use runtime::{KubernetesConfig, KubernetesRuntime};
