//! Manifests: files that declare dependencies, and leave their versions to a lockfile.

mod declares;
mod workspace;

use super::inventory::LARGEST_LOCKFILE;
use super::lockfile;
use super::paths::{directory, join, name};
use crate::tree::{self, File};
use kiwi_core::domain::Coverage;
use std::collections::{BTreeMap, BTreeSet};
use workspace::Workspaces;

/// What a file declares dependencies for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manifest {
    Npm,
    Pipfile,
    Pyproject,
    SetupPy,
    SetupCfg,
    Requirements,
    Cargo,
    Gemfile,
    GemsRb,
    Composer,
    Mix,
    Pubspec,
    Gradle,
    Project,
    /// What MSBuild adds to every project below.
    Projects,
}

/// The lockfiles of npm's manifests.
const NPM: [&str; 5] = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"];
/// Those of Python's.
const PYTHON: [&str; 6] = ["poetry.lock", "pdm.lock", "uv.lock", "pylock.toml", "Pipfile.lock", "requirements.txt"];

impl Manifest {
    /// What the file at this path is.
    fn of(path: &str) -> Option<Self> {
        let (of, name) = (name(directory(path)), name(path));
        Some(match name {
            "package.json" => Self::Npm,
            "Pipfile" => Self::Pipfile,
            "pyproject.toml" => Self::Pyproject,
            "setup.py" => Self::SetupPy,
            "setup.cfg" => Self::SetupCfg,
            "Cargo.toml" => Self::Cargo,
            "Gemfile" => Self::Gemfile,
            "gems.rb" => Self::GemsRb,
            "composer.json" => Self::Composer,
            "mix.exs" => Self::Mix,
            "pubspec.yaml" => Self::Pubspec,
            "build.gradle" | "build.gradle.kts" => Self::Gradle,
            "Directory.Build.props" | "Directory.Build.targets" | "Directory.Packages.props" => Self::Projects,
            _ if is_project(name) => Self::Project,
            _ if name.ends_with(".in") && (name.contains("requirements") || of == "requirements") => Self::Requirements,
            _ => return None,
        })
    }

    /// The lockfiles that say its versions.
    fn lockfiles(self) -> &'static [&'static str] {
        match self {
            Self::Npm => &NPM,
            Self::Pipfile => &["Pipfile.lock"],
            Self::Pyproject | Self::SetupPy | Self::SetupCfg => &PYTHON,
            // The file of the same name; see `is_locked`.
            Self::Requirements => &["file of the same name that ends with .txt"],
            Self::Cargo => &["Cargo.lock"],
            Self::Gemfile => &["Gemfile.lock"],
            Self::GemsRb => &["gems.locked"],
            Self::Composer => &["composer.lock"],
            Self::Mix => &["mix.lock"],
            Self::Pubspec => &["pubspec.lock"],
            Self::Gradle => &["gradle.lockfile"],
            Self::Project | Self::Projects => &["packages.lock.json"],
        }
    }
}

/// Whether a file is a project of MSBuild that may have packages.
fn is_project(name: &str) -> bool {
    [".csproj", ".fsproj", ".vbproj"].iter().any(|end| name.ends_with(end))
}

/// Names the manifests that declare dependencies of which no lockfile says the versions, but for those that were `read` as one. A lockfile counts beside its manifest, and further up where it
/// says that it has the manifest's dependencies too.
pub(super) fn without_lockfile(files: &[File], read: &BTreeSet<&str>, coverage: &mut Coverage) {
    let by_path: BTreeMap<&str, &File> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut workspaces = Workspaces::new(&by_path);
    for file in files {
        let Some(manifest) = Manifest::of(&file.path) else { continue };
        if read.contains(file.path.as_str()) {
            continue;
        }
        let lockfiles = beside(manifest, &file.path, &by_path);
        let text = tree::text(file, LARGEST_LOCKFILE);
        if let Some(first) = lockfiles.first() {
            if text.is_ok_and(|text| has_none(&lockfiles, &declares::names(manifest, &text))) {
                coverage.skip(&file.path, format!("it declares dependencies, of which {} has none", first.path));
            }
            continue;
        }
        // What cannot be read may declare something.
        let text = match text {
            Ok(text) if !declares::declares(manifest, &text) => continue,
            Ok(text) => text,
            Err(reason) => {
                coverage.skip(&file.path, reason);
                continue;
            }
        };
        let above = workspaces.above(manifest, &file.path);
        if !above.iter().any(|lockfile| workspaces.has(lockfile, &file.path, manifest, &text)) {
            let reason = match above.first() {
                Some(lockfile) => format!("it declares dependencies, of which {lockfile} does not say that it has them"),
                None => format!("it declares dependencies, and there is no {}", manifest.lockfiles().join(" or ")),
            };
            coverage.skip(&file.path, reason);
        }
    }
}

/// Whether lockfiles say nothing of all that a manifest declares: they are empty, or of something else.
fn has_none(lockfiles: &[&File], declared: &[String]) -> bool {
    // As Python and Cargo take names for the same.
    let plain = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
    let has_any = |text: String| {
        let text = plain(&text);
        declared.iter().any(|name| text.contains(&plain(name)))
    };
    // One that cannot be read is told as such.
    !declared.is_empty() && lockfiles.iter().all(|lockfile| tree::text(lockfile, LARGEST_LOCKFILE).is_ok_and(|text| !has_any(text)))
}

/// The lockfiles in the manifest's own directory that may say its versions.
fn beside<'f>(manifest: Manifest, path: &str, files: &BTreeMap<&str, &'f File>) -> Vec<&'f File> {
    let here = directory(path);
    let all = |names: &[&str]| names.iter().filter_map(|name| files.get(join(here, name).as_str()).copied()).collect::<Vec<_>>();
    match manifest {
        Manifest::Requirements => {
            let locked = format!("{}.txt", path.strip_suffix(".in").unwrap_or(path));
            files.get(locked.as_str()).filter(|_| lockfile::is_known(&locked)).copied().into_iter().collect()
        }
        // Requirements have many names.
        Manifest::Pyproject | Manifest::SetupPy | Manifest::SetupCfg => {
            let of_pip = |path: &str| directory(path) == here && lockfile::is_known(path) && (path.ends_with(".txt") || name(path).starts_with("pylock."));
            let others = files.range(here..).take_while(|(path, _)| path.starts_with(here)).filter(|(path, _)| of_pip(path)).map(|(_, file)| *file);
            all(&PYTHON).into_iter().chain(others).collect()
        }
        Manifest::Projects => {
            let below = |path: &&str| here.is_empty() || path.strip_prefix(here).is_some_and(|rest| rest.starts_with('/'));
            let projects: BTreeSet<&str> = files.keys().filter(|path| below(path) && is_project(name(path))).map(|path| directory(path)).collect();
            let locked: Option<Vec<&File>> = projects.iter().map(|project| files.get(join(project, "packages.lock.json").as_str()).copied()).collect();
            locked.unwrap_or_default()
        }
        _ => all(manifest.lockfiles()),
    }
}
