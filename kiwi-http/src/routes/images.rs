//! Ready images.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::Asked;
use crate::page::Page;
use crate::problem::Problem;
use crate::wire::Resolved;
use axum::Json;
use axum::extract::State;
use kiwi_core::domain::ImageReference;
use kiwi_core::error::Error;
use kiwi_core::provider::{FoundImage, TagDetails};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(tags)).routes(routes!(resolve))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Term {
    /// What to look for.
    term: String,
    /// How many, 1 to 1000; 25 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Image {
    /// The image, such as `nginx:1.29`.
    image: ImageReference,
}

/// Images of Docker Hub that match a term.
#[utoipa::path(get, path = "/images", operation_id = "search_images", tag = "images", params(Term), responses((status = 200, body = Page<FoundImage>)))]
async fn search(State(state): State<HttpState>, caller: Caller, Asked(query): Asked<Term>) -> Result<Json<Page<FoundImage>>, Problem> {
    let limit = query.limit.unwrap_or(25);
    if !(1..=1000).contains(&limit) {
        return Err(Error::invalid("read query", "limit is not a number from 1 to 1000").into());
    }
    Ok(Json(Page::whole(state.kiwi.search_images(&caller.actor, &query.term, limit).await?)))
}

/// The tags of an image.
#[utoipa::path(get, path = "/images/tags", operation_id = "list_image_tags", tag = "images", params(Image), responses((status = 200, body = Page<TagDetails>)))]
async fn tags(State(state): State<HttpState>, caller: Caller, Asked(query): Asked<Image>) -> Result<Json<Page<TagDetails>>, Problem> {
    Ok(Json(Page::whole(state.kiwi.image_tags(&caller.actor, &query.image).await?)))
}

/// The digest that a tag names now.
#[utoipa::path(get, path = "/images/digest", operation_id = "resolve_image", tag = "images", params(Image), responses((status = 200, body = Resolved)))]
async fn resolve(State(state): State<HttpState>, caller: Caller, Asked(query): Asked<Image>) -> Result<Json<Resolved>, Problem> {
    Ok(Json(Resolved { digest: state.kiwi.resolve_image(&caller.actor, &query.image).await? }))
}
