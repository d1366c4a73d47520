//! The result of one scanner.

use super::{Dependency, Finding, VexStatus};
use serde::{Deserialize, Serialize};

/// What a scan read and what it could not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Coverage {
    /// What was read.
    pub read: Vec<String>,
    /// What was not, and why.
    pub skipped: Vec<Skipped>,
}

impl Coverage {
    /// Notes something that was not read.
    pub fn skip(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.skipped.push(Skipped { path: path.into(), reason: reason.into() });
    }
}

/// Something that a scan could not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Skipped {
    /// What.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A finding that a person decided about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The person's reason.
    pub reason: String,
    /// What a statement of OpenVEX says, where one took it out; without it somebody accepts what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vex: Option<VexStatus>,
}

impl Suppressed {
    /// A finding that somebody accepts for this reason.
    pub fn accepted(finding: Finding, reason: impl Into<String>) -> Self {
        Self { finding, reason: reason.into(), vex: None }
    }
}

/// The result of one scanner run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanReport {
    /// Which scanner.
    pub scanner: String,
    /// Which version of it, where it tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it found.
    pub findings: Vec<Finding>,
    /// What of it a person decided about.
    #[serde(default)]
    pub suppressed: Vec<Suppressed>,
    /// Every dependency that it compared.
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    /// What it looked at.
    pub coverage: Coverage,
    /// Why it cannot vouch for the target, when it cannot.
    pub incomplete: Option<String>,
    /// What a reader should know besides, such as the age of a database.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl ScanReport {
    /// A report that found nothing yet.
    pub fn new(scanner: impl Into<String>) -> Self {
        Self {
            scanner: scanner.into(),
            version: None,
            findings: Vec::new(),
            suppressed: Vec::new(),
            dependencies: Vec::new(),
            coverage: Coverage::default(),
            incomplete: None,
            notes: Vec::new(),
        }
    }
}

/// What the scanners of one stage said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageReports {
    /// The stage.
    pub stage: crate::domain::Stage,
    /// A report of each scanner.
    pub reports: Vec<ScanReport>,
}
