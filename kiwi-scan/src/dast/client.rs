//! The one HTTP client: one origin, addresses that are resolved once, GET alone, and an end to everything.

use super::page::{Answer, Kind, kind};
use super::rules::{Rule, TLS_EXPIRED, TLS_INVALID, TLS_NAME, TLS_UNTRUSTED};
use super::settings::Settings;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::secret::ExposeSecret as _;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use rustls::CertificateError;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;
use url::{Origin, Url};

/// After so many requests in a row without an answer no more are sent.
const MOST_SILENT: u32 = 5;

/// Why there is no answer.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The scan's time is over.
    Deadline,
    /// The server stopped answering, so that it was not asked.
    Silent,
    /// It did not answer, and why.
    Unanswered(String),
    /// Its certificate is not valid.
    Certificate(&'static Rule),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deadline => f.write_str("the time for the scan was over"),
            Self::Silent => write!(f, "{MOST_SILENT} requests in a row had no answer"),
            Self::Unanswered(reason) => f.write_str(reason),
            Self::Certificate(rule) => write!(f, "{}", rule.title),
        }
    }
}

/// How much of a body is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Want {
    /// All of a text, within the limit; nothing of a picture.
    Text,
    /// So many bytes at the begin, whatever they are.
    Begin(usize),
}

pub(super) struct Client {
    http: reqwest::Client,
    settings: Settings,
    host: String,
    origin: Origin,
    addresses: Vec<SocketAddr>,
    headers: HeaderMap,
    deadline: Instant,
    /// Before then nothing is sent.
    next: Instant,
    silent: u32,
    certificate: Option<&'static Rule>,
}

impl Client {
    /// A client of the origin of `url`. The host's name is resolved here and never again.
    ///
    /// Errors: `InvalidInput` for headers or authorities that are none; `HostNotFound` and `Timeout`.
    pub(super) async fn new(url: &Url, settings: &Settings) -> Result<Self> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let addresses = addresses(url, settings).await?;
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            // What the parser says may hold the value.
            let refuse = || Error::invalid("scan application", format!("the header {name:?} cannot be sent")).with_hint("write `Name: value` in one line");
            let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| refuse())?;
            value.set_sensitive(true);
            headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse())?, value);
        }
        let now = Instant::now();
        let http = build(settings, &host, &addresses, true)?;
        let deadline = after(now, settings.deadline);
        Ok(Self { http, settings: settings.clone(), host, origin: url.origin(), addresses, headers, deadline, next: now, silent: 0, certificate: None })
    }

    /// What is wrong with the certificate, after which nothing is verified and no header of the user's is sent.
    pub(super) fn certificate(&self) -> Option<&'static Rule> {
        self.certificate
    }

    /// Whether requests carry credentials.
    pub(super) fn is_authorized(&self) -> bool {
        self.certificate.is_none() && (self.headers.contains_key("authorization") || self.headers.contains_key("cookie"))
    }

    /// One answer; a redirect is an answer too.
    pub(super) async fn get(&mut self, url: &Url, want: Want) -> Result<Answer, Failure> {
        self.get_with(url, want, &[]).await
    }

    /// One answer to a request with more headers.
    pub(super) async fn get_with(&mut self, url: &Url, want: Want, more: &[(&'static str, &'static str)]) -> Result<Answer, Failure> {
        let answer = self.attempt(url, want, more).await;
        let answer = match answer {
            Err(Failure::Certificate(rule)) if self.certificate.is_none() => {
                let http = build(&self.settings, &self.host, &self.addresses, false).map_err(|error| Failure::Unanswered(error.message().to_owned()))?;
                (self.http, self.certificate) = (http, Some(rule));
                self.attempt(url, want, more).await
            }
            other => other,
        };
        match &answer {
            Ok(_) => self.silent = 0,
            Err(Failure::Unanswered(_)) => self.silent += 1,
            Err(_) => {}
        }
        answer
    }

    async fn attempt(&mut self, url: &Url, want: Want, more: &[(&'static str, &'static str)]) -> Result<Answer, Failure> {
        // The one place that everything passes: no other origin is ever asked.
        if url.origin() != self.origin {
            return Err(Failure::Unanswered("it is of another origin".to_owned()));
        }
        if self.silent >= MOST_SILENT {
            return Err(Failure::Silent);
        }
        if self.next >= self.deadline {
            return Err(Failure::Deadline);
        }
        tokio::time::sleep_until(self.next).await;
        let now = Instant::now();
        self.next = now + Duration::from_secs(1) / self.settings.requests_per_second.max(1);
        let end = self.deadline.min(after(now, self.settings.timeout));
        match tokio::time::timeout_at(end, self.exchange(url, want, more)).await {
            Ok(answer) => answer,
            Err(_) if end == self.deadline => Err(Failure::Deadline),
            Err(_) => Err(Failure::Unanswered(format!("there was no whole answer within {} s", self.settings.timeout.as_secs_f32()))),
        }
    }

    async fn exchange(&self, url: &Url, want: Want, more: &[(&'static str, &'static str)]) -> Result<Answer, Failure> {
        let mut request = self.http.get(url.clone()).header(ACCEPT, "*/*").header(ACCEPT_ENCODING, "identity");
        if self.certificate.is_none() {
            request = request.headers(self.headers.clone());
        }
        request = more.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (limit, cut) = match want {
            Want::Text => (self.settings.largest_body, Some(format!("only its first {} were read", size(self.settings.largest_body)))),
            Want::Begin(bytes) => (bytes, None),
        };
        let mut answer = Answer { url: url.clone(), status, headers, body: Vec::new(), missing: None };
        if answer.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            // Nothing is unpacked, so that nothing can unpack to more than it seems.
            answer.missing = Some("it is compressed, which was not asked for".to_owned());
            return Ok(answer);
        }
        if matches!(want, Want::Text) && kind(&answer.headers, &[]) == Kind::Other {
            return Ok(answer);
        }
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            let room = limit - answer.body.len();
            answer.body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                answer.missing = cut;
                break;
            }
        }
        Ok(answer)
    }
}

/// A time that can be told, however long somebody wants to wait.
fn after(now: Instant, duration: Duration) -> Instant {
    now + duration.min(Duration::from_secs(365 * 24 * 60 * 60))
}

fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

async fn addresses(url: &Url, settings: &Settings) -> Result<Vec<SocketAddr>> {
    let port = url.port_or_known_default().unwrap_or(80);
    if !settings.addresses.is_empty() {
        return Ok(settings.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect());
    }
    let Some(url::Host::Domain(host)) = url.host() else { return Ok(Vec::new()) };
    let unknown = || Error::new(ErrorKind::HostNotFound, "scan application", format!("the host {host} was not found"));
    let found = tokio::time::timeout(settings.timeout, tokio::net::lookup_host((host, port))).await;
    let found = found.map_err(|_| Error::new(ErrorKind::Timeout, "scan application", format!("the name {host} was not resolved in time")))?;
    let found: Vec<SocketAddr> = found.map_err(|error| unknown().with_source(error))?.collect();
    if found.is_empty() { Err(unknown()) } else { Ok(found) }
}

fn build(settings: &Settings, host: &str, addresses: &[SocketAddr], verify: bool) -> Result<reqwest::Client> {
    let mut http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        // A proxy would resolve the name itself.
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .connect_timeout(settings.timeout)
        .pool_max_idle_per_host(1)
        .user_agent(concat!("kiwi-dast/", env!("CARGO_PKG_VERSION")));
    if !addresses.is_empty() {
        http = http.resolve_to_addrs(host, addresses);
    }
    if !verify {
        // For this host alone: the client asks no other.
        http = http.tls_danger_accept_invalid_certs(true);
    } else if let Some(pem) = &settings.authorities {
        let malformed = || Error::invalid("scan application", "the authorities are not certificates in PEM");
        let found = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| malformed().with_source(error))?;
        http = found.into_iter().fold(http, |http, certificate| http.add_root_certificate(certificate));
    }
    http.build().map_err(|error| Error::new(ErrorKind::Internal, "scan application", "the HTTP client cannot be built").with_source(error))
}

/// What stands at the end of an error's chain, where the cause is.
fn failure(error: &reqwest::Error) -> Failure {
    let mut last: &(dyn std::error::Error + 'static) = error;
    loop {
        // An error of input and output shows the one in it as itself.
        let inner = last.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref).map(|inner| inner as &(dyn std::error::Error + 'static));
        if let Some(rustls::Error::InvalidCertificate(problem)) = inner.unwrap_or(last).downcast_ref::<rustls::Error>() {
            return Failure::Certificate(rule(problem));
        }
        match inner.or_else(|| last.source()) {
            Some(next) => last = next,
            None => return Failure::Unanswered(format!("{}: {last}", if error.is_connect() { "it cannot be reached" } else { "there was no whole answer" })),
        }
    }
}

fn rule(problem: &CertificateError) -> &'static Rule {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } | CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            &TLS_EXPIRED
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => &TLS_NAME,
        CertificateError::UnknownIssuer => &TLS_UNTRUSTED,
        // What tools make when they are asked for a self-signed certificate is an authority's own.
        CertificateError::Other(other) if other.0.to_string().contains("CaUsedAsEndEntity") => &TLS_UNTRUSTED,
        _ => &TLS_INVALID,
    }
}
