//! The facade: everything a platform asks Kiwi to do goes through [`Kiwi`], which checks the actor's rights, keeps the
//! journal and drives the providers.

pub mod accounts;
mod audit;
pub mod ci;
pub mod events;
mod images;
mod plan;
mod providers;
mod registries;
mod releases;
mod requests;
mod retention;
mod runtimes;
mod scans;
mod server;
mod services;
mod stages;
mod status;
mod tokens;
mod users;
mod waiting;
mod worker;
mod workspace;

pub use audit::Recall;
pub use providers::NewProvider;
pub use retention::Retention;
pub use server::ServerOptions;
pub use services::{NewService, NewSource};
pub use stages::scan::accepted;
pub use status::{LogSelection, ServiceStatus};
pub use tokens::NewToken;

use crate::domain::{Gate, RunId};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Connector, ImageRegistry, Scanner, ServiceSource, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use url::Url;

/// The delivery engine. Cheap to clone; several may live in one process, with nothing global between them.
#[derive(Clone)]
pub struct Kiwi {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    connector: Arc<dyn Connector>,
    sources: Vec<Arc<dyn ServiceSource>>,
    registry: Option<Arc<dyn ImageRegistry>>,
    scanners: Vec<Arc<dyn Scanner>>,
    gate: Option<Gate>,
    work: PathBuf,
    lease: Duration,
    owner: String,
    installation: String,
    public_url: Option<Url>,
    hooks: ci::Hooks,
    /// Whether runs are to be given back as they are.
    hand_over: watch::Sender<bool>,
}

impl std::fmt::Debug for Kiwi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kiwi").field("owner", &self.inner.owner).field("installation", &self.inner.installation).finish_non_exhaustive()
    }
}

/// Puts a [`Kiwi`] together.
pub struct KiwiBuilder {
    store: Arc<dyn Store>,
    connector: Arc<dyn Connector>,
    sources: Vec<Arc<dyn ServiceSource>>,
    registry: Option<Arc<dyn ImageRegistry>>,
    scanners: Vec<Arc<dyn Scanner>>,
    gate: Option<Gate>,
    work: PathBuf,
    lease: Duration,
    public_url: Option<Url>,
}

impl std::fmt::Debug for KiwiBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KiwiBuilder").field("work", &self.work).field("lease", &self.lease).finish_non_exhaustive()
    }
}

impl Kiwi {
    /// Starts with what every engine needs: where it keeps things, and how it opens runtimes.
    pub fn builder(store: Arc<dyn Store>, connector: Arc<dyn Connector>) -> KiwiBuilder {
        KiwiBuilder {
            store,
            connector,
            sources: Vec::new(),
            registry: None,
            scanners: Vec::new(),
            gate: None,
            work: std::env::temp_dir().join("kiwi-work"),
            lease: Duration::from_secs(15),
            public_url: None,
        }
    }
}

impl KiwiBuilder {
    /// Adds a place that services come from.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn ServiceSource>) -> Self {
        self.sources.push(source);
        self
    }

    /// Sets how registries are reached.
    #[must_use]
    pub fn registry(mut self, registry: Arc<dyn ImageRegistry>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Adds a scanner to every pipeline.
    #[must_use]
    pub fn scanner(mut self, scanner: Arc<dyn Scanner>) -> Self {
        self.scanners.push(scanner);
        self
    }

    /// Sets the rule that lets a pipeline go on after a scan, for every environment of which nothing else was chosen; each has a preset
    /// otherwise ([`EnvironmentName::gate`](crate::domain::EnvironmentName::gate)).
    #[must_use]
    pub fn gate(mut self, gate: Gate) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Sets the directory for fetched trees. Each run has a folder of its own in it, which ends with the run.
    #[must_use]
    pub fn work_directory(mut self, work: PathBuf) -> Self {
        self.work = work;
        self
    }

    /// Sets how long a silent worker keeps its run before another takes over; 15 s otherwise.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(300));
        self
    }

    /// Sets where git hosts reach this installation; without it, whoever switches Auto CI on must say so.
    #[must_use]
    pub fn public_url(mut self, url: Url) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Opens the engine.
    pub async fn open(self) -> Result<Kiwi> {
        let installation = self.store.installation().await?;
        let owner = format!("{}-{}", std::process::id(), RunId::generate());
        Ok(Kiwi {
            inner: Arc::new(Inner {
                store: self.store,
                connector: self.connector,
                sources: self.sources,
                registry: self.registry,
                scanners: self.scanners,
                gate: self.gate,
                work: self.work,
                lease: self.lease,
                owner,
                installation,
                public_url: self.public_url,
                hooks: ci::Hooks::default(),
                hand_over: watch::Sender::new(false),
            }),
        })
    }
}

impl Kiwi {
    fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    fn image_registry(&self) -> Result<&Arc<dyn ImageRegistry>> {
        self.inner.registry.as_ref().ok_or_else(|| Error::new(ErrorKind::Unsupported, "reach registry", "this platform was built without registries"))
    }

    /// Encrypts every secret with a new key; answers how many there are.
    pub async fn rotate_key(&self, actor: &crate::Actor) -> Result<u64> {
        actor.may(crate::Operation::RotateKey)?;
        self.store().rotate_key().await
    }
}

pub(crate) fn missing(what: &'static str, name: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, what, format!("there is no {what} called {name}"))
}
