//! Walking a source tree that nobody trusts.

use kiwi_core::domain::Coverage;
#[cfg(any(feature = "_sast", feature = "sca", feature = "secrets"))]
use kiwi_core::{
    error::{Error, ErrorKind, Result},
    provider::ScanTarget,
};
use std::path::{Path, PathBuf};
#[cfg(any(feature = "_sast", feature = "secrets"))]
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// Directories that hold other people's code, or none; their own manifests were read elsewhere.
const FOREIGN: [&str; 8] = [".git", ".hg", ".svn", "node_modules", "bower_components", "__pycache__", ".venv", ".tox"];
/// What marks a virtual environment of Python's, whatever its name; where its programs are; and all that else is in one. Where something else is,
/// somebody may hide it.
const ENVIRONMENT: &str = "pyvenv.cfg";
const PROGRAMS: [&str; 2] = ["bin", "Scripts"];
const BESIDE: [&str; 12] = ["include", "Include", "lib", "lib64", "Lib", "share", "etc", "man", ".gitignore", ".lock", "CACHEDIR.TAG", "pip-selfcheck.json"];
/// So many entries are looked at: a tree may be made to be endless.
const MOST_ENTRIES: usize = 2_000_000;

/// Looks at a source tree without keeping others waiting.
#[cfg(any(feature = "_sast", feature = "sca", feature = "secrets"))]
pub(crate) async fn scan<T: Send + 'static>(target: &ScanTarget, operation: &'static str, look: impl FnOnce(&Path) -> Result<T> + Send + 'static) -> Result<T> {
    let ScanTarget::Tree(root) = target else {
        return Err(Error::new(ErrorKind::Unsupported, operation, "only source trees are scanned"));
    };
    let root = root.clone();
    blocking(operation, move || look(&root)).await
}

/// What takes long, or waits for a disk.
#[cfg(any(feature = "_sast", feature = "sca", feature = "secrets"))]
pub(crate) async fn blocking<T: Send + 'static>(operation: &'static str, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Error::new(ErrorKind::Internal, operation, "the scan ended without a result").with_source(error))?
}

/// A file of the tree.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) place: PathBuf,
    pub(crate) size: u64,
}

/// Every regular file below `root`, in the order of their paths. Links are not followed. What cannot be listed is skipped with its reason.
#[cfg(any(feature = "_sast", feature = "external", feature = "secrets"))]
pub(crate) fn files(root: &Path, coverage: &mut Coverage) -> Vec<File> {
    list(root, coverage).0
}

/// The regular files, and all that is neither a file nor a directory, such as links.
pub(crate) fn list(root: &Path, coverage: &mut Coverage) -> (Vec<File>, Vec<File>) {
    let (mut found, mut others, mut seen) = (Vec::new(), Vec::new(), 0);
    let mut open = vec![(root.to_owned(), String::new())];
    while let Some((directory, prefix)) = open.pop() {
        if !prefix.is_empty() && is_environment(&directory) {
            continue;
        }
        let shown = || if prefix.is_empty() { ".".to_owned() } else { prefix.clone() };
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                coverage.skip(shown(), format!("it cannot be listed: {error}"));
                continue;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    coverage.skip(shown(), format!("it cannot be listed: {error}"));
                    continue;
                }
            };
            seen += 1;
            if seen > MOST_ENTRIES {
                coverage.skip(shown(), format!("the tree has more than {MOST_ENTRIES} entries"));
                found.sort_by(|a: &File, b| a.path.cmp(&b.path));
                return (found, others);
            }
            let Ok(kind) = entry.file_type() else { continue };
            let below = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                coverage.skip(below(&name.to_string_lossy()), "its name is not UTF-8");
                continue;
            };
            let path = below(name);
            if kind.is_dir() && !FOREIGN.contains(&name) {
                open.push((entry.path(), path));
            } else if kind.is_file() {
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                found.push(File { path, place: entry.path(), size });
            } else if !kind.is_dir() {
                others.push(File { path, place: entry.path(), size: 0 });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    (found, others)
}

/// Whether a directory is a virtual environment.
fn is_environment(directory: &Path) -> bool {
    let is = |name: &str, wanted: fn(&std::fs::Metadata) -> bool| directory.join(name).symlink_metadata().is_ok_and(|found| wanted(&found));
    let only = |inside: &Path, known: &dyn Fn(&str) -> bool| {
        std::fs::read_dir(inside).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(known))))
    };
    is(ENVIRONMENT, std::fs::Metadata::is_file)
        && PROGRAMS.iter().any(|name| is(name, std::fs::Metadata::is_dir))
        && only(directory, &|name| name == ENVIRONMENT || PROGRAMS.contains(&name) || BESIDE.contains(&name))
        && (!is("lib", std::fs::Metadata::is_dir) || only(&directory.join("lib"), &|name| name.starts_with("python") || name.starts_with("pypy")))
}

/// Looks at every file, on all processors, each with a stack of so many bytes. Answers in the order of the paths; a file that is missing from the
/// answers could not be looked at.
#[cfg(any(feature = "_sast", feature = "secrets"))]
pub(crate) fn each<T: Send>(files: &[File], stack: usize, look: impl Fn(&File) -> T + Sync) -> Vec<(&str, T)> {
    // The largest first, so that none is begun when everything else is done.
    let mut order: Vec<&File> = files.iter().collect();
    order.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.path.cmp(&b.path)));
    let (next, answers) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(files.len())));
    let work = || {
        while let Some(file) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = look(file);
            if let Ok(mut answers) = answers.lock() {
                answers.push((file.path.as_str(), answer));
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    std::thread::scope(|scope| {
        // Where no more threads can be had, those that run do it all.
        (0..workers).all(|_| std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, work).is_ok());
    });
    let mut answers = answers.into_inner().unwrap_or_default();
    answers.sort_by_key(|(path, _)| *path);
    answers
}

/// The text of a file of at most `limit` bytes; else why not.
#[cfg(feature = "sca")]
pub(crate) fn text(file: &File, limit: u64) -> std::result::Result<String, String> {
    String::from_utf8(bytes(file, limit)?).map_err(|_| "it is not UTF-8".to_owned())
}

/// The bytes of a file of at most `limit` bytes; else why not.
pub(crate) fn bytes(file: &File, limit: u64) -> std::result::Result<Vec<u8>, String> {
    use std::io::Read as _;
    if file.size > limit {
        return Err(format!("it is larger than {} MiB", limit >> 20));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(file.size).unwrap_or(0));
    let read = std::fs::File::open(&file.place).and_then(|open| open.take(limit + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {} MiB", limit >> 20));
    }
    Ok(bytes)
}
