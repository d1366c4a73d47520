//! For registries that nobody vouched for: an address that is not public is refused, whatever the name says and however often it is asked.

use kiwi_core::domain::is_public;
use kiwi_core::error::{Error, ErrorKind, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use url::{Host, Url};

/// Answers public addresses alone, so that what was judged is what is connected to.
#[derive(Debug)]
pub(super) struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            match found.iter().find(|address| !is_public(address.ip())) {
                Some(address) => Err(refused(name.as_str(), address.ip()).into()),
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// Refuses what the resolver is not asked for: addresses in place of names.
pub(super) fn judge(url: &Url) -> Result<()> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        _ => return Ok(()),
    };
    if is_public(address) { Ok(()) } else { Err(refused(url.host_str().unwrap_or_default(), address)) }
}

fn refused(host: &str, address: std::net::IpAddr) -> Error {
    Error::new(ErrorKind::Forbidden, "reach registry", format!("{host} is refused: {address} is not a public address"))
        .with_hint("an admin can add this registry; whoever runs the server can allow it with --allow-host")
}
