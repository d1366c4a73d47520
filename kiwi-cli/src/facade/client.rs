//! Asking a server: one place for the token, for repeating what did not arrive, and for turning problems into errors.

use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::secret::SecretString;
use kiwi_http::wire::{Page, ProblemBody};
use rand::Rng as _;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// How long a server may take to begin an answer: it asks git hosts and registries meanwhile.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How often a request is sent that did not arrive.
const TRIES: u32 = 4;

/// A server and the token for it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(server: &Url, token: SecretString) -> Result<Self> {
        let failed = |error| Error::new(ErrorKind::Internal, "ask server", "the client cannot be started").with_source(error);
        // A redirect could carry the token elsewhere.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(Duration::from_secs(10)).build().map_err(failed)?;
        Ok(Self { http, base: server.clone(), token })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read(self.send(Method::GET, path, None::<&()>, None).await?).await
    }

    /// A value with its tag.
    pub(crate) async fn get_tagged<T: DeserializeOwned>(&self, path: &str) -> Result<(T, String)> {
        let response = self.send(Method::GET, path, None::<&()>, None).await?;
        let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or("*").to_owned();
        Ok((read(response).await?, tag))
    }

    /// Every page of a list, up to `limit` items.
    pub(crate) async fn list<T: DeserializeOwned>(&self, path: &str, limit: usize) -> Result<Vec<T>> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        let sign = if path.contains('?') { '&' } else { '?' };
        loop {
            let size = limit.saturating_sub(items.len()).clamp(1, 1000);
            let page: Page<T> = self.get(&format!("{path}{sign}limit={size}{cursor}")).await?;
            items.extend(page.items);
            match page.next {
                Some(next) if items.len() < limit => cursor = format!("&cursor={}", query(&next)),
                _ => break,
            }
        }
        items.truncate(limit);
        Ok(items)
    }

    pub(crate) async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T> {
        read(self.send(Method::POST, path, Some(body), None).await?).await
    }

    /// Replaces what has this tag.
    pub(crate) async fn put<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B, tag: Option<&str>) -> Result<T> {
        read(self.send(Method::PUT, path, Some(body), tag).await?).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Response> {
        self.send(Method::DELETE, path, None::<&()>, None).await
    }

    /// A stream, after the event with this id.
    pub(crate) async fn stream(&self, path: &str, last: Option<&str>) -> Result<Response> {
        let mut request = self.request(Method::GET, path)?.header(header::ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        answered(request.send().await.map_err(|error| self.unreachable(error))?).await
    }

    async fn send<B: Serialize>(&self, method: Method, path: &str, body: Option<&B>, tag: Option<&str>) -> Result<Response> {
        // With a key, a request that may have arrived can be sent again.
        let key: u128 = rand::rng().random();
        for tried in 1.. {
            let mut request = self.request(method.clone(), path)?.timeout(TIMEOUT);
            if method == Method::POST {
                request = request.header("idempotency-key", format!("{key:032x}"));
            }
            if let Some(tag) = tag {
                request = request.header(header::IF_MATCH, tag);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            match request.send().await {
                Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE && tried < TRIES => {}
                Ok(response) => return answered(response).await,
                Err(error) if error.is_connect() && tried < TRIES => {}
                Err(error) => return Err(self.unreachable(error)),
            }
            tokio::time::sleep(Duration::from_millis(250 << tried)).await;
        }
        Err(Error::new(ErrorKind::Unavailable, "ask server", "the server does not answer"))
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let address = format!("{}{}{path}", self.base.as_str().trim_end_matches('/'), kiwi_http::API);
        let url: Url = address.parse().map_err(|_| Error::invalid("ask server", format!("{address} is no URL")))?;
        Ok(self.http.request(method, url).bearer_auth(self.token.expose_secret()))
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::ConnectionRefused };
        Error::new(kind, "ask server", format!("{} does not answer", self.base))
            .with_source(error.without_url())
            .with_hint("check --server or KIWI_SERVER, and that `kiwi serve` is running there; SSL_CERT_FILE names an authority that only you know")
    }
}

/// A text in a query or a path.
pub(crate) fn query(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn answered(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    let Ok(problem) = serde_json::from_str::<ProblemBody>(&text) else {
        return Err(Error::new(ErrorKind::Protocol, "ask server", format!("the answer was {status}, and not one of Kiwi"))
            .with_hint("check that the URL is that of `kiwi serve`, and what stands in front of it"));
    };
    let hint = match status {
        StatusCode::UNAUTHORIZED => "give a valid token in KIWI_TOKEN, or log in with `kiwi login`".to_owned(),
        _ => problem.hint,
    };
    Err(Error::new(problem.code, "ask server", format!("{}: {}", problem.title, problem.detail))
        .with_hint(hint)
        .with_log(problem.log)
        .with_candidates(problem.candidates))
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let unfit = |error: reqwest::Error| {
        Error::new(ErrorKind::Protocol, "read answer", "the server's answer does not fit; it may have another version").with_source(error.without_url())
    };
    response.json().await.map_err(unfit)
}
