//! GitLab's deliveries (<https://docs.gitlab.com/user/project/integrations/webhook_events/>), with a token or signed by the rules of
//! Standard Webhooks (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use crate::webhook::{Push, judge, rejected, signed, too_large};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiwi_core::domain::{RepositoryLink, Timestamp};
use kiwi_core::provider::WebhookVerifier;
use kiwi_core::secret::SecretString;
use kiwi_core::webhook::{About, UnverifiedWebhook, WebhookVerdict};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// How far the clock of a signed delivery may be off, in seconds: the specification's own tolerance.
const TOLERANCE: i64 = 300;

/// Reads GitLab's deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub struct GitlabWebhooks;

#[derive(Deserialize)]
struct Payload {
    object_kind: Option<String>,
    #[serde(rename = "ref", default)]
    reference: String,
    before: Option<String>,
    after: Option<String>,
    checkout_sha: Option<String>,
    project: Option<Project>,
    #[serde(default)]
    commits: Vec<Commit>,
    push_options: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Project {
    id: u64,
    path_with_namespace: String,
}

#[derive(Deserialize)]
struct Commit {
    id: Option<String>,
    message: Option<String>,
}

impl WebhookVerifier for GitlabWebhooks {
    fn verify(&self, delivery: &UnverifiedWebhook, secret: Option<&SecretString>) -> WebhookVerdict {
        self.verify_at(delivery, secret, Timestamp::now())
    }
}

impl GitlabWebhooks {
    fn verify_at(self, delivery: &UnverifiedWebhook, secret: Option<&SecretString>, now: Timestamp) -> WebhookVerdict {
        let event = delivery.header("x-gitlab-event");
        // One event has one id for every webhook that it sets off; the key belongs to this webhook alone, and stays the same on a retry.
        let id = ["idempotency-key", "webhook-id", "x-gitlab-webhook-uuid", "x-gitlab-event-uuid"].into_iter().find_map(|name| delivery.header(name));
        let rejected = |reason: &str| rejected(reason, event, id);
        if too_large(delivery) {
            return rejected("the body is larger than 25 MiB");
        }
        let Some(secret) = secret.map(|secret| secret.expose_secret()).filter(|secret| !secret.is_empty()) else {
            return rejected("no secret is known for this webhook, so nothing can be trusted");
        };
        // A server that cannot sign was given the same secret as its token: see `hooks.rs`. What carries a signature is judged by that alone.
        let signed = delivery.header("webhook-signature").is_some();
        let trusted = match secret.strip_prefix("whsec_") {
            Some(key) if signed || delivery.header("x-gitlab-token").is_none() => standard_signature(delivery, key, now),
            _ => match delivery.header("x-gitlab-token") {
                // In a time that depends on the lengths alone.
                Some(token) if bool::from(token.as_bytes().ct_eq(secret.as_bytes())) => Ok(()),
                Some(_) => Err("the token does not match: the secret differs"),
                None => Err("the delivery has no X-Gitlab-Token; is a secret token set at GitLab?"),
            },
        };
        if let Err(reason) = trusted {
            return rejected(reason);
        }
        let payload: Payload = match serde_json::from_slice(delivery.body()) {
            Ok(payload) => payload,
            Err(error) => return rejected(&format!("the body is not an event: line {}, column {}", error.line(), error.column())),
        };
        let kind = payload.object_kind.unwrap_or_default();
        if !matches!(kind.as_str(), "push" | "tag_push") {
            let what = event.unwrap_or(&kind).to_owned();
            let about = About { event: Some(what.clone()), delivery: id.map(str::to_owned), ..About::default() };
            let reason = if kind.is_empty() { "a system hook is not a project's own".to_owned() } else { format!("the event {what} is not a push") };
            return WebhookVerdict::Ignored { reason, about };
        }
        // Only the newest 20 commits are listed, the head last; without commits the head has been there before.
        let head = payload.commits.iter().find(|commit| commit.id.is_some() && commit.id == payload.checkout_sha).or(payload.commits.last());
        let skipped =
            payload.push_options.as_ref().and_then(|options| options.get("ci")?.get("skip")).is_some_and(|skip| *skip != serde_json::Value::Bool(false));
        judge(Push {
            event: kind,
            delivery: id.map(str::to_owned),
            repository: payload.project.map(|project| RepositoryLink { id: project.id, path: project.path_with_namespace }),
            reference: payload.reference,
            before: payload.before,
            deleted: payload.after.as_deref().is_some_and(|after| after.bytes().all(|byte| byte == b'0')),
            // `after` of an annotated tag is the tag's own object; what is checked out is the commit.
            commit: payload.checkout_sha.clone().or(payload.after),
            message: head.and_then(|head| head.message.clone()),
            skipped,
        })
    }
}

fn standard_signature(delivery: &UnverifiedWebhook, key: &str, now: Timestamp) -> Result<(), &'static str> {
    let missing = "the delivery has no signature: webhook-id, webhook-timestamp and webhook-signature are needed";
    let (Some(id), Some(timestamp), Some(signatures)) =
        (delivery.header("webhook-id"), delivery.header("webhook-timestamp"), delivery.header("webhook-signature"))
    else {
        return Err(missing);
    };
    let key = STANDARD.decode(key).ok().filter(|key| !key.is_empty()).ok_or("the secret is not whsec_ and base64")?;
    let at: i64 = timestamp.parse().map_err(|_| "the delivery's time is not a number")?;
    if (now.as_millis() / 1000).abs_diff(at) > TOLERANCE.unsigned_abs() {
        return Err("the delivery was signed more than 5 minutes ago, or a clock is wrong");
    }
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", delivery.body()];
    // Several, while the sender changes its key.
    let valid =
        signatures.split_whitespace().filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok()).any(|found| signed(&key, &parts, &found));
    if valid { Ok(()) } else { Err("the signature does not match: the secret differs, or something changed the body on its way") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, Mac as _};
    use serde_json::{Value, json};
    use sha2::Sha256;

    const TOKEN: &str = "t0k3n";

    fn deliver(body: &Value, change: impl FnOnce(&mut Vec<(String, String)>)) -> WebhookVerdict {
        let mut headers = vec![("X-Gitlab-Event".to_owned(), "Push Hook".to_owned()), ("X-Gitlab-Token".to_owned(), TOKEN.to_owned())];
        headers.push(("Idempotency-Key".to_owned(), "key-1".to_owned()));
        headers.push(("X-Gitlab-Event-UUID".to_owned(), "shared".to_owned()));
        change(&mut headers);
        GitlabWebhooks.verify(&UnverifiedWebhook::new(headers, serde_json::to_vec(body).unwrap().into()), Some(&TOKEN.to_owned().into()))
    }

    fn push() -> Value {
        json!({
            "object_kind": "push", "ref": "refs/heads/main", "before": "1".repeat(40), "after": "2".repeat(40), "checkout_sha": "2".repeat(40),
            "project": { "id": 15, "path_with_namespace": "group/sub/shop", "visibility_level": 0 }, "total_commits_count": 2,
            "commits": [{ "id": "3".repeat(40), "message": "old [skip ci]" }, { "id": "2".repeat(40), "message": "new" }]
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
        let repository = about.repository.map(|repository| repository.path);
        format!(
            "{kind}: {reason} [{repository:?} {:?} {:?} {:?} {:?}]",
            about.branch,
            about.tag,
            about.commit.map(|commit| commit.short().to_owned()),
            about.delivery
        )
    }

    #[test]
    fn every_kind_of_push() {
        let zeros = "0".repeat(40);
        let mut text = String::new();
        let mut add = |name: &str, verdict: WebhookVerdict| text.push_str(&format!("{name:<22} {}\n", outcome(&verdict)));
        let same = |_: &mut Vec<(String, String)>| {};
        add("push", deliver(&push(), same));
        add(
            "deleted",
            deliver(
                &with(|body| {
                    body["after"] = json!(zeros);
                    body["checkout_sha"] = json!(null);
                    body["commits"] = json!([]);
                }),
                same,
            ),
        );
        add(
            "new without commits",
            deliver(
                &with(|body| {
                    body["before"] = json!(zeros);
                    body["commits"] = json!([]);
                    body["total_commits_count"] = json!(0);
                }),
                same,
            ),
        );
        add(
            "annotated tag",
            deliver(
                &with(|body| {
                    body["object_kind"] = json!("tag_push");
                    body["ref"] = json!("refs/tags/v1");
                    body["after"] = json!("4".repeat(40));
                }),
                same,
            ),
        );
        add("skipped", deliver(&with(|body| body["commits"][1]["message"] = json!("x [ci skip]")), same));
        add("skipped by option", deliver(&with(|body| body["push_options"] = json!({ "ci": { "skip": true } })), same));
        add("merge request", deliver(&json!({ "object_kind": "merge_request" }), same));
        add("system hook", deliver(&json!({ "event_name": "push" }), same));
        add("wrong token", deliver(&push(), |headers| headers[1].1 = "other".into()));
        add("no token", deliver(&push(), |headers| drop(headers.remove(1))));
        add("not json", deliver(&json!([1]), same));
        let nobody = UnverifiedWebhook::new([("X-Gitlab-Token".to_owned(), String::new())], "{}".into());
        add("no secret", GitlabWebhooks.verify(&nobody, None));
        add("empty secret", GitlabWebhooks.verify(&nobody, Some(&String::new().into())));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn signed_deliveries() {
        let (key, body) = ([7u8; 32], serde_json::to_vec(&push()).unwrap());
        let secret: SecretString = format!("whsec_{}", STANDARD.encode(key)).into();
        let now = Timestamp::from_millis(1_790_000_000_000);
        let sign = |id: &str, at: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(format!("{id}.{at}.").as_bytes());
            mac.update(&body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        let verify = |id: &str, at: &str, signature: &str| {
            let headers = [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature), ("X-Gitlab-Token", TOKEN)];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            GitlabWebhooks.verify_at(&UnverifiedWebhook::new(headers, body.clone().into()), Some(&secret), now)
        };
        let good = sign("m1", "1790000000");
        assert!(matches!(verify("m1", "1790000000", &good), WebhookVerdict::Event(push) if push.delivery.as_deref() == Some("m1")));
        assert!(matches!(verify("m1", "1790000000", &format!("v1,AAAA v2,x {good}")), WebhookVerdict::Event(_)), "one of several is enough");
        for (id, at, signature) in [
            ("m2", "1790000000", good.clone()),
            ("m1", "1790000001", good.clone()),
            ("m1", "1789999000", sign("m1", "1789999000")),
            ("m1", "soon", sign("m1", "soon")),
            ("m1", "1790000000", String::new()),
            ("m1", "1790000000", good.replace("v1,", "")),
        ] {
            assert!(matches!(verify(id, at, &signature), WebhookVerdict::Rejected { .. }), "{id} {at} {signature}");
        }
        let unsigned = |token: &str| UnverifiedWebhook::new([("X-Gitlab-Token".to_owned(), token.to_owned())], body.clone().into());
        let verdict = GitlabWebhooks.verify_at(&unsigned(TOKEN), Some(&secret), now);
        assert!(matches!(verdict, WebhookVerdict::Rejected { .. }), "another token does not stand for a signature");
        let verdict = GitlabWebhooks.verify_at(&unsigned(secret.expose_secret()), Some(&secret), now);
        assert!(matches!(verdict, WebhookVerdict::Event(_)), "a server that cannot sign sends the secret itself");
    }
}
