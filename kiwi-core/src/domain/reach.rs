//! Which hosts a server may be led to by what its members name.

use std::net::{IpAddr, Ipv6Addr};

/// The hosts that services may come from.
///
/// Providers and registries that an admin set up are beside this: the admin said then what they may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// Any: who types an address on a machine of their own means it.
    #[default]
    Anywhere,
    /// Public addresses over TLS; beyond them only these hosts, however they are reached. A service could otherwise be used to look around in the
    /// server's own network.
    Public {
        /// Names or addresses, without ports.
        and: Vec<String>,
    },
}

impl Reach {
    /// Whether a host may be private, or speak plain HTTP.
    pub fn trusts(&self, host: &str) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Public { and } => and.iter().any(|trusted| trusted.trim_matches(['[', ']']).eq_ignore_ascii_case(host.trim_matches(['[', ']']))),
        }
    }
}

/// Whether an address is one of the Internet's, by the registries of special addresses
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>, and the same for IPv6).
pub fn is_public(address: IpAddr) -> bool {
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
    use super::{Reach, is_public};

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

    #[test]
    fn trusts_whom_it_names() {
        let reach = Reach::Public { and: vec!["git.internal".to_owned(), "fd00::1".to_owned()] };
        for host in ["git.internal", "GIT.internal", "[fd00::1]", "fd00::1"] {
            assert!(reach.trusts(host), "{host}");
        }
        for host in ["github.com", "git.internal.example.com", "internal", ""] {
            assert!(!reach.trusts(host), "{host}");
        }
        assert!(Reach::Anywhere.trusts("10.0.0.1"));
    }
}
