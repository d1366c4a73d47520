//! A database with a long history, in SQL that SQLite and PostgreSQL both understand.

use crate::contract::store::{deployment, service};
use kiwi_core::domain::{EnvironmentName, EventBody, OrganizationId, Run, RunId, RunRequest, RunStatus, ServiceId, ServiceName, Timestamp};
use kiwi_core::provider::Store;
use kiwi_core::provider::store::{Claim, RunFilter};
use std::time::{Duration, Instant};

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Services; the first of them has a tenth of all runs.
    pub services: u64,
    /// Runs, each in the slot of its service; the newest [`UNFINISHED`] wait.
    pub runs: u64,
}

/// How many runs wait, however many there are.
pub const UNFINISHED: u64 = 100;
/// How many events a run of the first service has, and how many deployments that service has.
pub const LONG: u64 = 1000;

/// The id of the n-th record.
fn id(number: u64) -> String {
    format!("01{number:024}")
}

/// The name of the n-th service.
fn name(number: u64) -> String {
    format!("service-{}", id(number).to_lowercase())
}

/// The statements that fill empty tables. `sqlite` says whose words to use.
pub fn statements(amount: Amount, sqlite: bool) -> Vec<String> {
    let Amount { services, runs } = amount;
    let id = |number: &str| if sqlite { format!("printf('01%024d', {number})") } else { format!("('01' || lpad(({number})::text, 24, '0'))") };
    let numbers = |count: u64| format!("WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count} - 1)");
    let template = service("template");
    let run = Run { status: RunStatus::Succeeded, ..Run::queued(&template, EnvironmentName::Development, RunRequest::Pipeline { commit: None }, "admin") };
    let live = deployment(&template, &run.id);
    let event = EventBody::Info { message: "a line of a log, about as long as most".into() };
    // Quotes of JSON are double, so the text needs no escape.
    let replace =
        |text: String, pairs: &[(&str, String)]| pairs.iter().fold(format!("'{text}'"), |inner, (old, new)| format!("replace({inner}, '{old}', {new})"));
    let service_of = format!("CASE WHEN n % 10 = 0 THEN 0 ELSE n % {services} END");
    let body =
        replace(serde_json::to_string(&template).unwrap(), &[(template.id.as_str(), id("n")), ("template", format!("'service-' || lower({})", id("n")))]);
    let run_body = replace(serde_json::to_string(&run).unwrap(), &[(run.id.as_str(), id("n")), (template.id.as_str(), id(&service_of))]);
    let live_body = replace(serde_json::to_string(&live).unwrap(), &[(template.id.as_str(), id("n"))]);
    let first_run = format!("{runs} - 10 - {runs} % 10");
    let (organization, provider, provider_value) = (OrganizationId::default(), if sqlite { "" } else { "provider, " }, if sqlite { "" } else { "'url', " });
    vec![
        format!(
            "{} INSERT INTO services (id, organization, name, {provider}runtime, body) SELECT {}, '{organization}', 'service-' || lower({}), {provider_value}'local', {body} FROM numbers",
            numbers(services),
            id("n"),
            id("n"),
        ),
        format!(
            "{} INSERT INTO runs (id, organization, service, slot, finished, cancel_requested, body) SELECT {}, '{organization}', {}, {} || '/development', {}, {}, {run_body} FROM numbers",
            numbers(runs),
            id("n"),
            id(&service_of),
            id(&service_of),
            format_args!("n < {runs} - {UNFINISHED}"),
            "n < 0",
        ),
        format!(
            "{} INSERT INTO deployments (service, environment, revision, run, live, body) SELECT {}, 'development', 1, 'run of ' || {}, {}, {live_body} FROM numbers WHERE n > 0",
            numbers(services),
            id("n"),
            id("n"),
            "n >= 0",
        ),
        format!(
            "{} INSERT INTO deployments (service, environment, revision, run, live, body) SELECT {}, 'development', n + 1, 'run ' || {}, {}, '{}' FROM numbers",
            numbers(LONG),
            id("0"),
            id("n"),
            format_args!("n = {LONG} - 1"),
            serde_json::to_string(&live).unwrap(),
        ),
        format!(
            "{} INSERT INTO events (run, sequence, at, body) SELECT {}, n % {LONG}, 0, '{}' FROM numbers",
            numbers(runs),
            id(&format!("{first_run} - 10 * (n / {LONG})")),
            serde_json::to_string(&event).unwrap(),
        ),
    ]
}

/// The n-th newest run of the first service that has events.
fn long_run(amount: Amount, number: u64) -> RunId {
    id(amount.runs - 10 - amount.runs % 10 - 10 * number).parse().unwrap()
}

/// Does everything that is done often, once, and answers how long each took.
pub async fn often(store: &dyn Store, amount: Amount, number: u64) -> Vec<(&'static str, Duration)> {
    let organization = OrganizationId::default();
    let some = number * 7919 % amount.services;
    let (service, busiest): (ServiceId, ServiceId) = (id(some).parse().unwrap(), id(0).parse().unwrap());
    let (called, after): (ServiceName, ServiceName) = (name(some).parse().unwrap(), name(some / 2).parse().unwrap());
    let before: RunId = id(number * 104_729 % amount.runs).parse().unwrap();
    let newest = RunFilter { limit: Some(20), ..RunFilter::default() };
    let waiting = amount.runs - 1 - number % UNFINISHED;
    let slot = format!("{}/development", id(if waiting.is_multiple_of(10) { 0 } else { waiting % amount.services }));
    let long = long_run(amount, number % (amount.runs / LONG));
    let mut took = Vec::new();
    let mut began = Instant::now();
    let mut done = |what: &'static str| {
        took.push((what, began.elapsed()));
        began = Instant::now();
    };
    assert!(store.service(&organization, &called).await.unwrap().is_some());
    done("a service by name");
    assert_eq!(store.services(&organization, Some(&after), 100).await.unwrap().len(), 100);
    done("a page of 100 services");
    store.runs(&organization, &RunFilter { service: Some(service.clone()), ..newest.clone() }).await.unwrap();
    done("the 20 newest runs of a service");
    assert_eq!(store.runs(&organization, &RunFilter { service: Some(busiest.clone()), ..newest.clone() }).await.unwrap().len(), 20);
    done("the 20 newest runs of the busiest service");
    assert_eq!(store.runs(&organization, &newest).await.unwrap().len(), 20);
    done("the 20 newest runs of all");
    store.runs(&organization, &RunFilter { before: Some(before.clone()), ..newest }).await.unwrap();
    done("20 runs from the middle of all");
    assert!(store.runs(&organization, &RunFilter { unfinished: true, ..RunFilter::default() }).await.unwrap().len() >= 100);
    done("the 100 unfinished runs");
    assert!(!store.runs(&organization, &RunFilter { unfinished: true, slot: Some(slot), ..RunFilter::default() }).await.unwrap().is_empty());
    done("the queue of a slot");
    assert!(store.run(&before).await.unwrap().is_some());
    done("a run by id");
    assert_eq!(store.events(&long, LONG / 2, 100).await.unwrap().len(), 100);
    done("100 of 1,000 events");
    assert_eq!(store.deployments(&busiest, EnvironmentName::Development, 20).await.unwrap().len(), 20);
    done("the 20 newest of 1,000 deployments");
    assert!(store.live(&service, EnvironmentName::Development).await.unwrap().is_some());
    done("what is live");
    let Claim::Held(fence) = store.claim("often", &long, "often", Duration::from_secs(60)).await.unwrap() else { panic!("busy") };
    done("a claim");
    store.append_events(&long, &[(Timestamp::now(), EventBody::Info { message: "a line".to_owned() })], &fence).await.unwrap();
    done("an event appended to 1,000");
    store.release(&fence).await.unwrap();
    done("a release");
    took
}
