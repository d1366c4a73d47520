//! The HTTP adapter of Kiwi: `router(state)` serves health, and reads services, runs and history, for a platform to mount in its own
//! axum application. It extracts, calls the facade, and maps; nothing is decided here.

mod hooks;
mod problem;
mod runs;
mod services;

pub use hooks::hooks;

use axum::Router;
use axum::routing::get;
use kiwi_core::access::Actor;
use kiwi_core::pipeline::Kiwi;

/// What the routes need.
#[derive(Debug, Clone)]
pub struct HttpState {
    /// The engine.
    pub kiwi: Kiwi,
    /// On whose behalf requests are answered. There is no authentication yet: bind to loopback, or put a proxy in front.
    pub actor: Actor,
}

/// Every route of this version.
pub fn router(state: HttpState) -> Router {
    let hooks = hooks(state.kiwi.clone());
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(services::ready))
        .route("/api/v1/services", get(services::list))
        .route("/api/v1/services/{name}", get(services::show))
        .route("/api/v1/services/{name}/history", get(services::history))
        .route("/api/v1/runs", get(runs::list))
        .route("/api/v1/runs/{id}", get(runs::show))
        .with_state(state)
        .merge(hooks)
}
