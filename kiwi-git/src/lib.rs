//! Git sources of Kiwi.
//!
//! `url` serves any smart-HTTP server. Hosts with an API of their own follow as further modules.

#[cfg(feature = "url")]
pub mod url;
