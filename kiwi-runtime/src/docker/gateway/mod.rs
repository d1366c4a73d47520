//! The gateway: one HAProxy container per engine, in front of every exposed container.
//!
//! A switch never touches its configuration in memory but for servers, through its runtime API; a new route reloads it. Kiwi is never on
//! the data path. The state that is wanted lies in files beside the configuration, so that a restart comes back right.

mod agent;
mod routes;

pub(super) use routes::{Route, Routes, Server, backend_name};

use super::client::Engine;
use super::labels::{self, role};
use super::{convert, pull};
use agent::Agent;
use async_trait::async_trait;
use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, RestartPolicy, RestartPolicyNameEnum};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use kiwi_core::domain::ContainerName;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::Workload;
use std::collections::HashMap;
use std::time::Duration;

pub(super) const CONTAINER: &str = "kiwi-gateway";
/// Ports that services get when they ask for none.
pub(super) const PORTS: std::ops::RangeInclusive<u16> = 20_000..=20_999;

/// The master's answer to a request for a worker that has ended.
const GONE: &str = "Can't find the target PID";

/// What a replica's probe says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) healthy: bool,
    /// The proxy's own words, such as `L4CON Connection refused`.
    pub(super) detail: String,
}

/// What Kiwi needs of a proxy. HAProxy is the first; another one follows by implementing this.
#[async_trait]
pub(super) trait Proxy: Send {
    /// The wanted state of every workload.
    async fn all(&mut self) -> Result<Vec<Routes>>;
    /// Makes room for a workload's routes without moving traffic, and returns them with their ports.
    async fn prepare(&mut self, wanted: Routes) -> Result<Routes>;
    /// Makes a replica known without giving it traffic, and starts probing it. Doing it again is no error.
    async fn add(&mut self, route: &Route, server: &Server) -> Result<()>;
    /// What the probes of a replica say now.
    async fn probe(&mut self, route: &Route, server: &Server) -> Result<Probe>;
    /// Moves all traffic of a workload to these servers and writes it down.
    async fn switch(&mut self, routes: &Routes) -> Result<()>;
    /// Gives these servers no new traffic.
    async fn drain(&mut self, workload: &Workload, container: &ContainerName, servers: &[String]) -> Result<()>;
    /// How many connections a server still serves.
    async fn connections(&mut self, workload: &Workload, container: &ContainerName, servers: &[String]) -> Result<u64>;
    /// Forgets servers that are in nobody's wanted state.
    async fn forget(&mut self, workload: &Workload, container: &ContainerName, servers: &[String]) -> Result<()>;
    /// The servers that are known, wanted or not.
    async fn servers(&mut self, workload: &Workload, container: &ContainerName) -> Result<Vec<String>>;
    /// Removes a workload's routes.
    async fn remove(&mut self, workload: &Workload) -> Result<()>;
}

/// The gateway of an engine, with an agent in it.
pub(super) struct Gateway {
    agent: Agent,
}

impl Gateway {
    /// Starts the gateway if it is not there, and connects.
    pub(super) async fn open(engine: &Engine) -> Result<Self> {
        ensure(engine).await?;
        // A container that runs may have been started by another deployment, or by the engine, this very moment: it is ready when its admin socket answers.
        let mut failure = None;
        for _ in 0..100 {
            match Self::connect(engine).await {
                Ok(gateway) => return Ok(gateway),
                Err(error) => failure = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let error = Error::new(ErrorKind::Unavailable, "start gateway", "the gateway did not start").with_hint("look at `docker logs kiwi-gateway`");
        Err(match failure {
            Some(source) => error.with_source(source),
            None => error,
        })
    }

    async fn connect(engine: &Engine) -> Result<Self> {
        let mut gateway = Self { agent: Agent::start(engine, CONTAINER).await? };
        gateway.current().await?;
        Ok(gateway)
    }

    /// Connects to a gateway that is there.
    pub(super) async fn existing(engine: &Engine) -> Result<Option<Self>> {
        match engine.docker.inspect_container(CONTAINER, None).await {
            Ok(_) => Ok(Some(Self::open(engine).await?)),
            Err(error) if convert::status(&error) == Some(404) => Ok(None),
            Err(error) => Err(convert::engine("look for gateway")(error)),
        }
    }

    /// One command to one worker.
    async fn tell(&mut self, worker: u32, command: &str) -> Result<String> {
        self.agent.request("ask", &format!("@!{worker} {command}")).await
    }

    /// The table that a worker answers with; nothing when the worker has ended. Anything else would be counted as no connection at all.
    async fn table(&mut self, worker: u32, command: &str) -> Result<String> {
        let answer = self.tell(worker, command).await?;
        if answer.starts_with("# ") {
            Ok(answer)
        } else if answer.starts_with(GONE) {
            Ok(String::new())
        } else {
            Err(Error::new(ErrorKind::Protocol, "use gateway", format!("the gateway answered {:?} to {command:?}", answer.trim())))
        }
    }

    /// Every worker that serves connections, the current one first. After a reload the old ones still serve theirs.
    async fn workers(&mut self) -> Result<Vec<u32>> {
        let text = self.agent.request("ask", "show proc").await?;
        let pids = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let pid = words.next()?.parse().ok()?;
            (words.next()? == "worker").then_some(pid)
        });
        Ok(pids.collect())
    }

    async fn current(&mut self) -> Result<u32> {
        let none = || Error::new(ErrorKind::Unavailable, "use gateway", "the gateway has no worker").with_hint("look at `docker logs kiwi-gateway`");
        self.workers().await?.first().copied().ok_or_else(none)
    }

    async fn lock(&mut self) -> Result<()> {
        self.agent.request("lock", "").await.map(|_| ())
    }

    async fn unlock(&mut self) -> Result<()> {
        self.agent.request("unlock", "").await.map(|_| ())
    }

    /// Reads every file of wanted state. The caller holds the lock when it is about to write.
    async fn read(&mut self) -> Result<Vec<Routes>> {
        let text = self.agent.request("list", "").await?;
        let (mut rest, mut all) = (text.as_str(), Vec::new());
        while let Some((length, tail)) = rest.split_once('\n') {
            let length: usize = length.parse().map_err(|_| malformed())?;
            let (file, next) = tail.split_at_checked(length).ok_or_else(malformed)?;
            all.push(serde_json::from_str(file).map_err(|error| malformed().with_source(error))?);
            rest = next;
        }
        Ok(all)
    }

    /// Writes one workload's state and the configuration of all; reloads only when more than servers changed.
    async fn write(&mut self, mut all: Vec<Routes>, changed: &Routes, removed: bool) -> Result<()> {
        let before = routes::render(&all);
        let kept = all.iter().find(|other| other.workload == changed.workload).map(|other| serde_json::to_string(other).unwrap_or_default());
        all.retain(|other| other.workload.name != changed.workload.name || other.workload.environment != changed.workload.environment);
        if !removed {
            all.push(changed.clone());
        }
        all.sort_by(|a, b| (&a.workload.name, a.workload.environment).cmp(&(&b.workload.name, b.workload.environment)));
        let after = routes::render(&all);
        let file = routes::file_name(&changed.workload.name, changed.workload.environment);
        let loaded = self.agent.request("get haproxy.cfg", "").await?;
        // The file on disk is the truth about what is loaded: a killed Kiwi may have written state without a reload.
        let reload = routes::structure(&loaded) != routes::structure(&after) || routes::structure(&before) != routes::structure(&after);
        if reload {
            self.agent.request("put candidate.cfg", &after).await?;
            self.agent
                .request("check candidate.cfg", "")
                .await
                .map_err(|error| Error::new(ErrorKind::Internal, "configure gateway", "the gateway refused its new configuration").with_source(error))?;
        }
        if removed {
            self.agent.request(&format!("drop {file}"), "").await?;
        } else {
            self.agent.request(&format!("put {file}"), &serde_json::to_string(changed).unwrap_or_default()).await?;
        }
        self.agent.request("put haproxy.cfg", &after).await?;
        if reload && let Err(error) = self.reload().await {
            // The old worker goes on with the old configuration; the files must say the same.
            self.agent.request("put haproxy.cfg", &loaded).await?;
            match kept {
                Some(kept) => self.agent.request(&format!("put {file}"), &kept).await?,
                None => self.agent.request(&format!("drop {file}"), "").await?,
            };
            return Err(error);
        }
        Ok(())
    }

    async fn reload(&mut self) -> Result<()> {
        let before = self.current().await?;
        let failures = self.failed_reloads().await?;
        self.agent.request("reload", "").await?;
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(25)).await;
            // The master answers nothing while it starts its new self.
            let Ok(workers) = self.workers().await else { continue };
            if self.failed_reloads().await.is_ok_and(|now| now > failures) {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "configure gateway",
                    "the gateway could not take its new configuration; most likely another program listens on a port that it needs",
                )
                .with_hint("`docker logs kiwi-gateway` names the port; free it, or choose another with --publish"));
            }
            if workers.first().is_some_and(|worker| *worker != before) {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Timeout, "configure gateway", "the gateway did not reload within 5 s").with_hint("look at `docker logs kiwi-gateway`"))
    }

    async fn failed_reloads(&mut self) -> Result<u32> {
        let text = self.agent.request("ask", "show proc").await?;
        let failed = text.split_once("[failed: ").and_then(|(_, rest)| rest.split(']').next()?.trim().parse().ok());
        Ok(failed.unwrap_or(0))
    }
}

fn malformed() -> Error {
    Error::new(ErrorKind::Storage, "read gateway state", "a file of the gateway's state is malformed")
        .with_hint("look into the volume kiwi-gateway, in the folder routes")
}

#[async_trait]
impl Proxy for Gateway {
    async fn all(&mut self) -> Result<Vec<Routes>> {
        self.read().await
    }

    async fn prepare(&mut self, mut wanted: Routes) -> Result<Routes> {
        self.lock().await?;
        let prepared = self.prepare_locked(&mut wanted).await;
        self.unlock().await?;
        prepared.map(|()| wanted)
    }

    async fn add(&mut self, route: &Route, server: &Server) -> Result<()> {
        // A reload for another service may end the current worker between two requests; then there is another one.
        for _ in 0..40 {
            if self.add_to_workers(route, server).await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(Error::new(ErrorKind::Unavailable, "add server to gateway", "the gateway reloads again and again").with_hint("look at `docker logs kiwi-gateway`"))
    }

    async fn probe(&mut self, route: &Route, server: &Server) -> Result<Probe> {
        let worker = self.current().await?;
        let backend = &route.backend;
        let table = self.tell(worker, &format!("show stat {backend} 4 -1")).await?;
        let mut lines = table.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
        let cell = |line: &str, name: &str| {
            header.iter().position(|column| *column == name).and_then(|index| line.split(',').nth(index)).unwrap_or_default().to_owned()
        };
        let Some(line) = lines.find(|line| cell(line, "svname") == server.name) else {
            // A reload for another service's route forgets servers that are not in the file.
            self.add(route, server).await?;
            return Ok(Probe { healthy: false, detail: "not probed yet".to_owned() });
        };
        let (status, check) = (cell(line, "status"), cell(line, "check_status"));
        let healthy = status == "UP" && matches!(check.trim_start_matches("* "), "L4OK" | "L6OK" | "L7OK" | "L7OKC");
        Ok(Probe { healthy, detail: format!("{check} {}", cell(line, "last_chk")).trim().to_owned() })
    }

    async fn switch(&mut self, routes: &Routes) -> Result<()> {
        self.lock().await?;
        let switched = self.switch_locked(routes).await;
        self.unlock().await?;
        switched
    }

    async fn drain(&mut self, workload: &Workload, container: &ContainerName, servers: &[String]) -> Result<()> {
        for worker in self.workers().await? {
            for (backend, server) in self.known(worker, workload, container).await? {
                if servers.contains(&server) {
                    self.tell(worker, &format!("set server {backend}/{server} state drain")).await?;
                }
            }
        }
        Ok(())
    }

    async fn connections(&mut self, workload: &Workload, container: &ContainerName, servers: &[String]) -> Result<u64> {
        let mut used = 0;
        for worker in self.workers().await? {
            let known = self.known(worker, workload, container).await?;
            // Sessions, not connections: a connection of a TCP session belongs to the session and is counted nowhere else, and an
            // idle one of HTTP, kept for reuse, holds nobody up. The columns are pxname, svname, qcur, qmax, scur.
            for line in self.table(worker, "show stat -1 4 -1").await?.lines() {
                let cells: Vec<&str> = line.split(',').collect();
                let &[backend, server, _, _, sessions, ..] = cells.as_slice() else { continue };
                if servers.iter().any(|wanted| wanted == server) && known.iter().any(|(known, name)| known == backend && name == server) {
                    used += sessions.parse::<u64>().unwrap_or(0);
                }
            }
        }
        Ok(used)
    }

    async fn forget(&mut self, workload: &Workload, container: &ContainerName, servers: &[String]) -> Result<()> {
        for worker in self.workers().await? {
            for (backend, server) in self.known(worker, workload, container).await? {
                if !servers.contains(&server) {
                    continue;
                }
                self.tell(worker, &format!("set server {backend}/{server} state maint")).await?;
                self.tell(worker, &format!("shutdown sessions server {backend}/{server}")).await?;
                // Idle connections to the server are closed a moment later; one that stays is forgotten with the next reload.
                for _ in 0..20 {
                    let answer = self.tell(worker, &format!("del server {backend}/{server}")).await?;
                    if !answer.contains("still has connections") {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        Ok(())
    }

    async fn servers(&mut self, workload: &Workload, container: &ContainerName) -> Result<Vec<String>> {
        let mut servers = Vec::new();
        for worker in self.workers().await? {
            servers.extend(self.known(worker, workload, container).await?.into_iter().map(|(_, server)| server));
        }
        servers.sort();
        servers.dedup();
        Ok(servers)
    }

    async fn remove(&mut self, workload: &Workload) -> Result<()> {
        self.lock().await?;
        let all = self.read().await?;
        let result = match all.iter().find(|other| other.workload == *workload).cloned() {
            Some(ours) => self.write(all, &ours, true).await,
            None => Ok(()),
        };
        self.unlock().await?;
        result
    }
}

impl Gateway {
    /// Whether the current worker was still there to be told.
    async fn add_to_workers(&mut self, route: &Route, server: &Server) -> Result<bool> {
        let backend = &route.backend;
        let name = format!("{backend}/{}", server.name);
        let workers = self.workers().await?;
        for (index, worker) in workers.into_iter().enumerate() {
            // Old workers stopped probing when they were told to stop; theirs is the current worker's verdict.
            let check = if index == 0 { " check inter 200ms rise 2 fall 3" } else { "" };
            let answer = self.tell(worker, &format!("add server {name} {}{check} weight 0", server.address)).await?;
            if answer.starts_with(GONE) {
                if index == 0 {
                    return Ok(false);
                }
                continue;
            }
            let added = answer.contains("New server registered") || answer.contains("Already exists");
            if !added && index == 0 {
                return Err(Error::new(ErrorKind::Internal, "add server to gateway", format!("the gateway answered: {}", answer.trim())));
            }
            if index == 0 {
                self.tell(worker, &format!("enable health {name}")).await?;
            }
            self.tell(worker, &format!("set server {name} state ready")).await?;
        }
        Ok(true)
    }

    async fn prepare_locked(&mut self, wanted: &mut Routes) -> Result<()> {
        let all = self.read().await?;
        let ours = all.iter().find(|other| other.workload == wanted.workload).cloned();
        self.choose_free_ports(&all, ours.as_ref(), wanted).await?;
        // What is live stays exactly as it is until the switch; a release that is probed in another way is probed beside it.
        let mut next = ours.unwrap_or_else(|| Routes { workload: wanted.workload.clone(), revision: None, containers: Vec::new(), staged: Vec::new() });
        next.staged.clear();
        for route in &mut wanted.containers {
            match next.route(&route.container).filter(|live| live.probes_like(route)) {
                Some(live) => route.backend.clone_from(&live.backend),
                None => next.staged.push(route.clone()),
            }
        }
        wanted.revision = next.revision;
        self.write(all, &next, false).await
    }

    /// Chooses ports that no service has and that no other program listens on.
    async fn choose_free_ports(&mut self, all: &[Routes], ours: Option<&Routes>, wanted: &mut Routes) -> Result<()> {
        let mut busy = Vec::new();
        let listens = |port: u16| all.iter().flat_map(|routes| &routes.containers).any(|route| route.port == Some(port));
        loop {
            let mut attempt = wanted.clone();
            choose_ports(all, ours, &busy, &mut attempt)?;
            let hosts = attempt.containers.iter().any(|route| route.host.is_some())
                && !all.iter().flat_map(|routes| &routes.containers).any(|route| route.host.is_some());
            let new = attempt.containers.iter().filter_map(|route| route.port).filter(|port| !listens(*port)).chain(hosts.then_some(80));
            let mut taken = None;
            for port in new.collect::<Vec<_>>() {
                if self.agent.request(&format!("bindable {port}"), "").await? == "no" {
                    taken = Some(port);
                }
            }
            match taken {
                None => {
                    *wanted = attempt;
                    return Ok(());
                }
                Some(port) if PORTS.contains(&port) && !wanted.containers.iter().any(|route| route.port == Some(port)) => busy.push(port),
                Some(port) => {
                    return Err(Error::new(ErrorKind::Conflict, "choose route", format!("another program listens on port {port} of the gateway's machine"))
                        .with_hint("free the port, or choose another with --publish"));
                }
            }
        }
    }

    /// Every server of a container that a worker knows, with the group it is in.
    async fn known(&mut self, worker: u32, workload: &Workload, container: &ContainerName) -> Result<Vec<(String, String)>> {
        let base = routes::backend_name(workload, container);
        let text = self.table(worker, "show servers conn").await?;
        let ours = |backend: &str| backend.strip_prefix(&base).is_some_and(|rest| rest.is_empty() || rest.starts_with(".r"));
        let pairs = text.lines().filter_map(|line| line.split_whitespace().next()?.split_once('/'));
        Ok(pairs.filter(|(backend, _)| ours(backend)).map(|(backend, server)| (backend.to_owned(), server.to_owned())).collect())
    }

    async fn switch_locked(&mut self, wanted: &Routes) -> Result<()> {
        let all = self.read().await?;
        for (index, worker) in self.workers().await?.into_iter().enumerate() {
            for route in &wanted.containers {
                let known = self.known(worker, &wanted.workload, &route.container).await?;
                // Every group that a worker routes to gets the new servers, so that the traffic moves now, also where a reload
                // comes only with the write below, and also in workers of earlier reloads.
                let mut backends: Vec<&String> = known.iter().map(|(backend, _)| backend).chain([&route.backend]).collect();
                backends.sort();
                backends.dedup();
                for backend in backends {
                    for server in &route.servers {
                        if !known.iter().any(|(group, name)| group == backend && *name == server.name) {
                            // It was probed a moment ago; here it only carries traffic.
                            let check = if index == 0 && *backend == route.backend { " check inter 2s fall 3 rise 2" } else { "" };
                            self.tell(worker, &format!("add server {backend}/{} {}{check} weight 0", server.name, server.address)).await?;
                            if !check.is_empty() {
                                self.tell(worker, &format!("enable health {backend}/{}", server.name)).await?;
                            }
                        }
                        self.tell(worker, &format!("set server {backend}/{} state ready", server.name)).await?;
                        self.tell(worker, &format!("set server {backend}/{} weight 100", server.name)).await?;
                    }
                }
                for (backend, old) in known.iter().filter(|(_, known)| !route.servers.iter().any(|server| server.name == *known)) {
                    self.tell(worker, &format!("set server {backend}/{old} state drain")).await?;
                }
            }
        }
        let wanted = Routes { staged: Vec::new(), ..wanted.clone() };
        self.write(all, &wanted, false).await
    }
}

/// Gives every exposed container its port: the one it has, the one it asks for, or the first free one. `--publish` and `--host` are the
/// service's; of its environments the one that is live first has them, and the others hear so in the notes that are returned.
pub(super) fn choose_ports(all: &[Routes], ours: Option<&Routes>, busy: &[u16], wanted: &mut Routes) -> Result<Vec<String>> {
    let others = || all.iter().filter(|other| other.workload != wanted.workload);
    if let Some(other) = others().find(|other| other.workload.name == wanted.workload.name && other.workload.environment == wanted.workload.environment) {
        return Err(Error::new(
            ErrorKind::Conflict,
            "choose route",
            format!("the gateway routes another service called {} in {}", other.workload.name, other.workload.environment),
        )
        .with_hint("another Kiwi installation uses this engine; choose another name"));
    }
    let mut notes = Vec::new();
    for sibling in others().filter(|other| other.workload.service == wanted.workload.service) {
        let environment = sibling.workload.environment;
        for route in &mut wanted.containers {
            if let Some(port) = route.port.filter(|port| *port != 0 && sibling.containers.iter().any(|theirs| theirs.port == Some(*port))) {
                notes.push(format!("container {}: port {port} is {environment}'s; it gets another one here", route.container));
                route.port = Some(0);
            }
            if let Some(host) =
                route.host.take_if(|host| sibling.containers.iter().any(|theirs| theirs.host.as_ref() == Some(host) && theirs.path == route.path))
            {
                notes.push(format!("container {}: the host {host} leads to {environment}; it has none here", route.container));
            }
        }
    }
    let mut taken: Vec<(u16, String)> = Vec::new();
    for other in others() {
        taken.extend(other.containers.iter().chain(&other.staged).filter_map(|route| Some((route.port?, other.workload.name.to_string()))));
        for route in &wanted.containers {
            let clash = other.containers.iter().any(|theirs| theirs.host.is_some() && theirs.host == route.host && theirs.path == route.path);
            if let (true, Some(host)) = (clash, &route.host) {
                return Err(Error::new(ErrorKind::Conflict, "choose route", format!("the host {host} leads to service {} already", other.workload.name))
                    .with_hint("choose another --host or ingress path"));
            }
        }
    }
    for route in &mut wanted.containers {
        // `Some(0)` is the caller's word for "exposed, any port".
        let Some(asked) = route.port else { continue };
        let kept = ours.and_then(|ours| ours.route(&route.container)?.port);
        if asked != 0 {
            if let Some((_, owner)) = taken.iter().find(|(port, _)| *port == asked) {
                return Err(Error::new(ErrorKind::Conflict, "choose route", format!("port {asked} of the gateway belongs to service {owner}"))
                    .with_hint("choose another --publish"));
            }
        } else {
            let free = || PORTS.clone().find(|port| !busy.contains(port) && !taken.iter().any(|(taken, _)| taken == port));
            let none = || {
                Error::new(ErrorKind::Conflict, "choose route", "every port of the gateway from 20000 to 20999 is taken")
                    .with_hint("remove a service, or choose a port with --publish")
            };
            route.port = Some(kept.or_else(free).ok_or_else(none)?);
        }
        taken.extend(route.port.map(|port| (port, wanted.workload.name.to_string())));
    }
    Ok(notes)
}

/// Sees to it that the container runs; its image is the only thing that an engine must have for it.
async fn ensure(engine: &Engine) -> Result<()> {
    let found = match engine.docker.inspect_container(CONTAINER, None).await {
        Ok(found) => Some(found),
        Err(error) if convert::status(&error) == Some(404) => None,
        Err(error) => return Err(convert::engine("look for gateway")(error)),
    };
    if found.as_ref().and_then(|found| found.state.as_ref()?.running) == Some(true) {
        return Ok(());
    }
    if found.is_none() {
        create(engine).await?;
    }
    match engine.docker.start_container(CONTAINER, None).await {
        Ok(()) => Ok(()),
        Err(error) if convert::status(&error) == Some(304) => Ok(()),
        Err(error) => Err(convert::engine("start gateway")(error)),
    }
}

async fn create(engine: &Engine) -> Result<()> {
    let image = &engine.config.gateway_image;
    pull::by_name(engine, image, &[]).await?;
    let start = "mkdir -p /run/kiwi /etc/kiwi/routes && { [ -s /etc/kiwi/haproxy.cfg ] || printf %s \"$KIWI_FIRST_CONFIGURATION\" > /etc/kiwi/haproxy.cfg; } && \
                 exec haproxy -W -S /run/kiwi/master.sock,mode,600,level,admin -f /etc/kiwi/haproxy.cfg";
    let body = ContainerCreateBody {
        image: Some(image.clone()),
        entrypoint: Some(["sh", "-c", start].map(str::to_owned).to_vec()),
        cmd: Some(Vec::new()),
        user: Some("0".to_owned()),
        env: Some(vec![format!("KIWI_FIRST_CONFIGURATION={}", routes::render(&[]))]),
        labels: Some(HashMap::from([(labels::ROLE.to_owned(), role::GATEWAY.to_owned())])),
        stop_signal: Some("SIGTERM".to_owned()),
        host_config: Some(HostConfig {
            network_mode: Some("host".to_owned()),
            restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::ALWAYS), maximum_retry_count: None }),
            mounts: Some(vec![Mount {
                target: Some("/etc/kiwi".to_owned()),
                source: Some(CONTAINER.to_owned()),
                typ: Some(MountType::VOLUME),
                ..Mount::default()
            }]),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(["NET_BIND_SERVICE", "KILL"].map(str::to_owned).to_vec()),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    match engine.docker.create_container(Some(CreateContainerOptionsBuilder::default().name(CONTAINER).build()), body).await {
        // Another deployment made it at the same time.
        Err(error) if convert::status(&error) == Some(409) => Ok(()),
        result => result.map(|_| ()).map_err(convert::engine("create gateway")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_for_life_and_never_shared() {
        let workload = |name: &str| Workload {
            installation: "i".into(),
            service: kiwi_core::domain::ServiceId::generate(),
            name: name.parse().unwrap(),
            environment: Default::default(),
        };
        let routes = |workload: &Workload, port| Routes {
            workload: workload.clone(),
            revision: None,
            staged: Vec::new(),
            containers: vec![Route {
                container: "web".parse().unwrap(),
                backend: "web".into(),
                protocol: Default::default(),
                health: None,
                port: Some(port),
                host: None,
                path: None,
                servers: vec![],
            }],
        };
        let (shop, db) = (workload("shop"), workload("db"));
        let mut first = routes(&shop, 0);
        choose_ports(&[], None, &[], &mut first).unwrap();
        assert_eq!(first.containers[0].port, Some(20_000));
        let mut second = routes(&db, 0);
        choose_ports(std::slice::from_ref(&first), None, &[], &mut second).unwrap();
        assert_eq!(second.containers[0].port, Some(20_001));
        let mut again = routes(&db, 0);
        choose_ports(std::slice::from_ref(&second), Some(&second), &[], &mut again).unwrap();
        assert_eq!(again.containers[0].port, Some(20_001));
        let mut taken = routes(&db, 20_000);
        assert_eq!(choose_ports(std::slice::from_ref(&first), Some(&second), &[], &mut taken).unwrap_err().kind(), ErrorKind::Conflict);
        // A promotion: the same service in another environment asks for the same port and the same host.
        first.containers[0].host = "shop.example.com".parse().ok();
        let mut promoted =
            Routes { workload: Workload { environment: kiwi_core::domain::EnvironmentName::Production, ..shop.clone() }, ..routes(&shop, 20_000) };
        promoted.containers[0].host = "shop.example.com".parse().ok();
        let notes = choose_ports(std::slice::from_ref(&first), None, &[], &mut promoted).unwrap();
        assert_eq!((promoted.containers[0].port, &promoted.containers[0].host, notes.len()), (Some(20_001), &None, 2), "{notes:?}");
    }
}
