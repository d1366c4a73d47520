//! The scanner of dependencies.

use super::inventory::{self, Inventory};
use super::matching;
use super::osv::{Advisory, Answer, Database, Holding, OsvApi, Query, Records};
use super::{Ecosystem, Package};
use crate::tree;
use async_trait::async_trait;
use kiwi_core::domain::{ScanKind, ScanReport, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::{ScanTarget, Scanner};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A database that is older can vouch for nothing.
const OLDEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// What every failure names.
const OPERATION: &str = "scan dependencies";

/// Compares every lockfile of a tree with a local copy of OSV's database, and with what OSV's API says where that is asked for.
#[derive(Debug, Clone)]
pub struct ScaScanner {
    database: PathBuf,
    api: Option<OsvApi>,
}

impl ScaScanner {
    /// A scanner with the database in this directory, which [`update`](super::osv::update) fills. It sends nothing.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self { database: database.into(), api: None }
    }

    /// Asks the API too: of every package that is not private, the ecosystem, the name and the version leave. An API that does not answer makes the scan
    /// incomplete, however new the database is.
    #[must_use]
    pub fn with_api(mut self, api: OsvApi) -> Self {
        self.api = Some(api);
        self
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
        let inventory = tree::scan(target, OPERATION, |root| Ok(inventory::read(root))).await?;
        let (database, cache) = (self.database.clone(), self.database.join("api"));
        let queries: BTreeSet<Query> = inventory.packages().filter_map(Query::of).collect();
        let asked = match &self.api {
            Some(api) if !queries.is_empty() => Some((api.clone(), api.ask(&queries, &cache).await)),
            // With nothing to tell there is nothing to ask.
            Some(api) => Some((api.clone(), Answer::to_nothing(api))),
            None => None,
        };
        tree::blocking(OPERATION, move || {
            let said = asked.map(|(api, answer)| answer.read(&api, &cache));
            compare(inventory, &database, said)
        })
        .await
    }
}

fn compare(inventory: Inventory, directory: &Path, said: Option<Records>) -> Result<ScanReport> {
    let by_ecosystem = inventory.by_ecosystem();
    let (mut report, mut findings) = (inventory.report.clone(), Vec::new());
    if by_ecosystem.is_empty() {
        return Ok(report);
    }
    let database = Database::open(directory)?;
    if let Some(said) = &said {
        report.notes.push(said.note.clone());
        if let Some(reason) = &said.failure {
            report.coverage.skip(&said.host, reason);
        }
        for (id, reason) in &said.unread {
            report.coverage.skip(&said.host, format!("{id}: {reason}"));
        }
    }
    for (ecosystem, packages) in &by_ecosystem {
        let holding = database.holding(*ecosystem);
        vouch(*ecosystem, packages, holding, said.as_ref(), &mut report);
        let names: BTreeSet<String> = packages.iter().map(|package| ecosystem.normalize(&package.name)).collect();
        let mut advisories: HashMap<&str, Vec<Advisory>> = match holding {
            Some(_) => database.advisories(*ecosystem, names.iter().map(String::as_str))?,
            None => HashMap::new(),
        };
        if let Some(said) = &said {
            // The API's word about a record is newer, and that it was withdrawn too.
            advisories.values_mut().for_each(|known| known.retain(|advisory| !said.ids.contains(&advisory.id)));
            for name in &names {
                if let Some(more) = said.advisories.get(&(*ecosystem, name.clone())) {
                    advisories.entry(name).or_default().extend(more.iter().cloned());
                }
            }
        }
        for (path, packages) in &inventory.lockfiles {
            for package in packages.iter().filter(|package| package.ecosystem == *ecosystem) {
                let Some(of_package) = advisories.get(ecosystem.normalize(&package.name).as_str()) else { continue };
                match matching::findings(package, path, of_package) {
                    Ok(found) => findings.extend(found),
                    Err(reason) => report.coverage.skip(path, reason),
                }
            }
        }
    }
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.path, &a.rule, &a.fingerprint).cmp(&(&b.path, &b.rule, &b.fingerprint))));
    report.findings = findings;
    Ok(report)
}

/// Says what the records of an ecosystem are, and skips the packages for which none can vouch.
fn vouch(ecosystem: Ecosystem, packages: &BTreeSet<&Package>, holding: Option<&Holding>, said: Option<&Records>, report: &mut ScanReport) {
    let asked = said.filter(|said| said.failure.is_none());
    let left: BTreeSet<_> = packages.iter().filter(|package| asked.is_none() || package.private).map(|package| ecosystem.normalize(&package.name)).collect();
    let why = asked.map_or_else(String::new, |said| format!(" of other registries, which {} is not told about", said.host));
    let Some(holding) = holding else {
        if !left.is_empty() {
            let reason = format!("{} packages{why}: the database has nothing of {}; run `kiwi scan --update`", left.len(), ecosystem.as_str());
            report.coverage.skip(ecosystem.as_str(), reason);
        }
        return;
    };
    let age = Timestamp::now().since(holding.updated_at);
    report.notes.push(format!("{}: {} records, fetched {}", ecosystem.as_str(), holding.records, days(age)));
    if age > OLDEST && !left.is_empty() {
        let which = if why.is_empty() { String::new() } else { format!("{} packages{why}: ", left.len()) };
        report.coverage.skip(ecosystem.as_str(), format!("{which}its records were fetched {}; run `kiwi scan --update`", days(age)));
    }
    if holding.unread > 0 {
        report.notes.push(format!("{}: {} records could not be read", ecosystem.as_str(), holding.unread));
    }
}

fn days(age: Duration) -> String {
    match age.as_secs() / (24 * 60 * 60) {
        0 => "today".to_owned(),
        1 => "a day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}
