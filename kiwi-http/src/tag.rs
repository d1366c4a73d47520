//! Entity tags: what a client has is still what there is, or it is not.

use crate::problem::Problem;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The tag of a value: of its JSON, so that equal values have equal tags on every replica.
pub(crate) fn tag<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    Sha256::digest(json).iter().take(16).fold(String::from("\""), |mut tag, byte| {
        let _ = write!(tag, "{byte:02x}");
        tag
    }) + "\""
}

/// The value with its tag, or 304 when the client has it already.
pub(crate) fn tagged<T: Serialize>(headers: &HeaderMap, value: &T) -> Response {
    let tag = tag(value);
    let known =
        listed(headers, header::IF_NONE_MATCH).is_some_and(|known| known == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { Json(value).into_response() };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Whether a change may be made to what there is now: without `If-Match`, always.
pub(crate) fn may_change<T: Serialize>(headers: &HeaderMap, now: &T) -> Result<(), Problem> {
    match listed(headers, header::IF_MATCH) {
        Some(wanted) if wanted != "*" && !wanted.split(',').any(|one| one.trim() == tag(now)) => Err(Problem::changed_meanwhile()),
        _ => Ok(()),
    }
}

/// The same for what is read only where `If-Match` asks. What is not there matches nothing (RFC 9110, 13.1.1).
pub(crate) async fn may_change_now<T: Serialize>(headers: &HeaderMap, now: impl Future<Output = Result<T, Problem>>) -> Result<(), Problem> {
    match listed(headers, header::IF_MATCH) {
        None => Ok(()),
        Some(_) => may_change(headers, &now.await?),
    }
}

/// A change to what has no tag: `If-Match` with one cannot hold.
pub(crate) fn has_no_tag(headers: &HeaderMap) -> Result<(), Problem> {
    match listed(headers, header::IF_MATCH) {
        Some(wanted) if wanted != "*" => Err(Problem::changed_meanwhile()),
        _ => Ok(()),
    }
}

fn listed(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().trim())
}
