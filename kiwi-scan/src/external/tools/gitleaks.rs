//! Gitleaks (<https://github.com/gitleaks/gitleaks>, README, "Usage" and "Exit codes": 1 for leaks and for errors alike, 126 for an unknown
//! flag; `--exit-code` changes the one for leaks, so that an error is told from it).

use crate::external::findings::{Draft, Findings, score};
use crate::external::wire::{List, Text};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion};
use kiwi_core::domain::{ScanKind, Severity};
use serde::Deserialize;

/// Gitleaks, over the files as they are. Neither the secret nor its line is read from its report, in which both are blanked.
pub const GITLEAKS: Tool = Tool {
    tree: Some(&[
        "dir",
        "--no-banner",
        "--no-color",
        "--redact=100",
        "--exit-code=10",
        "--report-format=json",
        "--report-path={reports}/report.json",
        "{options}",
        "{target}",
    ]),
    exits: &[(0, Exit::Done), (10, Exit::Found), (1, Exit::Failed("it failed")), (126, Exit::Failed("an option is unknown to it"))],
    gaps: &["partial scan", "skipping file", "could not", "failed to"],
    report: "report.json",
    format: Format::Own(Converter(read)),
    hint: "install it from github.com/gitleaks/gitleaks/releases",
    ..Tool::sarif("gitleaks", ScanKind::Secrets, "gitleaks", ToolVersion { arguments: &["version"], after: "", least: [8, 19, 0] })
};

/// Only these fields: `Secret`, `Match` and `Line` never get into memory as values.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Leak {
    #[serde(rename = "RuleID")]
    rule_id: Text,
    description: Text,
    start_line: u32,
    end_line: u32,
    file: Text,
    commit: Text,
}

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let leaks: List<Leak> = findings.parse(reports.get(GITLEAKS.report).unwrap_or_default())?;
    findings.read("every file for secrets");
    for leak in &leaks {
        findings.add(Draft {
            rule: leak.rule_id.to_string(),
            message: format!("{} Revoke it, and keep the new one out of the repository and its history.", &*leak.description),
            // Gitleaks rates nothing: as Kiwi's own scanner of secrets does.
            scores: vec![score(&leak.rule_id, Severity::High, None, None)],
            cwe: vec![798],
            path: leak.file.some(),
            lines: Some((leak.start_line, leak.end_line)),
            identity: leak.commit.some().into_iter().collect(),
            ..Draft::default()
        });
    }
    Ok(())
}
