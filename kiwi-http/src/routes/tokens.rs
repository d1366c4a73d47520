//! API tokens.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::tag::{may_change_now, tagged};
use crate::wire::{CreateToken, CreatedToken, PageQuery, SecretValue};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kiwi_core::domain::{ApiToken, TokenId};
use kiwi_core::pipeline::NewToken;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, revoke))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// Everybody's, for an admin; otherwise the caller's own.
    #[serde(default)]
    all: bool,
}

/// API tokens, oldest first.
#[utoipa::path(get, path = "/tokens", operation_id = "list_tokens", tag = "access", params(PageQuery, Whose), responses((status = 200, body = Page<ApiToken>)))]
async fn list(
    State(state): State<HttpState>,
    caller: Caller,
    Asked(page): Asked<PageQuery>,
    Asked(whose): Asked<Whose>,
) -> Result<Json<Page<ApiToken>>, Problem> {
    let all = state.kiwi.tokens(&caller.actor, whose.all).await?;
    Ok(Json(page.cut(all, |token| token.id.to_string())?))
}

/// Makes a token. Its value is shown in this answer alone.
#[utoipa::path(post, path = "/tokens", operation_id = "create_token", tag = "access", request_body = CreateToken,
    responses((status = 201, body = CreatedToken, headers(("Location" = String)))))]
async fn create(State(state): State<HttpState>, caller: Caller, Body(form): Body<CreateToken>) -> Result<Response, Problem> {
    let user = match form.user {
        Some(user) => user,
        None => caller.actor.name.parse()?,
    };
    let new = NewToken { user, name: form.name, scopes: form.scopes, expires_at: form.expires_at };
    let (token, value) = state.kiwi.create_token(&caller.actor, new).await?;
    Ok(super::created(&format!("tokens/{}", token.id), &CreatedToken { value: SecretValue(value), token }))
}

/// One token.
#[utoipa::path(get, path = "/tokens/{id}", operation_id = "show_token", tag = "access", params(("id" = TokenId, Path)), responses((status = 200, body = ApiToken)))]
async fn show(State(state): State<HttpState>, caller: Caller, At(id): At<TokenId>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&headers, &state.kiwi.token(&caller.actor, &id).await?))
}

/// Ends a token.
#[utoipa::path(delete, path = "/tokens/{id}", operation_id = "revoke_token", tag = "access", params(("id" = TokenId, Path)), responses((status = 200, body = ApiToken)))]
async fn revoke(State(state): State<HttpState>, caller: Caller, At(id): At<TokenId>, headers: HeaderMap) -> Result<Json<ApiToken>, Problem> {
    may_change_now(&headers, async { Ok(state.kiwi.token(&caller.actor, &id).await?) }).await?;
    Ok(Json(state.kiwi.revoke_token(&caller.actor, &id).await?))
}
