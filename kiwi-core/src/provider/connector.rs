//! From the settings of a runtime to the providers that serve it.

use super::{Builder, Runtime};
use crate::domain::RuntimeSettings;
use crate::error::Result;
use async_trait::async_trait;
use std::sync::Arc;

/// Opens providers by their settings. The one place of a platform that names every provider it was built with.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Connector: Send + Sync {
    /// The runtime. Errors: `Unsupported` when this platform was built without it, `ConnectionRefused` and the like.
    async fn runtime(&self, settings: &RuntimeSettings) -> Result<Arc<dyn Runtime>>;
    /// The builder of the runtime. Errors as [`runtime`](Self::runtime).
    async fn builder(&self, settings: &RuntimeSettings) -> Result<Arc<dyn Builder>>;
}
