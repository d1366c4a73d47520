//! Builds, deployments and runs.

use clap::{Args, Subcommand};
use kiwi_core::domain::{Branch, CommitSha, ContainerName, Cpu, EnvironmentName, Memory, Replicas, Request, RunId, RuntimeName, ServiceName, VariableName};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct InEnvironment {
    pub(crate) service: ServiceName,
    /// Where: development, staging or production
    #[arg(long, default_value_t)]
    pub(crate) environment: EnvironmentName,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    pub(crate) service: ServiceName,
    /// The commit [default: the head of the branch]
    #[arg(long, conflicts_with = "branch")]
    pub(crate) commit: Option<CommitSha>,
    /// Another branch than the service's
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) branch: Option<Branch>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) at: InEnvironment,
    /// The commit [default: the head of the branch]
    #[arg(long)]
    pub(crate) commit: Option<CommitSha>,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) at: InEnvironment,
    /// The build [default: the newest that passed scan and test]
    #[arg(long, value_name = "RUN", conflicts_with_all = ["release", "from"])]
    pub(crate) build: Option<RunId>,
    /// An older release of this environment
    #[arg(long, value_name = "REVISION", conflicts_with = "from")]
    pub(crate) release: Option<u64>,
    /// The live release of another environment, with this one's settings
    #[arg(long, value_name = "ENVIRONMENT")]
    pub(crate) from: Option<EnvironmentName>,
    /// Another runtime than the service's
    #[arg(long)]
    pub(crate) runtime: Option<RuntimeName>,
    /// The Kubernetes namespace
    #[arg(long)]
    pub(crate) namespace: Option<ServiceName>,
    /// How many replicas
    #[arg(long)]
    pub(crate) replicas: Option<Replicas>,
    /// Processor time, as REQUEST:LIMIT
    #[arg(long, value_name = "REQUEST:LIMIT")]
    pub(crate) cpu: Option<Request<Cpu>>,
    /// Memory, as REQUEST:LIMIT
    #[arg(long, value_name = "REQUEST:LIMIT")]
    pub(crate) memory: Option<Request<Memory>>,
    /// A variable, as NAME=VALUE
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) env: Vec<(VariableName, String)>,
    /// Variables from a file of NAME=VALUE lines
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// A secret variable; its value is read from standard input, one line for each
    #[arg(long, value_name = "NAME")]
    pub(crate) secret: Vec<VariableName>,
    /// Shows what would be done, and does nothing
    #[arg(long)]
    pub(crate) plan: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    pub(crate) at: InEnvironment,
    /// Which release [default: the newest live one before the running one]
    #[arg(long, value_name = "REVISION")]
    pub(crate) to: Option<u64>,
    /// Keeps today's variables
    #[arg(long)]
    pub(crate) current_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Scale {
    #[command(flatten)]
    pub(crate) at: InEnvironment,
    /// How many
    #[arg(long)]
    pub(crate) replicas: Replicas,
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(flatten)]
    pub(crate) at: InEnvironment,
    /// A variable, as NAME=VALUE
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(VariableName, String)>,
    /// A secret variable; its value is read from standard input, one line for each
    #[arg(long, value_name = "NAME")]
    pub(crate) secret: Vec<VariableName>,
    /// Removes a variable
    #[arg(long, value_name = "NAME")]
    pub(crate) unset: Vec<VariableName>,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) at: InEnvironment,
    /// Goes on when the present end is reached
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// One container
    #[arg(long)]
    pub(crate) container: Option<ContainerName>,
    /// At most so many lines from the past
    #[arg(long)]
    pub(crate) tail: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    pub(crate) run: RunId,
    /// Goes on until the run ends
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// From this event on
    #[arg(long, default_value_t)]
    pub(crate) since: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Runs, newest first
    List {
        /// Of one service
        #[arg(long)]
        service: Option<ServiceName>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One run with its stages
    Show { run: RunId },
    /// Stops a run; what it began is undone
    Cancel { run: RunId },
    /// Finishes every run whose worker died
    Resume,
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(VariableName, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let name = name.parse().map_err(|error: kiwi_core::ValueError| error.to_string())?;
    if value.contains('\0') {
        return Err("the value contains a null character".to_owned());
    }
    Ok((name, value.to_owned()))
}
