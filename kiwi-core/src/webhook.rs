//! Webhook deliveries: unverified until their signature holds, and only then an event.

use crate::domain::{Branch, CommitSha};
use bytes::Bytes;

/// A delivery as it arrived. Nothing in it can be trusted, and nothing in it can be read by name: only a
/// [`GitProvider`](crate::provider::GitProvider) turns it into an event.
#[derive(Debug, Clone)]
pub struct UnverifiedWebhook {
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl UnverifiedWebhook {
    /// Header names are matched without regard to case.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>, body: Bytes) -> Self {
        Self { headers: headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(), body }
    }

    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The raw bytes that a signature is over.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// What a delivery turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookVerdict {
    /// An authentic push.
    Push(PushEvent),
    /// Authentic, but nothing to act on.
    Ignored {
        /// Why, in words.
        reason: String,
    },
    /// Not authentic, or not readable.
    Rejected {
        /// Why, in words.
        reason: String,
    },
}

/// An authentic push to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEvent {
    /// The host's own id of the repository.
    pub repository: u64,
    /// The branch.
    pub branch: Branch,
    /// Its new head.
    pub commit: CommitSha,
    /// The host's id of the delivery.
    pub delivery: Option<String>,
}
