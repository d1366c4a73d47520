//! Runtimes, registries, sources, the key, and the server.

use clap::{Args, Subcommand};
use kiwi_core::domain::{Branch, GitUrl, RegistryAddress, RegistryName, RuntimeName};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum RuntimeCommand {
    /// Registers a runtime after it answered
    #[command(subcommand)]
    Add(AddRuntime),
    /// Every runtime
    List,
    /// Whether it can be used, and what is missing
    Check { name: RuntimeName },
    /// Removes leftovers, and images that no release in the history needs
    Clean { name: RuntimeName },
    /// Forgets a runtime that no service uses
    Remove { name: RuntimeName },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AddRuntime {
    /// A Docker Engine
    Docker {
        name: RuntimeName,
        /// Its address, such as unix:///var/run/docker.sock or tcp://host:2375 [default: DOCKER_HOST, or the usual socket]
        #[arg(long, value_name = "URI")]
        engine: Option<String>,
    },
    /// A Kubernetes cluster
    Kubernetes {
        name: RuntimeName,
        /// The kubeconfig file
        #[arg(long, value_name = "FILE")]
        kubeconfig: Option<PathBuf>,
        /// The context in it
        #[arg(long)]
        context: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Registers a registry after it took the credentials
    Add {
        name: RegistryName,
        /// Where it is, as HOST[:PORT][/PATH]
        #[arg(long, value_name = "HOST[/PATH]")]
        url: RegistryAddress,
        /// The user name
        #[arg(long, requires = "password_stdin")]
        username: Option<String>,
        /// Reads the password or token from standard input
        #[arg(long, requires = "username")]
        password_stdin: bool,
        /// Allows plain HTTP
        #[arg(long)]
        insecure: bool,
    },
    /// Every registry
    List,
    /// Whether it answers and takes the credentials
    Check { name: RegistryName },
    /// Forgets a registry that no service uses
    Remove { name: RegistryName },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Tests the connection to a git repository and lists its branches
    Check {
        url: GitUrl,
        /// A branch that must be there
        #[arg(long, allow_hyphen_values = true)]
        branch: Option<Branch>,
        /// Reads a token from standard input
        #[arg(long)]
        token_stdin: bool,
        /// The CA certificate of the server
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Encrypts every secret with a new key
    Rotate,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
}
