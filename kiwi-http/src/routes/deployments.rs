//! What was deployed, and what runs.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At};
use crate::page::Page;
use crate::problem::Problem;
use crate::stream;
use crate::tag::{tag, tagged};
use crate::wire::{PageQuery, StatusReport};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream::try_unfold;
use kiwi_core::domain::{Deployment, EnvironmentName, ServiceName};
use kiwi_core::error::Error;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How often a followed status is looked at: what a runtime does tells nobody.
const LOOK: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(status))
}

/// Deployments of a service in an environment, newest first.
#[utoipa::path(get, path = "/services/{name}/environments/{environment}/deployments", operation_id = "list_deployments", tag = "deployments",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path), PageQuery), responses((status = 200, body = Page<Deployment>)))]
async fn list(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    Asked(page): Asked<PageQuery>,
) -> Result<Json<Page<Deployment>>, Problem> {
    let limit = page.limit()?;
    let before: Option<u64> =
        page.cursor.map(|cursor| cursor.parse().map_err(|_| Error::invalid("read query", "the cursor is not one of this list"))).transpose()?;
    let mut all = state.kiwi.history(&caller.actor, &name, environment).await?;
    all.retain(|deployment| before.is_none_or(|before| deployment.release.revision < before));
    Ok(Json(Page::of(all, limit, |deployment| deployment.release.revision.to_string())))
}

/// One deployment, by its revision.
#[utoipa::path(get, path = "/services/{name}/environments/{environment}/deployments/{revision}", operation_id = "show_deployment", tag = "deployments",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path), ("revision" = u64, Path)), responses((status = 200, body = Deployment)))]
async fn show(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment, revision)): At<(ServiceName, EnvironmentName, u64)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(tagged(&headers, &state.kiwi.deployment(&caller.actor, &name, environment, revision).await?))
}

/// What is live, and how it differs from its release; as a stream, whenever it changes.
#[utoipa::path(get, path = "/services/{name}/environments/{environment}/status", operation_id = "show_status", tag = "deployments",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path), ("Last-Event-ID" = Option<String>, Header, description = "The id of the last status that was seen")),
    responses((status = 200, content((StatusReport = "application/json"), (String = "text/event-stream")))))]
async fn status(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now: StatusReport = state.kiwi.status(&caller.actor, &name, environment).await?.into();
    if !stream::wanted(&headers) {
        return Ok(tagged(&headers, &now));
    }
    let seen = stream::last_id(&headers).map(str::to_owned);
    let (kiwi, actor) = (state.kiwi.clone(), caller.actor.clone());
    let events = try_unfold((seen, Some(now)), move |(mut seen, mut next)| {
        let (kiwi, actor, name) = (kiwi.clone(), actor.clone(), name.clone());
        async move {
            loop {
                let report = match next.take() {
                    Some(report) => report,
                    None => {
                        tokio::time::sleep(LOOK).await;
                        kiwi.status(&actor, &name, environment).await?.into()
                    }
                };
                // Quotes would have to be escaped by whoever sends the id back.
                let id = tag(&report).trim_matches('"').to_owned();
                if seen.replace(id.clone()).as_ref() != Some(&id) {
                    return Ok(Some((stream::event("status", Some(id), &report), (seen, None))));
                }
            }
        }
    });
    stream::answer(&state, &caller, events)
}
