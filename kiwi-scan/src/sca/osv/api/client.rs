//! The one HTTP client: two requests, each with an end, a limit, and attempts.

use super::Query;
use super::settings::{OsvApi, Settings};
use super::wire::{Batch, QueryResult, Results};
use crate::sca::osv::record::LARGEST_RECORD;
use kiwi_core::domain::Timestamp;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use std::time::Duration;
use tokio::sync::RwLock;
use tokio::time::Instant;
use url::Url;

/// The largest answer to a batch: a thousand queries with a page of ids each.
const LARGEST_BATCH: usize = 64 << 20;
/// How often something is asked.
const ATTEMPTS: u32 = 4;

/// Why there is no record.
pub(super) enum Failure {
    /// It alone cannot be had.
    Record(String),
    /// Nothing can be had.
    Api(String),
}

/// Why there is no answer.
enum Refusal {
    /// Another attempt may help, after a pause that the server may name.
    Later(String, Option<Duration>),
    /// None would help.
    Status(StatusCode),
    Never(String),
}

pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    settings: Settings,
    end: Instant,
    /// Before then the server wants no request at all.
    not_before: RwLock<Instant>,
}

impl Client {
    pub(super) fn new(api: &OsvApi) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            // What is asked is for this server alone.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10).min(api.settings.timeout))
            .user_agent(concat!("kiwi/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
        let now = Instant::now();
        Ok(Self { http, base: api.base.clone(), settings: api.settings, end: after(now, api.settings.deadline), not_before: RwLock::new(now) })
    }

    /// One result for each query, in their order.
    pub(super) async fn batch(&self, open: &[(&Query, Option<String>)]) -> Result<Vec<QueryResult>, String> {
        let url = self.base.join("v1/querybatch").map_err(|error| error.to_string())?;
        let bytes = self.answer(self.http.post(url).json(&Batch::new(open)), LARGEST_BATCH).await.map_err(|refusal| match refusal {
            Refusal::Status(status) => format!("it answered {status}"),
            Refusal::Later(reason, _) | Refusal::Never(reason) => reason,
        })?;
        let answer: Results = serde_json::from_slice(&bytes).map_err(|_| "its answer is not that of OSV's API".to_owned())?;
        if answer.results.len() == open.len() { Ok(answer.results) } else { Err(format!("it answered {} of {} questions", answer.results.len(), open.len())) }
    }

    /// The JSON of a record.
    pub(super) async fn record(&self, id: &str) -> Result<Vec<u8>, Failure> {
        let url = self.base.join("v1/vulns/").and_then(|vulns| vulns.join(&format!("./{id}"))).map_err(|error| Failure::Record(error.to_string()))?;
        let limit = usize::try_from(LARGEST_RECORD).unwrap_or(usize::MAX);
        self.answer(self.http.get(url), limit).await.map_err(|refusal| match refusal {
            Refusal::Status(status) => Failure::Record(format!("the API answered {status}")),
            Refusal::Never(reason) => Failure::Record(reason),
            Refusal::Later(reason, _) => Failure::Api(reason),
        })
    }

    async fn answer(&self, request: RequestBuilder, limit: usize) -> Result<Vec<u8>, Refusal> {
        let mut pause = self.settings.pause;
        let mut attempt = 1;
        loop {
            let start = *self.not_before.read().await;
            tokio::time::sleep_until(start.min(self.end)).await;
            let again = request.try_clone().ok_or_else(|| Refusal::Never("the question cannot be sent".to_owned()))?;
            let (reason, wanted) = match self.attempt(again, limit).await {
                Err(Refusal::Later(reason, wanted)) => (reason, wanted),
                other => return other,
            };
            if attempt == ATTEMPTS {
                return Err(Refusal::Later(format!("{reason}, {ATTEMPTS} times"), None));
            }
            let next = after(Instant::now(), wanted.unwrap_or(pause));
            if next >= self.end {
                let after = wanted.map_or_else(String::new, |wanted| format!(", and wants to be asked again after {} s", wanted.as_secs()));
                return Err(Refusal::Later(format!("{reason}{after}; there was no more time"), None));
            }
            if wanted.is_some() {
                let mut not_before = self.not_before.write().await;
                *not_before = next.max(*not_before);
            }
            tokio::time::sleep_until(next).await;
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
    }

    async fn attempt(&self, request: RequestBuilder, limit: usize) -> Result<Vec<u8>, Refusal> {
        let end = self.end.min(after(Instant::now(), self.settings.timeout));
        match tokio::time::timeout_at(end, exchange(request, limit)).await {
            Ok(answer) => answer,
            Err(_) => Err(Refusal::Later(format!("it gave no whole answer within {} s", self.settings.timeout.as_secs_f32()), None)),
        }
    }
}

async fn exchange(request: RequestBuilder, limit: usize) -> Result<Vec<u8>, Refusal> {
    let unreachable = |error: reqwest::Error| Refusal::Later(format!("it cannot be reached: {}", cause(&error.without_url())), None);
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Refusal::Later(format!("it answered {status}"), retry_after(response.headers(), Timestamp::now())));
    }
    if status != StatusCode::OK {
        return Err(Refusal::Status(status));
    }
    let too_large = || Refusal::Never(format!("an answer of it is larger than {} MiB", limit >> 20));
    let announced = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A time that can be told, however long somebody wants to wait.
fn after(now: Instant, duration: Duration) -> Instant {
    now + duration.min(Duration::from_secs(365 * 24 * 60 * 60))
}

/// What stands at the end of an error's chain, where the cause is.
fn cause(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// Seconds, or a date (<https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let date = || Some(Timestamp::from_millis(jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond()).since(now));
    value.parse().map(Duration::from_secs).ok().or_else(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_seconds_or_dates() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let pause = |value: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]), now).map(|pause| pause.as_secs());
        assert_eq!(pause("7"), Some(7));
        assert_eq!(pause("Thu, 01 Jan 2026 00:00:09 GMT"), Some(9));
        assert_eq!(pause("Wed, 01 Jan 2025 00:00:09 GMT"), Some(0));
        assert_eq!(pause("soon"), None);
    }
}
