//! Leaked credentials, by the forms that their issuers gave them.
//!
//! `rules.toml` has the forms; `rules.rs` compiles each when a file first needs it; `text.rs` tells texts from other files; `scanner.rs` is the
//! [`Scanner`](kiwi_core::provider::Scanner).

mod rules;
mod scanner;
mod text;

pub use scanner::SecretScanner;

/// A text with `***` in place of each secret that the rules know.
#[cfg(feature = "external")]
pub(crate) fn without_secrets(text: &str) -> String {
    let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
    for found in rules::Rules::builtin().matches(text) {
        shown.push_str(&text[end..found.span.start]);
        shown.push_str("***");
        end = found.span.end;
    }
    shown + &text[end..]
}
