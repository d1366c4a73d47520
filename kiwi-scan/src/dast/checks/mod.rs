//! What is seen in an answer without asking for more.

mod content;
mod cookies;
mod disclosure;
mod headers;
mod policy;

use super::findings::Findings;
use super::page::Page;
pub(super) use content::source_map;
use url::Url;

/// Looks at one answer.
pub(super) fn check(page: &Page, found: &mut Findings) {
    headers::check(page, found);
    policy::check(page, found);
    cookies::check(page, found);
    content::check(page, found);
    disclosure::check(page, found);
}

/// Whether nobody else is between a browser and this host.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
