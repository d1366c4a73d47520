//! What the deliveries of both hosts have in common.

use hmac::{Hmac, Mac as _};
use kiwi_core::domain::{Branch, CommitSha, RepositoryLink};
use kiwi_core::webhook::{About, LARGEST_BODY, PushEvent, UnverifiedWebhook, WebhookVerdict, skips_ci};
use sha2::Sha256;

/// A push, as both hosts describe it in their own words.
#[derive(Debug, Default)]
pub(crate) struct Push {
    pub(crate) event: String,
    pub(crate) delivery: Option<String>,
    pub(crate) repository: Option<RepositoryLink>,
    pub(crate) reference: String,
    pub(crate) before: Option<String>,
    /// The commit that the reference names now; never the id of a tag's own object.
    pub(crate) commit: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) message: Option<String>,
    /// Asked for in another way than by the commit's message.
    pub(crate) skipped: bool,
}

pub(crate) fn too_large(delivery: &UnverifiedWebhook) -> bool {
    delivery.body().len() > LARGEST_BODY
}

pub(crate) fn rejected(reason: impl Into<String>, event: Option<&str>, delivery: Option<&str>) -> WebhookVerdict {
    // These come from headers that anybody can write.
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    WebhookVerdict::Rejected { reason: reason.into(), about: About { event: event.map(clean), delivery: delivery.map(clean), ..About::default() } }
}

/// Whether the code of `parts` under `key` is `expected`, in a time that does not depend on where they differ.
pub(crate) fn signed(key: &[u8], parts: &[&[u8]], expected: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(expected).is_ok()
}

/// Judges an authentic push.
pub(crate) fn judge(push: Push) -> WebhookVerdict {
    let branch = push.reference.strip_prefix("refs/heads/").map(str::to_owned);
    let tag = push.reference.strip_prefix("refs/tags/").map(str::to_owned);
    let is_zero = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    let commit = push.commit.as_deref().filter(|text| !is_zero(text)).and_then(|text| text.parse::<CommitSha>().ok());
    let parsed = branch.as_deref().map(str::parse::<Branch>);
    let about = About {
        event: Some(push.event),
        delivery: push.delivery.clone(),
        repository: push.repository.clone(),
        branch: parsed.as_ref().and_then(|parsed| parsed.as_ref().ok().cloned()),
        tag: tag.clone().filter(|tag| !tag.chars().any(char::is_control)),
        commit: commit.clone(),
    };
    let ignored = |reason: &str| WebhookVerdict::Ignored { reason: reason.to_owned(), about: about.clone() };
    let Some(repository) = push.repository else { return ignored("the delivery names no repository") };
    // The zeros count too: GitLab has no other sign of a deletion.
    let deleted = push.deleted || push.commit.as_deref().is_some_and(is_zero);
    match (parsed, tag) {
        (Some(Ok(_)), _) if deleted => ignored("the branch was deleted"),
        (_, Some(_)) if deleted => ignored("the tag was deleted"),
        (_, Some(_)) => ignored("a tag was pushed, and only pushes to a branch are delivered"),
        (None, None) => ignored("the push is to neither a branch nor a tag"),
        (Some(Err(_)), _) => ignored("the branch has a name that git does not allow"),
        (Some(Ok(_)), _) if push.skipped => ignored("the push asks not to be built"),
        (Some(Ok(_)), _) if push.message.as_deref().is_some_and(skips_ci) => ignored("the head commit's message asks not to be built"),
        (Some(Ok(branch)), _) => match commit {
            None => ignored("the delivery names no commit"),
            Some(commit) => WebhookVerdict::Event(PushEvent {
                repository,
                branch,
                commit,
                before: push.before.filter(|text| !is_zero(text)).and_then(|text| text.parse().ok()),
                delivery: push.delivery,
            }),
        },
    }
}
