//! ZAP (<https://www.zaproxy.org/docs/docker/baseline-scan/>, page "ZAP - Baseline Scan", its section "Exit Value"; page "Traditional JSON
//! Report" for the format).

use crate::external::findings::{Draft, Findings, score};
use crate::external::wire::{List, Text};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion};
use kiwi_core::domain::{ScanKind, Severity};
use serde::Deserialize;
use std::collections::HashSet;

/// ZAP's baseline scan of a running application: it follows links, sends the forms that it finds, and attacks nothing. A full scan is the
/// program `zap-full-scan.py` of the same image, with the same arguments.
pub const ZAP: Tool = Tool {
    url: Some(&["-t", "{target}", "-J", "report.json", "{options}"]),
    exits: &[(0, Exit::Done), (1, Exit::Found), (2, Exit::Found), (3, Exit::Failed("it failed"))],
    // Where nothing listens it ends with what its last scan in the same home came to, and with 2 or 0 where every page is refused.
    gaps: &["No URLs found", "failed to access", "error accessing URL"],
    report: "report.json",
    // The script writes there and nowhere else.
    directory: "/zap/wrk",
    format: Format::Own(Converter(read)),
    hint: "run it in the image ghcr.io/zaproxy/zaproxy",
    ..Tool::sarif("zap", ScanKind::Dast, "zap-baseline.py", ToolVersion { arguments: &[], after: "", least: [2, 12, 0] })
};

/// Of one alert, so many places are told.
const MOST_PLACES: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Output {
    #[serde(rename = "@version")]
    version: Text,
    site: List<Site>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Site {
    #[serde(rename = "@name")]
    name: Text,
    alerts: List<Alert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Alert {
    pluginid: Text,
    #[serde(rename = "alertRef")]
    reference_id: Text,
    name: Text,
    alert: Text,
    riskcode: Text,
    confidence: Text,
    solution: Text,
    reference: Text,
    cweid: Text,
    instances: List<Instance>,
}

/// Only these fields: `attack` and `evidence` may show what the application keeps secret.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Instance {
    uri: Text,
    method: Text,
    param: Text,
}

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let output: Output = findings.parse(reports.get(ZAP.report).unwrap_or_default())?;
    findings.version = crate::external::tool::number(&output.version);
    if output.site.iter().all(|site| site.alerts.is_empty()) {
        // Every answer has at least "Storable" or "Non-Storable Content" (rule 10049); without its automation framework ZAP ends well when
        // there was none.
        findings.incomplete("ZAP says nothing of any page, not even for information, as where the application does not answer");
    }
    for site in &output.site {
        findings.read(&*site.name);
        site.alerts.iter().for_each(|alert| alert.add(site, findings));
    }
    Ok(())
}

impl Alert {
    fn add(&self, site: &Site, findings: &mut Findings) {
        let name = if self.name.is_empty() { &self.alert } else { &self.name };
        let somewhere = [Instance { uri: site.name.clone(), ..Instance::default() }];
        let instances = if self.instances.is_empty() { &somewhere[..] } else { &self.instances };
        // A page with other values in its query, of which a crawl meets now more and now fewer, is the same place.
        let mut known = HashSet::new();
        let drafts: Vec<Draft> = instances.iter().map(|instance| self.draft(name, instance)).filter(|draft| known.insert(draft.identity.clone())).collect();
        if drafts.len() > MOST_PLACES {
            findings.note(format!("{} is at {} places, of which {MOST_PLACES} are told", &**name, drafts.len()));
        }
        drafts.into_iter().take(MOST_PLACES).for_each(|draft| findings.add(draft));
    }

    fn draft(&self, name: &str, instance: &Instance) -> Draft {
        let rule = if self.reference_id.is_empty() { &self.pluginid } else { &self.reference_id };
        let severity = match &*self.riskcode {
            "0" => Severity::Info,
            "1" => Severity::Low,
            "2" => Severity::Medium,
            "3" => Severity::High,
            _ => Severity::Unknown,
        };
        let place = instance.uri.split(['?', '#']).next().unwrap_or_default();
        let parameter = instance.param.some().map(|parameter| format!(", parameter {parameter}")).unwrap_or_default();
        let solution = text(&self.solution);
        let remedy = solution.lines().find(|line| !line.starts_with("Phase:")).map(|line| format!(". {line}")).unwrap_or_default();
        Draft {
            rule: rule.to_string(),
            message: format!("{name} at {} {place}{parameter}{remedy}", &*instance.method),
            scores: vec![score(rule, severity, None, None)],
            cwe: self.cweid.parse().ok().filter(|cwe| *cwe > 0).into_iter().collect(),
            identity: vec![instance.method.to_string(), path_of(place), instance.param.to_string()],
            url: text(&self.reference).lines().next().map(str::to_owned),
            // ZAP writes 0 where a person called it a false positive.
            accepted: (&*self.confidence == "0").then(|| "marked as a false positive in ZAP".to_owned()),
            ..Draft::default()
        }
    }
}

/// The path of a URL: hosts and ports of candidates change.
pub(super) fn path_of(place: &str) -> String {
    place.split_once("://").map_or(place, |(_, rest)| rest).split_once('/').map_or_else(|| "/".to_owned(), |(_, path)| format!("/{path}"))
}

/// A text without its HTML paragraphs.
fn text(html: &str) -> String {
    html.replace("</p>", "\n").replace("<p>", "").trim().to_owned()
}
