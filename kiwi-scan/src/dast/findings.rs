//! What was found so far, each problem once.

use super::rules::{Rule, Scope};
use kiwi_core::domain::{Finding, Fingerprint, ScanKind};
use kiwi_core::secret::Redactor;
use std::collections::BTreeMap;
use url::Url;

/// No more are told: a server may make up pages and parameters without end.
const MOST_FINDINGS: usize = 1000;
/// Longer names and paths are cut where people read them.
const LONGEST: usize = 120;

/// What identifies a problem: the rule, the path unless it is the site's, and the name of a header, cookie or parameter.
type Identity = (&'static str, String, String);

#[derive(Debug)]
struct Found {
    rule: &'static Rule,
    path: String,
    detail: String,
    pages: usize,
}

#[derive(Debug, Default)]
pub(super) struct Findings {
    found: BTreeMap<Identity, Found>,
    over: usize,
}

impl Findings {
    /// Notes a problem of a page. `name` is the header, cookie or parameter, or empty; `detail` says more of it for people.
    pub(super) fn add(&mut self, rule: &'static Rule, url: &Url, name: &str, detail: impl Into<String>) {
        // Which page comes first may change from scan to scan, so that a problem of the whole site is not identified by it.
        let of_page = if rule.scope == Scope::Page { url.path().to_owned() } else { String::new() };
        let identity = (rule.id, of_page, name.to_owned());
        if let Some(found) = self.found.get_mut(&identity) {
            found.pages += 1;
        } else if self.found.len() < MOST_FINDINGS {
            self.found.insert(identity, Found { rule, path: url.path().to_owned(), detail: detail.into(), pages: 1 });
        } else {
            self.over += 1;
        }
    }

    /// Adds what was found elsewhere.
    pub(super) fn extend(&mut self, other: Self) {
        self.over += other.over;
        for (identity, found) in other.found {
            if let Some(known) = self.found.get_mut(&identity) {
                known.pages += found.pages;
            } else if self.found.len() < MOST_FINDINGS {
                self.found.insert(identity, found);
            } else {
                self.over += 1;
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// How many were too many to tell.
    pub(super) fn over(&self) -> usize {
        self.over
    }

    /// The worst first. A server that sends a secret header back does not bring it into the report.
    pub(super) fn finish(self, redactor: &Redactor) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.found.into_iter().map(|((id, of_page, name), found)| finding(id, &of_page, &name, &found, redactor)).collect();
        findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.rule, &a.path, &a.fingerprint).cmp(&(&b.rule, &b.path, &b.fingerprint))));
        findings
    }
}

fn finding(id: &str, of_page: &str, name: &str, found: &Found, redactor: &Redactor) -> Finding {
    let Found { rule, path, detail, pages } = found;
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let pages = if *pages > 1 { format!(" ({pages} times)") } else { String::new() };
    let message = format!("{}{detail}{pages}. {} {}", rule.title, rule.explanation, rule.fix);
    Finding {
        cwe: vec![rule.cwe],
        path: Some(clip(&redactor.redact(path))),
        url: Some(format!("https://cwe.mitre.org/data/definitions/{}.html", rule.cwe)),
        ..Finding::new(ScanKind::Dast, id, rule.severity, redactor.redact(&message), Fingerprint::of(&["dast", id, of_page, name]))
    }
}

/// A name of the server's making, in one line of a length that people read.
pub(super) fn clip(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dast::rules::{CSP_MISSING, ERROR_SQL};
    use kiwi_core::secret::SecretString;

    #[test]
    fn a_problem_of_the_site_is_the_same_wherever_it_is_seen_first() {
        let told = |paths: &[&str], rule| {
            let mut findings = Findings::default();
            paths.iter().for_each(|path| findings.add(rule, &format!("http://h/{path}").parse().unwrap(), "", "s3cret-value"));
            findings.finish(&Redactor::new([&SecretString::from("s3cret-value")]))
        };
        let (one, other) = (told(&["a", "b"], &CSP_MISSING), told(&["b", "a"], &CSP_MISSING));
        assert_eq!((one.len(), &one[0].fingerprint, one[0].path.as_deref()), (1, &other[0].fingerprint, Some("/a")));
        assert!(one[0].message.contains("(2 times)") && !one[0].message.contains("s3cret"), "{}", one[0].message);
        let pages = told(&["a", "b"], &ERROR_SQL);
        assert!(pages.len() == 2 && pages[0].fingerprint != pages[1].fingerprint);
    }
}
