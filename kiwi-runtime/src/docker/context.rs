//! What is sent to a builder: a directory, minus what `.dockerignore` excludes, plus the Dockerfile.

use globset::{GlobBuilder, GlobMatcher};
use kiwi_core::domain::{DockerfileChoice, RepositoryPath};
use kiwi_core::error::{Error, ErrorKind, Result};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Larger files are not Dockerfiles.
const LARGEST_DOCKERFILE: u64 = 1 << 20;

/// A directory ready to be sent.
#[derive(Debug)]
pub(super) struct Context {
    /// The directory.
    pub(super) root: PathBuf,
    /// The text of the Dockerfile.
    pub(super) dockerfile: Vec<u8>,
    /// Where in the directory it lies, if it does.
    pub(super) inside: Option<String>,
    /// What is left out.
    pub(super) ignore: Patterns,
    /// The text that `ignore` was read from.
    pub(super) ignore_text: String,
}

/// One entry below the root.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Relative, with `/`.
    pub(super) path: String,
    pub(super) metadata: fs::Metadata,
}

impl Context {
    /// Finds the Dockerfile. Nothing outside `tree` is read, whatever its links say.
    ///
    /// `ignore` stands in for a `.dockerignore` that the repository does not have.
    pub(super) fn open(tree: &Path, directory: Option<&RepositoryPath>, choice: &DockerfileChoice, ignore: Option<&str>) -> Result<Self> {
        let tree = tree.canonicalize().map_err(io("open build context"))?;
        let root = match directory {
            Some(directory) => inside(&tree, directory.as_str()).map_err(|_| missing_directory(directory))?,
            None => tree.clone(),
        };
        if !root.is_dir() {
            return Err(Error::invalid("open build context", format!("{} is not a directory of the repository", root.display())));
        }
        let (dockerfile, path) = match choice {
            DockerfileChoice::Text(text) => (text.clone().into_bytes(), None),
            DockerfileChoice::Path(path) => {
                let found = inside(&tree, path.as_str()).map_err(|_| missing_dockerfile(path.as_str()))?;
                (read(&found)?, Some(found))
            }
            DockerfileChoice::Wizard => {
                return Err(Error::new(ErrorKind::Unsupported, "open build context", "the builder is handed the wizard's Dockerfile as text"));
            }
            DockerfileChoice::Auto => {
                let found = ["Dockerfile", "Containerfile", "dockerfile"].iter().find_map(|name| inside(&root, name).ok().filter(|path| path.is_file()));
                let found = found.ok_or_else(|| missing_dockerfile("Dockerfile"))?;
                (read(&found)?, Some(found))
            }
        };
        if dockerfile.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::invalid("read Dockerfile", "the Dockerfile is empty").with_hint("write at least a FROM line"));
        }
        let own = path.as_ref().and_then(|path| inside(&tree, &format!("{}.dockerignore", path.strip_prefix(&tree).ok()?.display())).ok());
        let ignore_text = match own.or_else(|| inside(&root, ".dockerignore").ok()) {
            Some(path) => String::from_utf8_lossy(&read(&path)?).into_owned(),
            None => ignore.unwrap_or_default().to_owned(),
        };
        let ignore = Patterns::parse(&ignore_text)?;
        let inside = path.and_then(|path| path.strip_prefix(&root).ok().map(|path| path.to_string_lossy().into_owned()));
        Ok(Self { root, dockerfile, inside, ignore, ignore_text })
    }

    /// Every entry that is sent, parents first, siblings by name: the order that BuildKit expects.
    pub(super) fn walk(&self, keep: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
        walk(&self.root, "", &|path| self.ignore.matches(path), self.ignore.has_exceptions(), keep)
    }
}

/// Visits a directory without following links. A directory that is left out is still entered when something in it may
/// be an exception.
pub(super) fn walk(root: &Path, below: &str, leave_out: &dyn Fn(&str) -> bool, exceptions: bool, keep: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
    let mut entries = fs::read_dir(root.join(below)).and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>()).map_err(io("read build context"))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        // A name that is not UTF-8 cannot be named by a Dockerfile either.
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let metadata = entry.metadata().map_err(io("read build context"))?;
        let out = leave_out(&path);
        let is_directory = metadata.is_dir();
        // Sockets and devices cannot be sent.
        if !out && (is_directory || metadata.is_file() || metadata.is_symlink()) {
            keep(Entry { path: path.clone(), metadata })?;
        }
        if is_directory && (!out || exceptions) {
            walk(root, &path, leave_out, exceptions, keep)?;
        }
    }
    Ok(())
}

fn inside(root: &Path, path: &str) -> std::io::Result<PathBuf> {
    let found = root.join(path).canonicalize()?;
    if found.starts_with(root) { Ok(found) } else { Err(std::io::Error::other("the path leads out of the tree")) }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    fs::File::open(path).and_then(|file| file.take(LARGEST_DOCKERFILE + 1).read_to_end(&mut text)).map_err(io("read Dockerfile"))?;
    if text.len() as u64 > LARGEST_DOCKERFILE {
        return Err(Error::invalid("read Dockerfile", format!("{} is larger than 1 MiB", path.file_name().unwrap_or_default().display())));
    }
    Ok(text)
}

fn missing_dockerfile(path: &str) -> Error {
    Error::invalid("read Dockerfile", format!("the repository has no file {path}"))
        .with_hint("commit a Dockerfile, or name another path with `kiwi service update --dockerfile PATH`")
}

fn missing_directory(path: &RepositoryPath) -> Error {
    Error::invalid("open build context", format!("the repository has no directory {path}"))
}

pub(super) fn io(operation: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::new(ErrorKind::Storage, operation, "a file operation failed").with_source(error)
}

/// The patterns of a `.dockerignore`, in order: the last one that matches a path or one of its parents decides.
/// Source of the rules: <https://docs.docker.com/build/concepts/context/#dockerignore-files>.
#[derive(Debug, Clone, Default)]
pub(super) struct Patterns(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    exception: bool,
    itself: GlobMatcher,
    below: GlobMatcher,
}

impl Patterns {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().filter(|line| !line.starts_with('#')).map(str::trim).filter(|line| !line.is_empty());
        Self::new(lines)
    }

    pub(super) fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut patterns = Vec::new();
        for line in lines {
            let (exception, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let parts: Vec<_> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
            if parts.is_empty() {
                continue;
            }
            // Braces are ordinary characters to Docker.
            let clean = parts.join("/").replace('{', "[{]").replace('}', "[}]");
            let glob = |text: &str| {
                let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
                glob.map(|glob| glob.compile_matcher())
                    .map_err(|error| Error::invalid("read .dockerignore", format!("the pattern {pattern:?} is malformed")).with_source(error))
            };
            patterns.push(Pattern { exception, itself: glob(&clean)?, below: glob(&format!("{clean}/**"))? });
        }
        Ok(Self(patterns))
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        let decides = |pattern: &&Pattern| pattern.itself.is_match(path) || pattern.below.is_match(path);
        self.0.iter().rev().find(decides).is_some_and(|pattern| !pattern.exception)
    }

    pub(super) fn has_exceptions(&self) -> bool {
        self.0.iter().any(|pattern| pattern.exception)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_docker_s_not_git_s() {
        let patterns = Patterns::parse("# c\nnode_modules\n**/*.log\n/build/\n!build/keep\n*.md\n!README.md\na?c\n{x}\n").unwrap();
        for (path, out) in [
            ("node_modules/a/b", true),
            ("src/node_modules", false),
            ("x.log", true),
            ("a/b/x.log", true),
            ("build/x", true),
            ("build/keep/y", false),
            ("a.md", true),
            ("docs/a.md", false),
            ("README.md", false),
            ("abc", true),
            ("{x}", true),
            ("x", false),
        ] {
            assert_eq!(patterns.matches(path), out, "{path}");
        }
    }

    #[test]
    fn nothing_outside_the_tree_is_read() {
        let tree = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/hostname", tree.path().join("Dockerfile")).unwrap();
        let error = Context::open(tree.path(), None, &DockerfileChoice::Auto, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        std::os::unix::fs::symlink("/etc", tree.path().join("sub")).unwrap();
        let path = DockerfileChoice::Path("sub/hostname".parse().unwrap());
        assert_eq!(Context::open(tree.path(), None, &path, None).unwrap_err().kind(), ErrorKind::InvalidInput);
        let directory = "sub".parse().unwrap();
        assert_eq!(Context::open(tree.path(), Some(&directory), &DockerfileChoice::Auto, None).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
