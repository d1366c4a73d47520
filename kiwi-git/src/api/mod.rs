//! What the APIs of git hosts have in common: one client that obeys rate limits, follows only its own origin, and says what went wrong.

pub(crate) mod limits;
pub(crate) mod link;
mod pages;

pub(crate) use pages::pages;

use crate::address::{self, Pinned};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::GitAccess;
use kiwi_core::secret::Redactor;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// Bounds on what a host may do to us, and on what Kiwi waits for.
#[derive(Debug, Clone)]
pub struct ApiLimits {
    /// The time that one request may take, its answer included.
    pub request: Duration,
    /// How often a request is made in all.
    pub attempts: u32,
    /// The first pause before a request is made again; each further one is twice as long.
    pub pause: Duration,
    /// The longest wait for a rate limit; a host that wants more is told of as an error with its time.
    pub longest_wait: Duration,
    /// The largest answer.
    pub bytes: usize,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self { request: Duration::from_secs(20), attempts: 4, pause: Duration::from_millis(500), longest_wait: Duration::from_secs(120), bytes: 32 << 20 }
    }
}

/// What differs between hosts.
pub(crate) struct Dialect {
    /// The host's name for people.
    pub(crate) title: &'static str,
    /// Headers of every request.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// The part of an error's body that a person can read.
    pub(crate) message: fn(&serde_json::Value) -> Option<String>,
    /// The permission that a refusal names.
    pub(crate) wanted: fn(&HeaderMap, &serde_json::Value) -> Option<String>,
}

/// A client of one host with one token.
pub(crate) struct Api {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
    limits: ApiLimits,
    dialect: &'static Dialect,
    /// Hosts, and proxies before them, repeat in errors what they were sent.
    redactor: Redactor,
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What is asked.
#[derive(Clone)]
pub(crate) struct Ask {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
}

/// A refusal of the host, before anybody judged what it means for the operation.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    pub(crate) error: Error,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl Api {
    /// Connects nothing yet, but resolves the host once and judges its address.
    pub(crate) async fn new(access: &GitAccess, base: Url, limits: ApiLimits, dialect: &'static Dialect) -> Result<Self> {
        let Pinned { host, addresses } = address::pin(&base, access.private, "an admin can allow this host when setting it up").await?;
        let mut http = reqwest::Client::builder()
            // Followed by hand: only to the same origin, and with the same method and body.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.request.min(Duration::from_secs(10)))
            .timeout(limits.request)
            .user_agent(concat!("kiwi/", env!("CARGO_PKG_VERSION")));
        if !addresses.is_empty() {
            http = http.resolve_to_addrs(&host, &addresses);
        }
        if let Some(pem) = &access.ca {
            let malformed = || {
                Error::invalid("read CA certificate", "the CA file holds no PEM certificate")
                    .with_hint("give a file that begins with -----BEGIN CERTIFICATE-----")
            };
            let found = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| malformed().with_source(error))?;
            http = found.into_iter().fold(http, |http, certificate| http.add_root_certificate(certificate));
        }
        let http = http.build().map_err(|error| Error::new(ErrorKind::Internal, "reach git host", "the HTTP client cannot be built").with_source(error))?;
        // `Authorization` is the one header that HTTP clients know to be secret; GitLab takes it as well as its own.
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", access.token.expose_secret()))
            .map_err(|_| Error::invalid("reach git host", "the token has characters that no token has"))?;
        authorization.set_sensitive(true);
        Ok(Self { http, base, authorization, limits, dialect, redactor: Redactor::new([&access.token]) })
    }

    /// A request to a path below the base; each segment is encoded once.
    pub(crate) fn ask(&self, method: Method, segments: &[&str], query: &[(&str, &str)]) -> Ask {
        let mut url = self.base.clone();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let path = segments.iter().fold(self.base.path().trim_end_matches('/').to_owned(), |path, segment| format!("{path}/{}", encode(segment)));
        url.set_path(&path);
        Ask { method, url, body: None }
    }

    pub(crate) fn get(&self, segments: &[&str], query: &[(&str, &str)]) -> Ask {
        self.ask(Method::GET, segments, query)
    }

    pub(crate) fn with<T: Serialize + ?Sized>(&self, method: Method, segments: &[&str], body: &T) -> Result<Ask> {
        let mut ask = self.ask(method, segments, &[]);
        ask.body =
            Some(serde_json::to_vec(body).map_err(|error| Error::new(ErrorKind::Internal, "ask git host", "a request cannot be written").with_source(error))?);
        Ok(ask)
    }

    /// The value of an answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Refusal> {
        let answer = self.send(ask).await?;
        self.read(&answer.body).map_err(|error| self.refuse(StatusCode::OK, error))
    }

    pub(crate) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        serde_json::from_slice(body).map_err(|error| self.not_the_api(body).with_source(error))
    }

    fn refuse(&self, status: StatusCode, error: Error) -> Refusal {
        Refusal { status, message: error.message().to_owned(), error }
    }

    /// Sends a request as often as it takes; follows redirects within the origin.
    pub(crate) async fn send(&self, mut ask: Ask) -> Result<Answer, Refusal> {
        let (mut attempt, mut redirects) = (1, 0);
        loop {
            let again = match self.once(&ask).await {
                Ok(response) if response.status.is_redirection() => {
                    redirects += 1;
                    ask.url = self.redirect(&ask.url, &response.headers, redirects).map_err(|error| self.refuse(response.status, error))?;
                    continue;
                }
                Ok(response) if response.status.is_success() => {
                    return Ok(Answer { headers: response.headers, body: response.body });
                }
                Ok(response) => match limits::wait(response.status, &response.headers, &response.body, jiff::Timestamp::now()) {
                    Some(wait) if wait > self.limits.longest_wait => return Err(self.limited(response.status, wait)),
                    Some(wait) => Again { wait: Some(wait), error: self.limited(response.status, wait) },
                    None if retries(response.status, &ask.method, &response.body) => Again { wait: None, error: self.refusal(&response) },
                    None => return Err(self.refusal(&response)),
                },
                // A request that never reached the host can be made again whatever it asks; one that may have, only when twice is once.
                Err((error, sent)) => {
                    let again = error.kind().is_transient() && (!sent || is_idempotent(&ask.method));
                    let refusal = self.refuse(StatusCode::SERVICE_UNAVAILABLE, error);
                    if !again {
                        return Err(refusal);
                    }
                    Again { wait: None, error: refusal }
                }
            };
            if attempt >= self.limits.attempts {
                return Err(again.error);
            }
            // Half of the pause is chance, so that many workers do not come back at once.
            let backoff = self.limits.pause.saturating_mul(1 << (attempt - 1).min(16));
            let pause = again.wait.unwrap_or_else(|| backoff.mul_f64(0.5 + chance() / 2.0));
            tracing::debug!(host = self.dialect.title, attempt, ?pause, "asking again");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn once(&self, ask: &Ask) -> Result<Response, (Error, bool)> {
        let mut request = self.http.request(ask.method.clone(), ask.url.clone()).header(header::AUTHORIZATION, self.authorization.clone());
        for (name, value) in self.dialect.headers {
            request = request.header(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Some(body) = &ask.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        let host = ask.url.host_str().unwrap_or_default();
        let broken = |error: reqwest::Error| {
            let sent = !error.is_connect();
            (crate::transport::broken("reach git host", host, error), sent)
        };
        let mut response = request.send().await.map_err(broken)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            body.extend_from_slice(&chunk);
            if body.len() > self.limits.bytes {
                let error = Error::new(ErrorKind::TooLarge, "read answer", format!("{} sent more than {} MiB", self.dialect.title, self.limits.bytes >> 20));
                return Err((error, true));
            }
        }
        Ok(Response { status: response.status(), headers: response.headers().clone(), body })
    }

    /// Where a redirect leads, when that is the same origin: anywhere else must not see the token.
    fn redirect(&self, from: &Url, headers: &HeaderMap, count: u32) -> Result<Url> {
        let fail =
            |message: String| Error::new(ErrorKind::Protocol, "reach git host", message).with_hint("check the server's URL; use the one that it redirects to");
        let target = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).and_then(|target| from.join(target).ok());
        match target {
            _ if count > 5 => Err(fail(format!("{} redirects in circles", self.dialect.title))),
            Some(target) if target.origin() == self.base.origin() => Ok(target),
            Some(target) => {
                Err(fail(format!("{} redirects to {}, which Kiwi does not follow", self.dialect.title, target.host_str().unwrap_or("another place"))))
            }
            None => Err(fail(format!("{} redirects to nowhere", self.dialect.title))),
        }
    }

    fn limited(&self, status: StatusCode, wait: Duration) -> Refusal {
        let error = Error::new(ErrorKind::Unavailable, "ask git host", format!("{}'s rate limit is used up for {} s", self.dialect.title, wait.as_secs()))
            .with_hint(format!("try again in {} s; other programs with the same token use the same limit", wait.as_secs().max(1)));
        self.refuse(status, error)
    }

    /// What a refusal means, as far as that does not depend on what was asked.
    fn refusal(&self, response: &Response) -> Refusal {
        let title = self.dialect.title;
        let value: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let message = self.redactor.redact(&(self.dialect.message)(&value).unwrap_or_default());
        let short: String = message.chars().filter(|c| !c.is_control()).take(300).collect();
        let said = if short.is_empty() { format!("HTTP {}", response.status.as_u16()) } else { short.clone() };
        let fail = |kind, message: String| Error::new(kind, "ask git host", message);
        let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok());
        let error = match response.status {
            StatusCode::UNAUTHORIZED if header("x-github-otp").is_some() => {
                fail(ErrorKind::Unauthenticated, format!("{title} wants a second factor for this account")).with_hint("use a token instead of a password")
            }
            StatusCode::UNAUTHORIZED if said.to_lowercase().contains("expired") => {
                fail(ErrorKind::Unauthenticated, format!("{title} refused the token: it has expired"))
                    .with_hint("make a new token and set it with `kiwi provider set`")
            }
            StatusCode::UNAUTHORIZED => fail(ErrorKind::Unauthenticated, format!("{title} refused the token: {said}"))
                .with_hint("the token is wrong, has expired or was revoked; set another with `kiwi provider set`"),
            StatusCode::FORBIDDEN if header("x-github-sso").is_some() => fail(ErrorKind::Forbidden, format!("{title} wants single sign-on for this token"))
                .with_hint("authorize the token for the organization in its settings"),
            StatusCode::FORBIDDEN => {
                let wanted = (self.dialect.wanted)(&response.headers, &value);
                let hint =
                    wanted.map_or_else(|| "give the token the permission, or its account the role".to_owned(), |wanted| format!("the token needs: {wanted}"));
                fail(ErrorKind::Forbidden, format!("{title} does not allow this: {said}")).with_hint(hint)
            }
            StatusCode::NOT_FOUND if value.is_null() => self.not_the_api(&response.body),
            StatusCode::NOT_FOUND => fail(ErrorKind::NotFound, format!("{title} has no such thing, or the token may not see it: {said}")),
            status if status.is_server_error() => fail(ErrorKind::Unavailable, format!("{title} has a problem: {said}")),
            StatusCode::CONFLICT => fail(ErrorKind::Conflict, format!("{title}: {said}")),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => fail(ErrorKind::InvalidInput, format!("{title} refused a value: {said}")),
            _ => fail(ErrorKind::Protocol, format!("{title}: {said}")),
        };
        Refusal { status: response.status, message, error }
    }

    fn not_the_api(&self, body: &[u8]) -> Error {
        let title = self.dialect.title;
        let html = body.trim_ascii_start().starts_with(b"<");
        let what = if html { format!("a web page, not a {title} API") } else { format!("something that is not a {title} API's answer") };
        Error::new(ErrorKind::Protocol, "ask git host", format!("the server answered with {what}")).with_hint(
            "check the URL: it must be the address of the server's web pages, with its sub-path if it has one; a proxy or a login page may be in between",
        )
    }
}

struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

struct Again {
    wait: Option<Duration>,
    error: Refusal,
}

fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE)
}

fn retries(status: StatusCode, method: &Method, body: &[u8]) -> bool {
    // GitLab answers so while another request holds the same thing; nothing was done then.
    let locked = status == StatusCode::CONFLICT && body.windows(13).any(|window| window == b"Resource lock");
    let busy = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT | StatusCode::INTERNAL_SERVER_ERROR);
    locked || (busy && is_idempotent(method))
}

/// A number from 0 to 1 that differs between processes; nothing depends on it being hard to guess.
fn chance() -> f64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let hash = std::collections::hash_map::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(hash >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

/// A path segment with everything encoded that any server could take for something else; `.` too, which proxies resolve.
fn encode(segment: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(segment.len());
    let bare = segment.contains('/') || matches!(segment, "." | "..");
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => text.push(char::from(byte)),
            b'.' if !bare => text.push('.'),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn a_path_is_one_segment() {
        assert_eq!(encode("group/sub.x/my app"), "group%2Fsub%2Ex%2Fmy%20app");
        assert_eq!(encode("v1.0"), "v1.0");
        assert_eq!(encode(".."), "%2E%2E");
        assert_eq!(encode("\u{e9}%"), "%C3%A9%25");
    }
}
