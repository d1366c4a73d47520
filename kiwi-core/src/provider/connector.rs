//! From the settings of a runtime to the providers that serve it.

use super::{Builder, GitAccess, GitProvider, Runtime, WebhookVerifier};
use crate::domain::{GitProviderKind, RuntimeSettings};
use crate::error::{Error, ErrorKind, Result};
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
    /// The API of a git host. Errors: `Unsupported`, `HostNotFound`, `Forbidden` when the address is not public and nobody allowed that.
    async fn git(&self, access: &GitAccess) -> Result<Arc<dyn GitProvider>> {
        Err(without(access.kind))
    }
    /// What reads the deliveries of a kind of git host. Errors: `Unsupported`.
    fn webhooks(&self, kind: GitProviderKind) -> Result<Arc<dyn WebhookVerifier>> {
        Err(without(kind))
    }
}

fn without(kind: GitProviderKind) -> Error {
    Error::new(ErrorKind::Unsupported, "open git host", format!("this platform was built without {}", kind.title()))
}
