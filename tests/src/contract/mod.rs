//! What every provider of a trait must do, as plain functions. `tests/` says who runs them.

pub mod runtime;
pub mod store;
