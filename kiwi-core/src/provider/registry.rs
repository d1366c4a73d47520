//! Image registries.

use super::RegistryAccess;
use crate::domain::{Digest, ImageReference, Tag};
use crate::error::Result;
use async_trait::async_trait;

/// Reads and tags images in registries, without an engine.
///
/// Errors of every method: `Unauthenticated`, `Forbidden`, `HostNotFound`, `ConnectionRefused`, `Timeout`, `Tls`, `Protocol`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ImageRegistry: Send + Sync {
    /// Proves that the registry answers and takes the credentials.
    async fn check(&self, access: &RegistryAccess) -> Result<()>;
    /// The digest of a tag; none when the registry has no such image.
    async fn resolve<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Option<Digest>>;
    /// Every tag of an image, over all pages.
    async fn tags<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Vec<Tag>>;
    /// Adds a tag to a digest that is there; moves the tag when it points elsewhere. Errors: `NotFound` without the digest.
    async fn tag<'a>(&self, reference: &ImageReference, digest: &Digest, tag: &Tag, access: Option<&'a RegistryAccess>) -> Result<()>;
}
