//! The contract of deliveries and Auto CI in a [`Store`].

use super::store::service;
use bytes::Bytes;
use kiwi_core::domain::{
    AutoCi, CommitSha, Decision, Delivery, DeliveryId, DeliveryOrigin, EnvironmentName, GitProviderKind, Outcome, Run, RunRequest, SecretId, Service,
    ServiceId, Timestamp,
};
use kiwi_core::error::ErrorKind;
use kiwi_core::provider::Store;
use kiwi_core::provider::change::Change;
use kiwi_core::provider::store::{Judgement, Turn};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

pub(super) async fn all(store: &dyn Store) {
    deliveries(store).await;
    one_decision(store).await;
    due(store).await;
}

/// A delivery of a push of this commit.
pub fn delivery(service: &Service, commit: &CommitSha) -> Delivery {
    Delivery {
        id: DeliveryId::generate(),
        organization: service.organization.clone(),
        service: service.id.clone(),
        service_name: service.name.clone(),
        origin: DeliveryOrigin::Webhook,
        provider: GitProviderKind::Github,
        received_at: Timestamp::now(),
        headers: vec![("x-github-event".to_owned(), "push".to_owned())],
        host_id: Some("one".to_owned()),
        event: Some("push".to_owned()),
        repository: Some("team/shop".to_owned()),
        branch: Some("main".parse().unwrap()),
        tag: None,
        commit: Some(commit.clone()),
        irrelevant: None,
        decision: None,
    }
}

/// Auto CI with a secret that is nowhere.
pub fn auto_ci(service: &Service) -> AutoCi {
    AutoCi {
        service: service.id.clone(),
        organization: service.organization.clone(),
        environment: EnvironmentName::Development,
        secret: SecretId::generate(),
        public_url: "https://kiwi.example.com".parse().unwrap(),
        watch: vec!["src/**".parse().unwrap()],
        enabled_by: "admin".to_owned(),
        enabled_at: Timestamp::now(),
    }
}

/// The commit of a number.
pub fn commit(number: u64) -> CommitSha {
    format!("{number:040x}").parse().unwrap()
}

fn judgement(delivery: &Delivery, outcome: Outcome, turn: Option<Turn>) -> Judgement {
    let run = turn.as_ref().and_then(|turn| turn.run.as_ref()).map(|(_, _, run)| run.id.clone());
    let decision = Decision { outcome, reason: "because".to_owned(), run, at: Timestamp::now() };
    Judgement { delivery: delivery.id.clone(), service: delivery.service.clone(), decision, turn }
}

async fn deliveries(store: &dyn Store) {
    let service = service("deliveries");
    let mut first = delivery(&service, &commit(1));
    assert_eq!(store.insert_delivery(&first, &Bytes::new()).await.unwrap_err().kind(), ErrorKind::NotFound, "there is no such service");
    store.insert_service(&service).await.unwrap();
    let mut changes = store.changes();
    let body = Bytes::from(vec![0, 255, b'x']);
    store.insert_delivery(&first, &body).await.unwrap();
    tokio::time::timeout(LONG, changes.wait(|change| *change == Change::Delivery)).await.unwrap();
    let mut second = delivery(&service, &commit(2));
    second.id = DeliveryId::generate_after(&first.id);
    // Many at once are written together, and each is there when it is answered.
    let mut others = vec![second.clone()];
    for number in 0..20 {
        others.push(Delivery { id: DeliveryId::generate_after(&others[number].id), ..delivery(&service, &commit(3)) });
    }
    futures_util::future::join_all(others.iter().map(async |other| {
        store.insert_delivery(other, &Bytes::new()).await.unwrap();
        assert!(store.delivery(&other.id).await.unwrap().is_some());
    }))
    .await;
    assert_eq!(store.delivery(&first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.delivery_body(&first.id).await.unwrap(), Some(body));
    assert_eq!(store.delivery_body(&second.id).await.unwrap(), Some(Bytes::new()));
    assert_eq!(store.delivery_body(&DeliveryId::generate()).await.unwrap(), None);
    assert_eq!(store.delivery(&DeliveryId::generate()).await.unwrap(), None);
    assert_eq!(store.deliveries(&service.id, None, 1).await.unwrap().len(), 1);
    assert_eq!(store.deliveries(&service.id, Some(&second.id), 10).await.unwrap(), std::slice::from_ref(&first));
    assert!(store.deliveries(&ServiceId::generate(), None, 10).await.unwrap().is_empty());
    assert_eq!(store.undecided(&service.id, 2).await.unwrap(), [&first, &second].map(Clone::clone));
    assert_eq!(store.undecided_services().await.unwrap(), std::slice::from_ref(&service.id));
    let ignored = judgement(&first, Outcome::Ignored, None);
    assert!(store.decide(&ignored).await.unwrap());
    first.decision = Some(ignored.decision.clone());
    assert_eq!(store.delivery(&first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.undecided(&service.id, 1).await.unwrap(), std::slice::from_ref(&second));
    assert_eq!(store.remove_deliveries(&service.id, &DeliveryId::first_of(Timestamp::now().after(LONG))).await.unwrap(), 1, "what waits stays");
    assert_eq!(store.decide(&ignored).await.unwrap_err().kind(), ErrorKind::NotFound);
    store.remove_service(&service.id).await.unwrap();
    assert!(store.undecided_services().await.unwrap().is_empty());
}

async fn one_decision(store: &dyn Store) {
    let service = service("decisions");
    let settings = auto_ci(&service);
    assert_eq!(store.put_auto_ci(&settings, None).await.unwrap_err().kind(), ErrorKind::NotFound);
    store.insert_service(&service).await.unwrap();
    store.put_auto_ci(&settings, Some(&commit(1))).await.unwrap();
    let (kept, state) = store.auto_ci(&service.id).await.unwrap().unwrap();
    assert_eq!((kept, state.version, state.head, state.run), (settings.clone(), 0, Some(commit(1)), None));
    let (first, second) = (delivery(&service, &commit(2)), delivery(&service, &commit(3)));
    for delivery in [&first, &second] {
        store.insert_delivery(delivery, &Bytes::new()).await.unwrap();
    }
    let run = || Run::queued(&service, EnvironmentName::Development, RunRequest::Pipeline { commit: Some(commit(2)) }, "auto-ci");
    let turn = |version| Some(Turn { version, head: commit(2), run: Some((service.organization.clone(), format!("ci/{}", service.id), run())) });
    let build = judgement(&first, Outcome::Build, turn(0));
    assert!(store.decide(&build).await.unwrap());
    assert!(!store.decide(&judgement(&first, Outcome::Build, turn(1))).await.unwrap(), "a delivery is decided once");
    let late = judgement(&second, Outcome::Build, turn(0));
    assert_eq!(store.decide(&late).await.unwrap_err().kind(), ErrorKind::Conflict, "somebody turned to another head meanwhile");
    assert_eq!(store.delivery(&second.id).await.unwrap().unwrap().decision, None, "and nothing of it is there");
    let state = store.auto_ci(&service.id).await.unwrap().unwrap().1;
    assert_eq!((state.version, state.head, &state.run), (1, Some(commit(2)), &build.decision.run));
    let unfinished = kiwi_core::provider::store::RunFilter { service: Some(service.id.clone()), ..Default::default() };
    assert_eq!(store.runs(&service.organization, &unfinished).await.unwrap().len(), 1);
    // A head that is not built is remembered too.
    assert!(store.decide(&judgement(&second, Outcome::Ignored, Some(Turn { version: 1, head: commit(3), run: None }))).await.unwrap());
    let changed = AutoCi { watch: Vec::new(), ..settings };
    store.put_auto_ci(&changed, Some(&commit(9))).await.unwrap();
    let (kept, state) = store.auto_ci(&service.id).await.unwrap().unwrap();
    assert_eq!((kept, state.version, state.head, state.run), (changed, 2, Some(commit(3)), None), "new settings keep the state");
    store.remove_auto_ci(&service.id).await.unwrap();
    assert_eq!(store.remove_auto_ci(&service.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    store.request_cancel(build.decision.run.as_ref().unwrap()).await.unwrap();
    store.put_auto_ci(&auto_ci(&service), None).await.unwrap();
    store.remove_service(&service.id).await.unwrap();
    assert!(store.auto_ci(&service.id).await.unwrap().is_none() && store.delivery(&first.id).await.unwrap().is_none());
}

async fn due(store: &dyn Store) {
    let (a, b) = (service("due-a"), service("due-b"));
    for service in [&a, &b] {
        store.insert_service(service).await.unwrap();
        store.put_auto_ci(&auto_ci(service), None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let names = async |limit| store.take_due(LONG, limit).await.unwrap().into_iter().map(|settings| settings.service).collect::<Vec<_>>();
    assert_eq!(names(1).await, std::slice::from_ref(&a.id));
    assert_eq!(names(9).await, std::slice::from_ref(&b.id), "nobody else gets what was taken");
    assert!(names(9).await.is_empty());
    store.schedule(&a.id, Duration::ZERO, 3).await.unwrap();
    store.schedule(&b.id, LONG, 0).await.unwrap();
    tokio::time::sleep(Duration::from_millis(3)).await;
    assert_eq!(names(9).await, std::slice::from_ref(&a.id));
    let state = store.auto_ci(&a.id).await.unwrap().unwrap().1;
    assert_eq!(state.failures, 3);
    assert!(state.due > Timestamp::now().after(LONG / 2));
    store.schedule(&ServiceId::generate(), LONG, 0).await.unwrap();
    for service in [a, b] {
        store.remove_service(&service.id).await.unwrap();
    }
}
