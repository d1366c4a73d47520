#![doc = include_str!("../../README.md")]

pub mod access;
pub mod domain;
pub mod error;
pub mod jsonc;
pub mod memory;
pub mod pipeline;
pub mod provider;
pub mod secret;
pub mod token;
pub mod webhook;
pub mod wizard;

pub use access::{Actor, Operation, Role, Scope};
pub use error::{Error, ErrorKind, Result, ValueError};
pub use pipeline::{Kiwi, KiwiBuilder};
