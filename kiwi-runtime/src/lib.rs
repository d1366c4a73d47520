//! Builders, runtimes and image registries of Kiwi.
//!
//! Each provider is a feature and a module; none names another.

#[cfg(feature = "docker")]
pub mod docker;
#[cfg(any(feature = "docker", feature = "kubernetes"))]
mod feed;
mod hash;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(any(feature = "docker", feature = "kubernetes"))]
mod labels;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(any(feature = "docker", feature = "kubernetes"))]
mod variables;
