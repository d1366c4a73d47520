//! The audit log, and answers that a client may ask for twice.

use super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{AuditEntry, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::store::{AuditFilter, KeyClaim};
use crate::secret::SecretString;
use std::time::Duration;

/// How long a request with a key may take before it counts as one whose end nobody will tell.
const BUSY: Duration = Duration::from_secs(120);

/// How long an answer can be asked for again.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a request was made before, under its idempotency key.
#[derive(Debug)]
pub enum Recall {
    /// It was not. Answer it, then [`remember`](Kiwi::remember) the answer or [`forget`](Kiwi::forget) the key.
    New,
    /// It was, and this was the answer.
    Answered(SecretString),
}

impl Kiwi {
    /// Writes an attempt to change something down. The adapter that took the request does so, in one place: it alone knows from where it came,
    /// and it sees what was refused too.
    pub async fn record(&self, actor: &Actor, entry: &AuditEntry) -> Result<()> {
        self.store().append_audit(&actor.organization, entry).await
    }

    /// Who changed what, newest first.
    pub async fn audit(&self, actor: &Actor, filter: &AuditFilter) -> Result<Vec<AuditEntry>> {
        actor.may(Operation::ReadAudit)?;
        self.store().audit(&actor.organization, filter).await
    }

    /// Takes an idempotency key for a request with this fingerprint. Each user has their own keys.
    ///
    /// Errors: `InvalidInput` when the key belongs to another request, `Busy` while the same one is being answered, `Conflict` when nobody will know
    /// whether it was done.
    pub async fn recall(&self, actor: &Actor, key: &str, fingerprint: &str) -> Result<Recall> {
        let now = Timestamp::now();
        let forgotten = self.store().expire_keys(now, now.before(KEPT)).await?;
        self.store().remove_secrets(&forgotten).await?;
        match self.store().claim_key(&actor.organization, &own(actor, key), fingerprint, now, now.after(BUSY)).await? {
            KeyClaim::New => Ok(Recall::New),
            KeyClaim::Answered(answer) => self.store().secret(&answer).await.map(Recall::Answered),
            KeyClaim::Busy => Err(Error::new(ErrorKind::Busy, "recall request", "a request with this idempotency key is being answered")
                .with_hint("wait a moment and send it again")),
            KeyClaim::Abandoned => {
                Err(Error::new(ErrorKind::Conflict, "recall request", "the server that began this request ended before it could say whether it was done")
                    .with_hint("look whether it was; if not, send it with a new idempotency key"))
            }
            KeyClaim::Different => {
                Err(Error::invalid("recall request", "this idempotency key was used for another request").with_hint("make a new key for each thing you create"))
            }
        }
    }

    /// Keeps an answer for a day, sealed: it may hold a token that is shown once.
    pub async fn remember(&self, actor: &Actor, key: &str, answer: &SecretString) -> Result<()> {
        let id = self.store().insert_secret(answer).await?;
        self.store().answer_key(&actor.organization, &own(actor, key), &id, Timestamp::now().after(KEPT)).await
    }

    /// Gives a key back whose request failed, so that it can be tried again.
    pub async fn forget(&self, actor: &Actor, key: &str) -> Result<()> {
        self.store().forget_key(&actor.organization, &own(actor, key)).await
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> Result<()> {
        self.store().installation().await.map(|_| ())
    }

    /// How many things wait for a worker, or are being worked: builds, and services with deployments to make.
    pub async fn queue_length(&self) -> Result<usize> {
        Ok(self.store().heads().await?.len())
    }
}

fn own(actor: &Actor, key: &str) -> String {
    format!("{}/{key}", actor.name.to_ascii_lowercase())
}
