//! Git hosts with an API beyond git itself.

use super::BoxStream;
use crate::domain::{Branch, CommitSha, Email, GitProviderKind, GitUrl, RepositoryLink, ServerUrl, Timestamp, UserName};
use crate::error::Result;
use crate::secret::SecretString;
use crate::webhook::{UnverifiedWebhook, WebhookVerdict};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

/// A git host with its token.
#[derive(Debug, Clone)]
pub struct GitAccess {
    /// Which API it speaks.
    pub kind: GitProviderKind,
    /// Where it is.
    pub url: ServerUrl,
    /// The token.
    pub token: SecretString,
    /// A CA certificate (PEM) beyond those of the machine.
    pub ca: Option<String>,
    /// Whether plain HTTP and addresses that are not public are allowed.
    pub private: bool,
}

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenReport {
    /// The account.
    pub account: String,
    /// What the host says the token may do; empty when the host does not say.
    pub scopes: Vec<String>,
    /// When it ends; none when it does not, or when the host does not say.
    pub expires_at: Option<Timestamp>,
    /// What will not work.
    pub missing: Vec<MissingPermission>,
}

impl TokenReport {
    /// What an admin should know before the token ends: 30 days ahead.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        let left = self.expires_at?.as_millis() - now.as_millis();
        match left / DAY {
            _ if left <= 0 => Some("the token has expired".to_owned()),
            0 => Some("the token expires within a day".to_owned()),
            days if days < 30 => Some(format!("the token expires in {days} days")),
            _ => None,
        }
    }
}

/// Something that a token may not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingPermission {
    /// What will not work.
    pub feature: String,
    /// The permission to add.
    pub permission: String,
}

/// A repository as the host lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RemoteRepository {
    /// Id and full path.
    #[serde(flatten)]
    pub link: RepositoryLink,
    /// Where it is cloned from.
    pub clone_url: GitUrl,
    /// The default branch; none when empty.
    pub default_branch: Option<Branch>,
    /// Whether it is read-only.
    pub archived: bool,
}

/// An owner that repositories can be created under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Namespace {
    /// The host's own id.
    pub id: u64,
    /// The full path.
    pub path: String,
    /// Whether it is a person, not an organization or a group.
    pub personal: bool,
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
    /// The branch that was pushed; hosts with several pipelines need it.
    pub branch: Branch,
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

/// An account to create.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its user name.
    pub username: UserName,
    /// Its address.
    pub email: Email,
    /// The person's name.
    pub full_name: String,
    /// Its first password; without one the host sends the person a link to choose one.
    pub password: Option<SecretString>,
}

/// What became of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountOutcome {
    /// It is new.
    Created,
    /// It was there.
    Exists,
}

/// A git host with an API. One value serves one server with one token.
///
/// Errors of every method: `Unauthenticated`, `Forbidden` (with the missing permission), `RepositoryNotFound` (only after the
/// token was verified, because hosts hide what a token may not see), `Timeout`, `Tls`, `Unavailable` (rate limits, with the
/// time to wait in the hint), `Protocol` (not the API it should be).
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
    /// One repository by the host's id, wherever it is now.
    async fn repository_by_id(&self, id: u64) -> Result<RemoteRepository>;
    /// Branches with their commits, page by page.
    fn branches(&self, repository: &RepositoryLink) -> BoxStream<Result<(Branch, CommitSha)>>;
    /// Creates a private repository with a first commit on `main`; adopts one of this name that the token may write to.
    async fn create_repository(&self, namespace: &str, name: &str) -> Result<RemoteRepository>;
    /// The files that differ. Errors: `CommitNotFound` when the host does not know one of them any more.
    async fn compare(&self, repository: &RepositoryLink, from: &CommitSha, to: &CommitSha) -> Result<Comparison>;
    /// Makes sure that exactly one webhook with this URL exists and carries this secret.
    async fn ensure_webhook(&self, repository: &RepositoryLink, url: &Url, secret: &SecretString) -> Result<()>;
    /// Makes sure that no webhook with this URL exists.
    async fn remove_webhook(&self, repository: &RepositoryLink, url: &Url) -> Result<()>;
    /// Shows a status beside a commit; showing the same one twice is no error.
    async fn publish_status(&self, repository: &RepositoryLink, commit: &CommitSha, status: &CommitStatus) -> Result<()>;
    /// Creates an account unless one of its user name exists. Errors: `InvalidInput` when the host refuses a value.
    async fn create_account(&self, account: &NewAccount) -> Result<AccountOutcome>;
}

/// Reads the deliveries of one kind of host. Needs no network and no token.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait WebhookVerifier: Send + Sync {
    /// Verifies a delivery on its raw bytes, then parses it. Without a secret everything is rejected.
    #[expect(clippy::needless_lifetimes, reason = "the mock needs it named")]
    fn verify<'a>(&self, delivery: &UnverifiedWebhook, secret: Option<&'a SecretString>) -> WebhookVerdict;
}
