//! A git host of commits that a test pushes; all of them have the same files.

use super::{Failures, lock};
use crate::domain::{Branch, CommitSha, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{BoxStream, FetchEvent, ServiceSource, SourceAccess, SourceReport};
use async_trait::async_trait;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

/// Serves every git source with the same branches.
#[derive(Debug)]
pub struct MemorySource {
    branches: Mutex<BTreeMap<Branch, CommitSha>>,
    files: Mutex<BTreeMap<String, String>>,
    failures: Failures,
}

impl Default for MemorySource {
    /// A host without branches, whose commits have a Dockerfile.
    fn default() -> Self {
        let files = BTreeMap::from([("Dockerfile".to_owned(), "FROM scratch\n".to_owned())]);
        Self { branches: Mutex::default(), files: Mutex::new(files), failures: Failures::default() }
    }
}

impl MemorySource {
    /// Gives every commit these files alone, by name.
    pub fn set_files(&self, files: BTreeMap<String, String>) {
        *lock(&self.files) = files;
    }

    /// Moves a branch to a commit.
    pub fn push(&self, branch: Branch, commit: CommitSha) {
        lock(&self.branches).insert(branch, commit);
    }

    /// Makes the next call fail.
    pub fn fail(&self, error: Error) {
        self.failures.push(error);
    }
}

#[async_trait]
impl ServiceSource for MemorySource {
    fn supports(&self, source: &Source) -> bool {
        matches!(source, Source::Git { .. })
    }

    async fn check(&self, _: &Source, _: &SourceAccess) -> Result<SourceReport> {
        self.failures.next()?;
        let branches: Vec<_> = lock(&self.branches).iter().map(|(branch, commit)| (branch.clone(), commit.clone())).collect();
        if branches.is_empty() {
            return Err(Error::new(ErrorKind::EmptyRepository, "check source", "Empty repository"));
        }
        Ok(SourceReport { default_branch: branches.first().map(|(branch, _)| branch.clone()), branches, tags: Vec::new() })
    }

    async fn resolve(&self, _: &Source, branch: &Branch, _: &SourceAccess) -> Result<CommitSha> {
        self.failures.next()?;
        let missing = || Error::new(ErrorKind::BranchNotFound, "resolve branch", format!("Branch not found: {branch}"));
        lock(&self.branches).get(branch).cloned().ok_or_else(missing)
    }

    fn open(&self, _: &Source, _: &CommitSha, _: &SourceAccess, into: PathBuf) -> BoxStream<Result<FetchEvent>> {
        let write = || -> std::io::Result<()> { lock(&self.files).iter().try_for_each(|(name, content)| std::fs::write(into.join(name), content)) };
        let failed = |error| Error::new(ErrorKind::Storage, "write tree", "a file cannot be written").with_source(error);
        let result = self.failures.next().and_then(|()| write().map_err(failed)).map(|()| FetchEvent::Done);
        futures_util::stream::once(async { result }).boxed()
    }
}
