//! What the wizard looks at: a listing of files and a way to read them.

use crate::error::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest file that is read as a manifest.
pub(super) const LARGEST_FILE: u64 = 2 * 1024 * 1024;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file, or a link to one inside the tree.
    File,
    /// A directory, or a link to one inside the tree.
    Directory,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the directory.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Whether it is a link, which a search does not descend into.
    pub link: bool,
}

/// A tree of files. Paths are relative to its root, with `/`; the root is the empty path.
///
/// An implementation never leaves the tree: what a link points at outside it does not exist.
pub trait Tree {
    /// What stands at `path`.
    fn kind(&self, path: &str) -> Option<EntryKind>;

    /// The entries of a directory, by name; none when there is no such directory.
    fn list(&self, directory: &str) -> Vec<Entry>;

    /// At most the first `limit` bytes of a file; none when there is no such file.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>>;
}

/// A directory of this machine.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Opens the tree below `root`.
    ///
    /// Errors: `InvalidInput` when it is no directory.
    pub fn open(root: &Path) -> Result<Self> {
        let fail = |why: String| Error::invalid("read project", format!("{} {why}", root.display())).with_hint("give the directory of a project");
        let root = root.canonicalize().map_err(|error| fail("cannot be opened".to_owned()).with_source(error))?;
        if !root.is_dir() {
            return Err(fail("is not a directory".to_owned()));
        }
        Ok(Self { root })
    }

    /// Where `path` really is, if that is inside the tree.
    fn inside(&self, path: &str) -> Option<PathBuf> {
        let real = self.root.join(path).canonicalize().ok()?;
        real.starts_with(&self.root).then_some(real)
    }
}

impl Tree for Directory {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        let plain = std::fs::symlink_metadata(self.root.join(path)).ok()?.file_type();
        // The way to the file may lead through links too; only a file of the root itself is surely inside.
        let kind = if plain.is_symlink() || path.contains('/') { std::fs::metadata(self.inside(path)?).ok()?.file_type() } else { plain };
        if kind.is_dir() {
            return Some(EntryKind::Directory);
        }
        kind.is_file().then_some(EntryKind::File)
    }

    fn list(&self, directory: &str) -> Vec<Entry> {
        let Some(real) = self.inside(directory) else { return Vec::new() };
        let Ok(entries) = std::fs::read_dir(real) else { return Vec::new() };
        let mut found: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let plain = entry.file_type().ok()?;
                let kind = if plain.is_dir() {
                    EntryKind::Directory
                } else if plain.is_file() {
                    EntryKind::File
                } else {
                    self.kind(&join(directory, &name))?
                };
                Some(Entry { name, kind, link: plain.is_symlink() })
            })
            .collect();
        found.sort();
        found
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(real) = self.inside(path).filter(|real| real.is_file()) else { return Ok(None) };
        let mut content = Vec::new();
        let read = std::fs::File::open(real).and_then(|file| file.take(limit).read_to_end(&mut content));
        read.map_err(|error| Error::new(ErrorKind::InvalidInput, "read project", format!("{path} cannot be read")).with_source(error))?;
        Ok(Some(content))
    }
}

/// A tree in memory: every path with its content.
impl Tree for BTreeMap<String, String> {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        if self.contains_key(path) {
            return Some(EntryKind::File);
        }
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.range(prefix.clone()..).next().filter(|(name, _)| name.starts_with(&prefix)).map(|_| EntryKind::Directory)
    }

    fn list(&self, directory: &str) -> Vec<Entry> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = self.range(prefix.clone()..).map_while(|(path, _)| path.strip_prefix(&prefix));
        let entries: BTreeSet<_> = below
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => Entry { name: name.to_owned(), kind: EntryKind::Directory, link: false },
                None => Entry { name: rest.to_owned(), kind: EntryKind::File, link: false },
            })
            .collect();
        entries.into_iter().collect()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.get(path).map(|content| content.bytes().take(limit).collect()))
    }
}

/// A path below a directory of the tree.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}
