//! The containers that run a release.

use super::client::Engine;
use super::convert;
use super::labels::{self, role};
use super::network::Network;
use crate::hash::sha256;
use crate::variables;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, EndpointIpamConfig, EndpointSettings, HostConfig, Mount, MountType,
    MountVolumeOptions, NetworkingConfig, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use kiwi_core::domain::{ContainerName, ReleaseContainer, Replicas, Variables};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{ApplyRequest, SecretValues, Workload};
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// A container of Kiwi's as the engine lists it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) container: Option<ContainerName>,
    pub(super) revision: u64,
    pub(super) role: String,
    pub(super) state: String,
    pub(super) specification: String,
}

/// What a container is made from, as a short text that differs when anything does. The number of replicas is not in it.
pub(super) fn specification(container: &ReleaseContainer, stop_seconds: u32) -> String {
    let mut one = container.clone();
    one.replicas = Replicas::ONE;
    let text = serde_json::to_string(&(one, stop_seconds)).unwrap_or_default();
    sha256(text)[..32].to_owned()
}

/// The replicas of a container that are of the newest revision below `before`.
pub(super) fn newest<'a>(all: &'a [Found], container: &ContainerName, before: Option<u64>) -> Vec<&'a Found> {
    let ours =
        |found: &&Found| found.role == role::REPLICA && found.container.as_ref() == Some(container) && before.is_none_or(|before| found.revision < before);
    let newest = all.iter().filter(ours).map(|found| found.revision).max();
    all.iter().filter(ours).filter(|found| Some(found.revision) == newest).collect()
}

/// Every container of a workload, running or not.
pub(super) async fn list(engine: &Engine, workload: &Workload) -> Result<Vec<Found>> {
    let filters = labels::filter(workload);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let all = engine.docker.list_containers(Some(options)).await.map_err(convert::engine("list containers"))?;
    Ok(all
        .into_iter()
        .map(|summary| {
            let label = |name: &str| summary.labels.as_ref().and_then(|labels| labels.get(name)).cloned().unwrap_or_default();
            Found {
                id: summary.id.clone().unwrap_or_default(),
                name: summary.names.as_ref().and_then(|names| names.first()).map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default(),
                container: label(labels::CONTAINER).parse().ok(),
                revision: label(labels::REVISION).parse().unwrap_or(0),
                role: label(labels::ROLE),
                state: summary.state.map(|state| state.to_string()).unwrap_or_default(),
                specification: label(labels::SPECIFICATION),
            }
        })
        .collect())
}

/// A replica that runs, with its address.
#[derive(Debug, Clone)]
pub(super) struct Replica {
    pub(super) name: String,
    pub(super) address: Ipv4Addr,
}

/// Where a new replica goes.
pub(super) struct Place<'a> {
    pub(super) name: String,
    pub(super) network: &'a Network,
    pub(super) address: Ipv4Addr,
    pub(super) role: &'static str,
}

/// Creates and starts a replica; adopts one of the same name that an interrupted call left.
pub(super) async fn start(engine: &Engine, request: &ApplyRequest, container: &ReleaseContainer, place: Place<'_>) -> Result<Replica> {
    let body = body(request, container, &place)?;
    let options = CreateContainerOptionsBuilder::default().name(&place.name).build();
    let address = match engine.docker.create_container(Some(options), body).await {
        Ok(_) => place.address,
        Err(error) if convert::status(&error) == Some(409) => {
            let found = inspect(engine, &place.name).await?;
            address_of(found.as_ref(), &place.network.name).ok_or_else(|| convert::engine("create container")(error))?
        }
        Err(error) => return Err(convert::engine("create container")(error)),
    };
    match engine.docker.start_container(&place.name, None).await {
        Ok(()) => {}
        Err(error) if convert::status(&error) == Some(304) => {}
        Err(error) => return Err(start_error(container, &convert::text(&error))),
    }
    Ok(Replica { name: place.name, address })
}

fn start_error(container: &ReleaseContainer, message: &str) -> Error {
    let lower = message.to_lowercase();
    let fail = |why: &str, hint: &str| {
        Error::new(ErrorKind::Unhealthy, "start container", format!("container {}: {why}: {message}", container.name)).with_hint(hint.to_owned())
    };
    if lower.contains("executable file not found") || lower.contains("no such file or directory") {
        fail("the image's start command does not exist in it", "check CMD and ENTRYPOINT of the Dockerfile")
    } else if lower.contains("permission denied") {
        fail("the image's start command is not executable", "add `chmod +x` for it to the Dockerfile")
    } else if lower.contains("no space left") {
        fail("the disk of the engine is full", "`kiwi runtime clean` frees space")
    } else {
        fail("the engine cannot start it", "read the engine's message")
    }
}

pub(super) fn environment(variables: &Variables, secrets: &SecretValues) -> Result<Vec<String>> {
    variables.iter().map(|(name, variable)| Ok(format!("{name}={}", variables::value("set variables", name, variable, secrets)?))).collect()
}

fn body(request: &ApplyRequest, container: &ReleaseContainer, place: &Place<'_>) -> Result<ContainerCreateBody> {
    let mut labels = labels::of(&request.workload);
    for (name, value) in [
        (labels::CONTAINER, container.name.to_string()),
        (labels::REVISION, request.release.revision.to_string()),
        (labels::RUN, request.run.to_string()),
        (labels::ROLE, place.role.to_owned()),
        (labels::SPECIFICATION, specification(container, request.release.rollout.stop_seconds)),
    ] {
        labels.insert(name.to_owned(), value);
    }
    let mut variables = environment(&container.variables, &request.secrets)?;
    if let Some(port) = container.port
        && !container.variables.keys().any(|name| name.as_str() == "PORT")
    {
        // The convention of every platform: an application that reads it listens where it is probed.
        variables.push(format!("PORT={port}"));
    }
    let mounts = container.volumes.iter().map(|volume| Mount {
        target: Some(volume.mount_path.to_string()),
        source: Some(labels::volume(&request.workload, &container.name, volume.mount_path.as_str())),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions { labels: Some(labels::of(&request.workload)), ..MountVolumeOptions::default() }),
        ..Mount::default()
    });
    // A candidate is not a member of the service: its siblings must not find it.
    let aliases = if place.role == role::CANDIDATE { Vec::new() } else { vec![container.name.to_string()] };
    let endpoint = EndpointSettings {
        ipam_config: Some(EndpointIpamConfig { ipv4_address: Some(place.address.to_string()), ..EndpointIpamConfig::default() }),
        aliases: Some(aliases),
        ..EndpointSettings::default()
    };
    let clamp = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let memory = clamp(container.resources.memory.limit.bytes());
    Ok(ContainerCreateBody {
        image: Some(container.image.exact()),
        env: Some(variables),
        labels: Some(labels),
        stop_timeout: Some(i64::from(request.release.rollout.stop_seconds)),
        host_config: Some(HostConfig {
            network_mode: Some(place.network.name.clone()),
            // Not "unless stopped": an engine that was killed stops what it finds running when it starts again, and takes that for our wish.
            restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::ALWAYS), maximum_retry_count: None }),
            nano_cpus: Some(clamp(container.resources.cpu.limit.millis()) * 1_000_000),
            // 1024 shares are one core.
            cpu_shares: Some((clamp(container.resources.cpu.request.millis()) * 1024 / 1000).max(2)),
            memory: Some(memory),
            // Without swap beyond the limit: a container that needs more is killed and named, instead of crawling.
            memory_swap: Some(memory),
            memory_reservation: Some(clamp(container.resources.memory.request.bytes())),
            mounts: Some(mounts.collect()),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            ..HostConfig::default()
        }),
        networking_config: Some(NetworkingConfig { endpoints_config: Some(HashMap::from([(place.network.name.clone(), endpoint)])) }),
        ..ContainerCreateBody::default()
    })
}

pub(super) async fn inspect(engine: &Engine, name: &str) -> Result<Option<ContainerInspectResponse>> {
    match engine.docker.inspect_container(name, None).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if convert::status(&error) == Some(404) => Ok(None),
        Err(error) => Err(convert::engine("inspect container")(error)),
    }
}

/// The address that Kiwi chose, which a stopped container still has.
pub(super) fn address_of(found: Option<&ContainerInspectResponse>, network: &str) -> Option<Ipv4Addr> {
    let endpoint = found?.network_settings.as_ref()?.networks.as_ref()?.get(network)?;
    endpoint.ipam_config.as_ref()?.ipv4_address.as_ref()?.parse().ok()
}

/// An error when the container has ended or restarted; the caller is waiting for it to become healthy.
pub(super) async fn alive(engine: &Engine, replica: &str, container: &ReleaseContainer) -> Result<()> {
    let Some(found) = inspect(engine, replica).await? else {
        return Err(Error::new(ErrorKind::Unhealthy, "start container", format!("container {} disappeared while it started", container.name))
            .with_hint("somebody removed it; look at the engine's events"));
    };
    let state = found.state.unwrap_or_default();
    let restarts = found.restart_count.unwrap_or(0);
    let ended = matches!(state.status, Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD)) || state.restarting == Some(true);
    if restarts == 0 && !ended {
        return Ok(());
    }
    let code = state.exit_code.unwrap_or(0);
    let limit = &container.resources.memory.limit;
    let (cause, hint) = if state.oom_killed == Some(true) {
        (format!("it was killed because it needed more memory than its limit of {limit}"), "raise the limit with --memory REQUEST:LIMIT".to_owned())
    } else {
        match code {
            0 => ("it ended by itself with exit code 0".to_owned(), "a service must keep running: start it in the foreground".to_owned()),
            126 => ("its start command is not executable (exit code 126)".to_owned(), "check CMD and ENTRYPOINT of the Dockerfile".to_owned()),
            127 => ("its start command was not found (exit code 127)".to_owned(), "check CMD and ENTRYPOINT of the Dockerfile".to_owned()),
            137 => {
                ("it was killed (exit code 137), most likely for want of memory".to_owned(), format!("raise the limit of {limit} with --memory REQUEST:LIMIT"))
            }
            139 => ("it crashed with a segmentation fault (exit code 139)".to_owned(), "the image may be built for another processor".to_owned()),
            code => (format!("it ended with exit code {code}"), "its last log lines say why; a missing variable is the most common cause".to_owned()),
        }
    };
    Err(Error::new(ErrorKind::Unhealthy, "start container", format!("container {} does not stay up: {cause}", container.name))
        .with_hint(hint)
        .with_log(last_lines(engine, replica).await))
}

/// The last lines that a container printed; empty when they cannot be had.
pub(super) async fn last_lines(engine: &Engine, name: &str) -> Vec<String> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail("30").build();
    let mut stream = engine.docker.logs(name, Some(options));
    let mut text = Vec::new();
    while let Some(Ok(output)) = stream.next().await {
        text.extend_from_slice(&output.into_bytes());
        // A hostile line may be endless.
        if text.len() > 256 * 1024 {
            break;
        }
    }
    let lines: Vec<String> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(kiwi_core::pipeline::events::printable)
        .map(|line| line.chars().take(2000).collect())
        .collect();
    lines[lines.len().saturating_sub(30)..].to_vec()
}

/// Stops a container; one that is gone or stopped is no error.
pub(super) async fn stop(engine: &Engine, name: &str, seconds: u32) -> Result<()> {
    let options = StopContainerOptionsBuilder::default().t(i32::try_from(seconds).unwrap_or(i32::MAX)).build();
    match engine.docker.stop_container(name, Some(options)).await {
        Err(error) if !matches!(convert::status(&error), Some(304 | 404)) => Err(convert::engine("stop container")(error)),
        _ => Ok(()),
    }
}

/// Removes a container with its anonymous volumes; one that is gone is no error.
pub(super) async fn remove(engine: &Engine, name: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    for _ in 0..20 {
        match engine.docker.remove_container(name, Some(options.clone())).await {
            // Somebody else's removal is under way; it is over when the container is gone.
            Err(error) if convert::status(&error) == Some(409) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            Err(error) if convert::status(&error) != Some(404) => return Err(convert::engine("remove container")(error)),
            _ => return Ok(()),
        }
    }
    Err(Error::new(ErrorKind::Conflict, "remove container", format!("{name} is being removed by somebody else and does not go away")))
}
