//! Cargo. Its lockfile also has what other features and platforms need; nobody can tell that without building.

use super::Contents;
use crate::sca::Ecosystem::CratesIo;
use std::str::FromStr as _;

/// `Cargo.lock` of every version.
pub(super) fn cargo(text: &str) -> Result<Contents, String> {
    let file = cargo_lock::Lockfile::from_str(text).map_err(|error| format!("it is malformed: {}", error.to_string().lines().next().unwrap_or_default()))?;
    let mut contents = Contents::default();
    for package in &file.packages {
        match &package.source {
            // The project's own.
            None => {}
            Some(source) if source.is_default_registry() => contents.add(CratesIo, package.name.as_str(), package.version.to_string(), false),
            Some(source) if source.is_git() => contents.unknown.push(format!("{} comes from a repository", package.name)),
            Some(_) => contents.unknown.push(format!("{} comes from a registry of its own", package.name)),
        }
    }
    Ok(contents)
}
