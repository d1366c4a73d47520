//! A builder whose images are the hash of their commit label.

use super::{Failures, lock};
use crate::domain::{Digest, ImagePin, ImageReference, LogStream, RunId};
use crate::error::{Error, Result};
use crate::provider::{BoxStream, BuildEvent, BuildOutcome, BuildPurpose, BuildRequest, Builder, BuilderCapabilities};
use async_trait::async_trait;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// "Builds" at once, and remembers what it built.
#[derive(Debug, Default)]
pub struct MemoryBuilder {
    built: Mutex<BTreeMap<ImageReference, ImagePin>>,
    builds: Mutex<u64>,
    failures: Failures,
}

impl MemoryBuilder {
    /// Makes the next build fail.
    pub fn fail(&self, error: Error) {
        self.failures.push(error);
    }

    /// How many builds there were.
    pub fn builds(&self) -> u64 {
        *lock(&self.builds)
    }

    fn outcome(&self, request: &BuildRequest) -> Result<BuildOutcome> {
        self.failures.next()?;
        *lock(&self.builds) += 1;
        let revision = request.labels.get("org.opencontainers.image.revision").map(String::as_str).unwrap_or_default();
        let hash: String = Sha256::digest(revision).iter().map(|byte| format!("{byte:02x}")).collect();
        let digest: Digest = format!("sha256:{hash}").parse()?;
        let image = match &request.push {
            Some(access) => ImagePin::Registry { reference: request.image.clone(), digest, registry: Some(access.name.clone()) },
            None => ImagePin::Local { reference: request.image.clone(), id: digest },
        };
        if request.purpose == BuildPurpose::Release {
            lock(&self.built).insert(request.image.clone(), image.clone());
        }
        Ok(BuildOutcome { image, cached: false })
    }
}

#[async_trait]
impl Builder for MemoryBuilder {
    fn capabilities(&self) -> BuilderCapabilities {
        BuilderCapabilities { tree: true, commit: false, mounts: false, local_images: true }
    }

    async fn plan(&self, _: &BuildRequest) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn find(&self, request: &BuildRequest) -> Result<Option<BuildOutcome>> {
        Ok(lock(&self.built).get(&request.image).map(|image| BuildOutcome { image: image.clone(), cached: false }))
    }

    fn build(&self, request: BuildRequest) -> BoxStream<Result<BuildEvent>> {
        let log = BuildEvent::Log { stream: LogStream::Stdout, chunk: b"built in memory\n".to_vec() };
        let end = self.outcome(&request).map(BuildEvent::Done);
        futures_util::stream::iter([Ok(log), end]).boxed()
    }

    async fn tag(&self, image: &ImagePin, name: &ImageReference) -> Result<()> {
        lock(&self.built).insert(name.clone(), image.with_reference(name.clone()));
        Ok(())
    }

    async fn cancel(&self, _: &RunId) -> Result<()> {
        Ok(())
    }
}
