//! What scans found, and what they let through.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{At, Body};
use crate::problem::Problem;
use crate::tag::{may_change_now, tagged};
use crate::wire::GateOfEnvironment;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kiwi_core::domain::{EnvironmentName, Gate, RunId, ServiceName, StageReports};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(show, choose, reset)).routes(routes!(reports))
}

async fn of(state: &HttpState, caller: &Caller, name: &ServiceName, environment: EnvironmentName) -> Result<GateOfEnvironment, Problem> {
    let (gate, chosen) = state.kiwi.gate(&caller.actor, name, environment).await?;
    Ok(GateOfEnvironment { gate, chosen })
}

/// The rule over scans of a service in an environment.
#[utoipa::path(get, path = "/services/{name}/environments/{environment}/gate", operation_id = "show_gate", tag = "scans",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path)), responses((status = 200, body = GateOfEnvironment)))]
async fn show(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(tagged(&headers, &of(&state, &caller, &name, environment).await?))
}

/// Chooses the rule over scans; it holds from the next run on.
#[utoipa::path(put, path = "/services/{name}/environments/{environment}/gate", operation_id = "choose_gate", tag = "scans",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path)), request_body = Gate, responses((status = 200, body = GateOfEnvironment)))]
async fn choose(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    headers: HeaderMap,
    Body(gate): Body<Gate>,
) -> Result<Response, Problem> {
    may_change_now(&headers, of(&state, &caller, &name, environment)).await?;
    state.kiwi.set_gate(&caller.actor, &name, environment, Some(gate)).await?;
    Ok(tagged(&HeaderMap::new(), &of(&state, &caller, &name, environment).await?))
}

/// Goes back to what holds when nobody chose.
#[utoipa::path(delete, path = "/services/{name}/environments/{environment}/gate", operation_id = "reset_gate", tag = "scans",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path)), responses((status = 200, body = GateOfEnvironment)))]
async fn reset(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may_change_now(&headers, of(&state, &caller, &name, environment)).await?;
    state.kiwi.set_gate(&caller.actor, &name, environment, None).await?;
    Ok(tagged(&HeaderMap::new(), &of(&state, &caller, &name, environment).await?))
}

/// What the scanners of a run said, in the order of its stages.
#[utoipa::path(get, path = "/runs/{id}/reports", operation_id = "list_reports", tag = "scans", params(("id" = RunId, Path)), responses((status = 200, body = Vec<StageReports>)))]
async fn reports(State(state): State<HttpState>, caller: Caller, At(id): At<RunId>) -> Result<Json<Vec<StageReports>>, Problem> {
    Ok(Json(state.kiwi.reports(&caller.actor, &id).await?))
}
