//! Rules, as their files write them: see `docs/writing-rules.md`.

mod builtin;
mod condition;
mod index;
mod name;
mod read;
mod set;

pub(crate) use condition::{Condition, Selector, Step, Test};
pub(crate) use index::{Index, Place};
pub(crate) use name::{Name, TextPattern, last_part};
pub(crate) use read::Sources;
pub use read::read_rules;
pub use set::Rules;

use super::language::Language;
use kiwi_core::domain::Severity;

/// A rule about source code.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) languages: Vec<Language>,
    pub(crate) severity: Severity,
    pub(crate) cwe: u32,
    pub(crate) title: String,
    pub(crate) explanation: String,
    pub(crate) fix: String,
    pub(crate) find: Vec<Find>,
    /// Whether the parameters of any function count as input.
    pub(crate) parameters: bool,
    /// Where its input comes from, instead of the language's sources.
    pub(crate) sources: Vec<Name>,
    pub(crate) sanitizers: Vec<Name>,
    pub(crate) safe_prefix: Option<TextPattern>,
    pub(crate) examples: Examples,
}

impl Rule {
    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The languages it is about.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// How bad a finding of it is, when the input is certainly somebody else's.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The weakness, as a number of <https://cwe.mitre.org>.
    pub fn cwe(&self) -> u32 {
        self.cwe
    }

    /// What it finds, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Why that is weak.
    pub fn explanation(&self) -> &str {
        &self.explanation
    }

    /// What to do instead.
    pub fn fix(&self) -> &str {
        &self.fix
    }

    /// Files in which it finds something, and files in which it must not.
    pub fn examples(&self) -> (&[String], &[String]) {
        (&self.examples.bad, &self.examples.good)
    }
}

/// A shape that a rule finds.
#[derive(Debug, Clone)]
pub(crate) struct Find {
    pub(crate) what: What,
    /// Arguments of which one must carry input; none when it is about the use alone.
    pub(crate) tainted: Vec<Selector>,
    pub(crate) when: Vec<Condition>,
    /// Calls on the result, or assignments to its fields, which make it safe.
    pub(crate) unless_called: Vec<Name>,
    /// Whether parameters count, when it is not as the rule says.
    pub(crate) parameters: Option<bool>,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Call(Vec<Name>),
    Assign(Vec<Name>),
    Reference(Vec<Name>),
    Import(Vec<Name>),
    Return,
    Pattern(String),
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Examples {
    #[serde(default)]
    pub(crate) bad: Vec<String>,
    #[serde(default)]
    pub(crate) good: Vec<String>,
}
