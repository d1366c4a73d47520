//! Durable storage for Kiwi. What a call acknowledged survives a power cut; secrets are sealed before they are written.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod batch;
pub mod key;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod record;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod ring;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use key::KeySource;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
