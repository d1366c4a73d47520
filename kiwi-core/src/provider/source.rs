//! Where a service comes from.

use super::{BoxStream, SourceAccess};
use crate::domain::{Branch, CommitSha, Source, Tag};
use crate::error::Result;
use async_trait::async_trait;
use std::path::PathBuf;

/// What a check of a source found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceReport {
    /// The branch that the server calls its head.
    pub default_branch: Option<Branch>,
    /// Every branch with its commit, by name.
    pub branches: Vec<(Branch, CommitSha)>,
    /// The tags of an image.
    pub tags: Vec<Tag>,
}

/// One step of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchEvent {
    /// How many bytes have arrived.
    Received {
        /// So many.
        bytes: u64,
    },
    /// The tree is complete; nothing follows.
    Done,
}

/// A place that services come from.
///
/// Order: [`check`](Self::check) at registration, [`resolve`](Self::resolve) when a run begins, [`open`](Self::open) for what was resolved.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ServiceSource: Send + Sync {
    /// Whether this provider serves `source`.
    fn supports(&self, source: &Source) -> bool;

    /// Connects and lists what there is. Reads only.
    ///
    /// Errors: `Unauthenticated`, `RepositoryNotFound`, `Timeout`, `ConnectionRefused`, `HostNotFound`, `Tls`,
    /// `EmptyRepository`, `BranchNotFound` when the source's branch is missing, `Protocol`.
    async fn check(&self, source: &Source, access: &SourceAccess) -> Result<SourceReport>;

    /// The exact commit of a branch now. Errors as [`check`](Self::check).
    async fn resolve(&self, source: &Source, branch: &Branch, access: &SourceAccess) -> Result<CommitSha>;

    /// Writes the tree of `commit` into the empty directory `into`, without git's own files. What arrives is untrusted: no
    /// link leads out of the tree, and size and time are capped.
    ///
    /// Errors also: `CommitNotFound`, `TooLarge`. After an error or a drop the directory may hold a part; the caller removes it.
    fn open(&self, source: &Source, commit: &CommitSha, access: &SourceAccess, into: PathBuf) -> BoxStream<Result<FetchEvent>>;
}
