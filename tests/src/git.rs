//! A real git host: `git http-backend` behind a small HTTP server, with a token, on loopback.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use futures_util::StreamExt as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

/// How a host misbehaves.
#[derive(Debug, Clone, Default)]
pub enum Behaviour {
    /// As it should.
    #[default]
    Good,
    /// It takes the connection and never answers.
    Hang,
    /// It answers everything with this status.
    Status(u16),
    /// It answers everything with a web page.
    Html,
    /// It redirects everything to another host.
    Redirect(String),
    /// It speaks only git's first protocol, as a proxy that drops unknown headers makes it.
    FirstProtocol,
    /// It hangs once the pack is asked for.
    HangAtPack,
    /// It sends the pack in pieces, with a pause before each.
    Slow(Duration),
    /// It cuts the pack in the middle.
    CutPack,
    /// It answers a request for a pack with these bytes.
    Pack(Vec<u8>),
}

#[derive(Clone)]
struct Shared {
    root: Arc<PathBuf>,
    token: Option<String>,
    behaviour: Arc<Mutex<Behaviour>>,
    seen: Arc<Mutex<Vec<String>>>,
}

/// A running host. It ends when this is dropped.
pub struct GitHost {
    /// Where it listens.
    pub address: SocketAddr,
    root: TempDir,
    shared: Shared,
    runtime: Option<tokio::runtime::Runtime>,
}

impl GitHost {
    /// Starts a host; with a token, it wants it as the password.
    pub fn start(token: Option<&str>) -> Self {
        Self::start_at(std::net::Ipv4Addr::LOCALHOST, token)
    }

    /// Starts a host on this address of the machine, where pods can reach it too.
    pub fn start_at(address: std::net::Ipv4Addr, token: Option<&str>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let shared = Shared { root: Arc::new(root.path().to_owned()), token: token.map(str::to_owned), behaviour: Arc::default(), seen: Arc::default() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        // Bound without waiting, so that a host can also be started inside an asynchronous test.
        let listener = std::net::TcpListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(serve).with_state(shared.clone());
        runtime.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await });
        Self { address, root, shared, runtime: Some(runtime) }
    }

    /// The URL of a repository.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}.git", self.address)
    }

    /// Changes how the host behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// The `Authorization` headers that arrived.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Where a repository lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(format!("{name}.git"))
    }

    /// Moves a repository.
    pub fn rename(&self, old: &str, new: &str) {
        std::fs::create_dir_all(self.path(new).parent().unwrap()).unwrap();
        std::fs::rename(self.path(old), self.path(new)).unwrap();
    }

    /// Makes an empty repository.
    pub fn create(&self, name: &str) -> Repository {
        let bare = self.root.path().join(format!("{name}.git"));
        git(self.root.path(), &["init", "--quiet", "--bare", "--initial-branch=main", bare.to_str().unwrap()]);
        // As GitHub and GitLab do: a commit may be asked for by its id.
        git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let work = tempfile::tempdir().unwrap();
        git(work.path(), &["init", "--quiet", "--initial-branch=main", "."]);
        git(work.path(), &["remote", "add", "origin", bare.to_str().unwrap()]);
        Repository { work }
    }
}

impl Drop for GitHost {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A clone from which a test pushes.
pub struct Repository {
    work: TempDir,
}

impl Repository {
    /// The files.
    pub fn folder(&self) -> &Path {
        self.work.path()
    }

    /// Commits everything and pushes the branch; returns the commit.
    pub fn push(&self, branch: &str) -> String {
        git(self.folder(), &["checkout", "--quiet", "-B", branch]);
        git(self.folder(), &["add", "--all"]);
        git(self.folder(), &["commit", "--quiet", "--allow-empty", "--message", "a change"]);
        git(self.folder(), &["push", "--quiet", "--force", "origin", branch]);
        git(self.folder(), &["rev-parse", "HEAD"])
    }
}

/// Runs git with an identity and without anybody's configuration.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn serve(State(shared): State<Shared>, mut request: Request) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    shared.seen.lock().unwrap().extend(authorization.clone());
    let behaviour = shared.behaviour.lock().unwrap().clone();
    let is_pack = request.uri().path().ends_with("/git-upload-pack") && request.method() == "POST";
    match behaviour {
        Behaviour::Hang => return std::future::pending().await,
        Behaviour::HangAtPack if is_pack => return std::future::pending().await,
        Behaviour::Status(status) => return StatusCode::from_u16(status).unwrap().into_response(),
        Behaviour::Html => return axum::response::Html("<!doctype html><title>Sign in</title>").into_response(),
        Behaviour::Redirect(to) => return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, format!("{to}{}", request.uri()))]).into_response(),
        Behaviour::FirstProtocol => drop(request.headers_mut().remove("git-protocol")),
        _ => {}
    }
    if let Some(token) = &shared.token {
        let given = authorization
            .as_deref()
            .and_then(|value| value.strip_prefix("Basic "))
            .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
        let given = given.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if given.as_deref().and_then(|text| text.split_once(':')).map(|(_, password)| password) != Some(token) {
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")]).into_response();
        }
    }
    let is_fetch = is_pack;
    let (status, headers, mut body) = backend(&shared.root, request).await;
    // The pack is the second answer of protocol 2; the first lists the refs and is small.
    if is_fetch && body.windows(4).any(|window| window == b"PACK") {
        match behaviour {
            Behaviour::CutPack => body.truncate(body.len() / 2),
            Behaviour::Pack(ref bytes) => body.clone_from(bytes),
            _ => {}
        }
    }
    let mut response = match behaviour {
        Behaviour::Slow(pause) if is_fetch => {
            let pieces: Vec<Vec<u8>> = body.chunks(body.len() / 8 + 1).map(<[u8]>::to_vec).collect();
            let paused = futures_util::stream::iter(pieces).then(move |piece| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::io::Error>(piece)
            });
            (status, Body::from_stream(paused)).into_response()
        }
        _ => (status, Body::from(body)).into_response(),
    };
    for (name, value) in headers {
        response.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    response
}

async fn backend(root: &Path, request: Request) -> (StatusCode, Vec<(String, String)>, Vec<u8>) {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 30).await.unwrap();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    tokio::spawn(async move {
        let _ = input.write_all(&body).await;
    });
    let output = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await.unwrap().unwrap().stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (mut status, mut headers) = (StatusCode::OK, Vec::new());
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name.eq_ignore_ascii_case("status") {
            status = StatusCode::from_u16(value[..3].parse().unwrap()).unwrap();
        } else {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    (status, headers, output[end + 4..].to_vec())
}
