//! Leaked credentials, by the forms that their issuers gave them.
//!
//! `rules.toml` has the forms; `rules.rs` compiles each when a file first needs it; `scanner.rs` is the
//! [`Scanner`](kiwi_core::provider::Scanner).

mod rules;
mod scanner;

pub use scanner::SecretScanner;
