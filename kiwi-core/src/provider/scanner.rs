//! Looking for problems.

use crate::domain::{ImagePin, ScanKind, ScanReport};
use crate::error::Result;
use async_trait::async_trait;
use std::path::PathBuf;
use url::Url;

/// What is looked at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ScanTarget {
    /// A source tree.
    Tree(PathBuf),
    /// An image.
    Image(ImagePin),
    /// A running application.
    Url(Url),
}

/// Finds problems in a target.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Scanner: Send + Sync {
    /// Its name, as reports show it.
    fn name(&self) -> &str;
    /// What it looks for.
    fn kind(&self) -> ScanKind;
    /// Whether it can look at such a target.
    fn supports(&self, target: &ScanTarget) -> bool;
    /// Looks. What could not be looked at is in the report, not an error; an error means that there is no report.
    async fn scan(&self, target: &ScanTarget) -> Result<ScanReport>;
}
