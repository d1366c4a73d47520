//! The tools that Kiwi knows. Each file names the source of what it says about its tool.

mod bandit;
mod gitleaks;
mod grype;
mod nuclei;
mod osv_scanner;
mod package;
mod semgrep;
mod trivy;
mod zap;

pub use bandit::BANDIT;
pub use gitleaks::GITLEAKS;
pub use grype::GRYPE;
pub use nuclei::NUCLEI;
pub use osv_scanner::OSV_SCANNER;
pub use semgrep::SEMGREP;
pub use trivy::TRIVY;
pub use zap::ZAP;

use super::Tool;

/// Every tool that Kiwi knows.
pub const ALL: [Tool; 8] = [SEMGREP, BANDIT, GITLEAKS, TRIVY, GRYPE, OSV_SCANNER, NUCLEI, ZAP];

/// The tool of this name.
pub fn named(name: &str) -> Option<Tool> {
    ALL.into_iter().find(|tool| tool.name.eq_ignore_ascii_case(name))
}
