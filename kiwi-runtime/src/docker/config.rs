//! How an engine is reached and what Kiwi uses on it.

use kiwi_core::error::{Error, Result};
use std::path::PathBuf;

/// Settings of a Docker provider.
#[derive(Debug, Clone)]
pub struct DockerConfig {
    /// Where the engine is.
    pub address: EngineAddress,
    /// The image of the gateway: HAProxy 2.6 or newer on Debian.
    pub gateway_image: String,
    /// Which builder is used.
    pub builder: BuilderChoice,
    /// The network that containers' addresses come from, as the first two numbers of a /16.
    pub network_pool: [u8; 2],
}

impl DockerConfig {
    /// Defaults for an engine; the machine's own when there is no address.
    pub fn new(address: Option<&str>) -> Result<Self> {
        let address = match address {
            Some(address) => EngineAddress::parse(address)?,
            None => EngineAddress::from_environment()?,
        };
        Ok(Self { address, gateway_image: "haproxy:lts".to_owned(), builder: BuilderChoice::Auto, network_pool: [10, 213] })
    }
}

/// Which builder of the engine is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BuilderChoice {
    /// BuildKit where the engine has it.
    #[default]
    Auto,
    /// BuildKit, or an error.
    Buildkit,
    /// The classic builder.
    Classic,
}

/// The address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineAddress {
    /// A socket of this machine.
    Unix(PathBuf),
    /// Plain HTTP, which gives root on the engine's machine to everybody who reaches it.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
}

impl EngineAddress {
    /// Reads `unix:///path` or `tcp://host:port`.
    pub fn parse(text: &str) -> Result<Self> {
        let fail =
            |message: &str| Error::invalid("engine address", format!("{text:?} {message}")).with_hint("write unix:///var/run/docker.sock or tcp://host:2375");
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(fail("has no absolute path")) };
        }
        let rest = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://")).ok_or_else(|| fail("has a scheme that Kiwi does not speak"))?;
        let url: url::Url = format!("http://{rest}").parse().map_err(|_| fail("is not an address"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| fail("has no host"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid("engine address", "an engine address takes no credentials"));
        }
        Ok(Self::Tcp { host: host.to_owned(), port: url.port().unwrap_or(2375) })
    }

    /// `DOCKER_HOST`, or the usual socket.
    pub fn from_environment() -> Result<Self> {
        match std::env::var("DOCKER_HOST") {
            Ok(host) if !host.is_empty() => Self::parse(&host),
            _ => Ok(Self::Unix("/var/run/docker.sock".into())),
        }
    }

    /// The host that published ports are reached at.
    pub fn public_host(&self) -> &str {
        match self {
            Self::Unix(_) => "127.0.0.1",
            Self::Tcp { host, .. } => host,
        }
    }
}

impl std::fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EngineAddress;

    #[test]
    fn reads_addresses() {
        for text in ["", "ssh://host", "unix://relative", "tcp://", "tcp://u:p@host:1", "/var/run/docker.sock", "tcp://host:99999"] {
            assert!(EngineAddress::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(EngineAddress::parse("tcp://[::1]:2376").unwrap().to_string(), "tcp://[::1]:2376");
    }
}
