//! Where findings lie, and the code that stands there.

use std::path::{Path, PathBuf};

/// Of a larger file no code is read.
const LARGEST_FILE: u64 = 4 << 20;
/// A longer path is none.
const LONGEST_PATH: usize = 4096;
/// Of a finding's code, so many lines count.
const MOST_LINES: usize = 20;

/// What a tool looked at.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The tree on this machine, without links in its path.
    tree: Option<PathBuf>,
    /// The names that the tree goes by in what the tool wrote.
    roots: Vec<String>,
    /// Whether absolute paths are those of an image.
    image: bool,
    /// The file that was read last, as findings mostly come file by file.
    last: Option<(String, Vec<String>)>,
}

impl Source {
    /// A tree, which the tool saw under each of these names.
    pub(super) fn tree(tree: PathBuf, roots: Vec<String>) -> Self {
        let roots = roots.into_iter().map(|root| root.trim_end_matches('/').to_owned()).filter(|root| !root.is_empty()).collect();
        Self { tree: Some(tree), roots, ..Self::default() }
    }

    /// An image.
    pub(super) fn image() -> Self {
        Self { image: true, ..Self::default() }
    }

    /// Whether the tree has a file whose name ends so.
    pub(super) fn has(&self, end: &str) -> bool {
        let files = self.tree.iter().flat_map(|tree| crate::tree::files(tree, &mut kiwi_core::domain::Coverage::default()));
        files.into_iter().any(|file| file.path.ends_with(end))
    }

    pub(super) fn of_an_image(&self) -> bool {
        self.image
    }

    /// A path as findings have it: relative, with `/`. Nothing for the tree itself; an error for what is outside.
    pub(super) fn relative(&self, path: &str) -> Result<Option<String>, ()> {
        let path = path.replace('\\', "/");
        if path.len() > LONGEST_PATH || path.contains('\0') {
            return Err(());
        }
        let below = |root: &String| path.strip_prefix(root.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let rest = match self.roots.iter().find_map(below) {
            Some(rest) => rest,
            None if path.starts_with('/') && !self.image => return Err(()),
            None => path.as_str(),
        };
        let mut parts = Vec::new();
        for part in rest.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop().ok_or(())?),
                part => parts.push(part),
            }
        }
        Ok((!parts.is_empty()).then(|| parts.join("/")))
    }

    /// The lines from `first` to `last`, from 1, of a file of the tree; none where they cannot be read.
    pub(super) fn lines(&mut self, path: &str, first: u32, last: u32) -> &[String] {
        if self.last.as_ref().is_none_or(|(read, _)| read != path) {
            let lines = self.tree.as_deref().and_then(|tree| read(tree, path)).unwrap_or_default();
            self.last = Some((path.to_owned(), lines));
        }
        let lines = self.last.as_ref().map_or(&[][..], |(_, lines)| lines);
        let start = (first.max(1) as usize - 1).min(lines.len());
        let end = (last.max(first) as usize).min(lines.len()).min(start + MOST_LINES).max(start);
        &lines[start..end]
    }
}

/// The lines of a file, which must lie in the tree itself: a link out of it is not followed.
fn read(tree: &Path, path: &str) -> Option<Vec<String>> {
    let place = tree.join(path).canonicalize().ok().filter(|place| place.starts_with(tree))?;
    let size = place.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let file = crate::tree::File { path: path.to_owned(), place, size };
    let bytes = crate::tree::bytes(&file, LARGEST_FILE).ok()?;
    Some(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_tree() {
        let source = Source::tree("/trees/shop".into(), vec!["/trees/shop/".to_owned(), "/kiwi/in".to_owned()]);
        assert_eq!(source.relative("/trees/shop/./a//b.py"), Ok(Some("a/b.py".to_owned())));
        assert_eq!(source.relative("/kiwi/in/a"), Ok(Some("a".to_owned())));
        assert_eq!(source.relative("a\\..\\b.py"), Ok(Some("b.py".to_owned())));
        assert_eq!(source.relative("/trees/shop"), Ok(None));
        for outside in ["/trees/shopping/a", "/etc/passwd", "../a", "a/../../b", "/trees/shop/../x", "a\0b", &"a/".repeat(5000)] {
            assert_eq!(source.relative(outside), Err(()), "{outside}");
        }
        assert_eq!(Source::image().relative("/usr/lib/x.jar"), Ok(Some("usr/lib/x.jar".to_owned())));
    }

    #[test]
    fn lines_come_from_the_tree_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("a"), "one\ntwo\nthree").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
        let mut source = Source::tree(root, Vec::new());
        assert_eq!(source.lines("a", 2, 2), ["two"]);
        assert_eq!(source.lines("a", 2, u32::MAX), ["two", "three"]);
        assert!(source.lines("a", 9, 1).is_empty() && source.lines("link", 1, 9).is_empty() && source.lines("none", 0, 0).is_empty());
    }
}
