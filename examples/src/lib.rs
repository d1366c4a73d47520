//! Examples, one question per file: `cargo run --package kiwi-examples --example NAME`. What they share is here.

use kiwi_core::memory::{MemoryBuilder, MemoryConnector, MemoryRegistry, MemoryRuntime, MemorySource, MemoryStore};
use kiwi_core::{Kiwi, Result};
use std::sync::Arc;

/// An engine whose every part is in memory, and the source that a program can push to.
pub async fn in_memory() -> Result<(Kiwi, Arc<MemorySource>)> {
    let source = Arc::new(MemorySource::default());
    source.push("main".parse()?, "1111111111111111111111111111111111111111".parse()?);
    let connector = MemoryConnector { runtime: Arc::new(MemoryRuntime::default()), builder: Arc::new(MemoryBuilder::default()) };
    let kiwi = Kiwi::builder(Arc::new(MemoryStore::default()), Arc::new(connector))
        .source(source.clone())
        .registry(Arc::new(MemoryRegistry::default()))
        .work_directory(std::env::temp_dir().join(format!("kiwi-example-{}", std::process::id())))
        .open()
        .await?;
    Ok((kiwi, source))
}
