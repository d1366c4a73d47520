//! Content Security Policies (<https://www.w3.org/TR/CSP3/>), as far as they are about scripts and frames.

use crate::dast::findings::Findings;
use crate::dast::page::{Kind, Page};
use crate::dast::rules::{CSP_MISSING, CSP_UNSAFE_EVAL, CSP_UNSAFE_INLINE, CSP_WILDCARD, FRAME_OPTIONS_MISSING};
use std::collections::HashMap;

/// Sources that are everybody.
const ANYWHERE: [&str; 5] = ["*", "http:", "https:", "data:", "http://*"];
const NAME: &str = "content-security-policy";

pub(super) fn check(page: &Page, found: &mut Findings) {
    let (answer, url) = (&page.answer, &page.answer.url);
    if page.kind != Kind::Html || !answer.is_success() {
        return;
    }
    // A comma separates policies, also within one header.
    let sent: Vec<Policy> = answer.all(NAME).flat_map(|value| value.split(',')).map(Policy::read).filter(|policy| !policy.0.is_empty()).collect();
    let framed = answer.header("x-frame-options").is_some_and(|value| ["deny", "sameorigin"].contains(&value.trim().to_ascii_lowercase().as_str()));
    if !framed && !sent.iter().any(Policy::restricts_frames) {
        found.add(&FRAME_OPTIONS_MISSING, url, "x-frame-options", "");
    }
    let policies: Vec<Policy> = sent.into_iter().chain(page.document.policies.iter().map(|text| Policy::read(text))).collect();
    if policies.is_empty() {
        found.add(&CSP_MISSING, url, NAME, "");
        return;
    }
    // Every policy must allow what the browser does: one that refuses is enough.
    let tests = [
        (&CSP_WILDCARD, policies.iter().all(Policy::allows_anywhere)),
        (&CSP_UNSAFE_INLINE, policies.iter().all(Policy::allows_inline)),
        (&CSP_UNSAFE_EVAL, policies.iter().all(Policy::allows_eval)),
    ];
    for (rule, _) in tests.into_iter().filter(|(_, allowed)| *allowed) {
        found.add(rule, url, NAME, "");
    }
}

/// Sources by directive, in lower case; of a directive that comes twice the first counts.
struct Policy(HashMap<String, Vec<String>>);

impl Policy {
    fn read(text: &str) -> Self {
        let mut directives = HashMap::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace().map(str::to_ascii_lowercase);
            if let Some(name) = words.next() {
                directives.entry(name).or_insert_with(|| words.collect());
            }
        }
        Self(directives)
    }

    fn scripts(&self) -> Option<&[String]> {
        self.0.get("script-src").or_else(|| self.0.get("default-src")).map(Vec::as_slice)
    }

    fn has(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.scripts().is_some_and(|sources| sources.iter().any(|source| wanted(source)))
    }

    fn has_nonce_or_hash(&self) -> bool {
        self.has(|source| ["'nonce-", "'sha256-", "'sha384-", "'sha512-"].iter().any(|begin| source.starts_with(begin)))
    }

    fn allows_anywhere(&self) -> bool {
        // With `strict-dynamic` hosts and schemes count no more.
        self.scripts().is_none() || (!self.has(|source| source == "'strict-dynamic'") && self.has(|source| ANYWHERE.contains(&source)))
    }

    fn allows_inline(&self) -> bool {
        // Browsers that know nonces and hashes ignore `unsafe-inline` beside them.
        self.has(|source| source == "'unsafe-inline'") && !self.has_nonce_or_hash()
    }

    fn allows_eval(&self) -> bool {
        self.has(|source| source == "'unsafe-eval'")
    }

    fn restricts_frames(&self) -> bool {
        self.0.get("frame-ancestors").is_some_and(|sources| !sources.iter().any(|source| ANYWHERE.contains(&source.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_as_browsers_read_them() {
        let inline = |text| Policy::read(text).allows_inline();
        assert!(inline("script-src 'self' 'Unsafe-Inline'") && inline("default-src 'unsafe-inline'"));
        assert!(!inline("script-src 'unsafe-inline' 'nonce-x'") && !inline("default-src 'unsafe-inline'; script-src 'self'"));
        let anywhere = |text| Policy::read(text).allows_anywhere();
        assert!(anywhere("frame-ancestors 'none'") && anywhere("script-src https:") && anywhere("script-src *; script-src 'self'"));
        assert!(!anywhere("script-src 'strict-dynamic' 'nonce-x' https:") && !anywhere("default-src 'self' https://cdn.test"));
        assert!(Policy::read("frame-ancestors 'self'").restricts_frames() && !Policy::read("frame-ancestors *").restricts_frames());
    }
}
