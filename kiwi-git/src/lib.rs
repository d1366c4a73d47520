//! Git sources of Kiwi.
//!
//! `url` fetches from any smart-HTTP server. `github` and `gitlab` speak the APIs of those hosts through one client (`api`), which obeys
//! their limits and never follows them elsewhere. `webhook` reads what they deliver.

#[cfg(any(feature = "github", feature = "gitlab", feature = "url"))]
mod address;
#[cfg(any(feature = "github", feature = "gitlab"))]
mod api;
#[cfg(feature = "github")]
pub mod github;
#[cfg(feature = "gitlab")]
pub mod gitlab;
#[cfg(any(feature = "github", feature = "gitlab", feature = "url"))]
mod transport;
#[cfg(feature = "url")]
pub mod url;
#[cfg(any(feature = "github", feature = "gitlab"))]
mod webhook;

#[cfg(any(feature = "github", feature = "gitlab"))]
pub use api::ApiLimits;
/// Parsers of what strangers send, for fuzzing.
#[cfg(any(feature = "github", feature = "gitlab"))]
#[doc(hidden)]
pub use api::link::target as link_target;
