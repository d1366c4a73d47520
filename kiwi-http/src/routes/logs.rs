//! What running containers print.

use crate::HttpState;
use crate::guard::auth::Caller;
use crate::input::{Asked, At};
use crate::problem::Problem;
use crate::stream;
use crate::wire::LogEntry;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, TryStreamExt as _};
use kiwi_core::domain::{ContainerName, EnvironmentName, ServiceName, Timestamp};
use kiwi_core::error::{Error, Result as Outcome};
use kiwi_core::pipeline::LogSelection;
use kiwi_core::provider::LogLine;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::future::ready;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How much earlier than the newest line seen another replica's line may be and still come after it, in milliseconds.
const OVERTAKING: i64 = 10_000;

pub(super) fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(read))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// One container.
    container: Option<ContainerName>,
    /// At most so many lines from the past, of each replica; 1000 when absent.
    #[param(maximum = 10000)]
    tail: Option<u32>,
    /// Whether a stream goes on when the present end is reached.
    #[serde(default)]
    follow: bool,
}

/// Log lines of what is live, secrets redacted; as a stream, one event for each. `Last-Event-ID` goes on after the lines that were seen.
#[utoipa::path(get, path = "/services/{name}/environments/{environment}/logs", operation_id = "read_logs", tag = "deployments",
    params(("name" = ServiceName, Path), ("environment" = EnvironmentName, Path), Which, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last line that was seen")),
    responses((status = 200, content((Vec<LogEntry> = "application/json"), (String = "text/event-stream")))))]
async fn read(
    State(state): State<HttpState>,
    caller: Caller,
    At((name, environment)): At<(ServiceName, EnvironmentName)>,
    Asked(which): Asked<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen: Place = match stream::last_id(&headers) {
        Some(id) => id.parse()?,
        None => Place::default(),
    };
    let streams = stream::wanted(&headers);
    let since = seen.since();
    // Whoever comes again has seen the past.
    let tail = if since.is_some() { None } else { Some(which.tail.unwrap_or(1000).min(10_000)) };
    let wanted = LogSelection { container: which.container, follow: streams && which.follow, tail, since };
    let lines = state.kiwi.logs(&caller.actor, &name, environment, wanted).await?;
    let mut place = Place::default();
    let new = lines.try_filter_map(move |line| {
        let fresh = place.advance(&line, &seen);
        ready(Ok::<_, Error>(fresh.then(|| (place.beyond(&seen).to_string(), LogEntry::from(line)))))
    });
    if streams {
        return stream::answer(&state, &caller, new.map_ok(|(id, line)| stream::event("log", Some(id), &line)));
    }
    let lines: Vec<LogEntry> = new.map_ok(|(_, line)| line).take(10_000).try_collect().await?;
    Ok(Json(lines).into_response())
}

/// How far the lines of every replica were read: the millisecond of its last line, and how many lines of that millisecond. Lines of several
/// replicas come in no certain order, so one number would lose some or repeat them.
#[derive(Debug, Default, Clone)]
struct Place(BTreeMap<String, (i64, u32)>);

impl Place {
    /// The time to read from again: somewhat before the oldest place. What was seen is known and left out; what a replica printed meanwhile, and
    /// another one overtook, is not.
    fn since(&self) -> Option<Timestamp> {
        self.0.values().map(|(at, _)| *at).min().map(|at| Timestamp::from_millis(at.saturating_sub(OVERTAKING)))
    }

    /// Notes a line, and answers whether it is beyond what was seen before.
    fn advance(&mut self, line: &LogLine, seen: &Self) -> bool {
        let Some(at) = line.at.map(Timestamp::as_millis) else { return true };
        let place = self.0.entry(line.replica.clone()).or_insert((at, 0));
        *place = if place.0 == at { (at, place.1.saturating_add(1)) } else { (at, 1) };
        seen.0.get(&line.replica).is_none_or(|before| *place > *before)
    }

    /// This place, and what was seen before of replicas that are not that far yet.
    fn beyond(&self, seen: &Self) -> Self {
        let mut both = self.clone();
        for (replica, before) in &seen.0 {
            let place = both.0.entry(replica.clone()).or_insert(*before);
            *place = (*place).max(*before);
        }
        both
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (replica, (at, count))) in self.0.iter().enumerate() {
            write!(f, "{}{replica}={at}.{count}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Outcome<Self> {
        let fail = || Error::invalid("read Last-Event-ID", "it is not the id of a log line");
        let part = |part: &str| {
            let (replica, place) = part.split_once('=').ok_or_else(fail)?;
            let (at, count) = place.split_once('.').ok_or_else(fail)?;
            Ok((replica.to_owned(), (at.parse().map_err(|_| fail())?, count.parse().map_err(|_| fail())?)))
        };
        text.split(',').map(part).collect::<Outcome<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiwi_core::domain::LogStream;

    #[test]
    fn whoever_comes_again_misses_nothing_and_sees_nothing_twice() {
        let line = |replica: &str, at: i64, text: &str| LogLine {
            replica: replica.to_owned(),
            stream: LogStream::Stdout,
            at: Some(Timestamp::from_millis(at)),
            line: text.to_owned(),
        };
        let all = [line("a", 10, "1"), line("b", 9, "2"), line("a", 10, "3"), line("b", 12, "4"), line("a", 13, "5"), line("b", 12, "6")];
        for cut in 1..all.len() {
            let (mut place, mut read) = (Place::default(), Vec::new());
            for line in &all[..cut] {
                assert!(place.advance(line, &Place::default()));
                read.push(line.line.clone());
            }
            let seen: Place = place.to_string().parse().unwrap();
            let since = seen.since().unwrap();
            let mut place = Place::default();
            for line in all.iter().filter(|line| line.at.unwrap() > since) {
                if place.advance(line, &seen) {
                    read.push(line.line.clone());
                }
            }
            read.sort();
            assert_eq!(read, ["1", "2", "3", "4", "5", "6"], "{cut}");
        }
        assert!("x".parse::<Place>().is_err() && "a=1".parse::<Place>().is_err());
    }
}
