//! Log lines of a workload, through restarts and replacements.

use super::client::Engine;
use super::convert;
use super::labels::role;
use super::replica;
use crate::feed::Feed;
use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt as _;
use kiwi_core::domain::{LogStream, Timestamp};
use kiwi_core::error::Result;
use kiwi_core::provider::{LogLine, LogQuery};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a follower looks for new replicas.
const LOOK: Duration = Duration::from_millis(500);
/// A line that never ends is cut here.
const LONGEST: usize = 64 * 1024;

pub(super) async fn logs(engine: Engine, query: LogQuery, feed: Feed<LogLine>) -> Result<()> {
    let (mut known, mut readers) = (BTreeSet::new(), tokio::task::JoinSet::new());
    loop {
        let mut found: Vec<_> = replica::list(&engine, &query.workload).await?;
        found.retain(|found| found.role == role::REPLICA && query.container.as_ref().is_none_or(|wanted| found.container.as_ref() == Some(wanted)));
        found.sort_by(|a, b| (a.revision, &a.name).cmp(&(b.revision, &b.name)));
        // Who arrives later is read from its first line on.
        let tail = if known.is_empty() { query.tail } else { None };
        for replica in found {
            if known.insert(replica.id.clone()) {
                let reading = read(engine.clone(), replica.name, query.clone(), tail, feed.clone());
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

async fn read(engine: Engine, name: String, query: LogQuery, tail: Option<u32>, feed: Feed<LogLine>) -> Result<()> {
    let tail = tail.map_or_else(|| "all".to_owned(), |count| count.to_string());
    let since = query.since.map_or(0, |since| i32::try_from(since.as_millis() / 1000).unwrap_or(0));
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(query.follow).timestamps(true).since(since).tail(&tail).build();
    let mut stream = engine.docker.logs(&name, Some(options));
    let mut pending = [Vec::new(), Vec::new()];
    while let Some(item) = stream.next().await {
        let (index, stream_name, bytes) = match item {
            Ok(LogOutput::StdErr { message }) => (1, LogStream::Stderr, message),
            Ok(other) => (0, LogStream::Stdout, other.into_bytes()),
            Err(error) if convert::status(&error) == Some(404) => return Ok(()),
            Err(error) => return Err(convert::engine("read log")(error)),
        };
        let buffer: &mut Vec<u8> = &mut pending[index];
        buffer.extend_from_slice(&bytes);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n').or_else(|| (buffer.len() > LONGEST).then_some(LONGEST)) {
            let line: Vec<u8> = buffer.drain(..=end.min(buffer.len() - 1)).collect();
            let text = String::from_utf8_lossy(&line);
            let (at, text) = text.split_once(' ').unwrap_or(("", &text));
            let at = serde_json::from_value::<Timestamp>(serde_json::Value::String(at.to_owned())).ok();
            if let (Some(since), Some(at)) = (query.since, at)
                && at <= since
            {
                continue;
            }
            feed.send(LogLine { replica: name.clone(), stream: stream_name, at, line: text.trim_end_matches(['\n', '\r']).to_owned() }).await;
        }
    }
    Ok(())
}
