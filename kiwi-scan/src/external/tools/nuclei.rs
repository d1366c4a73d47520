//! Nuclei (<https://docs.projectdiscovery.io/tools/nuclei/running>, page "Running Nuclei"; repository projectdiscovery/nuclei,
//! `pkg/output/output.go` for the lines of JSON and `cmd/nuclei/main.go` for the exit codes: 0 whatever it found, 1 when it could not start).

use super::package;
use crate::external::findings::{Draft, Findings, score, weaknesses};
use crate::external::wire::{List, Text, Texts};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion};
use kiwi_core::domain::ScanKind;
use serde::Deserialize;
use url::Url;

/// Nuclei, over a running application. No server of others is called, and requests and responses are left out of its report.
pub const NUCLEI: Tool = Tool {
    url: Some(&[
        "-target",
        "{target}",
        "-jsonl",
        // Without it a host that never answers looks like one where nothing was found.
        "-matcher-status",
        "-output",
        "{reports}/report.jsonl",
        "-omit-raw",
        "-omit-template",
        "-no-color",
        "-no-interactsh",
        "-disable-update-check",
        "{options}",
    ]),
    exits: &[(0, Exit::Done), (1, Exit::Failed("it failed, perhaps for want of templates"))],
    gaps: &["unresponsive", "no templates provided", "Could not run nuclei", "context deadline exceeded"],
    report: "report.jsonl",
    format: Format::Own(Converter(read)),
    hint: "install it from github.com/projectdiscovery/nuclei/releases, and its templates with `nuclei -update-templates`",
    ..Tool::sarif("nuclei", ScanKind::Dast, "nuclei", ToolVersion { arguments: &["-version"], after: "Engine Version:", least: [3, 1, 10] })
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Event {
    template_id: Text,
    info: Info,
    matcher_name: Text,
    extractor_name: Text,
    host: Text,
    url: Text,
    matched_at: Text,
    matcher_status: Option<bool>,
    #[serde(rename = "type")]
    protocol: Text,
    error: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    name: Text,
    severity: Text,
    reference: Texts,
    remediation: Text,
    classification: Option<Classification>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Classification {
    cve_id: Texts,
    cwe_id: Texts,
    cvss_metrics: Text,
    cvss_score: Text,
}

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let lines = reports.get(NUCLEI.report).unwrap_or_default().split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    // As a list, so that one strange line fails no other, and the limits are those of a document.
    let mut list = vec![b'['];
    for (index, line) in lines.enumerate() {
        if index > 0 {
            list.push(b',');
        }
        list.extend_from_slice(line);
    }
    list.push(b']');
    let events: List<Event> = findings.parse(&list)?;
    let silent: Vec<&Event> = events.iter().filter(|event| event.got_no_answer()).collect();
    if let Some(first) = silent.first() {
        let reason = without_queries(first.error.lines().next().unwrap_or_default());
        findings.incomplete(format!("{} of {} templates got no answer from the application; {}: {reason}", silent.len(), events.len(), &*first.template_id));
    }
    for event in &events {
        if event.error.some().is_some() || event.matcher_status == Some(false) {
            continue;
        }
        findings.add(event.draft());
    }
    findings.read("the application");
    Ok(())
}

impl Event {
    /// Whether it was to ask the application itself. A port beside it that is closed, or where something else than HTTP was tried, is none of it.
    fn got_no_answer(&self) -> bool {
        let Some(error) = self.error.some().filter(|_| self.protocol.is_empty() || &*self.protocol == "http") else { return false };
        let Ok(target) = Url::parse(&self.url) else { return true };
        let addresses = error.match_indices("http").filter_map(|(at, _)| Url::parse(error[at..].split(['"', ' ']).next()?).ok());
        let mut asked = addresses.filter(Url::has_host).peekable();
        asked.peek().is_none() || asked.any(|url| url.origin() == target.origin())
    }

    fn draft(&self) -> Draft {
        let none = Classification::default();
        let classification = self.info.classification.as_ref().unwrap_or(&none);
        let what = if self.info.name.is_empty() { &self.template_id } else { &self.info.name };
        let remedy = self.info.remediation.some().map(|remedy| format!(". {remedy}")).unwrap_or_default();
        // One template may look for several things, such as every header that should be there.
        let part = self.matcher_name.some().map(|part| format!(" ({part})")).unwrap_or_default();
        // Templates of the kind `javascript` do not always tell where they matched.
        let place = [&self.matched_at, &self.url, &self.host].into_iter().map(|place| without_query(place)).find(|place| !place.is_empty());
        let at = place.map(|place| format!(" at {place}")).unwrap_or_default();
        Draft {
            rule: self.template_id.to_string(),
            message: format!("{}{part}{at}{remedy}", &**what),
            scores: vec![score(
                &self.template_id,
                package::severity(&self.info.severity),
                Some(&classification.cvss_score).filter(|score| &***score != "0").map(|score| &**score),
                classification.cvss_metrics.some(),
            )],
            cwe: weaknesses(classification.cwe_id.iter().map(String::as_str)),
            advisories: classification.cve_id.iter().map(|cve| cve.to_ascii_uppercase()).collect(),
            identity: vec![super::zap::path_of(place.unwrap_or_default()), self.matcher_name.to_string(), self.extractor_name.to_string()],
            url: self.info.reference.first().cloned(),
            ..Draft::default()
        }
    }
}

/// An error that may quote addresses, without their queries.
fn without_queries(error: &str) -> String {
    let cut = |word: &str| match word.find(['?', '#']).filter(|_| word.contains("://")) {
        Some(at) => word[..at].to_owned() + &word[word.trim_end_matches(['"', '\'', ':', ',', ')']).len().max(at)..],
        None => word.to_owned(),
    };
    error.split(' ').map(cut).collect::<Vec<_>>().join(" ")
}

/// What was sent as a query is an attack, or a secret.
fn without_query(place: &str) -> &str {
    place.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_no_query() {
        let told = without_queries("GET \"https://shop.example.com/a?token=hunter2\": cause=\"refused?\" at http://[::1]:1/x#y, and http://b/?");
        assert_eq!(told, "GET \"https://shop.example.com/a\": cause=\"refused?\" at http://[::1]:1/x, and http://b/");
    }
}
