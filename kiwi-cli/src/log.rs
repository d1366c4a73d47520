//! What the process says of itself: lines for people, JSON for machines, and traces where they are asked for.

use crate::args::{Arguments, Command, LogFormat};
use kiwi_core::error::Result;
use std::io::IsTerminal as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// What must live as long as the log; its end sends what still waits to be sent.
pub(crate) struct Log {
    #[cfg(feature = "opentelemetry")]
    _traces: Option<crate::traces::Traces>,
}

/// Whether spans are sent to a collector.
pub(crate) fn traced() -> bool {
    #[cfg(feature = "opentelemetry")]
    return crate::traces::wanted();
    #[cfg(not(feature = "opentelemetry"))]
    false
}

/// Starts the log of a command. A server's has a line for each request and run.
pub(crate) fn start(arguments: &Arguments) -> Result<Log> {
    let serve = if let Command::Serve(serve) = &arguments.command { Some(serve) } else { None };
    // A kubeconfig that skips verification is its owner's choice; kube warns of it with each connection. Its errors are Kiwi's to tell.
    let levels = ["warn,kube_client=off", "warn,kube_client=off,kiwi=info", "info,kiwi=debug", "debug"];
    let quietest = usize::from(serve.is_some());
    let level = levels[[quietest, 2, 3][usize::from(arguments.global.verbose.min(2))]];
    let filter = EnvFilter::try_from_env("KIWI_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match serve.map(|serve| serve.log_format) {
        Some(LogFormat::Json) => lines.json().flatten_event(true).boxed(),
        // A service manager adds the time.
        _ => lines.with_ansi(std::io::stderr().is_terminal()).without_time().with_target(false).boxed(),
    };
    let log = tracing_subscriber::registry().with(lines.with_filter(filter));
    #[cfg(feature = "opentelemetry")]
    let (traces, log) = {
        let traces = serve.and_then(|_| crate::traces::Traces::start().transpose()).transpose()?;
        let layer = traces.as_ref().map(crate::traces::Traces::layer);
        (traces, log.with(layer))
    };
    // A second start, in a test, is no error.
    let _ = log.try_init();
    Ok(Log {
        #[cfg(feature = "opentelemetry")]
        _traces: traces,
    })
}
