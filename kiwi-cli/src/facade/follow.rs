//! Reading a server's streams, across connections that end.

use super::Client;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::BoxStream;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::pin::Pin;
use std::time::Duration;

/// How often a stream is opened anew before its end is believed.
const TRIES: u32 = 5;

type Body = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

struct Follower {
    client: Client,
    path: String,
    last: Option<String>,
    body: Option<Body>,
    text: Vec<u8>,
    failures: u32,
    /// Whether an end of the connection is not the end of the stream.
    endless: bool,
    done: bool,
}

/// The events of a stream, each once. `is_last` tells the event after which there is none; without one, a clean end is the end unless the stream is
/// `endless`.
pub(super) fn follow<T: DeserializeOwned + Send + 'static>(client: &Client, path: String, endless: bool, is_last: fn(&T) -> bool) -> BoxStream<Result<T>> {
    let follower = Follower { client: client.clone(), path, last: None, body: None, text: Vec::new(), failures: 0, endless, done: false };
    stream::try_unfold(follower, move |mut follower| async move {
        if follower.done {
            return Ok(None);
        }
        let Some(data) = follower.next().await? else { return Ok(None) };
        let value: T = serde_json::from_value(data).map_err(|error| {
            Error::new(ErrorKind::Protocol, "read stream", "an event of the server does not fit; it may have another version").with_source(error)
        })?;
        follower.done = is_last(&value);
        Ok(Some((value, follower)))
    })
    .boxed()
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some((id, name, data)) = self.block() {
                if name == "error" {
                    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
                    let kind = serde_json::from_value(data["code"].clone()).unwrap_or(ErrorKind::Unavailable);
                    return Err(Error::new(kind, "follow stream", text("detail")).with_hint(text("hint")));
                }
                self.last = id.or(self.last.take());
                self.failures = 0;
                return Ok(Some(data));
            }
            let Some(body) = &mut self.body else {
                let response = self.client.stream(&self.path, self.last.as_deref()).await;
                match response {
                    Ok(response) => self.body = Some(Box::pin(response.bytes_stream())),
                    Err(error) if error.is_retryable() && self.failures < TRIES => self.pause().await,
                    Err(error) => return Err(error),
                }
                continue;
            };
            match body.next().await {
                Some(Ok(chunk)) => self.text.extend_from_slice(&chunk),
                None if !self.endless => return Ok(None),
                // A server that stops ends its streams; another one, or the next, goes on after the last id.
                None | Some(Err(_)) if self.failures < TRIES => {
                    (self.body, self.text) = (None, Vec::new());
                    self.pause().await;
                }
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(Error::new(ErrorKind::Unavailable, "follow stream", "the connection to the server broke").with_source(error.without_url()));
                }
            }
        }
    }

    async fn pause(&mut self) {
        self.failures += 1;
        tokio::time::sleep(Duration::from_millis(200 << self.failures)).await;
    }

    /// The next whole event: its id, its name and its data.
    fn block(&mut self) -> Option<(Option<String>, String, Value)> {
        loop {
            let end = self.text.windows(2).position(|pair| pair == b"\n\n")?;
            let block: Vec<u8> = self.text.drain(..end + 2).collect();
            let block = String::from_utf8_lossy(&block);
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_start().to_owned());
            // A comment keeps the connection and says nothing.
            if let Some(data) = field("data:").and_then(|data| serde_json::from_str(&data).ok()) {
                return Some((field("id:"), field("event:").unwrap_or_default(), data));
            }
        }
    }
}
