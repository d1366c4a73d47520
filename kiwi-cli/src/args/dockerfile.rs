//! The Build Wizard.

use clap::{Args, ValueEnum};
use kiwi_core::domain::{Digest, Port, RepositoryPath};
use kiwi_core::wizard::{Framework, Language};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Dockerfile {
    /// The directory of the project
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Writes the Dockerfile and a .dockerignore beside the code
    #[arg(long)]
    pub(crate) write: bool,
    /// Replaces a Dockerfile that is there
    #[arg(long, requires = "write")]
    pub(crate) force: bool,
    /// Asks step by step
    #[arg(long, short)]
    pub(crate) interactive: bool,
    /// Names every language and framework
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) wizard: WizardArguments,
}

/// What a person decides instead of the wizard.
#[derive(Debug, Args, Default)]
pub(crate) struct WizardArguments {
    /// The directory of the app, where the repository has several
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) app: Option<RepositoryPath>,
    /// With cache mounts, or without any mount
    #[arg(long, value_enum, default_value_t)]
    pub(crate) builder: BuilderChoice,
    /// Where base images are pulled through, such as harbor.company.com/hub
    #[arg(long, value_name = "PREFIX")]
    pub(crate) base_registry: Option<String>,
    /// The language
    #[arg(long)]
    pub(crate) language: Option<Language>,
    /// The framework
    #[arg(long)]
    pub(crate) framework: Option<Framework>,
    /// The version of the language
    #[arg(long, value_name = "VERSION")]
    pub(crate) language_version: Option<String>,
    /// The command that starts it
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,
    /// The command that builds it
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub(crate) build: Option<String>,
    /// The port it listens on
    #[arg(long)]
    pub(crate) port: Option<Port>,
    /// A further package of Debian in the image
    #[arg(long, value_name = "NAME")]
    pub(crate) package: Vec<String>,
    /// Pins a base image to a digest
    #[arg(long, value_name = "IMAGE=DIGEST", value_parser = pin)]
    pub(crate) pin: Vec<(String, Digest)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum BuilderChoice {
    #[default]
    Buildkit,
    Plain,
}

fn pin(text: &str) -> Result<(String, Digest), String> {
    let (image, digest) = text.split_once('=').ok_or("give IMAGE=DIGEST, such as node:24-bookworm=sha256:...")?;
    Ok((image.to_owned(), digest.parse().map_err(|error| format!("{error}"))?))
}
