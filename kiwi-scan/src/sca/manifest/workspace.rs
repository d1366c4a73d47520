//! Lockfiles that have the dependencies of manifests further down.

use super::Manifest;
use crate::sca::Ecosystem;
use crate::sca::inventory::LARGEST_LOCKFILE;
use crate::sca::paths::{beside, directory, join, name};
use crate::tree::{self, File};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a lockfile says of the manifests that it has.
#[derive(Debug)]
enum Members {
    /// Their directories, from the root of the tree.
    Directories(BTreeSet<String>),
    /// The names of their packages.
    Names(BTreeSet<String>),
    /// Patterns of their directories, relative to the lockfile's.
    Patterns(Vec<String>),
    /// Those below a directory of a fixed name.
    Below(&'static str),
    /// Each says it of itself.
    Themselves,
}

/// What the lockfiles of a tree say, each read once.
pub(super) struct Workspaces<'f> {
    files: &'f BTreeMap<&'f str, &'f File>,
    members: BTreeMap<String, Members>,
}

impl<'f> Workspaces<'f> {
    pub(super) fn new(files: &'f BTreeMap<&'f str, &'f File>) -> Self {
        Self { files, members: BTreeMap::new() }
    }

    /// The lockfiles above a manifest that may have its dependencies, the nearest first.
    pub(super) fn above(&self, manifest: Manifest, path: &str) -> Vec<String> {
        let names: &[&str] = match manifest {
            Manifest::Npm | Manifest::Cargo | Manifest::Mix | Manifest::Pubspec => manifest.lockfiles(),
            Manifest::Pyproject | Manifest::SetupPy | Manifest::SetupCfg => &["uv.lock"],
            _ => &[],
        };
        let (mut found, mut here) = (Vec::new(), directory(path));
        while !here.is_empty() {
            here = directory(here);
            found.extend(names.iter().map(|name| join(here, name)).filter(|path| self.files.contains_key(path.as_str())));
        }
        found
    }

    /// Whether a lockfile says that it has the dependencies of a manifest, whose text this is.
    pub(super) fn has(&mut self, lockfile: &str, path: &str, manifest: Manifest, text: &str) -> bool {
        let members = match self.members.get(lockfile) {
            Some(members) => members,
            None => {
                let members = self.read(lockfile);
                self.members.entry(lockfile.to_owned()).or_insert(members)
            }
        };
        let (own, above) = (directory(path), directory(lockfile));
        let relative = own.strip_prefix(above).unwrap_or(own).trim_start_matches('/');
        match members {
            Members::Directories(all) => all.contains(own),
            Members::Names(all) => package_name(manifest, text).is_some_and(|name| all.contains(&name)),
            Members::Patterns(all) => {
                let (no, yes): (Vec<&String>, Vec<&String>) = all.iter().partition(|pattern| pattern.starts_with('!'));
                yes.iter().any(|pattern| fits(pattern, relative)) && !no.iter().any(|pattern| fits(&pattern[1..], relative))
            }
            Members::Below(parent) => directory(relative) == *parent,
            Members::Themselves => crate::yaml::read(text).is_ok_and(|file| file["resolution"] == "workspace"),
        }
    }

    fn read(&self, path: &str) -> Members {
        let text = |path: &str| self.files.get(path).and_then(|file| tree::text(file, LARGEST_LOCKFILE).ok()).unwrap_or_default();
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let directories = |keys: &mut dyn Iterator<Item = &str>| Members::Directories(keys.filter_map(|key| beside(path, key)).collect());
        let keys = |value: &Value| -> Vec<String> { value.as_object().into_iter().flat_map(|all| all.keys().cloned()).collect() };
        match name(path) {
            "package-lock.json" | "npm-shrinkwrap.json" => {
                let keys = keys(&json(&text(path))["packages"]);
                directories(&mut keys.iter().map(String::as_str).filter(|key| !key.split('/').any(|part| part == "node_modules")))
            }
            "pnpm-lock.yaml" => {
                let all: Vec<Value> = crate::yaml::documents(&text(path)).map(|document| crate::yaml::read(document).unwrap_or_default()).collect();
                let importers: Vec<String> = all.iter().flat_map(|document| keys(&document["importers"])).collect();
                directories(&mut importers.iter().map(String::as_str))
            }
            "bun.lock" => directories(&mut keys(&json(&kiwi_core::jsonc::strict(&text(path)))["workspaces"]).iter().map(String::as_str)),
            "yarn.lock" => {
                let text_of_lock = text(path);
                if text_of_lock.contains("@workspace:") {
                    let end = |c: char| matches!(c, '"' | ',' | '\n' | '\r');
                    return directories(&mut text_of_lock.split("@workspace:").skip(1).filter_map(|rest| rest.split(end).next()));
                }
                // Yarn 1 says it in the manifest beside alone.
                let manifest = json(&text(&join(directory(path), "package.json")));
                let patterns = manifest["workspaces"].as_array().or_else(|| manifest["workspaces"]["packages"].as_array());
                Members::Patterns(patterns.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            "mix.lock" => Members::Below("apps"),
            "pubspec.lock" => Members::Themselves,
            other => Members::Names(own_packages(&text(path), other == "Cargo.lock")),
        }
    }
}

/// The names of the project's own packages in a lockfile of Cargo or uv.
fn own_packages(text: &str, is_cargo: bool) -> BTreeSet<String> {
    let file: toml::Table = text.parse().unwrap_or_default();
    let packages = file.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let own = |package: &&toml::Value| match package.get("source") {
        None => is_cargo,
        Some(source) => ["editable", "virtual", "directory"].iter().any(|kind| source.get(*kind).is_some()),
    };
    packages.filter(own).filter_map(|package| package.get("name")?.as_str()).map(|name| Ecosystem::PyPi.normalize(name)).collect()
}

/// What a manifest calls its package, in the form in which names are compared here.
fn package_name(manifest: Manifest, text: &str) -> Option<String> {
    let file: toml::Table = text.parse().ok()?;
    let table = if manifest == Manifest::Cargo { "package" } else { "project" };
    file.get(table)?.get("name")?.as_str().map(|name| Ecosystem::PyPi.normalize(name))
}

/// Whether a directory fits a pattern: `*` stands for a part of a name, `**` for any number of directories.
fn fits(pattern: &str, path: &str) -> bool {
    let clean = |text: &'_ str| -> Vec<String> { text.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect() };
    let (pattern, path) = (clean(pattern), clean(path));
    // Which beginnings of the path the pattern read so far fits.
    let mut fitting = vec![false; path.len() + 1];
    fitting[0] = true;
    for part in &pattern {
        let mut next = vec![false; path.len() + 1];
        for index in 0..=path.len() {
            next[index] =
                if part == "**" { fitting[index] || index > 0 && next[index - 1] } else { index > 0 && fitting[index - 1] && of_name(part, &path[index - 1]) };
        }
        fitting = next;
    }
    fitting[path.len()]
}

fn of_name(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_workspaces() {
        for (pattern, path) in [
            ("packages/*", "packages/a"),
            ("./packages/*/", "packages/a"),
            ("**", "a/b"),
            ("a/**", "a/b/c"),
            ("web", "web"),
            ("app-*-x", "app-1-x"),
            ("*", "a"),
        ] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [("packages/*", "packages/a/b"), ("packages/*", "other/a"), ("web", "web2"), ("app-*-x", "app-x"), ("*", "a/b"), ("", "a")] {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }
}
