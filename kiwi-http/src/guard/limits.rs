//! How much is done at once, for how long, and a line in the log for it.

use crate::HttpState;
use crate::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kiwi_core::error::{Error, ErrorKind};
use std::time::{Duration, Instant};
use tracing::Instrument as _;
use tracing::field::Empty;

/// How long a request that needs no token may take: git hosts wait for ten seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id, keeps it within the limits, counts it and logs it.
pub(crate) async fn keep(State(state): State<HttpState>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    // A client's own id is kept, so that both sides' logs can be joined; anything else than a plain word is not.
    let given = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let id = given.filter(plain).map_or_else(|| ulid::Ulid::new().to_string().to_ascii_lowercase(), str::to_owned);
    let method = request.method().clone();
    // The pattern and not the path: names stay out of the log, and its lines can be grouped.
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let value = HeaderValue::from_str(&id).ok();
    if let Some(value) = &value {
        request.headers_mut().insert(REQUEST_ID, value.clone());
    }
    let span = tracing::info_span!("request", %id, %method, route, status = Empty, otel.name = Empty, otel.kind = Empty);
    if state.config.traced {
        span.record("otel.name", format!("{method} {route}")).record("otel.kind", "server");
    }
    let mut response = answer(&state, &route, request, next).instrument(span.clone()).await;
    if let Some(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    state.metrics.count(status, began.elapsed());
    span.record("status", status);
    let milliseconds = began.elapsed().as_millis();
    // Probes come every few seconds, and say nothing while all is well.
    let probe = status < 400 && is_probe(&route);
    span.in_scope(|| match probe {
        true => tracing::debug!(target: "kiwi_http::access", milliseconds, "answered"),
        false => tracing::info!(target: "kiwi_http::access", milliseconds, "answered"),
    });
    response
}

fn is_probe(route: &str) -> bool {
    // A platform may have put it all below a path of its own.
    ["/healthz", "/readyz", "/metrics"].iter().any(|probe| route.ends_with(probe))
}

/// Whoever may send without a token has places of their own, and little time: a delivery that takes longer has failed for its host.
fn is_open(route: &str) -> bool {
    route.contains("/hooks/") || route.ends_with("/bootstrap")
}

async fn answer(state: &HttpState, route: &str, request: Request, next: Next) -> Response {
    // What watches the server must hear from it when it is busy, too.
    if is_probe(route) {
        return next.run(request).await;
    }
    let (places, time) = if is_open(route) { (&state.strangers, PATIENCE.min(state.config.timeout)) } else { (&state.room, state.config.timeout) };
    let Ok(_place) = places.try_acquire() else {
        return Problem::from(Error::new(ErrorKind::Unavailable, "answer request", "too many requests are being answered")).after(1).into_response();
    };
    let late = || {
        let error = Error::new(ErrorKind::Timeout, "answer request", "the answer took too long");
        Problem::from(error.with_hint("send the request again; with an Idempotency-Key nothing is made twice")).into_response()
    };
    tokio::time::timeout(time, next.run(request)).await.unwrap_or_else(|_| late())
}
