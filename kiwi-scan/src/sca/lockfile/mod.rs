//! What a project depends on, from its lockfiles.

mod dart;
mod dotnet;
mod elixir;
mod go;
mod javascript;
mod jvm;
mod origin;
mod php;
mod python;
mod ruby;
mod rust;

use super::{Ecosystem, Package};

/// What a lockfile says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The dependencies, each once.
    pub packages: Vec<Package>,
    /// Dependencies whose version nobody can know from the file, with the reason.
    pub unknown: Vec<String>,
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
    fn all_private(&mut self) {
        self.packages.iter_mut().for_each(|package| package.private = true);
    }
}

/// So many commas, colons and the like a lockfile has at most.
const MOST_VALUES: usize = 8_000_000;

/// Reads one kind of file; an error says in words what is wrong with it.
type Parser = fn(&str) -> Result<Contents, String>;

/// The kinds that are known by their whole name.
const PARSERS: [(&str, Parser); 22] = [
    ("package-lock.json", javascript::package_lock),
    ("npm-shrinkwrap.json", javascript::package_lock),
    ("pnpm-lock.yaml", javascript::pnpm),
    ("yarn.lock", javascript::yarn),
    ("bun.lock", javascript::bun),
    ("poetry.lock", python::poetry),
    ("pdm.lock", python::pdm),
    ("uv.lock", python::uv),
    ("Pipfile.lock", python::pipfile),
    ("requirements.txt", python::requirements),
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

/// Manifests that need a lockfile beside them, or above where a workspace has one for all, to say anything exact.
pub(super) const MANIFESTS: [(&str, &[&str]); 9] = [
    ("package.json", &["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"]),
    ("Pipfile", &["Pipfile.lock"]),
    ("pyproject.toml", &["poetry.lock", "pdm.lock", "uv.lock", "requirements.txt"]),
    ("Cargo.toml", &["Cargo.lock"]),
    ("Gemfile", &["Gemfile.lock"]),
    ("composer.json", &["composer.lock"]),
    ("mix.exs", &["mix.lock"]),
    ("pubspec.yaml", &["pubspec.lock"]),
    ("build.gradle", &["gradle.lockfile"]),
];

/// What reads a file of this name.
fn parser(name: &str) -> Option<Parser> {
    let exact = PARSERS.iter().find(|(known, _)| *known == name).map(|(_, parser)| *parser);
    // `requirements-dev.txt` and `dev-requirements.txt` are of the same form.
    let requirements = name.ends_with(".txt") && name.contains("requirements");
    exact.or_else(|| requirements.then_some(python::requirements as Parser))
}

/// Whether a file of this name is a lockfile.
pub fn is_known(name: &str) -> bool {
    parser(name).is_some() || name == "bun.lockb"
}

/// Reads a lockfile by its name, without its directory. The packages are sorted, each once; one that both development and the program need is the
/// program's.
pub fn parse(name: &str, text: &str) -> Result<Contents, String> {
    if name == "bun.lockb" {
        return Err("bun's binary lockfile cannot be read; `bun install --save-text-lockfile` writes bun.lock".to_owned());
    }
    let parser = parser(name).ok_or("it is no lockfile that Kiwi knows")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A value takes some hundred bytes of memory, whatever it took in the file; the largest lockfiles have some hundred thousand packages.
    if text.bytes().filter(|byte| b",:=<\n".contains(byte)).nth(MOST_VALUES).is_some() {
        return Err(format!("it has more than {} million values", MOST_VALUES / 1_000_000));
    }
    // Lockfiles are untrusted, and some are read by libraries that panic on what no tool writes.
    let mut contents = std::panic::catch_unwind(|| parser(text)).map_err(|_| "it is malformed".to_owned())??;
    let development = name.contains("dev") || name.contains("test");
    if development && name.ends_with(".txt") {
        contents.packages.iter_mut().for_each(|package| package.development = true);
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
    serde_saphyr::from_str(text).map_err(|error| format!("it is malformed: {}", error.to_string().lines().next().unwrap_or_default()))
}

fn unknown_version(version: impl std::fmt::Display) -> String {
    format!("its format {version} is not known; a newer Kiwi may read it")
}
