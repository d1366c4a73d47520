//! Whether the server lives, whether it can work, and its counters.

use crate::HttpState;
use crate::{metrics, problem::Problem};
use axum::Router;
use axum::extract::State;
use axum::routing::get;

/// For whoever watches the process. They name nothing and need no token; keep them from the internet at the proxy.
pub(crate) fn probes() -> Router<HttpState> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).route("/metrics", get(metrics::show))
}

/// The database answers, and the queue can be read.
async fn ready(State(state): State<HttpState>) -> Result<&'static str, Problem> {
    state.kiwi.ready().await?;
    state.kiwi.queue_length().await?;
    Ok("ready\n")
}
