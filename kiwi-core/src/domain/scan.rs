//! What scanners find and when a pipeline may go on.

use super::text::text_value;
use crate::error::ValueError;
use serde::{Deserialize, Serialize};

/// What a scanner looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanKind {
    /// Weak source code.
    Sast,
    /// Vulnerable dependencies.
    Sca,
    /// Leaked credentials.
    Secrets,
    /// A running application.
    Dast,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody rated it.
    Unknown,
    /// Good to know.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

text_value!(
    /// Identifies a finding across scans, also when its lines moved.
    Fingerprint,
    parse_fingerprint
);

fn parse_fingerprint(text: &str) -> Result<String, ValueError> {
    if (8..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:".contains(&b)) {
        return Ok(text.to_owned());
    }
    Err(ValueError::new("fingerprint", text, "is not a fingerprint", "use 8 to 128 letters, digits, '-', '_' and ':'"))
}

/// One normalized problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What found it.
    pub kind: ScanKind,
    /// The rule or advisory.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file, relative to the tree.
    pub path: Option<String>,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// What it is and how to mend it.
    pub message: String,
    /// Its identity.
    pub fingerprint: Fingerprint,
}

/// What a scan read and what it could not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// What was read.
    pub read: Vec<String>,
    /// What was not, and why.
    pub skipped: Vec<Skipped>,
}

/// Something that a scan could not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// The result of one scanner run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// Which scanner.
    pub scanner: String,
    /// What it found.
    pub findings: Vec<Finding>,
    /// What it looked at.
    pub coverage: Coverage,
    /// Why it cannot vouch for the target, when it cannot.
    pub incomplete: Option<String>,
}

/// The verdict over a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanStatus {
    /// Nothing the policy forbids, and everything was looked at.
    Passed,
    /// A finding the policy forbids.
    Failed,
    /// Something was not looked at.
    Incomplete,
}

/// The rule that lets a pipeline go on after a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Findings of this severity and above refuse.
    pub fail_on: Severity,
    /// Whether findings nobody rated refuse.
    pub fail_on_unknown: bool,
    /// Whether an incomplete scan is let through.
    pub allow_incomplete: bool,
    /// Whether a refusal is only reported.
    pub report_only: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self { fail_on: Severity::High, fail_on_unknown: true, allow_incomplete: false, report_only: false }
    }
}

/// What the gate decided and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDecision {
    /// The verdict.
    pub status: ScanStatus,
    /// Whether the pipeline goes on.
    pub pass: bool,
    /// Each reason against it, in words.
    pub reasons: Vec<String>,
}

impl Gate {
    /// Decides over the reports of one stage. No report at all passes: that no scanner runs is the platform's decision,
    /// and the stage says so; a scanner that ran and looked at nothing is incomplete.
    pub fn decide(&self, reports: &[ScanReport]) -> GateDecision {
        let (mut forbidden, mut incomplete) = (Vec::new(), Vec::new());
        for report in reports {
            for finding in &report.findings {
                let rated = finding.severity != Severity::Unknown;
                if (rated && finding.severity >= self.fail_on) || (!rated && self.fail_on_unknown) {
                    forbidden.push(format!("{}: {} ({:?}): {}", report.scanner, finding.rule, finding.severity, finding.message));
                }
            }
            if let Some(reason) = &report.incomplete {
                incomplete.push(format!("{}: {reason}", report.scanner));
            } else if report.coverage.read.is_empty() {
                incomplete.push(format!("{}: it looked at nothing", report.scanner));
            }
            incomplete.extend(report.coverage.skipped.iter().map(|skipped| format!("{}: {} was not read: {}", report.scanner, skipped.path, skipped.reason)));
        }
        let status = match (forbidden.is_empty(), incomplete.is_empty()) {
            (false, _) => ScanStatus::Failed,
            (true, false) => ScanStatus::Incomplete,
            (true, true) => ScanStatus::Passed,
        };
        let refused = status == ScanStatus::Failed || (status == ScanStatus::Incomplete && !self.allow_incomplete);
        GateDecision { status, pass: !refused || self.report_only, reasons: forbidden.into_iter().chain(incomplete).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Severity>, read: &[&str], incomplete: Option<&str>) -> ScanReport {
        let finding = |severity| Finding {
            kind: ScanKind::Sast,
            rule: "r".into(),
            severity,
            path: None,
            line: None,
            message: "m".into(),
            fingerprint: "12345678".parse().unwrap(),
        };
        ScanReport {
            scanner: "s".into(),
            findings: findings.into_iter().map(finding).collect(),
            coverage: Coverage { read: read.iter().map(|r| (*r).to_owned()).collect(), skipped: vec![] },
            incomplete: incomplete.map(str::to_owned),
        }
    }

    #[test]
    fn never_passes_on_nothing() {
        let gate = Gate::default();
        assert_eq!(gate.decide(&[report(vec![], &[], None)]).status, ScanStatus::Incomplete);
        assert!(!gate.decide(&[report(vec![], &[], None)]).pass);
        assert!(!gate.decide(&[report(vec![], &["a"], Some("database missing"))]).pass);
        assert!(gate.decide(&[report(vec![], &["a"], None)]).pass);
        assert!(gate.decide(&[report(vec![Severity::Medium], &["a"], None)]).pass);
        assert!(!gate.decide(&[report(vec![Severity::High], &["a"], None)]).pass);
        assert!(!gate.decide(&[report(vec![Severity::Unknown], &["a"], None)]).pass);
        let lenient = Gate { report_only: true, ..Gate::default() };
        let decision = lenient.decide(&[report(vec![Severity::Critical], &["a"], None)]);
        assert_eq!((decision.status, decision.pass), (ScanStatus::Failed, true));
    }
}
