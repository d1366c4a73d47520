//! Server-sent events: with ids to go on from, comments that keep the connection, and an end when the server stops.

use crate::HttpState;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};
use kiwi_core::error::{Error, ErrorKind, Result};
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;

/// Proxies end connections that are silent, mostly after a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Whether the client asks for a stream rather than for what is there.
pub(crate) fn wanted(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/event-stream"))
}

/// The id of the last event that the client saw.
pub(crate) fn last_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok().filter(|id| !id.is_empty())
}

/// An event of a stream.
pub(crate) fn event<T: Serialize>(name: &str, id: Option<String>, data: &T) -> Event {
    let event = Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default());
    match id {
        Some(id) => event.id(id),
        None => event,
    }
}

/// Answers with a stream. An error in it becomes its last event, and the client comes again.
pub(crate) fn answer(state: &HttpState, events: impl Stream<Item = Result<Event>> + Send + 'static) -> Result<Response, Problem> {
    let full = |_| Error::new(ErrorKind::Unavailable, "open stream", "too many streams are under way");
    let place = state.streams.clone().try_acquire_owned().map_err(full)?;
    let events = events.take_until(state.stopped()).map(move |item| {
        let _ = &place;
        let event = item.unwrap_or_else(|error| {
            tracing::warn!(error = %error.chain(), "a stream ended");
            self::event("error", None, &serde_json::json!({ "code": error.kind(), "detail": error.message(), "hint": error.hint() }))
        });
        Ok::<_, Infallible>(event)
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // Or a proxy would gather events before it lets them go.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}
