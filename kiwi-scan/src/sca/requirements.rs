//! Requirements files that read other ones.

use super::inventory::LARGEST_LOCKFILE;
use super::lockfile::{self, Contents};
use super::paths;
use crate::tree::{self, File};
use std::collections::{BTreeMap, BTreeSet};

/// Reads what the requirements files among `found` refer to, each file once, and lets those that belong together know what only one of them says: that
/// there is another index, and that the program needs them.
pub(super) fn follow<'f>(files: &'f [File], found: &mut BTreeMap<&'f str, Result<Contents, String>>) {
    let by_path: BTreeMap<&str, &File> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut open: Vec<&str> =
        found.iter().filter(|(_, contents)| contents.as_ref().is_ok_and(|contents| !contents.includes.is_empty())).map(|(path, _)| *path).collect();
    let mut edges: Vec<(&str, &str)> = Vec::new();
    while let Some(path) = open.pop() {
        let Some(Ok(contents)) = found.get_mut(path) else { continue };
        let includes: BTreeSet<String> = std::mem::take(&mut contents.includes).into_iter().collect();
        let mut next = Vec::new();
        for place in includes {
            // A URL may have a password in it.
            let file = if place.contains("://") { None } else { paths::beside(path, &place).and_then(|target| by_path.get(target.as_str())) };
            match file {
                Some(file) => next.push(file),
                None if place.contains(':') => contents.unknown.push("it reads requirements from a URL".to_owned()),
                None => contents.unknown.push(format!("it reads {place:?}, which is no file of the tree")),
            }
        }
        for file in next {
            edges.push((path, &file.path));
            if !found.contains_key(file.path.as_str()) {
                let read = tree::text(file, LARGEST_LOCKFILE).and_then(|text| lockfile::parse_requirements(&file.path, &text));
                found.insert(&file.path, read);
                open.push(&file.path);
            }
        }
    }
    let both = edges.iter().flat_map(|(from, to)| [(*from, *to), (*to, *from)]);
    let private = |(_, contents): &(&&'f str, &Result<Contents, String>)| contents.as_ref().is_ok_and(|contents| contents.other_index);
    for path in reached(found.iter().filter(private).map(|(path, _)| *path), both) {
        if let Some(Ok(contents)) = found.get_mut(path) {
            contents.all_private();
        }
    }
    // What a file of production reads is of production, whatever its name.
    let begins = edges.iter().map(|(from, _)| *from).filter(|path| !lockfile::is_for_development(path));
    for path in reached(begins, edges.iter().copied()) {
        if let Some(Ok(contents)) = found.get_mut(path) {
            contents.packages.iter_mut().for_each(|package| package.development = false);
        }
    }
}

/// Everything that these lead to, themselves included.
fn reached<'p>(begins: impl Iterator<Item = &'p str>, edges: impl Iterator<Item = (&'p str, &'p str)>) -> BTreeSet<&'p str> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    edges.for_each(|(from, to)| next.entry(from).or_default().push(to));
    let (mut seen, mut open) = (BTreeSet::new(), begins.collect::<Vec<_>>());
    while let Some(path) = open.pop() {
        if seen.insert(path) {
            open.extend(next.get(path).into_iter().flatten());
        }
    }
    seen
}
