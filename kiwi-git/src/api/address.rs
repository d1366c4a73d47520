//! Where a host may be: a name is resolved once, judged, and pinned, so that nothing can answer differently later.

use kiwi_core::error::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// A host with the addresses that it had when it was judged.
pub(crate) struct Pinned {
    pub(crate) host: String,
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Refuses plain HTTP and addresses that are not public, unless an admin allowed that for this host.
pub(crate) async fn pin(url: &Url, private: bool) -> Result<Pinned> {
    let host = url.host_str().unwrap_or_default().to_owned();
    if url.scheme() != "https" && !private {
        return Err(refused(&host, "plain HTTP would carry the token in clear"));
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
        Some(address) if !private => Err(refused(&host, &format!("{} is not a public address", address.ip()))),
        _ => Ok(Pinned { host, addresses }),
    }
}

fn refused(host: &str, why: &str) -> Error {
    Error::new(ErrorKind::Forbidden, "reach git host", format!("{host} is refused: {why}")).with_hint("an admin can allow this host when setting it up")
}

/// Whether an address is one of the Internet's, by the registries of special addresses
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>, and the same for IPv6).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_public(inner),
            // Only global unicast is the Internet; 2001:db8::/32 is for documents.
            None => {
                let [first, second, ..] = address.segments();
                (first & 0xe000) == 0x2000 && !(first == 0x2001 && second == 0x0db8)
            }
        },
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated (NAT64), or 6to4.
fn embedded(address: Ipv6Addr) -> Option<IpAddr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let join = |high: u16, low: u16| IpAddr::V4(((u32::from(high) << 16) | u32::from(low)).into());
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(join(g, h)),
        (0x2002, ..) => Some(join(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn knows_the_special_addresses() {
        for text in ["1.1.1.1", "140.82.121.4", "2606:4700:4700::1111", "::ffff:1.1.1.1", "2002:101:101::"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }
}
