//! Git hosts.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At, Body};
use crate::page::Page;
use crate::problem::Problem;
use crate::tag::has_no_tag;
use crate::wire::{BranchHead, SetProvider, SetProviderAnswer};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use futures_util::TryStreamExt as _;
use kiwi_core::domain::{GitProviderKind, ProviderSettings};
use kiwi_core::error::Result as Outcome;
use kiwi_core::pipeline::NewProvider;
use kiwi_core::provider::{BoxStream, Namespace, RemoteRepository, TokenReport};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How much of a host's list is answered; a search finds the rest.
const MOST: usize = 1000;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set, remove))
        .routes(routes!(check))
        .routes(routes!(repositories))
        .routes(routes!(branches))
        .routes(routes!(namespaces))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Only those whose path has this.
    search: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Repository {
    /// The full path of the repository.
    repository: String,
}

async fn first<T>(items: BoxStream<Outcome<T>>) -> Result<Json<Page<T>>, Problem> {
    use futures_util::StreamExt as _;
    Ok(Json(Page::whole(items.take(MOST).try_collect().await?)))
}

/// The git hosts that are set up.
#[utoipa::path(get, path = "/providers", operation_id = "list_providers", tag = "providers", responses((status = 200, body = Page<ProviderSettings>)))]
async fn list(State(state): State<HttpState>, caller: Caller) -> Result<Json<Page<ProviderSettings>>, Problem> {
    Ok(Json(Page::whole(state.kiwi.providers(&caller.actor).await?)))
}

/// Sets up a git host after its token was verified; replaces the one of its kind.
#[utoipa::path(put, path = "/providers/{kind}", operation_id = "set_provider", tag = "providers", params(("kind" = GitProviderKind, Path)), request_body = SetProvider,
    responses((status = 200, body = SetProviderAnswer)))]
async fn set(
    State(state): State<HttpState>,
    caller: Caller,
    At(kind): At<GitProviderKind>,
    headers: HeaderMap,
    Body(form): Body<SetProvider>,
) -> Result<Json<SetProviderAnswer>, Problem> {
    has_no_tag(&headers)?;
    let new = NewProvider { kind, url: form.url, token: form.token.0, ca: form.ca, private: form.private };
    let (settings, report) = state.kiwi.set_provider(&caller.actor, new).await?;
    Ok(Json(SetProviderAnswer { settings, report }))
}

/// Forgets a git host that no service comes from, with its token.
#[utoipa::path(delete, path = "/providers/{kind}", operation_id = "remove_provider", tag = "providers", params(("kind" = GitProviderKind, Path)), responses((status = 204)))]
async fn remove(State(state): State<HttpState>, caller: Caller, At(kind): At<GitProviderKind>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    has_no_tag(&headers)?;
    state.kiwi.remove_provider(&caller.actor, kind).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose token it is, what it lacks, and when it ends.
#[utoipa::path(get, path = "/providers/{kind}/check", operation_id = "check_provider", tag = "providers", params(("kind" = GitProviderKind, Path)), responses((status = 200, body = TokenReport)))]
async fn check(State(state): State<HttpState>, caller: Caller, At(kind): At<GitProviderKind>) -> Result<Json<TokenReport>, Problem> {
    Ok(Json(state.kiwi.check_provider(&caller.actor, kind).await?))
}

/// The repositories that the organization's token sees, at most 1000.
#[utoipa::path(get, path = "/providers/{kind}/repositories", operation_id = "list_repositories", tag = "providers", params(("kind" = GitProviderKind, Path), Search),
    responses((status = 200, body = Page<RemoteRepository>)))]
async fn repositories(
    State(state): State<HttpState>,
    caller: Caller,
    At(kind): At<GitProviderKind>,
    Asked(query): Asked<Search>,
) -> Result<Json<Page<RemoteRepository>>, Problem> {
    first(state.kiwi.repositories(&caller.actor, kind, query.search).await?).await
}

/// The branches of a repository with their commits, at most 1000.
#[utoipa::path(get, path = "/providers/{kind}/branches", operation_id = "list_branches", tag = "providers", params(("kind" = GitProviderKind, Path), Repository),
    responses((status = 200, body = Page<BranchHead>)))]
async fn branches(
    State(state): State<HttpState>,
    caller: Caller,
    At(kind): At<GitProviderKind>,
    Asked(query): Asked<Repository>,
) -> Result<Json<Page<BranchHead>>, Problem> {
    first(Box::pin(state.kiwi.branches(&caller.actor, kind, &query.repository).await?.map_ok(BranchHead::from))).await
}

/// The owners that repositories can be created under, at most 1000.
#[utoipa::path(get, path = "/providers/{kind}/namespaces", operation_id = "list_namespaces", tag = "providers", params(("kind" = GitProviderKind, Path)),
    responses((status = 200, body = Page<Namespace>)))]
async fn namespaces(State(state): State<HttpState>, caller: Caller, At(kind): At<GitProviderKind>) -> Result<Json<Page<Namespace>>, Problem> {
    first(state.kiwi.namespaces(&caller.actor, kind).await?).await
}
