//! Counters for Prometheus: few, and with labels whose values are all known beforehand.

use crate::HttpState;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// By class of status: 1xx to 5xx.
    answers: [AtomicU64; 5],
    /// Until answers began, in microseconds.
    waited: AtomicU64,
    /// Refused for want of a token, or after too many wrong ones.
    refused: AtomicU64,
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn count(&self, status: u16, took: std::time::Duration) {
        if let Some(class) = usize::from(status / 100).checked_sub(1).and_then(|class| self.answers.get(class)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        self.waited.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if matches!(status, 401 | 429) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The text format of Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
pub(crate) async fn show(State(state): State<HttpState>) -> Result<Response, Problem> {
    let queue = state.kiwi.queue_length().await?;
    let metrics = &state.metrics;
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, values: &[(&str, String)]| {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let classes = ["{class=\"1xx\"}", "{class=\"2xx\"}", "{class=\"3xx\"}", "{class=\"4xx\"}", "{class=\"5xx\"}"];
    let answers: Vec<_> = classes.into_iter().zip(&metrics.answers).map(|(class, counter)| (class, number(counter).to_string())).collect();
    add("kiwi_http_responses_total", "counter", "Answers, by class of status.", &answers);
    let seconds = number(&metrics.waited) as f64 / 1e6;
    add("kiwi_http_response_seconds_total", "counter", "Seconds until answers began, summed up.", &[("", seconds.to_string())]);
    add("kiwi_http_refused_total", "counter", "Requests without a token that opens something.", &[("", number(&metrics.refused).to_string())]);
    let streams = state.streams.count();
    add("kiwi_http_streams", "gauge", "Streams that are under way.", &[("", streams.to_string())]);
    add("kiwi_queue_length", "gauge", "Builds, and services with deployments to make, that wait or are worked.", &[("", queue.to_string())]);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
