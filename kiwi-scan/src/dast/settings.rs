//! How far a scan goes.

use kiwi_core::secret::SecretString;
use std::net::IpAddr;
use std::time::Duration;

/// How far a scan goes, and what it sends.
#[derive(Debug, Clone)]
pub struct Settings {
    /// So many addresses are read, pages and files together. 200.
    pub most_pages: usize,
    /// So many links away from the start are followed, redirects among them. 8.
    pub depth: usize,
    /// No more requests in a second; 0 is taken as 1. 10.
    pub requests_per_second: u32,
    /// When the scan ends with what it has. 5 minutes.
    pub deadline: Duration,
    /// How long one answer may take, its body included. 10 seconds.
    pub timeout: Duration,
    /// Of a body no more bytes are read. 2 MiB.
    pub largest_body: usize,
    /// Sent with every request, such as an `Authorization`; never shown, and withheld from a server whose certificate is not valid. None.
    pub headers: Vec<(String, SecretString)>,
    /// Certificates of authorities that are trusted besides the machine's, as PEM. None.
    pub authorities: Option<String>,
    /// Where the host is, when its name does not say so yet; else the name is resolved once. None.
    pub addresses: Vec<IpAddr>,
    /// An OpenAPI 3 document, as JSON or YAML, whose GET operations are asked too; without one, the usual places are tried. None.
    pub openapi: Option<String>,
    /// Whether markers are sent in parameters, to see whether they come back. Off.
    pub probe: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            most_pages: 200,
            depth: 8,
            requests_per_second: 10,
            deadline: Duration::from_secs(5 * 60),
            timeout: Duration::from_secs(10),
            largest_body: 2 << 20,
            headers: Vec::new(),
            authorities: None,
            addresses: Vec::new(),
            openapi: None,
            probe: false,
        }
    }
}
