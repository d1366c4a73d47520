//! `kiwi delivery explain`: verdicts of deliveries as they lie in files, without a network.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use hmac::{Hmac, Mac as _};
use kiwi_tests::command::Kiwi;
use serde_json::{Value, json};
use sha2::Sha256;

fn explain(kiwi: &Kiwi, provider: &str, headers: &str, body: &[u8], more: &[&str]) -> Value {
    let file = |name: &str| kiwi.folder().join(name);
    std::fs::write(file("headers"), headers).unwrap();
    std::fs::write(file("body"), body).unwrap();
    std::fs::write(file("secret"), "s3cret\n").unwrap();
    let (headers, body, secret) = (file("headers"), file("body"), file("secret"));
    let mut arguments =
        vec!["delivery", "explain", "--provider", provider, "--event-file", headers.to_str().unwrap(), "--body", body.to_str().unwrap(), "-o", "json"];
    if !more.contains(&"no secret") {
        arguments.extend(["--secret-file", secret.to_str().unwrap()]);
        arguments.extend(more);
    }
    kiwi.run(&arguments).ok().json()
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_verdict_exits_0_and_has_every_key() {
    let kiwi = Kiwi::new();
    let push = json!({
        "ref": "refs/heads/feature/x", "before": "1".repeat(40), "after": "2".repeat(40), "deleted": false,
        "head_commit": { "id": "2".repeat(40), "message": "a change" }, "repository": { "id": 42, "full_name": "team/shop" }
    });
    let body = serde_json::to_vec_pretty(&push).unwrap();
    let headers = format!(
        "POST /hooks/x HTTP/1.1\r\nHost: kiwi.example.com\r\nx-github-event: push\r\nX-GitHub-Delivery: d-1\r\nX-HUB-Signature-256: sha256={}\r\n\r\n",
        signature(&body)
    );
    let expected = json!({
        "verdict": "build", "reason": "a push to feature/x", "event": "push", "repository": "team/shop", "branch": "feature/x", "tag": null,
        "commit": "2".repeat(40), "delivery_id": "d-1"
    });
    assert_eq!(explain(&kiwi, "github", &headers, &body, &[]), expected);
    assert_eq!(explain(&kiwi, "github", &headers, &body, &["--branch", "feature/x"]), expected);
    let other = explain(&kiwi, "github", &headers, &body, &["--branch", "main"]);
    assert_eq!((other["verdict"].as_str(), other["reason"].as_str()), (Some("ignored"), Some("the push is to feature/x, and main is delivered")));
    let unsigned = explain(&kiwi, "github", &headers, &body, &["no secret"]);
    assert_eq!((unsigned["verdict"].as_str(), unsigned["event"].as_str(), &unsigned["repository"]), (Some("rejected"), Some("push"), &Value::Null));
    let changed = explain(&kiwi, "github", &headers, &[body.as_slice(), b" "].concat(), &[]);
    assert_eq!(changed["verdict"], "rejected");
    let tag = json!({ "object_kind": "tag_push", "ref": "refs/tags/v1.0", "after": "3".repeat(40), "checkout_sha": "4".repeat(40), "project": { "id": 7, "path_with_namespace": "a/b/c" } });
    let tag =
        explain(&kiwi, "gitlab", "X-Gitlab-Event: Tag Push Hook\nX-Gitlab-Token: s3cret\nIdempotency-Key: k-1\n", &serde_json::to_vec(&tag).unwrap(), &[]);
    let expected = json!({
        "verdict": "ignored", "reason": "a tag was pushed, and only pushes to a branch are delivered", "event": "tag_push", "repository": "a/b/c", "branch": null,
        "tag": "v1.0", "commit": "4".repeat(40), "delivery_id": "k-1"
    });
    assert_eq!(tag, expected);
    for body in [b"".as_slice(), b"{", b"[]", b"\xff\xfe", b"null"] {
        let headers = format!("X-GitHub-Event: push\nX-Hub-Signature-256: sha256={}\n", signature(body));
        let verdict = explain(&kiwi, "github", &headers, body, &[]);
        assert_eq!(verdict["verdict"], "rejected", "{body:?}: {verdict}");
    }
    let large = vec![b' '; (25 << 20) + 1];
    assert_eq!(
        explain(&kiwi, "github", &format!("X-GitHub-Event: push\nX-Hub-Signature-256: sha256={}\n", signature(&large)), &large, &[])["verdict"],
        "rejected"
    );
    let missing = kiwi.run(&["delivery", "explain", "--provider", "github", "--event-file", "/none", "--body", "/none"]);
    assert_eq!(missing.code, 2, "{missing:?}");
}
