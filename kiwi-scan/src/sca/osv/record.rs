//! Records as OSV writes them (<https://ossf.github.io/osv-schema/>), and as the index keeps them.

use crate::sca::Ecosystem;
use kiwi_core::domain::{BaseScore, Score, Severity};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr as _;

/// No record is as large as this; a server or a zip may pretend.
pub(super) const LARGEST_RECORD: u64 = 16 << 20;

/// A record; what a database adds is read where it is known and else ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    severity: Vec<Rating>,
    #[serde(default)]
    affected: Vec<Affected>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct Rating {
    #[serde(default)]
    score: String,
}

#[derive(Debug, Deserialize)]
struct Affected {
    #[serde(default)]
    package: Option<Named>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    severity: Vec<Rating>,
    #[serde(default)]
    database_specific: Value,
    #[serde(default)]
    ecosystem_specific: Value,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct Range {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    events: Vec<Value>,
}

/// What the index keeps of a record for one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sca) struct Advisory {
    pub(in crate::sca) id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sca) aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::sca) summary: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sca) scores: Vec<Score>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sca) cwe: Vec<u32>,
    /// `unmaintained`, `unsound` or `notice`: a fact worth knowing, but no vulnerability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sca) informational: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sca) spans: Vec<Span>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::sca) versions: Vec<String>,
}

/// One range: its events in the order of the record.
pub(in crate::sca) type Span = Vec<Event>;

/// Where a range of affected versions begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sca) enum Event {
    #[serde(rename = "i")]
    Introduced(String),
    #[serde(rename = "f")]
    Fixed(String),
    #[serde(rename = "l")]
    LastAffected(String),
}

/// Texts are shown, not stored for study.
const LONGEST_SUMMARY: usize = 240;

/// A record as advisories, by the package that each is about; none of a record that was withdrawn.
pub(super) fn advisories(record: Record, ecosystem: Ecosystem) -> Vec<(String, Advisory)> {
    if record.withdrawn.is_some() {
        return Vec::new();
    }
    let first_line = record.details.lines().map(|line| line.trim_start_matches('#').trim()).find(|line| !line.is_empty()).unwrap_or_default();
    let summary: String =
        if record.summary.is_empty() { first_line } else { &record.summary }.chars().filter(|c| !c.is_control()).take(LONGEST_SUMMARY).collect();
    let cwe: Vec<u32> = words(&record.database_specific["cwe_ids"]).filter_map(|text| text.strip_prefix("CWE-")?.parse().ok()).collect();
    let mut found: Vec<(String, Advisory)> = Vec::new();
    for affected in record.affected {
        let Some(package) = affected.package.filter(|package| Ecosystem::of_name(&package.ecosystem) == Some(ecosystem)) else { continue };
        let mut scores: Vec<Score> = affected.severity.iter().chain(&record.severity).map(|rating| score(&record.id, &rating.score)).collect();
        for place in [&record.database_specific, &affected.database_specific, &affected.ecosystem_specific] {
            if let Some(severity) = place["severity"].as_str().and_then(|text| text.parse::<Severity>().ok()) {
                scores.push(Score { source: record.id.clone(), severity, base: None, vector: None });
            }
        }
        if record.id.starts_with("MAL-") {
            scores.push(Score { source: record.id.clone(), severity: Severity::Critical, base: None, vector: None });
        }
        let informational = affected.database_specific["informational"].as_str().map(str::to_owned);
        let spans = affected.ranges.iter().filter(|range| range.kind != "GIT").map(|range| range.events.iter().filter_map(event).collect()).collect();
        let name = ecosystem.normalize(&package.name);
        match found.iter_mut().find(|(known, _)| *known == name) {
            // One record may speak of a package several times.
            Some((_, known)) => {
                let more: Vec<Span> = spans;
                known.spans.extend(more);
                known.versions.extend(affected.versions);
            }
            None => found.push((
                name,
                Advisory {
                    id: record.id.clone(),
                    aliases: record.aliases.clone(),
                    summary: summary.clone(),
                    scores,
                    cwe: cwe.clone(),
                    informational,
                    spans,
                    versions: affected.versions,
                },
            )),
        }
    }
    found
}

fn words(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn event(event: &Value) -> Option<Event> {
    let text = |key: &str| event[key].as_str().map(str::to_owned);
    text("introduced").map(Event::Introduced).or_else(|| text("fixed").map(Event::Fixed)).or_else(|| text("last_affected").map(Event::LastAffected))
}

/// A vector with its number and its word; a vector of a version that nobody reads any more keeps neither.
fn score(source: &str, vector: &str) -> Score {
    let number = cvss::Cvss::from_str(vector).ok().map(|parsed| parsed.score());
    // Scores have one decimal.
    let base = number.map(|number| BaseScore::from_tenths((number * 10.0).round() as u8));
    Score { source: source.to_owned(), severity: base.map_or(Severity::Unknown, BaseScore::severity), base, vector: Some(vector.to_owned()) }
}
