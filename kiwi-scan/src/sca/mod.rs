//! Dependencies with known vulnerabilities.
//!
//! * `lockfile/` reads what a project depends on; `version/` has each ecosystem's order of versions.
//! * `inventory.rs` goes through a tree with it; `requirements.rs` follows pip's files to those that they read, `manifest/` knows what should have a
//!   lockfile and has none.
//! * `osv/` has the records: a local copy, indexed by package, and the API; `matching.rs` is the one place that says which of them are about a version.
//! * `scanner.rs` is the [`Scanner`](kiwi_core::provider::Scanner).

mod inventory;
pub mod lockfile;
mod manifest;
mod matching;
pub mod osv;
mod paths;
mod requirements;
mod scanner;
pub mod version;

pub use scanner::ScaScanner;

/// A registry of packages with rules of its own, as OSV names it
/// (<https://ossf.github.io/osv-schema/#affectedpackage-field>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ecosystem {
    /// JavaScript.
    Npm,
    /// Python.
    PyPi,
    /// Rust.
    CratesIo,
    /// Go modules.
    Go,
    /// Java and its relatives.
    Maven,
    /// Ruby.
    RubyGems,
    /// PHP.
    Packagist,
    /// .NET.
    NuGet,
    /// Elixir and Erlang.
    Hex,
    /// Dart.
    Pub,
}

impl Ecosystem {
    /// All of them.
    pub const ALL: [Self; 10] =
        [Self::Npm, Self::PyPi, Self::CratesIo, Self::Go, Self::Maven, Self::RubyGems, Self::Packagist, Self::NuGet, Self::Hex, Self::Pub];

    /// As OSV writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
            Self::CratesIo => "crates.io",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::RubyGems => "RubyGems",
            Self::Packagist => "Packagist",
            Self::NuGet => "NuGet",
            Self::Hex => "Hex",
            Self::Pub => "Pub",
        }
    }

    /// The ecosystem of OSV's name, if Kiwi knows it; a suffix such as `:stable` is no part of it.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.split(':').next().unwrap_or(name);
        Self::ALL.into_iter().find(|ecosystem| ecosystem.as_str() == name)
    }

    /// A package's name as its registry compares it.
    pub fn normalize(self, name: &str) -> String {
        match self {
            // PEP 503: runs of separators are one hyphen.
            Self::PyPi => {
                let lower = name.to_lowercase();
                lower.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
            }
            Self::NuGet | Self::Packagist => name.to_lowercase(),
            _ => name.to_owned(),
        }
    }
}

impl From<&Package> for kiwi_core::domain::Dependency {
    fn from(package: &Package) -> Self {
        Self {
            package: package.name.clone(),
            version: package.version.clone(),
            ecosystem: package.ecosystem.as_str().to_owned(),
            development: package.development,
        }
    }
}

/// One dependency of a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Its registry.
    pub ecosystem: Ecosystem,
    /// Its name, as the project writes it.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// Whether only development or tests need it.
    pub development: bool,
    /// Whether the lockfile says that it comes from another place than its ecosystem's public registry: its name is then told to nobody.
    pub private: bool,
}
