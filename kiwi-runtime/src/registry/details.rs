//! What a registry's manifests tell about a tag: platforms, size, and when the image was made.

use super::client::{Client, body};
use super::{LARGEST_MANIFEST, MANIFESTS};
use futures_util::StreamExt as _;
use kiwi_core::domain::{ImageReference, Tag, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::{RegistryAccess, TagDetails};
use reqwest::{Method, StatusCode, header};
use serde::Deserialize;

/// Each tag costs up to three requests; beyond so many only names are listed.
const MOST: usize = 200;
/// How many tags are looked at at once.
const TOGETHER: usize = 8;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    manifests: Vec<Child>,
    #[serde(default)]
    layers: Vec<Blob>,
    config: Option<Blob>,
}

#[derive(Deserialize)]
struct Child {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

#[derive(Deserialize)]
struct Blob {
    digest: String,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
struct Container {
    #[serde(rename = "User")]
    user: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    config: Option<Container>,
    created: Option<Timestamp>,
    os: Option<String>,
    architecture: Option<String>,
}

pub(super) async fn tags(client: &Client, image: &ImageReference, mut names: Vec<Tag>, access: Option<&RegistryAccess>) -> Vec<TagDetails> {
    // Numbers compare as numbers, so that 1.10 is newer than 1.9 where nothing better is known.
    names.sort_by_key(|name| std::cmp::Reverse(natural(name.as_str())));
    names.dedup();
    let bare = |name: Tag| TagDetails { name, digest: None, size: None, pushed_at: None, platforms: Vec::new() };
    if names.len() > MOST {
        return names.into_iter().map(bare).collect();
    }
    let mut all: Vec<TagDetails> = futures_util::stream::iter(names)
        .map(|name| async move {
            // What cannot be read is listed by its name: one broken tag does not hide the others.
            details(client, image, &name, access).await.ok().flatten().unwrap_or_else(|| bare(name))
        })
        .buffered(TOGETHER)
        .collect()
        .await;
    all.sort_by_key(|tag| std::cmp::Reverse(tag.pushed_at));
    all
}

async fn details(client: &Client, image: &ImageReference, name: &Tag, access: Option<&RegistryAccess>) -> Result<Option<TagDetails>> {
    let Some((digest, manifest)) = manifest(client, image, name.as_str(), access).await? else { return Ok(None) };
    let named = |platform: &Platform| {
        let text = format!("{}/{}", platform.os, platform.architecture);
        platform.variant.as_ref().map_or_else(|| text.clone(), |variant| format!("{text}/{variant}"))
    };
    // Builders put attestations beside the images, for the platform "unknown".
    let children: Vec<&Child> = manifest.manifests.iter().filter(|child| child.platform.as_ref().is_none_or(|platform| platform.os != "unknown")).collect();
    let mut platforms: Vec<String> = children.iter().filter_map(|child| child.platform.as_ref().map(named)).collect();
    let own = match children.first() {
        Some(child) => match super::details::manifest(client, image, &child.digest, access).await? {
            Some((_, manifest)) => manifest,
            None => return Ok(None),
        },
        None => manifest,
    };
    let size = own.layers.iter().chain(own.config.as_ref()).map(|blob| blob.size).sum();
    let config = match &own.config {
        Some(blob) => config(client, image, &blob.digest, access).await,
        None => None,
    };
    if platforms.is_empty()
        && let Some(Config { os: Some(os), architecture: Some(architecture), .. }) = &config
    {
        platforms.push(format!("{os}/{architecture}"));
    }
    platforms.sort();
    Ok(Some(TagDetails { name: name.clone(), digest: digest.parse().ok(), size: Some(size), pushed_at: config.and_then(|config| config.created), platforms }))
}

/// The user that an image runs as, of its first platform, empty when nobody says; none when the registry has no such image.
pub(super) async fn user(client: &Client, image: &ImageReference, access: Option<&RegistryAccess>) -> Result<Option<String>> {
    let name = image.digest().map(|digest| digest.as_str()).or(image.tag().map(|tag| tag.as_str())).unwrap_or("latest");
    let Some((_, mut own)) = manifest(client, image, name, access).await? else { return Ok(None) };
    let child = own.manifests.iter().find(|child| child.platform.as_ref().is_none_or(|platform| platform.os != "unknown")).map(|child| child.digest.clone());
    if let Some(child) = child {
        match manifest(client, image, &child, access).await? {
            Some((_, manifest)) => own = manifest,
            None => return Ok(None),
        }
    }
    let Some(blob) = own.config else { return Ok(Some(String::new())) };
    let user = config(client, image, &blob.digest, access).await.and_then(|config| config.config).and_then(|container| container.user);
    Ok(Some(user.unwrap_or_default()))
}

async fn manifest(client: &Client, image: &ImageReference, name: &str, access: Option<&RegistryAccess>) -> Result<Option<(String, Manifest)>> {
    let (path, scope) = (format!("/v2/{}/manifests/{name}", image.repository()), format!("repository:{}:pull", image.repository()));
    let response = client.send(Method::GET, image.registry(), &path, &scope, access, |request| request.header(header::ACCEPT, MANIFESTS)).await?;
    match response.status() {
        status if status.is_success() => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => return Err(super::client::refusal("read image", &image.to_string(), status)),
    }
    let digest = response.headers().get("docker-content-digest").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = body(response, LARGEST_MANIFEST).await?;
    Ok(serde_json::from_slice(&bytes).ok().map(|manifest| (digest, manifest)))
}

/// The image's configuration; none when the registry keeps its blobs elsewhere, where Kiwi does not go.
async fn config(client: &Client, image: &ImageReference, digest: &str, access: Option<&RegistryAccess>) -> Option<Config> {
    let (path, scope) = (format!("/v2/{}/blobs/{digest}", image.repository()), format!("repository:{}:pull", image.repository()));
    let response = client.send(Method::GET, image.registry(), &path, &scope, access, |request| request).await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    serde_json::from_slice(&body(response, LARGEST_MANIFEST).await.ok()?).ok()
}

/// A text in pieces, of which numbers compare as numbers.
fn natural(text: &str) -> Vec<(bool, u64, String)> {
    let mut pieces: Vec<(bool, u64, String)> = Vec::new();
    for c in text.chars() {
        let digit = c.to_digit(10).map(u64::from);
        match (digit, pieces.last_mut()) {
            (Some(digit), Some((true, number, _))) => *number = number.saturating_mul(10).saturating_add(digit),
            (Some(digit), _) => pieces.push((true, digit, String::new())),
            (None, Some((false, _, word))) => word.push(c),
            (None, _) => pieces.push((false, 0, c.to_string())),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_compare_as_numbers() {
        let mut names = ["1.9", "1.10", "2", "v3", "1.10-alpine", "latest"];
        names.sort_by_key(|name| std::cmp::Reverse(natural(name)));
        assert_eq!(names, ["2", "1.10-alpine", "1.10", "1.9", "v3", "latest"]);
    }
}
