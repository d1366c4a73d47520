//! One commit, by gix, into a directory.

use super::Limits;
use super::client::{authorization, certificates, transport};
use gix::remote::fetch::Shallow;
use kiwi_core::domain::{CommitSha, GitUrl, Source};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{BoxStream, FetchEvent, SourceAccess};
use secrecy::ExposeSecret as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How often the watchdog looks.
const LOOK: Duration = Duration::from_millis(200);

pub(super) fn open(source: Source, commit: CommitSha, access: SourceAccess, into: PathBuf, limits: Limits) -> BoxStream<Result<FetchEvent>> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        let result = watch(source, commit, access, into, limits, &sender).await;
        let _ = sender.send(result.map(|()| FetchEvent::Done)).await;
    });
    Box::pin(tokio_stream::wrappers::ReceiverStream::new(receiver))
}

/// Runs the fetch in a thread of its own and stops waiting for it when it breaks a bound, or when nobody listens any more. gix's
/// transport cannot be interrupted while it waits for a byte, so the thread may outlive us until its own timeout.
async fn watch(
    source: Source,
    commit: CommitSha,
    access: SourceAccess,
    into: PathBuf,
    limits: Limits,
    events: &mpsc::Sender<Result<FetchEvent>>,
) -> Result<()> {
    let Source::Git { repository, .. } = source else {
        return Err(Error::new(ErrorKind::Unsupported, "fetch commit", "an image source has no git server"));
    };
    let interrupt = Arc::new(AtomicBool::new(false));
    let (done, mut finished) = oneshot::channel();
    let work = {
        let (into, interrupt, limits, host) = (into.clone(), interrupt.clone(), limits.clone(), repository.authority().to_owned());
        let fail = move |error: Error| {
            tracing::debug!(%host, error = %error.chain(), "fetch failed");
            error
        };
        move || {
            let _ = done.send(fetch(&repository, &commit, &access, &into, &limits, &interrupt).map_err(fail));
        }
    };
    std::thread::Builder::new()
        .name("kiwi-fetch".into())
        .spawn(work)
        .map_err(|error| Error::new(ErrorKind::Internal, "fetch commit", "no thread can be started").with_source(error))?;
    let (began, mut grew, mut size) = (Instant::now(), Instant::now(), 0);
    loop {
        tokio::select! {
            result = &mut finished => return result.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "fetch commit", "the fetch ended without a word"))),
            () = tokio::time::sleep(LOOK) => {}
        }
        let directory = into.clone();
        let now = tokio::task::spawn_blocking(move || bytes_below(&directory)).await.unwrap_or(0);
        if now != size {
            (size, grew) = (now, Instant::now());
            if events.try_send(Ok(FetchEvent::Received { bytes: size })).is_err() && events.is_closed() {
                interrupt.store(true, Ordering::Relaxed);
                return Err(Error::new(ErrorKind::Cancelled, "fetch commit", "nobody waits for the fetch any more"));
            }
        }
        let stop = |kind, message: String| {
            interrupt.store(true, Ordering::Relaxed);
            Err(Error::new(kind, "fetch commit", message))
        };
        if size > limits.bytes {
            interrupt.store(true, Ordering::Relaxed);
            return Err(too_large(limits.bytes));
        }
        if grew.elapsed() > limits.stall {
            return stop(ErrorKind::Timeout, format!("Connection timeout: no byte arrived for {} s", limits.stall.as_secs()));
        }
        if began.elapsed() > limits.fetch {
            return stop(ErrorKind::Timeout, format!("the fetch took longer than {} s", limits.fetch.as_secs()));
        }
    }
}

fn fetch(url: &GitUrl, commit: &CommitSha, access: &SourceAccess, into: &Path, limits: &Limits, interrupt: &AtomicBool) -> Result<()> {
    let certificates = certificates(access)?;
    // Nothing of the machine's or the user's git configuration applies: no helpers, no filters, no rewritten URLs.
    let mut overrides = vec!["http.followRedirects=false".to_owned(), "gitoxide.credentials.terminalPrompt=false".to_owned(), "protocol.version=2".to_owned()];
    if let Some(token) = &access.token {
        overrides.push(format!("http.extraHeader=Authorization: {}", authorization(token).expose_secret()));
    }
    let failed = |error: gix::Error| classify(url, commit, &error);
    let mut clone =
        gix::clone::PrepareFetch::new(url.as_str(), into, gix::create::Kind::WithWorktree, gix::create::Options::default(), gix::open::Options::isolated())
            .map_err(failed)?
            .with_in_memory_config_overrides(overrides)
            .with_shallow(Shallow::DepthAtRemote(NonZeroU32::MIN))
            .with_revision(Some(commit.as_str()))
            .map_err(failed)?
            .configure_remote(|remote| Ok(remote.with_fetch_tags(gix::remote::fetch::Tags::None)))
            .configure_connection({
                let (answer, whole) = (limits.answer, limits.fetch);
                move |connection| {
                    // Refused here, gix would ask a person at the terminal.
                    connection.set_credentials(|_| Ok(None));
                    let mut options = connection.remote().repo().transport_options(
                        connection.remote().url(gix::remote::Direction::Fetch).map(|url| url.to_bstring()).unwrap_or_default().as_ref() as &gix::bstr::BStr,
                        None,
                    )?;
                    if let Some(http) =
                        options.as_mut().and_then(|options| options.downcast_mut::<gix::protocol::transport::client::blocking_io::http::Options>())
                    {
                        let certificates = certificates.clone();
                        http.backend = Some(Arc::new(std::sync::Mutex::new(gix::protocol::transport::client::blocking_io::http::reqwest::Options {
                            configure_client: Some(Box::new(move |mut builder| {
                                builder = builder.connect_timeout(answer).timeout(whole);
                                for certificate in &certificates {
                                    builder = builder.add_root_certificate(certificate.clone());
                                }
                                Ok(builder)
                            })),
                            configure_request: None,
                        })));
                    }
                    if let Some(options) = options {
                        connection.set_transport_options(options);
                    }
                    Ok(())
                }
            });
    let (mut checkout, _) = clone.fetch_then_checkout(gix::progress::Discard, interrupt).map_err(failed)?;
    // A fast server sends everything between two looks of the watchdog.
    bounded(into, limits.bytes)?;
    let (repository, _) = checkout.main_worktree(gix::progress::Discard, interrupt).map_err(failed)?;
    bounded(into, limits.bytes)?;
    let head =
        repository.head_id().map_err(|error| Error::new(ErrorKind::Internal, "fetch commit", "the fetched repository has no head").with_source(error))?;
    // The server chooses what it sends; only this comparison makes it the commit that was asked for.
    let wanted = gix::ObjectId::from_hex(commit.as_str().as_bytes()).ok();
    if wanted != Some(head.detach()) {
        return Err(Error::new(ErrorKind::Protocol, "fetch commit", format!("the server sent {head} instead of {commit}")));
    }
    date_by_content(&repository, into)?;
    drop(repository);
    std::fs::remove_dir_all(into.join(".git"))
        .map_err(|error| Error::new(ErrorKind::Storage, "fetch commit", "git's own files cannot be removed").with_source(error))
}

fn bounded(directory: &Path, limit: u64) -> Result<()> {
    if bytes_below(directory) > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: u64) -> Error {
    Error::new(ErrorKind::TooLarge, "fetch commit", format!("the repository is larger than {} MiB at this commit", limit >> 20))
}

/// Dates every file by its content: the same blob always gets the same time, another one another. Builders compare sizes and times to find
/// what changed since the last build; with the time of the checkout, everything would have.
fn date_by_content(repository: &gix::Repository, tree: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::new(ErrorKind::Storage, "fetch commit", "a file cannot be dated").with_source(error);
    let index =
        repository.index().map_err(|error| Error::new(ErrorKind::Internal, "fetch commit", "the fetched repository has no index").with_source(error))?;
    for entry in index.entries() {
        let Ok(path) = std::str::from_utf8(entry.path(&index)) else { continue };
        let path = tree.join(path);
        // Links are sent as they are, and must not be followed.
        if !std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let id = entry.id.as_bytes();
        let number = id.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        // 2000-01-01 and a time of day: 46 bits of the hash, and all files of a tree within 18 hours, as after a checkout.
        let time = Duration::new(946_684_800 + (number >> 48), u32::try_from(number % 1_000_000_000).unwrap_or(0));
        std::fs::File::open(&path).and_then(|file| file.set_modified(std::time::UNIX_EPOCH + time)).map_err(failed)?;
    }
    Ok(())
}

fn classify(url: &GitUrl, commit: &CommitSha, error: &gix::Error) -> Error {
    let text = format!("{error:?} {error:#}");
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let fail = |kind, message: String| Error::new(kind, "fetch commit", message);
    let detail = || {
        // The whole chain of gix would tell people about object formats; the first line is enough.
        let first: String = error.to_string().lines().next().unwrap_or_default().chars().take(300).collect();
        std::io::Error::other(first)
    };
    if has(&["not our ref", "unadvertised object", "did not have any object", "remote didn't have any ref", "no such remote ref"]) {
        return fail(ErrorKind::CommitNotFound, format!("the server has no commit {commit}, or does not give it away"));
    }
    if has(&["401", "credentials", "unauthorized", "authentication"]) {
        return fail(ErrorKind::Unauthenticated, "Authentication failed".into());
    }
    if has(&["404 not found", "received http status 404"]) {
        return fail(ErrorKind::RepositoryNotFound, format!("Repository not found: {url}"));
    }
    if has(&["refusing to follow redirect", "redirect"]) {
        return fail(ErrorKind::RepositoryNotFound, "the repository has moved".into())
            .with_hint("Kiwi follows no redirects, which could carry a token away; use the new URL");
    }
    if has(&["interrupted"]) {
        return fail(ErrorKind::Cancelled, "the fetch was stopped".into());
    }
    if has(&["no space left"]) {
        return fail(ErrorKind::Storage, "the disk is full".into());
    }
    if has(&["error sending request", "connect", "dns", "certificate", "timed out", "operation timed out", "tls"]) {
        return transport("fetch commit", url.authority(), &std::io::Error::other(text), false);
    }
    fail(ErrorKind::Protocol, "the server's answer cannot be used".into())
        .with_source(detail())
        .with_hint("run `git clone` by hand to see whether git itself can fetch it")
}

/// The size of everything below a directory; what disappears meanwhile counts nothing.
fn bytes_below(directory: &Path) -> u64 {
    let mut total = 0;
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => total += bytes_below(&entry.path()),
            Ok(metadata) => total += metadata.len(),
            Err(_) => {}
        }
    }
    total
}
