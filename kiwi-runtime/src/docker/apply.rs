//! Making a release live: new replicas answer, traffic moves, old replicas drain and leave.
//!
//! Every step looks at what is there first, so that a worker that takes over after a kill goes on where the last one stopped.

use super::client::Engine;
use super::gateway::{Gateway, Proxy, Route, Routes, Server};
use super::labels::{self, role};
use super::lock::Lock;
use super::network::{self, Network};
use super::replica::{self, Found, Place, Replica};
use super::{plan, pull};
use crate::feed::Feed;
use kiwi_core::domain::{ContainerName, ReleaseContainer};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{Aborted, ApplyRequest, DeploymentEvent, Endpoint, Guarantee, Workload};
use std::time::{Duration, Instant};

/// How often replicas are looked at while they start or drain.
const LOOK: Duration = Duration::from_millis(100);
/// A container without a port is well when it stays up this long.
const STEADY: Duration = Duration::from_secs(5);

/// What one call works with.
struct Work<'a> {
    engine: &'a Engine,
    request: &'a ApplyRequest,
    gateway: Gateway,
    lock: Lock,
    feed: Feed<DeploymentEvent>,
}

pub(super) async fn apply(engine: &Engine, request: &ApplyRequest, feed: Feed<DeploymentEvent>) -> Result<()> {
    let gateway = Gateway::open(engine).await?;
    let lock = Lock::take(engine, &request.workload, &request.fence).await?;
    let mut work = Work { engine, request, gateway, lock, feed };
    let result = work.run().await;
    match result {
        Ok(()) => {
            work.lock.release().await?;
            work.feed.send(DeploymentEvent::Done).await;
            Ok(())
        }
        // Whoever took over has the lock and decides.
        Err(error) if error.kind() == ErrorKind::LeaseLost => Err(error),
        Err(error) => {
            if live_revision(&mut work.gateway, &request.workload).await? != Some(request.release.revision) {
                work.undo().await?;
            }
            work.lock.release().await?;
            Err(error)
        }
    }
}

/// Undoes an apply that was stopped before it was live.
pub(super) async fn abort(engine: &Engine, request: &ApplyRequest) -> Result<Aborted> {
    let Some(mut gateway) = Gateway::existing(engine).await? else { return Ok(Aborted::Undone) };
    if live_revision(&mut gateway, &request.workload).await? == Some(request.release.revision) {
        return Ok(Aborted::AlreadyLive);
    }
    let lock = Lock::take(engine, &request.workload, &request.fence).await?;
    let (sender, _receiver) = crate::feed::channel();
    let mut work = Work { engine, request, gateway, lock, feed: sender };
    work.undo().await?;
    work.lock.release().await?;
    Ok(Aborted::Undone)
}

pub(super) async fn live_revision(gateway: &mut Gateway, workload: &Workload) -> Result<Option<u64>> {
    Ok(gateway.all().await?.into_iter().find(|routes| routes.workload == *workload).and_then(|routes| routes.revision))
}

impl Work<'_> {
    async fn run(&mut self) -> Result<()> {
        let release = &self.request.release;
        let network = network::ensure(self.engine, &self.request.workload).await?;
        if live_revision(&mut self.gateway, &self.request.workload).await? != Some(release.revision) {
            self.make_live(&network).await?;
        }
        let routes = self.routes().await?;
        let all = replica::list(self.engine, &self.request.workload).await?;
        let kept = |name: &ContainerName| !all.iter().any(|found| found.revision == release.revision && found.container.as_ref() == Some(name));
        self.feed.send(DeploymentEvent::Live(endpoints(self.engine, self.request, &routes, kept))).await;
        self.retire().await
    }

    async fn make_live(&mut self, network: &Network) -> Result<()> {
        let request = self.request;
        let release = &request.release;
        let mut servers: Vec<(ContainerName, Vec<Server>)> = Vec::new();
        let mut changing = Vec::new();
        for container in &release.containers {
            match self.kept(container).await? {
                Some(kept) => {
                    self.feed.send(DeploymentEvent::Info(format!("container {} changes in nothing and keeps running", container.name))).await;
                    servers.push((container.name.clone(), kept));
                }
                None => changing.push(container),
            }
        }
        let (rolled, recreated): (Vec<_>, Vec<_>) = changing.iter().partition(|container| container.recreate_reason(release.rollout.strategy).is_none());
        for container in &changing {
            self.feed.send(DeploymentEvent::Progress { label: format!("pull {}", container.name), current: 0, total: Some(1) }).await;
            pull::pin(self.engine, &container.image, &request.registries).await?;
            self.feed.send(DeploymentEvent::Progress { label: format!("pull {}", container.name), current: 1, total: Some(1) }).await;
        }
        let mut routes = self.gateway.prepare(plan::wanted_routes(request)).await?;

        for container in rolled {
            let replicas = self.start(network, container).await?;
            servers.push((container.name.clone(), self.until_healthy(container, routes.route(&container.name), &replicas).await?));
        }
        for container in recreated {
            self.stop_old(container).await?;
            let replicas = self.start(network, container).await?;
            servers.push((container.name.clone(), self.until_healthy(container, routes.route(&container.name), &replicas).await?));
        }

        self.lock.check().await?;
        routes.revision = Some(release.revision);
        for route in &mut routes.containers {
            route.servers = servers.iter().find(|(name, _)| *name == route.container).map(|(_, servers)| servers.clone()).unwrap_or_default();
        }
        self.gateway.switch(&routes).await
    }

    /// Starts every replica of a container that is not there yet.
    async fn start(&mut self, network: &Network, container: &ReleaseContainer) -> Result<Vec<Replica>> {
        let request = self.request;
        let mut free = network.free(self.engine, &request.workload).await?;
        let mut replicas = Vec::new();
        for index in 0..container.replicas.count() {
            self.lock.check().await?;
            let name = labels::replica(&request.workload, &container.name, request.release.revision, index);
            // What an interrupted call left may have crashed meanwhile; a fresh one tells more than a restarted one.
            if let Some(found) = replica::inspect(self.engine, &name).await?
                && (found.restart_count.unwrap_or(0) > 0 || found.state.as_ref().and_then(|state| state.running) != Some(true))
            {
                replica::remove(self.engine, &name).await?;
            }
            let address = free.next().ok_or_else(|| Error::new(ErrorKind::Conflict, "start container", "the network of the service has no free address"))?;
            replicas.push(replica::start(self.engine, request, container, Place { name, network, address, role: role::REPLICA }).await?);
        }
        Ok(replicas)
    }

    /// Waits until every replica answers, seen from the gateway.
    async fn until_healthy(&mut self, container: &ReleaseContainer, route: Option<&Route>, replicas: &[Replica]) -> Result<Vec<Server>> {
        let request = self.request;
        let label = format!("start {}", container.name);
        let total = Some(replicas.len() as u64);
        let servers: Vec<Server> = replicas
            .iter()
            .enumerate()
            .map(|(index, replica)| Server {
                name: format!("r{}-{index}", request.release.revision),
                address: format!("{}:{}", replica.address, container.port.map_or(0, |port| port.number())),
            })
            .collect();
        let began = Instant::now();
        let deadline = began + Duration::from_secs(u64::from(request.release.rollout.start_seconds));
        let Some(route) = route else {
            while began.elapsed() < STEADY {
                for replica in replicas {
                    replica::alive(self.engine, &replica.name, container).await?;
                }
                tokio::time::sleep(LOOK).await;
            }
            return Ok(Vec::new());
        };
        for server in &servers {
            self.gateway.add(route, server).await?;
        }
        let mut waiting: Vec<usize> = (0..servers.len()).collect();
        let mut last = String::new();
        loop {
            let mut still = Vec::new();
            for index in waiting {
                let probe = self.gateway.probe(route, &servers[index]).await?;
                if !probe.healthy {
                    // A reload for another service starts probing anew; what was seen before still says more.
                    if probe.detail.starts_with('L') || last.is_empty() {
                        last = probe.detail;
                    }
                    still.push(index);
                }
                replica::alive(self.engine, &replicas[index].name, container).await?;
            }
            waiting = still;
            self.feed.send(DeploymentEvent::Progress { label: label.clone(), current: (servers.len() - waiting.len()) as u64, total }).await;
            let Some(first) = waiting.first() else { return Ok(servers) };
            if Instant::now() > deadline {
                return Err(self.unhealthy(container, &replicas[*first], &last).await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn unhealthy(&mut self, container: &ReleaseContainer, replica: &Replica, probe: &str) -> Error {
        let seconds = self.request.release.rollout.start_seconds;
        let port = container.port.map_or(0, |port| port.number());
        let (cause, hint) = if probe.starts_with("L4CON") {
            (format!("nothing listens on port {port}"), format!("listen on 0.0.0.0:{port}, not on localhost, or correct the port with --port"))
        } else if probe.starts_with("L4TOUT") || probe.starts_with("L7TOUT") {
            (format!("port {port} takes connections but does not answer in time"), "look for what it waits for at start, such as a database".to_owned())
        } else if let (true, Some(path)) = (probe.starts_with("L7STS"), &container.health) {
            (format!("{path} does not answer with 2xx or 3xx"), "correct the health path with --health, or what it checks".to_owned())
        } else {
            ("it never answered".to_owned(), "read its last log lines".to_owned())
        };
        Error::new(
            ErrorKind::Unhealthy,
            "start container",
            format!("container {} did not become healthy within {seconds} s: {cause} (last probe: {probe})", container.name),
        )
        .with_hint(hint)
        .with_log(replica::last_lines(self.engine, &replica.name).await)
    }

    /// The servers of a container that changes in nothing, and so keeps running; nothing when it must be replaced. Before the switch alone:
    /// a container that this revision began already was found to change.
    async fn kept(&mut self, container: &ReleaseContainer) -> Result<Option<Vec<Server>>> {
        let release = &self.request.release;
        let routes = self.routes().await?;
        if self.request.fresh || routes.revision.is_none() {
            return Ok(None);
        }
        let all = replica::list(self.engine, &self.request.workload).await?;
        if all.iter().any(|found| found.revision == release.revision && found.container.as_ref() == Some(&container.name)) {
            return Ok(None);
        }
        let specification = replica::specification(container, release.rollout.stop_seconds);
        let running = replica::newest(&all, &container.name, Some(release.revision));
        let same = running.iter().all(|found| found.state == "running" && found.specification == specification);
        let servers = routes.route(&container.name).map(|route| route.servers.clone()).unwrap_or_default();
        let count = container.replicas.count() as usize;
        let whole = running.len() == count && (container.port.is_none() || servers.len() == count);
        Ok((same && whole).then_some(servers))
    }

    /// The replicas of other revisions that are no part of this one.
    async fn old(&mut self) -> Result<Vec<Found>> {
        let release = &self.request.release;
        let all = replica::list(self.engine, &self.request.workload).await?;
        let kept = |found: &Found| {
            let Some(container) = found.container.as_ref().filter(|name| release.containers.iter().any(|container| container.name == **name)) else {
                return false;
            };
            // A container of which this revision has no replica was kept.
            let replaced =
                all.iter().any(|other| other.role == role::REPLICA && other.revision == release.revision && other.container.as_ref() == Some(container));
            !replaced && replica::newest(&all, container, Some(release.revision)).iter().any(|newest| newest.name == found.name)
        };
        let old: Vec<Found> = all.iter().filter(|found| found.role == role::REPLICA && found.revision != release.revision && !kept(found)).cloned().collect();
        Ok(old)
    }

    /// Stops the old replicas of a container whose versions must not run side by side. They are kept until the new ones answer.
    async fn stop_old(&mut self, container: &ReleaseContainer) -> Result<()> {
        let rollout = self.request.release.rollout;
        let all = replica::list(self.engine, &self.request.workload).await?;
        let of_old = |found: &&Found| {
            found.role == role::REPLICA && found.revision != self.request.release.revision && found.container.as_ref() == Some(&container.name)
        };
        let old: Vec<_> = all.iter().filter(of_old).cloned().collect();
        if container.port.is_some() {
            let ours = format!("r{}-", self.request.release.revision);
            let servers: Vec<_> =
                self.gateway.servers(&self.request.workload, &container.name).await?.into_iter().filter(|server| !server.starts_with(&ours)).collect();
            self.gateway.drain(&self.request.workload, &container.name, &servers).await?;
            self.wait_for_drain(&container.name, &servers).await?;
        }
        for found in old {
            self.lock.check().await?;
            replica::stop(self.engine, &found.name, rollout.stop_seconds).await?;
        }
        Ok(())
    }

    async fn wait_for_drain(&mut self, container: &ContainerName, servers: &[String]) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(u64::from(self.request.release.rollout.drain_seconds));
        let label = format!("drain {container}");
        loop {
            let left = self.gateway.connections(&self.request.workload, container, servers).await?;
            self.feed.send(DeploymentEvent::Progress { label: label.clone(), current: left, total: None }).await;
            if left == 0 || Instant::now() >= deadline {
                if left > 0 {
                    self.feed
                        .send(DeploymentEvent::Warning(format!(
                            "{left} connections to the old replicas of {container} were still open when the drain time ended"
                        )))
                        .await;
                }
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Drains, stops and removes everything of other revisions.
    async fn retire(&mut self) -> Result<()> {
        let mut draining = Vec::new();
        for route in self.routes().await?.containers {
            let container = route.container;
            let wanted = |name: &String| route.servers.iter().any(|server| server.name == *name);
            let servers: Vec<_> = self.gateway.servers(&self.request.workload, &container).await?.into_iter().filter(|server| !wanted(server)).collect();
            if !servers.is_empty() {
                self.gateway.drain(&self.request.workload, &container, &servers).await?;
                draining.push((container, servers));
            }
        }
        for (container, servers) in &draining {
            self.wait_for_drain(container, servers).await?;
        }
        let old = self.old().await?;
        self.lock.check().await?;
        let seconds = self.request.release.rollout.stop_seconds;
        futures_util::future::try_join_all(old.iter().map(|found| replica::stop(self.engine, &found.name, seconds))).await?;
        for (container, servers) in &draining {
            self.lock.check().await?;
            self.gateway.forget(&self.request.workload, container, servers).await?;
        }
        for found in &old {
            self.lock.check().await?;
            replica::remove(self.engine, &found.name).await?;
        }
        Ok(())
    }

    /// Removes what this revision began, and brings back what it stopped.
    async fn undo(&mut self) -> Result<()> {
        let request = self.request;
        let routes = self.routes().await?;
        for route in routes.containers.iter().chain(&routes.staged) {
            let ours = format!("r{}-", request.release.revision);
            let begun: Vec<_> =
                self.gateway.servers(&request.workload, &route.container).await?.into_iter().filter(|server| server.starts_with(&ours)).collect();
            self.lock.check().await?;
            self.gateway.forget(&request.workload, &route.container, &begun).await?;
        }
        for found in replica::list(self.engine, &request.workload).await? {
            if found.role == role::REPLICA && found.revision == request.release.revision {
                self.lock.check().await?;
                replica::remove(self.engine, &found.name).await?;
            }
        }
        match routes.revision {
            Some(_) => {
                // What was live: of each container the newest replicas, which may be older than the revision when they were kept.
                let all = replica::list(self.engine, &request.workload).await?;
                let live = request.release.containers.iter().flat_map(|container| replica::newest(&all, &container.name, Some(request.release.revision)));
                for found in live.filter(|found| found.state != "running") {
                    self.lock.check().await?;
                    self.engine.docker.start_container(&found.name, None).await.map_err(super::convert::engine("start container"))?;
                }
                // Drained servers get their traffic back, and what was staged is gone.
                self.gateway.switch(&routes).await
            }
            // The first release ever failed: nothing of it stays.
            None => {
                self.gateway.remove(&request.workload).await?;
                if replica::list(self.engine, &request.workload).await?.iter().all(|found| found.role == role::LOCK) {
                    super::clean::remove_network(self.engine, &request.workload).await?;
                }
                Ok(())
            }
        }
    }

    async fn routes(&mut self) -> Result<Routes> {
        let found = self.gateway.all().await?.into_iter().find(|routes| routes.workload == self.request.workload);
        Ok(found.unwrap_or_else(|| Routes { workload: self.request.workload.clone(), revision: None, containers: Vec::new(), staged: Vec::new() }))
    }
}

/// Where a release answers.
fn endpoints(engine: &Engine, request: &ApplyRequest, routes: &Routes, kept: impl Fn(&ContainerName) -> bool) -> Vec<Endpoint> {
    let release = &request.release;
    release
        .containers
        .iter()
        .map(|container| {
            let urls = routes.route(&container.name).map(|route| super::status::urls(engine, route)).unwrap_or_default();
            let guarantee = if kept(&container.name) { Guarantee::ZeroDowntime } else { plan::guarantee(container, release.rollout.strategy) };
            Endpoint { container: container.name.clone(), urls, guarantee }
        })
        .collect()
}
