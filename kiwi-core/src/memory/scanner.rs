//! A scanner with a scripted report.

use super::Failures;
use crate::domain::{ScanKind, ScanReport};
use crate::error::{Error, Result};
use crate::provider::{ScanTarget, Scanner};
use async_trait::async_trait;

/// Answers every scan with the same report.
#[derive(Debug)]
pub struct MemoryScanner {
    kind: ScanKind,
    report: ScanReport,
    failures: Failures,
}

impl MemoryScanner {
    /// A scanner of this kind with this answer.
    pub fn new(kind: ScanKind, report: ScanReport) -> Self {
        Self { kind, report, failures: Failures::default() }
    }

    /// Makes the next scan fail.
    pub fn fail(&self, error: Error) {
        self.failures.push(error);
    }
}

#[async_trait]
impl Scanner for MemoryScanner {
    fn name(&self) -> &str {
        &self.report.scanner
    }

    fn kind(&self) -> ScanKind {
        self.kind
    }

    fn supports(&self, target: &ScanTarget) -> bool {
        match target {
            ScanTarget::Tree(_) => matches!(self.kind, ScanKind::Sast | ScanKind::Secrets),
            ScanTarget::Image(_) => self.kind == ScanKind::Sca,
            ScanTarget::Url(_) => self.kind == ScanKind::Dast,
        }
    }

    async fn scan(&self, _: &ScanTarget) -> Result<ScanReport> {
        self.failures.next()?;
        Ok(self.report.clone())
    }
}
