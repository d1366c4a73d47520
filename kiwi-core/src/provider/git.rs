//! Git hosts with an API beyond git itself.

use super::BoxStream;
use crate::domain::{Branch, CommitSha, GitUrl};
use crate::error::Result;
use crate::secret::SecretString;
use crate::webhook::{UnverifiedWebhook, WebhookVerdict};
use async_trait::async_trait;
use url::Url;

/// What a git host's API can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitProviderCapabilities {
    /// It can create repositories.
    pub create_repository: bool,
    /// It can create accounts.
    pub create_accounts: bool,
    /// It shows commit statuses.
    pub commit_status: bool,
}

/// Who a token belongs to and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenReport {
    /// The account.
    pub login: String,
    /// What the host says the token may do; empty when the host does not say.
    pub scopes: Vec<String>,
    /// When it expires, as the host writes it.
    pub expires: Option<String>,
    /// Features that will not work, each with the permission that is missing.
    pub missing: Vec<String>,
}

/// A repository as the host lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRepository {
    /// The host's own id, which survives renames.
    pub id: u64,
    /// The full path, such as `group/sub/name`; opaque.
    pub path: String,
    /// Where it is cloned from.
    pub clone_url: GitUrl,
    /// The default branch; none when empty.
    pub default_branch: Option<Branch>,
    /// Whether it is read-only.
    pub archived: bool,
}

/// An owner that repositories can be created under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// The host's own id.
    pub id: u64,
    /// The full path.
    pub path: String,
}

/// The files that differ between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Paths, old and new ones of renames.
    pub files: Vec<String>,
    /// Whether the host cut the list; then it must not be trusted to exclude anything.
    pub truncated: bool,
}

/// What is shown beside a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// How delivery stands.
    pub state: CommitState,
    /// One line.
    pub description: String,
    /// Where to read more.
    pub target: Option<Url>,
    /// Tells several statuses of a commit apart.
    pub context: String,
}

/// How delivery of a commit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum CommitState {
    Pending,
    Running,
    Success,
    Failure,
}

/// A git host with an API. One value serves one server with one token.
///
/// Errors of every method: `Unauthenticated`, `Forbidden` (with the missing permission), `NotFound` (only after the token
/// was verified, because hosts hide what a token may not see), `Timeout`, `Tls`, `Unavailable` (rate limits, with the time
/// to wait in the hint), `Protocol` (not the API it should be).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait GitProvider: Send + Sync {
    /// What the host can do.
    fn capabilities(&self) -> GitProviderCapabilities;
    /// Who the token is and what it lacks.
    async fn verify_token(&self) -> Result<TokenReport>;
    /// Owners that the token may create repositories under, page by page.
    fn namespaces(&self) -> BoxStream<Result<Namespace>>;
    /// Repositories that the token may see, page by page, without duplicates.
    fn repositories(&self, search: Option<String>) -> BoxStream<Result<RemoteRepository>>;
    /// One repository by its path. A renamed one answers with its new path.
    async fn repository(&self, path: &str) -> Result<RemoteRepository>;
    /// Branches with their commits, page by page.
    fn branches(&self, path: &str) -> BoxStream<Result<(Branch, CommitSha)>>;
    /// Creates a private repository with a first commit on `main`; adopts one that is there already.
    async fn create_repository(&self, namespace: &Namespace, name: &str) -> Result<RemoteRepository>;
    /// The files that differ.
    async fn compare(&self, path: &str, from: &CommitSha, to: &CommitSha) -> Result<Comparison>;
    /// Makes sure that exactly one webhook with this URL exists and carries this secret.
    async fn ensure_webhook(&self, path: &str, url: &Url, secret: &SecretString) -> Result<()>;
    /// Makes sure that no webhook with this URL exists.
    async fn remove_webhook(&self, path: &str, url: &Url) -> Result<()>;
    /// Verifies a delivery on its raw bytes, then parses it. Needs no network.
    fn verify_webhook(&self, delivery: &UnverifiedWebhook, secret: &SecretString) -> WebhookVerdict;
    /// Shows a status beside a commit; showing the same one twice is no error.
    async fn publish_status(&self, path: &str, commit: &CommitSha, status: &CommitStatus) -> Result<()>;
    /// Creates an account unless the user name exists; answers whether it was created.
    async fn create_account(&self, username: &str, email: &str, name: &str, password: &SecretString) -> Result<bool>;
}
