//! Image registries.

use super::RegistryAccess;
use crate::domain::{Digest, ImageReference, Tag, Timestamp};
use crate::error::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What a registry lets us do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistryReport {
    /// Whether images can be pushed where Kiwi keeps them.
    pub may_push: bool,
    /// Why not.
    pub push_refusal: Option<String>,
}

/// An image that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundImage {
    /// Its name, as a reference begins.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// How many people marked it.
    pub stars: u64,
    /// How often it was pulled; none when the registry does not say.
    pub pulls: Option<u64>,
    /// Whether the registry's owner vouches for it.
    pub official: bool,
}

/// A tag with what the registry knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TagDetails {
    /// The tag.
    pub name: Tag,
    /// The digest it names now.
    pub digest: Option<Digest>,
    /// The size of what is pulled, in bytes, of the largest platform.
    pub size: Option<u64>,
    /// When it was pushed.
    pub pushed_at: Option<Timestamp>,
    /// The platforms it has, such as `linux/amd64`.
    pub platforms: Vec<String>,
}

/// Reads and tags images in registries, without an engine.
///
/// Errors of every method: `Unauthenticated`, `Forbidden`, `HostNotFound`, `ConnectionRefused`, `Timeout`, `Tls`, `Protocol`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ImageRegistry: Send + Sync {
    /// Proves that the registry answers and takes the credentials, and finds out whether they may push.
    async fn check(&self, access: &RegistryAccess) -> Result<RegistryReport>;
    /// The digest of a tag; none when the registry has no such image.
    async fn resolve<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Option<Digest>>;
    /// Every tag of an image, over all pages.
    async fn tags<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Vec<Tag>>;
    /// Images that match a term, most fitting first, at most `limit`. Only Docker Hub can be searched.
    async fn search(&self, term: &str, limit: u32) -> Result<Vec<FoundImage>>;
    /// Every tag of an image with its details, newest first; where the registry knows no times, in descending order of names.
    async fn tag_details<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Vec<TagDetails>>;
    /// Adds a tag to a digest that is there; moves the tag when it points elsewhere. Errors: `NotFound` without the digest.
    async fn tag<'a>(&self, reference: &ImageReference, digest: &Digest, tag: &Tag, access: Option<&'a RegistryAccess>) -> Result<()>;
}
