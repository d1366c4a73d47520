//! Any git server, by URL.
//!
//! Refs are read from the server's advertisement (`advertise.rs`). One commit is asked for and its pack taken apart while it arrives
//! (`fetch.rs`, `packet.rs`, `objects.rs`); gix writes its files (`tree.rs`).

mod advertise;
mod client;
mod fetch;
mod objects;
mod packet;
mod tree;

use async_trait::async_trait;
use kiwi_core::domain::{Branch, CommitSha, Reach, Source};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{BoxStream, FetchEvent, ServiceSource, SourceAccess, SourceReport};
use std::path::PathBuf;
use std::time::Duration;

/// Bounds on what a server may do to us.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The time to connect and to answer the first request.
    pub answer: Duration,
    /// The time that may pass without a byte of a pack; a server prepares a large one for minutes before it sends any.
    pub stall: Duration,
    /// The time that a whole fetch may take.
    pub fetch: Duration,
    /// The size of pack and tree together, in bytes.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { answer: Duration::from_secs(20), stall: Duration::from_secs(180), fetch: Duration::from_secs(30 * 60), bytes: 4 << 30 }
    }
}

/// Fetches from any smart-HTTP server.
#[derive(Debug, Clone, Default)]
pub struct UrlSource {
    limits: Limits,
    reach: Reach,
}

impl UrlSource {
    /// A source with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self { limits, reach: Reach::Anywhere }
    }

    /// The same, for no other hosts than these.
    #[must_use]
    pub fn within(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    async fn advertised(&self, source: &Source, access: &SourceAccess) -> Result<advertise::Advertisement> {
        let Source::Git { repository, .. } = source else {
            return Err(Error::new(ErrorKind::Unsupported, "read refs", "an image source has no git server"));
        };
        advertise::read(repository, access, self).await
    }
}

/// Takes a pack apart, for fuzzing.
#[doc(hidden)]
pub fn unpack(mut pack: &[u8]) -> std::io::Result<()> {
    objects::Objects::unpack(&mut pack, tempfile::tempfile()?, 16 << 20).map(|_| ())
}

#[async_trait]
impl ServiceSource for UrlSource {
    fn supports(&self, source: &Source) -> bool {
        matches!(source, Source::Git { .. })
    }

    async fn check(&self, source: &Source, access: &SourceAccess) -> Result<SourceReport> {
        let advertisement = self.advertised(source, access).await?;
        if advertisement.branches.is_empty() {
            return Err(Error::new(ErrorKind::EmptyRepository, "check source", "Empty repository"));
        }
        Ok(SourceReport { default_branch: advertisement.head, branches: advertisement.branches, tags: Vec::new() })
    }

    async fn resolve(&self, source: &Source, branch: &Branch, access: &SourceAccess) -> Result<CommitSha> {
        let report = self.check(source, access).await?;
        let found = report.branches.iter().find(|(name, _)| name == branch).map(|(_, commit)| commit.clone());
        found.ok_or_else(|| Error::new(ErrorKind::BranchNotFound, "resolve branch", format!("Branch not found: {branch}")))
    }

    fn open(&self, source: &Source, commit: &CommitSha, access: &SourceAccess, into: PathBuf) -> BoxStream<Result<FetchEvent>> {
        fetch::open(source.clone(), commit.clone(), access.clone(), into, self.clone())
    }
}
