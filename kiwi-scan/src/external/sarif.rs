//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), as tools write it.
//!
//! Fingerprints are not read: some tools write the same words into each, others when and by whom a line was committed.

use super::findings::{Draft, Findings, score, weaknesses};
use super::tool;
use super::wire::{List, Map, Text};
use kiwi_core::domain::Severity;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Takes everything that a document says.
pub(super) fn read(bytes: &[u8], findings: &mut Findings) -> Result<(), String> {
    let log: Log = findings.parse(bytes)?;
    if log.runs.is_empty() {
        return Err("its report has no runs".to_owned());
    }
    for run in &log.runs {
        let driver = &run.tool.driver;
        findings.version = tool::number(if driver.semantic_version.is_empty() { &driver.version } else { &driver.semantic_version });
        for invocation in &run.invocations {
            if invocation.execution_successful == Some(false) {
                let code = invocation.exit_code.map(|code| format!(" (exit code {code})")).unwrap_or_default();
                findings.incomplete(format!("it says that it did not succeed{code}"));
            }
            for notification in invocation.tool_execution_notifications.iter().chain(&invocation.tool_configuration_notifications) {
                run.notice(notification, findings);
            }
        }
        match &run.results {
            None => findings.incomplete("its report has a run without results"),
            Some(results) => {
                let rules = run.rules();
                results.iter().filter(|result| result.counts()).for_each(|result| findings.add(run.draft(result, &rules)));
                findings.read(match run.artifacts.len() {
                    0 => "the target".to_owned(),
                    count => format!("{count} files"),
                });
            }
        }
    }
    Ok(())
}

/// Takes only the results that were accepted in the code, for a tool whose own format leaves them out.
pub(super) fn accepted(bytes: &[u8], findings: &mut Findings) -> Result<(), String> {
    let log: Log = findings.parse(bytes)?;
    for run in &log.runs {
        let rules = run.rules();
        let drafts = run.results.iter().flatten().filter(|result| result.counts()).map(|result| run.draft(result, &rules));
        drafts.filter(|draft| draft.accepted.is_some()).for_each(|draft| findings.add(draft));
    }
    Ok(())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Log {
    runs: List<Run>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: List<Invocation>,
    results: Option<List<Outcome>>,
    artifacts: List<Empty>,
    original_uri_base_ids: Map<Artifact>,
}

#[derive(Debug, Default, Deserialize)]
struct Empty {}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tool {
    driver: Driver,
    extensions: List<Driver>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Driver {
    version: Text,
    semantic_version: Text,
    rules: List<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Rule {
    id: Text,
    short_description: Message,
    full_description: Message,
    help_uri: Text,
    default_configuration: Configuration,
    properties: Properties,
    relationships: List<Relationship>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    level: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Properties {
    tags: List<Text>,
    #[serde(rename = "security-severity")]
    security_severity: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Relationship {
    target: Reference,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reference {
    id: Text,
    index: Option<usize>,
    tool_component: Named,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    text: Text,
    markdown: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Invocation {
    execution_successful: Option<bool>,
    exit_code: Option<i64>,
    tool_execution_notifications: List<Notification>,
    tool_configuration_notifications: List<Notification>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Notification {
    level: Text,
    message: Message,
    locations: List<Location>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Outcome {
    rule_id: Text,
    rule_index: Option<usize>,
    rule: Reference,
    level: Text,
    kind: Text,
    baseline_state: Text,
    message: Message,
    locations: List<Location>,
    suppressions: List<Suppression>,
    taxa: List<Reference>,
    properties: Properties,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Location {
    physical_location: Place,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Place {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Artifact {
    uri: Text,
    uri_base_id: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Region {
    start_line: Option<u32>,
    end_line: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Suppression {
    kind: Text,
    status: Text,
    justification: Text,
}

impl Outcome {
    /// Whether it is a problem that is there now.
    fn counts(&self) -> bool {
        matches!(&*self.kind, "" | "fail" | "open" | "review") && &*self.baseline_state != "absent"
    }
}

impl Run {
    fn notice(&self, notification: &Notification, findings: &mut Findings) {
        let text = &*notification.message.text;
        // Without a level it is a warning.
        match (&*notification.level, notification.locations.iter().find_map(|location| self.path(&location.physical_location.artifact_location))) {
            ("error", Some(path)) => findings.skip(&path, text),
            ("error", None) => findings.incomplete(text.lines().next().unwrap_or_default()),
            ("none", _) => {}
            _ => findings.note(text.lines().next().unwrap_or_default()),
        }
    }

    fn draft(&self, result: &Outcome, rules: &BTreeMap<&str, &Rule>) -> Draft {
        let id = [&result.rule_id, &result.rule.id].into_iter().find(|id| !id.is_empty());
        // A result may narrow its rule with `/`; the rule's place counts only where there is no id.
        let narrowed = |id: &Text| rules.get(&**id).or_else(|| id.rsplit_once('/').and_then(|(parent, _)| rules.get(parent))).copied();
        let rule = match id {
            Some(id) => narrowed(id),
            None => result.rule_index.or(result.rule.index).and_then(|index| self.tool.driver.rules.get(index)),
        };
        let place = result.locations.first().map(|location| &location.physical_location);
        let severe = [&result.properties.security_severity, rule.map_or(&result.properties.security_severity, |rule| &rule.properties.security_severity)];
        let severe = severe.into_iter().find(|number| super::findings::base_score(number).is_some());
        let levels = [&*result.level, rule.map_or("", |rule| &*rule.default_configuration.level)];
        let word = match levels.into_iter().find(|level| !level.is_empty()).unwrap_or("warning") {
            "error" => Severity::High,
            "warning" => Severity::Medium,
            "note" => Severity::Low,
            "none" => Severity::Info,
            _ => Severity::Unknown,
        };
        let name = id.or(rule.map(|rule| &rule.id)).map_or("", |id| &**id);
        let scores = vec![match severe {
            // The number says more than the level that was made from it.
            Some(number) => score(name, Severity::Unknown, Some(number), None),
            None => score(name, word, None, None),
        }];
        let taxa = result.taxa.iter().chain(rule.iter().flat_map(|rule| &rule.relationships).map(|relationship| &relationship.target));
        let named: Vec<String> = taxa
            .filter(|taxon| taxon.tool_component.name.eq_ignore_ascii_case("cwe"))
            .map(|taxon| format!("cwe-{}", taxon.id.to_ascii_lowercase().trim_start_matches("cwe-")))
            .collect();
        let tags = result.properties.tags.iter().chain(rule.iter().flat_map(|rule| &rule.properties.tags)).map(|tag| &**tag);
        let suppression = result.suppressions.iter().find(|suppression| !matches!(&*suppression.status, "rejected" | "underReview"));
        let texts = [&result.message.text, &result.message.markdown].into_iter();
        let texts = texts.chain(rule.iter().flat_map(|rule| [&rule.full_description.text, &rule.short_description.text]));
        Draft {
            rule: name.to_owned(),
            message: texts.map(|text| &**text).find(|text| !text.is_empty()).unwrap_or_default().to_owned(),
            scores,
            cwe: weaknesses(tags.chain(named.iter().map(String::as_str))),
            path: place.and_then(|place| self.path(&place.artifact_location)),
            lines: place.and_then(|place| place.region.start_line.map(|first| (first, place.region.end_line.unwrap_or(first)))),
            url: rule.and_then(|rule| rule.help_uri.some()),
            accepted: suppression.map(|suppression| {
                let by = if &*suppression.kind == "inSource" { "accepted in the code" } else { "accepted in the tool" };
                suppression.justification.some().unwrap_or_else(|| by.to_owned())
            }),
            ..Draft::default()
        }
    }

    fn rules(&self) -> BTreeMap<&str, &Rule> {
        let all = self.tool.extensions.iter().flat_map(|extension| &extension.rules).chain(&self.tool.driver.rules);
        all.map(|rule| (&*rule.id, rule)).collect()
    }

    /// The path of a URI, below its base where that is named.
    fn path(&self, artifact: &Artifact) -> Option<String> {
        let uri = artifact.uri.some()?;
        let base = self.original_uri_base_ids.get(&*artifact.uri_base_id).and_then(|base| base.uri.some());
        let whole = match base {
            Some(base) if !uri.starts_with('/') && !uri.contains("://") => format!("{}/{uri}", base.trim_end_matches('/')),
            _ => uri,
        };
        let path = match whole.split_once("://") {
            // `file://host/path` names a host, mostly none.
            Some(("file", rest)) => rest.find('/').map_or(rest, |at| &rest[at..]),
            Some((_, rest)) => rest,
            None => whole.strip_prefix("file:").unwrap_or(&whole),
        };
        Some(percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned())
    }
}
