//! BuildKit through the engine's API: `POST /build?version=2` beside a session over which BuildKit asks for files,
//! credentials and secrets.
//!
//! bollard 0.21 opens such a session for credentials only; secrets and incremental file transfer need this one. The protocol
//! is BuildKit's (`github.com/moby/buildkit/session`), its messages are bollard-buildkit-proto's.

mod files;
mod session;

use super::builder::{BuildResult, diagnose};
use super::client::{Engine, http, send};
use super::context::Context;
use crate::feed::Feed;
use base64::Engine as _;
use bollard_buildkit_proto::moby::buildkit::v1::StatusResponse;
use http_body_util::BodyExt as _;
use hyper::Request;
use kiwi_core::domain::{LogStream, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{BuildEvent, BuildRequest};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};

/// The engine's name of a run's build, by which it can be cancelled.
fn build_id(run: &RunId) -> String {
    format!("kiwi-run-{run}")
}

pub(super) async fn build(engine: &Engine, context: Context, request: &BuildRequest, name: &str, feed: &Feed<BuildEvent>) -> Result<BuildResult> {
    let session = session::open(engine, context, request).await?;
    let query = {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("version", "2").append_pair("remote", "client-session").append_pair("session", &session.id);
        query.append_pair("buildid", &build_id(&request.run)).append_pair("dockerfile", session::DOCKERFILE).append_pair("rm", "1").append_pair("t", name);
        query.append_pair("buildargs", &json(&request.arguments)).append_pair("labels", &json(&request.labels));
        if let Some(target) = &request.target {
            query.append_pair("target", target);
        }
        query.finish()
    };
    let mut connection = engine.raw().await?;
    let mut response = send(&mut connection, Request::post(format!("/build?{query}"))).await?;
    if !response.status().is_success() {
        let body = response.into_body().collect().await.map_err(http("build"))?.to_bytes();
        return Err(diagnose(&String::from_utf8_lossy(&body)));
    }
    let (mut trace, mut pending, mut image) = (Trace::default(), Vec::new(), None);
    while let Some(frame) = response.frame().await {
        let Ok(data) = frame.map_err(http("build"))?.into_data() else { continue };
        pending.extend_from_slice(&data);
        // One JSON value per line, however the frames were cut.
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            match message(&line, &mut trace) {
                Message::Events(events) => {
                    for event in events {
                        feed.send(event).await;
                    }
                }
                Message::Image(id) => image = Some(id),
                Message::Failed(text) => return Err(diagnose(&text)),
                Message::Nothing => {}
            }
        }
    }
    let id = image
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "build", "the engine ended the build without naming an image").with_hint("look at the engine's log"))?;
    Ok(BuildResult { id: id.parse()?, cached: trace.all_cached() })
}

/// Stops a build that may still be under way.
pub(super) async fn cancel(engine: &Engine, run: &RunId) -> Result<()> {
    let mut connection = engine.raw().await?;
    // An engine without such a build, or without the call, answers with an error: then there is nothing to stop.
    send(&mut connection, Request::post(format!("/build/cancel?id={}", build_id(run)))).await.map(|_| ())
}

fn json<K: serde::Serialize + Ord, V: serde::Serialize>(map: &BTreeMap<K, V>) -> String {
    serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned())
}

enum Message {
    Events(Vec<BuildEvent>),
    Image(String),
    Failed(String),
    Nothing,
}

fn message(line: &[u8], trace: &mut Trace) -> Message {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else { return Message::Nothing };
    if let Some(error) = value.pointer("/errorDetail/message").or_else(|| value.get("error")).and_then(|text| text.as_str()) {
        return Message::Failed(error.to_owned());
    }
    match (value.get("id").and_then(|id| id.as_str()), value.get("aux")) {
        (Some("moby.image.id"), Some(aux)) => aux.get("ID").and_then(|id| id.as_str()).map_or(Message::Nothing, |id| Message::Image(id.to_owned())),
        (Some("moby.buildkit.trace"), Some(aux)) => {
            let bytes = aux.as_str().and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
            let status = bytes.and_then(|bytes| StatusResponse::decode(bytes.as_slice()).ok());
            status.map_or(Message::Nothing, |status| Message::Events(trace.add(status)))
        }
        _ => Message::Nothing,
    }
}

/// What the steps of a build have said so far.
#[derive(Default)]
struct Trace {
    names: BTreeMap<String, String>,
    started: BTreeSet<String>,
    cached: BTreeMap<String, bool>,
}

impl Trace {
    fn add(&mut self, status: StatusResponse) -> Vec<BuildEvent> {
        let mut events = Vec::new();
        let line = |text: String| BuildEvent::Log { stream: LogStream::Stdout, chunk: format!("{text}\n").into_bytes() };
        for vertex in status.vertexes {
            self.names.insert(vertex.digest.clone(), vertex.name.clone());
            let internal = vertex.name.starts_with("[internal]");
            if vertex.started.is_some() && self.started.insert(vertex.digest.clone()) && !internal {
                events.push(line(format!("=> {}{}", vertex.name, if vertex.cached { " (cached)" } else { "" })));
            }
            // What is loaded anew each time, and what exports the result, says nothing about the cache.
            if vertex.completed.is_some() && !internal && !vertex.name.starts_with("exporting") && vertex.name.starts_with('[') {
                self.cached.insert(vertex.digest, vertex.cached);
            }
            if !vertex.error.is_empty() {
                events.push(line(format!("=> {} failed: {}", vertex.name, vertex.error)));
            }
        }
        for part in status.statuses {
            let name = self.names.get(&part.vertex).map_or("", String::as_str);
            let (current, total) = (u64::try_from(part.current).unwrap_or(0), u64::try_from(part.total).unwrap_or(0));
            if current > 0 && !name.starts_with("exporting") {
                events.push(BuildEvent::Progress { label: part.id, current, total: (total > 0).then_some(total) });
            }
        }
        for log in status.logs {
            let stream = if log.stream == 2 { LogStream::Stderr } else { LogStream::Stdout };
            events.push(BuildEvent::Log { stream, chunk: log.msg });
        }
        events
    }

    /// Whether there were steps besides `FROM` and all came from the cache.
    fn all_cached(&self) -> bool {
        let steps = || self.cached.iter().filter(|(digest, _)| !self.names.get(*digest).is_some_and(|name| name.contains("] FROM ")));
        steps().next().is_some() && steps().all(|(_, cached)| *cached)
    }
}
