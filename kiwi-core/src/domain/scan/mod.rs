//! What scanners find and when a pipeline may go on.

mod exceptions;
mod finding;
mod gate;
mod report;

pub use exceptions::{Exceptions, Suppression, VexStatement};
pub use finding::{BaseScore, Dependency, Finding, Fingerprint, ScanKind, Score, Severity};
pub use gate::{Gate, GateDecision, ScanStatus};
pub use report::{Coverage, ScanReport, Skipped, StageReports, Suppressed};
