//! What people decided about findings: suppressions with a reason, and OpenVEX statements.

use super::{Finding, Fingerprint, ScanReport, Suppressed, VexStatement};
use crate::domain::Timestamp;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A finding that somebody accepts, for a reason and perhaps for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// The finding's identity.
    #[serde(default)]
    pub fingerprint: Option<Fingerprint>,
    /// The rule, the advisory, or one of its other names.
    #[serde(default)]
    pub rule: Option<String>,
    /// The file, or a directory with everything below it.
    #[serde(default)]
    pub path: Option<String>,
    /// The dependency.
    #[serde(default)]
    pub package: Option<String>,
    /// Why it is no problem.
    pub reason: String,
    /// The last day on which it holds, as `2027-01-31`; for good without.
    #[serde(default)]
    pub until: Option<String>,
}

impl Suppression {
    fn covers(&self, finding: &Finding) -> bool {
        let below = |path: &str, parent: &str| path == parent || path.strip_prefix(parent.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
        self.fingerprint.as_ref().is_none_or(|wanted| *wanted == finding.fingerprint)
            && self.rule.as_ref().is_none_or(|wanted| finding.names().any(|name| name == wanted))
            && self.path.as_ref().is_none_or(|wanted| finding.path.as_ref().is_some_and(|path| below(path, wanted)))
            && self.package.as_ref().is_none_or(|wanted| finding.dependency.as_ref().is_some_and(|dependency| dependency.package == *wanted))
    }

    fn is_over(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|until| until < today)
    }
}

/// Everything that people decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// Suppressions, of which the first that covers a finding counts.
    pub suppressions: Vec<Suppression>,
    /// Statements of OpenVEX, of which the latest that is about a finding counts.
    pub statements: Vec<VexStatement>,
}

impl Exceptions {
    /// Reads `[[suppress]]` tables of TOML.
    ///
    /// Errors: `InvalidInput` for one without a reason, without a day that exists, or that would cover everything.
    pub fn read(&mut self, text: &str) -> Result<()> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            suppress: Vec<Suppression>,
        }
        let fail = |why: String| {
            Error::invalid("read suppressions", why)
                .with_hint("write [[suppress]] with reason and one or more of fingerprint, rule, path and package; until is a day")
        };
        let file: File = toml::from_str(text).map_err(|error| fail(format!("the file is malformed: {}", error.message())))?;
        for (index, suppression) in file.suppress.iter().enumerate() {
            let number = index + 1;
            if suppression.reason.trim().is_empty() {
                return Err(fail(format!("suppression {number} has no reason")));
            }
            if suppression.fingerprint.is_none() && suppression.rule.is_none() && suppression.path.is_none() && suppression.package.is_none() {
                return Err(fail(format!("suppression {number} would cover every finding")));
            }
            if let Some(until) = &suppression.until
                && (until.parse::<jiff::civil::Date>().is_err() || until.len() != 10)
            {
                return Err(fail(format!("suppression {number}: {until:?} is not a day such as 2027-01-31")));
            }
        }
        self.suppressions.extend(file.suppress);
        Ok(())
    }

    /// Reads an OpenVEX document.
    ///
    /// Errors: `InvalidInput` for what is none.
    pub fn read_vex(&mut self, text: &str) -> Result<()> {
        self.statements.extend(VexStatement::of_document(text)?);
        Ok(())
    }

    /// Takes what people decided about out of the findings; a suppression whose time is over is noted where it would have counted.
    pub fn apply(&self, reports: &mut [ScanReport], now: Timestamp) {
        let today: String = now.to_string().chars().take(10).collect();
        for report in reports {
            for finding in std::mem::take(&mut report.findings) {
                let over = self.suppressions.iter().find(|suppression| suppression.is_over(&today) && suppression.covers(&finding));
                let holds = self.suppressions.iter().find(|suppression| !suppression.is_over(&today) && suppression.covers(&finding));
                let accepted = match holds {
                    Some(found) => Some((found.reason.clone(), None)),
                    None => VexStatement::deciding(&self.statements, &finding)
                        .filter(|found| found.status.takes_out())
                        .map(|found| (found.reason.clone(), Some(found.status))),
                };
                match accepted {
                    Some((reason, vex)) => report.suppressed.push(Suppressed { finding, reason, vex }),
                    None => {
                        if let Some(over) = over {
                            let until = over.until.as_deref().unwrap_or_default();
                            report.notes.push(format!("{} in {} was accepted until {until}: {}", finding.rule, finding.place(), over.reason));
                        }
                        report.findings.push(finding);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Dependency, ScanKind, Severity};

    fn finding() -> Finding {
        Finding {
            path: Some("web/package-lock.json".to_owned()),
            dependency: Some(Dependency { package: "@scope/left".into(), version: "1.2.3".into(), ecosystem: "npm".into(), development: false }),
            advisories: vec!["CVE-2026-1".to_owned()],
            ..Finding::new(ScanKind::Sca, "GHSA-x", Severity::High, "m", Fingerprint::of(&["a"]))
        }
    }

    fn after(toml: &str) -> (usize, usize, usize) {
        let mut exceptions = Exceptions::default();
        exceptions.read(toml).unwrap();
        let mut reports = [ScanReport { findings: vec![finding()], ..ScanReport::new("s") }];
        exceptions.apply(&mut reports, Timestamp::from_millis(1_795_000_000_000));
        (reports[0].findings.len(), reports[0].suppressed.len(), reports[0].notes.len())
    }

    #[test]
    fn a_suppression_needs_a_reason_and_an_aim_and_ends_with_its_day() {
        assert_eq!(after("[[suppress]]\nrule = 'CVE-2026-1'\nreason = 'not reached'\n"), (0, 1, 0));
        assert_eq!(after("[[suppress]]\nrule = 'CVE-2026-1'\npath = 'web'\nreason = 'x'\nuntil = '2026-11-18'\n"), (0, 1, 0));
        assert_eq!(after("[[suppress]]\nrule = 'CVE-2026-1'\nreason = 'x'\nuntil = '2026-11-17'\n"), (1, 0, 1));
        assert_eq!(after("[[suppress]]\npath = 'we'\nreason = 'x'\n"), (1, 0, 0));
        for bad in [
            "[[suppress]]\nrule = 'a'\n",
            "[[suppress]]\nrule = 'a'\nreason = ' '\n",
            "[[suppress]]\nreason = 'x'\n",
            "[[suppress]]\nrule='a'\nreason='x'\nuntil='soon'\n",
            "[[suppress]]\nrule='a'\nreason='x'\nuntil='2026-02-30'\n",
            "[[suppressed]]\n",
        ] {
            assert!(Exceptions::default().read(bad).is_err(), "{bad}");
        }
    }
}
