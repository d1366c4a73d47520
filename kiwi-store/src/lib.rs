//! Durable storage for Kiwi. What a call acknowledged survives a power cut; secrets are sealed before they are written.

pub mod key;
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use key::KeySource;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
