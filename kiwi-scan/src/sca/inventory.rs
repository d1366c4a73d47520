//! What a tree depends on: every lockfile read or named, and the manifests that have none.

use super::lockfile::{self, MANIFESTS};
use super::{Ecosystem, Package};
use crate::tree::{self, File};
use kiwi_core::domain::ScanReport;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Larger lockfiles are not read; the largest that anybody keeps has a few dozen.
const LARGEST_LOCKFILE: u64 = 128 << 20;
/// So many unknown versions of one lockfile are named one by one.
const NAMED: usize = 5;

/// The packages of a tree.
#[derive(Debug)]
pub(super) struct Inventory {
    /// What was read, and what was not.
    pub(super) report: ScanReport,
    /// The packages of each lockfile, by its path.
    pub(super) lockfiles: Vec<(String, Vec<Package>)>,
}

impl Inventory {
    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.lockfiles.iter().flat_map(|(_, packages)| packages)
    }

    /// The packages of each ecosystem.
    pub(super) fn by_ecosystem(&self) -> BTreeMap<Ecosystem, BTreeSet<&Package>> {
        self.packages().fold(BTreeMap::<_, BTreeSet<_>>::new(), |mut all, package| {
            all.entry(package.ecosystem).or_default().insert(package);
            all
        })
    }
}

/// Reads every lockfile below `root`.
pub(super) fn read(root: &Path) -> Inventory {
    let mut report = ScanReport::new("kiwi-sca");
    let (files, others) = tree::list(root, &mut report.coverage);
    not_files(&files, &others, &mut report);
    let mut lockfiles: Vec<(String, Vec<Package>)> = Vec::new();
    for file in &files {
        if !lockfile::is_known(name(file)) {
            continue;
        }
        match tree::text(file, LARGEST_LOCKFILE).and_then(|text| lockfile::parse(name(file), &text)) {
            Ok(contents) => {
                report.coverage.read.push(format!("{} ({} packages)", file.path, contents.packages.len()));
                for unknown in contents.unknown.iter().take(NAMED) {
                    report.coverage.skip(&file.path, unknown);
                }
                if contents.unknown.len() > NAMED {
                    report.coverage.skip(&file.path, format!("{} more dependencies without a version that can be compared", contents.unknown.len() - NAMED));
                }
                lockfiles.push((file.path.clone(), contents.packages));
            }
            Err(reason) => report.coverage.skip(&file.path, reason),
        }
    }
    without_lockfile(&files, &mut report);
    report.dependencies = lockfiles.iter().flat_map(|(_, packages)| packages).map(Into::into).collect();
    report.dependencies.sort();
    report.dependencies.dedup();
    if report.dependencies.is_empty() && report.coverage.read.is_empty() && report.coverage.skipped.is_empty() {
        report.coverage.read.push(format!("{} files, of which none declares dependencies", files.len()));
    }
    Inventory { report, lockfiles }
}

fn name(file: &File) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
}

/// Lockfiles that are links, pipes or the like. A link to what is read anyway is no loss.
fn not_files(files: &[File], others: &[File], report: &mut ScanReport) {
    let places = || files.iter().filter(|file| lockfile::is_known(name(file))).filter_map(|file| file.place.canonicalize().ok());
    for other in others.iter().filter(|other| lockfile::is_known(name(other))) {
        let is_link = other.place.is_symlink();
        let read = is_link && other.place.canonicalize().is_ok_and(|target| places().any(|place| place == target));
        if !read {
            report.coverage.skip(&other.path, if is_link { "it is a link, which is not followed" } else { "it is no regular file" });
        }
    }
}

/// Manifests that declare dependencies of which no lockfile says the versions.
fn without_lockfile(files: &[File], report: &mut ScanReport) {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for file in files {
        let Some((_, lockfiles)) = MANIFESTS.iter().find(|(manifest, _)| *manifest == name(file)) else { continue };
        // A workspace has one lockfile for all, above.
        let mut directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let locked = loop {
            let here = |lockfile: &&str| paths.contains(if directory.is_empty() { (*lockfile).to_owned() } else { format!("{directory}/{lockfile}") }.as_str());
            if lockfiles.iter().any(here) {
                break true;
            }
            if directory.is_empty() {
                break false;
            }
            directory = directory.rsplit_once('/').map_or("", |(directory, _)| directory);
        };
        if !locked && tree::text(file, LARGEST_LOCKFILE).is_ok_and(|text| declares(name(file), &text)) {
            report.coverage.skip(&file.path, format!("it declares dependencies, and there is no {}", lockfiles.join(" or ")));
        }
    }
}

/// Whether a manifest declares a dependency at all; in doubt it does.
fn declares(name: &str, text: &str) -> bool {
    match name {
        "package.json" => serde_json::from_str::<serde_json::Value>(text).map_or(true, |manifest| {
            ["dependencies", "devDependencies", "optionalDependencies"].iter().any(|key| manifest[key].as_object().is_some_and(|all| !all.is_empty()))
        }),
        "composer.json" => serde_json::from_str::<serde_json::Value>(text).map_or(true, |manifest| {
            ["require", "require-dev"].iter().any(|key| manifest[key].as_object().is_some_and(|all| all.keys().any(|name| name.contains('/'))))
        }),
        "Cargo.toml" => text.lines().any(|line| line.trim_start().starts_with('[') && line.contains("dependencies")),
        "pyproject.toml" => text.parse::<toml::Table>().map_or(true, |manifest| {
            let project =
                manifest.get("project").and_then(|project| project.get("dependencies")).and_then(toml::Value::as_array).is_some_and(|all| !all.is_empty());
            let poetry = manifest.get("tool").and_then(|tool| tool.get("poetry")).and_then(|poetry| poetry.get("dependencies")).and_then(toml::Value::as_table);
            project || poetry.is_some_and(|all| all.keys().any(|name| name != "python"))
        }),
        "Gemfile" => text.lines().any(|line| line.trim_start().starts_with("gem ")),
        "build.gradle" => text.contains("implementation") || text.contains("compile"),
        "mix.exs" => text.contains("~>") || text.contains(">="),
        _ => true,
    }
}
