//! The contract of the traits for tokens, the audit log and idempotency keys, and of the queue.

use super::store::service;
use kiwi_core::domain::{
    ApiToken, AuditEntry, AuditId, AuditOutcome, EnvironmentName, OrganizationId, Run, RunRequest, RunStatus, Timestamp, TokenId, User, UserName,
};
use kiwi_core::error::ErrorKind;
use kiwi_core::provider::Store;
use kiwi_core::provider::store::{AuditFilter, Claim, KeptToken, KeyClaim};
use kiwi_core::secret::SecretString;
use kiwi_core::token::TokenText;
use kiwi_core::{Role, Scope};
use std::time::Duration;

/// Every rule, on a store without tokens and runs.
pub(super) async fn all(store: &dyn Store) {
    tokens(store).await;
    first_admin(store).await;
    dropped_calls(store).await;
    audit(store).await;
    keys(store).await;
    queue(store).await;
}

async fn tokens(store: &dyn Store) {
    let (ours, theirs): (OrganizationId, OrganizationId) = (OrganizationId::default(), "other".parse().unwrap());
    let token = |organization: &OrganizationId, user: &str| {
        let kept = token_of(organization, user, [Scope::Read, Scope::Deploy]);
        let token = ApiToken { expires_at: Some(Timestamp::now().after(Duration::from_secs(60))), ..kept.token };
        KeptToken { token, ..kept }
    };
    let all = [token(&ours, "ada"), token(&ours, "otto"), token(&theirs, "ada")];
    assert_eq!(store.insert_token(&all[0]).await.unwrap_err().kind(), ErrorKind::NotFound, "a token is somebody's");
    for (organization, name) in [(&ours, "ada"), (&ours, "otto"), (&theirs, "ada")] {
        store.insert_user(organization, &person(name, Role::Member { service: true })).await.unwrap();
    }
    for kept in &all {
        store.insert_token(kept).await.unwrap();
    }
    assert_eq!(store.insert_token(&all[0]).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(store.token(&all[2].token.id).await.unwrap().as_ref(), Some(&all[2]), "of any organization");
    let mut expected = [all[0].token.clone(), all[1].token.clone()];
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(store.tokens(&ours, None).await.unwrap(), expected);
    assert_eq!(store.tokens(&ours, Some(&"ADA".parse().unwrap())).await.unwrap(), std::slice::from_ref(&all[0].token));

    let id = &all[0].token.id;
    let (first, later) = (Timestamp::from_millis(1_000), Timestamp::from_millis(2_000));
    assert_eq!(store.revoke_token(&theirs, id, first).await.unwrap_err().kind(), ErrorKind::NotFound);
    store.revoke_token(&ours, id, first).await.unwrap();
    store.revoke_token(&ours, id, later).await.unwrap();
    store.use_token(id, later).await.unwrap();
    let kept = store.token(id).await.unwrap().unwrap().token;
    assert_eq!((kept.revoked_at, kept.last_used_at), (Some(first), Some(later)));
    store.use_token(&TokenId::generate(), later).await.unwrap();
    for (organization, name) in [(&ours, "ADA"), (&ours, "otto"), (&theirs, "ada")] {
        store.remove_user(organization, &name.parse().unwrap(), later).await.unwrap();
    }
    let ended = async |kept: &KeptToken| store.token(&kept.token.id).await.unwrap().unwrap().token.revoked_at;
    assert_eq!((ended(&all[0]).await, ended(&all[1]).await), (Some(first), Some(later)), "tokens end with their user, once");
}

fn token_of(organization: &OrganizationId, user: &str, scopes: impl IntoIterator<Item = Scope>) -> KeptToken {
    let text = TokenText::generate(TokenId::generate());
    let token = ApiToken {
        id: text.id().clone(),
        user: user.parse().unwrap(),
        name: "laptop".parse().unwrap(),
        scopes: scopes.into_iter().collect(),
        created_at: Timestamp::now(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    KeptToken { organization: organization.clone(), hash: text.hash(), token }
}

fn person(name: &str, role: Role) -> User {
    let name: UserName = name.parse().unwrap();
    User { email: "a@example.com".parse().unwrap(), full_name: name.to_string(), name, role, created_at: Timestamp::now() }
}

/// Tokens that make the first admin: several replicas may have printed one each.
async fn first_admin(store: &dyn Store) {
    let people: OrganizationId = "people".parse().unwrap();
    let token = |user: &str, scope| token_of(&people, user, [scope]);
    let (one, other) = (token("bootstrap", Scope::Bootstrap), token("bootstrap", Scope::Bootstrap));
    store.insert_token(&one).await.unwrap();
    store.insert_token(&other).await.unwrap();
    store.insert_user(&people, &person("lin", Role::Member { service: false })).await.unwrap();
    let make = async |bootstrap: &KeptToken, name: &str| {
        store.insert_first_admin(&bootstrap.token.id, &person(name, Role::Admin), &token(name, Scope::Admin)).await.map_err(|error| error.kind())
    };
    assert_eq!(make(&one, "LIN").await, Err(ErrorKind::AlreadyExists));
    // The attempt that failed used nothing up.
    let both = [make(&one, "root").await, make(&other, "root2").await];
    assert_eq!(both, [Ok(()), Err(ErrorKind::Conflict)]);
    let (one, other) = (token("bootstrap", Scope::Bootstrap), "root".parse().unwrap());
    assert_eq!(store.remove_user(&people, &other, Timestamp::now()).await.unwrap_err().kind(), ErrorKind::Conflict, "the last admin stays");
    assert_eq!(make(&one, "root3").await, Err(ErrorKind::Conflict));
    store.insert_user(&people, &person("second", Role::Admin)).await.unwrap();
    store.remove_user(&people, &other, Timestamp::now()).await.unwrap();
    let names: Vec<String> = store.users(&people).await.unwrap().iter().map(|user| user.name.to_string()).collect();
    assert_eq!(names, ["lin", "second"]);
}

/// Whoever is gone holds nothing, wherever the call was dropped: a heartbeat ends with its work, a request with its caller.
async fn dropped_calls(store: &dyn Store) {
    let (people, nobody): (OrganizationId, UserName) = ("people".parse().unwrap(), "nobody".parse().unwrap());
    let change = || store.remove_user(&people, &nobody, Timestamp::now());
    // As many connections as there may be.
    futures_util::future::join_all((0..8).map(|_| change())).await;
    for patience in (0..4000).step_by(20) {
        let impatient = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = change() => {}
            () = impatient => {}
        }
        let next = tokio::time::timeout(Duration::from_secs(5), change()).await;
        let next = next.unwrap_or_else(|_| panic!("a call that was dropped after {patience} turns holds up the next"));
        assert_eq!(next.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

async fn audit(store: &dyn Store) {
    let ours = OrganizationId::default();
    let entry = |actor: &str, outcome| AuditEntry {
        id: AuditId::generate(),
        at: Timestamp::from_millis(1_790_000_000_123),
        actor: actor.to_owned(),
        token: Some(TokenId::generate()),
        action: "remove_service".to_owned(),
        resource: "services/shop".to_owned(),
        origin: None,
        outcome,
    };
    let mut all = [entry("ada", AuditOutcome::Done), entry("grace", AuditOutcome::Failed { cause: ErrorKind::Forbidden }), entry("ada", AuditOutcome::Done)];
    for entry in &all {
        store.append_audit(&ours, entry).await.unwrap();
    }
    all.sort_by(|a, b| b.id.cmp(&a.id));
    let read = async |filter: AuditFilter| store.audit(&ours, &filter).await.unwrap();
    assert_eq!(read(AuditFilter::default()).await, all);
    assert_eq!(read(AuditFilter { limit: Some(1), ..AuditFilter::default() }).await, all[..1]);
    assert_eq!(read(AuditFilter { before: Some(all[0].id.clone()), ..AuditFilter::default() }).await, all[1..]);
    let hers = read(AuditFilter { actor: Some("ada".to_owned()), ..AuditFilter::default() }).await;
    assert_eq!(hers.len(), 2);
    assert_eq!(store.audit(&"other".parse().unwrap(), &AuditFilter::default()).await.unwrap(), []);
}

async fn keys(store: &dyn Store) {
    let ours = OrganizationId::default();
    let at = Timestamp::from_millis;
    let claim = async |key: &str, fingerprint: &str, now, until| store.claim_key(&ours, key, fingerprint, at(now), at(until)).await.unwrap();
    assert_eq!(claim("ada/1", "f", 0, 100).await, KeyClaim::New);
    assert_eq!(claim("ada/1", "f", 1, 100).await, KeyClaim::Busy);
    assert_eq!(claim("ada/1", "g", 1, 100).await, KeyClaim::Different);
    assert_eq!(claim("ada/1", "f", 100, 200).await, KeyClaim::Abandoned, "nobody knows whether it was done, so it is not done again");
    assert_eq!(store.expire_keys(at(100), at(99)).await.unwrap(), []);
    assert_eq!(claim("ada/1", "f", 100, 200).await, KeyClaim::Abandoned);
    store.expire_keys(at(200), at(100)).await.unwrap();
    assert_eq!(claim("ada/1", "g", 100, 200).await, KeyClaim::New);
    store.forget_key(&ours, "ada/1").await.unwrap();
    assert_eq!(claim("ada/1", "f", 100, 200).await, KeyClaim::New);
    let answer = store.insert_secret(&SecretString::from("answer".to_owned())).await.unwrap();
    store.answer_key(&ours, "ada/1", &answer, at(300)).await.unwrap();
    store.forget_key(&ours, "ada/1").await.unwrap();
    assert_eq!(claim("ada/1", "f", 250, 400).await, KeyClaim::Answered(answer.clone()), "what has an answer is not forgotten");
    assert_eq!(claim("ada/1", "g", 250, 400).await, KeyClaim::Different);
    assert_eq!(store.claim_key(&"other".parse().unwrap(), "ada/1", "f", at(0), at(100)).await.unwrap(), KeyClaim::New);
    assert_eq!(store.expire_keys(at(299), at(0)).await.unwrap(), []);
    assert_eq!(store.expire_keys(at(300), at(0)).await.unwrap(), std::slice::from_ref(&answer));
    assert_eq!(claim("ada/1", "g", 300, 400).await, KeyClaim::New);
    store.remove_secrets(&[answer]).await.unwrap();
    store.expire_keys(at(1_000), at(1_000)).await.unwrap();
}

async fn queue(store: &dyn Store) {
    let shop = service("queued");
    store.insert_service(&shop).await.unwrap();
    let runs: Vec<Run> = (0..3).map(|_| Run::queued(&shop, EnvironmentName::Development, RunRequest::Restart, "ada")).collect();
    let mut sorted = runs.clone();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    for (run, slot) in sorted.iter().zip(["one", "one", "two"]) {
        store.insert_run(&shop.organization, slot, run).await.unwrap();
    }
    let ids = async || store.heads().await.unwrap().into_iter().map(|(_, id)| id).collect::<Vec<_>>();
    assert_eq!(ids().await, [&sorted[0].id, &sorted[2].id].map(Clone::clone));
    let Claim::Held(fence) = store.claim("one", &sorted[0].id, "w", Duration::from_secs(30)).await.unwrap() else { panic!("the slot is free") };
    let finished = Run { status: RunStatus::Succeeded, ..sorted[0].clone() };
    store.update_run(&finished, &fence).await.unwrap();
    assert_eq!(ids().await, [&sorted[1].id, &sorted[2].id].map(Clone::clone));
    store.release(&fence).await.unwrap();
    for run in &sorted[1..] {
        store.request_cancel(&run.id).await.unwrap();
    }
    assert!(ids().await.is_empty());
    store.remove_service(&shop.id).await.unwrap();
}
