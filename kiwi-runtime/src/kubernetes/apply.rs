//! Making a release live: the objects are applied, the rollout is watched, and what failed is undone.
//!
//! Every step may be repeated, so that a worker that takes over after a kill goes on where the last one stopped.

use super::accounts;
use super::classify::{Cause, Progress, Trouble, Verdict, classify};
use super::client::Cluster;
use super::foreign;
use super::lease::Lease;
use super::namespace;
use super::objects::{self, How};
use super::render::{Input, Rendered, is_routed};
use super::state::{Claim, State};
use super::watch::Follower;
use super::{names, pods};
use crate::feed::Feed;
use kiwi_core::domain::{ContainerName, Release, ReleaseContainer};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{Aborted, ApplyRequest, DeploymentEvent, Endpoint, Guarantee};
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a follower sleeps when nothing changes: thresholds of the classifier pass without an event.
const LOOK: Duration = Duration::from_secs(1);
/// The last lines of a container that are kept with a failure.
const LAST_LINES: i64 = 20;

/// What one call works with.
struct Work<'a> {
    cluster: &'a Cluster,
    client: &'a Client,
    request: &'a ApplyRequest,
    namespace: String,
    lease: Lease,
    feed: Feed<DeploymentEvent>,
}

pub(super) async fn apply(cluster: &Cluster, request: &ApplyRequest, feed: Feed<DeploymentEvent>) -> Result<()> {
    let client = cluster.client().await?;
    let namespace = namespace::of(&request.release)?;
    // The first lists of the watches take a moment: they are asked for while everything else begins.
    let follower = cluster.hub().follow(client, &namespace);
    let prepared = async {
        let mut rendered = render(cluster, request, &namespace).await?;
        let found = namespace::ensure(client, &namespace, &rendered.namespace, &request.workload).await?;
        if found.created_by_kiwi {
            // What is not applied again is taken away.
            namespace::mark_created(&mut rendered.namespace);
        }
        super::rbac::ensure(client, &namespace).await?;
        let lease = Lease::take(client, &namespace, &request.workload, &request.fence).await?;
        Ok::<_, Error>((rendered, found, lease))
    };
    let (follower, (rendered, found, lease)) = tokio::try_join!(follower, prepared)?;
    let mut work = Work { cluster, client, request, namespace, lease, feed };
    match work.run(follower, &rendered, found.pod_security.as_deref()).await {
        Ok(()) => {
            work.lease.release().await?;
            work.feed.send(DeploymentEvent::Done).await;
            Ok(())
        }
        // Whoever took over has the lease and decides.
        Err(error) if error.kind() == ErrorKind::LeaseLost => Err(error),
        Err(error) => {
            let live = State::read(client, &work.namespace).await?;
            // What was refused before anything changed leaves nothing to undo, and somebody else's changes alone.
            if work.lease.begun() && live.as_ref().map(|live| live.revision) != Some(request.release.revision) {
                work.undo(live).await?;
            }
            work.lease.release().await?;
            Err(error)
        }
    }
}

/// Undoes an apply that was stopped before it was live.
pub(super) async fn abort(cluster: &Cluster, request: &ApplyRequest) -> Result<Aborted> {
    let client = cluster.client().await?;
    let namespace = namespace::of(&request.release)?;
    if namespace::look(client, &namespace, &request.workload).await?.is_none() {
        return Ok(Aborted::Undone);
    }
    let lease = Lease::take(client, &namespace, &request.workload, &request.fence).await?;
    // From here on, nothing that the stopped worker still has under way can make its release live.
    let live = Claim::take(client, &namespace, &request.workload, request.fence.epoch).await?.live;
    let (feed, _receiver) = crate::feed::channel();
    let work = Work { cluster, client, request, namespace, lease, feed };
    let aborted = if live.as_ref().map(|live| live.revision) == Some(request.release.revision) { Aborted::AlreadyLive } else { Aborted::Undone };
    if aborted == Aborted::Undone && work.lease.begun() {
        work.undo(live).await?;
    }
    work.lease.release().await?;
    Ok(aborted)
}

/// The objects of a release as they would be applied now.
pub(super) async fn render(cluster: &Cluster, request: &ApplyRequest, namespace: &str) -> Result<Rendered> {
    let users = users(cluster, request);
    let running = running(cluster.client().await?, request, namespace);
    let (users, running) = tokio::join!(users, running);
    input(cluster, request, namespace, &users, &running?).render()
}

pub(super) fn input<'a>(
    cluster: &'a Cluster,
    request: &'a ApplyRequest,
    namespace: &'a str,
    users: &'a BTreeMap<ContainerName, String>,
    running: &'a BTreeMap<ContainerName, (String, u64)>,
) -> Input<'a> {
    Input {
        workload: &request.workload,
        release: &request.release,
        namespace,
        secrets: &request.secrets,
        registries: &request.registries,
        cluster: cluster.settings(),
        users,
        running,
        fresh: request.fresh,
    }
}

/// The user that each image names, as far as its registry says so.
pub(super) async fn users(cluster: &Cluster, request: &ApplyRequest) -> BTreeMap<ContainerName, String> {
    let looks = request.release.containers.iter().map(|container| async move {
        let user = accounts::user(cluster, &container.image, &request.registries).await.ok().flatten()?;
        Some((container.name.clone(), user))
    });
    futures_util::future::join_all(looks).await.into_iter().flatten().collect()
}

/// What runs: each container's specification with the revision that made its pods.
async fn running(client: &Client, request: &ApplyRequest, namespace: &str) -> Result<BTreeMap<ContainerName, (String, u64)>> {
    let mut found = BTreeMap::new();
    for object in objects::list(client, objects::DEPLOYMENT, namespace, &names::selector(&request.workload)).await? {
        let specification = object.annotations().get(names::SPECIFICATION).cloned();
        let revision = object.data["spec"]["template"]["metadata"]["labels"][names::REVISION].as_str().and_then(|text| text.parse().ok());
        if let (Ok(name), Some(specification), Some(revision)) = (object.name_any().parse(), specification, revision) {
            found.insert(name, (specification, revision));
        }
    }
    Ok(found)
}

impl Work<'_> {
    async fn run(&mut self, follower: Follower, rendered: &Rendered, pod_security: Option<&str>) -> Result<()> {
        let release = &self.request.release;
        let live = State::read(self.client, &self.namespace).await?;
        if live.map(|live| live.revision) != Some(release.revision) {
            self.make_live(follower, rendered, pod_security).await?;
        }
        let endpoints = endpoints(self.client, &self.namespace, release).await?;
        self.feed.send(DeploymentEvent::Live(endpoints)).await;
        self.lease.check().await?;
        if rendered.restricted {
            objects::apply(self.client, &rendered.namespace, How { force: true, dry_run: false }).await?;
        }
        objects::prune(self.client, &self.namespace, &names::selector(&self.request.workload), &rendered.objects).await?;
        self.leave_others().await
    }

    async fn make_live(&mut self, mut follower: Follower, rendered: &Rendered, pod_security: Option<&str>) -> Result<()> {
        let how = How { force: self.request.fresh, dry_run: false };
        if !rendered.restricted && pod_security == Some("restricted") {
            // Pods that need more than the last release must be let in before they come.
            self.lease.begin().await?;
            objects::apply(self.client, &rendered.namespace, How { force: true, dry_run: false }).await?;
        }
        // What the cluster refuses, it refuses before anything is changed.
        let judged = rendered.objects.iter().map(|object| objects::apply(self.client, object, How { dry_run: true, ..how }));
        futures_util::future::try_join_all(judged).await?;
        self.lease.begin().await?;
        let claim = Claim::take(self.client, &self.namespace, &self.request.workload, self.request.fence.epoch).await?;
        // Deployments after what they refer to; a route to pods that are not there yet is only a route to the ones of before.
        let (deployments, others): (Vec<&Value>, Vec<&Value>) = rendered.objects.iter().partition(|object| object["kind"] == "Deployment");
        futures_util::future::try_join_all(others.iter().map(|object| objects::apply(self.client, object, how))).await?;
        self.lease.check().await?;
        if self.request.fresh {
            for deployment in &deployments {
                for field in foreign::remove(self.client, &self.namespace, deployment["metadata"]["name"].as_str().unwrap_or_default()).await? {
                    self.feed.send(DeploymentEvent::Info(format!("taken back: {field}"))).await;
                }
            }
        }
        let applied = futures_util::future::try_join_all(deployments.iter().map(|object| objects::apply(self.client, object, how))).await?;
        for object in &applied {
            for field in foreign::added(&serde_json::to_value(object).unwrap_or_default()) {
                let name = object.name_any();
                self.feed.send(DeploymentEvent::Warning(format!("Deployment {name}: {field} and stays; `kiwi restart` takes it back"))).await;
            }
        }
        let expected: BTreeMap<_, _> =
            applied.iter().map(|object| (object.name_any(), (object.uid().unwrap_or_default(), object.metadata.generation.unwrap_or(0)))).collect();
        self.rolled_out(&mut follower, &expected).await?;
        self.lease.check().await?;
        let state = State::new(self.request.release.revision, &rendered.namespace, &rendered.objects);
        claim.write(self.client, &self.namespace, &self.request.workload, &state).await
    }

    /// Follows every Deployment to its end.
    async fn rolled_out(&self, follower: &mut Follower, expected: &BTreeMap<String, (String, i64)>) -> Result<()> {
        let begin = Instant::now();
        let release = &self.request.release;
        let replicas = release.containers.iter().map(|container| container.replicas.count()).max().unwrap_or(1);
        // The cluster's own deadline is for each step. This one is for a cluster whose controllers do not work.
        let patience = Duration::from_secs(u64::from(release.rollout.start_seconds + release.rollout.drain_seconds + 60) * u64::from(replicas + 2));
        let mut told: BTreeMap<String, Progress> = BTreeMap::new();
        let mut events_at: Option<Instant> = None;
        let mut events = Vec::new();
        loop {
            let mut view = follower.view();
            let mut done = 0;
            for (name, (uid, generation)) in expected {
                // The watch may be a moment behind what was just applied.
                let behind = view.deployments.get(name).is_none_or(|live| live.uid == *uid && live.generation < *generation);
                if behind && begin.elapsed() < Duration::from_secs(30) {
                    continue;
                }
                if events_at.is_none_or(|at| at.elapsed() > Duration::from_secs(2)) && begin.elapsed() > Duration::from_secs(3) {
                    events = follower.events().await.unwrap_or_default();
                    events_at = Some(Instant::now());
                }
                view.events.clone_from(&events);
                match classify(&view, name, Some(uid), begin.elapsed()) {
                    Verdict::Done => done += 1,
                    Verdict::Waiting(progress) => {
                        if told.get(name) != Some(&progress) {
                            let label = format!("roll out {name}");
                            self.feed.send(DeploymentEvent::Progress { label, current: progress.ready.into(), total: Some(progress.wanted.into()) }).await;
                            if told.get(name).is_none_or(|before| before.what != progress.what) {
                                self.feed
                                    .send(DeploymentEvent::Info(format!(
                                        "{name}: {} of {} ready, waiting for {}",
                                        progress.ready, progress.wanted, progress.what
                                    )))
                                    .await;
                            }
                            told.insert(name.clone(), progress);
                        }
                    }
                    Verdict::Failed(trouble) => return Err(self.diagnosed(follower, name, trouble).await),
                }
            }
            if done == expected.len() {
                return Ok(());
            }
            if begin.elapsed() > patience {
                return Err(Error::new(ErrorKind::Timeout, "roll out", format!("the rollout did not end within {} s", patience.as_secs()))
                    .with_hint("do the cluster's controllers work? `kubectl get pods --namespace kube-system` shows them"));
            }
            follower.changed(LOOK).await;
        }
    }

    /// The error of a rollout that cannot succeed, with what its pod printed last.
    async fn diagnosed(&self, follower: &Follower, container: &str, trouble: Trouble) -> Error {
        let kind = match trouble.cause {
            Cause::InvalidImageName | Cause::ImageMissing | Cause::ImageForbidden | Cause::RegistryUnreachable => ErrorKind::ImageUnavailable,
            Cause::Quota | Cause::PodSecurity | Cause::Admission | Cause::Gone => ErrorKind::Conflict,
            _ => ErrorKind::Unhealthy,
        };
        let mut log = Vec::new();
        if let Some((pod, _)) = &trouble.pod {
            let of_pod = follower.events().await.unwrap_or_default().into_iter().filter(|event| event.warning && event.name == *pod);
            log.extend(of_pod.map(|event| format!("{}: {}", event.reason, event.message)));
            log.extend(pods::last_lines(self.client, &self.namespace, pod, container, LAST_LINES).await);
        }
        let message = format!("container {container}: {}", trouble.message);
        tracing::debug!(certain_for = ?trouble.since, cause = ?trouble.cause, "a rollout cannot succeed");
        Error::new(kind, "roll out", message).with_hint(trouble.cause.hint()).with_log(log)
    }

    /// Brings the live release back and removes what only the new one had; without a live one, removes everything but volumes.
    async fn undo(&self, live: Option<State>) -> Result<()> {
        self.lease.check().await?;
        let keep = live.as_ref().map(|live| live.objects.clone()).unwrap_or_default();
        if let Some(live) = &live {
            objects::apply(self.client, &live.namespace, How { force: true, dry_run: false }).await?;
            for object in live.applicable() {
                objects::apply(self.client, object, How { force: true, dry_run: false }).await?;
            }
        }
        objects::prune(self.client, &self.namespace, &names::selector(&self.request.workload), &keep).await?;
        if live.is_some() {
            // Replicas that were recreated come back; those that were rolled were never gone.
            let mut follower = self.cluster.hub().follow(self.client, &self.namespace).await?;
            let patience = Duration::from_secs(u64::from(self.request.release.rollout.start_seconds) + 30);
            let begin = Instant::now();
            while begin.elapsed() < patience {
                let view = follower.view();
                let deployments = keep.iter().filter(|object| object["kind"] == "Deployment").filter_map(|object| object["metadata"]["name"].as_str());
                if deployments.into_iter().all(|name| classify(&view, name, None, Duration::ZERO) == Verdict::Done) {
                    break;
                }
                follower.changed(LOOK).await;
            }
        }
        Ok(())
    }

    /// A workload that moved leaves the namespace that it was in; one with volumes cannot move, and `plan` says so.
    async fn leave_others(&self) -> Result<()> {
        for found in namespace::find(self.client, &self.request.workload).await?.into_iter().filter(|found| found.name != self.namespace) {
            self.feed.send(DeploymentEvent::Info(format!("the namespace {} is left", found.name))).await;
            super::remove::namespace(self.client, &self.request.workload, &found, false).await?;
        }
        Ok(())
    }
}

/// Where the routed containers of a release answer.
pub(super) async fn endpoints(client: &Client, namespace: &str, release: &Release) -> Result<Vec<Endpoint>> {
    let mut all = Vec::new();
    for container in release.containers.iter().filter(|container| is_routed(container)) {
        let path = container.ingress_path.as_ref().map_or("/", |path| path.as_str());
        let mut urls: Vec<String> = container.host.iter().map(|host| format!("http://{host}{path}")).collect();
        if urls.is_empty() {
            urls = addresses(client, namespace, container).await?.into_iter().map(|address| format!("http://{address}{path}")).collect();
        }
        all.push(Endpoint { container: container.name.clone(), urls, guarantee: guarantee(container, release) });
    }
    Ok(all)
}

pub(super) fn guarantee(container: &ReleaseContainer, release: &Release) -> Guarantee {
    if container.recreate_reason(release.rollout.strategy).is_some() { Guarantee::Recreate } else { Guarantee::ZeroDowntime }
}

/// The addresses that an Ingress controller gave; many never say one.
async fn addresses(client: &Client, namespace: &str, container: &ReleaseContainer) -> Result<Vec<String>> {
    let found = objects::INGRESS.api(client, namespace).get_opt(container.name.as_str()).await;
    let Some(ingress) = found.map_err(super::convert::cluster("read route"))? else { return Ok(Vec::new()) };
    let list = ingress.data["status"]["loadBalancer"]["ingress"].as_array().cloned().unwrap_or_default();
    Ok(list.iter().filter_map(|entry: &Value| entry["hostname"].as_str().or(entry["ip"].as_str()).map(str::to_owned)).collect())
}
