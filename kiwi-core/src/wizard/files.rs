//! Reading manifests out of a tree.

use super::tree::{Entry, EntryKind, LARGEST_FILE, Tree, join};
use crate::error::{Error, Result};
use crate::jsonc::{self, skip_comment};
use std::cell::OnceCell;

/// So many entries are looked at in one search, at most: a tree may be huge, or made to be.
const SEARCH_LIMIT: usize = 20_000;

/// Directories that hold no code of the project.
const FOREIGN: [&str; 17] = [
    "node_modules",
    "target",
    "vendor",
    "dist",
    "build",
    "out",
    "venv",
    "__pycache__",
    "bin",
    "obj",
    "deps",
    "_build",
    "Pods",
    "coverage",
    "third_party",
    "testdata",
    "fixtures",
];

/// One directory of the tree, seen as a project.
pub(super) struct Files<'a> {
    tree: &'a dyn Tree,
    directory: String,
    names: OnceCell<Vec<Entry>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(tree: &'a dyn Tree, directory: &str) -> Self {
        Self { tree, directory: directory.to_owned(), names: OnceCell::new() }
    }

    /// Another directory of the same tree.
    pub(super) fn at(&self, directory: &str) -> Files<'a> {
        Files::new(self.tree, directory)
    }

    /// A directory below this one.
    pub(super) fn below(&self, name: &str) -> Files<'a> {
        self.at(&self.path(name))
    }

    /// Where this project stands in the tree; empty at its root.
    pub(super) fn directory(&self) -> &str {
        &self.directory
    }

    /// The path of one of its files within the tree.
    pub(super) fn path(&self, name: &str) -> String {
        join(&self.directory, name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tree.kind(&self.path(name)) == Some(EntryKind::File)
    }

    pub(super) fn has_directory(&self, name: &str) -> bool {
        self.tree.kind(&self.path(name)) == Some(EntryKind::Directory)
    }

    /// The first of `names` that is a file here.
    pub(super) fn first<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// The entries of this directory.
    pub(super) fn entries(&self) -> &[Entry] {
        self.names.get_or_init(|| self.tree.list(&self.directory))
    }

    /// The files here whose name ends so, in order.
    pub(super) fn ending(&self, end: &str) -> Vec<&str> {
        self.entries().iter().filter(|entry| entry.kind == EntryKind::File && entry.name.ends_with(end)).map(|entry| entry.name.as_str()).collect()
    }

    /// The directories here that a project of its own may stand in.
    pub(super) fn directories(&self) -> Vec<&str> {
        let own = |name: &str| !name.starts_with('.') && !FOREIGN.contains(&name);
        let entries = self.entries().iter().filter(|entry| entry.kind == EntryKind::Directory && !entry.link);
        entries.map(|entry| entry.name.as_str()).filter(|name| own(name)).collect()
    }

    /// The content of a file; none when there is none.
    ///
    /// Errors: `InvalidInput` when it is too large, or not UTF-8.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        let path = self.path(name);
        let Some(content) = self.tree.read(&path, LARGEST_FILE + 1)? else { return Ok(None) };
        if content.len() as u64 > LARGEST_FILE {
            return Err(
                Error::invalid("read project", format!("{path} is larger than {} MiB", LARGEST_FILE / 1024 / 1024)).with_hint("give a Dockerfile of your own")
            );
        }
        let text = String::from_utf8(content).map_err(|_| Error::invalid("read project", format!("{path} is not UTF-8")).with_hint("save it as UTF-8"))?;
        Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
    }

    /// The content of a file that only helps to guess: nothing when it is missing, huge or not text.
    pub(super) fn hint(&self, name: &str) -> String {
        self.text(name).ok().flatten().unwrap_or_default()
    }

    /// The beginning of a file that may be large, such as a lockfile.
    pub(super) fn beginning(&self, name: &str) -> String {
        let content = self.tree.read(&self.path(name), 4096).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&content).into_owned()
    }

    /// A file's first line that is not empty and no comment.
    pub(super) fn line(&self, name: &str) -> Result<Option<String>> {
        let text = self.text(name)?;
        Ok(text.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)))
    }

    pub(super) fn json(&self, name: &str) -> Result<Option<serde_json::Value>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        // Deno and .NET allow comments in theirs.
        let text = if name.ends_with(".json") && !["deno.json", "global.json"].contains(&name) { text } else { jsonc::strict(&text) };
        serde_json::from_str(&text).map(Some).map_err(|error| self.malformed(name, error))
    }

    pub(super) fn toml(&self, name: &str) -> Result<Option<toml::Table>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count()) + 1;
            Error::invalid("read project", format!("{} is malformed in line {line}: {}", self.path(name), error.message())).with_hint("correct the file")
        })
    }

    pub(super) fn yaml(&self, name: &str) -> Result<Option<serde_json::Value>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        serde_saphyr::from_str(&text)
            .map(Some)
            .map_err(|_| Error::invalid("read project", format!("{} is malformed", self.path(name))).with_hint("correct the file"))
    }

    fn malformed(&self, name: &str, error: impl std::fmt::Display) -> Error {
        Error::invalid("read project", format!("{} is malformed: {error}", self.path(name))).with_hint("correct the file")
    }

    /// Paths of files below this directory, relative to it and shallow ones first, for which `wanted` holds.
    pub(super) fn search(&self, depth: usize, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let (mut found, mut looked) = (Vec::new(), 0);
        let mut level = vec![String::new()];
        for _ in 0..=depth {
            let mut next = Vec::new();
            for directory in level {
                let here = self.at(&if directory.is_empty() { self.directory.clone() } else { self.path(&directory) });
                looked += here.entries().len();
                if looked > SEARCH_LIMIT {
                    return found;
                }
                let files = here.entries().iter().filter(|entry| entry.kind == EntryKind::File).map(|entry| join(&directory, &entry.name));
                found.extend(files.filter(|path| wanted(path)));
                next.extend(here.directories().iter().map(|name| join(&directory, name)));
            }
            level = next;
        }
        found
    }
}

/// Code of JavaScript without its comments.
pub(super) fn without_code_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', Some(_)) => {
                out.push(c);
                out.extend(characters.next());
            }
            ('"' | '\'' | '`', None) => {
                quote = Some(c);
                out.push(c);
            }
            (_, Some(open)) => {
                // A string of one line that is not closed is none: a regular expression has such quotes.
                if c == open || (c == '\n' && open != '`') {
                    quote = None;
                }
                out.push(c);
            }
            ('/', None) if skip_comment(&mut characters) => {}
            _ => out.push(c),
        }
    }
    out
}

/// A string in JSON, by its keys.
pub(super) fn string<'v>(value: &'v serde_json::Value, keys: &[&str]) -> Option<&'v str> {
    keys.iter().try_fold(value, |value, key| value.get(key)).and_then(serde_json::Value::as_str)
}

/// A value in TOML, by its keys.
pub(super) fn value<'t>(table: &'t toml::Table, keys: &[&str]) -> Option<&'t toml::Value> {
    let (last, first) = keys.split_last()?;
    first.iter().try_fold(table, |table, key| table.get(*key)?.as_table())?.get(*last)
}

/// A string in TOML, by its keys.
pub(super) fn text<'t>(table: &'t toml::Table, keys: &[&str]) -> Option<&'t str> {
    value(table, keys).and_then(toml::Value::as_str)
}
