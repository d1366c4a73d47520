//! Semgrep (<https://semgrep.dev/docs/cli-reference>, "CLI reference", its section "Exit codes", as in `semgrep/error.py`; the JSON is described in the repository
//! semgrep/semgrep-interfaces, `semgrep_output_v1.atd`).

use crate::external::findings::{Draft, Findings, score, weaknesses};
use crate::external::wire::{List, Text, Texts};
use crate::external::{Converter, Exit, Format, Reports, Tool, ToolVersion, sarif};
use kiwi_core::domain::{ScanKind, Severity};
use serde::Deserialize;

/// Semgrep. Both of its formats are read: only JSON has errors and skipped files, only SARIF what was accepted in the code.
pub const SEMGREP: Tool = Tool {
    tree: Some(&[
        "scan",
        "--metrics=off",
        "--disable-version-check",
        "--json-output={reports}/report.json",
        "--sarif-output={reports}/report.sarif",
        "{options}",
        "{target}",
    ]),
    options: &["--config=p/default"],
    variables: &[("SEMGREP_SEND_METRICS", "off"), ("SEMGREP_ENABLE_VERSION_CHECK", "0")],
    inherited: &["SEMGREP_APP_TOKEN"],
    // 1 is for findings with `--error` alone.
    exits: &[
        (0, Exit::Done),
        (1, Exit::Found),
        (2, Exit::Failed("it failed")),
        (3, Exit::Failed("a file could not be parsed")),
        (4, Exit::Failed("a pattern of a rule is malformed")),
        (5, Exit::Failed("the configuration is no YAML")),
        (7, Exit::Failed("no rules were found")),
        (8, Exit::Failed("a rule is for an unknown language")),
        (13, Exit::Failed("its token is not valid")),
    ],
    report: "report.json",
    format: Format::Own(Converter(read)),
    hint: "install it with `pip install semgrep`; without a network, name rules of your own with the option --config",
    ..Tool::sarif("semgrep", ScanKind::Sast, "semgrep", ToolVersion { arguments: &["--version"], after: "", least: [1, 100, 0] })
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Output {
    version: Text,
    results: List<Outcome>,
    errors: List<Problem>,
    paths: Paths,
    skipped_rules: List<SkippedRule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outcome {
    check_id: Text,
    path: Text,
    start: Position,
    end: Position,
    extra: Extra,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Position {
    line: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Extra {
    message: Text,
    severity: Text,
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    cwe: Texts,
    references: Texts,
    source: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    message: Text,
    path: Text,
    level: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Paths {
    scanned: List<Text>,
    skipped: List<SkippedPath>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SkippedPath {
    path: Text,
    reason: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SkippedRule {
    rule_id: Text,
    details: Text,
}

/// Why files are left out on purpose: those that are ignored, of other languages, or generated.
const MEANT: [&str; 9] = [
    "always_skipped",
    "semgrepignore_patterns_match",
    "cli_include_flags_do_not_match",
    "cli_exclude_flags_match",
    "wrong_language",
    "minified",
    "binary",
    "gitignore_patterns_match",
    "irrelevant_rule",
];

fn read(reports: &Reports, findings: &mut Findings) -> Result<(), String> {
    let output: Output = findings.parse(reports.get(SEMGREP.report).unwrap_or_default())?;
    findings.version = crate::external::tool::number(&output.version);
    for problem in &output.errors {
        // The lines after the first quote the code.
        let message = problem.message.lines().next().unwrap_or_default();
        match problem.path.some() {
            Some(path) => findings.skip(&path, if message.starts_with("Syntax error") { "it could not be parsed as a whole" } else { message }),
            None if &*problem.level == "info" => findings.note(message),
            None => findings.incomplete(message),
        }
    }
    for skipped in output.paths.skipped.iter().filter(|skipped| !MEANT.contains(&&*skipped.reason)) {
        findings.skip(&skipped.path, &skipped.reason.replace('_', " "));
    }
    for rule in &output.skipped_rules {
        findings.incomplete(format!("the rule {} was skipped: {}", &*rule.rule_id, &*rule.details));
    }
    if !output.paths.scanned.is_empty() {
        findings.read(format!("{} files", output.paths.scanned.len()));
    }
    for result in &output.results {
        let severity = match result.extra.severity.to_ascii_uppercase().as_str() {
            "CRITICAL" => Severity::Critical,
            "ERROR" | "HIGH" => Severity::High,
            "WARNING" | "MEDIUM" => Severity::Medium,
            "LOW" => Severity::Low,
            "INFO" | "INVENTORY" | "EXPERIMENT" => Severity::Info,
            _ => Severity::Unknown,
        };
        let metadata = &result.extra.metadata;
        findings.add(Draft {
            rule: result.check_id.to_string(),
            message: result.extra.message.to_string(),
            scores: vec![score(&result.check_id, severity, None, None)],
            cwe: weaknesses(metadata.cwe.iter().map(String::as_str)),
            path: result.path.some(),
            lines: Some((result.start.line, result.end.line)),
            url: metadata.source.some().or_else(|| metadata.references.first().cloned()),
            ..Draft::default()
        });
    }
    match reports.get("report.sarif") {
        Some(bytes) => sarif::accepted(bytes, findings),
        None => Ok(()),
    }
}
