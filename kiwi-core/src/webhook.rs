//! Webhook deliveries: unverified until their signature holds, and only then an event.

use crate::domain::{Branch, CommitSha, RepositoryLink};
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt as _;

/// A delivery as it arrived. Nothing in it can be trusted, and nothing in it can be read by name: only a
/// [`WebhookVerifier`](crate::provider::WebhookVerifier) turns it into an event.
#[derive(Debug, Clone)]
pub struct UnverifiedWebhook {
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// The largest body that a git host sends: GitHub's documented cap.
pub const LARGEST_BODY: usize = 25 << 20;

impl UnverifiedWebhook {
    /// Header names are matched without regard to case.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>, body: Bytes) -> Self {
        Self { headers: headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(), body }
    }

    /// Takes a delivery off the network. A body over [`LARGEST_BODY`] is refused before it is read when its length is declared, and at the
    /// first byte too many when it is not. Errors: `TooLarge`, and what the stream fails with.
    pub async fn receive<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        headers: impl IntoIterator<Item = (String, String)>,
        body: impl Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    ) -> Result<Self> {
        let mut delivery = Self::new(headers, Bytes::new());
        let too_large = || Error::new(ErrorKind::TooLarge, "receive delivery", format!("the body is larger than {} MiB", LARGEST_BODY >> 20));
        let declared = delivery.header("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
        if declared > LARGEST_BODY {
            return Err(too_large());
        }
        // The declared length is a stranger's word; it must not make us set memory aside.
        let (mut body, mut bytes) = (body, Vec::with_capacity(declared.min(64 << 10)));
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| {
                let cause: Box<dyn std::error::Error + Send + Sync> = error.into();
                Error::new(ErrorKind::Unavailable, "receive delivery", "the connection broke").with_source(std::io::Error::other(cause))
            })?;
            if bytes.len() + chunk.len() > LARGEST_BODY {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        delivery.body = bytes.into();
        Ok(delivery)
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
    /// An authentic push to a branch, which has a commit to build.
    Event(PushEvent),
    /// Authentic, but nothing to build.
    Ignored {
        /// Why, in words.
        reason: String,
        /// What it is about.
        about: About,
    },
    /// Not authentic, or not readable.
    Rejected {
        /// Why, in words.
        reason: String,
        /// What its headers claim; nothing of the body.
        about: About,
    },
}

/// An authentic push to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEvent {
    /// Which repository, by the host's id and its path at the time.
    pub repository: RepositoryLink,
    /// The branch.
    pub branch: Branch,
    /// Its new head.
    pub commit: CommitSha,
    /// Its head before, unless the branch is new. After a force push the host may not know it any more.
    pub before: Option<CommitSha>,
    /// The host's id of the delivery: the same when the host sends it again.
    pub delivery: Option<String>,
}

/// What a delivery is about, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The host's name of the event.
    pub event: Option<String>,
    /// The host's id of the delivery.
    pub delivery: Option<String>,
    /// Which repository.
    pub repository: Option<RepositoryLink>,
    /// The branch.
    pub branch: Option<Branch>,
    /// The tag.
    pub tag: Option<String>,
    /// The commit; of an annotated tag, the one that it points to.
    pub commit: Option<CommitSha>,
}

impl WebhookVerdict {
    /// What the delivery is about.
    pub fn about(&self) -> About {
        match self {
            Self::Event(push) => About {
                event: Some("push".to_owned()),
                delivery: push.delivery.clone(),
                repository: Some(push.repository.clone()),
                branch: Some(push.branch.clone()),
                tag: None,
                commit: Some(push.commit.clone()),
            },
            Self::Ignored { about, .. } | Self::Rejected { about, .. } => about.clone(),
        }
    }

    /// Ignores a push to another branch than the one that is delivered.
    #[must_use]
    pub fn for_branch(self, branch: &Branch) -> Self {
        match &self {
            Self::Event(push) if push.branch != *branch => {
                Self::Ignored { reason: format!("the push is to {}, and {branch} is delivered", push.branch), about: self.about() }
            }
            _ => self,
        }
    }

    /// Rejects a delivery of another repository than the service's own: its secret proves who sent it, not what it may speak for.
    #[must_use]
    pub fn for_repository(self, id: u64) -> Self {
        match self.about().repository {
            Some(found) if found.id != id && !matches!(self, Self::Rejected { .. }) => {
                let about = About { event: self.about().event, delivery: self.about().delivery, ..About::default() };
                Self::Rejected { reason: "the delivery is of another repository than the service's".to_owned(), about }
            }
            _ => self,
        }
    }
}

/// The words by which the author of a commit says that it is not to be built; the line that says so in either form.
pub fn skips_ci(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"].iter().any(|words| lower.contains(words))
        || lower.lines().any(|line| matches!(line.trim(), "skip-checks:true" | "skip-checks: true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push() -> WebhookVerdict {
        WebhookVerdict::Event(PushEvent {
            repository: RepositoryLink { id: 7, path: "team/shop".to_owned() },
            branch: "main".parse().unwrap(),
            commit: "1".repeat(40).parse().unwrap(),
            before: None,
            delivery: Some("d".to_owned()),
        })
    }

    #[test]
    fn only_the_service_s_own_branch_and_repository_count() {
        assert_eq!(push().for_branch(&"main".parse().unwrap()).for_repository(7), push());
        let other = push().for_branch(&"release".parse().unwrap());
        assert!(matches!(&other, WebhookVerdict::Ignored { reason, .. } if reason == "the push is to main, and release is delivered"));
        assert_eq!(other.about(), push().about());
        let foreign = push().for_repository(8);
        assert!(matches!(&foreign, WebhookVerdict::Rejected { about, .. } if about.repository.is_none() && about.delivery.as_deref() == Some("d")));
    }

    #[tokio::test]
    async fn a_body_over_the_cap_is_refused_before_it_is_buffered() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let read = AtomicUsize::new(0);
        let endless = || {
            futures_util::stream::iter(std::iter::repeat_with(|| {
                read.fetch_add(1 << 20, Ordering::Relaxed);
                Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 20]))
            }))
        };
        let declared = [("Content-Length".to_owned(), (LARGEST_BODY + 1).to_string())];
        assert_eq!(UnverifiedWebhook::receive(declared, endless()).await.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(read.load(Ordering::Relaxed), 0, "a declared length is enough");
        assert_eq!(UnverifiedWebhook::receive([], endless()).await.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(read.load(Ordering::Relaxed), LARGEST_BODY + (1 << 20), "one chunk too many, and no more");
        let whole = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from("{\"a\"")), Ok(Bytes::from(":1}"))]);
        assert_eq!(UnverifiedWebhook::receive([], whole).await.unwrap().body(), "{\"a\":1}");
        let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]);
        assert_eq!(UnverifiedWebhook::receive([], broken).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn the_author_can_skip() {
        for message in ["x [skip ci]", "[CI Skip] y", "a\n\n[no ci]", "[skip actions]", "fix\n\nskip-checks: true\n"] {
            assert!(skips_ci(message), "{message:?}");
        }
        for message in ["", "skip ci", "do not skip-checks: true here", "[skip]"] {
            assert!(!skips_ci(message), "{message:?}");
        }
    }
}
