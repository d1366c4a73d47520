//! Auto CI.

use clap::{Args, Subcommand};
use kiwi_core::domain::{CommitSha, EnvironmentName, ServiceName, WatchPattern};
use url::Url;

#[derive(Debug, Subcommand)]
pub(crate) enum CiCommand {
    /// Builds and deploys every push to the service's branch from now on
    Enable(EnableCi),
    /// Removes the webhook; pushes are not delivered any more
    Disable { service: ServiceName },
    /// Looks at the branch now: builds a push whose webhook never came, and mends the webhook
    Reconcile { service: ServiceName },
    /// Whether it is on, and how far it came
    Show { service: ServiceName },
}

#[derive(Debug, Args)]
pub(crate) struct EnableCi {
    pub(crate) service: ServiceName,
    /// Where pushes are deployed: development, staging or production
    #[arg(long, default_value_t)]
    pub(crate) environment: EnvironmentName,
    /// Where the git host reaches this installation, such as https://kiwi.example.com
    #[arg(long, value_name = "URL", env = "KIWI_PUBLIC_URL")]
    pub(crate) public_url: Option<Url>,
    /// Builds only pushes that change a file which a line of .gitignore like this one matches; several are read in their order
    #[arg(long, value_name = "PATTERN", num_args = 1.., allow_hyphen_values = false)]
    pub(crate) watch: Vec<WatchPattern>,
    /// Changes nothing, and says whether the patterns would let this commit be built
    #[arg(long, value_name = "COMMIT")]
    pub(crate) dry_run: Option<CommitSha>,
}
