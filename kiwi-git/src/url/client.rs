//! The client of one repository on one server: it follows no redirect, and tells exactly what is wrong.

use super::UrlSource;
use crate::address::{self, Pinned};
use crate::transport;
use kiwi_core::domain::GitUrl;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::SourceAccess;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use url::Url;

/// Hosts look at the token alone; this name is the one that GitHub documents and others accept.
const USER: &str = "x-access-token";

pub(super) struct Client {
    http: reqwest::Client,
    url: GitUrl,
    authorization: Option<header::HeaderValue>,
    operation: &'static str,
}

impl Client {
    /// Errors will carry `operation`; `stall` is how long the server may send nothing.
    pub(super) async fn new(url: &GitUrl, access: &SourceAccess, settings: &UrlSource, stall: Duration, operation: &'static str) -> Result<Self> {
        let mut http = reqwest::Client::builder()
            // A redirect would carry the token elsewhere, or lead into a network that nobody named.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.limits.answer)
            .read_timeout(stall)
            .user_agent(concat!("git/2.0 (kiwi ", env!("CARGO_PKG_VERSION"), ")"));
        for certificate in certificates(access)? {
            http = http.add_root_certificate(certificate);
        }
        if let Some(Pinned { host, addresses }) = pinned(url, access, settings).await? {
            http = http.resolve_to_addrs(&host, &addresses);
        }
        let http = http.build().map_err(|error| Error::new(ErrorKind::Internal, operation, "the HTTP client cannot be built").with_source(error))?;
        let authorization = match &access.token {
            None => None,
            Some(token) => {
                let mut value = header::HeaderValue::from_str(authorization(token).expose_secret())
                    .map_err(|_| Error::invalid(operation, "the token has characters that no token has"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { http, url: url.clone(), authorization, operation })
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/{path}", self.url))
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}/{path}", self.url))
    }

    /// Sends a request; the answer must be of this content type.
    pub(super) async fn send(&self, mut request: RequestBuilder, kind: &str) -> Result<Response> {
        if let Some(value) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let response = request.send().await.map_err(|error| self.broken(error))?;
        self.refusal(&response)?;
        if response.headers().get(header::CONTENT_TYPE).is_some_and(|found| found.as_bytes() == kind.as_bytes()) {
            return Ok(response);
        }
        Err(self
            .error(ErrorKind::Protocol, format!("{} does not answer like a git server", self.url.authority()))
            .with_hint("check the URL; it must be the one that `git clone` takes"))
    }

    /// What a failed request means. The error names no URL, which may hold a secret.
    pub(super) fn broken(&self, error: reqwest::Error) -> Error {
        transport::broken(self.operation, self.url.authority(), error)
    }

    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, self.operation, message.into())
    }

    /// What the server's refusal means.
    fn refusal(&self, response: &Response) -> Result<()> {
        let (url, with_token) = (&self.url, self.authorization.is_some());
        let fail = |kind, message: String| self.error(kind, message);
        Err(match response.status() {
            status if status.is_success() => return Ok(()),
            StatusCode::UNAUTHORIZED if with_token => fail(ErrorKind::Unauthenticated, "Authentication failed".into()),
            StatusCode::UNAUTHORIZED => fail(ErrorKind::Unauthenticated, "Authentication failed: the repository needs a token".into())
                .with_hint("give one with --token-stdin; or check the URL: many servers say this of repositories that do not exist"),
            StatusCode::FORBIDDEN => fail(ErrorKind::Forbidden, "Authentication failed: the token may not read this repository".into())
                .with_hint("give the token the right to read repositories"),
            StatusCode::NOT_FOUND if with_token => fail(ErrorKind::RepositoryNotFound, format!("Repository not found, or the token may not see it: {url}")),
            StatusCode::NOT_FOUND => fail(ErrorKind::RepositoryNotFound, format!("Repository not found: {url}")),
            status if status.is_redirection() => {
                let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("another place");
                let target = target.split("/info/refs").next().unwrap_or(target);
                fail(ErrorKind::RepositoryNotFound, "the repository has moved".into())
                    .with_hint(format!("Kiwi follows no redirects, which could carry a token away; if you trust it, use {target}"))
            }
            StatusCode::TOO_MANY_REQUESTS => fail(ErrorKind::Unavailable, "the server's rate limit is used up".into()),
            status if status.is_server_error() => fail(ErrorKind::Unavailable, format!("the server has a problem (HTTP {})", status.as_u16())),
            status => fail(ErrorKind::Protocol, format!("the server answered HTTP {}", status.as_u16())),
        })
    }
}

/// Where the server is, when it may not be anywhere.
async fn pinned(url: &GitUrl, access: &SourceAccess, settings: &UrlSource) -> Result<Option<Pinned>> {
    let malformed = |error| Error::invalid("reach git host", "the URL is not one").with_source(error);
    let url: Url = url.as_str().parse().map_err(malformed)?;
    if access.private || settings.reach.trusts(url.host_str().unwrap_or_default()) {
        return Ok(None);
    }
    address::pin(&url, false, "whoever runs the server can allow this host with --allow-host").await.map(Some)
}

/// `Authorization: Basic …`, without the name of the header.
fn authorization(token: &SecretString) -> SecretString {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{}", token.expose_secret()))).into()
}

fn certificates(access: &SourceAccess) -> Result<Vec<reqwest::Certificate>> {
    let Some(pem) = &access.ca else { return Ok(Vec::new()) };
    let malformed =
        || Error::invalid("read CA certificate", "the CA file holds no PEM certificate").with_hint("give a file that begins with -----BEGIN CERTIFICATE-----");
    let found = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| malformed().with_source(error))?;
    if found.is_empty() { Err(malformed()) } else { Ok(found) }
}
