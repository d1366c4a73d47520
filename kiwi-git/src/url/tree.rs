//! A commit's files, from its objects into a directory.

use super::objects::Objects;
use gix::objs::{FindExt as _, tree::EntryKind};
use gix::worktree::stack::state::attributes::Source as Attributes;
use gix::{ObjectId, oid};
use kiwi_core::error::{Error, ErrorKind, Result};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Files and directories of one tree. A few objects can name each other into billions.
const MOST: u64 = 2_000_000;

/// Directories within each other: more than any file system's longest path can hold.
const DEEPEST: usize = 2048;

/// Writes the files of `commit`. Whatever the repository says, nothing runs and nothing is read outside of it: there is no git
/// configuration, submodules stay empty directories, links stay links.
pub(super) fn check_out(objects: &Objects, commit: &oid, into: &Path, most_bytes: u64, interrupt: &AtomicBool) -> Result<()> {
    let mut buffer = Vec::new();
    let tree = objects.find_commit(commit, &mut buffer).map_err(|error| unusable(&error))?.tree();
    let total = Measure { objects, known: HashMap::new() }.tree(tree, 0)?;
    if total.entries > MOST || total.bytes > most_bytes {
        return Err(too_large(most_bytes));
    }
    // The repository is empty; its defaults say how files are written.
    let create = gix::create::Options::default();
    let repository = gix::ThreadSafeRepository::init_opts(into, gix::create::Kind::WithWorktree, create, gix::open::Options::isolated())
        .map_err(|error| Error::new(ErrorKind::Storage, OPERATION, "the directory cannot be prepared").with_source(error))?
        .to_thread_local();
    let mut options = repository.checkout_options(Attributes::IdMapping).map_err(|error| unusable(&error))?;
    options.destination_is_initially_empty = true;
    let mut index = gix::index::State::from_tree(&tree, objects, options.validate).map_err(|error| unusable(&error))?;
    let count = gix::progress::Discard;
    let done = gix::worktree::state::checkout(&mut index, into, objects, &count, &count, interrupt, options).map_err(|error| unwritten(&error))?;
    if interrupt.load(Ordering::Relaxed) {
        return Err(Error::new(ErrorKind::Cancelled, OPERATION, "the fetch was stopped"));
    }
    if let Some(collision) = done.collisions.first() {
        return Err(Error::new(ErrorKind::Protocol, OPERATION, format!("two files of the repository have one name: {}", collision.path)));
    }
    date_by_content(&index, into)?;
    std::fs::remove_dir_all(into.join(".git"))
        .map_err(|error| Error::new(ErrorKind::Storage, OPERATION, "git's own files cannot be removed").with_source(error))
}

const OPERATION: &str = "fetch commit";

pub(super) fn too_large(limit: u64) -> Error {
    Error::new(ErrorKind::TooLarge, OPERATION, format!("the repository is larger than {} MiB, or than {MOST} files, at this commit", limit >> 20))
}

fn unusable(error: &gix::Error) -> Error {
    // The whole chain would tell people about object formats; the first line is enough.
    let first: String = format!("{error:#}").lines().next().unwrap_or_default().chars().take(300).collect();
    Error::new(ErrorKind::Protocol, OPERATION, "the server's commit cannot be used")
        .with_source(std::io::Error::other(first))
        .with_hint("run `git clone` and `git fsck` by hand to see whether git itself can use it")
}

fn unwritten(error: &gix::Error) -> Error {
    let text = format!("{error:#}");
    let message = if text.to_lowercase().contains("no space left") { "the disk is full" } else { "the files cannot be written" };
    Error::new(ErrorKind::Storage, OPERATION, message).with_source(std::io::Error::other(text))
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    entries: u64,
    bytes: u64,
}

/// Adds up what a tree would write, each object looked at once, before anything is written.
struct Measure<'a> {
    objects: &'a Objects,
    known: HashMap<ObjectId, Total>,
}

impl Measure<'_> {
    fn tree(&mut self, id: ObjectId, depth: usize) -> Result<Total> {
        if let Some(total) = self.known.get(&id) {
            return Ok(*total);
        }
        let malformed = |what: &str| Error::new(ErrorKind::Protocol, OPERATION, format!("the server's commit cannot be used: {what}"));
        if depth > DEEPEST {
            return Err(malformed("its directories are nested too deeply"));
        }
        let (mut buffer, mut total, mut names) = (Vec::new(), Total::default(), HashSet::new());
        for entry in self.objects.find_tree_iter(&id, &mut buffer).map_err(|error| unusable(&error))? {
            let entry = entry.map_err(|error| malformed(&error.to_string()))?;
            // A name that is both a link and a directory would lead out of the tree.
            if !names.insert(entry.filename) {
                return Err(malformed("a name is there twice"));
            }
            let below = match entry.mode.kind() {
                EntryKind::Tree => self.tree(entry.oid.to_owned(), depth + 1)?,
                EntryKind::Commit => Total::default(),
                _ => Total { entries: 0, bytes: self.objects.length(entry.oid).ok_or_else(|| malformed("a file's content is missing"))? },
            };
            total.entries = total.entries.saturating_add(below.entries).saturating_add(1);
            total.bytes = total.bytes.saturating_add(below.bytes);
        }
        self.known.insert(id, total);
        Ok(total)
    }
}

/// Dates every file by its content: the same blob always gets the same time, another one another. Builders compare sizes and times to find
/// what changed since the last build; with the time of the checkout, everything would have.
fn date_by_content(index: &gix::index::State, tree: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::new(ErrorKind::Storage, OPERATION, "a file cannot be dated").with_source(error);
    for entry in index.entries() {
        let Ok(path) = std::str::from_utf8(entry.path(index)) else { continue };
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
