//! NuGet.

use super::{Contents, json, unknown_version};
use crate::sca::Ecosystem::NuGet;

/// `packages.lock.json` (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies>).
pub(super) fn packages(text: &str) -> Result<Contents, String> {
    let file = json(text)?;
    match file["version"].as_u64() {
        Some(1 | 2) => {}
        Some(other) => return Err(unknown_version(other)),
        None => return Err("it has no version".to_owned()),
    }
    let mut contents = Contents::default();
    for framework in file["dependencies"].as_object().into_iter().flat_map(|all| all.values()) {
        for (name, package) in framework.as_object().into_iter().flatten() {
            // A project of the same solution has no version of a registry.
            if package["type"] == "Project" {
                continue;
            }
            match package["resolved"].as_str() {
                Some(version) => contents.add(NuGet, name, version, false),
                None => contents.unknown.push(format!("{name} has no resolved version")),
            }
        }
    }
    Ok(contents)
}
