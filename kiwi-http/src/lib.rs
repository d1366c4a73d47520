//! The HTTP adapter of Kiwi: `router(state)` serves the API for a platform to mount in its own axum application, and [`serve`](server::serve)
//! serves it over a socket. Handlers extract, call the facade, and map; nothing is decided here but who calls.

mod documents;
mod feed;
mod guard;
mod hooks;
mod input;
mod metrics;
mod opening;
mod page;
mod problem;
mod routes;
pub mod server;
mod state;
mod stream;
mod tag;
pub mod wire;

pub use documents::openapi;
pub use state::{HttpConfig, HttpState};

pub use hooks::hooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use guard::{audit, auth, idempotency, limits};
use kiwi_core::error::{Error, ErrorKind};
use problem::Problem;
use std::time::Duration;
use tower_http::cors::CorsLayer;
use utoipa_axum::router::OpenApiRouter;

/// Where the API begins.
pub const API: &str = "/api/v1";

/// Every route. Nothing is answered across origins but to those of [`HttpConfig::origins`]: a browser's page elsewhere has no business with a token.
///
/// A platform that serves it itself gives requests their [`ConnectInfo`](axum::extract::ConnectInfo), so that guessing can be slowed and the audit
/// log says from where.
pub fn router(state: HttpState) -> Router {
    let document = documents::text();
    let actions = documents::actions(&document);
    // The last layer is the first to see a request.
    let (protected, _) = OpenApiRouter::new().nest(API, routes::protected()).split_for_parts();
    let protected = protected
        .route_layer(from_fn_with_state(state.clone(), idempotency::repeat))
        .route_layer(from_fn_with_state((state.clone(), actions), audit::record))
        .route_layer(from_fn_with_state(state.clone(), auth::authenticate));
    let (open, _) = OpenApiRouter::new().nest(API, routes::open()).split_for_parts();
    Router::new()
        .merge(protected)
        .merge(open)
        .merge(routes::probes())
        .merge(hooks(state.kiwi.clone()))
        .merge(documents::routes(document))
        .fallback(async || {
            Problem::from(
                Error::new(ErrorKind::NotFound, "route request", "there is nothing at this address").with_hint("GET /api/v1/openapi.json lists what there is"),
            )
        })
        .method_not_allowed_fallback(async || {
            let error = Error::new(ErrorKind::Unsupported, "route request", "this address does not take this method");
            Problem::with_status(StatusCode::METHOD_NOT_ALLOWED, error)
        })
        .layer(DefaultBodyLimit::max(state.config.largest_body))
        .layer(from_fn_with_state(state.clone(), limits::keep))
        .layer(from_fn(hardened))
        .layer(tower::util::option_layer(cross_origin(&state.config.origins)))
        .with_state(state)
}

/// Lets the pages of these origins call the API. Tokens travel in a header that pages set themselves, so that no cookie is ever asked for.
fn cross_origin(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let word = HeaderName::from_static;
    let asked = [AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, word("idempotency-key"), word("last-event-id"), word("x-request-id")];
    let answered = [ETAG, LOCATION, RETRY_AFTER, word("x-request-id")];
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let layer = || CorsLayer::new().allow_methods(methods).allow_headers(asked).expose_headers(answered).max_age(Duration::from_secs(3600));
    (!origins.is_empty()).then(|| layer().allow_origin(origins.to_vec()))
}

/// No answer is a page to be framed, guessed at or kept by a proxy.
async fn hardened(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
    use axum::http::header;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
