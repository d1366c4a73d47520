//! Deliveries of webhooks: how many bytes one core verifies and parses in a second.

use crate::{median, row};
use hmac::{Hmac, Mac as _};
use kiwi_core::provider::WebhookVerifier;
use kiwi_core::webhook::{UnverifiedWebhook, WebhookVerdict};
use kiwi_git::github::GithubWebhooks;
use kiwi_git::gitlab::GitlabWebhooks;
use serde_json::json;
use sha2::Sha256;
use std::time::Instant;

const SECRET: &str = "s3cret-of-the-webhook";
const ROUNDS: usize = 5;

pub(crate) fn measure() {
    for (size, name) in [(10_000, "10 kB"), (25 << 20, "25 MB")] {
        one(&format!("GitHub delivery of {name}, signed"), &GithubWebhooks, &github(size));
        one(&format!("GitLab delivery of {name}, with a token"), &GitlabWebhooks, &gitlab(size));
    }
}

/// A list of commits, as long as makes the body so large.
fn commits(size: usize) -> Vec<serde_json::Value> {
    let commit = json!({ "id": "2".repeat(40), "message": "A change that says what it does and why.", "author": { "name": "Ada", "email": "ada@example.com" }, "added": ["src/main.rs"], "modified": ["README.md", "src/lib.rs"], "removed": [] });
    let length = commit.to_string().len() + 1;
    vec![commit; size.saturating_sub(600) / length]
}

fn github(size: usize) -> UnverifiedWebhook {
    let body = json!({ "ref": "refs/heads/main", "before": "1".repeat(40), "after": "2".repeat(40), "head_commit": { "id": "2".repeat(40), "message": "x" }, "commits": commits(size), "repository": { "id": 1, "full_name": "team/shop" } });
    let body = serde_json::to_vec(&body).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = [("X-GitHub-Event", "push".to_owned()), ("X-Hub-Signature-256", format!("sha256={signature}"))];
    UnverifiedWebhook::new(headers.map(|(name, value)| (name.to_owned(), value)), body.into())
}

fn gitlab(size: usize) -> UnverifiedWebhook {
    let body = json!({ "object_kind": "push", "ref": "refs/heads/main", "before": "1".repeat(40), "after": "2".repeat(40), "checkout_sha": "2".repeat(40), "commits": commits(size), "project": { "id": 1, "path_with_namespace": "team/shop" } });
    let headers = [("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", SECRET)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    UnverifiedWebhook::new(headers, serde_json::to_vec(&body).unwrap().into())
}

fn one(what: &str, verifier: &dyn WebhookVerifier, delivery: &UnverifiedWebhook) {
    let secret = SECRET.to_owned().into();
    let size = delivery.body().len();
    let count = ((64 << 20) / size).max(2);
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..count {
                assert!(matches!(verifier.verify(delivery, Some(&secret)), WebhookVerdict::Event(_)));
            }
            began.elapsed().as_secs_f64() / count as f64
        })
        .collect();
    let one = median(&mut seconds);
    row(what, &format!("{:.3} ms, {:.0} MB/s, {:.0} deliveries/s on one core", one * 1e3, size as f64 / one / 1e6, 1.0 / one));
}
