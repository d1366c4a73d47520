//! One commit into a directory: asked for over smart HTTP, taken apart while it arrives.
//! Format: <https://git-scm.com/docs/protocol-v2#_fetch>; servers that speak only the first protocol get its request.

use super::UrlSource;
use super::advertise::{self, Protocol};
use super::client::Client;
use super::objects::Objects;
use super::packet::{Band, Packet, Packets, line};
use super::tree::{self, too_large};
use bytes::{Buf as _, Bytes};
use kiwi_core::domain::{CommitSha, GitUrl, Source};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{BoxStream, FetchEvent, SourceAccess};
use reqwest::header;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const OPERATION: &str = "fetch commit";

/// How often progress is told.
const TELL: Duration = Duration::from_millis(200);

pub(super) fn open(source: Source, commit: CommitSha, access: SourceAccess, into: PathBuf, settings: UrlSource) -> BoxStream<Result<FetchEvent>> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        let result = tokio::select! {
            result = fetch(&source, &commit, &access, into, &settings, &sender) => result,
            () = tokio::time::sleep(settings.limits.fetch) => {
                Err(Error::new(ErrorKind::Timeout, OPERATION, format!("the fetch took longer than {} s", settings.limits.fetch.as_secs())))
            }
            () = sender.closed() => return,
        };
        let _ = sender.send(result.map(|()| FetchEvent::Done)).await;
    });
    Box::pin(tokio_stream::wrappers::ReceiverStream::new(receiver))
}

async fn fetch(
    source: &Source,
    commit: &CommitSha,
    access: &SourceAccess,
    into: PathBuf,
    settings: &UrlSource,
    events: &mpsc::Sender<Result<FetchEvent>>,
) -> Result<()> {
    let Source::Git { repository: url, .. } = source else {
        return Err(Error::new(ErrorKind::Unsupported, OPERATION, "an image source has no git server"));
    };
    let limits = &settings.limits;
    let client = Client::new(url, access, settings, limits.stall, OPERATION).await?;
    let protocol = advertise::protocol(&client).await?;
    let id = gix::ObjectId::from_hex(commit.as_str().as_bytes())
        .map_err(|_| Error::new(ErrorKind::Unsupported, OPERATION, "repositories with SHA-256 names are not supported"))?;
    let mut response = ask(&client, commit, protocol).await?;
    let (chunks, arriving) = mpsc::channel(4);
    // Whoever stops waiting for this fetch drops it, and with it both: the thread then ends at its next read or file.
    let stop = Stop(Arc::new(AtomicBool::new(false)));
    let work = {
        let (interrupt, url, commit, most_bytes) = (stop.0.clone(), url.clone(), commit.clone(), limits.bytes);
        tokio::task::spawn_blocking(move || {
            let packets = Packets::new(Arriving { chunks: arriving, chunk: Bytes::new() });
            let objects = receive(packets, &into, most_bytes).map_err(|error| broken(&url, &commit, most_bytes, error))?;
            tree::check_out(&objects, &id, &into, most_bytes, &interrupt)
        })
    };
    let (mut received, mut told) = (0, Instant::now());
    while let Some(chunk) = response.chunk().await.map_err(|error| client.broken(error))? {
        received += chunk.len() as u64;
        if received > limits.bytes {
            return Err(too_large(limits.bytes));
        }
        if told.elapsed() > TELL {
            told = Instant::now();
            let _ = events.try_send(Ok(FetchEvent::Received { bytes: received }));
        }
        if chunks.send(chunk).await.is_err() {
            // It has all that it needs, or has failed.
            break;
        }
    }
    drop(chunks);
    let result = work.await.map_err(|error| Error::new(ErrorKind::Internal, OPERATION, "the fetch ended without a word").with_source(error))?;
    drop(stop);
    result
}

async fn ask(client: &Client, commit: &CommitSha, protocol: Protocol) -> Result<reqwest::Response> {
    let agent = concat!("agent=kiwi/", env!("CARGO_PKG_VERSION"));
    let want = |capabilities: &str| line(&format!("want {commit}{capabilities}\n"));
    let body = match protocol {
        Protocol::Two => [
            line("command=fetch\n"),
            line(agent),
            "0001".into(),
            line("no-progress"),
            line("ofs-delta"),
            want(""),
            line("deepen 1"),
            line("done\n"),
            "0000".into(),
        ]
        .concat(),
        Protocol::First => [want(&format!(" side-band-64k ofs-delta no-progress shallow {agent}")), line("deepen 1"), "0000".into(), line("done\n")].concat(),
    };
    let mut request = client.post("git-upload-pack").header(header::CONTENT_TYPE, "application/x-git-upload-pack-request");
    if protocol == Protocol::Two {
        request = request.header("Git-Protocol", "version=2");
    }
    client.send(request.header(header::ACCEPT, "application/x-git-upload-pack-result").body(body), "application/x-git-upload-pack-result").await
}

/// Reads up to the pack, whatever precedes it in either protocol, then the pack.
fn receive(mut packets: Packets<Arriving>, into: &Path, most_bytes: u64) -> std::io::Result<Objects> {
    loop {
        match packets.next()? {
            Some(Packet::Line(b"packfile\n" | b"packfile" | b"NAK\n" | b"NAK")) => break,
            Some(Packet::Line(text)) => {
                if let Some(message) = text.strip_prefix(b"ERR ") {
                    return Err(std::io::Error::other(String::from_utf8_lossy(message).trim().to_owned()));
                }
            }
            Some(Packet::Mark) => {}
            None => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }
    Objects::unpack(&mut Band::new(packets), tempfile::tempfile_in(into)?, most_bytes)
}

/// What a failure to receive the pack means.
fn broken(url: &GitUrl, commit: &CommitSha, most_bytes: u64, error: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let text = error.to_string();
    match error.kind() {
        Io::FileTooLarge => too_large(most_bytes).with_source(error),
        Io::UnexpectedEof => Error::new(ErrorKind::Protocol, OPERATION, "the server's answer ends in the middle").with_source(error),
        Io::StorageFull => Error::new(ErrorKind::Storage, OPERATION, "the disk is full").with_source(error),
        _ if ["not our ref", "unadvertised object", "no such remote ref"].iter().any(|words| text.contains(words)) => {
            Error::new(ErrorKind::CommitNotFound, OPERATION, format!("the server has no commit {commit}, or does not give it away"))
        }
        _ => Error::new(ErrorKind::Protocol, OPERATION, "the server's answer cannot be used")
            .with_source(error)
            .with_hint(format!("run `git clone {url}` by hand to see whether git itself can fetch it")),
    }
}

/// What arrives, for the thread that takes it apart.
struct Arriving {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let length = into.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}

struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
