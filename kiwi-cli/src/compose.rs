//! The one place that names every provider.

use crate::args::{Global, RoleChoice, Serve};
use crate::facade::{Client, Facade};
use async_trait::async_trait;
use kiwi_core::access::Actor;
use kiwi_core::domain::{GitProviderKind, Reach, RuntimeKind, RuntimeSettings};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::pipeline::Kiwi;
use kiwi_core::provider::{Builder, Connector, GitAccess, GitProvider, Runtime, Scanner, Store, WebhookVerifier};
use kiwi_git::ApiLimits;
use kiwi_git::github::{Github, GithubWebhooks};
use kiwi_git::gitlab::{Gitlab, GitlabWebhooks};
use kiwi_git::url::UrlSource;
use kiwi_runtime::docker::{BuilderChoice, DockerBuilder, DockerConfig, DockerRuntime, Engine};
use kiwi_runtime::kubernetes::{Cluster, KanikoBuilder, KubernetesConfig, KubernetesRuntime};
use kiwi_runtime::registry::OciRegistry;
use kiwi_scan::dast::{DastScanner, Settings};
use kiwi_scan::sast::SastScanner;
use kiwi_scan::sca::ScaScanner;
use kiwi_scan::sca::osv::{self, OsvApi};
use kiwi_scan::secrets::SecretScanner;
use kiwi_store::{KeySource, PostgresConfig, PostgresStore, SqliteStore};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Puts something around the store, such as the fault injection of a test.
pub type StoreWrapper = fn(Arc<dyn Store>) -> Arc<dyn Store>;

/// The engine and who uses it.
pub(crate) struct Session {
    pub(crate) kiwi: Facade,
    pub(crate) actor: Actor,
}

/// `serving` is what was said about a server, when this is to be one: its members are not who owns this machine.
pub(crate) async fn open(global: &Global, wrapper: Option<StoreWrapper>, serving: Option<&Serve>) -> Result<Session> {
    if let Some(server) = &global.server {
        if global.as_role != RoleChoice::Admin {
            return Err(Error::invalid("ask server", "--as-role is for the engine on this machine; a server knows who you are by your token"));
        }
        let client = Client::new(server, crate::commands::token(server)?)?;
        return Ok(Session { kiwi: Facade::Remote(client), actor: Actor::local_admin() });
    }
    let directory = data_directory(global)?;
    let key = match std::env::var("KIWI_KEY") {
        Ok(key) if !key.is_empty() => KeySource::Text(key.into()),
        _ => KeySource::File(key_file(global)?),
    };
    let store: Arc<dyn Store> = match &global.database {
        Some(url) if !url.expose_secret().is_empty() => Arc::new(PostgresStore::open(PostgresConfig::parse(checked(url)?)?, key).await?),
        _ => Arc::new(SqliteStore::open(&directory, key).await?),
    };
    let store = wrapper.map_or_else(|| store.clone(), |wrap| wrap(store.clone()));
    let reach = serving.map_or(Reach::Anywhere, |serve| Reach::Public { and: serve.allow_hosts.clone() });
    let mut builder = Kiwi::builder(store, Arc::new(Providers { clusters: Mutex::default(), reach: reach.clone() }))
        .source(Arc::new(UrlSource::default().within(reach.clone())))
        .registry(Arc::new(OciRegistry::new(hub()?)?.within(reach)))
        .work_directory(directory.join("work"));
    for scanner in scanners(&directory)? {
        builder = builder.scanner(scanner);
    }
    if let Some(url) = serving.and_then(|serve| serve.public_url.as_ref()) {
        builder = builder.public_url(url.clone());
    }
    if let Some(seconds) = number("KIWI_LEASE_SECONDS")? {
        builder = builder.lease(Duration::from_secs(seconds));
    }
    let actor = match global.as_role {
        RoleChoice::Admin => Actor::local_admin(),
        RoleChoice::Member => Actor::local_member(),
    };
    Ok(Session { kiwi: Facade::Embedded(builder.open().await?), actor })
}

/// The scanners of every pipeline: all, or those that `KIWI_SCANNERS` names.
fn scanners(data: &Path) -> Result<Vec<Arc<dyn Scanner>>> {
    let chosen = std::env::var("KIWI_SCANNERS").unwrap_or_default();
    let names: Vec<&str> = if chosen.is_empty() { vec!["sast", "sca", "secrets", "dast"] } else { chosen.split(',').map(str::trim).collect() };
    let mut scanners: Vec<Arc<dyn Scanner>> = Vec::new();
    for name in names {
        scanners.push(match name {
            "sast" => Arc::new(SastScanner::default()),
            "sca" => Arc::new(dependencies(data.join("osv"), osv_api()?.as_ref())?),
            "secrets" => Arc::new(SecretScanner),
            "dast" => Arc::new(DastScanner::new(of_pipelines())),
            "none" => continue,
            other => {
                return Err(Error::invalid("read environment", format!("KIWI_SCANNERS has {other:?}"))
                    .with_hint("name some of sast, sca, secrets and dast with commas between, or none"));
            }
        });
    }
    Ok(scanners)
}

/// The scanner of dependencies. What they are leaves this machine only where an API is named.
pub(crate) fn dependencies(database: PathBuf, api: Option<&Url>) -> Result<ScaScanner> {
    let scanner = ScaScanner::new(database);
    match api {
        Some(api) => Ok(scanner.with_api(OsvApi::new(api, osv::Settings::default())?)),
        None => Ok(scanner),
    }
}

/// Whom the scans of pipelines ask about dependencies, besides their database.
fn osv_api() -> Result<Option<Url>> {
    let text = match std::env::var("KIWI_OSV_API").as_deref() {
        Err(_) | Ok("" | "no") => return Ok(None),
        Ok("yes") => osv::API.to_owned(),
        Ok(other) => other.to_owned(),
    };
    let unfit = |error| Error::invalid("read environment", format!("KIWI_OSV_API is {text:?}, not a URL")).with_source(error);
    text.parse().map(Some).map_err(|error| unfit(error).with_hint("say yes for OSV's own, no, or the URL of one that speaks like it"))
}

/// A deployment waits for it, and the application is one's own.
fn of_pipelines() -> Settings {
    Settings { most_pages: 50, requests_per_second: 100, deadline: Duration::from_secs(60), ..Settings::default() }
}

/// Everybody on a machine can read the arguments of its processes.
fn checked(database: &SecretString) -> Result<&SecretString> {
    let text = database.expose_secret();
    let typed = std::env::args().any(|argument| argument.contains(text));
    if typed && Url::parse(text).is_ok_and(|url| url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")) {
        return Err(Error::invalid("open database", "the command line has a password, and everybody on this machine can read it")
            .with_hint("give the URL in KIWI_DATABASE, or the password in PGPASSWORD"));
    }
    Ok(database)
}

/// Docker Hub's own API, or what stands for it where the public one cannot be reached.
fn hub() -> Result<Option<Url>> {
    match std::env::var("KIWI_DOCKER_HUB") {
        Ok(text) if !text.is_empty() => {
            text.parse().map(Some).map_err(|_| Error::invalid("read environment", format!("KIWI_DOCKER_HUB is {text:?}, not a URL")))
        }
        _ => Ok(None),
    }
}

fn number(variable: &'static str) -> Result<Option<u64>> {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => text.parse().map(Some).map_err(|_| Error::invalid("read environment", format!("{variable} is {text:?}, not a number"))),
        _ => Ok(None),
    }
}

pub(crate) fn data_directory(global: &Global) -> Result<PathBuf> {
    match &global.data_dir {
        // Absolute, so that a relative one means the same to every part.
        Some(directory) => std::path::absolute(directory).map_err(|error| Error::invalid("find data directory", "the path is empty").with_source(error)),
        None => home("XDG_DATA_HOME", ".local/share"),
    }
}

pub(crate) fn key_file(global: &Global) -> Result<PathBuf> {
    match &global.key_file {
        Some(file) => std::path::absolute(file).map_err(|error| Error::invalid("find key file", "the path is empty").with_source(error)),
        None => Ok(config_directory()?.join("key")),
    }
}

/// Where keys and tokens are kept.
pub(crate) fn config_directory() -> Result<PathBuf> {
    home("XDG_CONFIG_HOME", ".config")
}

/// The XDG base directories (<https://specifications.freedesktop.org/basedir-spec/latest/>).
fn home(variable: &str, below_home: &str) -> Result<PathBuf> {
    let base = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(below_home)));
    base.map(|base| base.join("kiwi"))
        .ok_or_else(|| Error::invalid("find data directory", "HOME is not set").with_hint("name the directory with --data-dir, and the key with --key-file"))
}

/// Settings of Docker providers that come from the environment of this process.
pub(crate) fn docker_config(engine: Option<&str>) -> Result<DockerConfig> {
    let mut config = DockerConfig::new(engine)?;
    if let Ok(image) = std::env::var("KIWI_GATEWAY_IMAGE") {
        config.gateway_image = image;
    }
    config.builder = match std::env::var("KIWI_DOCKER_BUILDER").as_deref() {
        Err(_) | Ok("auto" | "") => BuilderChoice::Auto,
        Ok("buildkit") => BuilderChoice::Buildkit,
        Ok("classic") => BuilderChoice::Classic,
        Ok(other) => return Err(Error::invalid("read environment", format!("KIWI_DOCKER_BUILDER is {other:?}")).with_hint("choose auto, buildkit or classic")),
    };
    Ok(config)
}

struct Providers {
    /// The hosts that images may come from.
    reach: Reach,
    /// Clusters that were opened: each has one connection and one watch per kind, whoever asks.
    clusters: Mutex<Vec<(RuntimeKind, Cluster)>>,
}

impl Providers {
    fn cluster(&self, kind: &RuntimeKind) -> Result<Cluster> {
        let RuntimeKind::Kubernetes { kubeconfig, context, cluster } = kind else {
            return Err(Error::new(ErrorKind::Internal, "open cluster", "the runtime is no cluster"));
        };
        let mut open = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cluster)) = open.iter().find(|(other, _)| other == kind) {
            return Ok(cluster.clone());
        }
        let config = KubernetesConfig {
            kubeconfig: kubeconfig.as_ref().map(PathBuf::from),
            context: context.clone(),
            settings: cluster.as_ref().clone(),
            reach: self.reach.clone(),
        };
        let cluster = Cluster::new(config)?;
        open.push((kind.clone(), cluster.clone()));
        Ok(cluster)
    }
}

#[async_trait]
impl Connector for Providers {
    async fn runtime(&self, settings: &RuntimeSettings) -> Result<Arc<dyn Runtime>> {
        match &settings.kind {
            RuntimeKind::Docker { engine } => Ok(Arc::new(DockerRuntime::new(Engine::new(docker_config(engine.as_deref())?)?))),
            RuntimeKind::Kubernetes { .. } => Ok(Arc::new(KubernetesRuntime::new(self.cluster(&settings.kind)?))),
            other => Err(Error::new(ErrorKind::Unsupported, "open runtime", format!("this kiwi was built without {} runtimes", other.as_str()))),
        }
    }

    async fn builder(&self, settings: &RuntimeSettings) -> Result<Arc<dyn Builder>> {
        match &settings.kind {
            RuntimeKind::Docker { engine } => Ok(Arc::new(DockerBuilder::new(Engine::new(docker_config(engine.as_deref())?)?))),
            RuntimeKind::Kubernetes { .. } => Ok(Arc::new(KanikoBuilder::new(self.cluster(&settings.kind)?))),
            other => Err(Error::new(ErrorKind::Unsupported, "open builder", format!("this kiwi was built without {} builders", other.as_str()))),
        }
    }

    async fn git(&self, access: &GitAccess) -> Result<Arc<dyn GitProvider>> {
        match access.kind {
            GitProviderKind::Github => Ok(Arc::new(Github::new(access, ApiLimits::default()).await?)),
            GitProviderKind::Gitlab => Ok(Arc::new(Gitlab::new(access, ApiLimits::default()).await?)),
            GitProviderKind::Url => Err(Error::new(ErrorKind::Unsupported, "open git host", "a plain URL has no API")),
        }
    }

    fn webhooks(&self, kind: GitProviderKind) -> Result<Arc<dyn WebhookVerifier>> {
        match kind {
            GitProviderKind::Github => Ok(Arc::new(GithubWebhooks)),
            GitProviderKind::Gitlab => Ok(Arc::new(GitlabWebhooks)),
            GitProviderKind::Url => Err(Error::new(ErrorKind::Unsupported, "open git host", "a plain URL delivers nothing")),
        }
    }
}
