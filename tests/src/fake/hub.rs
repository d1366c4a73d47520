//! Docker Hub's own API, as far as Kiwi asks it.

use super::{json, with};
use axum::extract::Request;
use axum::http::header;
use axum::response::Response;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// The access token that it knows.
pub const HUB_TOKEN: &str = "dckr_pat_of-the-fake";

/// A running Docker Hub.
pub struct FakeHub {
    /// Where it listens.
    pub address: SocketAddr,
    limited: Arc<Mutex<u32>>,
    _runtime: tokio::runtime::Runtime,
}

impl FakeHub {
    /// Starts one with the official image `nginx` of 250 tags and the private image `ada/app`.
    pub fn start() -> Self {
        let limited = Arc::new(Mutex::new(0));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state = limited.clone();
        let app = axum::Router::new().fallback(move |request: Request| serve(state.clone(), request));
        runtime.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await });
        Self { address, limited, _runtime: runtime }
    }

    /// Answers the next requests with a limit that ends in a second.
    pub fn limit(&self, requests: u32) {
        *self.limited.lock().unwrap() = requests;
    }
}

async fn serve(limited: Arc<Mutex<u32>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    {
        let mut limited = limited.lock().unwrap();
        if *limited > 0 {
            *limited -= 1;
            let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            return with(json(429, value!({ "detail": "Rate limit exceeded" })), &[("x-retry-after", at.to_string())]);
        }
    }
    let body: Value = serde_json::from_slice(&axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default()).unwrap_or_default();
    let query: BTreeMap<String, String> = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let segments: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
    let number = |name: &str, otherwise: usize| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (size, page) = (number("page_size", 10).min(100), number("page", 1));
    let paged = |items: Vec<Value>| {
        let more = items.len() > size * page;
        // The next page names the public host, as Docker Hub does behind its proxies.
        let next = more.then(|| format!("https://hub.docker.com{}?page={}&page_size={size}", parts.uri.path(), page + 1));
        let count = items.len();
        let results: Vec<Value> = items.into_iter().skip(size * (page - 1)).take(size).collect();
        json(200, value!({ "count": count, "next": next, "results": results }))
    };
    match segments.as_slice() {
        ["v2", "search", "repositories"] => {
            let term = query.get("query").cloned().unwrap_or_default();
            let all = [("nginx", true, 20_000u64), ("bitnami/nginx", false, 200), ("ada/app", false, 1)];
            let found = all.iter().filter(|(name, ..)| name.contains(&term)).map(|(name, official, stars)| {
                value!({ "repo_name": name, "short_description": "a server", "star_count": stars, "pull_count": 5, "is_official": official, "is_automated": false })
            });
            paged(std::iter::once(value!({ "odd": true })).chain(found).collect())
        }
        ["v2", "auth", "token"] if body["secret"] == HUB_TOKEN => json(200, value!({ "access_token": "jwt" })),
        ["v2", "auth", "token"] => json(401, value!({ "detail": "Incorrect authentication credentials" })),
        ["v2", "namespaces", "library", "repositories", "nginx", "tags"] => paged((0..250).map(tag).collect()),
        ["v2", "namespaces", "ada", "repositories", "app", "tags"] => match parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
            Some("Bearer jwt") => paged(vec![tag(0)]),
            _ => json(404, value!({ "message": "object not found" })),
        },
        _ => json(404, value!({ "message": "object not found" })),
    }
}

fn tag(index: usize) -> Value {
    let image = |architecture: &str, size: u64| value!({ "architecture": architecture, "os": "linux", "variant": null, "size": size, "digest": null });
    value!({
        "name": format!("1.{index}"), "full_size": 60_000_000, "last_updated": "2020-01-01T00:00:00Z", "status": "active", "digest": format!("sha256:{index:064x}"),
        "tag_last_pushed": format!("2026-01-{:02}T{:02}:00:00.123456Z", index / 24 + 1, index % 24),
        "images": [image("amd64", 60_000_000), image("arm64", 50_000_000), { "architecture": "unknown", "os": "unknown", "size": 1 }]
    })
}
