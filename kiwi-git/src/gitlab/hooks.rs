//! Webhooks of a project: one with our URL, whatever was there before.

use crate::api::{Api, pages};
use futures_util::StreamExt as _;
use kiwi_core::error::{Error, Result};
use kiwi_core::secret::SecretString;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

#[derive(Deserialize)]
struct Hook {
    id: u64,
    url: String,
}

async fn find(api: &Arc<Api>, project: &str, url: &Url) -> Result<Vec<u64>> {
    let mut all = pages(api.clone(), api.get(&["projects", project, "hooks"], &[("per_page", "100")]), "", Some::<Hook>);
    let mut found = Vec::new();
    while let Some(hook) = all.next().await {
        let hook = hook?;
        if hook.url.parse::<Url>().ok().as_ref() == Some(url) {
            found.push(hook.id);
        }
    }
    Ok(found)
}

fn settings(url: &Url, secret: &SecretString, signing: bool) -> Value {
    let mut body =
        json!({ "url": url, "push_events": true, "tag_push_events": false, "enable_ssl_verification": true, "branch_filter_strategy": "all_branches" });
    // The secret goes with every update: GitLab drops it when the URL changes.
    body[if signing { "signing_token" } else { "token" }] = json!(secret.expose_secret());
    body
}

/// What a server answers to a webhook that it keeps; an older one says less.
#[derive(Deserialize)]
struct Kept {
    signing_token_present: Option<bool>,
}

pub(super) async fn ensure(api: &Arc<Api>, project: u64, url: &Url, secret: &SecretString) -> Result<()> {
    let project = project.to_string();
    let found = find(api, &project, url).await?;
    let signing = secret.expose_secret().starts_with("whsec_");
    let body = settings(url, secret, signing);
    let kept: Kept = match found.split_first() {
        None => api.json(api.with(Method::POST, &["projects", &project, "hooks"], &body)?).await.map_err(Error::from)?,
        Some((first, others)) => {
            let kept = api.json(api.with(Method::PUT, &["projects", &project, "hooks", &first.to_string()], &body)?).await.map_err(Error::from)?;
            // GitLab makes a second one of the same URL without a word; each would deliver every push.
            for other in others {
                delete(api, &project, *other).await?;
            }
            kept
        }
    };
    if signing && kept.signing_token_present != Some(true) {
        // A server that cannot sign ignores the key without a word: the same secret goes along as a token instead.
        tracing::warn!("this GitLab signs no webhooks; the webhook's secret is sent as its token");
        let body = settings(url, secret, false);
        for hook in find(api, &project, url).await? {
            api.send(api.with(Method::PUT, &["projects", &project, "hooks", &hook.to_string()], &body)?).await.map_err(Error::from)?;
        }
    }
    Ok(())
}

pub(super) async fn remove(api: &Arc<Api>, project: u64, url: &Url) -> Result<()> {
    let project = project.to_string();
    for hook in find(api, &project, url).await? {
        delete(api, &project, hook).await?;
    }
    Ok(())
}

async fn delete(api: &Api, project: &str, id: u64) -> Result<()> {
    match api.send(api.ask(Method::DELETE, &["projects", project, "hooks", &id.to_string()], &[])).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(()),
        Err(refusal) => Err(refusal.error),
    }
}
