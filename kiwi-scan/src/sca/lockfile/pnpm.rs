//! pnpm.

use super::origin::elsewhere;
use super::{Contents, unknown_version, yaml};
use crate::sca::Ecosystem::Npm;
use serde_json::Value;

/// `pnpm-lock.yaml` of pnpm 3 to 11 (<https://github.com/pnpm/spec/tree/master/lockfile>). Since 11 a first document is about pnpm itself.
pub(super) fn pnpm(text: &str) -> Result<Contents, String> {
    let mut contents = Contents::default();
    for document in crate::yaml::documents(text) {
        let more = of_document(document)?;
        contents.packages.extend(more.packages);
        contents.unknown.extend(more.unknown);
        contents.links.extend(more.links);
    }
    Ok(contents)
}

fn of_document(text: &str) -> Result<Contents, String> {
    let file = yaml(text)?;
    let version = file["lockfileVersion"].as_str().map(str::to_owned).or_else(|| file["lockfileVersion"].as_f64().map(|number| number.to_string()));
    let version = version.ok_or("it has no lockfileVersion")?;
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).ok_or_else(|| unknown_version(&version))?;
    if !(5..=9).contains(&major) {
        return Err(unknown_version(version));
    }
    let mut contents = Contents { links: links(&file), ..Contents::default() };
    let needed = if major == 9 { Some(reachable(&file)) } else { None };
    for (key, package) in file["packages"].as_object().into_iter().flatten() {
        let key = key.strip_prefix('/').unwrap_or(key);
        // Peers stand in brackets, or before version 6 behind an underscore.
        let plain = key.split('(').next().unwrap_or(key);
        // The first `@` that is not the scope's: a place may have one too.
        let split =
            if major == 5 { plain.rsplit_once('/') } else { plain.get(1..).and_then(|rest| rest.find('@')).map(|at| (&plain[..=at], &plain[at + 2..])) };
        let named = package["name"].as_str();
        if let Some(place) = place(&package["resolution"]).or_else(|| split.and_then(|(_, version)| elsewhere(version))).or_else(|| elsewhere(plain)) {
            let name = named.or_else(|| split.map(|(name, _)| name).filter(|name| !name.contains(':'))).unwrap_or("a package");
            contents.unknown.push(format!("{name} comes from {place}"));
            continue;
        }
        let Some((from_key, from_version)) = split else {
            contents.unknown.push(format!("{} has no version", named.unwrap_or("a package")));
            continue;
        };
        let name = named.unwrap_or(from_key);
        let version = package["version"].as_str().unwrap_or(from_version.split('_').next().unwrap_or(from_version));
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

/// Where a resolution says that a package comes from, if it is no registry.
fn place(resolution: &Value) -> Option<&'static str> {
    let is_repository = resolution["type"] == "git" || resolution["repo"].is_string();
    let is_directory = resolution["type"] == "directory" || resolution["directory"].is_string();
    match resolution["tarball"].as_str() {
        _ if is_repository => Some("a repository"),
        _ if is_directory => Some("a file or a directory"),
        tarball => tarball.and_then(elsewhere),
    }
}

/// Dependencies that are links to directories, which are said relative to the project that has them.
fn links(file: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let own = [(".", file)];
    let importers = file["importers"].as_object().into_iter().flatten().map(|(directory, importer)| (directory.as_str(), importer));
    for (directory, importer) in importers.chain(own) {
        for kind in ["dependencies", "devDependencies", "optionalDependencies"] {
            for (name, dependency) in importer[kind].as_object().into_iter().flatten() {
                let version = dependency["version"].as_str().or_else(|| dependency.as_str());
                if let Some(place) = version.and_then(|version| version.strip_prefix("link:")) {
                    found.push((name.clone(), format!("{directory}/{place}")));
                }
            }
        }
    }
    found
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
