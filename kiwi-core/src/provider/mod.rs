//! The traits that providers implement, one per file. Each is used as `Arc<dyn _>`.
//!
//! Rules that hold for all of them:
//! * Every method may be called from any task, at any time, concurrently.
//! * Dropping a future or a stream stops the waiting, never tidies up: what it began in the outside world has a name
//!   derived from the run, and the method that the docs name (`cancel`, `abort`, `remove`) undoes it, idempotently.
//! * Calling the same method again with the same request adopts what an earlier call left, instead of doing it twice.
//! * An ability that [`capabilities`](Builder::capabilities) does not declare answers
//!   [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
//! * Errors carry the [`ErrorKind`](crate::ErrorKind) that the method's docs name, and a hint.

mod access;
mod builder;
pub mod change;
mod connector;
mod git;
mod inbox;
mod registry;
mod runtime;
mod scanner;
mod source;
pub mod store;

pub use access::{RegistryAccess, SecretValues, SourceAccess};
pub use builder::{BuildContext, BuildEvent, BuildOutcome, BuildPurpose, BuildRequest, Builder, BuilderCapabilities};
pub use connector::Connector;
pub use git::{
    AccountOutcome, CommitState, CommitStatus, Comparison, GitAccess, GitProvider, GitProviderCapabilities, MissingPermission, Namespace, NewAccount,
    RemoteRepository, TokenReport, WebhookVerifier,
};
pub use registry::{FoundImage, ImageRegistry, RegistryReport, TagDetails};
pub use runtime::{
    Aborted, ApplyRequest, Candidate, CheckItem, Cleanup, ContainerPlan, ContainerStatus, DeploymentEvent, DeploymentPlan, Endpoint, Fence, Guarantee, LogLine,
    LogQuery, Runtime, RuntimeCapabilities, RuntimeReport, RuntimeStatus, TarStream, TaskEvent, TaskInput, TaskRequest, Workload,
};
pub use scanner::{ScanTarget, Scanner};
pub use source::{FetchEvent, ServiceSource, SourceReport};
pub use store::Store;

#[cfg(feature = "mock")]
pub use {
    builder::MockBuilder,
    connector::MockConnector,
    git::{MockGitProvider, MockWebhookVerifier},
    registry::MockImageRegistry,
    runtime::MockRuntime,
    scanner::MockScanner,
    source::MockServiceSource,
};

/// A stream that owns everything it needs.
pub type BoxStream<T> = futures_core::stream::BoxStream<'static, T>;
