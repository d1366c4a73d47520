//! Testing the connection to a source.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{CheckSource, SourceCheck};
use axum::Json;
use axum::extract::State;
use kiwi_core::provider::SourceAccess;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(check))
}

/// Tests the connection to a git repository and lists its branches. Nothing is kept.
#[utoipa::path(post, path = "/sources/check", operation_id = "check_source", tag = "services", request_body = CheckSource, responses((status = 200, body = SourceCheck)))]
async fn check(State(state): State<HttpState>, caller: Caller, Body(form): Body<CheckSource>) -> Result<Json<SourceCheck>, Problem> {
    let access = SourceAccess { token: form.token.map(|token| token.0), ca: form.ca, private: false };
    let report = state.kiwi.check_source(&caller.actor, &form.url, form.branch.as_ref(), &access).await?;
    Ok(Json(SourceCheck { default_branch: report.default_branch, branches: report.branches.into_iter().map(Into::into).collect() }))
}
