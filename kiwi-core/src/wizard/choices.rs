//! What a person decides instead of the wizard: by flags, by answers, or by `kiwi.toml` in the repository.

use super::files::Files;
use super::tree::Tree;
use super::{Framework, Language};
use crate::domain::{Digest, Port, RepositoryPath};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the Dockerfile is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Rendering {
    /// With cache mounts, for BuildKit.
    #[default]
    BuildKit,
    /// Without any mount, for Kaniko and the classic builder.
    Plain,
}

/// Decisions that the wizard takes as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Choices {
    /// Which app of the repository.
    pub app: Option<RepositoryPath>,
    /// What it is written in.
    pub language: Option<Language>,
    /// What it is built upon.
    pub framework: Option<Framework>,
    /// The version of the language, or a range of them.
    pub version: Option<String>,
    /// The command that starts it.
    pub start: Option<String>,
    /// The command that builds it, in place of the one that was found.
    pub build: Option<String>,
    /// Where it listens.
    pub port: Option<Port>,
    /// Further packages of Debian in the image.
    pub packages: Vec<String>,
    /// With or without mounts.
    pub rendering: Rendering,
    /// Where base images are pulled through, such as `harbor.company.com/hub`.
    pub base_registry: Option<String>,
    /// Digests that base images are pinned to, by their reference.
    pub digests: BTreeMap<String, Digest>,
}

/// `kiwi.toml`, as people write it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    app: Option<RepositoryPath>,
    language: Option<Language>,
    framework: Option<Framework>,
    version: Option<String>,
    start: Option<String>,
    build: Option<String>,
    port: Option<Port>,
    packages: Vec<String>,
    base_registry: Option<String>,
    digests: BTreeMap<String, Digest>,
}

impl Choices {
    /// These choices, completed by the repository's own: `kiwi.toml` of the app, then the one of the root.
    pub(super) fn with_file(mut self, tree: &dyn Tree) -> Result<Self> {
        let root = Files::new(tree, "");
        let of_root = read(&root)?;
        if self.app.is_none() {
            self.app.clone_from(&of_root.app);
        }
        let app = self.app.clone().filter(|app| app.as_str() != ".");
        if let Some(app) = app {
            self.complete(read(&root.at(app.as_str()))?);
        }
        self.complete(of_root);
        self.checked()
    }

    fn complete(&mut self, file: File) {
        self.language = self.language.or(file.language);
        self.framework = self.framework.or(file.framework);
        self.version = self.version.take().or(file.version);
        self.start = self.start.take().or(file.start);
        self.build = self.build.take().or(file.build);
        self.port = self.port.or(file.port);
        self.base_registry = self.base_registry.take().or(file.base_registry);
        if self.packages.is_empty() {
            self.packages = file.packages;
        }
        for (image, digest) in file.digests {
            self.digests.entry(image).or_insert(digest);
        }
    }

    /// Refuses what would leave its line of the Dockerfile.
    fn checked(self) -> Result<Self> {
        let fail = |what: &str, value: &str, hint: &str| Err(Error::invalid("plan build", format!("the {what} {value:?} cannot be used")).with_hint(hint));
        for (what, command) in [("start command", &self.start), ("build command", &self.build)] {
            if let Some(command) = command.as_ref().filter(|command| command.trim().is_empty() || command.chars().any(char::is_control)) {
                return fail(what, command, "write it in one line");
            }
        }
        if let Some(prefix) = &self.base_registry {
            let reference = format!("{}/image:tag", prefix.trim_end_matches('/'));
            let host = prefix.split('/').next().unwrap_or_default();
            // A name without a dot would be an account on Docker Hub.
            if !(host.contains(['.', ':']) || host == "localhost") || reference.parse::<crate::domain::ImageReference>().is_err() {
                return fail("base registry", prefix, "give a host and a path, such as harbor.company.com/hub");
            }
        }
        if let Some(package) =
            self.packages.iter().find(|package| !package.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) || package.starts_with('-'))
        {
            return fail("package", package, "give the name of a package of Debian");
        }
        Ok(self)
    }
}

fn read(files: &Files<'_>) -> Result<File> {
    let Some(text) = files.text("kiwi.toml")? else { return Ok(File::default()) };
    toml::from_str(&text).map_err(|error| {
        Error::invalid("read kiwi.toml", format!("{}: {}", files.path("kiwi.toml"), error.message()))
            .with_hint("known are app, language, framework, version, start, build, port, packages, base_registry and digests")
    })
}
