//! `kiwi serve`.

use crate::args::Serve;
use crate::compose::Session;
use crate::output;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_http::{HttpState, router};
use std::process::ExitCode;

pub(super) async fn run(session: Session, serve: Serve) -> Result<ExitCode> {
    if !serve.listen.ip().is_loopback() {
        output::note("warning: this version authenticates nobody; everybody who reaches this address can read services and history");
    }
    let taken = |error: std::io::Error| {
        Error::new(ErrorKind::Conflict, "listen", format!("{} cannot be listened on", serve.listen))
            .with_source(error)
            .with_hint("choose another address with --listen")
    };
    let listener = tokio::net::TcpListener::bind(serve.listen).await.map_err(taken)?;
    output::note(&format!("serving http://{}", listener.local_addr().map_err(taken)?));
    let app = router(HttpState { kiwi: session.kiwi, actor: session.actor });
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await
        .map_err(|error| Error::new(ErrorKind::Unavailable, "serve", "the server failed").with_source(error))?;
    Ok(ExitCode::SUCCESS)
}
