//! The server.

use clap::{Args, ValueEnum};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen
    #[arg(long, env = "KIWI_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// How people and git hosts reach it; Auto CI asks for it [default for people: where it listens]
    #[arg(long, env = "KIWI_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<Url>,
    /// The certificate, and those that lead to its root, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A host that services may come from although its address is private or it speaks plain HTTP; may be given several times
    #[arg(long = "allow-host", env = "KIWI_ALLOW_HOSTS", value_name = "HOST", value_delimiter = ',')]
    pub(crate) allow_hosts: Vec<String>,
    /// A proxy whose X-Forwarded-For is believed; may be given several times
    #[arg(long = "proxy", value_name = "ADDRESS")]
    pub(crate) proxies: Vec<IpAddr>,
    /// An origin whose pages may call the API from a browser; may be given several times [default: none]
    #[arg(long = "allow-origin", value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origins: Vec<String>,
    /// How the log is written
    #[arg(long, env = "KIWI_LOG_FORMAT", value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    /// How many runs are worked here at once
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    pub(crate) workers: usize,
    /// How many runs all servers of the database together work at once on one runtime
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs_per_runtime: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// As a browser writes it, or it would match none.
fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let origin = url.origin().ascii_serialization();
    if !url.origin().is_tuple() || origin != text.trim_end_matches('/') {
        return Err("an origin is a scheme, a host and maybe a port, such as https://console.example.com".to_owned());
    }
    Ok(origin)
}
