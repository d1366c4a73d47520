//! Leaked credentials, by the forms that their issuers gave them.
//!
//! `rules.toml` has the forms; `rules.rs` compiles each when a file first needs it; `text.rs` tells texts from other files; `scanner.rs` is the
//! [`Scanner`](kiwi_core::provider::Scanner).

mod rules;
mod scanner;
mod text;

pub use scanner::SecretScanner;
