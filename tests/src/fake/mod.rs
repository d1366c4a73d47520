//! Git hosts that remember what they are told, and misbehave on demand. Real ones cannot run here: GitHub is a service, and GitLab a
//! machine of its own. Their answers are shaped by the hosts' published descriptions.

mod github;
mod gitlab;
mod hub;

pub use hub::{FakeHub, HUB_TOKEN};

use crate::git::GitHost;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use kiwi_core::domain::{GitProviderKind, ServerUrl};
use kiwi_core::provider::GitAccess;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The one token that the hosts know.
pub const TOKEN: &str = "glpat-ghp-t0k3n-of-the-fake";

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Its answer is cut in the middle.
    Cut,
    /// Its answer comes after this time.
    Late(Duration),
    /// Its answer pauses in the middle for this time.
    Slow(Duration),
    /// It is done, and its answer lost.
    Lost,
}

/// A repository, or a project.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// The host's id.
    pub id: u64,
    /// Its path now.
    pub path: String,
    /// Branches with their commits.
    pub branches: BTreeMap<String, String>,
    /// Whether it is read-only.
    pub archived: bool,
    /// Whether the token may only read it.
    pub foreign: bool,
    /// Webhooks: id, URL, and everything that was set.
    pub hooks: BTreeMap<u64, Value>,
    /// Statuses in the order they came: commit, state.
    pub statuses: Vec<(String, String)>,
}

/// What a host remembers.
#[derive(Debug, Default)]
pub struct Memory {
    /// By id.
    pub repositories: BTreeMap<u64, Repository>,
    /// Paths that were renamed, with the id they lead to.
    pub renamed: BTreeMap<String, u64>,
    /// Owners beside the user: organizations or groups.
    pub groups: Vec<String>,
    /// Accounts: user name, address, and the body that made it.
    pub accounts: Vec<Value>,
    /// What goes wrong with the next requests, one each.
    pub faults: VecDeque<Fault>,
    /// What goes wrong with the accounts of these user names, once each.
    pub account_faults: BTreeMap<String, Fault>,
    /// Whether the token was revoked.
    pub revoked: bool,
    /// Whether it is a fine-grained token, which no header describes.
    pub fine_grained: bool,
    /// Whether the host signs no deliveries, and ignores a key for it without a word.
    pub unsigned: bool,
    /// Whether it is an administrator's.
    pub admin: bool,
    /// Scopes of the token.
    pub scopes: Vec<&'static str>,
    /// When the token ends, in the host's own words.
    pub expires: Option<String>,
    /// Looks at a new repository's branch that find nothing yet.
    pub slow_branches: u32,
    /// Method and path of every request.
    pub requests: Vec<String>,
    next: u64,
}

/// A running host.
pub struct FakeHost {
    /// Where it listens.
    pub address: SocketAddr,
    kind: GitProviderKind,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for FakeHost {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Shared {
    /// Another address that clone URLs name.
    elsewhere: Mutex<Option<String>>,
    memory: Mutex<Memory>,
    git: Option<GitHost>,
    kind: GitProviderKind,
}

/// One request, taken apart.
struct Asked {
    method: Method,
    segments: Vec<String>,
    query: BTreeMap<String, String>,
    body: Value,
    base: String,
}

impl FakeHost {
    /// Starts a host of this kind. With a git host, what is created there is really there.
    pub fn start(kind: GitProviderKind, git: Option<GitHost>) -> Self {
        let memory =
            Memory { groups: vec!["team".to_owned(), "team/sub".to_owned()], scopes: vec!["api", "repo"], admin: true, next: 100, ..Memory::default() };
        let shared = Arc::new(Shared { elsewhere: Mutex::default(), memory: Mutex::new(memory), git, kind });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(serve).with_state(shared.clone());
        runtime.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await });
        Self { address, kind, shared, runtime: Some(runtime) }
    }

    /// The address of its web pages; GitLab lives below a sub-path.
    pub fn url(&self) -> ServerUrl {
        let path = if self.kind == GitProviderKind::Gitlab { "/gitlab" } else { "" };
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// How it is reached, with the token that it knows.
    pub fn access(&self) -> GitAccess {
        GitAccess { kind: self.kind, url: self.url(), token: TOKEN.to_owned().into(), ca: None, private: true }
    }

    /// Names another address in every clone URL.
    pub fn clone_from(&self, address: &str) {
        *self.shared.elsewhere.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.to_owned());
    }

    /// What it remembers.
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.shared.memory()
    }

    /// The git host behind it.
    pub fn git(&self) -> &GitHost {
        self.shared.git.as_ref().unwrap()
    }

    /// Adds a repository with one commit on `main`; answers its id.
    pub fn add(&self, path: &str) -> u64 {
        self.shared.add(path)
    }

    /// Makes a repository of the git host known here too; answers its id.
    pub fn adopt(&self, path: &str, commit: &str) -> u64 {
        let mut memory = self.memory();
        memory.next += 1;
        let id = memory.next;
        let branches = [("main".to_owned(), commit.to_owned())].into();
        memory.repositories.insert(id, Repository { id, path: path.to_owned(), branches, ..Repository::default() });
        id
    }

    /// Renames a repository.
    pub fn rename(&self, id: u64, path: &str) {
        let mut memory = self.memory();
        let old = std::mem::replace(&mut memory.repositories.get_mut(&id).unwrap().path, path.to_owned());
        if let Some(git) = &self.shared.git {
            git.rename(&old, path);
        }
        memory.renamed.insert(old, id);
    }
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, path: &str) -> u64 {
        let commit = match &self.git {
            Some(git) => {
                let repository = git.create(path);
                std::fs::write(repository.folder().join("README.md"), path).unwrap();
                repository.push("main")
            }
            None => format!("{:040x}", path.len() + 1),
        };
        let mut memory = self.memory();
        memory.next += 1;
        let id = memory.next;
        let branches = [("main".to_owned(), commit)].into();
        memory.repositories.insert(id, Repository { id, path: path.to_owned(), branches, ..Repository::default() });
        id
    }

    fn clone_url(&self, asked: &Asked, path: &str) -> String {
        let below = if self.kind == GitProviderKind::Gitlab { "/gitlab" } else { "" };
        format!("{}{below}/{}.git", self.memory_elsewhere().unwrap_or_else(|| asked.base.clone()), path)
    }

    fn memory_elsewhere(&self) -> Option<String> {
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Memory {
    fn by_path(&self, path: &str) -> Option<&Repository> {
        self.repositories.values().find(|repository| repository.path.eq_ignore_ascii_case(path))
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 26).await.unwrap_or_default();
    if let (Some(git), true) = (&shared.git, parts.uri.path().contains(".git/")) {
        return pass_on(git.address, parts, body).await;
    }
    let asked = Asked {
        method: parts.method.clone(),
        segments: parts.uri.path().trim_matches('/').split('/').map(decode).collect(),
        query: url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        base: format!("http://{}", parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()),
    };
    let fault = {
        let mut memory = shared.memory();
        memory.requests.push(format!("{} {}", parts.method, parts.uri));
        let account = asked.body["username"].as_str().unwrap_or_default().to_owned();
        memory.account_faults.remove(&account).or_else(|| memory.faults.pop_front())
    };
    let refused = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&format!("Bearer {TOKEN}")) || shared.memory().revoked;
    let answer = || match shared.kind {
        GitProviderKind::Gitlab if refused => json(401, serde_json::json!({ "message": "401 Unauthorized" })),
        GitProviderKind::Gitlab => gitlab::answer(&shared, &asked),
        _ if refused => json(401, serde_json::json!({ "message": "Bad credentials" })),
        _ => github::answer(&shared, &asked),
    };
    match fault {
        None => answer(),
        Some(Fault::Answer(status, headers, body)) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Some(Fault::Late(after)) => {
            tokio::time::sleep(after).await;
            answer()
        }
        Some(Fault::Lost) => {
            answer();
            cut(Bytes::new())
        }
        Some(Fault::Slow(pause)) => {
            let answer = answer();
            let status = answer.status();
            let bytes = to_bytes(answer.into_body(), 1 << 26).await.unwrap_or_default();
            let (first, rest) = (bytes.slice(..bytes.len() / 2), bytes.slice(bytes.len() / 2..));
            let rest = async move {
                tokio::time::sleep(pause).await;
                Ok(rest)
            };
            let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(first)]).chain(futures_util::stream::once(rest));
            (status, Body::from_stream(pieces)).into_response()
        }
        Some(Fault::Cut) => {
            let bytes = to_bytes(answer().into_body(), 1 << 26).await.unwrap_or_default();
            cut(bytes.slice(..bytes.len() / 2))
        }
    }
}

/// Git itself is served by the real one behind.
async fn pass_on(git: SocketAddr, mut parts: axum::http::request::Parts, body: Bytes) -> Response {
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    parts.headers.remove(header::HOST);
    let path = path.strip_prefix("/gitlab").unwrap_or(&path);
    let answer = reqwest::Client::new().request(parts.method, format!("http://{git}{path}")).headers(parts.headers).body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = (status, Body::from(answer.bytes().await.unwrap())).into_response();
    for (name, value) in headers.iter().filter(|(name, _)| *name == header::CONTENT_TYPE || *name == header::WWW_AUTHENTICATE) {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// An answer that ends in an error instead of its end.
fn cut(bytes: Bytes) -> Response {
    let pieces = [Ok(bytes), Err(std::io::Error::other("cut"))];
    Body::from_stream(futures_util::stream::iter(pieces)).into_response()
}

fn json(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

fn with(mut response: Response, headers: &[(&'static str, String)]) -> Response {
    let map: &mut HeaderMap = response.headers_mut();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    response
}

fn decode(segment: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), segment.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
