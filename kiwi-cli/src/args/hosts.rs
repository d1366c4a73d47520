//! Git hosts, images, people, deliveries.

use clap::{Args, Subcommand, ValueEnum};
use kiwi_core::access::{Scope, SourceType};
use kiwi_core::domain::{Branch, DeliveryId, Email, GitProviderKind, ImageReference, ServerUrl, ServiceName, TokenId, TokenName, UserName};
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    Github,
    Gitlab,
}

impl From<Provider> for GitProviderKind {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Github => Self::Github,
            Provider::Gitlab => Self::Gitlab,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MenuSource {
    Github,
    Gitlab,
    Images,
}

impl From<MenuSource> for SourceType {
    fn from(source: MenuSource) -> Self {
        match source {
            MenuSource::Github => Self::Github,
            MenuSource::Gitlab => Self::Gitlab,
            MenuSource::Images => Self::Images,
        }
    }
}

/// Accounts come from GitLab servers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccountProvider {
    Gitlab,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Sets up a git host for the organization, after its token was verified (admin)
    Set {
        provider: Provider,
        /// The address of its web pages, with its sub-path if it has one [default: the public one]
        #[arg(long)]
        url: Option<ServerUrl>,
        /// The CA certificate of the server
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// Reads the token from standard input
        #[arg(long, required = true)]
        token_stdin: bool,
    },
    /// Whose token it is, what it lacks, and when it ends (admin)
    Check { provider: Provider },
    /// The git hosts that are set up
    List,
    /// Forgets a git host that no service comes from, with its token (admin)
    Remove { provider: Provider },
    /// What this role may do with a kind of source
    Menu { source: MenuSource },
    /// The repositories that the organization's token sees
    Repositories {
        provider: Provider,
        /// Only those whose path has this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// The branches of a repository
    Branches {
        provider: Provider,
        /// Its full path
        repository: String,
    },
    /// The owners that repositories can be created under
    Namespaces { provider: Provider },
    /// Creates the accounts that are missing, one result for each row (admin)
    CreateAccounts(CreateAccounts),
}

#[derive(Debug, Args)]
pub(crate) struct CreateAccounts {
    pub(crate) provider: AccountProvider,
    /// CSV with the heading username,email,name,password, or a JSON list of such objects
    #[arg(long, value_name = "FILE", required_unless_present = "from_users", conflicts_with = "from_users")]
    pub(crate) file: Option<PathBuf>,
    /// The organization's users
    #[arg(long)]
    pub(crate) from_users: bool,
    /// Gives every new account a password and keeps it in this new file, which its owner alone can read [default: people choose one by mail]
    #[arg(long, value_name = "FILE")]
    pub(crate) passwords_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Images of Docker Hub that match a term
    Search {
        term: String,
        /// At most so many
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Every tag of an image, newest first
    Tags { image: ImageReference },
    /// The digest that a tag names now
    Resolve { image: ImageReference },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Adds a person (admin)
    Add {
        name: UserName,
        #[arg(long)]
        email: Email,
        /// Their name as people say it [default: the user name]
        #[arg(long)]
        full_name: Option<String>,
        /// What they are
        #[arg(long, value_enum, default_value = "member")]
        role: UserRole,
        /// Lets a member register and deliver services
        #[arg(long)]
        service: bool,
    },
    /// Every person (admin)
    List,
    /// Removes a person, and ends their tokens (admin)
    Remove { name: UserName },
    /// API tokens
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token and prints it, this once
    Create {
        /// Whose it will be
        user: UserName,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: TokenName,
        /// What it may be used for; may be given several times
        #[arg(long = "scope", value_name = "SCOPE", default_value = "read")]
        scopes: Vec<Scope>,
        /// When it ends by itself, in days [default: never]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// Everybody's tokens (admin)
    List,
    /// Ends a token
    Revoke { id: TokenId },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UserRole {
    Admin,
    Member,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryCommand {
    /// What was delivered for a service and what was decided about it, newest first
    List {
        service: ServiceName,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those before this one
        #[arg(long, value_name = "ID")]
        before: Option<DeliveryId>,
    },
    /// One delivery, and why it was built or not
    Show { id: DeliveryId },
    /// What a webhook delivery is, without a network
    Explain {
        /// Whose delivery it is
        #[arg(long)]
        provider: Provider,
        /// Its headers, as `Name: value` lines
        #[arg(long, value_name = "HEADERS")]
        event_file: PathBuf,
        /// Its body, byte for byte
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
        /// The webhook's secret
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// The branch that is delivered [default: any]
        #[arg(long, allow_hyphen_values = true)]
        branch: Option<Branch>,
    },
}
