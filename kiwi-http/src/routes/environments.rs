//! Settings of services in environments, and what a deployment with them would do.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::problem::Problem;
use crate::tag::{may_change, tagged};
use crate::wire::{ChangeEnvironment, DeploymentPlanned};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kiwi_core::domain::{EnvironmentName, EnvironmentSettings, RunRequest, ServiceName};
use kiwi_core::error::{Error, ErrorKind};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(show, change)).routes(routes!(plan))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Condition {
    /// Changes the settings only when something is live, for a run that is asked for next.
    #[serde(default)]
    live: bool,
}

/// What ends a change whose precondition failed; the client reads another problem.
pub(super) fn refused() -> Error {
    Error::new(ErrorKind::Conflict, "check If-Match", "the thing changed meanwhile")
}

/// The settings of a service in an environment.
#[utoipa::path(get, path = "/services/{name}/environments/{environment}", operation_id = "show_environment", tag = "services",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path)), responses((status = 200, body = EnvironmentSettings)))]
async fn show(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(tagged(&headers, &state.kiwi.environment(&caller.actor, &name, environment).await?))
}

/// Replaces the settings of a service in an environment; they hold from the next deployment on.
#[utoipa::path(put, path = "/services/{name}/environments/{environment}", operation_id = "change_environment", tag = "services",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path), Condition), request_body = ChangeEnvironment, responses((status = 200, body = EnvironmentSettings)))]
async fn change(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    Asked(condition): Asked<Condition>,
    headers: HeaderMap,
    Body(mut form): Body<ChangeEnvironment>,
) -> Result<Response, Problem> {
    let mut changed = None;
    let secrets = std::mem::take(&mut form.secrets).into_iter().map(|(name, value)| (name, value.0)).collect();
    let change = |settings: &mut EnvironmentSettings| match may_change(&headers, settings) {
        Ok(()) => form.apply(settings),
        Err(problem) => {
            changed = Some(problem);
            Err(refused())
        }
    };
    let (kiwi, actor) = (&state.kiwi, &caller.actor);
    let outcome = match condition.live {
        true => kiwi.update_live_environment(actor, &name, environment, secrets, change).await,
        false => kiwi.update_environment(actor, &name, environment, secrets, change).await,
    };
    match changed {
        Some(problem) => Err(problem),
        None => Ok(tagged(&HeaderMap::new(), &outcome?)),
    }
}

/// The release that a run would deploy, and what it would change. Nothing is done.
#[utoipa::path(post, path = "/services/{name}/environments/{environment}/plan", operation_id = "plan_deployment", tag = "deployments",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path)), request_body = RunRequest, responses((status = 200, body = DeploymentPlanned)))]
async fn plan(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    Body(request): Body<RunRequest>,
) -> Result<Json<DeploymentPlanned>, Problem> {
    let (release, plan) = state.kiwi.plan(&caller.actor, &name, environment, request).await?;
    Ok(Json(DeploymentPlanned { release, plan }))
}
