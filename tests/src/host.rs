//! A git host in memory: repositories with one branch, webhooks with their secrets, commit statuses; and the engine that uses it, with everything else in
//! memory too. What it delivers is what GitHub delivers, and is verified by the real verifier.

use async_trait::async_trait;
use futures_util::StreamExt as _;
use hmac::{Hmac, Mac as _};
use kiwi_core::domain::{
    Branch, CommitSha, ContainerSpec, GitProviderKind, OrganizationId, ProviderSettings, RepositoryLink, RuntimeKind, RuntimeSettings, SecretId, Service,
    ServiceName, Source, Timestamp,
};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::memory::{MemoryBuilder, MemoryRegistry, MemoryRuntime};
use kiwi_core::pipeline::{Kiwi, KiwiBuilder};
use kiwi_core::provider::{
    AccountOutcome, BoxStream, Builder, CommitState, CommitStatus, Comparison, Connector, FetchEvent, GitAccess, GitProvider, GitProviderCapabilities,
    Namespace, NewAccount, RemoteRepository, Runtime, ServiceSource, SourceAccess, SourceReport, Store, TokenReport, WebhookVerifier,
};
use kiwi_core::secret::SecretString;
use kiwi_core::webhook::UnverifiedWebhook;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

/// The host. What its repositories are called is their service's name.
#[derive(Default)]
pub struct Host {
    state: Mutex<State>,
}

/// What the host knows.
#[derive(Default)]
pub struct State {
    /// The head of each repository's `main`; none when it was deleted.
    pub heads: BTreeMap<String, CommitSha>,
    /// The one webhook of each repository.
    pub hooks: BTreeMap<String, (Url, SecretString)>,
    /// What was shown beside commits, oldest first.
    pub statuses: Vec<(CommitSha, CommitState, String)>,
    /// What every comparison answers.
    pub files: Vec<String>,
    /// What every call to the API fails with, while it is there.
    pub failure: Option<(ErrorKind, &'static str)>,
    /// How long a commit takes to be fetched.
    pub slow: Option<Duration>,
}

impl Host {
    /// What it knows now.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a repository's branch to a commit; nobody is told.
    pub fn push(&self, repository: &str, commit: &CommitSha) {
        self.state().heads.insert(repository.to_owned(), commit.clone());
    }

    /// What the host delivers for a push, signed with the webhook's secret.
    pub fn delivery(&self, repository: &str, commit: &CommitSha, id: &str) -> UnverifiedWebhook {
        let push = json!({
            "ref": "refs/heads/main", "before": "1".repeat(40), "after": commit, "deleted": false,
            "head_commit": { "id": commit, "message": "a change" }, "repository": { "id": number(repository), "full_name": repository }
        });
        self.event(repository, "push", id, &push)
    }

    /// Any event.
    pub fn event(&self, repository: &str, event: &str, id: &str, body: &Value) -> UnverifiedWebhook {
        let body = serde_json::to_vec(body).unwrap();
        let secret = self.state().hooks[repository].1.expose_secret().to_owned();
        let headers = headers(event, id, &body, &secret);
        UnverifiedWebhook::new(headers, body.into())
    }

    fn answer(&self) -> Result<()> {
        match self.state().failure {
            Some((kind, message)) => Err(Error::new(kind, "ask git host", message)),
            None => Ok(()),
        }
    }
}

/// The headers that GitHub sends.
pub fn headers(event: &str, id: &str, body: &[u8], secret: &str) -> [(String, String); 4] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    [("X-GitHub-Event", event), ("X-GitHub-Delivery", id), ("Content-Type", "application/json"), ("X-Hub-Signature-256", &format!("sha256={signature}"))]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The host's own id of a repository.
pub fn number(repository: &str) -> u64 {
    repository.bytes().fold(7, |number, byte| (number * 31 + u64::from(byte)) % 1_000_003)
}

fn repository_of(source: &Source) -> Option<String> {
    match source {
        Source::Git { link: Some(link), .. } => Some(link.path.clone()),
        _ => None,
    }
}

#[async_trait]
impl ServiceSource for Host {
    fn supports(&self, source: &Source) -> bool {
        matches!(source, Source::Git { .. })
    }

    async fn check(&self, source: &Source, access: &SourceAccess) -> Result<SourceReport> {
        let main: Branch = "main".parse()?;
        let head = self.resolve(source, &main, access).await?;
        Ok(SourceReport { default_branch: Some(main.clone()), branches: vec![(main, head)], tags: Vec::new() })
    }

    async fn resolve(&self, source: &Source, branch: &Branch, _: &SourceAccess) -> Result<CommitSha> {
        self.answer()?;
        let state = self.state();
        let head = repository_of(source).and_then(|repository| state.heads.get(&repository).cloned());
        head.ok_or_else(|| Error::new(ErrorKind::BranchNotFound, "resolve branch", format!("Branch not found: {branch}")))
    }

    fn open(&self, _: &Source, _: &CommitSha, _: &SourceAccess, into: PathBuf) -> BoxStream<Result<FetchEvent>> {
        std::fs::write(into.join("Dockerfile"), "FROM scratch\n").unwrap();
        let slow = self.state().slow;
        let fetched = async move {
            tokio::time::sleep(slow.unwrap_or_default()).await;
            Ok(FetchEvent::Done)
        };
        futures_util::stream::once(fetched).boxed()
    }
}

fn not_here<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "ask git host", "this host does not do that"))
}

#[async_trait]
impl GitProvider for Host {
    fn capabilities(&self) -> GitProviderCapabilities {
        let mut capabilities = GitProviderCapabilities::default();
        capabilities.commit_status = true;
        capabilities
    }
    async fn verify_token(&self) -> Result<TokenReport> {
        not_here()
    }
    fn namespaces(&self) -> BoxStream<Result<Namespace>> {
        futures_util::stream::empty().boxed()
    }
    fn repositories(&self, _: Option<String>) -> BoxStream<Result<RemoteRepository>> {
        futures_util::stream::empty().boxed()
    }
    async fn repository(&self, _: &str) -> Result<RemoteRepository> {
        not_here()
    }
    async fn repository_by_id(&self, _: u64) -> Result<RemoteRepository> {
        not_here()
    }
    fn branches(&self, _: &RepositoryLink) -> BoxStream<Result<(Branch, CommitSha)>> {
        futures_util::stream::empty().boxed()
    }
    async fn create_repository(&self, _: &str, _: &str) -> Result<RemoteRepository> {
        not_here()
    }
    async fn compare(&self, _: &RepositoryLink, _: &CommitSha, _: &CommitSha) -> Result<Comparison> {
        self.answer()?;
        Ok(Comparison { files: self.state().files.clone(), truncated: false })
    }
    async fn ensure_webhook(&self, repository: &RepositoryLink, url: &Url, secret: &SecretString) -> Result<()> {
        self.answer()?;
        self.state().hooks.insert(repository.path.clone(), (url.clone(), secret.clone()));
        Ok(())
    }
    async fn remove_webhook(&self, repository: &RepositoryLink, url: &Url) -> Result<()> {
        self.answer()?;
        self.state().hooks.retain(|path, (known, _)| *path != repository.path || known != url);
        Ok(())
    }
    async fn publish_status(&self, _: &RepositoryLink, commit: &CommitSha, status: &CommitStatus) -> Result<()> {
        self.answer()?;
        self.state().statuses.push((commit.clone(), status.state, status.target.as_ref().map(Url::to_string).unwrap_or_default()));
        Ok(())
    }
    async fn create_account(&self, _: &NewAccount) -> Result<AccountOutcome> {
        not_here()
    }
}

/// Opens the host for every git host, and one runtime for every runtime.
#[derive(Clone)]
pub struct Providers {
    /// The host.
    pub host: Arc<Host>,
    /// The runtime.
    pub runtime: Arc<dyn Runtime>,
    /// The builder.
    pub builder: Arc<dyn Builder>,
}

#[async_trait]
impl Connector for Providers {
    async fn runtime(&self, _: &RuntimeSettings) -> Result<Arc<dyn Runtime>> {
        Ok(self.runtime.clone())
    }
    async fn builder(&self, _: &RuntimeSettings) -> Result<Arc<dyn Builder>> {
        Ok(self.builder.clone())
    }
    async fn git(&self, _: &GitAccess) -> Result<Arc<dyn GitProvider>> {
        Ok(self.host.clone())
    }
    fn webhooks(&self, _: GitProviderKind) -> Result<Arc<dyn WebhookVerifier>> {
        Ok(Arc::new(kiwi_git::github::GithubWebhooks))
    }
}

/// The host, a runtime and a builder, which outlive every engine that uses them.
pub struct World {
    /// The host.
    pub host: Arc<Host>,
    /// The runtime.
    pub runtime: Arc<MemoryRuntime>,
    /// The builder.
    pub builder: Arc<MemoryBuilder>,
    folder: tempfile::TempDir,
}

impl Default for World {
    fn default() -> Self {
        Self { host: Arc::default(), runtime: Arc::default(), builder: Arc::default(), folder: tempfile::tempdir().unwrap() }
    }
}

impl World {
    /// One more engine on this store.
    pub async fn engine(&self, store: Arc<dyn Store>, with: impl FnOnce(KiwiBuilder) -> KiwiBuilder) -> Kiwi {
        let providers = Providers { host: self.host.clone(), runtime: self.runtime.clone(), builder: self.builder.clone() };
        let builder = Kiwi::builder(store, Arc::new(providers)).source(self.host.clone()).registry(Arc::new(MemoryRegistry::default()));
        with(builder.work_directory(self.folder.path().join("work")).public_url("https://kiwi.example.com".parse().unwrap())).open().await.unwrap()
    }

    /// A folder that ends with the world.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Prepares a store: the runtime `local`, the git host, and services of these names, whose repositories are at `commit`.
pub async fn prepare(store: &dyn Store, host: &Host, names: &[&str], commit: &CommitSha) {
    let organization = OrganizationId::default();
    store.insert_runtime(&organization, &RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } }).await.unwrap();
    let token: SecretId = store.insert_secret(&"token".into()).await.unwrap();
    let provider = ProviderSettings {
        kind: GitProviderKind::Github,
        url: "https://git.example.com".parse().unwrap(),
        token,
        ca: None,
        private: false,
        account: "ada".to_owned(),
        expires_at: None,
        updated_at: Timestamp::now(),
    };
    store.put_provider(&organization, &provider).await.unwrap();
    for name in names {
        store.insert_service(&service(name)).await.unwrap();
        host.push(name, commit);
    }
}

/// A service of the host's repository of this name.
pub fn service(name: &str) -> Service {
    let mut service = crate::contract::store::service(name);
    service.source = Source::Git {
        provider: GitProviderKind::Github,
        repository: format!("https://git.example.com/{name}").parse().unwrap(),
        branch: "main".parse().unwrap(),
        token: None,
        ca: None,
        link: Some(RepositoryLink { id: number(name), path: name.to_owned() }),
    };
    service.containers = vec![ContainerSpec::new(name.parse().unwrap())];
    service
}

/// A name as the facade takes it.
pub fn name(text: &str) -> ServiceName {
    text.parse().unwrap()
}
