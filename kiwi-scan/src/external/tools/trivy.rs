//! Trivy (<https://trivy.dev/docs>, pages "Reporting" and "Others", its section "Exit Code": 0 whatever it found, unless `--exit-code` says
//! otherwise, and 1 for an error, such as a database that cannot be fetched).

use super::package;
use crate::external::findings::{Draft, Findings, score};
use crate::external::wire::{List, Map, Text};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion};
use kiwi_core::domain::{ScanKind, Severity};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Trivy, for packages, configuration and secrets of trees and images.
pub const TRIVY: Tool = Tool {
    tree: Some(&["filesystem", "--format=json", "--show-suppressed", "--no-progress", "--output={reports}/report.json", "{options}", "{target}"]),
    image: Some(&["image", "--format=json", "--show-suppressed", "--no-progress", "--output={reports}/report.json", "{options}", "{target}"]),
    options: &["--scanners=vuln,misconfig,secret"],
    inherited: &["TRIVY_CACHE_DIR", "TRIVY_DB_REPOSITORY", "TRIVY_USERNAME", "TRIVY_PASSWORD", "DOCKER_HOST", "DOCKER_CONFIG"],
    exits: &[(0, Exit::Done), (1, Exit::Failed("it failed"))],
    gaps: &["Unsupported os", "No OS package is detected", "is not on the EOL list", "The vulnerability detection may be insufficient"],
    report: "report.json",
    format: Format::Own(Converter(read)),
    hint: "install it from github.com/aquasecurity/trivy/releases; it needs its database, or the network to fetch it",
    ..Tool::sarif("trivy", ScanKind::Sca, "trivy", ToolVersion { arguments: &["--version"], after: "Version:", least: [0, 57, 0] })
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Output {
    schema_version: u32,
    trivy: Program,
    results: List<Outcome>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Program {
    version: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Outcome {
    target: Text,
    class: Text,
    r#type: Text,
    packages: List<Package>,
    vulnerabilities: List<Vulnerability>,
    misconfigurations: List<Misconfiguration>,
    secrets: List<Secret>,
    experimental_modified_findings: List<Modified>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Package {
    name: Text,
    version: Text,
    identifier: Identifier,
    dev: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Identifier {
    #[serde(rename = "PURL")]
    purl: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: Text,
    #[serde(rename = "VendorIDs")]
    vendor_ids: List<Text>,
    pkg_name: Text,
    pkg_path: Text,
    pkg_identifier: Identifier,
    installed_version: Text,
    fixed_version: Text,
    severity: Text,
    severity_source: Text,
    vendor_severity: Map<u8>,
    #[serde(rename = "CVSS")]
    cvss: Map<Cvss>,
    #[serde(rename = "CweIDs")]
    cwe: List<Text>,
    title: Text,
    #[serde(rename = "PrimaryURL")]
    url: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cvss {
    #[serde(rename = "V3Score")]
    v3_score: Text,
    #[serde(rename = "V3Vector")]
    v3_vector: Text,
    #[serde(rename = "V40Score")]
    v40_score: Text,
    #[serde(rename = "V40Vector")]
    v40_vector: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Misconfiguration {
    #[serde(rename = "ID")]
    id: Text,
    title: Text,
    message: Text,
    resolution: Text,
    severity: Text,
    status: Text,
    #[serde(rename = "PrimaryURL")]
    url: Text,
    cause_metadata: Cause,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Cause {
    start_line: u32,
    end_line: u32,
}

/// Only these fields: `Match` and `Code` may show the secret.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Secret {
    #[serde(rename = "RuleID")]
    rule_id: Text,
    title: Text,
    severity: Text,
    start_line: u32,
    end_line: u32,
}

/// A finding that was taken out by an ignore file or a VEX document.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Modified {
    r#type: Text,
    status: Text,
    statement: Text,
    source: Text,
    finding: Option<Box<serde_json::value::RawValue>>,
}

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let output: Output = findings.parse(reports.get(TRIVY.report).unwrap_or_default())?;
    if output.schema_version != 2 {
        return Err(format!("its report is of version {}, of which only 2 is known", output.schema_version));
    }
    findings.version = crate::external::tool::number(&output.trivy.version);
    if output.results.is_empty() {
        findings.read("the target, in which it recognized nothing");
        if findings.of_an_image() {
            findings.incomplete("it recognized nothing in the image");
        }
    }
    for result in &output.results {
        match result.packages.len() {
            0 => findings.read(&*result.target),
            count => findings.read_packages(&result.target, count),
        }
        for package in &result.packages {
            findings.compared(package::dependency(&package.identifier.purl, &result.r#type, &package.name, &package.version, package.dev));
        }
        let development: BTreeSet<(&str, &str)> =
            result.packages.iter().filter(|package| package.dev).map(|package| (&*package.name, &*package.version)).collect();
        for found in &result.vulnerabilities {
            findings.add(found.draft(result, development.contains(&(&*found.pkg_name, &*found.installed_version))));
        }
        result.misconfigurations.iter().filter(|found| !matches!(&*found.status, "PASS" | "EXCEPTION")).for_each(|found| findings.add(found.draft(result)));
        result.secrets.iter().for_each(|found| findings.add(found.draft(result)));
        for modified in &result.experimental_modified_findings {
            match modified.draft(result) {
                Some(draft) => findings.add(draft),
                None => findings.note(format!("it left out a finding of the kind {:?}", &*modified.r#type)),
            }
        }
    }
    Ok(())
}

impl Vulnerability {
    fn draft(&self, result: &Outcome, development: bool) -> Draft {
        let fixed: Vec<String> = self.fixed_version.split(',').map(|version| version.trim().to_owned()).filter(|version| !version.is_empty()).collect();
        let mut scores =
            vec![score(if self.severity_source.is_empty() { "trivy" } else { &self.severity_source }, package::severity(&self.severity), None, None)];
        for (source, cvss) in self.cvss.iter() {
            let four = !cvss.v40_score.is_empty() && &*cvss.v40_score != "0";
            let (number, vector) = if four { (&cvss.v40_score, &cvss.v40_vector) } else { (&cvss.v3_score, &cvss.v3_vector) };
            if !number.is_empty() && &**number != "0" {
                scores.push(score(source, Severity::Unknown, Some(number), vector.some()));
            }
        }
        // Trivy's numbers, from unknown to critical.
        let words = [Severity::Unknown, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        for (source, number) in self.vendor_severity.iter().filter(|(source, _)| !self.cvss.contains_key(*source) && **source != *self.severity_source) {
            scores.push(score(source, words.get(usize::from(*number)).copied().unwrap_or(Severity::Unknown), None, None));
        }
        // What an image's own package manager installed has no file of its own.
        let path = if &*result.class == "os-pkgs" { None } else { self.pkg_path.some().or_else(|| result.target.some()) };
        Draft {
            rule: self.id.to_string(),
            message: package::message(if self.title.is_empty() { &self.id } else { &self.title }, &fixed),
            scores,
            cwe: crate::external::findings::weaknesses(self.cwe.iter().map(|cwe| &**cwe)),
            path,
            dependency: Some(package::dependency(&self.pkg_identifier.purl, &result.r#type, &self.pkg_name, &self.installed_version, development)),
            advisories: self.vendor_ids.iter().map(|id| id.to_string()).collect(),
            fixed,
            url: self.url.some(),
            ..Draft::default()
        }
    }
}

impl Misconfiguration {
    fn draft(&self, result: &Outcome) -> Draft {
        let lines = (self.cause_metadata.start_line, self.cause_metadata.end_line);
        Draft {
            kind: Some(ScanKind::Sast),
            rule: self.id.to_string(),
            message: format!("{}: {}. {}", &*self.title, self.message.trim_end_matches('.'), &*self.resolution),
            scores: vec![score(&self.id, package::severity(&self.severity), None, None)],
            path: result.target.some(),
            lines: (lines.0 > 0).then_some(lines),
            // Without a line, the message says which part of the file it is.
            identity: if lines.0 > 0 { Vec::new() } else { vec![self.message.to_string()] },
            url: self.url.some(),
            ..Draft::default()
        }
    }
}

impl Secret {
    fn draft(&self, result: &Outcome) -> Draft {
        Draft {
            kind: Some(ScanKind::Secrets),
            rule: self.rule_id.to_string(),
            message: format!("{} stands in the file; revoke it, and keep the new one out of the repository and its history", &*self.title),
            scores: vec![score(&self.rule_id, package::severity(&self.severity), None, None)],
            cwe: vec![798],
            path: result.target.some(),
            lines: Some((self.start_line, self.end_line)),
            ..Draft::default()
        }
    }
}

impl Modified {
    fn draft(&self, result: &Outcome) -> Option<Draft> {
        let raw = self.finding.as_ref()?.get();
        let draft = match &*self.r#type {
            "vulnerability" => serde_json::from_str::<Vulnerability>(raw).ok()?.draft(result, false),
            "misconfiguration" => serde_json::from_str::<Misconfiguration>(raw).ok()?.draft(result),
            "secret" => serde_json::from_str::<Secret>(raw).ok()?.draft(result),
            _ => return None,
        };
        let reason = self.statement.some().unwrap_or_else(|| format!("{} by {}", &*self.status, &*self.source));
        Some(Draft { accepted: Some(reason), ..draft })
    }
}
