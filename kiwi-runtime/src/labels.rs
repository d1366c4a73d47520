//! The labels that say the same on an engine and in a cluster.

pub(crate) const INSTALLATION: &str = "kiwi.dev/installation";
pub(crate) const SERVICE: &str = "kiwi.dev/service";
pub(crate) const SERVICE_ID: &str = "kiwi.dev/service-id";
pub(crate) const ENVIRONMENT: &str = "kiwi.dev/environment";
pub(crate) const CONTAINER: &str = "kiwi.dev/container";
pub(crate) const REVISION: &str = "kiwi.dev/revision";
/// A hash of everything that a container is made from, so that one that changes in nothing is kept.
pub(crate) const SPECIFICATION: &str = "kiwi.dev/specification";
pub(crate) const RUN: &str = "kiwi.dev/run";
pub(crate) const ROLE: &str = "kiwi.dev/role";
/// The fence of who changed a workload last.
pub(crate) const EPOCH: &str = "kiwi.dev/epoch";
