//! Tools that people trust, with the same findings, gate, history and formats as Kiwi's own scanners.
//!
//! [`tools::ALL`] describes Semgrep, Bandit, Gitleaks, Trivy, Grype, OSV-Scanner, Nuclei and ZAP; a [`Tool`] of a platform's own needs only to
//! write SARIF. [`ExternalScanner`] runs one as a program of this machine, or in an image as a task of a runtime.
//!
//! A tool that is missing, too old, too slow, or ends in an unknown way makes the report incomplete, and so does everything that it says it
//! could not read. No fingerprint of a tool is used: each finding gets one of its rule, its path and its code, without line numbers.

mod findings;
mod process;
mod reports;
mod sarif;
mod scanner;
mod source;
mod task;
mod tool;
pub mod tools;
mod wire;

pub use reports::Reports;
pub use scanner::{ExternalScanner, ToolTask};
pub use tool::{Converter, Exit, Format, Tool, ToolVersion};
