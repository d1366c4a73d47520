//! People.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::tag::{may_change_now, tagged};
use crate::wire::{NewUser, PageQuery};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kiwi_core::domain::{Timestamp, User, UserName};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(show, remove))
}

/// People, in name order.
#[utoipa::path(get, path = "/users", operation_id = "list_users", tag = "access", params(PageQuery), responses((status = 200, body = Page<User>)))]
async fn list(State(state): State<HttpState>, caller: Caller, Asked(page): Asked<PageQuery>) -> Result<Json<Page<User>>, Problem> {
    let all = state.kiwi.users(&caller.actor).await?;
    Ok(Json(page.cut(all, |user| user.name.as_str().to_ascii_lowercase())?))
}

/// Adds a person. They need a token to come in.
#[utoipa::path(post, path = "/users", operation_id = "add_user", tag = "access", request_body = NewUser,
    responses((status = 201, body = User, headers(("Location" = String)))))]
async fn add(State(state): State<HttpState>, caller: Caller, Body(form): Body<NewUser>) -> Result<Response, Problem> {
    let full_name = form.full_name.unwrap_or_else(|| form.name.to_string());
    let user = User { name: form.name, email: form.email, full_name, role: form.role, created_at: Timestamp::now() };
    state.kiwi.add_user(&caller.actor, &user).await?;
    Ok(super::created(&format!("users/{}", user.name), &user))
}

/// One person.
#[utoipa::path(get, path = "/users/{name}", operation_id = "show_user", tag = "access", params(("name" = UserName, Path)), responses((status = 200, body = User)))]
async fn show(State(state): State<HttpState>, caller: Caller, At(name): At<UserName>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&headers, &state.kiwi.user(&caller.actor, &name).await?))
}

/// Removes a person, and ends their tokens.
#[utoipa::path(delete, path = "/users/{name}", operation_id = "remove_user", tag = "access", params(("name" = UserName, Path)), responses((status = 204)))]
async fn remove(State(state): State<HttpState>, caller: Caller, At(name): At<UserName>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    may_change_now(&headers, async { Ok(state.kiwi.user(&caller.actor, &name).await?) }).await?;
    state.kiwi.remove_user(&caller.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
