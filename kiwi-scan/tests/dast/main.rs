//! The scanner of running applications, against real servers on this machine.

#![cfg(feature = "dast")]
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

mod crawling;
mod hostile;
mod probes;
mod rules;
mod server;
mod tls;
