//! What pods print.

use super::client::Cluster;
use super::{convert, names, namespace};
use crate::feed::Feed;
use futures_util::AsyncBufReadExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp as Instant;
use kiwi_core::domain::{LogStream, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::{LogLine, LogQuery};
use kube::api::{ListParams, LogParams};
use kube::{Api, Client, ResourceExt as _};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a follower looks for new pods, and how long it waits before it opens a log again.
const LOOK: Duration = Duration::from_millis(500);
/// A line that never ends is cut here.
const LONGEST: usize = 64 * 1024;

/// The last lines of a container: of the run that ended, where there is one.
pub(super) async fn last_lines(client: &Client, namespace: &str, pod: &str, container: &str, lines: i64) -> Vec<String> {
    let api = Api::<Pod>::namespaced(client.clone(), namespace);
    let ask = |previous| LogParams {
        container: Some(container.to_owned()).filter(|name| !name.is_empty()),
        tail_lines: Some(lines),
        previous,
        ..LogParams::default()
    };
    let text = match api.logs(pod, &ask(true)).await {
        Ok(text) if !text.trim().is_empty() => text,
        _ => api.logs(pod, &ask(false)).await.unwrap_or_default(),
    };
    text.lines().map(str::to_owned).collect()
}

/// Log lines of the replicas of a workload, through restarts and replacements.
pub(super) async fn logs(cluster: Cluster, query: LogQuery, feed: Feed<LogLine>) -> Result<()> {
    let client = cluster.client().await?;
    let (mut known, mut readers) = (BTreeSet::new(), tokio::task::JoinSet::new());
    loop {
        let first = known.is_empty();
        for found in namespace::find(client, &query.workload).await? {
            let mut selector = format!("{},{}={}", names::selector(&query.workload), names::ROLE, names::role::REPLICA);
            if let Some(container) = &query.container {
                selector.push_str(&format!(",{}={container}", names::CONTAINER));
            }
            let pods = Api::<Pod>::namespaced(client.clone(), &found.name).list(&ListParams::default().labels(&selector)).await;
            let mut pods = pods.map_err(convert::cluster("list pods"))?.items;
            pods.sort_by_key(|pod| (pod.creation_timestamp(), pod.name_any()));
            for pod in pods {
                let started = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref()).is_some_and(|all| {
                    all.iter().any(|status| {
                        status.state.as_ref().is_some_and(|state| state.running.is_some() || state.terminated.is_some()) || status.restart_count > 0
                    })
                });
                if !started || !known.insert(pod.uid().unwrap_or_default()) {
                    continue;
                }
                // Who arrives later is read from its first line on.
                let tail = query.tail.filter(|_| first);
                let reading =
                    follow(client.clone(), found.name.clone(), pod.name_any(), None, Follow { tail, since: query.since, follow: query.follow }, feed.clone());
                if query.follow {
                    readers.spawn(reading);
                } else {
                    reading.await?;
                }
            }
        }
        if !query.follow {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
        while readers.try_join_next().is_some() {}
    }
}

/// How a log is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follow {
    pub(super) tail: Option<u32>,
    pub(super) since: Option<Timestamp>,
    pub(super) follow: bool,
}

/// Reads the log of one container to its end. A connection that breaks is opened again after the last line that came; lines are told once.
pub(super) async fn follow(client: Client, namespace: String, pod: String, container: Option<String>, how: Follow, feed: Feed<LogLine>) -> Result<()> {
    let api = Api::<Pod>::namespaced(client, &namespace);
    let mut position = Position::default();
    let mut since = how.since.and_then(|since| Instant::from_millisecond(since.as_millis()).ok());
    let mut tail = how.tail.map(i64::from);
    loop {
        let parameters =
            LogParams { container: container.clone(), follow: how.follow, timestamps: true, since_time: since, tail_lines: tail, ..LogParams::default() };
        match api.log_stream(&pod, &parameters).await {
            Ok(stream) => {
                let mut stream = std::pin::pin!(stream);
                let mut line = Vec::new();
                loop {
                    line.clear();
                    match stream.read_until(b'\n', &mut line).await {
                        Ok(0) | Err(_) => break,
                        Ok(_) => {}
                    }
                    line.truncate(LONGEST);
                    let text = String::from_utf8_lossy(&line);
                    let (at, text) = text.split_once(' ').unwrap_or(("", &text));
                    if !position.is_new(at, text) {
                        continue;
                    }
                    let at = serde_json::from_value::<Timestamp>(serde_json::Value::String(at.to_owned())).ok();
                    feed.send(LogLine { replica: pod.clone(), stream: LogStream::Stdout, at, line: text.trim_end_matches(['\n', '\r']).to_owned() }).await;
                }
            }
            Err(error) if convert::code(&error) == Some(404) => return Ok(()),
            // The container is not there yet, or between two runs.
            Err(error) if convert::code(&error) == Some(400) && how.follow => {}
            Err(error) if how.follow && convert::code(&error).is_none() => tracing::debug!(%error, "a log broke and is opened again"),
            Err(error) => return Err(convert::cluster("read log")(error)),
        }
        if !how.follow || ended(&api, &pod, container.as_deref()).await? {
            return Ok(());
        }
        since = position.last.parse().ok().or(since);
        tail = None;
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether nothing more can come from a pod, or from its one container that is read: others may go on when it has ended for good.
async fn ended(api: &Api<Pod>, pod: &str, container: Option<&str>) -> Result<bool> {
    let Some(found) = api.get_opt(pod).await.map_err(convert::cluster("read pod"))? else { return Ok(true) };
    let status = found.status.unwrap_or_default();
    let once = found.spec.is_some_and(|spec| spec.restart_policy.as_deref() == Some("Never"));
    let over = status
        .container_statuses
        .iter()
        .flatten()
        .any(|status| container == Some(status.name.as_str()) && status.state.as_ref().is_some_and(|state| state.terminated.is_some()));
    Ok((once && over) || matches!(status.phase.as_deref(), None | Some("Succeeded" | "Failed")))
}

/// What of a log was told: everything up to a time, and the lines of exactly that time.
#[derive(Debug, Default)]
struct Position {
    last: String,
    lines: Vec<String>,
}

impl Position {
    /// Whether a line was not told yet. Times are of nanoseconds, in one form, so that they compare as texts do.
    fn is_new(&mut self, at: &str, line: &str) -> bool {
        let (now, last) = (at.parse::<Instant>().ok(), self.last.parse::<Instant>().ok());
        if now < last {
            return false;
        }
        if now == last && now.is_some() {
            if self.lines.iter().any(|told| told == line) {
                return false;
            }
        } else {
            self.lines.clear();
            self.last = at.to_owned();
        }
        self.lines.push(line.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn a_line_is_told_once_however_often_the_log_is_opened() {
        let mut position = Position::default();
        assert!(position.is_new("2026-11-21T10:00:00.000000001Z", "a\n"));
        assert!(position.is_new("2026-11-21T10:00:00.000000001Z", "b\n"));
        assert!(!position.is_new("2026-11-21T10:00:00.000000001Z", "a\n"), "opened again at the same time");
        assert!(!position.is_new("2026-11-21T09:59:59Z", "z\n"), "before what was told");
        assert!(position.is_new("2026-11-21T10:00:00.5Z", "a\n"), "the same words later");
    }
}
