//! Services.

use super::hosts::Provider;
use clap::{Args, Subcommand};
use kiwi_core::domain::{
    Branch, ContainerName, GitUrl, Host, ImageReference, IngressPath, Port, Protocol, RegistryName, RepositoryPath, RuntimeName, ServiceName, Strategy,
    TagRule, VariableName,
};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Registers a service after its source and everything it names was found
    Register(Box<Register>),
    /// Every service
    List,
    /// One service with its settings
    Show { name: ServiceName },
    /// Changes settings; they hold for what is built and deployed from now on
    Update {
        name: ServiceName,
        /// What is delivered
        #[arg(long, allow_hyphen_values = true)]
        branch: Option<Branch>,
        /// Another image for a container of an image service
        #[arg(long, value_name = "CONTAINER=IMAGE:TAG", value_parser = image)]
        image: Vec<(ContainerName, ImageReference)>,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Removes a service from its runtimes and from Kiwi
    Remove {
        name: ServiceName,
        /// Removes its volumes too, with all data in them
        #[arg(long)]
        volumes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    pub(crate) name: ServiceName,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// The owner of the repository to create: a user, an organization or a group
    #[arg(long, requires = "create")]
    pub(crate) owner: Option<String>,
    /// The name of the repository to create
    #[arg(long, requires = "create")]
    pub(crate) repository: Option<String>,
    /// What is delivered [default: the repository's default branch]
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) branch: Option<Branch>,
    /// Reads a token for the repository from standard input
    #[arg(long)]
    pub(crate) token_stdin: bool,
    /// The CA certificate of the git server
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Where the service comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SourceArguments {
    /// The git repository
    #[arg(long, value_name = "URL", allow_hyphen_values = true)]
    pub(crate) git: Option<GitUrl>,
    /// A repository of the organization's GitHub
    #[arg(long, value_name = "OWNER/REPO")]
    pub(crate) github: Option<String>,
    /// A project of the organization's GitLab
    #[arg(long, value_name = "GROUP/PROJECT")]
    pub(crate) gitlab: Option<String>,
    /// Creates a private repository; one of this name that is there is adopted
    #[arg(long, value_name = "PROVIDER", requires = "owner", requires = "repository")]
    pub(crate) create: Option<Provider>,
    /// A ready image for each container
    #[arg(long, value_name = "CONTAINER=IMAGE:TAG", value_parser = image)]
    pub(crate) image: Vec<(ContainerName, ImageReference)>,
    /// The same settings from a YAML or JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// What can be set at registration and changed later.
#[derive(Debug, Args, Default)]
pub(crate) struct Settings {
    /// Where it runs [default: the only runtime]
    #[arg(long)]
    pub(crate) runtime: Option<RuntimeName>,
    /// Where it is built [default: where it runs]
    #[arg(long)]
    pub(crate) build_runtime: Option<RuntimeName>,
    /// Where its images are kept [default: on the engine that builds and runs it]
    #[arg(long)]
    pub(crate) registry: Option<RegistryName>,
    /// The name of its images in the registry [default: the service's name]
    #[arg(long)]
    pub(crate) image_name: Option<String>,
    /// How published images are tagged, with ${BRANCH}, ${SHORT_SHA}, ${SHA}, ${TAG}, ${DATE} and ${RUN}
    #[arg(long, value_name = "RULE")]
    pub(crate) tag_rule: Option<TagRule>,
    /// The Dockerfile in the repository
    #[arg(long, value_name = "PATH", allow_hyphen_values = true)]
    pub(crate) dockerfile: Option<RepositoryPath>,
    /// The Build Wizard makes the Dockerfile, even when the repository has one [default: only when it has none]
    #[arg(long, conflicts_with = "dockerfile")]
    pub(crate) wizard: bool,
    /// The app of the repository that the Build Wizard plans
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "dockerfile")]
    pub(crate) app: Option<RepositoryPath>,
    /// The directory of the repository that is sent to the builder
    #[arg(long, value_name = "PATH")]
    pub(crate) context: Option<RepositoryPath>,
    /// The stage of the Dockerfile to build
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// A build argument, as NAME=VALUE; the image's history shows it
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::work::pair)]
    pub(crate) build_arg: Vec<(VariableName, String)>,
    /// A build secret for RUN --mount=type=secret,id=NAME; its value is read from standard input, a line each after the token
    #[arg(long, value_name = "NAME")]
    pub(crate) build_secret: Vec<VariableName>,
    /// The port it listens on
    #[arg(long)]
    pub(crate) port: Option<Port>,
    /// What the port speaks
    #[arg(long, value_parser = protocol)]
    pub(crate) protocol: Option<Protocol>,
    /// The path that answers 2xx or 3xx when it is well
    #[arg(long, value_name = "PATH")]
    pub(crate) health: Option<IngressPath>,
    /// A shell command in the built image that tests it
    #[arg(long, value_name = "COMMAND", conflicts_with = "test_target")]
    pub(crate) test: Option<String>,
    /// A stage of the Dockerfile that must build
    #[arg(long, value_name = "STAGE")]
    pub(crate) test_target: Option<String>,
    /// A command that runs with the new image before the switch, such as a migration
    #[arg(long, value_name = "COMMAND")]
    pub(crate) release_command: Option<String>,
    /// The path it is routed by
    #[arg(long, value_name = "PATH")]
    pub(crate) ingress_path: Option<IngressPath>,
    /// The host name it is routed by
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<Host>,
    /// The port of the gateway that it keeps [default: a free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) publish: Option<Port>,
    /// How versions are replaced: rolling or recreate
    #[arg(long)]
    pub(crate) strategy: Option<Strategy>,
    /// How long old replicas may finish what they are doing
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(crate) drain: Option<u32>,
    /// How long a stopped container may take to end
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(crate) stop_grace: Option<u32>,
    /// How long a new replica may take to answer
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) start_timeout: Option<u32>,
}

fn protocol(text: &str) -> Result<Protocol, String> {
    match text {
        "http" => Ok(Protocol::Http),
        "tcp" => Ok(Protocol::Tcp),
        _ => Err("choose http or tcp".to_owned()),
    }
}

fn image(text: &str) -> Result<(ContainerName, ImageReference), String> {
    let (container, image) = text.split_once('=').ok_or("give CONTAINER=IMAGE:TAG")?;
    Ok((container.parse().map_err(|error| format!("{error}"))?, image.parse().map_err(|error| format!("{error}"))?))
}
