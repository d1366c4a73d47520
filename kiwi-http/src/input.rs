//! What a request holds, read once and refused as a problem.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use kiwi_core::error::{Error, ErrorKind};
use serde::de::DeserializeOwned;

/// The body, as JSON.
pub(crate) struct Body<T>(pub(crate) T);

/// The parameters of the path.
pub(crate) struct At<T>(pub(crate) T);

/// The parameters of the query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
            let error = Error::invalid("read body", "the body is not application/json").with_hint("send JSON, with `Content-Type: application/json`");
            return Err(Problem::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::from(Error::new(ErrorKind::TooLarge, "read body", "the body is larger than allowed")),
            _ => Problem::from(Error::invalid("read body", "the body ended early")),
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Error::invalid("read body", format!("the body does not fit: {error}")).into())
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Error::invalid("read path", rejection.body_text()).into()),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // No name has it, and PostgreSQL refuses a text with it.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Error::invalid("read query", "the query has a NUL in it").into());
        }
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Error::invalid("read query", rejection.body_text()).into()),
        }
    }
}
