//! Runs: everything that is built and deployed is one.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::stream;
use crate::tag::tagged;
use crate::wire::{CreateRun, PageQuery, WaitingRun};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, TryStreamExt as _};
use kiwi_core::domain::{Deployment, Event, Run, RunId, ServiceName};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::store::RunFilter;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(waiting))
        .routes(routes!(create))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(deployment))
        .routes(routes!(events))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this service.
    service: Option<ServiceName>,
    /// Only those that are not finished.
    #[serde(default)]
    unfinished: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Since {
    /// The sequence to begin with.
    #[serde(default)]
    since: u64,
}

/// Runs, newest first.
#[utoipa::path(get, path = "/runs", operation_id = "list_runs", tag = "runs", params(PageQuery, Filter), responses((status = 200, body = Page<Run>)))]
async fn list(State(state): State<HttpState>, caller: Caller, Asked(page): Asked<PageQuery>, Asked(filter): Asked<Filter>) -> Result<Json<Page<Run>>, Problem> {
    let limit = page.limit()?;
    let before = page.cursor.map(|cursor| cursor.parse()).transpose()?;
    let service = match filter.service {
        Some(name) => Some(state.kiwi.service(&caller.actor, &name).await?.id),
        None => None,
    };
    let filter = RunFilter { service, before, unfinished: filter.unfinished, limit: Some(limit + 1), ..RunFilter::default() };
    Ok(Json(Page::of(state.kiwi.runs(&caller.actor, &filter).await?, limit, |run| run.id.to_string())))
}

/// Runs that have not begun, and why. Oldest first.
#[utoipa::path(get, path = "/runs/waiting", operation_id = "list_waiting_runs", tag = "runs", responses((status = 200, body = Vec<WaitingRun>)))]
async fn waiting(State(state): State<HttpState>, caller: Caller) -> Result<Json<Vec<WaitingRun>>, Problem> {
    let reasons = state.kiwi.all_waiting(&caller.actor).await?;
    Ok(Json(reasons.into_iter().map(|(run, reason)| WaitingRun { run, reason }).collect()))
}

/// Asks for a build, a deployment, a rollback or whatever else is done to a service. It is queued; follow it where `Location` says.
#[utoipa::path(post, path = "/services/{name}/runs", operation_id = "create_run", tag = "runs", params(("name" = ServiceName, Path)), request_body = CreateRun,
    responses((status = 202, body = Run, headers(("Location" = String)))))]
async fn create(State(state): State<HttpState>, caller: Caller, At(name): At<ServiceName>, Body(form): Body<CreateRun>) -> Result<Response, Problem> {
    let run = state.kiwi.request(&caller.actor, &name, form.environment, form.request).await?;
    Ok(super::located(StatusCode::ACCEPTED, &format!("runs/{}", run.id), &run))
}

/// One run with its stages.
#[utoipa::path(get, path = "/runs/{id}", operation_id = "show_run", tag = "runs", params(("id" = RunId, Path)), responses((status = 200, body = Run)))]
async fn show(State(state): State<HttpState>, caller: Caller, At(id): At<RunId>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&headers, &state.kiwi.run(&caller.actor, &id).await?))
}

/// Asks the worker of a run to stop it. What it began is undone.
#[utoipa::path(post, path = "/runs/{id}/cancel", operation_id = "cancel_run", tag = "runs", params(("id" = RunId, Path)),
    responses((status = 202, body = Run, headers(("Location" = String)))))]
async fn cancel(State(state): State<HttpState>, caller: Caller, At(id): At<RunId>) -> Result<Response, Problem> {
    state.kiwi.cancel(&caller.actor, &id).await?;
    let run = state.kiwi.run(&caller.actor, &id).await?;
    Ok(super::located(StatusCode::ACCEPTED, &format!("runs/{id}"), &run))
}

/// The deployment that a run made.
#[utoipa::path(get, path = "/runs/{id}/deployment", operation_id = "show_run_deployment", tag = "runs", params(("id" = RunId, Path)), responses((status = 200, body = Deployment)))]
async fn deployment(State(state): State<HttpState>, caller: Caller, At(id): At<RunId>, headers: HeaderMap) -> Result<Response, Problem> {
    let run = state.kiwi.run(&caller.actor, &id).await?;
    let none = || Error::new(ErrorKind::NotFound, "show deployment", format!("run {id} made no deployment"));
    Ok(tagged(&headers, &state.kiwi.deployment_of(&caller.actor, &run).await?.ok_or_else(none)?))
}

/// The events of a run, at most 1000 from `since` on; as a stream, all until the run ends. An event's id is its sequence, and `Last-Event-ID` goes on
/// after it.
#[utoipa::path(get, path = "/runs/{id}/events", operation_id = "list_events", tag = "runs",
    params(("id" = RunId, Path), Since, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses((status = 200, content((Vec<Event> = "application/json"), (String = "text/event-stream")))))]
async fn events(
    State(state): State<HttpState>,
    caller: Caller,
    At(id): At<RunId>,
    Asked(since): Asked<Since>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    state.kiwi.run(&caller.actor, &id).await?;
    let next = match stream::last_id(&headers) {
        Some(last) => last.parse::<u64>().map_err(|_| Error::invalid("read Last-Event-ID", "it is not the id of an event"))?.saturating_add(1),
        None => since.since,
    };
    if stream::wanted(&headers) {
        let events = state.feeds.follow(&state.kiwi, &caller.actor, &id, next);
        return stream::answer(&state, &caller, events.map_ok(|event| stream::event("event", Some(event.sequence.to_string()), &*event)));
    }
    let events: Vec<Event> = state.kiwi.events(&caller.actor, &id, next, false).take(1000).try_collect().await?;
    Ok(Json(events).into_response())
}
