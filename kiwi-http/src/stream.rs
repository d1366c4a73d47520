//! Server-sent events: with ids to go on from, comments that keep the connection, and an end when the server stops.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};
use kiwi_core::access::Actor;
use kiwi_core::domain::OrganizationId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::pipeline::Kiwi;
use serde::Serialize;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Proxies end connections that are silent, mostly after a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often a stream looks whether its token still opens anything.
const LOOK: Duration = Duration::from_secs(15);

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

/// Answers with a stream. An error in it becomes its last event, and the client comes again. It ends with the token that opened it.
pub(crate) fn answer(state: &HttpState, caller: &Caller, events: impl Stream<Item = Result<Event>> + Send + 'static) -> Result<Response, Problem> {
    let place = state.streams.take(&caller.actor)?;
    let end = futures_util::future::select(Box::pin(state.stopped()), Box::pin(revoked(state.kiwi.clone(), caller.clone())));
    let events = events.take_until(end).map(move |item| {
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

/// Ends when the token opens nothing any more.
async fn revoked(kiwi: Kiwi, caller: Caller) {
    loop {
        tokio::time::sleep(LOOK).await;
        // While the store does not answer, nobody knows.
        if let Ok(false) = kiwi.is_still(&caller.actor, &caller.token).await {
            return;
        }
    }
}

/// The places for streams, of which no person takes more than half.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    taken: Mutex<HashMap<Person, usize>>,
}

type Person = (OrganizationId, String);

/// A place that is taken, until it is dropped.
#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    person: Person,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Mutex::default() }
    }

    fn take(self: &Arc<Self>, actor: &Actor) -> Result<Place> {
        let person = (actor.organization.clone(), actor.name.to_ascii_lowercase());
        let mut taken = self.taken();
        let (all, own) = (taken.values().sum::<usize>(), taken.get(&person).copied().unwrap_or_default());
        if all >= self.most || own >= (self.most / 2).max(1) {
            let hint = if all >= self.most { "try again in a moment" } else { "end streams that you no longer read" };
            return Err(Error::new(ErrorKind::Unavailable, "open stream", "too many streams are under way").with_hint(hint));
        }
        *taken.entry(person.clone()).or_default() += 1;
        drop(taken);
        Ok(Place { places: self.clone(), person })
    }

    /// How many streams are under way.
    pub(crate) fn count(&self) -> usize {
        self.taken().values().sum()
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Person, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(own) = taken.get_mut(&self.person) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_every_place() {
        let places = Arc::new(Places::new(4));
        let (ada, grace) = (Actor::local_admin(), Actor::local_member());
        let held = [places.take(&ada).unwrap(), places.take(&ada).unwrap()];
        assert!(places.take(&ada).is_err());
        let other = places.take(&grace).unwrap();
        drop(held);
        assert!(places.take(&ada).is_ok());
        drop(other);
        assert!(places.taken().is_empty());
    }
}
