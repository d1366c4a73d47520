//! Weak source code: rules over what a program does with its input.
//!
//! A rule names an API and what makes a use of it weak ([`Rules`], `docs/writing-rules.md`). A file is parsed by ast-grep's grammars, and its
//! values are followed from where input comes in to where it does harm, function by function. Nothing of a file is ever run.

mod disguise;
mod examples;
mod file;
mod flow;
mod language;
mod rule;
mod scanner;
mod shape;

pub use examples::failures;
pub use language::Language;
pub use rule::{Rule, Rules, read_rules};
pub use scanner::SastScanner;
