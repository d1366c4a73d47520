//! Docker Hub's own API: search, and tags with their times, which the registry's API does not know
//! (<https://docs.docker.com/reference/api/hub/latest/>).

use super::client::{Client, body, refusal, transport};
use kiwi_core::domain::{ImageReference, Timestamp};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{FoundImage, RegistryAccess, TagDetails};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The host that image references name.
pub(super) const HOST: &str = "docker.io";
/// Larger answers are not read.
const LARGEST: usize = 16 << 20;
/// Docker Hub's largest page.
const PAGE: u32 = 100;
/// More pages than any image has.
const MOST_PAGES: usize = 1000;
/// A limit that wants more than this is told of instead.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Page {
    next: Option<String>,
    #[serde(default)]
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct Found {
    repo_name: String,
    #[serde(default)]
    short_description: Option<String>,
    #[serde(default)]
    star_count: u64,
    pull_count: Option<u64>,
    #[serde(default)]
    is_official: bool,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    full_size: Option<u64>,
    tag_last_pushed: Option<String>,
    last_updated: Option<String>,
    digest: Option<String>,
    #[serde(default)]
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct Login {
    access_token: SecretString,
}

pub(super) async fn search(client: &Client, hub: &Url, term: &str, limit: u32) -> Result<Vec<FoundImage>> {
    // Nothing is found under the prefix that official images have in references.
    let term = term.strip_prefix("docker.io/").unwrap_or(term);
    let term = term.strip_prefix("library/").unwrap_or(term).trim();
    if term.is_empty() || term.len() > 200 || term.chars().any(char::is_control) {
        return Err(Error::invalid("search images", "the search term is empty, too long or has a control character"));
    }
    let mut url = endpoint(hub, &["v2", "search", "repositories", ""])?;
    url.query_pairs_mut().append_pair("query", term).append_pair("page_size", &limit.clamp(1, PAGE).to_string());
    let mut found = Vec::new();
    let mut next = Some(url);
    while let Some(url) = next.take().filter(|_| found.len() < limit as usize) {
        let page: Page = get(client, &url, None, "search images", term).await?;
        for item in page.results {
            // One strange item does not fail the search.
            let Ok(item) = serde_json::from_value::<Found>(item) else { continue };
            found.push(FoundImage {
                name: item.repo_name,
                description: item.short_description.unwrap_or_default(),
                stars: item.star_count,
                pulls: item.pull_count,
                official: item.is_official,
            });
        }
        next = follow(hub, page.next.as_deref());
    }
    found.truncate(limit as usize);
    Ok(found)
}

pub(super) async fn tags(client: &Client, hub: &Url, image: &ImageReference, access: Option<&RegistryAccess>) -> Result<Vec<TagDetails>> {
    let login = match access.and_then(|access| access.credentials.as_ref()) {
        Some((username, password)) => Some(log_in(client, hub, username, password).await?),
        None => None,
    };
    let (namespace, name) = image.repository().split_once('/').unwrap_or(("library", image.repository()));
    let mut url = endpoint(hub, &["v2", "namespaces", namespace, "repositories", name, "tags"])?;
    url.query_pairs_mut().append_pair("page_size", &PAGE.to_string());
    let (mut all, mut next) = (Vec::new(), Some(url));
    for _ in 0..MOST_PAGES {
        let Some(url) = next.take() else { break };
        let page: Page = get(client, &url, login.as_ref(), "list tags", &image.name()).await?;
        all.extend(page.results.into_iter().filter_map(|item| details(serde_json::from_value(item).ok()?)));
        next = follow(hub, page.next.as_deref());
    }
    // Pages shift while tags are pushed.
    let mut seen = std::collections::HashSet::new();
    all.retain(|tag| seen.insert(tag.name.clone()));
    all.sort_by(|a, b| b.pushed_at.cmp(&a.pushed_at).then_with(|| b.name.cmp(&a.name)));
    Ok(all)
}

fn details(tag: Tag) -> Option<TagDetails> {
    let platform = |image: &Image| {
        let known = |text: &Option<String>| text.clone().filter(|text| !text.is_empty() && text != "unknown");
        let name = format!("{}/{}", known(&image.os)?, known(&image.architecture)?);
        Some(known(&image.variant).map_or_else(|| name.clone(), |variant| format!("{name}/{variant}")))
    };
    let mut platforms: Vec<String> = tag.images.iter().filter_map(platform).collect();
    platforms.sort();
    platforms.dedup();
    Some(TagDetails {
        name: tag.name.parse().ok()?,
        digest: tag.digest.and_then(|digest| digest.parse().ok()),
        size: tag.images.iter().filter_map(|image| image.size).max().or(tag.full_size),
        pushed_at: tag.tag_last_pushed.or(tag.last_updated).and_then(|time| serde_json::from_value::<Timestamp>(Value::String(time)).ok()),
        platforms,
    })
}

async fn log_in(client: &Client, hub: &Url, username: &str, password: &SecretString) -> Result<SecretString> {
    let body = serde_json::json!({ "identifier": username, "secret": password.expose_secret() });
    let response = send(client, |http| http.post(endpoint(hub, &["v2", "auth", "token"])?).json(&body).build().map_err(|error| transport(HOST, error))).await?;
    if response.status() == StatusCode::UNAUTHORIZED {
        return Err(Error::new(ErrorKind::Unauthenticated, "log in to Docker Hub", "Docker Hub refused the user name or the access token")
            .with_hint("give the user name, not the e-mail address, and an access token; passwords do not work where single sign-on is enforced"));
    }
    let login: Login = read(response, "log in to Docker Hub", username).await?;
    Ok(login.access_token)
}

async fn get<T: DeserializeOwned>(client: &Client, url: &Url, login: Option<&SecretString>, operation: &'static str, what: &str) -> Result<T> {
    let response = send(client, |http| {
        let request = http.get(url.clone());
        let request = match login {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        };
        request.build().map_err(|error| transport(HOST, error))
    })
    .await?;
    read(response, operation, what).await
}

async fn read<T: DeserializeOwned>(response: Response, operation: &'static str, what: &str) -> Result<T> {
    if !response.status().is_success() {
        return Err(refusal(operation, what, response.status()));
    }
    let bytes = body(response, LARGEST).await?;
    serde_json::from_slice(&bytes).map_err(|error| Error::new(ErrorKind::Protocol, operation, "the answer is not Docker Hub's").with_source(error))
}

/// Sends what `make` makes, again after a limit or a server's failure.
async fn send(client: &Client, make: impl Fn(&reqwest::Client) -> Result<reqwest::Request>) -> Result<Response> {
    let http = client.http()?;
    for attempt in 0..4u32 {
        let response = http.execute(make(http)?).await.map_err(|error| transport(HOST, error))?;
        let wait = match response.status() {
            StatusCode::TOO_MANY_REQUESTS => limit(&response, Timestamp::now()),
            status if status.is_server_error() => Duration::from_millis(300 << attempt),
            _ => return Ok(response),
        };
        if attempt == 3 || wait > LONGEST_WAIT {
            return Ok(response);
        }
        tokio::time::sleep(wait).await;
    }
    Err(Error::new(ErrorKind::Unavailable, "ask Docker Hub", "Docker Hub has a problem"))
}

/// `X-Retry-After` is a point in time, not a number of seconds.
fn limit(response: &Response, now: Timestamp) -> Duration {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()?.trim().parse::<i64>().ok());
    let seconds = match (header("x-retry-after"), header("retry-after")) {
        (Some(at), _) if at > 1_000_000_000 => at - now.as_millis() / 1000 + 1,
        (Some(seconds), _) | (None, Some(seconds)) => seconds,
        (None, None) => 5,
    };
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1))
}

fn endpoint(hub: &Url, segments: &[&str]) -> Result<Url> {
    let mut url = hub.clone();
    url.path_segments_mut().map_err(|()| Error::invalid("ask Docker Hub", "its address is not one"))?.pop_if_empty().extend(segments);
    Ok(url)
}

/// The next page on our own origin.
fn follow(hub: &Url, next: Option<&str>) -> Option<Url> {
    let next: Url = next?.parse().ok()?;
    let mut url = hub.clone();
    url.set_path(next.path());
    url.set_query(next.query());
    Some(url)
}
