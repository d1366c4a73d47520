//! From arguments to the facade and back, one file per resource.

mod application;
mod ci;
mod delivery;
mod deploy;
mod dockerfile;
mod doctor;
mod gate;
mod image;
mod login;
mod passwords;
mod provider;
mod read;
mod registry;
mod runs;
mod runtime;
mod scan;
mod secrets;
mod serve;
mod service;
mod service_file;
mod source;
mod tools;
mod user;

pub(crate) use login::token;

use crate::args::{Arguments, Command, KeyCommand};
use crate::compose::{Session, StoreWrapper, open};
use crate::output;
use clap::CommandFactory as _;
use kiwi_core::error::Result;
use std::process::ExitCode;

/// Commands that ask nobody: they need neither a runtime for waiting nor a log, which would cost most of their time.
pub(crate) fn at_once(arguments: &Arguments) -> Option<Result<ExitCode>> {
    match &arguments.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "kiwi", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end());
            Some(Ok(ExitCode::SUCCESS))
        }
        Command::Dockerfile(wizard) => Some(dockerfile::run(wizard, arguments.global.output)),
        _ => None,
    }
}

pub(crate) async fn run(arguments: Arguments, wrapper: Option<StoreWrapper>) -> Result<ExitCode> {
    let output = arguments.global.output;
    let session = || open(&arguments.global, wrapper, None);
    match arguments.command {
        // Done by `at_once`.
        Command::Completions { .. } | Command::Dockerfile(_) => Ok(ExitCode::SUCCESS),
        Command::Scan(scan) if scan.service.is_some() || scan.run.is_some() => scan::of_service(&session().await?, *scan, output).await,
        Command::Scan(scan) => scan::run(&arguments.global, *scan).await,
        Command::Gate(gate) => gate::run(&session().await?, gate, output).await,
        Command::Doctor => doctor::run(&arguments.global).await,
        Command::Runtime(command) => runtime::run(&session().await?, command, output).await,
        Command::Registry(command) => registry::run(&session().await?, command, output).await,
        Command::Source(command) => source::run(&session().await?, command, output).await,
        Command::Provider(command) => provider::run(&session().await?, command, output).await,
        Command::Image(command) => image::run(&session().await?, command, output).await,
        Command::User(command) => user::run(&session().await?, command, output).await,
        Command::Delivery(command) => delivery::run(&session().await?, command, output).await,
        Command::Ci(command) => ci::run(&session().await?, command, output).await,
        Command::Login(login) => login::run(&arguments.global, login).await,
        Command::Service(command) => service::run(&session().await?, command, output).await,
        Command::Build(build) => deploy::build(&session().await?, build, output).await,
        Command::Deploy(deploy) => deploy::deploy(&session().await?, deploy, output).await,
        Command::Run(run) => deploy::pipeline(&session().await?, run, output).await,
        Command::Rollback(rollback) => deploy::rollback(&session().await?, rollback, output).await,
        Command::Restart(at) => deploy::restart(&session().await?, at, output).await,
        Command::Scale(scale) => deploy::scale(&session().await?, scale, output).await,
        Command::Config(config) => deploy::config(&session().await?, config, output).await,
        Command::Status(at) => read::status(&session().await?, at, output).await,
        Command::History(at) => read::history(&session().await?, at, output).await,
        Command::Logs(logs) => read::logs(&session().await?, logs, output).await,
        Command::Events(events) => read::events(&session().await?, events, output).await,
        Command::Runs(command) => runs::run(&session().await?, command, output).await,
        Command::Key(KeyCommand::Rotate) => {
            let Session { kiwi, actor } = session().await?;
            let count = kiwi.rotate_key(&actor).await?;
            output::result(output, &serde_json::json!({ "rotated": count }), || format!("{count} secrets are encrypted with a new key"));
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve(serve) => serve::run(open(&arguments.global, wrapper, Some(&serve)).await?, serve).await,
    }
}
