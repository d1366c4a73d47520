//! Image registries over the distribution API, without an engine
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md>).

mod client;
mod details;
mod hub;
mod public;
mod push;
mod token;

use crate::hash::sha256;
use async_trait::async_trait;
use client::Client;
use kiwi_core::domain::{Digest, ImageReference, Reach, Tag};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{FoundImage, ImageRegistry, RegistryAccess, RegistryReport, TagDetails};
use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use url::Url;

/// Every kind of manifest: without the index kinds, a registry answers with one platform's manifest and another digest.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// Larger manifests are not read.
const LARGEST_MANIFEST: usize = 16 << 20;

/// Talks to any registry.
#[derive(Debug, Clone)]
pub struct OciRegistry {
    client: Client,
    hub: Url,
}

impl OciRegistry {
    /// A registry client with the machine's proxy and CA settings. `hub` is where Docker Hub's own API is; its public address when absent.
    pub fn new(hub: Option<Url>) -> Result<Self> {
        let hub = match hub {
            Some(hub) => hub,
            None => "https://hub.docker.com".parse().map_err(|_| Error::new(ErrorKind::Internal, "reach Docker Hub", "its address is not one"))?,
        };
        Ok(Self { client: Client::default(), hub })
    }

    /// The same, for no other hosts than these; registries with access are not asked whether they are among them.
    #[must_use]
    pub fn within(mut self, reach: Reach) -> Self {
        self.client = Client::within(reach);
        self
    }
}

impl OciRegistry {
    /// The user that an image runs as, empty when nobody says; none when the registry has no such image.
    pub async fn user(&self, reference: &ImageReference, access: Option<&RegistryAccess>) -> Result<Option<String>> {
        details::user(&self.client, reference, access).await
    }
}

#[derive(Deserialize)]
struct TagList {
    tags: Option<Vec<String>>,
}

#[async_trait]
impl ImageRegistry for OciRegistry {
    async fn check(&self, access: &RegistryAccess) -> Result<RegistryReport> {
        let response = self.client.send(Method::GET, access.address.host(), "/v2/", "", Some(access), |request| request).await?;
        match response.status() {
            status if status.is_success() => push::probe(&self.client, access).await,
            status => Err(client::refusal("check registry", access.address.host(), status)),
        }
    }

    async fn search(&self, term: &str, limit: u32) -> Result<Vec<FoundImage>> {
        hub::search(&self.client, &self.hub, term, limit).await
    }

    async fn tag_details<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Vec<TagDetails>> {
        if reference.registry() == hub::HOST {
            return hub::tags(&self.client, &self.hub, reference, access).await;
        }
        let names = self.tags(reference, access).await?;
        Ok(details::tags(&self.client, reference, names, access).await)
    }

    async fn resolve<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Option<Digest>> {
        let name = reference.digest().map(|digest| digest.as_str()).or(reference.tag().map(|tag| tag.as_str())).unwrap_or("latest");
        let path = format!("/v2/{}/manifests/{name}", reference.repository());
        let scope = format!("repository:{}:pull", reference.repository());
        let response = self.client.send(Method::HEAD, reference.registry(), &path, &scope, access, |request| request.header(header::ACCEPT, MANIFESTS)).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                if let Some(digest) = response.headers().get("docker-content-digest").and_then(|value| value.to_str().ok()) {
                    return Ok(Some(digest.parse()?));
                }
                // The digest of a manifest is that of its bytes, whether the registry names it or not.
                let whole =
                    self.client.send(Method::GET, reference.registry(), &path, &scope, access, |request| request.header(header::ACCEPT, MANIFESTS)).await?;
                let bytes = client::body(whole, LARGEST_MANIFEST).await?;
                Ok(Some(format!("sha256:{}", sha256(&bytes)).parse()?))
            }
            status => Err(client::refusal("resolve image", &reference.to_string(), status)),
        }
    }

    async fn tags<'a>(&self, reference: &ImageReference, access: Option<&'a RegistryAccess>) -> Result<Vec<Tag>> {
        let scope = format!("repository:{}:pull", reference.repository());
        let mut path = format!("/v2/{}/tags/list?n=1000", reference.repository());
        let mut tags = Vec::new();
        // A registry that repeats its pages must not keep us forever.
        for _ in 0..200 {
            let response = self.client.send(Method::GET, reference.registry(), &path, &scope, access, |request| request).await?;
            match response.status() {
                status if status.is_success() => {}
                status => return Err(client::refusal("list tags", &reference.name(), status)),
            }
            let next = response.headers().get(header::LINK).and_then(|value| value.to_str().ok()).and_then(next_page);
            let bytes = client::body(response, LARGEST_MANIFEST).await?;
            let list: TagList = serde_json::from_slice(&bytes)
                .map_err(|error| Error::new(ErrorKind::Protocol, "list tags", "the answer is not a tag list").with_source(error))?;
            // One strange tag does not fail the list.
            tags.extend(list.tags.unwrap_or_default().into_iter().filter_map(|tag| tag.parse().ok()));
            match next {
                Some(next) => path = next,
                None => break,
            }
        }
        Ok(tags)
    }

    async fn tag<'a>(&self, reference: &ImageReference, digest: &Digest, tag: &Tag, access: Option<&'a RegistryAccess>) -> Result<()> {
        let scope = format!("repository:{}:pull,push", reference.repository());
        let path = format!("/v2/{}/manifests/{digest}", reference.repository());
        let found = self.client.send(Method::GET, reference.registry(), &path, &scope, access, |request| request.header(header::ACCEPT, MANIFESTS)).await?;
        match found.status() {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => {
                return Err(Error::new(ErrorKind::NotFound, "tag image", format!("{} has no {digest}", reference.name()))
                    .with_hint("it was deleted from the registry; build it again"));
            }
            status => return Err(client::refusal("tag image", &reference.to_string(), status)),
        }
        let kind = found.headers().get(header::CONTENT_TYPE).cloned();
        let manifest = client::body(found, LARGEST_MANIFEST).await?;
        let path = format!("/v2/{}/manifests/{tag}", reference.repository());
        let put = self
            .client
            .send(Method::PUT, reference.registry(), &path, &scope, access, |request| {
                let request = request.body(manifest.clone());
                match &kind {
                    Some(kind) => request.header(header::CONTENT_TYPE, kind),
                    None => request,
                }
            })
            .await?;
        // The same bytes under a new name: the registry must name the same digest.
        match put.status() {
            status if status.is_success() => match put.headers().get("docker-content-digest").and_then(|value| value.to_str().ok()) {
                Some(named) if named != digest.as_str() => {
                    Err(Error::new(ErrorKind::Protocol, "tag image", format!("the registry stored {named} instead of {digest}")))
                }
                _ => Ok(()),
            },
            status => Err(client::refusal("tag image", &reference.to_string(), status)),
        }
    }
}

/// The path of a `Link: <…>; rel="next"`. Only path and query count: a registry behind a proxy may name another host, which must not
/// see the token.
fn next_page(link: &str) -> Option<String> {
    let (target, rest) = link.strip_prefix('<')?.split_once('>')?;
    if !rest.contains("next") {
        return None;
    }
    let path = match target.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => target,
    };
    path.starts_with("/v2/").then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::next_page;

    #[test]
    fn only_the_path_of_a_link_is_followed() {
        assert_eq!(next_page("</v2/a/tags/list?n=2&last=b>; rel=\"next\"").as_deref(), Some("/v2/a/tags/list?n=2&last=b"));
        assert_eq!(next_page("<https://evil.example/v2/a/tags/list?last=b>; rel=\"next\"").as_deref(), Some("/v2/a/tags/list?last=b"));
        for link in ["", "<", "</other>; rel=\"next\"", "</v2/x>; rel=\"prev\"", "<https://host>; rel=next"] {
            assert_eq!(next_page(link), None, "{link}");
        }
    }
}
