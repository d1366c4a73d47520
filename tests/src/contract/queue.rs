//! The contract of the queue in a [`Store`]: who is next.

use super::store::service;
use kiwi_core::domain::{EnvironmentName, EventBody, OrganizationId, Run, RunRequest, RunStatus, RuntimeKind, RuntimeSettings, Service, Timestamp};
use kiwi_core::provider::{Fence, Store};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);

pub(super) async fn all(store: &dyn Store) {
    for organization in ["default", "other"] {
        let settings = RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } };
        store.insert_runtime(&organization.parse().unwrap(), &settings).await.unwrap();
    }
    turns(store).await;
    limits(store).await;
    removal(store).await;
    for organization in ["default", "other"] {
        store.remove_runtime(&organization.parse().unwrap(), &"local".parse().unwrap()).await.unwrap();
    }
}

async fn queued(store: &dyn Store, service: &Service, slot: &str) -> Run {
    let run = Run::queued(service, EnvironmentName::Development, RunRequest::Pipeline { commit: None }, "admin");
    store.insert_run(&service.organization, slot, &run).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    run
}

async fn finish(store: &dyn Store, run: &Run, fence: &Fence) {
    store.update_run(&Run { status: RunStatus::Succeeded, ..run.clone() }, fence).await.unwrap();
    store.release(fence).await.unwrap();
}

async fn turns(store: &dyn Store) {
    let (a, mut b) = (service("turn-a"), service("turn-b"));
    b.organization = "other".parse::<OrganizationId>().unwrap();
    for service in [&a, &b] {
        store.insert_service(service).await.unwrap();
    }
    assert_eq!(store.organizations().await.unwrap(), [&a.organization, &b.organization].map(Clone::clone));
    let first = queued(store, &a, "a/1").await;
    let behind = queued(store, &a, "a/1").await;
    let beside = queued(store, &a, "a/2").await;
    let other = queued(store, &b, "b/1").await;
    let take = async |owner| store.take(owner, LEASE, 9).await.unwrap();
    let (organization, run, fence) = take("x").await.unwrap();
    assert_eq!((&organization, &run.id, fence.slot.as_str(), fence.owner.as_str()), (&a.organization, &first.id, "a/1", "x"));
    let (organization, run, other_fence) = take("y").await.unwrap();
    assert_eq!((&organization, &run.id), (&b.organization, &other.id), "the service with fewer under way comes first");
    let (_, run, beside_fence) = take("y").await.unwrap();
    assert_eq!(run.id, beside.id);
    assert!(take("y").await.is_none(), "what is behind waits for the slot");
    finish(store, &first, &fence).await;
    let (_, run, fence) = take("z").await.unwrap();
    assert_eq!(run.id, behind.id);
    finish(store, &behind, &fence).await;
    finish(store, &beside, &beside_fence).await;
    // One whose worker fell silent is next again, with a higher epoch.
    store.update_run(&Run { status: RunStatus::Running, ..other.clone() }, &other_fence).await.unwrap();
    store.renew(&other_fence, Duration::from_millis(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let (_, run, fence) = take("z").await.unwrap();
    assert_eq!((&run.id, run.status), (&other.id, RunStatus::Running));
    assert!(fence.epoch > other_fence.epoch);
    finish(store, &other, &fence).await;
    assert!(take("z").await.is_none());
    for service in [a, b] {
        store.remove_service(&service.id).await.unwrap();
    }
}

async fn limits(store: &dyn Store) {
    let settings = RuntimeSettings { name: "builds".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } };
    store.insert_runtime(&OrganizationId::default(), &settings).await.unwrap();
    let (a, mut b, mut c) = (service("limit-a"), service("limit-b"), service("limit-c"));
    // Where it is built counts, not where it runs.
    b.build.runtime = Some(settings.name.clone());
    c.organization = "other".parse().unwrap();
    let mut runs = Vec::new();
    for service in [&a, &b, &c] {
        store.insert_service(service).await.unwrap();
        for number in 0..2 {
            runs.push(queued(store, service, &format!("{}/{number}", service.name)).await);
        }
    }
    let mut taken = Vec::new();
    while let Some((_, run, fence)) = store.take("x", LEASE, 1).await.unwrap() {
        taken.push((run, fence));
    }
    let mut names: Vec<_> = taken.iter().map(|(run, _)| run.service_name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["limit-a", "limit-b", "limit-c"], "one on each runtime of each organization");
    for (run, fence) in &taken {
        finish(store, run, fence).await;
    }
    while let Some((_, run, fence)) = store.take("x", LEASE, 2).await.unwrap() {
        finish(store, &run, &fence).await;
    }
    for service in [a, b, c] {
        store.remove_service(&service.id).await.unwrap();
    }
    store.remove_runtime(&OrganizationId::default(), &settings.name).await.unwrap();
}

async fn removal(store: &dyn Store) {
    let service = service("removal");
    store.insert_service(&service).await.unwrap();
    let (old, waiting) = (queued(store, &service, "r/1").await, queued(store, &service, "r/2").await);
    let (_, run, fence) = store.take("x", LEASE, 1).await.unwrap().unwrap();
    store.append_events(&run.id, &[(Timestamp::now(), EventBody::Info { message: "x".into() })], &fence).await.unwrap();
    finish(store, &run, &fence).await;
    assert_eq!(store.remove_runs(&[old.id.clone(), waiting.id.clone()]).await.unwrap(), 1, "what is not finished stays");
    assert!(store.run(&old.id).await.unwrap().is_none() && store.events(&old.id, 0, 9).await.unwrap().is_empty());
    assert!(store.run(&waiting.id).await.unwrap().is_some());
    store.request_cancel(&waiting.id).await.unwrap();
    store.remove_service(&service.id).await.unwrap();
}
