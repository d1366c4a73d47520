//! Who changed what.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::Asked;
use crate::page::Page;
use crate::problem::Problem;
use crate::wire::{Facts, PageQuery, Rotated};
use axum::Json;
use axum::extract::State;
use kiwi_core::domain::AuditEntry;
use kiwi_core::provider::store::AuditFilter;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(whoami)).routes(routes!(rotate))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only what this actor did.
    actor: Option<String>,
}

/// Who changed what, when, from where, and how it ended; newest first.
#[utoipa::path(get, path = "/audit", operation_id = "list_audit", tag = "access", params(PageQuery, Filter), responses((status = 200, body = Page<AuditEntry>)))]
async fn list(
    State(state): State<HttpState>,
    caller: Caller,
    Asked(page): Asked<PageQuery>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let limit = page.limit()?;
    let before = page.cursor.map(|cursor| cursor.parse()).transpose()?;
    let entries = state.kiwi.audit(&caller.actor, &AuditFilter { before, actor: filter.actor, limit: Some(limit + 1) }).await?;
    Ok(Json(Page::of(entries, limit, |entry| entry.id.to_string())))
}

/// Who calls, and what for.
#[utoipa::path(get, path = "/whoami", operation_id = "whoami", tag = "access", responses((status = 200, body = Facts)))]
async fn whoami(caller: Caller) -> Json<Facts> {
    let actor = caller.actor;
    Json(Facts { name: actor.name, role: actor.role, organization: actor.organization, scopes: actor.scopes, version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Encrypts every secret with a new key; answers how many there are.
#[utoipa::path(post, path = "/key/rotate", operation_id = "rotate_key", tag = "access", responses((status = 200, body = Rotated)))]
async fn rotate(State(state): State<HttpState>, caller: Caller) -> Result<Json<Rotated>, Problem> {
    Ok(Json(Rotated { rotated: state.kiwi.rotate_key(&caller.actor).await? }))
}
