//! Runtimes.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::tag::has_no_tag;
use crate::wire::{AddedRuntime, PageQuery};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kiwi_core::domain::{RuntimeName, RuntimeSettings};
use kiwi_core::provider::RuntimeReport;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(remove)).routes(routes!(check)).routes(routes!(rbac)).routes(routes!(clean))
}

/// Runtimes, in name order.
#[utoipa::path(get, path = "/runtimes", operation_id = "list_runtimes", tag = "runtimes", params(PageQuery), responses((status = 200, body = Page<RuntimeSettings>)))]
async fn list(State(state): State<HttpState>, caller: Caller, Asked(page): Asked<PageQuery>) -> Result<Json<Page<RuntimeSettings>>, Problem> {
    let all = state.kiwi.runtimes(&caller.actor).await?;
    Ok(Json(page.cut(all, |runtime| runtime.name.to_string())?))
}

/// Registers a runtime after it answered.
#[utoipa::path(post, path = "/runtimes", operation_id = "add_runtime", tag = "runtimes", request_body = RuntimeSettings,
    responses((status = 201, body = AddedRuntime, headers(("Location" = String)))))]
async fn add(State(state): State<HttpState>, caller: Caller, Body(settings): Body<RuntimeSettings>) -> Result<Response, Problem> {
    let report = state.kiwi.add_runtime(&caller.actor, &settings).await?;
    Ok(super::created(&format!("runtimes/{}", settings.name), &AddedRuntime { settings, report }))
}

/// Forgets a runtime that no service uses.
#[utoipa::path(delete, path = "/runtimes/{name}", operation_id = "remove_runtime", tag = "runtimes", params(("name" = RuntimeName, Path)), responses((status = 204)))]
async fn remove(State(state): State<HttpState>, caller: Caller, At(name): At<RuntimeName>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    has_no_tag(&headers)?;
    state.kiwi.remove_runtime(&caller.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a runtime can be used, and what is missing.
#[utoipa::path(get, path = "/runtimes/{name}/check", operation_id = "check_runtime", tag = "runtimes", params(("name" = RuntimeName, Path)), responses((status = 200, body = RuntimeReport)))]
async fn check(State(state): State<HttpState>, caller: Caller, At(name): At<RuntimeName>) -> Result<Json<RuntimeReport>, Problem> {
    Ok(Json(state.kiwi.check_runtime(&caller.actor, &name).await?))
}

/// The manifests that grant exactly what a runtime needs.
#[utoipa::path(get, path = "/runtimes/{name}/rbac", operation_id = "show_runtime_rbac", tag = "runtimes", params(("name" = RuntimeName, Path)), responses((status = 200, body = Vec<Object>)))]
async fn rbac(State(state): State<HttpState>, caller: Caller, At(name): At<RuntimeName>) -> Result<Json<Vec<serde_json::Value>>, Problem> {
    Ok(Json(state.kiwi.runtime_rbac(&caller.actor, &name).await?))
}

/// Removes leftovers, and images that no release in the history needs; answers what was removed.
#[utoipa::path(post, path = "/runtimes/{name}/clean", operation_id = "clean_runtime", tag = "runtimes", params(("name" = RuntimeName, Path)), responses((status = 200, body = Vec<String>)))]
async fn clean(State(state): State<HttpState>, caller: Caller, At(name): At<RuntimeName>) -> Result<Json<Vec<String>>, Problem> {
    Ok(Json(state.kiwi.clean_runtime(&caller.actor, &name).await?))
}
