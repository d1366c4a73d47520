//! The routes, one file per resource. Each handler extracts, calls the facade, and maps.

mod audit;
mod bootstrap;
mod ci;
mod deployments;
mod environments;
mod gates;
mod health;
mod images;
mod logs;
mod providers;
mod registries;
mod runs;
mod runtimes;
mod services;
mod sources;
mod tokens;
mod users;

pub(crate) use health::probes;

use crate::HttpState;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

/// What asks for a token.
pub(crate) fn protected() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .merge(audit::routes())
        .merge(ci::routes())
        .merge(deployments::routes())
        .merge(environments::routes())
        .merge(gates::routes())
        .merge(images::routes())
        .merge(logs::routes())
        .merge(providers::routes())
        .merge(registries::routes())
        .merge(runs::routes())
        .merge(runtimes::routes())
        .merge(services::routes())
        .merge(sources::routes())
        .merge(tokens::routes())
        .merge(users::routes())
}

/// What does not.
pub(crate) fn open() -> OpenApiRouter<HttpState> {
    bootstrap::routes()
}

/// 201, and where the new thing is.
fn created<T: Serialize>(path: &str, value: &T) -> Response {
    located(StatusCode::CREATED, path, value)
}

/// A status with `Location`.
fn located<T: Serialize>(status: StatusCode, path: &str, value: &T) -> Response {
    let mut response = (status, axum::Json(value)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{path}", crate::API)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
