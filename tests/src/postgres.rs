//! Schemas of the PostgreSQL server that `tests/run.sh` starts. `KIWI_TEST_POSTGRES` is the URL of a database on it, whose user may make schemas;
//! without it, whoever asks for a schema fails.

use kiwi_core::domain::RunId;
use kiwi_core::error::Result;
use kiwi_store::{KeySource, PostgresConfig, PostgresStore};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A schema of its own, and a key; both end with it.
pub struct Database {
    schema: String,
    folder: TempDir,
}

impl Database {
    /// An empty one.
    pub fn new() -> Self {
        let database = Self { schema: format!("test_{}", RunId::generate()).to_lowercase(), folder: tempfile::tempdir().unwrap() };
        database.sql(&format!("CREATE SCHEMA {}", database.schema));
        database
    }

    /// Where a store finds it.
    pub fn url(&self) -> String {
        format!("{}?options=-csearch_path%3D{}", server(), self.schema)
    }

    /// Where its key is.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// One more replica.
    pub async fn store(&self) -> PostgresStore {
        self.open(&self.url()).await.unwrap()
    }

    /// One more replica that gets there by another URL.
    pub async fn open(&self, url: &str) -> Result<PostgresStore> {
        PostgresStore::open(PostgresConfig::parse(&url.to_owned().into())?, KeySource::File(self.key())).await
    }

    /// What `psql` answers, without decoration.
    pub fn sql(&self, statement: &str) -> String {
        let output = Command::new("psql").args(["--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), "-c", statement]).output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.sql(&format!("DROP SCHEMA {} CASCADE", self.schema));
    }
}

/// Where the server listens, as `host:port`.
pub fn address() -> String {
    let url = server();
    url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("KIWI_TEST_POSTGRES is postgres://user:password@host:port/database").0.to_owned()
}

/// The URL of the server's database.
fn server() -> String {
    std::env::var("KIWI_TEST_POSTGRES").expect("tests/run.sh starts PostgreSQL and names it in KIWI_TEST_POSTGRES")
}
