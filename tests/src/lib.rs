//! What Kiwi's tests share: a git server, a load generator, the command under test, and the contract suites.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

pub mod cluster;
pub mod command;
pub mod contract;
pub mod crash;
pub mod double;
pub mod fake;
pub mod fill;
pub mod git;
pub mod host;
pub mod load;
pub mod postgres;
pub mod sample;
pub mod server;
pub mod shared;
pub mod wire;
