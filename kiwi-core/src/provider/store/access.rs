//! What a server keeps about those who call it: their tokens, what they changed, and the answers they may ask for twice.

use crate::domain::{ApiToken, AuditEntry, AuditId, OrganizationId, SecretId, Timestamp, TokenId, UserName};
use crate::error::Result;
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

/// API tokens.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Adds one. Errors: `AlreadyExists`.
    async fn insert_token(&self, token: &KeptToken) -> Result<()>;
    /// One by id, of any organization: who calls is not known before.
    async fn token(&self, id: &TokenId) -> Result<Option<KeptToken>>;
    /// All, or those of one user, oldest first.
    async fn tokens<'a>(&self, organization: &OrganizationId, user: Option<&'a UserName>) -> Result<Vec<ApiToken>>;
    /// Notes that one was used. One that is gone is no error.
    async fn use_token(&self, id: &TokenId, at: Timestamp) -> Result<()>;
    /// Ends one; ending it again changes nothing. Errors: `NotFound`.
    async fn revoke_token(&self, organization: &OrganizationId, id: &TokenId, at: Timestamp) -> Result<()>;
    /// Removes one. Of several who try at once, one succeeds. Errors: `NotFound`.
    async fn remove_token(&self, id: &TokenId) -> Result<()>;
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
}

/// Idempotency keys: the answer to a request that a client may send again. A key that is over its time is as good as none.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Takes a key for a request with this fingerprint, until a time.
    async fn claim_key(&self, organization: &OrganizationId, key: &str, fingerprint: &str, now: Timestamp, until: Timestamp) -> Result<KeyClaim>;
    /// Notes where the answer is kept, until a time.
    async fn answer_key(&self, organization: &OrganizationId, key: &str, answer: &SecretId, until: Timestamp) -> Result<()>;
    /// Gives a key back that has no answer.
    async fn forget_key(&self, organization: &OrganizationId, key: &str) -> Result<()>;
    /// Forgets what is over its time; answers the secrets that nothing names any more.
    async fn expire_keys(&self, now: Timestamp) -> Result<Vec<SecretId>>;
}
