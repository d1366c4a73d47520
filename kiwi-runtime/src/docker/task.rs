//! One-off commands.

use super::client::Engine;
use super::labels::{self, role};
use super::{convert, network, pull, replica};
use crate::feed::Feed;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, ListContainersOptionsBuilder,
    UploadToContainerOptionsBuilder, WaitContainerOptions,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use kiwi_core::domain::{LogStream, MountPath, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{TaskEvent, TaskRequest};
use std::collections::HashMap;
use std::time::Duration;

pub(super) async fn task(engine: &Engine, mut request: TaskRequest, feed: &Feed<TaskEvent>) -> Result<()> {
    request.check_files()?;
    pull::pin(engine, &request.image, &request.registries).await?;
    let network = network::ensure(engine, &request.workload).await?;
    let name = labels::task(&request.run, request.purpose);
    replica::remove(engine, &name).await?;
    let result = run(engine, &mut request, &network.name, &name, feed).await;
    replica::remove(engine, &name).await?;
    if replica::list(engine, &request.workload).await?.is_empty() {
        super::clean::remove_network(engine, &request.workload).await?;
    }
    let (code, out_of_memory) = result?;
    feed.send(TaskEvent::Exited { code, out_of_memory }).await;
    Ok(())
}

pub(super) async fn cancel(engine: &Engine, run: &RunId) -> Result<()> {
    let labels = vec![format!("{}={run}", labels::RUN), format!("{}={}", labels::ROLE, role::TASK)];
    let filters = HashMap::from([("label".to_owned(), labels)]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    for found in engine.docker.list_containers(Some(options)).await.map_err(convert::engine("list tasks"))? {
        replica::remove(engine, found.id.as_deref().unwrap_or_default()).await?;
    }
    Ok(())
}

/// Unpacks an archive in a container.
async fn upload(engine: &Engine, name: &str, path: &str, archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Result<()> {
    let options = UploadToContainerOptionsBuilder::default().path(path).build();
    engine.docker.upload_to_container(name, Some(options), bollard::body_try_stream(archive)).await.map_err(convert::engine("send task input"))
}

/// An archive of empty directories that everyone may write to, whoever the image runs as.
fn directories<'a>(paths: impl Iterator<Item = &'a MountPath>) -> Result<Bytes> {
    let mut archive = tar::Builder::new(Vec::new());
    let failed = |error: std::io::Error| Error::new(ErrorKind::Internal, "send task input", "a directory cannot be named in an archive").with_source(error);
    for path in paths {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o777);
        header.set_size(0);
        archive.append_data(&mut header, path.as_str().trim_start_matches('/'), std::io::empty()).map_err(failed)?;
    }
    archive.into_inner().map(Bytes::from).map_err(failed)
}

async fn run(engine: &Engine, request: &mut TaskRequest, network: &str, name: &str, feed: &Feed<TaskEvent>) -> Result<(i64, bool)> {
    let mut labels = labels::of(&request.workload);
    labels.insert(labels::ROLE.to_owned(), role::TASK.to_owned());
    labels.insert(labels::RUN.to_owned(), request.run.to_string());
    let body = ContainerCreateBody {
        image: Some(request.image.exact()),
        entrypoint: Some(request.command.clone()),
        cmd: Some(Vec::new()),
        env: Some(replica::environment(&request.variables, &request.secrets)?),
        labels: Some(labels),
        host_config: Some(HostConfig {
            network_mode: Some(network.to_owned()),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    engine.docker.create_container(Some(CreateContainerOptionsBuilder::default().name(name).build()), body).await.map_err(convert::engine("create task"))?;
    if request.input.is_some() || !request.outputs.is_empty() {
        let made = directories(request.input.iter().map(|input| &input.path).chain(&request.outputs))?;
        upload(engine, name, "/", futures_util::stream::iter([Ok(made)])).await?;
    }
    if let Some(input) = request.input.take() {
        upload(engine, name, input.path.as_str(), input.files.0).await?;
    }
    // Attached before the start, so that nothing it prints is missed.
    let options = AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
    let AttachContainerResults { mut output, .. } = engine.docker.attach_container(name, Some(options)).await.map_err(convert::engine("follow task"))?;
    engine.docker.start_container(name, None).await.map_err(|error| {
        Error::new(ErrorKind::TaskFailed, "start task", format!("the {} command cannot be started: {}", request.purpose, convert::text(&error)))
            .with_hint("a command runs in `sh`, which the image must have")
    })?;
    let follow = async {
        while let Some(Ok(item)) = output.next().await {
            let stream = if matches!(item, LogOutput::StdErr { .. }) { LogStream::Stderr } else { LogStream::Stdout };
            feed.send(TaskEvent::Log { stream, chunk: item.into_bytes().to_vec() }).await;
        }
    };
    let limit = Duration::from_secs(u64::from(request.timeout_seconds));
    if tokio::time::timeout(limit, follow).await.is_err() {
        return Err(Error::new(
            ErrorKind::Timeout,
            "run task",
            format!("the {} command took longer than {} s and was stopped", request.purpose, request.timeout_seconds),
        )
        .with_hint("make it faster, or split it"));
    }
    let mut wait = engine.docker.wait_container(name, None::<WaitContainerOptions>);
    let code = match wait.next().await {
        Some(Ok(done)) => done.status_code,
        Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => code,
        Some(Err(error)) => return Err(convert::engine("wait for task")(error)),
        None => return Err(Error::new(ErrorKind::Protocol, "wait for task", "the engine ended the wait without a word")),
    };
    let out_of_memory = replica::inspect(engine, name).await?.and_then(|found| found.state?.oom_killed).unwrap_or(false);
    for path in &request.outputs {
        let options = DownloadFromContainerOptionsBuilder::default().path(path.as_str()).build();
        let mut archive = engine.docker.download_from_container(name, Some(options));
        while let Some(chunk) = archive.next().await {
            let chunk = chunk.map_err(convert::engine("read task output"))?;
            feed.send(TaskEvent::Output { path: path.clone(), chunk }).await;
        }
    }
    Ok((code, out_of_memory))
}
