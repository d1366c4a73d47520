//! What every provider of a trait must do, as plain functions. `tests/` says who runs them.

mod access;
pub mod git_provider;
pub mod inbox;
mod queue;
pub mod runtime;
pub mod store;
