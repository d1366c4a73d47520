//! The audit log: every request of a known caller that may change something is written down here, and nowhere else, so that no route can forget it.

use super::auth::Caller;
use super::idempotency::REPLAY;
use crate::HttpState;
use crate::problem::{Cause, Problem};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::LOCATION;
use axum::middleware::Next;
use axum::response::Response;
use kiwi_core::access::Actor;
use kiwi_core::domain::{AuditEntry, AuditId, AuditOutcome, Timestamp};
use kiwi_core::error::{Error, ErrorKind};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument as _;

/// What each route does, by method and path; taken from the OpenAPI document, so that both use one name.
pub(crate) type Actions = Arc<BTreeMap<(String, String), String>>;

/// Writes down what the handler did. Only names are written: the path, never the body, the query or a header.
pub(crate) async fn record(State((state, actions)): State<(HttpState, Actions)>, caller: Caller, request: Request, next: Next) -> Result<Response, Problem> {
    let method = request.method().clone();
    if matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(next.run(request).await);
    }
    // A platform may have put the API below a path of its own.
    let within = |path: &str| path.find(crate::API).and_then(|start| path.get(start..)).unwrap_or_default().to_owned();
    let under_way = state.under_way.clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| within(path.as_str())).unwrap_or_default();
    let path = within(request.uri().path());
    let asked = resource(&path);
    // Whoever hangs up neither cuts a change in half nor keeps it out of the log.
    let work = async move {
        let response = next.run(request).await;
        // A method that the route does not have changes nothing, and nor does an answer that is given once more.
        let Some(action) = actions.get(&(method.to_string(), route)).cloned() else { return response };
        if response.headers().contains_key(REPLAY) {
            return response;
        }
        let cause = response.extensions().get::<Cause>().map(|cause| cause.0);
        let outcome = match cause {
            Some(cause) => AuditOutcome::Failed { cause },
            None if response.status().is_success() => AuditOutcome::Done,
            None => AuditOutcome::Failed { cause: ErrorKind::Internal },
        };
        // What was made has a name that the request's path did not.
        let made = response.headers().get(LOCATION).and_then(|place| place.to_str().ok()).map(|place| resource(&within(place)));
        let entry = AuditEntry {
            id: AuditId::generate(),
            at: Timestamp::now(),
            actor: caller.actor.name.clone(),
            token: Some(caller.token),
            action,
            resource: made.unwrap_or(asked),
            origin: caller.origin.map(|origin| origin.to_string()),
            outcome,
        };
        write(&state, &caller.actor, &entry).await;
        response
    };
    let failed = |error| Error::new(ErrorKind::Internal, "answer request", "the request ended early").with_source(error);
    Ok(tokio::spawn(under_way.track_future(work.in_current_span())).await.map_err(failed)?)
}

/// The part of a path behind the API's.
fn resource(path: &str) -> String {
    path.trim_start_matches(crate::API).trim_start_matches('/').chars().take(300).collect()
}

/// Writes down how the first admin came to be, whom no token let in before.
pub(crate) async fn record_first_admin(state: &HttpState, value: &str, origin: Option<IpAddr>) {
    let Ok(Some((actor, token))) = state.kiwi.authenticate(value).await else { return };
    let entry = AuditEntry {
        id: AuditId::generate(),
        at: Timestamp::now(),
        actor: actor.name.clone(),
        token: Some(token),
        action: "bootstrap".to_owned(),
        resource: format!("users/{}", actor.name),
        origin: origin.map(|origin| origin.to_string()),
        outcome: AuditOutcome::Done,
    };
    write(state, &actor, &entry).await;
}

/// The change is made; to answer that it failed because nothing could be written here would be wrong.
async fn write(state: &HttpState, actor: &Actor, entry: &AuditEntry) {
    if let Err(error) = state.kiwi.record(actor, entry).await {
        tracing::error!(error = %error.chain(), action = entry.action, actor = entry.actor, "the audit log could not be written");
    }
}
