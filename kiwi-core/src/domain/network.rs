//! Ports, protocols, host names and paths of routes.

use super::text::{first_bad, text_value};
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A TCP port between 1 and 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Port(u16);

super::schema::number_schema!(Port, 1, 65535);

impl Port {
    /// The number.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Port {
    type Error = ValueError;
    fn try_from(number: u16) -> Result<Self, ValueError> {
        if number == 0 {
            return Err(ValueError::new("port", "0", "is not a port", "give a number between 1 and 65535"));
        }
        Ok(Self(number))
    }
}

impl From<Port> for u16 {
    fn from(port: Port) -> u16 {
        port.0
    }
}

impl FromStr for Port {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<u16>() {
            Ok(number) if digits => Self::try_from(number),
            _ => Err(ValueError::new("port", text, "is not a port", "give a number between 1 and 65535")),
        }
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a port speaks, which decides how it is routed and probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP: probed with a request, drained request by request.
    #[default]
    Http,
    /// Any other protocol: probed by connecting, drained connection by connection.
    Tcp,
}

text_value!(
    /// The path of an HTTP route or health check: absolute, without query or fragment.
    IngressPath,
    parse_path
);

fn parse_path(text: &str) -> Result<String, ValueError> {
    let fail = |problem: String| Err(ValueError::new("path", text, problem, "give an absolute path such as \"/\" or \"/api\""));
    if !text.starts_with('/') {
        return fail("does not start with a slash".into());
    }
    if text.len() > 512 {
        return fail("is longer than 512 characters".into());
    }
    // The characters of RFC 3986 paths; anything else could end a line of the gateway's configuration.
    if let Some(bad) = first_bad(text, |c| c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@%".contains(c)) {
        return fail(format!("contains {bad}"));
    }
    if text.contains("//") || text.split('/').any(|part| part == ".." || part == ".") {
        return fail("has an empty or relative segment".into());
    }
    Ok(text.to_owned())
}

text_value!(
    /// A host name that requests are routed by, in lower case.
    Host,
    parse_host
);

fn parse_host(text: &str) -> Result<String, ValueError> {
    let lower = text.to_ascii_lowercase();
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if lower.len() <= 253 && lower.split('.').all(label) && !lower.is_empty() {
        return Ok(lower);
    }
    Err(ValueError::new("host", text, "is not a host name", "give a DNS name such as \"shop.example.com\", without scheme, port or path"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_a_route() {
        for text in ["", "api", "/a b", "/a\nb", "/../x", "/a//b", "/a?b", "/a#b", "/a\"b", "/./"] {
            assert!(text.parse::<IngressPath>().is_err(), "{text:?}");
        }
        for text in ["", "a_b", "http://a", "a:80", "-a", "a..b", ".a", "a b"] {
            assert!(text.parse::<Host>().is_err(), "{text:?}");
        }
        for text in ["", "0", "65536", "-1", "+80", "8o", " 80", "80 ", "1e3"] {
            assert!(text.parse::<Port>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn paths_and_hosts_never_panic_and_hold_no_white_space(text in "\\PC{0,40}") {
            if let Ok(path) = text.parse::<IngressPath>() {
                prop_assert!(!path.as_str().contains(char::is_whitespace));
            }
            if let Ok(host) = text.parse::<Host>() {
                prop_assert!(!host.as_str().contains(char::is_whitespace));
            }
        }

        #[test]
        fn every_port_but_zero(number in 1u16..) {
            prop_assert_eq!(number.to_string().parse::<Port>().unwrap().number(), number);
        }
    }
}
