//! The contract of [`Store`].

use kiwi_core::Role;
use kiwi_core::domain::{
    ContainerName, ContainerSpec, Deployment, DeploymentKind, DeploymentStatus, EnvironmentName, EventBody, GitProviderKind, OrganizationId, ProviderSettings,
    Release, Rollout, Run, RunId, RunRequest, RunStatus, RuntimeKind, RuntimeSettings, ScanReport, SecretId, Service, ServiceId, Source, Stage, StageReports,
    Strategy, Timestamp, User,
};
use kiwi_core::error::ErrorKind;
use kiwi_core::provider::change::Change;
use kiwi_core::provider::store::{Claim, RunFilter};
use kiwi_core::provider::{Fence, Store};
use secrecy::ExposeSecret as _;
use std::cell::Cell;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);

/// Every rule, on an empty store.
pub async fn all(store: &dyn Store) {
    settings(store).await;
    super::access::all(store).await;
    secrets(store).await;
    // These two need a store where nothing waits.
    super::inbox::all(store).await;
    super::queue::all(store).await;
    leases(store).await;
    history(store).await;
    events(store).await;
    reports(store).await;
    changes(store).await;
}

/// A service called `name`.
pub fn service(name: &str) -> Service {
    Service {
        id: ServiceId::generate(),
        organization: OrganizationId::default(),
        name: name.parse().unwrap(),
        source: Source::Git {
            provider: GitProviderKind::Url,
            repository: "https://git.example.com/a/b".parse().unwrap(),
            branch: "main".parse().unwrap(),
            token: None,
            ca: None,
            link: None,
        },
        build: Default::default(),
        containers: vec![ContainerSpec::new(name.parse::<ContainerName>().unwrap())],
        runtime: "local".parse().unwrap(),
        release_command: None,
        strategy: Strategy::Rolling,
        drain_seconds: 30,
        stop_seconds: 10,
        start_seconds: 60,
        created_at: Timestamp::now(),
    }
}

fn run(service: &Service) -> Run {
    Run::queued(service, EnvironmentName::Development, RunRequest::Pipeline { commit: None }, "admin")
}

async fn held(store: &dyn Store, slot: &str, run: &RunId, owner: &str, lease: Duration) -> Fence {
    match store.claim(slot, run, owner, lease).await.unwrap() {
        Claim::Held(fence) => fence,
        busy => panic!("{busy:?}"),
    }
}

async fn hosts_and_users(store: &dyn Store) {
    let organization = OrganizationId::default();
    let mut provider = ProviderSettings {
        kind: GitProviderKind::Gitlab,
        url: "https://gitlab.example.com".parse().unwrap(),
        token: SecretId::generate(),
        ca: None,
        private: false,
        account: "ada".to_owned(),
        expires_at: None,
        updated_at: Timestamp::now(),
    };
    store.put_provider(&organization, &provider).await.unwrap();
    provider.account = "grace".to_owned();
    store.put_provider(&organization, &provider).await.unwrap();
    assert_eq!(store.providers(&organization).await.unwrap(), std::slice::from_ref(&provider));
    let mut hosted = service("hosted");
    if let Source::Git { provider, .. } = &mut hosted.source {
        *provider = GitProviderKind::Gitlab;
    }
    store.insert_service(&hosted).await.unwrap();
    assert_eq!(store.remove_provider(&organization, GitProviderKind::Gitlab).await.unwrap_err().kind(), ErrorKind::Conflict);
    store.remove_service(&hosted.id).await.unwrap();
    store.remove_provider(&organization, GitProviderKind::Gitlab).await.unwrap();
    assert_eq!(store.remove_provider(&organization, GitProviderKind::Gitlab).await.unwrap_err().kind(), ErrorKind::NotFound);
    let user = |name: &str| User {
        name: name.parse().unwrap(),
        email: "ada@example.com".parse().unwrap(),
        full_name: "Ada".to_owned(),
        role: Role::Member { service: true },
        created_at: Timestamp::now(),
    };
    let (grace, ada) = (user("grace"), user("Ada"));
    store.insert_user(&organization, &grace).await.unwrap();
    store.insert_user(&organization, &ada).await.unwrap();
    assert_eq!(store.insert_user(&organization, &user("ADA")).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(store.users(&organization).await.unwrap(), [&ada, &grace].map(Clone::clone));
    assert_eq!(store.user(&organization, &"aDA".parse().unwrap()).await.unwrap(), Some(ada.clone()));
    assert_eq!(store.user(&"other".parse().unwrap(), &ada.name).await.unwrap(), None);
    store.remove_user(&organization, &ada.name, Timestamp::now()).await.unwrap();
    assert_eq!(store.remove_user(&organization, &ada.name, Timestamp::now()).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn settings(store: &dyn Store) {
    let organization = OrganizationId::default();
    let runtime = RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } };
    store.insert_runtime(&organization, &runtime).await.unwrap();
    assert_eq!(store.insert_runtime(&organization, &runtime).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let (b, a) = (service("b"), service("a"));
    store.insert_service(&b).await.unwrap();
    store.insert_service(&a).await.unwrap();
    assert_eq!(store.insert_service(&service("a")).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(store.services(&organization, None, 10).await.unwrap(), [&a, &b].map(Clone::clone));
    assert_eq!(store.services(&organization, Some(&a.name), 10).await.unwrap(), std::slice::from_ref(&b));
    assert_eq!(store.services(&organization, None, 1).await.unwrap(), std::slice::from_ref(&a));
    assert_eq!(store.remove_runtime(&organization, &runtime.name).await.unwrap_err().kind(), ErrorKind::Conflict);
    let mut changed = a.clone();
    changed.drain_seconds = 1;
    store.update_service(&changed).await.unwrap();
    assert_eq!(store.service(&organization, &a.name).await.unwrap(), Some(changed));
    assert_eq!(store.update_service(&service("none")).await.unwrap_err().kind(), ErrorKind::NotFound);
    hosts_and_users(store).await;
    let mut environment = store.environment(&a.id, EnvironmentName::Staging).await.unwrap();
    environment.replicas = Some(3.try_into().unwrap());
    store.put_environment(&environment).await.unwrap();
    store.put_environment(&environment).await.unwrap();
    assert_eq!(store.environment(&a.id, EnvironmentName::Staging).await.unwrap(), environment);
    for service in [&a, &b] {
        store.remove_service(&service.id).await.unwrap();
    }
    store.remove_runtime(&organization, &runtime.name).await.unwrap();
    assert_eq!(store.remove_runtime(&organization, &runtime.name).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn secrets(store: &dyn Store) {
    let (a, b) = (store.insert_secret(&"first".into()).await.unwrap(), store.insert_secret(&"second".into()).await.unwrap());
    assert_ne!(a, b);
    assert_eq!(store.secret(&a).await.unwrap().expose_secret(), "first");
    store.rotate_key().await.unwrap();
    assert_eq!(store.secret(&b).await.unwrap().expose_secret(), "second");
    store.remove_secrets(std::slice::from_ref(&a)).await.unwrap();
    assert_eq!(store.secret(&a).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn leases(store: &dyn Store) {
    let service = service("leases");
    store.insert_service(&service).await.unwrap();
    let mut first = run(&service);
    store.insert_run(&service.organization, "s", &first).await.unwrap();
    let fence = held(store, "s", &first.id, "a", Duration::from_millis(200)).await;
    assert!(matches!(store.claim("s", &first.id, "b", LEASE).await.unwrap(), Claim::Busy { owner, .. } if owner == "a"));
    first.status = RunStatus::Running;
    store.update_run(&first, &fence).await.unwrap();
    store.request_cancel(&first.id).await.unwrap();
    store.update_run(&first, &fence).await.unwrap();
    assert!(store.renew(&fence, Duration::from_millis(200)).await.unwrap(), "the cancellation is told, also after the worker wrote the run");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let second = held(store, "s", &first.id, "b", LEASE).await;
    assert!(second.epoch > fence.epoch);
    for lost in [
        store.update_run(&first, &fence).await.unwrap_err(),
        store.renew(&fence, LEASE).await.unwrap_err(),
        store.append_events(&first.id, &[(Timestamp::now(), EventBody::Info { message: "x".into() })], &fence).await.unwrap_err(),
    ] {
        assert_eq!(lost.kind(), ErrorKind::LeaseLost);
    }
    // Giving back what is lost changes nothing for the new holder.
    store.release(&fence).await.unwrap();
    store.update_run(&first, &second).await.unwrap();
    assert_eq!(store.remove_service(&service.id).await.unwrap_err().kind(), ErrorKind::Conflict);
    first.status = RunStatus::Cancelled;
    store.update_run(&first, &second).await.unwrap();
    store.release(&second).await.unwrap();
    assert_eq!(store.request_cancel(&first.id).await.unwrap_err().kind(), ErrorKind::Conflict);
    let third = held(store, "s", &first.id, "c", LEASE).await;
    assert!(third.epoch > second.epoch, "an epoch is never given out twice");
    store.release(&third).await.unwrap();
    // One that waits is cancelled at once, and nobody can start it any more.
    let mut waiting = run(&service);
    store.insert_run(&service.organization, "s", &waiting).await.unwrap();
    store.request_cancel(&waiting.id).await.unwrap();
    assert_eq!(store.run(&waiting.id).await.unwrap().unwrap().status, RunStatus::Cancelled);
    let fourth = held(store, "s", &waiting.id, "d", LEASE).await;
    waiting.status = RunStatus::Running;
    assert_eq!(store.update_run(&waiting, &fourth).await.unwrap_err().kind(), ErrorKind::Cancelled);
    store.release(&fourth).await.unwrap();
    let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
    assert!(store.runs(&service.organization, &unfinished).await.unwrap().is_empty());
    store.remove_service(&service.id).await.unwrap();
}

async fn history(store: &dyn Store) {
    let service = service("history");
    store.insert_service(&service).await.unwrap();
    let mut live = Vec::new();
    for expected in 1..=3 {
        let run = run(&service);
        store.insert_run(&service.organization, "h", &run).await.unwrap();
        let fence = held(store, "h", &run.id, "a", LEASE).await;
        let wanted = deployment(&service, &run.id);
        let mut begun = store.begin_deployment(&wanted, &fence).await.unwrap();
        assert_eq!(begun.release.revision, expected);
        assert_eq!(store.begin_deployment(&wanted, &fence).await.unwrap(), begun, "a run begins one deployment");
        (begun.status, begun.live_at) = (DeploymentStatus::Live, Some(Timestamp::now()));
        store.update_deployment(&begun, &fence).await.unwrap();
        let now = store.live(&service.id, EnvironmentName::Development).await.unwrap().unwrap();
        assert_eq!(now.release.revision, expected);
        live.push(begun);
        store.release(&fence).await.unwrap();
        assert_eq!(store.update_deployment(&now, &fence).await.unwrap_err().kind(), ErrorKind::LeaseLost);
    }
    let all = store.deployments(&service.id, EnvironmentName::Development, 10).await.unwrap();
    assert_eq!(all.iter().map(|deployment| deployment.release.revision).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(all.iter().filter(|deployment| deployment.status == DeploymentStatus::Live).count(), 1);
    assert_eq!(store.deployment(&service.id, EnvironmentName::Development, 2).await.unwrap().unwrap().run, live[1].run);
    assert!(store.deployments(&service.id, EnvironmentName::Production, 10).await.unwrap().is_empty());
}

/// A deployment that `run` is to begin.
pub fn deployment(service: &Service, run: &RunId) -> Deployment {
    Deployment {
        release: Release {
            service: service.id.clone(),
            service_name: service.name.clone(),
            organization: service.organization.clone(),
            environment: EnvironmentName::Development,
            revision: 0,
            commit: None,
            built_by: None,
            runtime: "local".parse().unwrap(),
            namespace: None,
            containers: Vec::new(),
            release_command: None,
            rollout: Rollout { strategy: Strategy::Rolling, drain_seconds: 1, stop_seconds: 1, start_seconds: 1 },
            created_at: Timestamp::now(),
        },
        kind: DeploymentKind::Deploy,
        status: DeploymentStatus::Running,
        run: run.clone(),
        restores: None,
        actor: "admin".into(),
        started_at: Timestamp::now(),
        live_at: None,
        finished_at: None,
        diagnosis: None,
    }
}

async fn events(store: &dyn Store) {
    let service = service("events");
    store.insert_service(&service).await.unwrap();
    let run = run(&service);
    store.insert_run(&service.organization, "e", &run).await.unwrap();
    let fence = held(store, "e", &run.id, "a", LEASE).await;
    for batch in 0..3u32 {
        let events: Vec<_> = (0..5).map(|index| (Timestamp::now(), EventBody::Info { message: (batch * 5 + index).to_string() })).collect();
        store.append_events(&run.id, &events, &fence).await.unwrap();
    }
    let all = store.events(&run.id, 0, 100).await.unwrap();
    assert_eq!(all.iter().map(|event| event.sequence).collect::<Vec<_>>(), (0..15).collect::<Vec<_>>());
    let tail = store.events(&run.id, 12, 2).await.unwrap();
    assert_eq!(tail.iter().map(|event| event.sequence).collect::<Vec<_>>(), [12, 13]);
    store.release(&fence).await.unwrap();
}

async fn reports(store: &dyn Store) {
    let service = service("reports");
    store.insert_service(&service).await.unwrap();
    let run = run(&service);
    store.insert_run(&service.organization, "s", &run).await.unwrap();
    let fence = held(store, "s", &run.id, "a", LEASE).await;
    let of = |stage, scanner: &str| StageReports { stage, reports: vec![ScanReport::new(scanner)] };
    assert!(store.reports(&run.id).await.unwrap().is_empty());
    for reports in [of(Stage::Dast, "outside"), of(Stage::Scan, "first"), of(Stage::Scan, "again")] {
        store.put_reports(&run.id, &reports, &fence).await.unwrap();
    }
    assert_eq!(store.reports(&run.id).await.unwrap(), [of(Stage::Scan, "again"), of(Stage::Dast, "outside")]);
    store.release(&fence).await.unwrap();
    assert_eq!(store.put_reports(&run.id, &of(Stage::Scan, "late"), &fence).await.unwrap_err().kind(), ErrorKind::LeaseLost);
}

/// Whoever follows is told of everything that is done through the store.
async fn changes(store: &dyn Store) {
    let service = service("changes");
    store.insert_service(&service).await.unwrap();
    let mut changes = store.changes();
    let mut told = async |wanted: Change| {
        let seen = Cell::new(false);
        // Word that was lost ends a wait too.
        for _ in 0..3 {
            changes
                .wait(|change| {
                    seen.set(*change == wanted);
                    seen.get()
                })
                .await;
            if seen.get() {
                return;
            }
        }
        panic!("nobody told of {wanted:?}");
    };
    let mut run = run(&service);
    store.insert_run(&service.organization, "c", &run).await.unwrap();
    told(Change::Run(run.id.clone())).await;
    let fence = held(store, "c", &run.id, "a", LEASE).await;
    store.append_events(&run.id, &[(Timestamp::now(), EventBody::Info { message: "x".into() })], &fence).await.unwrap();
    told(Change::Events(run.id.clone())).await;
    store.request_cancel(&run.id).await.unwrap();
    told(Change::Run(run.id.clone())).await;
    run.status = RunStatus::Cancelled;
    // It waited, so it is over already; giving the slot back is told all the same.
    store.release(&fence).await.unwrap();
    told(Change::Run(run.id.clone())).await;
    store.remove_service(&service.id).await.unwrap();
}

/// Two rotations race, while secrets are kept, through two stores that have the same data and the same key file open.
pub async fn rotations(first: &dyn Store, second: &dyn Store) {
    let mut kept = Vec::new();
    for number in 0..20 {
        let value = format!("value {number}");
        kept.push((first.insert_secret(&value.clone().into()).await.unwrap(), value));
    }
    let over = Cell::new(false);
    let rotate = async {
        let (a, b) = tokio::join!(first.rotate_key(), second.rotate_key());
        over.set(true);
        assert!(a.unwrap() >= 20 && b.unwrap() >= 20);
    };
    let write = async {
        let mut meanwhile = Vec::new();
        while !over.get() {
            let value = format!("meanwhile {}", meanwhile.len());
            meanwhile.push((second.insert_secret(&value.clone().into()).await.unwrap(), value));
        }
        meanwhile
    };
    kept.extend(tokio::join!(rotate, write).1);
    for (id, value) in &kept {
        for store in [first, second] {
            assert_eq!(store.secret(id).await.unwrap().expose_secret(), value);
        }
    }
}
