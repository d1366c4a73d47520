//! Bandit (<https://bandit.readthedocs.io>, page "JSON" for the format; repository PyCQA/bandit, `bandit/cli/main.py` for the exit codes: 1 means
//! that there are issues, 2 that it could not start; files that it cannot parse change no code).

use crate::external::findings::{Draft, Findings, score};
use crate::external::wire::{List, Map, Text};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion};
use kiwi_core::domain::{ScanKind, Severity};
use serde::Deserialize;

/// Bandit, for Python. It reads only code of the Python that it runs on; what it cannot parse is named.
pub const BANDIT: Tool = Tool {
    // Settings of the tree, which could exclude all of it, count for nothing.
    tree: Some(&["--recursive", "--quiet", "--ini=/dev/null", "--format=json", "--output={reports}/report.json", "{options}", "{target}"]),
    exits: &[(0, Exit::Done), (1, Exit::Found), (2, Exit::Failed("its arguments or its configuration are wrong"))],
    report: "report.json",
    format: Format::Own(Converter(read)),
    hint: "install it with `pip install bandit`, on a Python as new as the code",
    ..Tool::sarif("bandit", ScanKind::Sast, "bandit", ToolVersion { arguments: &["--version"], after: "bandit ", least: [1, 7, 3] })
};

/// The checks whose text quotes a password.
const QUOTING: [&str; 3] = ["B105", "B106", "B107"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Output {
    errors: List<Problem>,
    metrics: Map<Metrics>,
    results: List<Issue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    filename: Text,
    reason: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics {
    nosec: u64,
    skipped_tests: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Issue {
    filename: Text,
    test_id: Text,
    test_name: Text,
    issue_text: Text,
    issue_severity: Text,
    issue_cwe: Weakness,
    line_number: u32,
    line_range: List<u32>,
    more_info: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Weakness {
    id: Option<u32>,
}

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let output: Output = findings.parse(reports.get(BANDIT.report).unwrap_or_default())?;
    let Some(totals) = output.metrics.get("_totals") else { return Err("its report is none of Bandit".to_owned()) };
    for problem in &output.errors {
        findings.skip(&problem.filename, &problem.reason);
    }
    let files = output.metrics.keys().filter(|name| *name != "_totals").count();
    if files > output.errors.len() {
        findings.read(format!("{} Python files", files - output.errors.len()));
    } else if files == 0 && output.errors.is_empty() && findings.has_files(".py") {
        findings.incomplete("it looked at no file, and the tree has Python files");
    } else if files == 0 && output.errors.is_empty() {
        findings.read("no Python files, as there are none");
    }
    let hidden = totals.nosec.saturating_add(totals.skipped_tests);
    if hidden > 0 {
        findings.note(format!("marks in the code (`nosec`) hide {hidden} results, which Bandit does not tell"));
    }
    for issue in &output.results {
        let text = match QUOTING.contains(&&*issue.test_id) {
            true => issue.issue_text.split(": '").next().unwrap_or_default(),
            false => &issue.issue_text,
        };
        let severity = issue.issue_severity.parse().unwrap_or(Severity::Unknown);
        let first = issue.line_range.iter().min().copied().unwrap_or(issue.line_number).min(issue.line_number);
        findings.add(Draft {
            rule: issue.test_id.to_string(),
            message: format!("{text} ({})", &*issue.test_name),
            scores: vec![score(&issue.test_id, severity, None, None)],
            cwe: issue.issue_cwe.id.into_iter().filter(|cwe| *cwe > 0).collect(),
            path: issue.filename.some(),
            lines: Some((first, issue.line_range.iter().max().copied().unwrap_or(first))),
            url: issue.more_info.some(),
            ..Draft::default()
        });
    }
    Ok(())
}
