//! The flags, by resource. Texts are validated by the domain's own parsers, so that a bad one is refused before anything is opened.

mod application;
mod ci;
mod dockerfile;
mod global;
mod hosts;
mod scan;
mod serve;
mod service;
mod setup;
mod work;

pub(crate) use application::Application;
pub(crate) use ci::{CiCommand, EnableCi};
pub(crate) use dockerfile::{BuilderChoice, Dockerfile, WizardArguments};
pub(crate) use global::{Global, Output, RoleChoice};
pub(crate) use hosts::{CreateAccounts, DeliveryCommand, ImageCommand, Provider, ProviderCommand, TokenCommand, UserCommand, UserRole};
pub(crate) use scan::{GateArguments, Scan, ScanFormat};
pub(crate) use serve::{LogFormat, Serve};
pub(crate) use service::{Register, ServiceCommand, Settings};
pub(crate) use setup::{AddCluster, AddRuntime, KeyCommand, Login, RegistryCommand, RuntimeCommand, SourceCommand};
pub(crate) use work::{Build, Config, Deploy, EventsArguments, InEnvironment, Logs, Rollback, RunArguments, RunsCommand, Scale};

use clap::{Parser, Subcommand};

/// Delivers software: from a git repository to a running service, updated and rolled back with no request lost.
#[derive(Debug, Parser)]
#[command(name = "kiwi", version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What works here, what is missing, how to get it
    Doctor,
    /// Where services run
    #[command(subcommand)]
    Runtime(RuntimeCommand),
    /// Where images are kept
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Where services come from
    #[command(subcommand)]
    Source(SourceCommand),
    /// The organization's git hosts
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Ready images
    #[command(subcommand)]
    Image(ImageCommand),
    /// The organization's people
    #[command(subcommand)]
    User(UserCommand),
    /// What git hosts delivered
    #[command(subcommand)]
    Delivery(DeliveryCommand),
    /// Delivery of every push
    #[command(subcommand)]
    Ci(CiCommand),
    /// What is delivered
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Prints a Dockerfile for a project without one, and why it is so
    Dockerfile(Box<Dockerfile>),
    /// Builds, scans, tests and publishes an image
    Build(Build),
    /// Looks for weak code, vulnerable dependencies and leaked credentials, and at running applications
    Scan(Box<Scan>),
    /// Shows or changes what scans let through
    Gate(GateArguments),
    /// Deploys a build, a release of another environment, or shows what it would do
    Deploy(Deploy),
    /// The whole pipeline, from the source to the running service
    Run(RunArguments),
    /// What runs, and how it differs from its release
    Status(InEnvironment),
    /// Every deployment, newest first
    History(InEnvironment),
    /// Log lines of what runs
    Logs(Logs),
    /// The events of a run
    Events(EventsArguments),
    /// Brings an older release back
    Rollback(Rollback),
    /// Replaces every replica by a fresh one
    Restart(InEnvironment),
    /// Changes the number of replicas
    Scale(Scale),
    /// Shows or changes variables
    Config(Config),
    /// Executions of the pipeline
    #[command(subcommand)]
    Runs(RunsCommand),
    /// The key that secrets are encrypted with
    #[command(subcommand)]
    Key(KeyCommand),
    /// Serves the HTTP API
    Serve(Serve),
    /// Keeps a token for a server; it is read from standard input
    Login(Login),
    /// Prints the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The same with one command alone.
#[derive(Debug, Parser)]
#[command(name = "kiwi", version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct PlanningAlone {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Planning,
}

#[derive(Debug, Subcommand)]
enum Planning {
    /// Prints a Dockerfile for a project without one, and why it is so
    Dockerfile(Box<Dockerfile>),
}

impl From<PlanningAlone> for Arguments {
    fn from(alone: PlanningAlone) -> Self {
        let Planning::Dockerfile(dockerfile) = alone.command;
        Self { global: alone.global, command: Command::Dockerfile(dockerfile) }
    }
}

impl Command {
    /// Whether it works runs, which undo what they began when they are interrupted.
    pub(crate) fn tidies_up(&self) -> bool {
        matches!(
            self,
            Self::Build(_)
                | Self::Deploy(_)
                | Self::Run(_)
                | Self::Rollback(_)
                | Self::Restart(_)
                | Self::Scale(_)
                | Self::Config(_)
                | Self::Runs(_)
                | Self::Serve(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, PlanningAlone};
    use clap::CommandFactory as _;

    #[test]
    fn planning_alone_says_the_same_of_itself() {
        let help = |mut command: clap::Command| {
            command.build();
            command.find_subcommand_mut("dockerfile").unwrap().render_long_help().to_string()
        };
        assert_eq!(help(PlanningAlone::command()), help(Arguments::command()));
        Arguments::command().debug_assert();
    }
}
