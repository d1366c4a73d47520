//! A reference implementation of every trait, in memory, with failures that a test scripts.
//!
//! It is what the contract suites run on first, and what a platform tests its own code against. Nothing here does I/O.

mod access;
mod builder;
mod inbox;
mod registry;
mod runtime;
mod scanner;
mod source;
mod store;

pub use builder::MemoryBuilder;
pub use registry::MemoryRegistry;
pub use runtime::{MemoryRuntime, MemoryTask};
pub use scanner::MemoryScanner;
pub use source::MemorySource;
pub use store::MemoryStore;

use crate::domain::RuntimeSettings;
use crate::error::{Error, Result};
use crate::provider::{Builder, Connector, Runtime};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Failures to come, oldest first: each call of the scripted method takes one.
#[derive(Debug, Default)]
struct Failures(Mutex<VecDeque<Error>>);

impl Failures {
    fn push(&self, error: Error) {
        lock(&self.0).push_back(error);
    }

    fn next(&self) -> Result<()> {
        lock(&self.0).pop_front().map_or(Ok(()), Err)
    }
}

/// A panic of another test thread must not hide this one's result.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves every runtime setting with the same runtime and builder.
#[derive(Clone)]
pub struct MemoryConnector {
    /// The runtime.
    pub runtime: Arc<dyn Runtime>,
    /// The builder.
    pub builder: Arc<dyn Builder>,
}

impl std::fmt::Debug for MemoryConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryConnector")
    }
}

#[async_trait]
impl Connector for MemoryConnector {
    async fn runtime(&self, _: &RuntimeSettings) -> Result<Arc<dyn Runtime>> {
        Ok(self.runtime.clone())
    }

    async fn builder(&self, _: &RuntimeSettings) -> Result<Arc<dyn Builder>> {
        Ok(self.builder.clone())
    }
}
