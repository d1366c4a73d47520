//! Waiting for somebody who wants the process to end: Ctrl-C on a terminal, or SIGTERM of a service manager.

use std::sync::atomic::{AtomicU8, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// What shells say of a command that a signal ended: 128 and its number.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// The exit code of the signal that came last.
static LAST: AtomicU8 = AtomicU8::new(INTERRUPTED);

/// Ends when the process is asked to end.
pub(crate) async fn stop() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let code = tokio::select! {
        () = terminated => TERMINATED,
        () = interrupted => INTERRUPTED,
    };
    LAST.store(code, Ordering::Relaxed);
}

/// Ends when the process was asked so often.
pub(crate) async fn asked_to_stop(times: u32) {
    for _ in 0..times {
        stop().await;
    }
}

/// The exit code of what was stopped.
pub(crate) fn exit_code() -> u8 {
    LAST.load(Ordering::Relaxed)
}
