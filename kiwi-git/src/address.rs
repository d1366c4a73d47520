//! Where a git host may be: a name is resolved once, judged, and pinned, so that nothing can answer differently later.

use kiwi_core::domain::is_public;
use kiwi_core::error::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use url::{Host, Url};

/// A host with the addresses that it had when it was judged.
pub(crate) struct Pinned {
    pub(crate) host: String,
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Refuses plain HTTP and addresses that are not public, unless an admin allowed that for this host. `how` says how they do.
pub(crate) async fn pin(url: &Url, private: bool, how: &'static str) -> Result<Pinned> {
    let host = url.host_str().unwrap_or_default().to_owned();
    if url.scheme() != "https" && !private {
        return Err(refused(&host, "plain HTTP would carry tokens in clear", how));
    }
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(address)) => vec![(address, port).into()],
        Some(Host::Ipv6(address)) => vec![(address, port).into()],
        _ => match tokio::net::lookup_host((host.as_str(), port)).await {
            Ok(found) => found.collect(),
            // A proxy may know names that this machine does not; whether one is set, the client knows, and says what is wrong otherwise.
            Err(_) if private => Vec::new(),
            Err(error) => return Err(Error::new(ErrorKind::HostNotFound, "reach git host", format!("Host not found ({host})")).with_source(error)),
        },
    };
    match addresses.iter().find(|address| !is_public(address.ip())) {
        Some(address) if !private => Err(refused(&host, &format!("{} is not a public address", address.ip()), how)),
        _ => Ok(Pinned { host, addresses }),
    }
}

fn refused(host: &str, why: &str, how: &'static str) -> Error {
    Error::new(ErrorKind::Forbidden, "reach git host", format!("{host} is refused: {why}")).with_hint(how)
}
