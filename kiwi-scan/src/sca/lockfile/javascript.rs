//! npm, yarn and bun.

use super::origin::elsewhere;
use super::{Contents, json, unknown_version};
use crate::sca::Ecosystem::Npm;
use kiwi_core::jsonc;
use serde_json::Value;

/// `package-lock.json` of npm 5 and newer (<https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>).
pub(super) fn package_lock(text: &str) -> Result<Contents, String> {
    let file = json(text)?;
    let mut contents = Contents::default();
    match file["lockfileVersion"].as_u64() {
        Some(2 | 3) => {
            let packages = file["packages"].as_object().ok_or("it has no packages")?;
            for (place, package) in packages {
                // The project itself, its workspaces and the links to them.
                let Some((_, from_path)) = place.rsplit_once("node_modules/") else { continue };
                let (name, resolved) = (package["name"].as_str().unwrap_or(from_path), package["resolved"].as_str());
                if package["link"] == true {
                    contents.links.push((name.to_owned(), resolved.unwrap_or_default().to_owned()));
                    continue;
                }
                // What is `devOptional` is an optional dependency of production, too.
                match (package["version"].as_str(), resolved.and_then(elsewhere)) {
                    (_, Some(place)) => contents.unknown.push(format!("{name} comes from {place}")),
                    (Some(version), None) => contents.add_from(Npm, name, version, package["dev"] == true, resolved),
                    (None, None) => contents.unknown.push(format!("{name} has no version")),
                }
            }
        }
        Some(1) => nested(&file["dependencies"], &mut contents),
        None if file["dependencies"].is_object() => nested(&file["dependencies"], &mut contents),
        None => return Err("it has no lockfileVersion".to_owned()),
        Some(other) => return Err(unknown_version(other)),
    }
    Ok(contents)
}

fn nested(dependencies: &Value, contents: &mut Contents) {
    for (name, package) in dependencies.as_object().into_iter().flatten() {
        let version = package["version"].as_str().unwrap_or_default();
        let resolved = package["resolved"].as_str();
        // `npm:other@1.0` is another package under this name; a URL is no version.
        match version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')) {
            Some((real, version)) => contents.add_from(Npm, real, version, package["dev"] == true, resolved),
            None => match elsewhere(version).or_else(|| resolved.and_then(elsewhere)) {
                Some(place) => contents.unknown.push(format!("{name} comes from {place}")),
                None => contents.add_from(Npm, name, version, package["dev"] == true, resolved),
            },
        }
        nested(&package["dependencies"], contents);
    }
}

/// `yarn.lock` of yarn 1 and of yarn 2 and newer. Neither says what is for development.
pub(super) fn yarn(text: &str) -> Result<Contents, String> {
    let mut contents = Contents::default();
    if !text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        return Ok(contents);
    }
    let file = yarn_lock_parser::parse_str(text).map_err(|error| format!("it is malformed: {error}"))?;
    for entry in &file.entries {
        // A workspace is the project itself.
        let own = entry.version == "0.0.0-use.local" || entry.descriptors.iter().any(|(_, range)| range.starts_with("workspace:"));
        if own {
            continue;
        }
        let alias = entry.descriptors.iter().find_map(|(_, range)| range.strip_prefix("npm:")?.get(1..)?.rfind('@').map(|at| &range[4..=at + 4]));
        let range = entry.descriptors.iter().find_map(|(_, range)| of_range(range));
        match range.or_else(|| of_resolved(entry.name, entry.resolved)) {
            Some(place) => contents.unknown.push(format!("{} comes from {place}", entry.name)),
            None => contents.add_from(Npm, alias.unwrap_or(entry.name), entry.version, false, place(entry.resolved)),
        }
    }
    Ok(contents)
}

/// Where a range of yarn's leads that is none of a registry's versions; `owner/name` is a repository of GitHub.
fn of_range(range: &str) -> Option<&'static str> {
    let is_repository =
        range.split_once('/').is_some_and(|(owner, _)| !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    match range {
        _ if range.starts_with("npm:") => None,
        // What is patched stands inside, encoded.
        _ if range.starts_with("patch:") => {
            (!range.to_lowercase().replace("%25", "%").contains("@npm%3a") && !range.contains("@npm:")).then_some("a repository")
        }
        _ if is_repository => Some("a repository"),
        _ => elsewhere(range),
    }
}

/// Where yarn 1 fetched a package, or yarn 2 and newer resolved it to behind its name. A bare name is of an archive that is kept offline.
fn of_resolved(name: &str, resolved: &str) -> Option<&'static str> {
    match resolved.strip_prefix(name).and_then(|rest| rest.strip_prefix('@')) {
        Some(range) => of_range(range.split("::").next().unwrap_or(range)),
        None => elsewhere(resolved),
    }
}

/// Yarn 1 says the URL, yarn 2 and newer `NAME@npm:VERSION`, or what it patches, with the URL appended where that is not the default registry's.
fn place(resolved: &str) -> Option<&str> {
    let is_newer = resolved.contains("@npm:") || resolved.contains("@patch:");
    let is_default = resolved.is_empty() || is_newer && !resolved.contains("__archiveUrl=");
    (!is_default).then_some(resolved)
}

/// `bun.lock`, which is JSON with comments and commas at the ends (<https://bun.sh/docs/install/lockfile>).
pub(super) fn bun(text: &str) -> Result<Contents, String> {
    let file = json(&jsonc::strict(text))?;
    match file["lockfileVersion"].as_u64() {
        Some(0 | 1) => {}
        Some(other) => return Err(unknown_version(other)),
        None => return Err("it has no lockfileVersion".to_owned()),
    }
    let mut contents = Contents::default();
    for (key, package) in file["packages"].as_object().into_iter().flatten() {
        let Some(resolved) = package[0].as_str() else { continue };
        // The first, but for the scope's: a place may have one too.
        let Some(at) = resolved.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1) else { continue };
        let (name, version) = (&resolved[..at], &resolved[at + 1..]);
        if version.starts_with("workspace:") {
            continue;
        }
        if let Some(place) = version.strip_prefix("link:") {
            contents.links.push((name.to_owned(), place.to_owned()));
            continue;
        }
        match elsewhere(version) {
            Some(place) => contents.unknown.push(format!("{key} comes from {place}")),
            None => contents.add_from(Npm, name, version, false, package[1].as_str().filter(|registry| !registry.is_empty())),
        }
    }
    Ok(contents)
}
