//! The bodies of deliveries that are authentic, and so are parsed.
#![no_main]

use kiwi_core::provider::WebhookVerifier as _;
use kiwi_core::webhook::{UnverifiedWebhook, WebhookVerdict};
use kiwi_git::gitlab::GitlabWebhooks;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    // A token needs no signature over the body, so that the parser is reached by every input; both hosts judge a push alike.
    let headers = [("X-Gitlab-Token", "s"), ("X-Gitlab-Event", "Push Hook")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let verdict = GitlabWebhooks.verify(&UnverifiedWebhook::new(headers, body.to_vec().into()), Some(&"s".to_owned().into()));
    if let WebhookVerdict::Event(push) = verdict {
        assert!(push.commit.as_str().bytes().any(|byte| byte != b'0'));
    }
});
