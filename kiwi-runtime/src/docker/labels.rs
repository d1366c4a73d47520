//! The labels of everything that Kiwi makes on an engine, and the names derived from them.

use crate::hash::sha256;
use kiwi_core::domain::{ContainerName, RunId};
use kiwi_core::provider::Workload;
use std::collections::HashMap;

pub(super) use crate::labels::{CONTAINER, ENVIRONMENT, EPOCH, INSTALLATION, REVISION, ROLE, RUN, SERVICE, SERVICE_ID, SPECIFICATION};

pub(super) const OWNER: &str = "kiwi.dev/owner";

/// What a container of Kiwi's is for.
pub(super) mod role {
    pub(in crate::docker) const REPLICA: &str = "replica";
    pub(in crate::docker) const CANDIDATE: &str = "candidate";
    pub(in crate::docker) const TASK: &str = "task";
    pub(in crate::docker) const LOCK: &str = "lock";
    pub(in crate::docker) const GATEWAY: &str = "gateway";
}

/// The labels of a thing that belongs to a workload.
pub(super) fn of(workload: &Workload) -> HashMap<String, String> {
    [
        (INSTALLATION, workload.installation.as_str()),
        (SERVICE, workload.name.as_str()),
        (SERVICE_ID, workload.service.as_str()),
        (ENVIRONMENT, workload.environment.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A filter for things of a workload.
pub(super) fn filter(workload: &Workload) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), of(workload).into_iter().map(|(name, value)| format!("{name}={value}")).collect())])
}

/// The part that every name of a workload shares.
pub(super) fn stem(workload: &Workload) -> String {
    format!("kiwi-{}-{}", workload.name, workload.environment)
}

pub(super) fn replica(workload: &Workload, container: &ContainerName, revision: u64, index: u32) -> String {
    format!("{}-{container}-r{revision}-{index}", stem(workload))
}

pub(super) fn task(run: &RunId, purpose: &str) -> String {
    format!("kiwi-task-{run}-{purpose}")
}

/// The name under which the classic builder's images belong to an installation.
pub(super) fn own_images(installation: &str) -> String {
    format!("kiwi.local/built-by-{installation}")
}

/// Volumes belong to service, environment and container, not to a release: they outlive all of them.
pub(super) fn volume(workload: &Workload, container: &ContainerName, mount_path: &str) -> String {
    let place: String = mount_path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    // Two paths may look alike after the replacement; the hash keeps them apart.
    format!("{}-{container}{}-{}", stem(workload), place.trim_end_matches('-'), &sha256(mount_path)[..8])
}
