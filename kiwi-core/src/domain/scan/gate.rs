//! The rule that lets a pipeline go on after a scan.

use super::{Finding, Fingerprint, ScanReport, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The verdict over a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// Findings of this severity and above refuse.
    pub fail_on: Severity,
    /// Whether findings nobody rated refuse.
    pub fail_on_unknown: bool,
    /// Whether vulnerabilities without a fixed version are let through.
    pub ignore_unfixed: bool,
    /// Whether dependencies that only development needs are let through.
    pub ignore_development: bool,
    /// Whether only findings that the baseline does not have, or has as less severe, refuse.
    pub new_only: bool,
    /// Whether an incomplete scan is let through.
    pub allow_incomplete: bool,
    /// Whether a refusal is only reported.
    pub report_only: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            fail_on: Severity::High,
            fail_on_unknown: true,
            ignore_unfixed: false,
            ignore_development: false,
            new_only: false,
            allow_incomplete: false,
            report_only: false,
        }
    }
}

/// The findings that were known before, each with how bad it was then.
pub type Baseline = BTreeMap<Fingerprint, Severity>;

/// What the gate decided and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GateDecision {
    /// The verdict.
    pub status: ScanStatus,
    /// Whether the pipeline goes on.
    pub pass: bool,
    /// Each reason against it, in words.
    pub reasons: Vec<String>,
}

impl Gate {
    /// Whether a finding refuses.
    pub fn forbids(&self, finding: &Finding, baseline: &Baseline) -> bool {
        let severe = if finding.severity == Severity::Unknown { self.fail_on_unknown } else { finding.severity >= self.fail_on };
        let unfixed = finding.dependency.is_some() && finding.fixed_versions.is_empty();
        let development = finding.dependency.as_ref().is_some_and(|dependency| dependency.development);
        let known = baseline.get(&finding.fingerprint).is_some_and(|known| *known >= finding.severity);
        severe && !(self.ignore_unfixed && unfixed) && !(self.ignore_development && development) && !(self.new_only && known)
    }

    /// Decides over the reports of one stage, with the findings that were known before. No report at all passes: that no scanner runs is the
    /// platform's decision, and the stage says so; a scanner that ran and looked at nothing is incomplete.
    pub fn decide(&self, reports: &[ScanReport], baseline: &Baseline) -> GateDecision {
        let (mut forbidden, mut incomplete) = (Vec::new(), Vec::new());
        for report in reports {
            for finding in report.findings.iter().filter(|finding| self.forbids(finding, baseline)) {
                let place = finding.place();
                let place = if place.is_empty() { place } else { format!(" in {place}") };
                forbidden.push(format!("{}: {} ({}){place}: {}", report.scanner, finding.rule, finding.severity, finding.message));
            }
            if let Some(reason) = &report.incomplete {
                incomplete.push(format!("{}: {reason}", report.scanner));
            } else if report.coverage.read.is_empty() && report.coverage.skipped.is_empty() {
                incomplete.push(format!("{}: it looked at nothing", report.scanner));
            }
            incomplete.extend(report.coverage.skipped.iter().map(|skipped| format!("{}: {} was not read: {}", report.scanner, skipped.path, skipped.reason)));
        }
        let status = match (forbidden.is_empty(), incomplete.is_empty()) {
            (false, _) => ScanStatus::Failed,
            (true, false) => ScanStatus::Incomplete,
            (true, true) => ScanStatus::Passed,
        };
        // What was not looked at may hide what is forbidden: with findings let through, a gap still counts.
        let refused = !forbidden.is_empty() || (!incomplete.is_empty() && !self.allow_incomplete);
        GateDecision { status, pass: !refused || self.report_only, reasons: forbidden.into_iter().chain(incomplete).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Coverage, Dependency, ScanKind};

    fn finding(severity: Severity) -> Finding {
        Finding::new(ScanKind::Sast, "r", severity, "m", Fingerprint::of(&["x"]))
    }

    fn report(findings: Vec<Finding>, read: &[&str], incomplete: Option<&str>) -> ScanReport {
        let coverage = Coverage { read: read.iter().map(|r| (*r).to_owned()).collect(), skipped: vec![] };
        ScanReport { findings, coverage, incomplete: incomplete.map(str::to_owned), ..ScanReport::new("s") }
    }

    fn decide(gate: &Gate, report: ScanReport) -> (ScanStatus, bool) {
        let decision = gate.decide(&[report], &[(Fingerprint::of(&["known"]), Severity::High)].into());
        (decision.status, decision.pass)
    }

    #[test]
    fn never_passes_on_nothing() {
        let gate = Gate::default();
        assert_eq!(decide(&gate, report(vec![], &[], None)), (ScanStatus::Incomplete, false));
        assert_eq!(decide(&gate, report(vec![], &["a"], Some("database missing"))), (ScanStatus::Incomplete, false));
        assert_eq!(decide(&gate, report(vec![], &["a"], None)), (ScanStatus::Passed, true));
        assert_eq!(decide(&gate, report(vec![finding(Severity::Medium)], &["a"], None)), (ScanStatus::Passed, true));
        assert_eq!(decide(&gate, report(vec![finding(Severity::High)], &["a"], None)), (ScanStatus::Failed, false));
        assert_eq!(decide(&gate, report(vec![finding(Severity::Unknown)], &["a"], None)), (ScanStatus::Failed, false));
        let mut skipped = report(vec![], &["a"], None);
        skipped.coverage.skip("b", "it is broken");
        assert_eq!(decide(&gate, skipped), (ScanStatus::Incomplete, false));
        let lenient = Gate { report_only: true, ..Gate::default() };
        assert_eq!(decide(&lenient, report(vec![finding(Severity::Critical)], &["a"], None)), (ScanStatus::Failed, true));
    }

    #[test]
    fn what_is_let_through_is_said_one_by_one() {
        let dependency = |development| Some(Dependency { package: "p".into(), version: "1".into(), ecosystem: "npm".into(), development });
        let unfixed = Finding { dependency: dependency(false), ..finding(Severity::High) };
        let tool = Finding { dependency: dependency(true), fixed_versions: vec!["2".into()], ..finding(Severity::High) };
        let known = Finding { fingerprint: Fingerprint::of(&["known"]), ..finding(Severity::High) };
        for (gate, finding) in [
            (Gate { ignore_unfixed: true, ..Gate::default() }, unfixed),
            (Gate { ignore_development: true, ..Gate::default() }, tool),
            (Gate { new_only: true, ..Gate::default() }, known),
            (Gate { fail_on: Severity::Critical, ..Gate::default() }, finding(Severity::High)),
        ] {
            assert_eq!(decide(&Gate::default(), report(vec![finding.clone()], &["a"], None)), (ScanStatus::Failed, false));
            assert_eq!(decide(&gate, report(vec![finding], &["a"], None)), (ScanStatus::Passed, true), "{gate:?}");
        }
        // What became worse is new.
        let worse = Finding { fingerprint: Fingerprint::of(&["known"]), ..finding(Severity::Critical) };
        assert_eq!(decide(&Gate { new_only: true, ..Gate::default() }, report(vec![worse], &["a"], None)), (ScanStatus::Failed, false));
        assert_eq!(decide(&Gate { allow_incomplete: true, ..Gate::default() }, report(vec![], &[], None)), (ScanStatus::Incomplete, true));
        let both = report(vec![finding(Severity::High)], &[], Some("gap"));
        assert_eq!(decide(&Gate { allow_incomplete: true, ..Gate::default() }, both), (ScanStatus::Failed, false));
    }
}
