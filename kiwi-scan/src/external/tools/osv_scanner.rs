//! OSV-Scanner (<https://google.github.io/osv-scanner/output/>, page "Output", its sections "json format" and "Return Codes").

use super::package;
use crate::external::findings::{Draft, Findings, score, weaknesses};
use crate::external::wire::{List, Text};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion};
use kiwi_core::domain::{ScanKind, Severity};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// OSV-Scanner, for packages of trees and images.
pub const OSV_SCANNER: Tool = Tool {
    tree: Some(&["scan", "source", "--recursive", "--all-packages", "--format=json", "--output-file={reports}/report.json", "{options}", "{target}"]),
    image: Some(&["scan", "image", "--all-packages", "--format=json", "--output-file={reports}/report.json", "{options}", "{target}"]),
    inherited: &["OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY", "DOCKER_HOST", "DOCKER_CONFIG"],
    exits: &[(0, Exit::Done), (1, Exit::Found), (127, Exit::Failed("it failed")), (128, Exit::Failed("it found no packages, so that it looked at nothing"))],
    gaps: &["could not load db", "unable to fetch OSV database", "Error during extraction", "Attempted to scan"],
    report: "report.json",
    format: Format::Own(Converter(read)),
    hint: "install it from github.com/google/osv-scanner/releases; it asks osv.dev, or a local copy with the option --offline",
    ..Tool::sarif("osv-scanner", ScanKind::Sca, "osv-scanner", ToolVersion { arguments: &["--version"], after: "osv-scanner version:", least: [2, 3, 4] })
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Output {
    results: List<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    source: Place,
    packages: List<Package>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    path: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Package {
    package: Named,
    dependency_groups: List<Text>,
    vulnerabilities: List<Record>,
    groups: List<Group>,
    license_violations: List<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: Text,
    version: Text,
    ecosystem: Text,
    commit: Text,
}

/// Records that name each other as aliases.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    ids: List<Text>,
    aliases: List<Text>,
    max_severity: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    id: Text,
    summary: Text,
    details: Text,
    severity: List<Rating>,
    affected: List<Affected>,
    database_specific: Specific,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rating {
    score: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Specific {
    severity: Text,
    cwe_ids: List<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Affected {
    package: Named,
    ranges: List<Range>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Range {
    r#type: Text,
    events: List<Event>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    fixed: Text,
}

/// Groups of dependencies that are only for development, as ecosystems name them.
const DEVELOPMENT: [&str; 6] = ["dev", "development", "test", "tests", "dev-dependencies", "require-dev"];

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let output: Output = findings.parse(reports.get(OSV_SCANNER.report).unwrap_or_default())?;
    for source in &output.results {
        findings.read_packages(&findings.place_of(&source.source.path), source.packages.len());
        let unknown = source.packages.iter().filter(|package| package.package.ecosystem.is_empty() && package.package.commit.is_empty()).count();
        if unknown > 0 {
            findings.incomplete(format!("{unknown} packages are of an ecosystem or a distribution that it does not know, and were not compared"));
        }
        for package in &source.packages {
            let named = &package.package;
            let version = if named.version.is_empty() { &named.commit } else { &named.version };
            let groups = &package.dependency_groups;
            let development = !groups.is_empty() && groups.iter().all(|group| DEVELOPMENT.contains(&&*group.to_ascii_lowercase()));
            let dependency = package::plain(&named.ecosystem, &named.name, version, development);
            findings.compared(dependency.clone());
            if !package.license_violations.is_empty() {
                findings.note(format!("{} {} has a licence that is not allowed", dependency.package, dependency.version));
            }
            // Every record is in a group; one that is not would be lost.
            let grouped: BTreeSet<&str> = package.groups.iter().flat_map(|group| &group.ids).map(|id| &**id).collect();
            let single = package.vulnerabilities.iter().filter(|record| !grouped.contains(&*record.id)).map(|record| (vec![&*record.id], vec![], ""));
            let groups = package
                .groups
                .iter()
                .map(|group| (group.ids.iter().map(|id| &**id).collect(), group.aliases.iter().map(|id| id.to_string()).collect(), &*group.max_severity));
            let records: BTreeMap<&str, &Record> = package.vulnerabilities.iter().map(|record| (&*record.id, record)).collect();
            for (ids, aliases, most) in groups.chain(single) {
                let draft = package.draft(&records, &ids, aliases, most);
                findings.add(Draft { path: source.source.path.some(), dependency: Some(dependency.clone()), ..draft });
            }
        }
    }
    Ok(())
}

impl Package {
    fn draft(&self, all: &BTreeMap<&str, &Record>, ids: &[&str], aliases: Vec<String>, most: &str) -> Draft {
        let records: Vec<&Record> = ids.iter().filter_map(|id| all.get(id)).copied().collect();
        let mut scores: Vec<_> = records
            .iter()
            .filter(|record| !record.database_specific.severity.is_empty() || !record.severity.is_empty())
            .map(|record| {
                let vector = record.severity.iter().find_map(|rating| rating.score.some());
                score(&record.id, package::severity(&record.database_specific.severity), None, vector)
            })
            .collect();
        if crate::external::findings::base_score(most).is_some() {
            scores.push(score("osv-scanner", Severity::Unknown, Some(most), None));
        }
        let here = |affected: &&Affected| affected.package.name == self.package.name && affected.package.ecosystem == self.package.ecosystem;
        let ranges = records.iter().flat_map(|record| record.affected.iter().filter(here)).flat_map(|affected| &affected.ranges);
        let fixed = ranges.filter(|range| &*range.r#type != "GIT").flat_map(|range| &range.events).filter_map(|event| event.fixed.some());
        let fixed: Vec<String> = fixed.collect::<BTreeSet<_>>().into_iter().collect();
        let rule = ids.first().copied().unwrap_or_default().to_owned();
        // Records of distributions have no summary.
        let details = || records.iter().find_map(|record| record.details.lines().map(str::trim).find(|line| !line.is_empty()));
        let summary = records.iter().find_map(|record| record.summary.some()).or_else(|| details().map(str::to_owned)).unwrap_or_else(|| rule.clone());
        let others = ids.iter().skip(1).map(|id| (*id).to_owned()).chain(aliases).filter(|id| *id != rule).collect::<BTreeSet<_>>();
        Draft {
            message: package::message(summary.trim_end_matches('.'), &fixed),
            scores,
            cwe: weaknesses(records.iter().flat_map(|record| &record.database_specific.cwe_ids).map(|cwe| &**cwe)),
            advisories: others.into_iter().collect(),
            fixed,
            url: Some(format!("https://osv.dev/vulnerability/{rule}")),
            rule,
            ..Draft::default()
        }
    }
}
