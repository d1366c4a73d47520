//! What scanners find and when a pipeline may go on.

mod exceptions;
mod finding;
mod gate;
mod package_url;
mod report;
mod vex;

pub use exceptions::{Exceptions, Suppression};
pub use finding::{BaseScore, Dependency, Finding, Fingerprint, ScanKind, Score, Severity};
pub use gate::{Baseline, Gate, GateDecision, ScanStatus};
pub use report::{Coverage, ScanReport, Skipped, StageReports, Suppressed};
pub use vex::{VexStatement, VexStatus};
