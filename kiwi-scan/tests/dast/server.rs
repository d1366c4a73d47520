//! Servers for the tests: one is a table of answers.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use kiwi_core::domain::{Finding, ScanReport};
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_scan::dast::{DastScanner, Settings};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What a handler is given: method, path, query and headers.
pub(crate) type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// A server that remembers what it was asked.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, asked) = router(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked }
    }

    /// A server with this page at `/` and nothing else.
    pub(crate) async fn page(headers: &'static [(&'static str, &'static str)], body: &'static str) -> Self {
        Self::start(move |request| if request.uri().path() == "/" { answer(200, headers, body) } else { answer(404, SAFE, "none") }).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// `METHOD path?query` of every request, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A router that gives everything to one handler, and what it was asked.
pub(crate) fn router(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Router, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (list, handler): (_, Handler) = (asked.clone(), Arc::new(handler));
    let router = Router::new().fallback(move |request: Request| {
        list.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let response = handler(&request);
        async move { response }
    });
    (router, asked)
}

/// Headers of a page with which nothing is wrong.
pub(crate) const SAFE: &[(&str, &str)] = &[
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", "default-src 'self'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=()"),
    ("strict-transport-security", "max-age=31536000"),
    ("cache-control", "no-store"),
];

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let builder = Response::builder().status(status);
    headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(body.into()).unwrap()
}

/// A safe page.
pub(crate) fn html(body: impl Into<Body>) -> Response {
    answer(200, SAFE, body)
}

/// The safe headers with some of them, or others, given.
pub(crate) fn safe_but(changed: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let kept = SAFE.iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name)).copied();
    kept.chain(changed.iter().copied().filter(|(_, value)| !value.is_empty())).collect()
}

/// Fast enough for tests.
pub(crate) fn settings() -> Settings {
    Settings { requests_per_second: 10_000, ..Settings::default() }
}

pub(crate) async fn scan(url: &str, settings: Settings) -> ScanReport {
    DastScanner::new(settings).scan(&ScanTarget::Url(url.parse().unwrap())).await.unwrap()
}

/// The names of the rules that were found.
pub(crate) fn rules(report: &ScanReport) -> BTreeSet<&str> {
    report.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

pub(crate) fn finding<'r>(report: &'r ScanReport, rule: &str) -> &'r Finding {
    let found = report.findings.iter().find(|finding| finding.rule == rule);
    assert!(found.is_some(), "no {rule} in {report:#?}");
    found.unwrap()
}
