//! How does a platform mount Kiwi's HTTP routes in its own axum application?

use axum::Router;
use axum::routing::get;
use kiwi_core::Result;
use kiwi_http::{HttpConfig, HttpState, router};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<()> {
    let (kiwi, _) = kiwi_examples::in_memory().await?;
    let kiwi = router(HttpState::new(kiwi, HttpConfig::default()));
    let app: Router = Router::new().route("/", get(|| async { "the platform's own page" })).merge(kiwi);
    println!("the platform serves its own routes and Kiwi's: {}", app.has_routes());
    Ok(())
}
