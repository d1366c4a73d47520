//! Requests to a registry, with its two ways to authenticate.

use super::public::{self, PublicNames};
use super::token;
use kiwi_core::domain::Reach;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::RegistryAccess;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

#[derive(Debug, Clone, Default)]
pub(super) struct Client {
    http: OnceLock<reqwest::Client>,
    public: OnceLock<reqwest::Client>,
    reach: Reach,
}

impl Client {
    pub(super) fn within(reach: Reach) -> Self {
        Self { reach, ..Self::default() }
    }

    /// For hosts that somebody vouched for.
    pub(super) fn http(&self) -> Result<&reqwest::Client> {
        once(&self.http, |builder| builder)
    }

    /// For a host that somebody vouched for, that is trusted here, or that may be anybody's.
    pub(super) fn for_host(&self, url: &Url, vouched: bool) -> Result<&reqwest::Client> {
        if vouched || self.reach.trusts(url.host_str().unwrap_or_default()) {
            return self.http();
        }
        public::judge(url)?;
        once(&self.public, |builder| builder.dns_resolver(Arc::new(PublicNames)))
    }

    /// Sends a request; answers a challenge once. `scope` is what a token must allow.
    pub(super) async fn send(
        &self,
        method: Method,
        host: &str,
        path: &str,
        scope: &str,
        access: Option<&RegistryAccess>,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response> {
        // Credentials go to the registry that they were registered for, and nowhere else.
        let access = access.filter(|access| access.address.host() == host);
        let scheme = if access.is_some_and(|access| access.insecure) { "http" } else { "https" };
        let authority = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let malformed = |error| Error::invalid("reach registry", format!("{host} is not a host")).with_source(error);
        let url: Url = format!("{scheme}://{authority}{path}").parse().map_err(malformed)?;
        let http = self.for_host(&url, access.is_some())?;
        let first = fill(http.request(method.clone(), url.clone())).send().await.map_err(|error| transport(host, error))?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        let challenge = first.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let credentials = access.and_then(|access| access.credentials.as_ref());
        let again = fill(http.request(method, url));
        let again = if challenge.to_ascii_lowercase().starts_with("bearer") {
            again.bearer_auth(token::fetch(self, host, &challenge, scope, access).await?.expose_secret())
        } else {
            match credentials {
                Some((username, password)) => again.basic_auth(username, Some(password.expose_secret())),
                None => return Ok(first),
            }
        };
        again.send().await.map_err(|error| transport(host, error))
    }
}

fn once(cell: &OnceLock<reqwest::Client>, fill: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Result<&reqwest::Client> {
    if let Some(client) = cell.get() {
        return Ok(client);
    }
    let builder = reqwest::Client::builder()
        // A redirect could carry credentials to another host; registries redirect blobs only, which Kiwi never reads.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(60))
        .user_agent(concat!("kiwi/", env!("CARGO_PKG_VERSION")));
    let failed = |error| Error::new(ErrorKind::Internal, "prepare registry client", "the HTTP client cannot be built").with_source(error);
    let client = fill(builder).build().map_err(failed)?;
    Ok(cell.get_or_init(|| client))
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport("the registry", error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            return Err(Error::new(ErrorKind::TooLarge, "read registry answer", format!("the registry sent more than {limit} bytes")));
        }
    }
    Ok(bytes)
}

/// What an unwanted status means.
pub(super) fn refusal(operation: &'static str, what: &str, status: StatusCode) -> Error {
    let (kind, message) = match status {
        StatusCode::UNAUTHORIZED => (ErrorKind::Unauthenticated, "the registry refused the credentials, or needs some"),
        StatusCode::FORBIDDEN => (ErrorKind::Forbidden, "the account may not do this"),
        StatusCode::NOT_FOUND => (ErrorKind::NotFound, "there is no such thing, or not a registry at this address"),
        StatusCode::TOO_MANY_REQUESTS => (ErrorKind::Unavailable, "the rate limit is used up; try again later"),
        status if status.is_server_error() => (ErrorKind::Unavailable, "the registry has a problem"),
        _ => (ErrorKind::Protocol, "the answer is not a registry's"),
    };
    Error::new(kind, operation, format!("{what}: {message} (HTTP {})", status.as_u16()))
}

/// What a failed exchange means.
pub(super) fn transport(host: &str, error: reqwest::Error) -> Error {
    // The URL may hold what nobody should see.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(refused) = source.downcast_ref::<Error>() {
            return Error::new(refused.kind(), refused.operation(), refused.message().to_owned()).with_hint(refused.hint().to_owned());
        }
        text = format!("{text}: {source}");
        next = source.source();
    }
    let lower = text.to_lowercase();
    let (kind, message) = if error.is_timeout() {
        (ErrorKind::Timeout, "Connection timeout")
    } else if lower.contains("dns") || lower.contains("failed to lookup") || lower.contains("name or service not known") {
        (ErrorKind::HostNotFound, "Host not found")
    } else if lower.contains("certificate") || lower.contains("tls") || lower.contains("invalidcontenttype") || lower.contains("corrupt message") {
        (ErrorKind::Tls, "the TLS handshake failed; a registry without TLS must be registered as insecure")
    } else if lower.contains("refused") {
        (ErrorKind::ConnectionRefused, "Connection refused")
    } else {
        (ErrorKind::Unavailable, "the connection broke")
    };
    Error::new(kind, "reach registry", format!("{host}: {message}")).with_source(error)
}
