//! A registry of tags.

use super::{Failures, lock};
use crate::domain::{Digest, ImageReference, Tag};
use crate::error::{Error, Result};
use crate::provider::{FoundImage, ImageRegistry, RegistryAccess, RegistryReport, TagDetails};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Remembers which tag points to which digest.
#[derive(Debug, Default)]
pub struct MemoryRegistry {
    tags: Mutex<BTreeMap<(String, Tag), Digest>>,
    failures: Failures,
}

impl MemoryRegistry {
    /// Makes the next call fail.
    pub fn fail(&self, error: Error) {
        self.failures.push(error);
    }
}

#[async_trait]
impl ImageRegistry for MemoryRegistry {
    async fn check(&self, _: &RegistryAccess) -> Result<RegistryReport> {
        self.failures.next().map(|()| RegistryReport { may_push: true, push_refusal: None })
    }

    async fn resolve<'a>(&self, reference: &ImageReference, _: Option<&'a RegistryAccess>) -> Result<Option<Digest>> {
        self.failures.next()?;
        let Some(tag) = reference.tag() else { return Ok(reference.digest().cloned()) };
        Ok(lock(&self.tags).get(&(reference.name(), tag.clone())).cloned())
    }

    async fn tags<'a>(&self, reference: &ImageReference, _: Option<&'a RegistryAccess>) -> Result<Vec<Tag>> {
        self.failures.next()?;
        Ok(lock(&self.tags).keys().filter(|(name, _)| *name == reference.name()).map(|(_, tag)| tag.clone()).collect())
    }

    async fn search(&self, term: &str, limit: u32) -> Result<Vec<FoundImage>> {
        self.failures.next()?;
        let mut names: Vec<_> = lock(&self.tags).keys().map(|(name, _)| name.clone()).filter(|name| name.contains(term)).collect();
        names.dedup();
        let found = |name| FoundImage { name, description: String::new(), stars: 0, pulls: None, official: false };
        Ok(names.into_iter().take(limit as usize).map(found).collect())
    }

    async fn tag_details<'a>(&self, reference: &ImageReference, _: Option<&'a RegistryAccess>) -> Result<Vec<TagDetails>> {
        self.failures.next()?;
        let tags = lock(&self.tags);
        let own = tags.iter().rev().filter(|((name, _), _)| *name == reference.name());
        Ok(own
            .map(|((_, tag), digest)| TagDetails { name: tag.clone(), digest: Some(digest.clone()), size: None, pushed_at: None, platforms: Vec::new() })
            .collect())
    }

    async fn tag<'a>(&self, reference: &ImageReference, digest: &Digest, tag: &Tag, _: Option<&'a RegistryAccess>) -> Result<()> {
        self.failures.next()?;
        lock(&self.tags).insert((reference.name(), tag.clone()), digest.clone());
        Ok(())
    }
}
