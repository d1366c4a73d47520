//! CycloneDX 1.6 (<https://cyclonedx.org/docs/1.6/json/>): what a project depends on, and what is known about it.

use super::HOME;
use kiwi_core::domain::{Dependency, Finding, ScanReport, Suppressed, Timestamp, VexStatus};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The reports as one bill of materials with its vulnerabilities.
pub fn cyclonedx(reports: &[ScanReport], now: Timestamp) -> String {
    let mut components: BTreeMap<String, Value> = BTreeMap::new();
    for dependency in reports.iter().flat_map(|report| &report.dependencies) {
        let purl = purl(dependency);
        let found = components.entry(purl.clone()).or_insert_with(|| component(dependency, &purl));
        // What the program needs in one place is needed.
        if !dependency.development {
            found["scope"] = "required".into();
        }
    }
    let mut vulnerabilities: BTreeMap<(String, String), Value> = BTreeMap::new();
    for (finding, suppressed) in reports.iter().flat_map(|report| {
        report.findings.iter().map(|finding| (finding, None)).chain(report.suppressed.iter().map(|suppressed| (&suppressed.finding, Some(suppressed))))
    }) {
        let Some(dependency) = &finding.dependency else { continue };
        let purl = purl(dependency);
        vulnerabilities.entry((finding.rule.clone(), purl.clone())).or_insert_with(|| vulnerability(finding, &purl, suppressed));
    }
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": now,
            "tools": { "components": [{ "type": "application", "name": "kiwi", "version": env!("CARGO_PKG_VERSION"), "externalReferences": [{ "type": "website", "url": HOME }] }] },
        },
        "components": components.into_values().collect::<Vec<_>>(),
        "vulnerabilities": vulnerabilities.into_values().collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn component(dependency: &Dependency, purl: &str) -> Value {
    json!({ "type": "library", "bom-ref": purl, "name": dependency.package, "version": dependency.version, "purl": purl, "scope": "optional" })
}

/// The package URL (<https://github.com/package-url/purl-spec>); one that cannot be made is the plain name.
fn purl(dependency: &Dependency) -> String {
    let kind = dependency.package_url_type().unwrap_or("generic");
    let separator = if kind == "maven" { ':' } else { '/' };
    let (namespace, name) = dependency.package.rsplit_once(separator).map_or((None, dependency.package.as_str()), |(namespace, name)| (Some(namespace), name));
    let made = packageurl::PackageUrl::new(kind, name).and_then(|mut purl| {
        if let Some(namespace) = namespace {
            purl.with_namespace(namespace)?;
        }
        // Go's own versions begin with a `v`.
        let v = if kind == "golang" { "v" } else { "" };
        purl.with_version(format!("{v}{}", dependency.version))?;
        Ok(purl.to_string())
    });
    made.unwrap_or_else(|_| format!("{}@{}", dependency.package, dependency.version))
}

fn vulnerability(finding: &Finding, purl: &str, suppressed: Option<&Suppressed>) -> Value {
    let ratings: Vec<Value> = finding
        .scores
        .iter()
        .map(|score| {
            let mut rating = json!({ "source": { "name": score.source }, "severity": score.severity });
            if let (Some(base), Some(vector)) = (score.base, &score.vector) {
                rating["score"] = json!(base);
                rating["vector"] = vector.as_str().into();
                let method = if vector.starts_with("CVSS:4") {
                    "CVSSv4"
                } else if vector.starts_with("CVSS:3.1") {
                    "CVSSv31"
                } else {
                    "CVSSv3"
                };
                rating["method"] = method.into();
            }
            rating
        })
        .collect();
    let mut vulnerability = json!({
        "id": finding.rule,
        "source": { "name": "OSV", "url": finding.url },
        "references": finding.advisories.iter().filter(|name| **name != finding.rule)
            .map(|name| json!({ "id": name, "source": { "name": "OSV", "url": format!("https://osv.dev/vulnerability/{name}") } })).collect::<Vec<_>>(),
        "ratings": ratings,
        "cwes": finding.cwe,
        "description": finding.message,
        "affects": [{ "ref": purl }],
    });
    if let Some(version) = finding.fixed_versions.first() {
        vulnerability["recommendation"] = format!("update to {version}").into();
    }
    if let Some(Suppressed { reason, vex, .. }) = suppressed {
        vulnerability["analysis"] = match vex {
            Some(VexStatus::NotAffected) => json!({ "state": "not_affected", "detail": reason }),
            Some(VexStatus::Fixed) => json!({ "state": "resolved", "detail": reason }),
            // Whoever accepts a risk does not say that there is none.
            Some(VexStatus::Open) | None => json!({ "response": ["will_not_fix"], "detail": reason }),
        };
    }
    vulnerability
}
