//! Every request to GitHub against GitHub's own OpenAPI description, served by Prism: what Kiwi sends is valid, and what is documented parses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::TryStreamExt as _;
use kiwi_core::domain::{GitProviderKind, RepositoryLink};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{CommitState, CommitStatus, GitAccess, GitProvider};
use kiwi_git::ApiLimits;
use kiwi_git::github::Github;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Prism, and before it a proxy that chooses which documented answer it gives and notes what it says against a request.
struct Prism {
    child: Child,
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The status that every answer should have; the first documented one when absent.
    wanted: Mutex<Option<u16>>,
    violations: Mutex<Vec<String>>,
    asked: Mutex<BTreeSet<String>>,
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> PathBuf {
    let folder =
        std::env::var("KIWI_TEST_PRISM").unwrap_or_else(|_| panic!("KIWI_TEST_PRISM is not set; tests/run.sh installs Prism and GitHub's description"));
    PathBuf::from(folder).join("node_modules")
}

async fn start() -> Prism {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let description = folder().join("@octokit/openapi/generated/api.github.com.json");
    let child = Command::new(folder().join(".bin/prism"))
        .args(["mock", "--host", "127.0.0.1", "--port", &free.port().to_string()])
        .arg(description)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let shared = Arc::new(Shared::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let prism = Prism { child, address: listener.local_addr().unwrap(), shared: shared.clone() };
    for _ in 0..240 {
        if tokio::net::TcpStream::connect(free).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let app = axum::Router::new().fallback(move |request: Request| forward(shared.clone(), http.clone(), free, request));
    tokio::spawn(async move { axum::serve(listener, app).await });
    prism
}

async fn forward(shared: Arc<Shared>, http: reqwest::Client, prism: std::net::SocketAddr, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().to_string();
    shared.asked.lock().unwrap().insert(format!("{} {}", parts.method, parts.uri.path()));
    // The description names this kind of content alone; GitHub takes both.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    parts.headers.remove(header::HOST);
    if let Some(status) = *shared.wanted.lock().unwrap() {
        parts.headers.insert("prefer", HeaderValue::from_str(&format!("code={status}")).unwrap());
    }
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let mut onward = http.request(parts.method.clone(), format!("http://{prism}{path}")).headers(parts.headers);
    // Prism takes an empty body for one that it cannot read.
    if !bytes.is_empty() {
        onward = onward.body(bytes);
    }
    let answer = onward.send().await.unwrap();
    if let Some(violations) = answer.headers().get("sl-violations") {
        let text = violations.to_str().unwrap_or("unreadable").to_owned();
        // What Prism's own examples get wrong is not ours.
        if text.contains("\"request\"") {
            shared.violations.lock().unwrap().push(format!("{} {path}: {text}", parts.method));
        }
    }
    let mut response = Response::builder().status(answer.status());
    // The examples' next pages lead nowhere.
    for (name, value) in
        answer.headers().iter().filter(|(name, _)| *name != header::LINK && *name != header::TRANSFER_ENCODING && *name != header::CONTENT_LENGTH)
    {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

/// Every method that asks GitHub something; answers the errors.
async fn every_method(git: &Github) -> Vec<(&'static str, Result<(), Error>)> {
    let link = RepositoryLink { id: 1_296_269, path: "octocat/Hello-World".to_owned() };
    let (one, two) = ("a".repeat(40).parse().unwrap(), "b".repeat(40).parse().unwrap());
    let ours = "https://kiwi.example.com/hooks/1".parse().unwrap();
    let theirs = "https://example.com/webhook".parse().unwrap();
    let secret = "s3cret-of-the-hook".to_owned().into();
    let status = CommitStatus {
        state: CommitState::Success,
        branch: "main".parse().unwrap(),
        description: "delivered".into(),
        target: "https://kiwi.example.com".parse().ok(),
        context: "kiwi".into(),
    };
    vec![
        ("verify_token", git.verify_token().await.map(|_| ())),
        ("namespaces", git.namespaces().try_collect::<Vec<_>>().await.map(|_| ())),
        ("repositories", git.repositories(None).try_collect::<Vec<_>>().await.map(|all| assert!(!all.is_empty()))),
        ("repository", git.repository("octocat/Hello-World").await.map(|_| ())),
        ("branches", git.branches(&link).try_collect::<Vec<_>>().await.map(|all| assert!(!all.is_empty()))),
        ("create for the user", git.create_repository("octocat", "Hello-World").await.map(|_| ())),
        ("create for an organization", git.create_repository("github", "Hello-World").await.map(|_| ())),
        ("compare", git.compare(&link, &one, &two).await.map(|found| assert!(!found.files.is_empty()))),
        ("new webhook", git.ensure_webhook(&link, &ours, &secret).await),
        ("webhook that is there", git.ensure_webhook(&link, &theirs, &secret).await),
        ("remove webhook", git.remove_webhook(&link, &theirs).await),
        ("publish status", git.publish_status(&link, &one, &status).await),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_valid_and_every_documented_answer_parses() {
    let prism = start().await;
    let access = GitAccess { kind: GitProviderKind::Github, url: "http://127.0.0.1".parse().unwrap(), token: "t".to_owned().into(), ca: None, private: true };
    let limits = ApiLimits { attempts: 2, pause: Duration::from_millis(1), longest_wait: Duration::from_secs(3), ..ApiLimits::default() };
    let git = Github::at(&access, format!("http://{}", prism.address).parse().unwrap(), limits).await.unwrap();
    for (method, result) in every_method(&git).await {
        result.unwrap_or_else(|error| panic!("{method}: {}", error.chain()));
    }
    assert_eq!(*prism.shared.violations.lock().unwrap(), Vec::<String>::new());
    let asked = prism.shared.asked.lock().unwrap().clone();
    println!("FIGURE GitHub's OpenAPI description: {} different requests, all valid", asked.len());
    for request in asked {
        println!("  {request}");
    }
    let mut answers = 0;
    for status in [200, 201, 204, 301, 302, 304, 307, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503] {
        *prism.shared.wanted.lock().unwrap() = Some(status);
        for (method, result) in every_method(&git).await {
            answers += 1;
            if let Err(error) = result {
                assert_ne!(error.kind(), ErrorKind::Internal, "{method} {status}: {}", error.chain());
                assert!(!error.message().is_empty() && !error.hint().is_empty());
            }
        }
    }
    println!("FIGURE GitHub's OpenAPI description: {answers} answers of 17 statuses, each parsed or told as an error");
}
