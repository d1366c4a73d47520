//! What there is to find.

mod table;

pub(super) use table::*;

use kiwi_core::domain::Severity;

/// Whether a rule is told once for the site or once for each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Once, with the first page and how many there are: one setting of the server mends all.
    Site,
    /// For each page: each has its own code.
    Page,
}

/// One kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name in reports and suppressions; it never changes.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The weakness, as a number of <https://cwe.mitre.org>.
    pub cwe: u32,
    /// How often it is told.
    pub scope: Scope,
    /// Whether it is only looked for when probes are allowed.
    pub probe: bool,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it matters, in a sentence.
    pub explanation: &'static str,
    /// How to mend it, in a sentence.
    pub fix: &'static str,
}

/// Every rule, in the order of the documentation.
pub fn rules() -> &'static [Rule] {
    ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    fn documentation() -> String {
        let mut text = "# Rules for running applications\n\nWhat `kiwi scan URL` finds. Written by a test from the table of rules; `KIWI_WRITE_DOCS=1` writes it anew.\n\n".to_owned();
        text.push_str("| rule | severity | CWE | told | what, why and how to mend it |\n| --- | --- | --- | --- | --- |\n");
        for rule in rules() {
            let scope = if rule.scope == Scope::Site { "once" } else { "for each page" };
            let probe = if rule.probe { ", with `--probe`" } else { "" };
            let cwe = format!("[{0}](https://cwe.mitre.org/data/definitions/{0}.html)", rule.cwe);
            let _ = writeln!(text, "| `{}` | {} | {cwe} | {scope}{probe} | {}. {} {} |", rule.id, rule.severity, rule.title, rule.explanation, rule.fix);
        }
        text
    }

    #[test]
    fn the_documentation_lists_every_rule() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/dast-rules.md");
        if std::env::var_os("KIWI_WRITE_DOCS").is_some() {
            std::fs::write(path, documentation()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), documentation(), "write it anew with KIWI_WRITE_DOCS=1");
    }

    #[test]
    fn every_rule_is_told_in_whole_sentences_under_a_name_of_its_own() {
        let names: BTreeSet<&str> = rules().iter().map(|rule| rule.id).collect();
        assert_eq!(names.len(), rules().len());
        for rule in rules() {
            assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
            assert!(rule.explanation.ends_with('.') && rule.fix.ends_with('.') && !rule.title.ends_with('.') && rule.cwe > 0, "{}", rule.id);
            assert!(![rule.title, rule.explanation, rule.fix].iter().any(|text| text.contains('|')), "{}", rule.id);
        }
    }
}
