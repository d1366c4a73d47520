//! The labels of everything that Kiwi makes in a cluster, and the names derived from them.

use kiwi_core::domain::{ContainerName, RunId};
use kiwi_core::provider::Workload;
use serde_json::{Map, Value};

pub(super) use crate::hash::sha256 as hash;
pub(super) use crate::labels::{CONTAINER, ENVIRONMENT, EPOCH, INSTALLATION, REVISION, ROLE, RUN, SERVICE, SERVICE_ID, SPECIFICATION};

/// Who owns the fields that Kiwi applies.
pub(super) const MANAGER: &str = "kiwi";
/// The recommended label (<https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>), by which everything is found.
pub(super) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub(super) const ORGANIZATION: &str = "kiwi.dev/organization";
/// On a namespace that Kiwi made, and may remove.
pub(super) const CREATED: &str = "kiwi.dev/created";
pub(super) const POD_SECURITY: &str = "pod-security.kubernetes.io/enforce";

/// What an object of Kiwi's is for, where its kind does not say it.
pub(super) mod role {
    pub(in crate::kubernetes) const REPLICA: &str = "replica";
    pub(in crate::kubernetes) const CANDIDATE: &str = "candidate";
    pub(in crate::kubernetes) const VARIABLES: &str = "variables";
    pub(in crate::kubernetes) const PULL: &str = "pull";
    pub(in crate::kubernetes) const TASK: &str = "task";
    pub(in crate::kubernetes) const BUILD: &str = "build";
    pub(in crate::kubernetes) const STATE: &str = "state";
}

/// The object that says which revision is live, and the lease of who changes it.
pub(super) const STATE: &str = "kiwi-live";
pub(super) const LEASE: &str = "kiwi";
pub(super) const PULL: &str = "kiwi-pull";

/// The labels of a thing that belongs to a workload.
pub(super) fn labels(workload: &Workload, role: &str) -> Map<String, Value> {
    [
        (MANAGED_BY, MANAGER),
        ("app.kubernetes.io/name", workload.name.as_str()),
        ("app.kubernetes.io/instance", &format!("{}-{}", workload.name, workload.environment)),
        ("app.kubernetes.io/part-of", workload.name.as_str()),
        (INSTALLATION, &workload.installation),
        (SERVICE, workload.name.as_str()),
        (SERVICE_ID, workload.service.as_str()),
        (ENVIRONMENT, workload.environment.as_str()),
        (ROLE, role),
    ]
    .map(|(name, value)| (name.to_owned(), Value::from(value)))
    .into_iter()
    .collect()
}

/// What selects the things of a workload, in any namespace.
pub(super) fn selector(workload: &Workload) -> String {
    format!("{MANAGED_BY}={MANAGER},{INSTALLATION}={},{SERVICE_ID}={},{ENVIRONMENT}={}", workload.installation, workload.service, workload.environment)
}

/// At most `longest` characters; a longer name ends in a hash of all of it, so that two of them stay two.
pub(super) fn cut(name: &str, longest: usize) -> String {
    if name.len() <= longest {
        return name.to_owned();
    }
    let head: String = name.chars().take(longest - 9).collect();
    format!("{}-{}", head.trim_end_matches('-'), &hash(name)[..8])
}

/// Claims belong to the container, not to a release: they outlive all of them.
pub(super) fn claim(container: &ContainerName, mount_path: &str) -> String {
    let place: String = mount_path.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let place = place.trim_matches('-');
    cut(&format!("{container}-{place}-{}", &hash(mount_path)[..8]), 63)
}

/// The Job of a one-off command.
pub(super) fn task(run: &RunId, purpose: &str) -> String {
    cut(&format!("kiwi-task-{run}-{purpose}").to_lowercase(), 63)
}

/// The Job of a build.
pub(super) fn build(run: &RunId, purpose: &str) -> String {
    cut(&format!("kiwi-build-{run}-{purpose}").to_lowercase(), 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, two) = (format!("{}-a", "x".repeat(80)), format!("{}-b", "x".repeat(80)));
        let (first, second) = (cut(&one, 63), cut(&two, 63));
        assert!(first.len() <= 63 && second.len() <= 63 && first != second);
        assert_eq!(cut("shop", 63), "shop");
        let container: ContainerName = "a".repeat(40).parse().unwrap();
        let claims = [claim(&container, "/var/lib/Data"), claim(&container, "/var/lib/data"), claim(&container, "/var-lib/data")];
        for name in &claims {
            assert!(name.len() <= 63 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
        }
        assert!(claims[0] != claims[1] && claims[1] != claims[2]);
    }
}
