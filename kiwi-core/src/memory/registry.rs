//! A registry of tags.

use super::{Failures, lock};
use crate::domain::{Digest, ImageReference, Tag};
use crate::error::{Error, Result};
use crate::provider::{ImageRegistry, RegistryAccess};
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
    async fn check(&self, _: &RegistryAccess) -> Result<()> {
        self.failures.next()
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

    async fn tag<'a>(&self, reference: &ImageReference, digest: &Digest, tag: &Tag, _: Option<&'a RegistryAccess>) -> Result<()> {
        self.failures.next()?;
        lock(&self.tags).insert((reference.name(), tag.clone()), digest.clone());
        Ok(())
    }
}
