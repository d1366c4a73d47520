//! How does a platform mount Kiwi's HTTP routes in its own axum application?

use axum::Router;
use axum::routing::get;
use kiwi_core::{Actor, Result};
use kiwi_http::{HttpState, router};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<()> {
    let (kiwi, _) = kiwi_examples::in_memory().await?;
    let app: Router =
        Router::new().route("/", get(|| async { "the platform's own page" })).nest("/kiwi", router(HttpState { kiwi, actor: Actor::local_admin() }));
    println!("routes are mounted under /kiwi: {}", app.has_routes());
    Ok(())
}
