//! How a cluster is reached.

use super::convert;
use super::watch::Hub;
use crate::registry::OciRegistry;
use kiwi_core::domain::{ClusterSettings, Digest, ImageReference, Reach, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::RegistryAccess;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio_util::task::AbortOnDropHandle;

/// How a cluster is reached.
#[derive(Debug, Clone, Default)]
pub struct KubernetesConfig {
    /// The kubeconfig file; `KUBECONFIG`, the usual place, or the pod's own account when absent.
    pub kubeconfig: Option<PathBuf>,
    /// The context; the current one when absent.
    pub context: Option<String>,
    /// What a person decided about it.
    pub settings: ClusterSettings,
    /// The hosts that images may come from without being registered.
    pub reach: Reach,
}

/// A cluster. Clones share one connection and one watch per kind, so a process keeps one per cluster.
#[derive(Debug, Clone)]
pub struct Cluster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: KubernetesConfig,
    client: OnceCell<Connected>,
    hub: Hub,
    registry: OciRegistry,
    /// The users of images, by digest.
    users: Mutex<HashMap<Digest, String>>,
    /// The ways to candidates, by run; each ends when it is removed.
    forwards: Mutex<HashMap<RunId, AbortOnDropHandle<()>>>,
}

#[derive(Clone)]
struct Connected {
    client: Client,
    url: String,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster; nothing is sent yet.
    pub fn new(config: KubernetesConfig) -> Result<Self> {
        Self::open(config, OnceCell::new())
    }

    /// A cluster behind a client that the caller made.
    pub fn from_client(client: Client, settings: ClusterSettings) -> Result<Self> {
        let config = KubernetesConfig { settings, ..KubernetesConfig::default() };
        Self::open(config, OnceCell::new_with(Some(Connected { client, url: "the given client".to_owned() })))
    }

    fn open(config: KubernetesConfig, client: OnceCell<Connected>) -> Result<Self> {
        let registry = OciRegistry::new(None)?.within(config.reach.clone());
        Ok(Self(Arc::new(Inner { config, client, hub: Hub::new(), registry, users: Mutex::default(), forwards: Mutex::default() })))
    }

    pub(super) fn settings(&self) -> &ClusterSettings {
        &self.0.config.settings
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(super) fn registry(&self) -> &OciRegistry {
        &self.0.registry
    }

    /// The user that an image runs as, empty when nobody says; none when the registry has no such image. A digest never changes its user, so
    /// it is asked once.
    pub(super) async fn user(&self, reference: &ImageReference, access: Option<&RegistryAccess>) -> Result<Option<String>> {
        let Some(digest) = reference.digest().cloned() else { return Ok(None) };
        let known = self.0.users.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let user = self.0.registry.user(reference, access).await?;
        if let Some(user) = &user {
            self.0.users.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, user.clone());
        }
        Ok(user)
    }

    pub(super) fn forwards(&self) -> &Mutex<HashMap<RunId, AbortOnDropHandle<()>>> {
        &self.0.forwards
    }

    pub(super) async fn client(&self) -> Result<&Client> {
        Ok(&self.connected().await?.client)
    }

    pub(super) async fn url(&self) -> Result<&str> {
        Ok(&self.connected().await?.url)
    }

    async fn connected(&self) -> Result<&Connected> {
        self.0.client.get_or_try_init(|| connect(&self.0.config)).await
    }
}

async fn connect(wanted: &KubernetesConfig) -> Result<Connected> {
    let fail = |message: String| {
        Error::invalid("read kubeconfig", message).with_hint("check --kubeconfig and --context; `kubectl config get-contexts` lists what there is")
    };
    let options = KubeConfigOptions { context: wanted.context.clone(), ..KubeConfigOptions::default() };
    let mut config = match &wanted.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(|error| fail(format!("{} cannot be read", path.display())).with_source(error))?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(|error| fail("the kubeconfig cannot be used".to_owned()).with_source(error))?
        }
        None if wanted.context.is_some() => {
            Config::from_kubeconfig(&options).await.map_err(|error| fail("the kubeconfig cannot be used".to_owned()).with_source(error))?
        }
        None => Config::infer().await.map_err(|error| fail("there is no kubeconfig, and this is not a pod".to_owned()).with_source(error))?,
    };
    config.connect_timeout = Some(Duration::from_secs(10));
    // Longer than the minute after which a quiet watch gets a bookmark; a log that is quiet for longer is opened again.
    config.read_timeout = Some(Duration::from_secs(90));
    let url = config.cluster_url.to_string();
    let client = Client::try_from(config).map_err(|error| {
        let error = convert::cluster("read kubeconfig")(error);
        Error::new(ErrorKind::InvalidInput, "read kubeconfig", format!("the kubeconfig cannot be used: {}", error.message()))
    })?;
    Ok(Connected { client, url })
}
