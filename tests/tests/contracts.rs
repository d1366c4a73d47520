//! Who runs the contract suites. A provider that `tests/run.sh` promises and that is missing fails here.

use kiwi_core::domain::ImagePin;
use kiwi_core::memory::{MemoryRuntime, MemoryStore};
use kiwi_runtime::docker::{DockerConfig, DockerRuntime, Engine};
use kiwi_store::{KeySource, SqliteStore};
use kiwi_tests::command::docker;
use kiwi_tests::postgres::Database;
use kiwi_tests::{contract, sample};

#[tokio::test]
async fn memory_store() {
    contract::store::all(&MemoryStore::default()).await;
}

#[tokio::test]
async fn sqlite_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("data"), KeySource::File(folder.path().join("key"))).await.unwrap();
    contract::store::all(&store).await;
    // As `kiwi serve` and `kiwi key rotate` have it.
    let other = SqliteStore::open(&folder.path().join("data"), KeySource::File(folder.path().join("key"))).await.unwrap();
    contract::store::rotations(&store, &other).await;
    assert_eq!(std::fs::read_to_string(folder.path().join("key")).unwrap().lines().count(), 1, "the old keys are gone");
}

#[tokio::test]
async fn postgres_store() {
    contract::store::all(&Database::new().store().await).await;
}

#[tokio::test]
async fn memory_runtime() {
    let runtime = MemoryRuntime::default();
    let image = ImagePin::Local { reference: "kiwi.local/contract:1".parse().unwrap(), id: format!("sha256:{}", "0".repeat(64)).parse().unwrap() };
    contract::runtime::all(&contract::runtime::Fixture { runtime: &runtime, image, real: false, streams: true, registries: Vec::new() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_runtime() {
    let folder = tempfile::tempdir().unwrap();
    sample::write(folder.path(), "contract");
    docker(&["build", "--quiet", "--tag", "kiwi.local/contract:1", folder.path().to_str().unwrap()]);
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", "kiwi.local/contract:1"]).remove(0);
    let image = ImagePin::Local { reference: "kiwi.local/contract:1".parse().unwrap(), id: id.parse().unwrap() };
    let runtime = DockerRuntime::new(Engine::new(DockerConfig::new(None).unwrap()).unwrap());
    contract::runtime::all(&contract::runtime::Fixture { runtime: &runtime, image, real: true, streams: true, registries: Vec::new() }).await;
}
