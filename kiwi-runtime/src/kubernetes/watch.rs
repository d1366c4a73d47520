//! One watch per kind for all services of a cluster, while anybody follows one of them.

use super::views::{ClaimView, DeploymentView, EventView, Namespace, PodView, ReplicaSetView};
use super::{convert, names};
use futures_util::StreamExt as _;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use k8s_openapi::jiff::Timestamp;
use kiwi_core::error::{Error, ErrorKind, Result};
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// How long the first lists may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts the watches with the first follower and ends them with the last.
#[derive(Debug)]
pub(super) struct Hub {
    running: Mutex<Weak<Watches>>,
}

#[derive(Debug)]
struct Watches {
    shared: Arc<Shared>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    namespaces: Mutex<HashMap<String, Entry>>,
    /// The kinds whose first list is complete, and the last error.
    ready: watch::Sender<(BTreeSet<&'static str>, Option<String>)>,
}

#[derive(Debug, Default)]
struct Entry {
    view: Namespace,
    changed: watch::Sender<()>,
}

/// The kinds that are watched.
const KINDS: usize = 4;

/// One namespace, followed.
pub(super) struct Follower {
    watches: Arc<Watches>,
    client: Client,
    namespace: String,
    changed: watch::Receiver<()>,
}

impl Hub {
    pub(super) fn new() -> Self {
        Self { running: Mutex::new(Weak::new()) }
    }

    /// Follows a namespace; returns when everything in it is known.
    pub(super) async fn follow(&self, client: &Client, namespace: &str) -> Result<Follower> {
        let watches = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            match running.upgrade() {
                Some(watches) => watches,
                None => {
                    let watches = Arc::new(Watches::start(client));
                    *running = Arc::downgrade(&watches);
                    watches
                }
            }
        };
        let changed = watches.shared.with(namespace, |entry| entry.changed.subscribe());
        let mut ready = watches.shared.ready.subscribe();
        let complete = ready.wait_for(|(kinds, _)| kinds.len() == KINDS);
        if tokio::time::timeout(PATIENCE, complete).await.is_err() {
            let why = watches.shared.ready.borrow().1.clone().unwrap_or_else(|| "its lists take too long".to_owned());
            return Err(Error::new(ErrorKind::Unavailable, "watch cluster", format!("the cluster cannot be watched: {why}"))
                .with_hint("`kiwi runtime check` names each permission that is missing"));
        }
        Ok(Follower { watches, client: client.clone(), namespace: namespace.to_owned(), changed })
    }
}

impl Follower {
    /// The namespace as it is now, without events.
    pub(super) fn view(&mut self) -> Namespace {
        self.changed.borrow_and_update();
        self.watches.shared.with(&self.namespace, |entry| entry.view.clone()).at(Timestamp::now())
    }

    /// Waits for a change, or for `most`.
    pub(super) async fn changed(&mut self, most: Duration) {
        let _ = tokio::time::timeout(most, self.changed.changed()).await;
    }

    /// What the cluster tells about the namespace's objects; it keeps events for an hour at most, and loses some.
    pub(super) async fn events(&self) -> Result<Vec<EventView>> {
        let all = Api::<Event>::namespaced(self.client.clone(), &self.namespace).list(&ListParams::default()).await;
        let now = Timestamp::now();
        Ok(all.map_err(convert::cluster("read events"))?.items.iter().map(|event| EventView::new(event, now)).collect())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut all = self.watches.shared.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = all.get(&self.namespace).is_some_and(|entry| entry.view == Namespace::default() && entry.changed.receiver_count() <= 1);
        if unused {
            all.remove(&self.namespace);
        }
    }
}

impl Shared {
    fn with<T>(&self, namespace: &str, work: impl FnOnce(&mut Entry) -> T) -> T {
        let mut all = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(namespace.to_owned()).or_default())
    }

    fn change(&self, namespace: &str, work: impl FnOnce(&mut Namespace)) {
        self.with(namespace, |entry| {
            work(&mut entry.view);
            entry.changed.send_replace(());
        });
    }

    /// Removes what a new list no longer has.
    fn retain(&self, forget: impl Fn(&str, &mut Namespace)) {
        let mut all = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, entry) in all.iter_mut() {
            forget(name, &mut entry.view);
            entry.changed.send_replace(());
        }
        all.retain(|_, entry| entry.view != Namespace::default() || entry.changed.receiver_count() > 0);
    }
}

impl Watches {
    fn start(client: &Client) -> Self {
        let shared = Arc::new(Shared::default());
        let tasks = vec![
            watched::<Deployment>(
                client,
                &shared,
                |view, name, object| match object {
                    Some(object) => drop(view.deployments.insert(name, DeploymentView::from(object))),
                    None => drop(view.deployments.remove(&name)),
                },
                |view, names| view.deployments.retain(|name, _| names.contains(name)),
            ),
            watched::<ReplicaSet>(
                client,
                &shared,
                |view, name, object| match object {
                    Some(object) => drop(view.replica_sets.insert(name, ReplicaSetView::from(object))),
                    None => drop(view.replica_sets.remove(&name)),
                },
                |view, names| view.replica_sets.retain(|name, _| names.contains(name)),
            ),
            watched::<Pod>(
                client,
                &shared,
                |view, name, object| match object {
                    Some(object) => {
                        let pod = PodView::new(object, view.pods.get(&name), Timestamp::now());
                        view.pods.insert(name, pod);
                    }
                    None => drop(view.pods.remove(&name)),
                },
                |view, names| view.pods.retain(|name, _| names.contains(name)),
            ),
            watched::<PersistentVolumeClaim>(
                client,
                &shared,
                |view, name, object| match object {
                    Some(object) => drop(view.claims.insert(name, ClaimView::from(object))),
                    None => drop(view.claims.remove(&name)),
                },
                |view, names| view.claims.retain(|name, _| names.contains(name)),
            ),
        ];
        Self { shared, _tasks: tasks }
    }
}

/// Keeps the views of one kind up to date, for as long as the handle lives. Reconnects and lists anew by itself.
fn watched<K>(
    client: &Client,
    shared: &Arc<Shared>,
    set: impl Fn(&mut Namespace, String, Option<&K>) + Send + Sync + 'static,
    keep: impl Fn(&mut Namespace, &BTreeSet<String>) + Send + Sync + 'static,
) -> AbortOnDropHandle<()>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config = watcher::Config::default().labels(&format!("{}={}", names::MANAGED_BY, names::MANAGER));
    let (api, shared) = (Api::<K>::all(client.clone()), shared.clone());
    let kind: &'static str = std::any::type_name::<K>();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut stream = std::pin::pin!(watcher(api, config).default_backoff());
        let mut listed: HashMap<String, BTreeSet<String>> = HashMap::new();
        let put = |object: &K| {
            let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
            shared.change(&namespace, |view| set(view, name.clone(), Some(object)));
            (namespace, name)
        };
        while let Some(event) = stream.next().await {
            match event {
                Ok(watcher::Event::Init) => listed.clear(),
                Ok(watcher::Event::InitApply(object)) => {
                    let (namespace, name) = put(&object);
                    listed.entry(namespace).or_default().insert(name);
                }
                Ok(watcher::Event::InitDone) => {
                    let none = BTreeSet::new();
                    shared.retain(|namespace, view| keep(view, listed.get(namespace).unwrap_or(&none)));
                    listed = HashMap::new();
                    shared.ready.send_modify(|(kinds, _)| {
                        kinds.insert(kind);
                    });
                }
                Ok(watcher::Event::Apply(object)) => {
                    put(&object);
                }
                Ok(watcher::Event::Delete(object)) => {
                    shared.change(&object.namespace().unwrap_or_default(), |view| set(view, object.name_any(), None));
                }
                Err(error) => {
                    tracing::debug!(%error, kind, "a watch broke and is started again");
                    shared.ready.send_modify(|(_, last)| *last = Some(error.to_string()));
                }
            }
        }
    }))
}
