//! Services.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::tag::{may_change, may_change_now, tagged};
use crate::wire::{BuildSecrets, ChangeService, PageQuery, RegisterService};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kiwi_core::domain::{Service, ServiceName};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list, register)).routes(routes!(show, change, remove)).routes(routes!(build_secrets))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// Whether its volumes go too, with all data in them.
    #[serde(default)]
    volumes: bool,
}

/// Services, in name order.
#[utoipa::path(get, path = "/services", operation_id = "list_services", tag = "services", params(PageQuery), responses((status = 200, body = Page<Service>)))]
async fn list(State(state): State<HttpState>, caller: Caller, Asked(page): Asked<PageQuery>) -> Result<Json<Page<Service>>, Problem> {
    let limit = page.limit()?;
    let after = page.cursor.map(|cursor| cursor.parse()).transpose()?;
    let services = state.kiwi.services(&caller.actor, after.as_ref(), limit + 1).await?;
    Ok(Json(Page::of(services, limit, |service| service.name.to_string())))
}

/// Registers a service after its source and everything it names was found.
#[utoipa::path(post, path = "/services", operation_id = "register_service", tag = "services", request_body = RegisterService,
    responses((status = 201, body = Service, headers(("Location" = String)))))]
async fn register(State(state): State<HttpState>, caller: Caller, Body(form): Body<RegisterService>) -> Result<Response, Problem> {
    let service = state.kiwi.register(&caller.actor, form.try_into()?).await?;
    Ok(super::created(&format!("services/{}", service.name), &service))
}

/// One service with its settings.
#[utoipa::path(get, path = "/services/{name}", operation_id = "show_service", tag = "services", params(("name" = ServiceName, Path)), responses((status = 200, body = Service)))]
async fn show(State(state): State<HttpState>, caller: Caller, At(name): At<ServiceName>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&headers, &state.kiwi.service(&caller.actor, &name).await?))
}

/// Replaces the settings of a service; they hold for what is built and deployed from now on.
#[utoipa::path(put, path = "/services/{name}", operation_id = "change_service", tag = "services", params(("name" = ServiceName, Path)), request_body = ChangeService,
    responses((status = 200, body = Service)))]
async fn change(
    State(state): State<HttpState>,
    caller: Caller,
    At(name): At<ServiceName>,
    headers: HeaderMap,
    Body(form): Body<ChangeService>,
) -> Result<Response, Problem> {
    let mut changed = None;
    let outcome = state.kiwi.update_service(&caller.actor, &name, |service| match may_change(&headers, service) {
        Ok(()) => form.apply(service),
        Err(problem) => {
            changed = Some(problem);
            Err(super::environments::refused())
        }
    });
    let outcome = outcome.await;
    match changed {
        Some(problem) => Err(problem),
        None => Ok(tagged(&HeaderMap::new(), &outcome?)),
    }
}

/// Removes a service from its runtimes and from Kiwi.
#[utoipa::path(delete, path = "/services/{name}", operation_id = "remove_service", tag = "services", params(("name" = ServiceName, Path), Removal), responses((status = 204)))]
async fn remove(
    State(state): State<HttpState>,
    caller: Caller,
    At(name): At<ServiceName>,
    Asked(removal): Asked<Removal>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    may_change(&headers, &state.kiwi.service(&caller.actor, &name).await?)?;
    state.kiwi.remove_service(&caller.actor, &name, removal.volumes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets secrets for the builds of a service; the others stay.
#[utoipa::path(put, path = "/services/{name}/build-secrets", operation_id = "set_build_secrets", tag = "services", params(("name" = ServiceName, Path)),
    request_body = BuildSecrets, responses((status = 200, body = Service)))]
async fn build_secrets(
    State(state): State<HttpState>,
    caller: Caller,
    At(name): At<ServiceName>,
    headers: HeaderMap,
    Body(form): Body<BuildSecrets>,
) -> Result<Json<Service>, Problem> {
    may_change_now(&headers, async { Ok(state.kiwi.service(&caller.actor, &name).await?) }).await?;
    let secrets = form.secrets.into_iter().map(|(name, value)| (name, value.0)).collect();
    Ok(Json(state.kiwi.set_build_secrets(&caller.actor, &name, secrets).await?))
}
