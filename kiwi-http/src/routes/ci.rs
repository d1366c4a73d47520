//! Auto CI, and what git hosts delivered.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::tag::{may_change_now, tagged};
use crate::wire::{AutoCiReport, EnableAutoCi, ForecastPush, PageQuery};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kiwi_core::domain::{AutoCi, Delivery, DeliveryId, ServiceName};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::pipeline::ci::{self, Forecast, Reconciliation};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(show, enable, disable))
        .routes(routes!(reconcile))
        .routes(routes!(forecast))
        .routes(routes!(deliveries))
        .routes(routes!(delivery))
}

/// Settings of Auto CI, and how far it came. 404 when it is off.
#[utoipa::path(get, path = "/services/{name}/ci", operation_id = "show_ci", tag = "ci", params(("name" = ServiceName, Path)), responses((status = 200, body = AutoCiReport)))]
async fn show(State(state): State<HttpState>, caller: Caller, At(name): At<ServiceName>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&headers, &report(&state, &caller, &name).await?))
}

async fn report(state: &HttpState, caller: &Caller, name: &ServiceName) -> Result<AutoCiReport, Problem> {
    let found = state.kiwi.auto_ci(&caller.actor, name).await?;
    let off = || Error::new(ErrorKind::NotFound, "find Auto CI", format!("Auto CI of {name} is off"));
    let (settings, state) = found.ok_or_else(off)?;
    Ok(AutoCiReport { settings, state })
}

/// Registers the webhook with a new secret: from now on a push to the service's branch is built and deployed.
#[utoipa::path(put, path = "/services/{name}/ci", operation_id = "enable_ci", tag = "ci", params(("name" = ServiceName, Path)), request_body = EnableAutoCi,
    responses((status = 200, body = AutoCi)))]
async fn enable(
    State(state): State<HttpState>,
    caller: Caller,
    At(name): At<ServiceName>,
    headers: HeaderMap,
    Body(form): Body<EnableAutoCi>,
) -> Result<Json<AutoCi>, Problem> {
    may_change_now(&headers, report(&state, &caller, &name)).await?;
    let new = ci::EnableAutoCi { environment: form.environment, public_url: form.public_url, watch: form.watch };
    Ok(Json(state.kiwi.enable_auto_ci(&caller.actor, &name, new).await?))
}

/// Removes the webhook; pushes are not delivered any more.
#[utoipa::path(delete, path = "/services/{name}/ci", operation_id = "disable_ci", tag = "ci", params(("name" = ServiceName, Path)), responses((status = 204)))]
async fn disable(State(state): State<HttpState>, caller: Caller, At(name): At<ServiceName>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    may_change_now(&headers, report(&state, &caller, &name)).await?;
    state.kiwi.disable_auto_ci(&caller.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Looks at the branch now: builds a push whose webhook never came, and mends the webhook.
#[utoipa::path(post, path = "/services/{name}/ci/reconcile", operation_id = "reconcile_ci", tag = "ci", params(("name" = ServiceName, Path)),
    responses((status = 200, body = Reconciliation)))]
async fn reconcile(State(state): State<HttpState>, caller: Caller, At(name): At<ServiceName>) -> Result<Json<Reconciliation>, Problem> {
    Ok(Json(state.kiwi.reconcile(&caller.actor, &name).await?))
}

/// Whether patterns would let a commit be built. Nothing is changed.
#[utoipa::path(post, path = "/services/{name}/ci/forecast", operation_id = "forecast_push", tag = "ci", params(("name" = ServiceName, Path)), request_body = ForecastPush,
    responses((status = 200, body = Forecast)))]
async fn forecast(
    State(state): State<HttpState>,
    caller: Caller,
    At(name): At<ServiceName>,
    Body(form): Body<ForecastPush>,
) -> Result<Json<Forecast>, Problem> {
    Ok(Json(state.kiwi.forecast_push(&caller.actor, &name, form.environment, &form.watch, &form.commit).await?))
}

/// What git hosts delivered for a service, and what became of it, newest first.
#[utoipa::path(get, path = "/services/{name}/deliveries", operation_id = "list_deliveries", tag = "ci", params(("name" = ServiceName, Path), PageQuery),
    responses((status = 200, body = Page<Delivery>)))]
async fn deliveries(
    State(state): State<HttpState>,
    caller: Caller,
    At(name): At<ServiceName>,
    Asked(page): Asked<PageQuery>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let limit = page.limit()?;
    let before: Option<DeliveryId> = page.cursor.map(|cursor| cursor.parse()).transpose()?;
    let found = state.kiwi.deliveries(&caller.actor, &name, before.as_ref(), limit + 1).await?;
    Ok(Json(Page::of(found, limit, |delivery| delivery.id.to_string())))
}

/// One delivery.
#[utoipa::path(get, path = "/deliveries/{id}", operation_id = "show_delivery", tag = "ci", params(("id" = DeliveryId, Path)), responses((status = 200, body = Delivery)))]
async fn delivery(State(state): State<HttpState>, caller: Caller, At(id): At<DeliveryId>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&headers, &state.kiwi.delivery(&caller.actor, &id).await?))
}
