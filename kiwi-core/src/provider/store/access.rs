//! What a server keeps about those who call it: their tokens, what they changed, and the answers they may ask for twice.

use crate::access::{Role, Scope};
use crate::domain::{ApiToken, AuditEntry, AuditId, OrganizationId, SecretId, Timestamp, TokenId, User, UserName};
use crate::error::{Error, ErrorKind, Result};
use crate::token::TokenHash;
use async_trait::async_trait;

/// A token with what only the store knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// Whose it is.
    pub organization: OrganizationId,
    /// What is kept of its text.
    pub hash: TokenHash,
    /// The token.
    pub token: ApiToken,
}

impl KeptToken {
    /// Whether it makes the first admin, and is nobody's.
    pub fn is_bootstrap(&self) -> bool {
        self.token.scopes.contains(&Scope::Bootstrap)
    }
}

/// Whether removing this person would leave an organization, which has these, without an admin.
pub fn is_last_admin(users: &[User], name: &UserName) -> bool {
    let mut admins = users.iter().filter(|user| user.role == Role::Admin);
    admins.next().is_some_and(|only| only.name.as_str().eq_ignore_ascii_case(name.as_str())) && admins.next().is_none()
}

/// What [`UserStore::remove_user`](super::UserStore::remove_user) says of the last admin.
pub fn last_admin(name: &UserName) -> Error {
    Error::new(ErrorKind::Conflict, "remove user", format!("{name} is the only admin")).with_hint("make another admin first")
}

/// What [`TokenStore::insert_first_admin`] says when there is one.
pub fn admin_exists() -> Error {
    Error::new(ErrorKind::Conflict, "make first admin", "there is an admin already").with_hint("ask them for an account")
}

/// API tokens.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Adds one. Errors: `AlreadyExists`, `NotFound` when there is no such user; a bootstrap token has none.
    async fn insert_token(&self, token: &KeptToken) -> Result<()>;
    /// One by id, of any organization: who calls is not known before.
    async fn token(&self, id: &TokenId) -> Result<Option<KeptToken>>;
    /// All, or those of one user, oldest first.
    async fn tokens<'a>(&self, organization: &OrganizationId, user: Option<&'a UserName>) -> Result<Vec<ApiToken>>;
    /// Notes that one was used. One that is gone is no error.
    async fn use_token(&self, id: &TokenId, at: Timestamp) -> Result<()>;
    /// Ends one; ending it again changes nothing. Errors: `NotFound`.
    async fn revoke_token(&self, organization: &OrganizationId, id: &TokenId, at: Timestamp) -> Result<()>;
    /// Exchanges a bootstrap token for the first admin and their token, in one step: of several who try at once, with whichever tokens, one succeeds.
    /// Errors, with nothing changed: `NotFound` when the bootstrap token is gone, `Conflict` when there is an admin, `AlreadyExists` when the name is taken.
    async fn insert_first_admin(&self, bootstrap: &TokenId, admin: &User, token: &KeptToken) -> Result<()>;
}

/// Which entries of the audit log.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only those before this one.
    pub before: Option<AuditId>,
    /// Only what this actor did.
    pub actor: Option<String>,
    /// At most so many; all when absent.
    pub limit: Option<u32>,
}

/// The audit log. Entries are added and never changed.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Adds one.
    async fn append_audit(&self, organization: &OrganizationId, entry: &AuditEntry) -> Result<()>;
    /// Newest first.
    async fn audit(&self, organization: &OrganizationId, filter: &AuditFilter) -> Result<Vec<AuditEntry>>;
}

/// Whether a request with this key was made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyClaim {
    /// It was not: the key is now ours.
    New,
    /// It was, and this is where its answer is kept.
    Answered(SecretId),
    /// It is being worked on.
    Busy,
    /// The key was used for another request.
    Different,
    /// It was begun, and nobody is left who will say how it ended.
    Abandoned,
}

impl KeyClaim {
    /// What a key that somebody took says to whoever comes with it again.
    pub fn of(is_same_request: bool, answer: Option<&SecretId>, is_over: bool) -> Self {
        match answer {
            _ if !is_same_request => Self::Different,
            // An answer that is over its time is `expire_keys`'s to name, and gone at once.
            Some(_) if is_over => Self::Busy,
            Some(answer) => Self::Answered(answer.clone()),
            None if is_over => Self::Abandoned,
            None => Self::Busy,
        }
    }
}

/// Idempotency keys: the answer to a request that a client may send again.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Takes a key for a request with this fingerprint, until a time.
    async fn claim_key(&self, organization: &OrganizationId, key: &str, fingerprint: &str, now: Timestamp, until: Timestamp) -> Result<KeyClaim>;
    /// Notes where the answer is kept, until a time.
    async fn answer_key(&self, organization: &OrganizationId, key: &str, answer: &SecretId, until: Timestamp) -> Result<()>;
    /// Gives a key back that has no answer.
    async fn forget_key(&self, organization: &OrganizationId, key: &str) -> Result<()>;
    /// Forgets answers that are over their time now, and keys without one that were over it at `abandoned`; answers the secrets that nothing names any more.
    async fn expire_keys(&self, now: Timestamp, abandoned: Timestamp) -> Result<Vec<SecretId>>;
}
