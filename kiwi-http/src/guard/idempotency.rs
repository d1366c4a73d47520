//! `Idempotency-Key`: a client that does not know whether its request arrived sends it again, and the thing is made once.

use super::auth::Caller;
use crate::HttpState;
use crate::problem::Problem;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kiwi_core::domain::TokenId;
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::pipeline::Recall;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// What says that an answer was given before.
pub(super) const REPLAY: &str = "idempotent-replay";
/// The longest key.
pub(crate) const LONGEST: usize = 200;

/// An answer, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    location: Option<String>,
    body: String,
}

/// Answers a POST that was made before with what it was answered then. Answers that are errors are not kept: the request may be tried again.
pub(crate) async fn repeat(State(state): State<HttpState>, caller: Caller, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(key) = request.headers().get("idempotency-key").filter(|_| request.method() == Method::POST) else {
        return Ok(next.run(request).await);
    };
    let fits = |key: &&str| (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key.to_str().ok().filter(fits).map(str::to_owned).ok_or_else(|| {
        Error::invalid("read Idempotency-Key", format!("the key is not 1 to {LONGEST} printable characters"))
            .with_hint("use a random UUID for each thing you create")
    })?;
    let (parts, body) = request.into_parts();
    let body = read(body, state.config.largest_body).await?;
    let fingerprint = fingerprint(&caller.token, &parts.method, parts.uri.path(), &body);
    let actor = &caller.actor;
    if let Recall::Answered(kept) = state.kiwi.recall(actor, &key, &fingerprint).await? {
        return restore(&kept);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if !response.status().is_success() {
        if let Err(error) = state.kiwi.forget(actor, &key).await {
            tracing::warn!(error = %error.chain(), "an idempotency key could not be given back");
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = read(body, state.config.largest_body).await?;
    let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let kept = Kept { status: parts.status.as_u16(), location, body: String::from_utf8_lossy(&body).into_owned() };
    let text = serde_json::to_string(&kept).map_err(|error| Error::new(ErrorKind::Internal, "keep answer", "it cannot be written").with_source(error))?;
    // It is done; to answer that it failed because nothing could be kept here would be wrong.
    if let Err(error) = state.kiwi.remember(actor, &key, &SecretString::from(text)).await {
        tracing::error!(error = %error.chain(), "the answer to a request with an idempotency key could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn restore(kept: &SecretString) -> Result<Response, Problem> {
    let unreadable = |error| Error::new(ErrorKind::Storage, "read kept answer", "it cannot be read").with_source(error);
    let kept: Kept = serde_json::from_str(kept.expose_secret()).map_err(unreadable)?;
    let mut response = (StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK), kept.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAY, HeaderValue::from_static("true"));
    if let Some(location) = kept.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn read(body: Body, largest: usize) -> Result<Bytes, Problem> {
    to_bytes(body, largest).await.map_err(|_| Error::new(ErrorKind::TooLarge, "read body", "the body is larger than allowed, or ended early").into())
}

/// The token is a part of it: what one was answered is not for another of the same person, which may allow less.
fn fingerprint(token: &TokenId, method: &Method, path: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{token} {method} {path}\n"));
    hash.update(body);
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
