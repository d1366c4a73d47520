//! Grype (repository anchore/grype: `cmd/grype/cli/cli.go` for the exit codes, 2 for `--fail-on` and 1 for errors; `grype/presenter/models/` for
//! the JSON).

use super::package;
use crate::external::findings::{Draft, Findings, score, weaknesses};
use crate::external::wire::{List, Text};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion};
use kiwi_core::domain::{ScanKind, Severity};
use serde::Deserialize;

/// Grype, for packages of trees and images. Older versions read a form of its database that is no longer made.
pub const GRYPE: Tool = Tool {
    tree: Some(&["--output=json", "--file={reports}/report.json", "{options}", "dir:{target}"]),
    // `-v` says how many packages there were: an image without any was not looked into.
    image: Some(&["-v", "--output=json", "--file={reports}/report.json", "{options}", "registry:{target}"]),
    // Not `--quiet`, which keeps the reason of a failure to itself.
    variables: &[("GRYPE_CHECK_FOR_APP_UPDATE", "false"), ("NO_COLOR", "1")],
    inherited: &["GRYPE_DB_CACHE_DIR", "GRYPE_DB_UPDATE_URL", "GRYPE_DB_AUTO_UPDATE", "DOCKER_CONFIG"],
    exits: &[(0, Exit::Done), (2, Exit::Found), (1, Exit::Failed("it failed")), (100, Exit::Failed("its database must be updated"))],
    gaps: &["Unable to determine the OS distribution", "across 0 packages"],
    report: "report.json",
    format: Format::Own(Converter(read)),
    hint: "install it from github.com/anchore/grype/releases; it needs its database, or the network to fetch it",
    ..Tool::sarif("grype", ScanKind::Sca, "grype", ToolVersion { arguments: &["version"], after: "Version:", least: [0, 88, 0] })
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Document {
    matches: List<Match>,
    ignored_matches: List<Match>,
    alerts_by_package: List<Alerts>,
    descriptor: Descriptor,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Descriptor {
    version: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Alerts {
    alerts: List<Alert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Alert {
    message: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Match {
    vulnerability: Vulnerability,
    related_vulnerabilities: List<Vulnerability>,
    artifact: Artifact,
    applied_ignore_rules: List<Ignored>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Vulnerability {
    id: Text,
    data_source: Text,
    namespace: Text,
    severity: Text,
    description: Text,
    cvss: List<Cvss>,
    cwes: List<Weakness>,
    fix: Fix,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cvss {
    vector: Text,
    metrics: Metrics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metrics {
    base_score: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Weakness {
    cwe: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fix {
    versions: List<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Artifact {
    name: Text,
    version: Text,
    r#type: Text,
    purl: Text,
    locations: List<Location>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Location {
    path: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Ignored {
    reason: Text,
    vex_status: Text,
    vex_justification: Text,
    fix_state: Text,
}

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let document: Document = findings.parse(reports.get(GRYPE.report).unwrap_or_default())?;
    findings.version = crate::external::tool::number(&document.descriptor.version);
    if document.descriptor.version.is_empty() {
        return Err("its report is none of Grype".to_owned());
    }
    // Grype does not say which packages it saw.
    findings.read("every package that it knows of");
    for alert in document.alerts_by_package.iter().flat_map(|alerts| &alerts.alerts) {
        findings.incomplete(&*alert.message);
    }
    document.matches.iter().for_each(|found| findings.add(found.draft()));
    for found in &document.ignored_matches {
        findings.add(Draft { accepted: Some(found.reason()), ..found.draft() });
    }
    Ok(())
}

impl Match {
    fn draft(&self) -> Draft {
        let main = &self.vulnerability;
        let all = || std::iter::once(main).chain(&self.related_vulnerabilities);
        let mut scores = Vec::new();
        for found in all() {
            let source = if found.namespace.is_empty() { &found.id } else { &found.namespace };
            scores.push(score(source, package::severity(&found.severity), None, None));
            scores.extend(found.cvss.iter().map(|cvss| score(source, Severity::Unknown, Some(&cvss.metrics.base_score), cvss.vector.some())));
        }
        let fixed: Vec<String> = main.fix.versions.iter().map(|version| version.to_string()).collect();
        let description = all().find_map(|found| found.description.some()).unwrap_or_else(|| main.id.to_string());
        let artifact = &self.artifact;
        Draft {
            rule: main.id.to_string(),
            message: package::message(description.lines().next().unwrap_or_default().trim_end_matches('.'), &fixed),
            scores,
            cwe: weaknesses(all().flat_map(|found| &found.cwes).map(|weakness| &*weakness.cwe)),
            path: artifact.locations.first().and_then(|location| location.path.some()).map(|path| path.trim_start_matches('/').to_owned()),
            dependency: Some(package::dependency(&artifact.purl, &artifact.r#type, &artifact.name, &artifact.version, false)),
            advisories: self.related_vulnerabilities.iter().map(|found| found.id.to_string()).collect(),
            fixed,
            url: main.data_source.some(),
            ..Draft::default()
        }
    }

    fn reason(&self) -> String {
        let rule = self.applied_ignore_rules.first();
        let named = rule.and_then(|rule| [&rule.reason, &rule.vex_justification, &rule.vex_status].into_iter().find_map(|text| text.some()));
        named
            .or_else(|| rule.and_then(|rule| rule.fix_state.some()).map(|state| format!("ignored as {state}")))
            .unwrap_or_else(|| "ignored by a rule of Grype".to_owned())
    }
}
