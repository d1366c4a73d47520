//! Making images.

use super::{BoxStream, RegistryAccess, SourceAccess};
use crate::domain::{CommitSha, DockerfileChoice, GitUrl, ImagePin, ImageReference, LogStream, RepositoryPath, RunId, VariableName};
use crate::error::Result;
use crate::secret::SecretString;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a builder can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuilderCapabilities {
    /// It is handed a local tree ([`BuildContext::Tree`]).
    pub tree: bool,
    /// It pulls the commit itself ([`BuildContext::Commit`]).
    pub commit: bool,
    /// It honours `RUN --mount=type=secret` and `type=cache`.
    pub mounts: bool,
    /// Its images can be used on its own engine without a registry.
    pub local_images: bool,
}

/// Where the builder finds the source.
#[derive(Debug, Clone)]
pub enum BuildContext {
    /// A directory of this machine.
    Tree(PathBuf),
    /// A commit that the builder fetches.
    Commit {
        /// The repository.
        repository: GitUrl,
        /// The commit.
        commit: CommitSha,
        /// Its credentials.
        access: SourceAccess,
    },
}

/// Why an image is built, which is a part of its temporary names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuildPurpose {
    /// To be released.
    Release,
    /// To prove that the test stage builds; nothing is kept.
    Test,
}

/// One build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The run. Every temporary name is derived from it and the purpose.
    pub run: RunId,
    /// Whose leftovers a build's are.
    pub installation: String,
    /// Why.
    pub purpose: BuildPurpose,
    /// The source.
    pub context: BuildContext,
    /// The directory of the source that is sent; its root when absent.
    pub directory: Option<RepositoryPath>,
    /// Which Dockerfile.
    pub dockerfile: DockerfileChoice,
    /// What a Dockerfile that is given as text leaves out of the context, as the text of a `.dockerignore`; none leaves that to the repository's own.
    pub ignore: Option<String>,
    /// The stage; the last one when absent.
    pub target: Option<String>,
    /// Build arguments, which the image's history shows.
    pub arguments: BTreeMap<VariableName, String>,
    /// Secrets, which never enter a layer.
    pub secrets: BTreeMap<VariableName, SecretString>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// The image's name under the run's tag.
    pub image: ImageReference,
    /// Where it is pushed; none keeps it on the engine.
    pub push: Option<RegistryAccess>,
    /// Credentials for base images.
    pub pull: Vec<RegistryAccess>,
}

/// One step of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildEvent {
    /// Something a person wants to know.
    Info(String),
    /// A part of the log; chunks may cut lines and characters.
    Log {
        /// Where it was printed.
        stream: LogStream,
        /// The bytes.
        chunk: Vec<u8>,
    },
    /// How far a part is.
    Progress {
        /// Which part.
        label: String,
        /// How much is done.
        current: u64,
        /// Of how much.
        total: Option<u64>,
    },
    /// The image is there; nothing follows.
    Done(BuildOutcome),
}

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOutcome {
    /// The image.
    pub image: ImagePin,
    /// Whether every step came from the cache.
    pub cached: bool,
}

/// Turns a source into an image in a registry, or on its own engine.
///
/// Order: [`find`](Self::find) (a worker that takes a run over adopts what is there), [`build`](Self::build), and
/// [`cancel`](Self::cancel) after a failure, a drop or a kill.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Builder: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> BuilderCapabilities;

    /// All that can be known to fail fails here, before the first side effect; answers what a person should know.
    ///
    /// Errors: `Unsupported`, `Forbidden`, `InvalidInput`, `Conflict`.
    async fn plan(&self, request: &BuildRequest) -> Result<Vec<String>>;

    /// The finished image of an earlier call with the same request, if there is one.
    async fn find(&self, request: &BuildRequest) -> Result<Option<BuildOutcome>>;

    /// Builds, pushes and ends with [`BuildEvent::Done`]. Dropping the stream stops the build as far as the builder is
    /// bound to it; [`cancel`](Self::cancel) stops it for certain.
    ///
    /// Errors: `BuildFailed` (diagnosed), `ImageUnavailable` (base image or push), `InvalidInput` (no Dockerfile), `Unsupported`.
    fn build(&self, request: BuildRequest) -> BoxStream<Result<BuildEvent>>;

    /// Gives a built image one more name, without a build: on the engine for local images, nothing for pushed ones,
    /// which the registry tags.
    async fn tag(&self, image: &ImagePin, name: &ImageReference) -> Result<()>;

    /// Stops the build of the run if it is under way and removes what only the build needed. Idempotent.
    async fn cancel(&self, run: &RunId) -> Result<()>;
}
