//! Kubernetes 1.30 and newer, as runtime and, with Kaniko, as builder.
//!
//! * `client.rs` reaches the cluster; `convert.rs` turns its errors into Kiwi's; `objects.rs` applies and removes.
//! * `render.rs` makes the objects of a release, and `classify.rs` says what becomes of them: both are pure functions.
//! * `accounts.rs` says which account of a registry an image is pulled with.
//! * `watch.rs` keeps one watch per kind for all services, in the small `views.rs`.
//! * `runtime.rs` is the trait; `apply.rs`, `plan.rs`, `status.rs`, `task.rs` and `candidate.rs` are its long methods.
//! * `kaniko.rs` is the builder; builds and tasks are Jobs of `job.rs`, and `files.rs` brings a task its files.
//! * `rbac.rs` is what all of it may do.
//!
//! Everything that Kiwi makes carries the labels of `names.rs`, so that a fresh process finds it again.

mod accounts;
mod apply;
mod candidate;
mod classify;
mod client;
mod convert;
mod difference;
mod files;
mod foreign;
mod job;
mod kaniko;
mod lease;
mod names;
mod namespace;
mod objects;
mod plan;
mod pods;
mod rbac;
mod remove;
mod render;
mod runtime;
mod state;
mod status;
mod task;
mod views;
mod watch;

pub use client::{Cluster, KubernetesConfig};
pub use kaniko::KanikoBuilder;
pub use runtime::KubernetesRuntime;
