//! What the wizard looks at: a listing of files and a way to read them.

use crate::error::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

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

/// A directory of this machine, as it was when each of its directories was first looked at.
///
/// Most of what the wizard asks for is not there; a listing answers that without a further call to the system.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    listings: RefCell<BTreeMap<String, Rc<[Entry]>>>,
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
        Ok(Self { root, listings: RefCell::default() })
    }

    /// Where `path` really is, if that is inside the tree.
    fn inside(&self, path: &str) -> Option<PathBuf> {
        let real = self.root.join(path).canonicalize().ok()?;
        real.starts_with(&self.root).then_some(real)
    }

    /// Where `path` is, if that is inside the tree: asked of the system only where a link is on the way.
    fn place(&self, path: &str) -> Option<PathBuf> {
        if !is_plain(path) {
            return self.inside(path);
        }
        let ends = path.match_indices('/').map(|(end, _)| end).chain((!path.is_empty()).then_some(path.len()));
        for end in ends {
            if self.entry(&path[..end])?.link {
                return self.inside(path);
            }
        }
        Some(self.root.join(path))
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let listing = self.listing(directory);
        let index = listing.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok()?;
        Some(listing[index].clone())
    }

    fn listing(&self, directory: &str) -> Rc<[Entry]> {
        if let Some(known) = self.listings.borrow().get(directory) {
            return known.clone();
        }
        let listing: Rc<[Entry]> = self.place(directory).map(|real| self.look(directory, &real)).unwrap_or_default().into();
        self.listings.borrow_mut().insert(directory.to_owned(), listing.clone());
        listing
    }

    fn look(&self, directory: &str, real: &Path) -> Vec<Entry> {
        let Ok(entries) = std::fs::read_dir(real) else { return Vec::new() };
        let mut found: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let plain = entry.file_type().ok()?;
                let link = plain.is_symlink();
                let file_type = if link { std::fs::metadata(self.inside(&join(directory, &name))?).ok()?.file_type() } else { plain };
                Some(Entry { name, kind: kind(file_type)?, link })
            })
            .collect();
        found.sort();
        found
    }
}

/// Whether every part of a path is a name.
fn is_plain(path: &str) -> bool {
    path.is_empty() || path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn kind(file_type: std::fs::FileType) -> Option<EntryKind> {
    if file_type.is_dir() {
        return Some(EntryKind::Directory);
    }
    file_type.is_file().then_some(EntryKind::File)
}

impl Tree for Directory {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        match path {
            "" => Some(EntryKind::Directory),
            path if is_plain(path) => Some(self.entry(path)?.kind),
            path => kind(std::fs::metadata(self.inside(path)?).ok()?.file_type()),
        }
    }

    fn list(&self, directory: &str) -> Vec<Entry> {
        self.listing(directory).to_vec()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        if self.kind(path) != Some(EntryKind::File) {
            return Ok(None);
        }
        let Some(real) = self.place(path) else { return Ok(None) };
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
