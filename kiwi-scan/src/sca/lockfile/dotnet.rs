//! NuGet.

use super::{Contents, json, unknown_version, xml};
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

/// `packages.config` of older projects, which has exact versions (<https://learn.microsoft.com/nuget/reference/packages-config>).
pub(super) fn config(text: &str) -> Result<Contents, String> {
    let document = xml(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "packages" {
        return Err("it is no list of packages".to_owned());
    }
    let mut contents = Contents::default();
    for package in root.children().filter(|node| node.is_element()) {
        match (package.attribute("id"), package.attribute("version")) {
            (Some(name), Some(version)) => contents.add(NuGet, name, version, package.attribute("developmentDependency") == Some("true")),
            (name, _) => contents.unknown.push(format!("{} has no version", name.unwrap_or("a package"))),
        }
    }
    Ok(contents)
}
