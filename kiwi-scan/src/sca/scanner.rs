//! The scanner of dependencies.

use super::lockfile::{self, MANIFESTS};
use super::osv::Database;
use super::{Ecosystem, Package, matching};
use crate::tree::{self, File};
use async_trait::async_trait;
use kiwi_core::domain::{ScanKind, ScanReport, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::{ScanTarget, Scanner};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Larger lockfiles are not read; the largest that anybody keeps has a few dozen.
const LARGEST_LOCKFILE: u64 = 128 << 20;
/// A database that is older can vouch for nothing.
const OLDEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// So many unknown versions of one lockfile are named one by one.
const NAMED: usize = 5;

/// Compares every lockfile of a tree with a local copy of OSV's database.
#[derive(Debug, Clone)]
pub struct ScaScanner {
    database: PathBuf,
}

impl ScaScanner {
    /// A scanner with the database in this directory, which [`update`](super::osv::update) fills.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self { database: database.into() }
    }
}

#[async_trait]
impl Scanner for ScaScanner {
    fn name(&self) -> &str {
        "kiwi-sca"
    }

    fn kind(&self) -> ScanKind {
        ScanKind::Sca
    }

    fn supports(&self, target: &ScanTarget) -> bool {
        matches!(target, ScanTarget::Tree(_))
    }

    async fn scan(&self, target: &ScanTarget) -> Result<ScanReport> {
        let directory = self.database.clone();
        tree::scan(target, "scan dependencies", move |root| scan(root, &directory)).await
    }
}

fn scan(root: &Path, directory: &Path) -> Result<ScanReport> {
    let mut report = ScanReport::new("kiwi-sca");
    let files = tree::files(root, &mut report.coverage);
    let mut found: Vec<(String, Vec<Package>)> = Vec::new();
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
                found.push((file.path.clone(), contents.packages));
            }
            Err(reason) => report.coverage.skip(&file.path, reason),
        }
    }
    without_lockfile(&files, &mut report);
    report.dependencies = found.iter().flat_map(|(_, packages)| packages).map(Into::into).collect();
    report.dependencies.sort();
    report.dependencies.dedup();
    let by_ecosystem = found.iter().flat_map(|(_, packages)| packages).fold(BTreeMap::<Ecosystem, BTreeSet<String>>::new(), |mut all, package| {
        all.entry(package.ecosystem).or_default().insert(package.ecosystem.normalize(&package.name));
        all
    });
    if by_ecosystem.is_empty() {
        if report.coverage.read.is_empty() && report.coverage.skipped.is_empty() {
            report.coverage.read.push(format!("{} files, of which none declares dependencies", files.len()));
        }
        return Ok(report);
    }
    let database = Database::open(directory)?;
    for (ecosystem, names) in &by_ecosystem {
        let Some(holding) = database.holding(*ecosystem) else {
            report
                .coverage
                .skip(ecosystem.as_str(), format!("{} packages: the database has nothing of {}; run `kiwi scan --update`", names.len(), ecosystem.as_str()));
            continue;
        };
        let age = Timestamp::now().since(holding.updated_at);
        report.notes.push(format!("{}: {} records, fetched {}", ecosystem.as_str(), holding.records, days(age)));
        if age > OLDEST {
            report.coverage.skip(ecosystem.as_str(), format!("its records were fetched {}; run `kiwi scan --update`", days(age)));
        }
        if holding.unread > 0 {
            report.notes.push(format!("{}: {} records could not be read", ecosystem.as_str(), holding.unread));
        }
        let advisories = database.advisories(*ecosystem, names.iter().map(String::as_str))?;
        for (path, packages) in &found {
            for package in packages.iter().filter(|package| package.ecosystem == *ecosystem) {
                let Some(of_package) = advisories.get(ecosystem.normalize(&package.name).as_str()) else { continue };
                match matching::findings(package, path, of_package) {
                    Ok(findings) => report.findings.extend(findings),
                    Err(reason) => report.coverage.skip(path, reason),
                }
            }
        }
    }
    report.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.path, &a.rule, &a.fingerprint).cmp(&(&b.path, &b.rule, &b.fingerprint))));
    Ok(report)
}

fn name(file: &File) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
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

fn days(age: Duration) -> String {
    match age.as_secs() / (24 * 60 * 60) {
        0 => "today".to_owned(),
        1 => "a day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}
