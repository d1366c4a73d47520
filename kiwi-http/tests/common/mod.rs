//! A server without a socket, on a store of each kind, with two organizations in it.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file is a crate of its own and uses some of it")]

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use kiwi_core::domain::{OrganizationId, RuntimeKind, RuntimeSettings, Timestamp, TokenId, User};
use kiwi_core::memory::{MemoryBuilder, MemoryConnector, MemoryRegistry, MemoryRuntime, MemorySource, MemoryStore};
use kiwi_core::pipeline::{NewService, NewSource};
use kiwi_core::provider::Store;
use kiwi_core::provider::store::KeptToken;
use kiwi_core::token::TokenText;
use kiwi_core::{Actor, Kiwi, Role, Scope};
use kiwi_http::{HttpConfig, HttpState, router};
use kiwi_store::{KeySource, PostgresConfig, PostgresStore, SqliteStore};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::Connection as _;
use std::sync::Arc;
use tower::ServiceExt as _;

pub(crate) struct World {
    pub(crate) kiwi: Kiwi,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) state: HttpState,
    pub(crate) router: Router,
    pub(crate) admin: String,
    _folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// A world on every store that is there; PostgreSQL where KIWI_TEST_POSTGRES names one.
pub(crate) async fn worlds() -> Vec<World> {
    let mut all = worlds_without_admin().await;
    for world in &mut all {
        world.admin = world.token("default", "ada", Role::Admin, Scope::Admin).await;
    }
    all
}

/// The same before anybody has come.
pub(crate) async fn worlds_without_admin() -> Vec<World> {
    let mut all = vec![world(Arc::new(MemoryStore::default()), tempfile::tempdir().unwrap()).await];
    let folder = tempfile::tempdir().unwrap();
    let key = || KeySource::Text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned().into());
    let sqlite = SqliteStore::open(&folder.path().join("data"), key()).await.unwrap();
    all.push(world(Arc::new(sqlite), folder).await);
    if let Ok(url) = std::env::var("KIWI_TEST_POSTGRES") {
        // A schema of its own for each test; the cluster goes with the tests.
        let schema = format!("http_{}", TokenId::generate());
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        sqlx::query(&format!("CREATE SCHEMA {schema}")).execute(&mut connection).await.unwrap();
        let url = format!("{url}?options=-csearch_path%3D{schema}");
        let store = PostgresStore::open(PostgresConfig::parse(&url.into()).unwrap(), key()).await.unwrap();
        all.push(world(Arc::new(store), tempfile::tempdir().unwrap()).await);
    }
    all
}

pub(crate) async fn memory() -> World {
    let mut world = world(Arc::new(MemoryStore::default()), tempfile::tempdir().unwrap()).await;
    world.admin = world.token("default", "ada", Role::Admin, Scope::Admin).await;
    world
}

async fn world(store: Arc<dyn Store>, folder: tempfile::TempDir) -> World {
    let source = Arc::new(MemorySource::default());
    source.push("main".parse().unwrap(), "1".repeat(40).parse().unwrap());
    let connector = MemoryConnector { runtime: Arc::new(MemoryRuntime::default()), builder: Arc::new(MemoryBuilder::default()) };
    let kiwi = Kiwi::builder(store.clone(), Arc::new(connector))
        .source(source)
        .registry(Arc::new(MemoryRegistry::default()))
        .work_directory(folder.path().join("work"))
        .open()
        .await
        .unwrap();
    let runtime = RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } };
    for organization in ["default", "other"] {
        let actor = Actor { organization: organization.parse().unwrap(), ..Actor::local_admin() };
        kiwi.add_runtime(&actor, &runtime).await.unwrap();
        kiwi.register(&actor, new_service(if organization == "default" { "shop" } else { "theirs" })).await.unwrap();
    }
    let state = HttpState::new(kiwi.clone(), HttpConfig::default());
    World { kiwi, store, router: router(state.clone()), state, admin: String::new(), _folder: folder }
}

pub(crate) fn new_service(name: &str) -> NewService {
    let git = NewSource::Git { url: "https://git.example.com/a/shop".parse().unwrap(), branch: None, token: None, ca: None };
    let mut new = NewService::new(name.parse().unwrap(), git);
    new.runtime = Some("local".parse().unwrap());
    new
}

impl World {
    /// A user of this role, and a token of theirs.
    pub(crate) async fn token(&self, organization: &str, name: &str, role: Role, scope: Scope) -> String {
        let organization: OrganizationId = organization.parse().unwrap();
        let user = User {
            name: name.parse().unwrap(),
            email: "somebody@example.com".parse().unwrap(),
            full_name: name.to_owned(),
            role,
            created_at: Timestamp::now(),
        };
        let _ = self.store.insert_user(&organization, &user).await;
        let text = TokenText::generate(TokenId::generate());
        let token = kiwi_core::domain::ApiToken {
            id: text.id().clone(),
            user: user.name,
            name: "test".parse().unwrap(),
            scopes: [scope].into(),
            created_at: Timestamp::now(),
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        };
        self.store.insert_token(&KeptToken { organization, hash: text.hash(), token }).await.unwrap();
        text.into_secret().expose_secret().to_owned()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    pub(crate) async fn call(&self, token: &str, method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        self.send(request(token, method, path, body, headers)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(&self.admin, "GET", path, None, &[]).await
    }
}

pub(crate) fn request(token: &str, method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}
