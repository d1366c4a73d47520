//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), as code scanning pages read it.

use super::HOME;
use kiwi_core::domain::{Finding, ScanKind, ScanReport, Severity};
use kiwi_core::error::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use serde_sarif::sarif::Sarif;
use std::collections::{BTreeMap, BTreeSet};

/// The reports as one document, a run for each.
pub fn sarif(reports: &[ScanReport]) -> Result<String> {
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": reports.iter().map(run).collect::<Vec<_>>(),
    });
    let fail = |error: serde_json::Error| Error::new(ErrorKind::Internal, "write SARIF", "the report does not fit the format").with_source(error);
    // Through the format's own types: what does not fit them is no SARIF.
    let checked: Sarif = serde_json::from_value(document).map_err(fail)?;
    serde_json::to_string_pretty(&checked).map_err(fail)
}

fn run(report: &ScanReport) -> Value {
    let all = || report.findings.iter().map(|finding| (finding, None)).chain(report.suppressed.iter().map(|s| (&s.finding, Some(s.reason.as_str()))));
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for (finding, _) in all() {
        rules.entry(&finding.rule).or_insert(finding);
    }
    let places: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(index, rule)| (*rule, index)).collect();
    let weaknesses: BTreeSet<u32> = all().flat_map(|(finding, _)| finding.cwe.iter().copied()).collect();
    let notices: Vec<Value> = report
        .coverage
        .skipped
        .iter()
        .map(|skipped| json!({ "level": "error", "message": { "text": format!("{} was not read: {}", skipped.path, skipped.reason) } }))
        .chain(report.incomplete.iter().map(|reason| json!({ "level": "error", "message": { "text": reason } })))
        .chain(report.notes.iter().map(|note| json!({ "level": "note", "message": { "text": note } })))
        .collect();
    let mut run = json!({
        "tool": { "driver": {
            "name": report.scanner,
            "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
            "supportedTaxonomies": [{ "name": "CWE" }],
        } },
        "taxonomies": [{
            "name": "CWE", "organization": "MITRE", "informationUri": "https://cwe.mitre.org/",
            "shortDescription": { "text": "Common Weakness Enumeration" },
            "taxa": weaknesses.iter().map(|cwe| json!({ "id": cwe.to_string(), "helpUri": format!("https://cwe.mitre.org/data/definitions/{cwe}.html") })).collect::<Vec<_>>(),
        }],
        "results": all().map(|(finding, reason)| result(finding, reason, places[finding.rule.as_str()])).collect::<Vec<_>>(),
        "invocations": [{ "executionSuccessful": report.incomplete.is_none() && report.coverage.skipped.is_empty(), "toolExecutionNotifications": notices }],
        "columnKind": "utf16CodeUnits",
    });
    let driver = &mut run["tool"]["driver"];
    if let Some(version) = &report.version {
        driver["version"] = version.as_str().into();
    }
    if report.scanner.starts_with("kiwi-") {
        driver["informationUri"] = HOME.into();
    }
    run
}

fn rule(finding: &Finding) -> Value {
    let taxon = |cwe: &u32| json!({ "target": { "id": cwe.to_string(), "toolComponent": { "name": "CWE" } }, "kinds": ["superset"] });
    let mut tags = vec!["security".to_owned()];
    tags.extend(finding.cwe.iter().map(|cwe| format!("external/cwe/cwe-{cwe}")));
    let mut rule = json!({
        "id": finding.rule,
        "shortDescription": { "text": finding.rule },
        "fullDescription": { "text": finding.message },
        "defaultConfiguration": { "level": level(finding.severity) },
        "relationships": finding.cwe.iter().map(taxon).collect::<Vec<_>>(),
        "properties": { "tags": tags, "security-severity": number(finding) },
    });
    if let Some(url) = &finding.url {
        rule["helpUri"] = url.as_str().into();
    }
    rule
}

fn result(finding: &Finding, reason: Option<&str>, index: usize) -> Value {
    let text = match &finding.dependency {
        Some(dependency) => format!("{} {}: {}", dependency.package, dependency.version, finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": text },
        // Lines move: what identifies a finding has none.
        "partialFingerprints": { "kiwi/v1": finding.fingerprint },
        "properties": { "severity": finding.severity, "advisories": finding.advisories, "fixedVersions": finding.fixed_versions },
    });
    if let Some(path) = &finding.path {
        // The path of a page is an address already, and none of the tree.
        let location = match finding.kind {
            ScanKind::Dast => json!({ "uri": path }),
            _ => json!({ "uri": encoded(path), "uriBaseId": "%SRCROOT%" }),
        };
        let mut place = json!({ "artifactLocation": location });
        if let Some(line) = finding.line {
            place["region"] = json!({ "startLine": line });
        }
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    if let Some(reason) = reason {
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The number that code scanning pages sort by: the worst that a source gives, or the middle of the word's range.
fn number(finding: &Finding) -> String {
    let given = finding.scores.iter().filter_map(|score| score.base).max().map(|base| base.to_string());
    given.unwrap_or_else(|| {
        match finding.severity {
            Severity::Critical => "9.5",
            Severity::High => "8.0",
            Severity::Medium => "5.5",
            Severity::Low => "2.0",
            Severity::Info | Severity::Unknown => "0.0",
        }
        .to_owned()
    })
}

/// A path as a relative URI.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
