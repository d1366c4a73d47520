//! The files of a build, sent as BuildKit asks for them: first the list, then the contents of what it lacks.
//!
//! The protocol is fsutil's (`github.com/tonistiigi/fsutil`): the sender lists every entry in order and ends with an empty one;
//! an entry's number is its place in the list. The receiver asks by number, and says when it is done.

use super::super::context::{Context, Entry, Patterns, walk};
use super::session::DOCKERFILE;
use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use bollard_buildkit_proto::moby::filesync::v1::file_sync_server::FileSync;
use kiwi_core::error::{Error, ErrorKind};
use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming, async_trait};

/// How much of a file travels in one message.
const CHUNK: usize = 128 * 1024;

/// The two directories that BuildKit knows: `context`, and `dockerfile` with nothing but the Dockerfile.
pub(super) struct Files {
    root: Arc<PathBuf>,
    dockerfile: Arc<Vec<u8>>,
    own_ignore: Option<Arc<String>>,
}

impl Files {
    pub(super) fn new(context: Context) -> Self {
        // BuildKit reads `.dockerignore` from the context itself; an ignore file of the Dockerfile's own must be shown to it.
        let own_ignore = (!context.ignore_text.is_empty()).then(|| Arc::new(context.ignore_text));
        Self { root: Arc::new(context.root), dockerfile: Arc::new(context.dockerfile), own_ignore }
    }
}

#[async_trait]
impl FileSync for Files {
    type DiffCopyStream = ReceiverStream<Result<Packet, Status>>;
    type TarStreamStream = ReceiverStream<Result<Packet, Status>>;

    async fn diff_copy(&self, request: Request<Streaming<Packet>>) -> Result<Response<Self::DiffCopyStream>, Status> {
        let directory = one(request.metadata(), "dir-name");
        let (sender, receiver) = mpsc::channel(16);
        let (wanted_sender, wanted) = mpsc::channel(1024);
        let selection = Selection::read(request.metadata())?;
        let mut incoming = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(packet)) = incoming.message().await {
                if wanted_sender.send(packet).await.is_err() {
                    return;
                }
            }
        });
        let source = match directory.as_str() {
            "context" | "" => Listing::Tree(self.root.clone(), selection),
            "dockerfile" => {
                let mut files = vec![(DOCKERFILE.to_owned(), self.dockerfile.clone())];
                if let Some(ignore) = &self.own_ignore {
                    files.push((format!("{DOCKERFILE}.dockerignore"), Arc::new(ignore.as_bytes().to_vec())));
                }
                Listing::Texts(files)
            }
            other => return Err(Status::not_found(format!("there is no directory {other}"))),
        };
        tokio::task::spawn_blocking(move || {
            if let Err(status) = serve(&source, &sender, wanted) {
                let _ = sender.blocking_send(Err(status));
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn tar_stream(&self, _: Request<Streaming<Packet>>) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("files are sent by DiffCopy"))
    }
}

enum Listing {
    Tree(Arc<PathBuf>, Selection),
    Texts(Vec<(String, Arc<Vec<u8>>)>),
}

fn serve(source: &Listing, sender: &mpsc::Sender<Result<Packet, Status>>, mut wanted: mpsc::Receiver<Packet>) -> Result<(), Status> {
    let gone = |_| Status::cancelled("BuildKit reads no more");
    let send = |packet: Packet| sender.blocking_send(Ok(packet)).map_err(gone);
    let stat_packet = |stat: Option<Stat>| Packet { r#type: PacketType::PacketStat.into(), stat, ..Packet::default() };
    let mut paths = Vec::new();
    match source {
        Listing::Texts(files) => {
            for (name, text) in files {
                let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
                send(stat_packet(Some(Stat { path: name.clone(), mode: 0o644, size, ..Stat::default() })))?;
                paths.push(name.clone());
            }
        }
        Listing::Tree(root, selection) => selection.list(root, &mut |entry| {
            let stat = stat(root, &entry)?;
            paths.push(entry.path);
            sender.blocking_send(Ok(stat_packet(Some(stat)))).map_err(|_| Error::new(ErrorKind::Cancelled, "send build context", "nobody reads"))
        })?,
    }
    send(stat_packet(None))?;
    while let Some(packet) = wanted.blocking_recv() {
        match PacketType::try_from(packet.r#type) {
            Ok(PacketType::PacketReq) => {
                let index = packet.id as usize;
                let path = paths.get(index).ok_or_else(|| Status::invalid_argument("there is no such entry"))?;
                let data = |data: Vec<u8>| send(Packet { r#type: PacketType::PacketData.into(), id: packet.id, data, ..Packet::default() });
                match source {
                    Listing::Texts(files) => data(files[index].1.to_vec())?,
                    Listing::Tree(root, _) => {
                        let mut file = fs::File::open(root.join(path)).map_err(|error| Status::internal(format!("{path}: {error}")))?;
                        loop {
                            let mut chunk = Vec::with_capacity(CHUNK);
                            file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk).map_err(|error| Status::internal(format!("{path}: {error}")))?;
                            if chunk.is_empty() {
                                break;
                            }
                            data(chunk)?;
                        }
                    }
                }
                // An empty piece ends the file.
                data(Vec::new())?;
            }
            Ok(PacketType::PacketFin) => return send(Packet { r#type: PacketType::PacketFin.into(), ..Packet::default() }),
            Ok(PacketType::PacketErr) => return Err(Status::aborted(String::from_utf8_lossy(&packet.data).into_owned())),
            _ => {}
        }
    }
    Ok(())
}

/// Go's file mode bits, which the protocol uses.
fn stat(root: &Path, entry: &Entry) -> kiwi_core::Result<Stat> {
    let unix = entry.metadata.mode();
    let mut mode = unix & 0o777;
    for (bit, go) in [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)] {
        if unix & bit != 0 {
            mode |= go;
        }
    }
    let mut linkname = String::new();
    if entry.metadata.is_dir() {
        mode |= 1 << 31;
    } else if entry.metadata.is_symlink() {
        mode |= 1 << 27;
        let target = fs::read_link(root.join(&entry.path)).map_err(super::super::context::io("read build context"))?;
        linkname = target.to_string_lossy().into_owned();
    }
    let size = if entry.metadata.is_file() { i64::try_from(entry.metadata.len()).unwrap_or(i64::MAX) } else { 0 };
    // Owners are 0, as the docker command sends them: whoever checked the tree out must not show in the image.
    let mod_time = entry.metadata.mtime().saturating_mul(1_000_000_000).saturating_add(entry.metadata.mtime_nsec());
    Ok(Stat { path: entry.path.clone(), mode, size, mod_time, linkname, ..Stat::default() })
}

/// Which entries BuildKit asked for.
struct Selection {
    include: Option<Patterns>,
    exclude: Patterns,
    follow: Vec<String>,
}

impl Selection {
    fn read(metadata: &MetadataMap) -> Result<Self, Status> {
        let bad = |error: Error| Status::invalid_argument(error.chain());
        let include = all(metadata, "include-patterns");
        let exclude = all(metadata, "exclude-patterns");
        let include = if include.is_empty() { None } else { Some(Patterns::new(include.iter().map(String::as_str)).map_err(bad)?) };
        Ok(Self { include, exclude: Patterns::new(exclude.iter().map(String::as_str)).map_err(bad)?, follow: all(metadata, "followpaths") })
    }

    fn list(&self, root: &Path, keep: &mut dyn FnMut(Entry) -> kiwi_core::Result<()>) -> Result<(), Status> {
        let failed = |error: Error| Status::internal(error.chain());
        let follow =
            if self.follow.is_empty() { None } else { Some(Patterns::new(follow_links(root, &self.follow).iter().map(String::as_str)).map_err(failed)?) };
        let excluded = |path: &str| self.exclude.matches(path);
        if self.include.is_none() && follow.is_none() {
            return walk(root, "", &excluded, self.exclude.has_exceptions(), keep).map_err(failed);
        }
        let wanted =
            |path: &str| self.include.as_ref().is_some_and(|patterns| patterns.matches(path)) || follow.as_ref().is_some_and(|patterns| patterns.matches(path));
        // A directory is listed only once something below it is wanted, just before it.
        let mut parents: Vec<Entry> = Vec::new();
        walk(root, "", &excluded, self.exclude.has_exceptions(), &mut |entry| {
            parents.retain(|parent| entry.path.starts_with(&format!("{}/", parent.path)));
            if wanted(&entry.path) {
                for parent in parents.drain(..) {
                    keep(parent)?;
                }
                keep(entry)
            } else {
                if entry.metadata.is_dir() {
                    parents.push(entry);
                }
                Ok(())
            }
        })
        .map_err(failed)
    }
}

/// The paths that a Dockerfile copies, and where their links lead inside the tree.
fn follow_links(root: &Path, paths: &[String]) -> Vec<String> {
    let mut queue: VecDeque<String> = paths.iter().map(|path| path.trim_matches('/').to_owned()).collect();
    let mut found = BTreeSet::new();
    while let Some(path) = queue.pop_front() {
        // A tree of links that point at each other must end somewhere.
        if path.is_empty() || found.len() > 10_000 || !found.insert(path.clone()) {
            continue;
        }
        let parts: Vec<&str> = path.split('/').collect();
        for end in 1..=parts.len() {
            let Ok(target) = fs::read_link(root.join(parts[..end].join("/"))) else { continue };
            let base = if target.is_absolute() { Vec::new() } else { parts[..end - 1].to_vec() };
            let mut resolved: Vec<String> = base.into_iter().map(str::to_owned).collect();
            for part in target.to_string_lossy().split('/').chain(parts[end..].iter().copied()) {
                match part {
                    "" | "." => {}
                    ".." => {
                        resolved.pop();
                    }
                    name => resolved.push(name.to_owned()),
                }
            }
            queue.push_back(resolved.join("/"));
            break;
        }
    }
    if found.is_empty() { vec!["**".to_owned()] } else { found.into_iter().collect() }
}

fn all(metadata: &MetadataMap, key: &str) -> Vec<String> {
    let values = metadata.get_all(key).iter().filter_map(|value| value.to_str().ok());
    // Newer BuildKits percent-encode values that a header cannot hold, and say so.
    let encoded = metadata.get(format!("{key}-encoded")).is_some();
    let decode = |value: &str| if encoded { percent_decode(value) } else { value.to_owned() };
    values.map(decode).collect()
}

fn percent_decode(value: &str) -> String {
    // A query pair decodes `+` too; a path never holds a bare one after the encoding.
    url::form_urlencoded::parse(value.replace('+', "%2B").as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

fn one(metadata: &MetadataMap, key: &str) -> String {
    all(metadata, key).into_iter().next().unwrap_or_default()
}
