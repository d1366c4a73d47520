//! npm, pnpm, yarn and bun.

use super::{Contents, json, unknown_version, yaml};
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
                if package["link"] == true {
                    continue;
                }
                let name = package["name"].as_str().unwrap_or(from_path);
                let development = package["dev"] == true || package["devOptional"] == true;
                match package["version"].as_str() {
                    Some(version) => contents.add_from(Npm, name, version, development, package["resolved"].as_str()),
                    None => contents.unknown.push(format!("{name} has no version")),
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
        // `npm:other@1.0` is another package under this name; a URL is no version.
        match version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')) {
            Some((real, version)) => contents.add_from(Npm, real, version, package["dev"] == true, package["resolved"].as_str()),
            None if version.contains("://") || version.starts_with("file:") => contents.unknown.push(format!("{name} comes from {}", origin(version))),
            None => contents.add_from(Npm, name, version, package["dev"] == true, package["resolved"].as_str()),
        }
        nested(&package["dependencies"], contents);
    }
}

/// A place without what may be secret in it.
fn origin(text: &str) -> &str {
    text.split_once("://").map_or("a directory", |(scheme, _)| scheme)
}

/// `pnpm-lock.yaml` of pnpm 3 to 10 (<https://github.com/pnpm/spec/tree/master/lockfile>).
pub(super) fn pnpm(text: &str) -> Result<Contents, String> {
    let file = yaml(text)?;
    let version = file["lockfileVersion"].as_str().map(str::to_owned).or_else(|| file["lockfileVersion"].as_f64().map(|number| number.to_string()));
    let version = version.ok_or("it has no lockfileVersion")?;
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).ok_or_else(|| unknown_version(&version))?;
    if !(5..=9).contains(&major) {
        return Err(unknown_version(version));
    }
    let mut contents = Contents::default();
    let needed = if major == 9 { Some(reachable(&file)) } else { None };
    for (key, package) in file["packages"].as_object().into_iter().flatten() {
        let key = key.strip_prefix('/').unwrap_or(key);
        // Peers stand in brackets, or before version 6 behind an underscore.
        let plain = key.split('(').next().unwrap_or(key);
        let split =
            if major == 5 { plain.rsplit_once('/') } else { plain.get(1..).and_then(|rest| rest.rfind('@')).map(|at| (&plain[..=at], &plain[at + 2..])) };
        let Some((from_key, from_version)) = split else {
            contents.unknown.push(format!("{plain} has no version"));
            continue;
        };
        let name = package["name"].as_str().unwrap_or(from_key);
        let version = package["version"].as_str().unwrap_or(from_version.split('_').next().unwrap_or(from_version));
        if version.contains(':') || version.contains('/') {
            contents.unknown.push(format!("{name} comes from {}", origin(version)));
            continue;
        }
        let development = match &needed {
            Some(needed) => !needed.contains(&format!("{name}@{version}")),
            None => package["dev"] == true,
        };
        // Before version 6 a registry that is not the default stands before the name.
        let place = if name.contains('/') && !name.starts_with('@') { Some(name) } else { package["resolution"]["tarball"].as_str() };
        contents.add_from(Npm, name, version, development, place);
    }
    Ok(contents)
}

/// Since version 9 the file no longer says what development alone needs: it is what no importer's other dependencies lead to.
fn reachable(file: &Value) -> std::collections::BTreeSet<String> {
    let mut needed = std::collections::BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    let key = |name: &str, version: &str| {
        // An alias names the real package in its version.
        let is_alias = version.split('(').next().is_some_and(|plain| plain.get(1..).is_some_and(|rest| rest.contains('@')));
        if is_alias { version.to_owned() } else { format!("{name}@{version}") }
    };
    for importer in file["importers"].as_object().into_iter().flat_map(|all| all.values()) {
        for kind in ["dependencies", "optionalDependencies"] {
            for (name, dependency) in importer[kind].as_object().into_iter().flatten() {
                open.extend(dependency["version"].as_str().map(|version| key(name, version)));
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    while let Some(snapshot) = open.pop() {
        if !seen.insert(snapshot.clone()) {
            continue;
        }
        needed.insert(snapshot.split('(').next().unwrap_or(&snapshot).to_owned());
        let package = &file["snapshots"][&snapshot];
        for kind in ["dependencies", "optionalDependencies"] {
            for (name, version) in package[kind].as_object().into_iter().flatten() {
                open.extend(version.as_str().map(|version| key(name, version)));
            }
        }
    }
    needed
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
        contents.add_from(Npm, alias.unwrap_or(entry.name), entry.version, false, place(entry.resolved));
    }
    Ok(contents)
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
        let Some(at) = resolved.get(1..).and_then(|rest| rest.rfind('@')).map(|at| at + 1) else { continue };
        let (name, version) = (&resolved[..at], &resolved[at + 1..]);
        if version.starts_with("workspace:") || version.starts_with("link:") {
            continue;
        }
        if version.contains(':') {
            contents.unknown.push(format!("{key} comes from {}", origin(version)));
        } else {
            contents.add_from(Npm, name, version, false, package[1].as_str().filter(|registry| !registry.is_empty()));
        }
    }
    Ok(contents)
}
