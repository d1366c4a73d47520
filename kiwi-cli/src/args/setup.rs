//! Runtimes, registries, sources, the key, and logging in.

use clap::{Args, Subcommand};
use kiwi_core::domain::{Branch, GatewayName, GitUrl, ImageReference, Memory, RegistryAddress, RegistryName, RuntimeName, ServiceName};
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Subcommand)]
pub(crate) enum RuntimeCommand {
    /// Registers a runtime after it answered
    #[command(subcommand)]
    Add(AddRuntime),
    /// Every runtime
    List,
    /// Whether it can be used, and what is missing
    Check { name: RuntimeName },
    /// The roles that a cluster must grant, as manifests
    Rbac { name: RuntimeName },
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
    Kubernetes(Box<AddCluster>),
}

#[derive(Debug, Args)]
pub(crate) struct AddCluster {
    pub(crate) name: RuntimeName,
    /// The kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context in it
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// The Gateway that routes are attached to, instead of Ingresses
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(crate) gateway: Option<GatewayName>,
    /// The class of Ingresses [default: the cluster's]
    #[arg(long, value_name = "CLASS")]
    pub(crate) ingress_class: Option<String>,
    /// The class of volumes [default: the cluster's]
    #[arg(long, value_name = "CLASS")]
    pub(crate) storage_class: Option<String>,
    /// The namespace of builds [default: kiwi-builds]
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) build_namespace: Option<ServiceName>,
    /// The image of Kaniko's executor, with a digest to pin it [default: ghcr.io/osscontainertools/kaniko]
    #[arg(long, value_name = "IMAGE")]
    pub(crate) kaniko_image: Option<ImageReference>,
    /// The image that carries files into tasks, with `sh` and `tar` [default: docker.io/library/busybox]
    #[arg(long, value_name = "IMAGE")]
    pub(crate) helper_image: Option<ImageReference>,
    /// The memory limit of a build [default: 4Gi]
    #[arg(long, value_name = "MEMORY")]
    pub(crate) build_memory: Option<Memory>,
    /// A registry that builds ask first for images of Docker Hub; may be given several times
    #[arg(long = "mirror", value_name = "HOST[:PORT]")]
    pub(crate) mirrors: Vec<String>,
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
pub(crate) struct Login {
    /// The server
    pub(crate) url: Url,
}
