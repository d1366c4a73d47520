//! Scanners that need nothing installed, and those that people trust already.
//!
//! * feature `dast`: running applications, read from outside.
//! * feature `external`: Semgrep, Trivy and other tools, as programs or as tasks of a runtime.
//! * feature `sast`, or `sast-LANGUAGE`: source code that is weak, by rules.
//! * feature `sca`: dependencies with known vulnerabilities, from lockfiles and a local copy of <https://osv.dev>.
//! * feature `secrets`: credentials that stand in files.
//!
//! A scanner never guesses: what it could not read is in its report, and the gate refuses on it unless a policy says otherwise.

#[cfg(feature = "dast")]
pub mod dast;
#[cfg(feature = "external")]
pub mod external;
pub mod output;
#[cfg(feature = "_sast")]
pub mod sast;
#[cfg(feature = "sca")]
pub mod sca;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(any(feature = "_sast", feature = "external", feature = "sca", feature = "secrets"))]
mod tree;
#[cfg(any(feature = "dast", feature = "sca"))]
mod yaml;

/// A report of one of Kiwi's own scanners that found nothing yet.
#[cfg(any(feature = "_sast", feature = "dast", feature = "sca", feature = "secrets"))]
fn report_of(scanner: &str) -> kiwi_core::domain::ScanReport {
    kiwi_core::domain::ScanReport { version: Some(env!("CARGO_PKG_VERSION").to_owned()), ..kiwi_core::domain::ScanReport::new(scanner) }
}
