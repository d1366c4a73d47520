//! The command line of Kiwi: raw flags become validated requests, the facade does the work, and the result becomes text or JSON and an
//! exit code. A library, so that a platform can ship its own `kiwi` with other providers.

mod args;
mod commands;
mod compose;
mod facade;
mod log;
mod output;
mod progress;
mod signal;
#[cfg(feature = "opentelemetry")]
mod traces;

pub use compose::StoreWrapper;

use args::Arguments;
use kiwi_core::error::{Error, ErrorKind};
use std::process::ExitCode;

/// Runs the command of this process.
pub fn main() -> ExitCode {
    run_with(None)
}

/// Runs the command of this process with a store wrapped around the usual one.
pub fn run_with(wrapper: Option<StoreWrapper>) -> ExitCode {
    let arguments = parse();
    if let Some(result) = commands::at_once(&arguments) {
        return finished(result);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Error::new(ErrorKind::Internal, "start", "the asynchronous runtime cannot be started").with_source(error)),
    };
    let _log = match log::start(&arguments) {
        Ok(log) => log,
        Err(error) => return report(&error),
    };
    // Work that has something to undo listens itself and ends before the second one counts; everything else ends with the first.
    let interrupts = if arguments.command.tidies_up() { 2 } else { 1 };
    let result = runtime.block_on(async {
        tokio::select! {
            result = commands::run(arguments, wrapper) => result,
            () = signal::asked_to_stop(interrupts) => Err(Error::new(ErrorKind::Cancelled, "interrupt", "interrupted")),
        }
    });
    // A thread may still wait for a hanging server; the process need not.
    runtime.shutdown_background();
    finished(result)
}

/// The exit code of a command; one whose result was lost did not succeed.
fn finished(result: kiwi_core::error::Result<ExitCode>) -> ExitCode {
    match (result, output::lost()) {
        (Ok(_), Some(error)) | (Err(error), _) => report(&error),
        (Ok(code), None) => code,
    }
}

fn parse() -> Arguments {
    // The flags of all commands take longer to set up than a Dockerfile takes to plan.
    if std::env::args_os().nth(1).is_some_and(|first| first == "dockerfile") {
        return parsed::<args::PlanningAlone>().into();
    }
    parsed()
}

fn parsed<T: clap::CommandFactory + clap::FromArgMatches>() -> T {
    let mut command = T::command();
    let matches = command.get_matches_mut();
    let arguments = T::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
    // Hundreds of flags, which the end of the process frees for nothing; a server's end is far away.
    if matches.subcommand_name() != Some("serve") {
        std::mem::forget(command);
    }
    arguments
}

fn report(error: &Error) -> ExitCode {
    output::error(error);
    ExitCode::from(match error.kind() {
        ErrorKind::Cancelled => signal::exit_code(),
        ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::AlreadyExists => 2,
        _ => 1,
    })
}
