//! GitHub's deliveries (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>).

use crate::webhook::{Push, judge, rejected, signed, too_large};
use kiwi_core::domain::RepositoryLink;
use kiwi_core::provider::WebhookVerifier;
use kiwi_core::secret::SecretString;
use kiwi_core::webhook::{About, UnverifiedWebhook, WebhookVerdict};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

/// Reads GitHub's deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub struct GithubWebhooks;

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "ref", default)]
    reference: String,
    before: Option<String>,
    after: Option<String>,
    #[serde(default)]
    deleted: bool,
    head_commit: Option<HeadCommit>,
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct HeadCommit {
    id: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
}

impl WebhookVerifier for GithubWebhooks {
    fn verify(&self, delivery: &UnverifiedWebhook, secret: Option<&SecretString>) -> WebhookVerdict {
        let (event, id) = (delivery.header("x-github-event"), delivery.header("x-github-delivery"));
        let rejected = |reason: &str| rejected(reason, event, id);
        if too_large(delivery) {
            return rejected("the body is larger than 25 MiB, which GitHub never sends");
        }
        let Some(secret) = secret.filter(|secret| !secret.expose_secret().is_empty()) else {
            return rejected("no secret is known for this webhook, so nothing can be trusted");
        };
        // The older SHA-1 signature is not looked at.
        let Some(signature) = delivery.header("x-hub-signature-256") else {
            return rejected("the delivery has no X-Hub-Signature-256; is a secret set at GitHub?");
        };
        let expected = signature.strip_prefix("sha256=").and_then(hex);
        if !expected.is_some_and(|expected| signed(secret.expose_secret().as_bytes(), &[delivery.body()], &expected)) {
            return rejected("the signature does not match: the secret differs, or something changed the body on its way");
        }
        let Some(event) = event else { return rejected("the delivery has no X-GitHub-Event") };
        let about = || About { event: Some(event.to_owned()), delivery: id.map(str::to_owned), ..About::default() };
        let ignored = |reason: String| WebhookVerdict::Ignored { reason, about: about() };
        match event {
            "push" => {}
            "ping" => return ignored("GitHub tests the webhook".to_owned()),
            other => return ignored(format!("the event {other} is not a push")),
        }
        // The signature was over the form's bytes; what it holds is not read, because Kiwi sets `json` on the webhooks that it makes.
        if delivery.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return ignored("the webhook sends forms; set its content type to application/json".to_owned());
        }
        let payload: Payload = match serde_json::from_slice(delivery.body()) {
            Ok(payload) => payload,
            Err(error) => return rejected(&format!("the body is not a push: line {}, column {}", error.line(), error.column())),
        };
        let head = payload.head_commit.as_ref();
        judge(Push {
            event: event.to_owned(),
            delivery: id.map(str::to_owned),
            repository: payload.repository.map(|repository| RepositoryLink { id: repository.id, path: repository.full_name }),
            // `after` of an annotated tag is the tag's own object; the head commit is what it points to.
            commit: head.and_then(|head| head.id.clone()).or(payload.after),
            reference: payload.reference,
            before: payload.before,
            deleted: payload.deleted,
            message: payload.head_commit.and_then(|head| head.message),
            skipped: false,
        })
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, Mac as _};
    use serde_json::{Value, json};
    use sha2::Sha256;

    const SECRET: &str = "It's a Secret to Everybody";

    fn deliver(event: &str, body: &Value, change: impl FnOnce(&mut Vec<(String, String)>, &mut Vec<u8>)) -> WebhookVerdict {
        let mut body = serde_json::to_vec(body).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(&body);
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut headers = vec![
            ("X-GitHub-Event".to_owned(), event.to_owned()),
            ("X-GitHub-Delivery".to_owned(), "72d3162e".to_owned()),
            ("X-Hub-Signature-256".to_owned(), format!("sha256={signature}")),
        ];
        change(&mut headers, &mut body);
        GithubWebhooks.verify(&UnverifiedWebhook::new(headers, body.into()), Some(&SECRET.to_owned().into()))
    }

    fn push() -> Value {
        json!({
            "ref": "refs/heads/feature/x", "before": "1".repeat(40), "after": "2".repeat(40), "created": false, "deleted": false, "forced": false,
            "head_commit": { "id": "2".repeat(40), "message": "a change", "unknown": [1] }, "commits": [],
            "repository": { "id": 42, "full_name": "team/shop", "clone_url": "https://evil.example/x.git" }, "unknown": null
        })
    }

    fn with(change: impl FnOnce(&mut Value)) -> Value {
        let mut body = push();
        change(&mut body);
        body
    }

    fn outcome(verdict: &WebhookVerdict) -> String {
        let about = verdict.about();
        let (kind, reason) = match verdict {
            WebhookVerdict::Event(_) => ("event", String::new()),
            WebhookVerdict::Ignored { reason, .. } => ("ignored", reason.clone()),
            WebhookVerdict::Rejected { reason, .. } => ("rejected", reason.clone()),
        };
        format!("{kind}: {reason} [{:?} {:?} {:?}]", about.branch, about.tag, about.commit.map(|commit| commit.short().to_owned()))
    }

    /// The pair that GitHub's documentation gives for checking an implementation.
    #[test]
    fn the_documented_signature_holds() {
        let headers = [
            ("X-Hub-Signature-256".to_owned(), "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17".to_owned()),
            ("X-GitHub-Event".to_owned(), "ping".to_owned()),
        ];
        let verdict = GithubWebhooks.verify(&UnverifiedWebhook::new(headers, "Hello, World!".into()), Some(&SECRET.to_owned().into()));
        assert!(matches!(verdict, WebhookVerdict::Ignored { .. }), "{verdict:?}");
    }

    #[test]
    fn every_kind_of_push() {
        let zeros = "0".repeat(40);
        let mut text = String::new();
        let mut add = |name: &str, verdict: WebhookVerdict| text.push_str(&format!("{name:<22} {}\n", outcome(&verdict)));
        let same = |_: &mut Vec<(String, String)>, _: &mut Vec<u8>| {};
        add("push", deliver("push", &push(), same));
        add(
            "deleted",
            deliver(
                "push",
                &with(|body| {
                    body["deleted"] = json!(true);
                    body["after"] = json!(zeros);
                    body["head_commit"] = json!(null);
                }),
                same,
            ),
        );
        add(
            "new without commits",
            deliver(
                "push",
                &with(|body| {
                    body["before"] = json!(zeros);
                    body["created"] = json!(true);
                }),
                same,
            ),
        );
        add("forced", deliver("push", &with(|body| body["forced"] = json!(true)), same));
        add(
            "annotated tag",
            deliver(
                "push",
                &with(|body| {
                    body["ref"] = json!("refs/tags/v1");
                    body["after"] = json!("3".repeat(40));
                }),
                same,
            ),
        );
        add(
            "deleted tag",
            deliver(
                "push",
                &with(|body| {
                    body["ref"] = json!("refs/tags/v1");
                    body["after"] = json!(zeros);
                    body["head_commit"] = json!(null);
                }),
                same,
            ),
        );
        add("skipped", deliver("push", &with(|body| body["head_commit"]["message"] = json!("x [skip ci]")), same));
        add("odd branch", deliver("push", &with(|body| body["ref"] = json!("refs/heads/--upload-pack=x y")), same));
        add("notes", deliver("push", &with(|body| body["ref"] = json!("refs/notes/x")), same));
        add("no repository", deliver("push", &with(|body| body["repository"] = json!(null)), same));
        add("ping", deliver("ping", &json!({ "zen": "x" }), same));
        add("issues", deliver("issues", &json!({}), same));
        add("changed body", deliver("push", &push(), |_, body| body[5] ^= 1));
        add("no signature", deliver("push", &push(), |headers, _| drop(headers.pop())));
        add("odd signature", deliver("push", &push(), |headers, _| headers[2].1 = "sha256=abc".into()));
        add("sha1 signature", deliver("push", &push(), |headers, _| headers[2].1 = "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6".into()));
        add("no event", deliver("push", &push(), |headers, _| drop(headers.remove(0))));
        add("not json", deliver("push", &json!("x"), same));
        let delivery = UnverifiedWebhook::new([("X-GitHub-Event".to_owned(), "push".to_owned())], "{}".into());
        add("no secret", GithubWebhooks.verify(&delivery, None));
        add("empty secret", GithubWebhooks.verify(&delivery, Some(&String::new().into())));
        insta::assert_snapshot!(text);
    }
}
