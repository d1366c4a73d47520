//! Where the API is, and for how long it is waited for.

use kiwi_core::error::{Error, Result};
use std::time::Duration;
use url::Url;

/// Where OSV answers.
pub const API: &str = "https://api.osv.dev/";

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// One answer.
    pub timeout: Duration,
    /// All of them.
    pub deadline: Duration,
    /// The first pause before something is asked again; each is twice as long as the one before. What `Retry-After` says goes first.
    pub pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), deadline: Duration::from_secs(5 * 60), pause: Duration::from_millis(500) }
    }
}

/// OSV's API, or another that speaks like it.
#[derive(Debug, Clone)]
pub struct OsvApi {
    pub(super) base: Url,
    pub(super) settings: Settings,
}

impl OsvApi {
    /// The API below this address.
    ///
    /// Errors: `InvalidInput` for what is no address of a web server, or has credentials in it: they would be shown.
    pub fn new(base: &Url, settings: Settings) -> Result<Self> {
        let fits = matches!(base.scheme(), "https" | "http") && base.username().is_empty() && base.password().is_none();
        if !fits || base.host_str().is_none() || base.query().is_some() || base.fragment().is_some() {
            return Err(Error::invalid("ask OSV", "the API's address is not a plain http or https URL").with_hint(format!("such as {API}")));
        }
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { base, settings })
    }

    /// Its host, with the port where that is its own.
    pub(in crate::sca) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}
