//! Docker Engine 20.10 and newer, as builder and as runtime.
//!
//! * `client.rs` talks to the engine; `convert.rs` turns its errors into Kiwi's.
//! * `builder.rs` picks BuildKit (`buildkit/`) or the classic builder (`classic.rs`); both read `context.rs`.
//! * `runtime.rs` is the trait; `apply.rs`, `status.rs`, `task.rs` and `clean.rs` are its long methods.
//! * `gateway/` is the proxy in front of all containers, `replica.rs` the containers behind it.
//!
//! Everything that Kiwi makes carries the labels of `labels.rs`, so that a fresh process finds it again.

mod apply;
mod builder;
mod buildkit;
mod classic;
mod clean;
mod client;
mod config;
mod context;
mod convert;
mod gateway;
mod labels;
mod lock;
mod logs;
mod network;
mod plan;
mod pull;
mod replica;
mod runtime;
mod status;
mod task;

pub use builder::DockerBuilder;
pub use client::Engine;
pub use config::{BuilderChoice, DockerConfig, EngineAddress};
pub use runtime::DockerRuntime;
