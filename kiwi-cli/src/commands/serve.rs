//! `kiwi serve`.

use crate::args::Serve;
use crate::compose::Session;
use crate::output;
use kiwi_core::error::Result;
use kiwi_core::pipeline::ServerOptions;
use kiwi_http::server::{self, Tls};
use kiwi_http::{HttpConfig, HttpState, router};
use secrecy::ExposeSecret as _;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long requests may take to end after somebody asked the server to stop.
const GRACE: Duration = Duration::from_secs(10);

pub(super) async fn run(session: Session, serve: Serve) -> Result<ExitCode> {
    let kiwi = session.kiwi.embedded()?.clone();
    let tls = match (&serve.tls_cert, &serve.tls_key) {
        (Some(certificates), Some(key)) => Some(Tls::read(certificates, key)?),
        _ => None,
    };
    let listener = TcpListener::bind(serve.listen).await.map_err(|error| server::taken(serve.listen, error))?;
    let address = listener.local_addr().map_err(|error| server::taken(serve.listen, error))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = serve.public_url.as_ref().map_or_else(|| format!("{scheme}://{address}"), |url| url.as_str().trim_end_matches('/').to_owned());
    if tls.is_none() && !address.ip().is_loopback() {
        output::note("warning: tokens travel in clear; give --tls-cert and --tls-key, or let a proxy in front speak TLS");
    }
    if let Some(token) = kiwi.offer_bootstrap().await? {
        output::note(&format!("there is no admin yet. This token makes the first one, once and within a day:\n  {}", token.expose_secret()));
        output::note(&format!("give it to POST {url}{}/bootstrap with a name and an email", kiwi_http::API));
    }
    let mut config = HttpConfig::default();
    config.proxies = serve.proxies;
    config.traced = crate::log::traced();
    config.origins = serve.allow_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let state = HttpState::new(kiwi.clone(), config);
    let (stop_working, told) = oneshot::channel::<()>();
    let options = ServerOptions { runs: serve.workers, runs_per_runtime: serve.runs_per_runtime, ..ServerOptions::default() };
    let workers = tokio::spawn(async move { kiwi.serve(options, async { drop(told.await) }).await });
    let app = router(state.clone());
    let finishing = state.clone();
    output::note(&format!("serving {url}"));
    let stop = async {
        crate::signal::stop().await;
        output::note("stopping: requests end, and runs are handed over");
        state.stop();
        drop(stop_working);
    };
    server::serve(listener, app, tls, stop, GRACE).await;
    let _ = tokio::time::timeout(GRACE, finishing.finish()).await;
    // The leases are given back before the process ends, so that another goes on at once.
    let _ = tokio::time::timeout(GRACE, workers).await;
    Ok(ExitCode::SUCCESS)
}
