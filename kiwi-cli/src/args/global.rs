//! Flags of every command.

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use std::convert::Infallible;
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Where Kiwi keeps what it knows [default: the platform's data directory]
    #[arg(long, global = true, env = "KIWI_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The file with the encryption key [default: the platform's configuration directory]; KIWI_KEY holds the key itself
    #[arg(long, global = true, env = "KIWI_KEY_FILE", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The PostgreSQL database that replicas share, as postgres://user@host/database [default: SQLite in the data directory]
    #[arg(long, global = true, env = "KIWI_DATABASE", hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub(crate) database: Option<SecretString>,
    /// Asks a running `kiwi serve` instead of the engine in this process; the token comes from KIWI_TOKEN or `kiwi login`
    #[arg(long, global = true, env = "KIWI_SERVER", value_name = "URL")]
    pub(crate) server: Option<Url>,
    /// How results are printed
    #[arg(long, short, global = true, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// Tries what another role may do
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) as_role: RoleChoice,
    /// Says more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Whether to colour
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) color: ColorChoice,
}

/// The URL may hold a password.
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    #[default]
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum RoleChoice {
    #[default]
    Admin,
    Member,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}
