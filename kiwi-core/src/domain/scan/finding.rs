//! One problem, whoever found it.

use crate::domain::text::text_value;
use crate::error::ValueError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// What a scanner looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

impl ScanKind {
    /// As reports and flags write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sast => "sast",
            Self::Sca => "sca",
            Self::Secrets => "secrets",
            Self::Dast => "dast",
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

impl Severity {
    /// As reports and flags write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let all = [Self::Unknown, Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];
        // Databases also say "moderate".
        let wanted = if text.eq_ignore_ascii_case("moderate") { "medium" } else { text };
        let found = all.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(wanted));
        found.ok_or_else(|| ValueError::new("severity", text, "is not a severity", "use info, low, medium, high or critical"))
    }
}

/// A base score of CVSS, from 0.0 to 10.0, in tenths so that it compares exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseScore(u8);

impl BaseScore {
    /// A score of so many tenths; more than 100 is 10.0.
    pub fn from_tenths(tenths: u8) -> Self {
        Self(tenths.min(100))
    }

    /// The word for it (<https://www.first.org/cvss/v3.1/specification-document>, section 5).
    pub fn severity(self) -> Severity {
        match self.0 {
            0 => Severity::Info,
            1..=39 => Severity::Low,
            40..=69 => Severity::Medium,
            70..=89 => Severity::High,
            _ => Severity::Critical,
        }
    }
}

impl fmt::Display for BaseScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for BaseScore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl<'de> Deserialize<'de> for BaseScore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let score = f64::deserialize(deserializer)?;
        // A float that is out of range saturates.
        Ok(Self::from_tenths((score * 10.0).round() as u8))
    }
}

/// What one source says about how bad a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Score {
    /// Who says so: an advisory's id, or a rule.
    pub source: String,
    /// The word.
    pub severity: Severity,
    /// The number, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub base: Option<BaseScore>,
    /// The vector that the number is of, such as `CVSS:3.1/AV:N/...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
}

/// The dependency that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dependency {
    /// Its name, as the ecosystem writes it.
    pub package: String,
    /// The version that is used.
    pub version: String,
    /// The ecosystem, as OSV names it: `npm`, `PyPI`, `crates.io`, ...
    pub ecosystem: String,
    /// Whether only development or tests need it.
    #[serde(default)]
    pub development: bool,
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

impl Fingerprint {
    /// The fingerprint of what identifies a finding, such as rule, path, code without its whitespace, and which of several it is. Line numbers
    /// and tags of images must not be among it: they change when nothing does.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let text: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        text.parse().unwrap_or_else(|_| unreachable!("32 hexadecimal digits are a fingerprint"))
    }
}

/// One normalized problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// What kind of scanner found it.
    pub kind: ScanKind,
    /// The rule or advisory.
    pub rule: String,
    /// How bad it is: the worst that any source says.
    pub severity: Severity,
    /// What every source says.
    #[serde(default)]
    pub scores: Vec<Score>,
    /// The weaknesses, as numbers of <https://cwe.mitre.org>.
    #[serde(default)]
    pub cwe: Vec<u32>,
    /// The file, relative to the tree.
    pub path: Option<String>,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// The dependency, of a finding about one.
    #[serde(flatten)]
    pub dependency: Option<Dependency>,
    /// Every name of the advisory, CVE numbers among them.
    #[serde(default)]
    pub advisories: Vec<String>,
    /// The versions without the problem, oldest first.
    #[serde(default)]
    pub fixed_versions: Vec<String>,
    /// Where to read on.
    #[serde(default)]
    pub url: Option<String>,
    /// What it is and how to mend it.
    pub message: String,
    /// Its identity.
    pub fingerprint: Fingerprint,
}

impl Finding {
    /// A finding of which nothing more is known.
    pub fn new(kind: ScanKind, rule: impl Into<String>, severity: Severity, message: impl Into<String>, fingerprint: Fingerprint) -> Self {
        Self {
            kind,
            rule: rule.into(),
            severity,
            scores: Vec::new(),
            cwe: Vec::new(),
            path: None,
            line: None,
            dependency: None,
            advisories: Vec::new(),
            fixed_versions: Vec::new(),
            url: None,
            message: message.into(),
            fingerprint,
        }
    }

    /// The rule and all its other names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.rule.as_str()).chain(self.advisories.iter().map(String::as_str))
    }

    /// Where it is, for people: `package 1.2`, `path:line`, or nothing.
    pub fn place(&self) -> String {
        match (&self.dependency, &self.path, self.line) {
            (Some(dependency), _, _) => format!("{} {}", dependency.package, dependency.version),
            (None, Some(path), Some(line)) => format!("{path}:{line}"),
            (None, Some(path), None) => path.clone(),
            (None, None, _) => String::new(),
        }
    }
}
