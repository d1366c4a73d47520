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

fn settings(url: &Url, secret: &SecretString) -> Value {
    let secret = secret.expose_secret();
    let mut body =
        json!({ "url": url, "push_events": true, "tag_push_events": false, "enable_ssl_verification": true, "branch_filter_strategy": "all_branches" });
    // The secret goes with every update: GitLab drops it when the URL changes. A server that cannot sign ignores the key; then every
    // delivery is rejected, and says that the signature is missing.
    if secret.starts_with("whsec_") {
        body["signing_token"] = json!(secret);
    } else {
        body["token"] = json!(secret);
    }
    body
}

pub(super) async fn ensure(api: &Arc<Api>, project: u64, url: &Url, secret: &SecretString) -> Result<()> {
    let project = project.to_string();
    let found = find(api, &project, url).await?;
    let body = settings(url, secret);
    match found.split_first() {
        None => api.send(api.with(Method::POST, &["projects", &project, "hooks"], &body)?).await.map(|_| ()).map_err(Error::from),
        Some((first, others)) => {
            api.send(api.with(Method::PUT, &["projects", &project, "hooks", &first.to_string()], &body)?).await.map_err(Error::from)?;
            // GitLab makes a second one of the same URL without a word; each would deliver every push.
            for other in others {
                delete(api, &project, *other).await?;
            }
            Ok(())
        }
    }
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
