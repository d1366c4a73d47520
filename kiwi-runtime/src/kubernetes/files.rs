//! Files that go into the pod of a task and come out of it.
//!
//! A task's image may have neither a shell nor `tar`. So a small image of Kiwi's choice stands beside it in the pod, on the same volumes: before the task
//! it holds the pod back until the input is whole, and after the task it keeps the pod until the outputs were read.

use super::views::PodView;
use super::{convert, render};
use crate::feed::Feed;
use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kiwi_core::domain::{ImageReference, MountPath};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{TaskEvent, TaskInput};
use kube::api::{AttachParams, AttachedProcess};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

/// The container that waits for the input.
const INPUT: &str = "kiwi-input";
/// The container that keeps the outputs.
const OUTPUTS: &str = "kiwi-outputs";
/// Where both see the volumes.
const HERE: &str = "/kiwi-files";
/// Waits as process 1 until it is told that all is there; ends at once when the pod does.
const WAIT: &str = "trap 'exit 0' USR1; trap 'exit 1' TERM; sleep 86400 & wait";
/// Of what a program complains, so much is kept.
const COMPLAINT: u64 = 2000;
/// Read from the cluster in pieces of this size.
const PIECE: usize = 64 * 1024;

/// The files of one task.
#[derive(Debug)]
pub(super) struct Files {
    input: Option<TaskInput>,
    sent: bool,
    outputs: Vec<MountPath>,
}

impl Files {
    pub(super) fn new(input: Option<TaskInput>, outputs: Vec<MountPath>) -> Self {
        Self { input, sent: false, outputs }
    }

    /// Adds to a task's pod what carries its files; nothing when it has none.
    pub(super) fn attach(&self, pod: &mut Value, image: &ImageReference, user: u32) {
        let helper = |name: &str, mounts: Vec<Value>| {
            json!({
                "name": name,
                "image": image.to_string(),
                "command": ["sh", "-c", WAIT],
                "resources": { "requests": { "cpu": "10m", "memory": "16Mi" }, "limits": { "memory": "256Mi" } },
                "securityContext": { "allowPrivilegeEscalation": false, "runAsUser": user, "capabilities": render::security(user > 0)["capabilities"] },
                "volumeMounts": mounts,
            })
        };
        let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
        if let Some(input) = &self.input {
            volumes.push(json!({ "name": INPUT, "emptyDir": {} }));
            mounts.push(json!({ "name": INPUT, "mountPath": input.path }));
            pod["initContainers"] = json!([helper(INPUT, vec![json!({ "name": INPUT, "mountPath": HERE })])]);
        }
        let outputs: Vec<Value> = (0..self.outputs.len()).map(|index| format!("{OUTPUTS}-{index}").into()).collect();
        volumes.extend(outputs.iter().map(|name| json!({ "name": name, "emptyDir": {} })));
        mounts.extend(self.outputs.iter().zip(&outputs).map(|(path, name)| json!({ "name": name, "mountPath": path })));
        if volumes.is_empty() {
            return;
        }
        pod["volumes"] = volumes.into();
        pod["containers"][0]["volumeMounts"] = mounts.into();
        if !outputs.is_empty() {
            let places = self.outputs.iter().enumerate().zip(outputs);
            let mounts = places.map(|((index, path), name)| json!({ "name": name, "mountPath": format!("{}/{}", place(index), last(path)) })).collect();
            if let Some(containers) = pod["containers"].as_array_mut() {
                containers.push(helper(OUTPUTS, mounts));
            }
        }
    }

    /// Sends the input as soon as the pod waits for it.
    pub(super) async fn send(&mut self, client: &Client, namespace: &str, pod: &PodView) -> Result<()> {
        const OPERATION: &str = "send task input";
        let waits = pod.container(INPUT).is_some_and(|container| container.running);
        if self.sent || !waits {
            return Ok(());
        }
        let Some(input) = &mut self.input else { return Ok(()) };
        self.sent = true;
        let api = Api::<Pod>::namespaced(client.clone(), namespace);
        let unpack = ["tar", "-x", "-o", "-f", "-", "-C", HERE];
        let parameters = AttachParams::default().container(INPUT).stdin(true).stdout(false).stderr(true);
        let mut process = api.exec(&pod.name, unpack, &parameters).await.map_err(convert::cluster(OPERATION))?;
        let stdin = process.stdin();
        let sending = async {
            let Some(mut stdin) = stdin else { return Ok::<_, Error>(()) };
            while let Some(chunk) = input.files.0.next().await {
                let chunk = chunk.map_err(|error| Error::new(ErrorKind::Storage, OPERATION, "the files cannot be read").with_source(error))?;
                // Who no longer listens says why in the end.
                if stdin.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            let _ = stdin.shutdown().await;
            Ok(())
        };
        let complaint = complaint(process.stderr());
        let ended = process.take_status();
        // Files that cannot be read end it at once, whatever `tar` still waits for.
        let ((), complaint) = tokio::try_join!(sending, async { Ok(complaint.await) })?;
        succeeded(OPERATION, "the files cannot be unpacked", &complaint, status(ended).await)?;
        // Only who sent the files knows that they were all: an archive that is cut between two files looks whole.
        let parameters = AttachParams::default().container(INPUT).stdout(false).stderr(true);
        let mut process: AttachedProcess = api.exec(&pod.name, ["kill", "-USR1", "1"], &parameters).await.map_err(convert::cluster(OPERATION))?;
        let ended = process.take_status();
        let complaint = self::complaint(process.stderr()).await;
        succeeded(OPERATION, "the task cannot be let go", &complaint, status(ended).await)
    }

    /// Hands the outputs back.
    pub(super) async fn fetch(&mut self, client: &Client, namespace: &str, pod: &str, feed: &Feed<TaskEvent>) -> Result<()> {
        const OPERATION: &str = "read task output";
        let api = Api::<Pod>::namespaced(client.clone(), namespace);
        for (index, path) in self.outputs.iter().enumerate() {
            let place = place(index);
            let pack = ["tar", "-c", "-f", "-", "-C", &place, last(path)];
            let parameters = AttachParams::default().container(OUTPUTS).stdout(true).stderr(true).max_stdout_buf_size(PIECE);
            let mut process = api.exec(pod, pack, &parameters).await.map_err(convert::cluster(OPERATION))?;
            let stdout = process.stdout();
            let reading = async {
                let Some(mut stdout) = stdout else { return };
                let mut piece = bytes::BytesMut::with_capacity(PIECE);
                while matches!(stdout.read_buf(&mut piece).await, Ok(read) if read > 0) {
                    feed.send(TaskEvent::Output { path: path.clone(), chunk: piece.split().freeze() }).await;
                    piece.reserve(PIECE);
                }
            };
            let complaint = complaint(process.stderr());
            let ended = process.take_status();
            let ((), complaint) = tokio::join!(reading, complaint);
            succeeded(OPERATION, &format!("{path} cannot be read"), &complaint, status(ended).await)?;
        }
        Ok(())
    }
}

fn place(index: usize) -> String {
    format!("{HERE}/{index}")
}

fn last(path: &MountPath) -> &str {
    path.as_str().rsplit('/').next().unwrap_or_default()
}

async fn complaint(stderr: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let mut text = Vec::new();
    let _ = (&mut stderr).take(COMPLAINT).read_to_end(&mut text).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&text).trim().to_owned()
}

async fn status(ended: Option<impl Future<Output = Option<Status>>>) -> Option<Status> {
    ended?.await
}

fn succeeded(operation: &'static str, what: &str, complaint: &str, ended: Option<Status>) -> Result<()> {
    match ended {
        Some(status) if status.status.as_deref() == Some("Success") => Ok(()),
        Some(status) => {
            let why = if complaint.is_empty() { status.message.unwrap_or_default() } else { complaint.to_owned() };
            let full = why.contains("No space left on device");
            let error = Error::new(if full { ErrorKind::Storage } else { ErrorKind::Unavailable }, operation, format!("{what}: {why}"));
            Err(error.with_hint(if full { "the node's disk is full" } else { "the helper image needs `sh`, `kill`, `sleep` and `tar`; see --helper-image" }))
        }
        None => Err(Error::new(ErrorKind::Unavailable, operation, format!("{what}: the connection to the pod broke")).with_hint("try again")),
    }
}
