//! The validated values and records that every other part of Kiwi speaks in.
//!
//! A value is parsed once, at the door, and trusted from then on: fields are private, constructors fallible, and two
//! texts that mean different things are two types. Records are plain data with public fields; no record ever holds
//! a secret, only the [`SecretId`] under which the store keeps it.

mod audit;
mod auto_ci;
mod branch;
mod cluster;
mod commit;
mod delivery;
mod deployment;
mod environment;
mod git_url;
mod ids;
mod image;
mod name;
mod network;
mod provider;
mod reach;
mod record;
mod release;
mod resources;
mod run;
mod scan;
pub(crate) mod schema;
mod service;
mod tag_rule;
mod text;
mod time;
mod token;
mod variable;
mod volume;

pub use audit::{AuditEntry, AuditId, AuditOutcome};
pub use auto_ci::{AutoCi, AutoCiState, WatchPattern};
pub use branch::Branch;
pub use cluster::{ClusterSettings, GatewayName};
pub use commit::CommitSha;
pub use delivery::{Decision, Delivery, DeliveryOrigin, Outcome};
pub use deployment::{Deployment, DeploymentKind, DeploymentStatus, Diagnosis};
pub use environment::{EnvironmentName, EnvironmentSettings};
pub use git_url::GitUrl;
pub use ids::{DeliveryId, OrganizationId, RunId, SecretId, ServiceId};
pub use image::{Digest, ImageReference, Tag};
pub use name::{ContainerName, RegistryName, RuntimeName, ServiceName};
pub use network::{Host, IngressPath, Port, Protocol};
pub use provider::{Email, ProviderSettings, RepositoryLink, ServerUrl, User, UserName};
pub use reach::{Reach, is_public};
pub use record::{RegistryAddress, RegistrySettings, RuntimeKind, RuntimeSettings};
pub use release::{ImagePin, Release, ReleaseContainer, Rollout, Strategy};
pub use resources::{Cpu, Memory, Replicas, Request, Resources};
pub use run::{Event, EventBody, LogStream, Run, RunKind, RunRequest, RunStatus, Stage, StageOutput, StageRecord, StageStatus};
pub use scan::{
    BaseScore, Baseline, Coverage, Dependency, Exceptions, Finding, Fingerprint, Gate, GateDecision, ScanKind, ScanReport, ScanStatus, Score, Severity,
    Skipped, StageReports, Suppressed, Suppression, VexStatement, VexStatus,
};
pub use service::{BuildSettings, ContainerSpec, DockerfileChoice, GitProviderKind, RepositoryPath, Service, Source, TestSettings};
pub use tag_rule::{TagContext, TagRule};
pub use time::Timestamp;
pub use token::{ApiToken, TokenId, TokenName};
pub use variable::{Variable, VariableName, Variables};
pub use volume::{MountPath, Quantity, Volume};
