//! What a project depends on, from its lockfiles.

mod dart;
mod dotnet;
mod elixir;
mod go;
mod javascript;
mod jvm;
mod origin;
mod php;
mod pnpm;
mod python;
mod requirements;
mod ruby;
mod rust;

use super::{Ecosystem, Package, paths};

/// What a lockfile says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The dependencies, each once.
    pub packages: Vec<Package>,
    /// Dependencies whose version nobody can know from the file, with the reason.
    pub unknown: Vec<String>,
    /// Other requirements files that a requirements file reads, as it writes them.
    pub includes: Vec<String>,
    /// Whether a requirements file names another index than PyPI.
    pub other_index: bool,
    /// Packages that are links to directories, relative to the lockfile's.
    links: Vec<(String, String)>,
}

impl Contents {
    fn add(&mut self, ecosystem: Ecosystem, name: impl Into<String>, version: impl Into<String>, development: bool) {
        self.packages.push(Package { ecosystem, name: name.into(), version: version.into(), development, private: false });
    }

    /// Adds a package with the place that the lockfile says it comes from, if it says one.
    fn add_from(&mut self, ecosystem: Ecosystem, name: impl Into<String>, version: impl Into<String>, development: bool, place: Option<&str>) {
        let private = place.is_some_and(|place| origin::is_private(ecosystem, place));
        self.packages.push(Package { ecosystem, name: name.into(), version: version.into(), development, private });
    }

    /// The file names other registries, and not which package comes from where.
    pub(super) fn all_private(&mut self) {
        self.packages.iter_mut().for_each(|package| package.private = true);
    }
}

/// So many commas, colons and the like a lockfile has at most.
const MOST_VALUES: usize = 8_000_000;

/// Reads one kind of file; an error says in words what is wrong with it.
type Parser = fn(&str) -> Result<Contents, String>;

/// The kinds that are known by their whole name.
const PARSERS: [(&str, Parser); 23] = [
    ("package-lock.json", javascript::package_lock),
    ("npm-shrinkwrap.json", javascript::package_lock),
    ("pnpm-lock.yaml", pnpm::pnpm),
    ("yarn.lock", javascript::yarn),
    ("bun.lock", javascript::bun),
    ("poetry.lock", python::poetry),
    ("pdm.lock", python::pdm),
    ("uv.lock", python::uv),
    ("Pipfile.lock", python::pipfile),
    ("pylock.toml", python::pylock),
    ("requirements.txt", requirements::requirements),
    ("pom.xml", jvm::pom),
    ("gradle.lockfile", jvm::gradle),
    ("buildscript-gradle.lockfile", jvm::gradle),
    ("go.mod", go::module),
    ("Cargo.lock", rust::cargo),
    ("Gemfile.lock", ruby::bundler),
    ("gems.locked", ruby::bundler),
    ("composer.lock", php::composer),
    ("packages.lock.json", dotnet::packages),
    ("packages.config", dotnet::config),
    ("mix.lock", elixir::mix),
    ("pubspec.lock", dart::pubspec),
];

/// Whether a file in a directory of this name, or with the word in its own, is pip's.
const REQUIREMENTS: &str = "requirements";

/// What reads a file at this path.
fn parser(path: &str) -> Option<Parser> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let exact = PARSERS.iter().find(|(known, _)| *known == name).map(|(_, parser)| *parser);
    // `pylock.NAME.toml` is for one purpose.
    let is_pylock = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix(".toml")).is_some_and(|purpose| !purpose.contains('.'));
    exact.or_else(|| is_pylock.then_some(python::pylock as Parser)).or_else(|| {
        // `requirements-dev.txt`, `dev-requirements.txt` and `requirements/dev.txt` are of the same form.
        let is_requirements =
            name.ends_with(".txt") && (name.to_ascii_lowercase().contains(REQUIREMENTS) || directory.rsplit('/').next() == Some(REQUIREMENTS));
        is_requirements.then_some(requirements::requirements as Parser)
    })
}

/// Whether a file at this path is a lockfile.
pub fn is_known(path: &str) -> bool {
    parser(path).is_some() || path.rsplit('/').next() == Some("bun.lockb")
}

/// Reads a lockfile by its path in the tree. The packages are sorted, each once; one that both development and the program need is the program's.
pub fn parse(path: &str, text: &str) -> Result<Contents, String> {
    if path.rsplit('/').next() == Some("bun.lockb") {
        return Err("bun's binary lockfile cannot be read; `bun install --save-text-lockfile` writes bun.lock".to_owned());
    }
    read(path, text, parser(path).ok_or("it is no lockfile that Kiwi knows")?)
}

/// Reads a file of any name as a requirements file.
pub(super) fn parse_requirements(path: &str, text: &str) -> Result<Contents, String> {
    read(path, text, requirements::requirements)
}

fn read(path: &str, text: &str, parser: Parser) -> Result<Contents, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A value takes some hundred bytes of memory, whatever it took in the file; the largest lockfiles have some hundred thousand packages.
    if text.bytes().filter(|byte| b",:=<\n".contains(byte)).nth(MOST_VALUES).is_some() {
        return Err(format!("it has more than {} million values", MOST_VALUES / 1_000_000));
    }
    // Lockfiles are untrusted, and some are read by libraries that panic on what no tool writes.
    let mut contents = std::panic::catch_unwind(|| parser(text)).map_err(|_| "it is malformed".to_owned())??;
    if is_for_development(path) {
        contents.packages.iter_mut().for_each(|package| package.development = true);
    }
    for (name, place) in std::mem::take(&mut contents.links) {
        if paths::beside(path, &place).is_none() {
            contents.unknown.push(format!("{name} comes from a directory outside of the tree"));
        }
    }
    contents.packages.sort();
    contents.packages.dedup_by(|later, first| {
        let same = (later.ecosystem, &later.name, &later.version) == (first.ecosystem, &first.name, &first.version);
        first.private |= same && later.private;
        same
    });
    contents.unknown.sort();
    contents.unknown.dedup();
    Ok(contents)
}

/// Whether a requirements file says by a word of its name that it is for development; lockfiles of other kinds say it inside.
pub(super) fn is_for_development(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".txt").or_else(|| name.strip_suffix(".in"));
    stem.is_some_and(|stem| {
        stem.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| matches!(word, "dev" | "develop" | "development" | "test" | "tests" | "testing"))
    })
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is malformed: {error}"))
}

/// A document of XML, which declares no entities.
fn xml(text: &str) -> Result<roxmltree::Document<'_>, String> {
    roxmltree::Document::parse(text).map_err(|error| format!("it is malformed: {error}"))
}

fn toml(text: &str) -> Result<toml::Table, String> {
    text.parse().map_err(|error: toml::de::Error| format!("it is malformed: {}", error.message()))
}

fn yaml(text: &str) -> Result<serde_json::Value, String> {
    crate::yaml::read(text).map_err(|error| format!("it is malformed: {}", error.to_string().lines().next().unwrap_or_default()))
}

fn unknown_version(version: impl std::fmt::Display) -> String {
    format!("its format {version} is not known; a newer Kiwi may read it")
}
