//! Webhooks of a repository: one with our URL, whatever was there before.

use crate::api::{Api, pages};
use futures_util::StreamExt as _;
use kiwi_core::error::{Error, Result};
use kiwi_core::secret::SecretString;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use url::Url;

#[derive(Deserialize)]
struct Hook {
    id: u64,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    url: Option<String>,
}

/// The hooks with this very URL, on every page: a host or a path in common is somebody else's hook.
async fn find(api: &Arc<Api>, (owner, name): (&str, &str), url: &Url) -> Result<Vec<u64>> {
    let mut all = pages(api.clone(), api.get(&["repos", owner, name, "hooks"], &[("per_page", "100")]), "", Some::<Hook>);
    let mut found = Vec::new();
    while let Some(hook) = all.next().await {
        let hook = hook?;
        if hook.config.url.as_deref().and_then(|text| text.parse::<Url>().ok()).as_ref() == Some(url) {
            found.push(hook.id);
        }
    }
    Ok(found)
}

pub(super) async fn ensure(api: &Arc<Api>, repository: (&str, &str), url: &Url, secret: &SecretString) -> Result<()> {
    let (owner, name) = repository;
    // The secret goes with every update: GitHub drops it otherwise. Without `content_type` it would send forms.
    let config = json!({ "url": url, "content_type": "json", "secret": secret.expose_secret(), "insecure_ssl": "0" });
    let found = find(api, repository, url).await?;
    match found.split_first() {
        None => {
            let body = json!({ "name": "web", "active": true, "events": ["push"], "config": config });
            match api.send(api.with(Method::POST, &["repos", owner, name, "hooks"], &body)?).await {
                Ok(_) => Ok(()),
                // Another process made it between the two calls.
                Err(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY && refusal.message.contains("already exists") => Ok(()),
                Err(refusal) => Err(refusal.error),
            }
        }
        Some((first, others)) => {
            let body = json!({ "active": true, "events": ["push"], "config": config });
            api.send(api.with(Method::PATCH, &["repos", owner, name, "hooks", &first.to_string()], &body)?).await.map_err(Error::from)?;
            for other in others {
                delete(api, repository, *other).await?;
            }
            Ok(())
        }
    }
}

pub(super) async fn remove(api: &Arc<Api>, repository: (&str, &str), url: &Url) -> Result<()> {
    for hook in find(api, repository, url).await? {
        delete(api, repository, hook).await?;
    }
    Ok(())
}

async fn delete(api: &Api, (owner, name): (&str, &str), id: u64) -> Result<()> {
    match api.send(api.ask(Method::DELETE, &["repos", owner, name, "hooks", &id.to_string()], &[])).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(()),
        Err(refusal) => Err(refusal.error),
    }
}
