//! What a tree depends on: every lockfile read or named, and the manifests that have none.

use super::lockfile::{self, Contents};
use super::{Ecosystem, Package, manifest, requirements};
use crate::tree::{self, File};
use kiwi_core::domain::ScanReport;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Larger lockfiles are not read; the largest that anybody keeps has a few dozen.
pub(super) const LARGEST_LOCKFILE: u64 = 128 << 20;
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
    let mut report = crate::report_of("kiwi-sca");
    let (files, others) = tree::list(root, &mut report.coverage);
    not_files(&files, &others, &mut report);
    let read = |file: &File| tree::text(file, LARGEST_LOCKFILE).and_then(|text| lockfile::parse(&file.path, &text));
    let mut found: BTreeMap<&str, Result<Contents, String>> =
        files.iter().filter(|file| lockfile::is_known(&file.path)).map(|file| (file.path.as_str(), read(file))).collect();
    requirements::follow(&files, &mut found);
    let read: BTreeSet<&str> = found.keys().copied().collect();
    let mut lockfiles: Vec<(String, Vec<Package>)> = Vec::new();
    for (path, contents) in found {
        match contents {
            Ok(contents) => {
                report.coverage.read.push(format!("{path} ({} packages)", contents.packages.len()));
                for unknown in contents.unknown.iter().take(NAMED) {
                    report.coverage.skip(path, unknown);
                }
                if contents.unknown.len() > NAMED {
                    report.coverage.skip(path, format!("{} more dependencies without a version that can be compared", contents.unknown.len() - NAMED));
                }
                lockfiles.push((path.to_owned(), contents.packages));
            }
            Err(reason) => report.coverage.skip(path, reason),
        }
    }
    manifest::without_lockfile(&files, &read, &mut report.coverage);
    report.dependencies = lockfiles.iter().flat_map(|(_, packages)| packages).map(Into::into).collect();
    report.dependencies.sort();
    report.dependencies.dedup();
    if report.dependencies.is_empty() && report.coverage.read.is_empty() && report.coverage.skipped.is_empty() {
        report.coverage.read.push(format!("{} files, of which none declares dependencies in a form that is read", files.len()));
    }
    Inventory { report, lockfiles }
}

/// Lockfiles that are links, pipes or the like. A link to what is read anyway is no loss.
fn not_files(files: &[File], others: &[File], report: &mut ScanReport) {
    let places = || files.iter().filter(|file| lockfile::is_known(&file.path)).filter_map(|file| file.place.canonicalize().ok());
    for other in others.iter().filter(|other| lockfile::is_known(&other.path)) {
        let is_link = other.place.is_symlink();
        let read = is_link && other.place.canonicalize().is_ok_and(|target| places().any(|place| place == target));
        if !read {
            report.coverage.skip(&other.path, if is_link { "it is a link, which is not followed" } else { "it is no regular file" });
        }
    }
}
