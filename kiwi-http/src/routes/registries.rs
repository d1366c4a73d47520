//! Registries.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::tag::has_no_tag;
use crate::wire::{AddRegistry, PageQuery};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kiwi_core::domain::{RegistryName, RegistrySettings};
use kiwi_core::error::Error;
use kiwi_core::provider::RegistryReport;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(remove)).routes(routes!(check))
}

/// Registries, in name order.
#[utoipa::path(get, path = "/registries", operation_id = "list_registries", tag = "registries", params(PageQuery), responses((status = 200, body = Page<RegistrySettings>)))]
async fn list(State(state): State<HttpState>, caller: Caller, Asked(page): Asked<PageQuery>) -> Result<Json<Page<RegistrySettings>>, Problem> {
    let all = state.kiwi.registries(&caller.actor).await?;
    Ok(Json(page.cut(all, |registry| registry.name.to_string())?))
}

/// Registers a registry after it took the credentials.
#[utoipa::path(post, path = "/registries", operation_id = "add_registry", tag = "registries", request_body = AddRegistry,
    responses((status = 201, body = RegistrySettings, headers(("Location" = String)))))]
async fn add(State(state): State<HttpState>, caller: Caller, Body(form): Body<AddRegistry>) -> Result<Response, Problem> {
    let credentials = match (form.username, form.password) {
        (Some(username), Some(password)) => Some((username, password.0)),
        (None, None) => None,
        _ => return Err(Error::invalid("add registry", "username and password go together").into()),
    };
    let settings = state.kiwi.add_registry(&caller.actor, form.name, form.address, credentials, form.insecure).await?;
    Ok(super::created(&format!("registries/{}", settings.name), &settings))
}

/// Forgets a registry that no service uses.
#[utoipa::path(delete, path = "/registries/{name}", operation_id = "remove_registry", tag = "registries", params(("name" = RegistryName, Path)), responses((status = 204)))]
async fn remove(State(state): State<HttpState>, caller: Caller, At(name): At<RegistryName>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    has_no_tag(&headers)?;
    state.kiwi.remove_registry(&caller.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a registry answers and takes the credentials.
#[utoipa::path(get, path = "/registries/{name}/check", operation_id = "check_registry", tag = "registries", params(("name" = RegistryName, Path)), responses((status = 200, body = RegistryReport)))]
async fn check(State(state): State<HttpState>, caller: Caller, At(name): At<RegistryName>) -> Result<Json<RegistryReport>, Problem> {
    Ok(Json(state.kiwi.check_registry(&caller.actor, &name).await?))
}
