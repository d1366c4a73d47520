//! The classic builder: the context as a tar stream, and log lines as JSON.

use super::builder::{BuildResult, diagnose};
use super::client::{Engine, all_credentials};
use super::context::{Context, Entry, io};
use super::labels;
use crate::feed::Feed;
use bollard::query_parameters::{BuildImageOptionsBuilder, TagImageOptionsBuilder};
use bytes::Bytes;
use futures_util::StreamExt as _;
use kiwi_core::domain::LogStream;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{BuildEvent, BuildRequest};
use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// The Dockerfile's name in the context when it lies elsewhere.
const OWN_DOCKERFILE: &str = ".kiwi.Dockerfile";
/// How much of the context waits for the engine at most: 8 chunks.
const CHUNK: usize = 256 * 1024;

pub(super) async fn build(engine: &Engine, context: Context, request: &BuildRequest, name: &str, feed: &Feed<BuildEvent>) -> Result<BuildResult> {
    if !request.secrets.is_empty() {
        return Err(Error::new(ErrorKind::Unsupported, "build", "the service has build secrets, and the classic builder would leave them in a layer")
            .with_hint("use a Docker Engine with BuildKit"));
    }
    let dockerfile = context.inside.clone().unwrap_or_else(|| OWN_DOCKERFILE.to_owned());
    let options = BuildImageOptionsBuilder::default()
        .t(name)
        .dockerfile(&dockerfile)
        .rm(true)
        .forcerm(true)
        .buildargs(&request.arguments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<HashMap<_, _>>())
        .target(request.target.as_deref().unwrap_or_default())
        .build();
    let (sender, receiver) = mpsc::channel(8);
    let packing = tokio::task::spawn_blocking(move || pack(&context, ChunkWriter { sender, buffer: Vec::with_capacity(CHUNK) }));
    let body = bollard::body_try_stream(ReceiverStream::new(receiver));
    let credentials = all_credentials(&request.pull);
    let mut stream = engine.docker.build_image(options, Some(credentials), Some(body));
    let (mut image, mut steps, mut cached) = (None, 0u32, 0u32);
    let mut failed = None;
    while let Some(item) = stream.next().await {
        match item {
            Ok(info) => {
                if let Some(text) = info.stream {
                    steps += u32::from(text.starts_with("Step ") && !text.contains(" : FROM "));
                    cached += u32::from(text.contains("---> Using cache"));
                    feed.send(BuildEvent::Log { stream: LogStream::Stdout, chunk: text.into_bytes() }).await;
                } else if let Some(status) = info.status {
                    feed.send(BuildEvent::Log { stream: LogStream::Stdout, chunk: format!("{status}\n").into_bytes() }).await;
                }
                image = info.aux.and_then(|aux| aux.id).or(image);
            }
            Err(error) => {
                let message = super::convert::text(&error);
                feed.send(BuildEvent::Log { stream: LogStream::Stderr, chunk: format!("{message}\n").into_bytes() }).await;
                failed = Some(diagnose(&message).with_source(error));
                break;
            }
        }
    }
    drop(stream);
    // The context's own error explains more than the engine's complaint about a short tar.
    match packing.await {
        Ok(Err(error)) if !error.to_string().contains("nobody reads") => return Err(error),
        Ok(_) => {}
        Err(error) => return Err(Error::new(ErrorKind::Internal, "send build context", "packing panicked").with_source(error)),
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let id = image.ok_or_else(|| Error::new(ErrorKind::Protocol, "build", "the engine named no image"))?;
    // A label would be one more step, with a container of its own: a tenth of a second. A second name says as well whose the image is.
    if let (Some(installation), Some((_, tag))) = (request.labels.get(labels::INSTALLATION), name.rsplit_once(':')) {
        let options = TagImageOptionsBuilder::default().repo(&labels::own_images(installation)).tag(tag).build();
        engine.docker.tag_image(&id, Some(options)).await.map_err(super::convert::engine("tag image"))?;
    }
    Ok(BuildResult { id: id.parse()?, cached: steps > 0 && steps == cached })
}

fn pack(context: &Context, writer: ChunkWriter) -> Result<()> {
    let mut tar = tar::Builder::new(writer);
    tar.mode(tar::HeaderMode::Deterministic);
    let root = Arc::new(context.root.clone());
    // The engine needs the Dockerfile also when the ignore file leaves it out.
    let (mut sent_dockerfile, wanted) = (false, context.inside.clone());
    context.walk(&mut |entry| {
        sent_dockerfile |= wanted.as_deref() == Some(entry.path.as_str());
        if entry.path == ".dockerignore" {
            return Ok(());
        }
        append(&mut tar, &root, &entry)
    })?;
    let text = |tar: &mut tar::Builder<ChunkWriter>, path: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, bytes).map_err(io("send build context"))
    };
    // What Kiwi adds must not enter the image by `COPY . .`: the engine drops it after reading, as it does for the
    // docker command's own additions.
    let mut ignore = context.ignore_text.clone();
    match &context.inside {
        Some(path) if !sent_dockerfile => text(&mut tar, path, &context.dockerfile)?,
        Some(_) => {}
        None => {
            text(&mut tar, OWN_DOCKERFILE, &context.dockerfile)?;
            ignore.push_str(&format!("\n{OWN_DOCKERFILE}\n"));
        }
    }
    if !ignore.trim().is_empty() {
        text(&mut tar, ".dockerignore", ignore.as_bytes())?;
    }
    tar.into_inner().and_then(|mut writer| writer.flush()).map_err(io("send build context"))
}

fn append(tar: &mut tar::Builder<ChunkWriter>, root: &std::path::Path, entry: &Entry) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(entry.metadata.mode() & 0o7777);
    header.set_mtime(u64::try_from(entry.metadata.mtime()).unwrap_or(0));
    let path = root.join(&entry.path);
    let result = if entry.metadata.is_dir() {
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        tar.append_data(&mut header, &entry.path, std::io::empty())
    } else if entry.metadata.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        std::fs::read_link(&path).and_then(|target| tar.append_link(&mut header, &entry.path, target))
    } else {
        header.set_size(entry.metadata.len());
        // A file that shrinks meanwhile would shift everything after it; `take` and the header keep tar's frame.
        std::fs::File::open(&path).and_then(|file| tar.append_data(&mut header, &entry.path, std::io::Read::take(file, entry.metadata.len())))
    };
    result.map_err(io("send build context"))
}

/// Cuts what is written into chunks for the engine; waits when the engine is slow.
struct ChunkWriter {
    sender: mpsc::Sender<std::io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.sender.blocking_send(Ok(chunk.into())).map_err(|_| std::io::Error::other("nobody reads the context any more"))
    }
}
