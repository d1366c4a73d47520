//! A tool in an image, as a task of a runtime.

use super::reports::{self, Reports};
use super::scanner::{Ran, ToolTask};
use super::tool::Tool;
use crate::tree;
use bytes::Bytes;
use futures_util::StreamExt as _;
use kiwi_core::domain::{Coverage, RunId, Variable, Variables};
use kiwi_core::error::Error;
use kiwi_core::provider::{SecretValues, TarStream, TaskEvent, TaskInput, TaskRequest};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// Where the tree is in the container.
pub(super) const TREE: &str = "/kiwi/in";
/// Of the log, so much of the end is kept.
const LOG: usize = 64 << 10;
/// What a tar archive adds to the files in it, at most.
const AROUND: u64 = 1 << 20;
/// So much of an archive is sent at once.
const PIECE: usize = 64 << 10;

/// Runs a tool in its image, with the tree as its input; what could not be sent of it is in `coverage`.
pub(super) async fn run(
    tool: &Tool,
    task: &ToolTask,
    tree: Option<&Path>,
    arguments: impl FnOnce(&str) -> Vec<String>,
    limit: Duration,
    coverage: &mut Coverage,
) -> Result<Ran, String> {
    let refused = |error: Error| format!("its task failed: {}; {}", error.chain(), error.hint());
    let output = tool.directory.parse().map_err(|_| format!("{} is no directory for its reports", tool.directory))?;
    let input = match tree {
        Some(tree) => {
            let root = tree.to_owned();
            let listed = tokio::task::spawn_blocking(move || {
                let mut coverage = Coverage::default();
                (tree::files(&root, &mut coverage), coverage)
            });
            let (files, skipped) = listed.await.map_err(|_| "the tree cannot be listed".to_owned())?;
            coverage.skipped.extend(skipped.skipped);
            Some(TaskInput { path: TREE.parse().map_err(|_| format!("{TREE} is no directory"))?, files: archive(files) })
        }
        None => None,
    };
    let variables: Variables = tool.variables.iter().filter_map(|(name, value)| Some((name.parse().ok()?, Variable::Plain((*value).to_owned())))).collect();
    let mut command = vec![task.program.clone().unwrap_or_else(|| PathBuf::from(tool.program)).to_string_lossy().into_owned()];
    command.extend(arguments(tool.directory));
    let request = TaskRequest {
        purpose: tool.name,
        run: task.run.clone().unwrap_or_else(RunId::generate),
        workload: task.workload.clone(),
        image: task.image.clone(),
        command,
        variables,
        secrets: SecretValues::new(),
        registries: task.registries.clone(),
        input,
        outputs: vec![output],
        timeout_seconds: u32::try_from(limit.as_secs()).unwrap_or(u32::MAX),
    };
    let (mut events, mut log, mut out) = (task.runtime.task(request), Vec::new(), Vec::new());
    let (mut code, mut stopped, mut size) = (None, None, 0_u64);
    while let Some(event) = events.next().await {
        match event.map_err(refused)? {
            TaskEvent::Log { chunk, .. } => {
                log.extend_from_slice(&chunk);
                let keep = log.len().saturating_sub(LOG);
                log.drain(..keep);
            }
            TaskEvent::Output { chunk, .. } => {
                size += chunk.len() as u64;
                // The rest is let go by, so that the runtime can clean up.
                if size <= reports::LARGEST + AROUND {
                    out.extend_from_slice(&chunk);
                }
            }
            TaskEvent::Exited { out_of_memory: true, .. } => stopped = Some("it was killed for want of memory".to_owned()),
            TaskEvent::Exited { code: ended, .. } => code = Some(ended),
            _ => {}
        }
    }
    let reports = if size > reports::LARGEST + AROUND { Err(reports::too_large()) } else { Reports::unpack(&out) };
    if code.is_none() && stopped.is_none() {
        stopped = Some("its task ended without an exit code".to_owned());
    }
    Ok(Ran { version: None, code, log: String::from_utf8_lossy(&log).into_owned(), stopped, reports })
}

/// The files as an archive, which is read from the disk as fast as it is taken.
fn archive(files: Vec<tree::File>) -> TarStream {
    let (sender, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut builder = tar::Builder::new(Pieces { sender: sender.clone(), piece: Vec::with_capacity(PIECE) });
        let written = files.iter().try_for_each(|file| builder.append_path_with_name(&file.place, &file.path)).and_then(|()| builder.finish());
        let ended = written.and_then(|()| builder.get_mut().flush());
        if let Err(error) = ended {
            // A task that does not get all of its files never starts. Nobody may be there to hear it.
            let _ = sender.blocking_send(Err(error));
        }
    });
    TarStream(Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|piece| (piece, receiver)) })))
}

/// Sends what is written, piece by piece.
struct Pieces {
    sender: mpsc::Sender<std::io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece.into())).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}
