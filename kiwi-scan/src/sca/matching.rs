//! Which advisories are about a version (<https://ossf.github.io/osv-schema/#evaluation>).

use super::osv::{Advisory, Event, Span};
use super::version::compare;
use super::{Ecosystem, Package};
use kiwi_core::domain::{Finding, Fingerprint, ScanKind, Severity};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Whether an advisory is about a version, with the versions that mend it; an error when the version is none of its ecosystem.
fn affects(ecosystem: Ecosystem, version: &str, advisory: &Advisory) -> Result<Option<Vec<String>>, ()> {
    let is = |a: &str, b: &str| compare(ecosystem, a, b);
    is(version, version).ok_or(())?;
    let mut hit = advisory.versions.iter().any(|listed| listed == version || is(listed, version) == Some(Ordering::Equal));
    let mut fixed = Vec::new();
    for span in &advisory.spans {
        let inside = within(ecosystem, version, span);
        hit |= inside;
        // A fix of another range mends nothing here.
        if inside || advisory.spans.len() == 1 {
            fixed.extend(span.iter().filter_map(|event| match event {
                Event::Fixed(fix) if is(fix, version) == Some(Ordering::Greater) => Some(fix.clone()),
                _ => None,
            }));
        }
    }
    Ok(hit.then_some(fixed))
}

fn within(ecosystem: Ecosystem, version: &str, span: &Span) -> bool {
    let of = |event: &Event| match event {
        Event::Introduced(version) | Event::Fixed(version) | Event::LastAffected(version) => version.clone(),
    };
    let mut events: Vec<&Event> = span.iter().collect();
    // "0" is before everything, whatever the ecosystem's order makes of it.
    events.sort_by(|a, b| {
        let (a, b) = (of(a), of(b));
        match (a == "0", b == "0") {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => compare(ecosystem, &a, &b).unwrap_or(Ordering::Equal),
        }
    });
    let at_least = |bound: &str| bound == "0" || compare(ecosystem, version, bound).is_some_and(Ordering::is_ge);
    let beyond = |bound: &str| compare(ecosystem, version, bound).is_some_and(Ordering::is_gt);
    events.into_iter().fold(false, |inside, event| match event {
        Event::Introduced(bound) => inside || at_least(bound),
        Event::Fixed(bound) => inside && !at_least(bound),
        Event::LastAffected(bound) => inside && !beyond(bound),
    })
}

/// Several databases' words about one vulnerability.
struct Joined<'a> {
    names: BTreeSet<&'a str>,
    advisories: Vec<&'a Advisory>,
    fixed: Vec<String>,
}

/// The beginning of what may be as long as a file.
fn clip(version: &str) -> String {
    version.chars().take(100).collect()
}

/// What is known about one package of a lockfile. An error is the reason why it could not be compared.
pub(super) fn findings(package: &Package, path: &str, advisories: &[Advisory]) -> Result<Vec<Finding>, String> {
    let ecosystem = package.ecosystem;
    let mut joined: Vec<Joined<'_>> = Vec::new();
    for advisory in advisories {
        let affected = affects(ecosystem, &package.version, advisory);
        let affected = affected.map_err(|()| format!("{} {:?} is no version of {}", package.name, clip(&package.version), ecosystem.as_str()))?;
        let Some(fixed) = affected else { continue };
        let names: BTreeSet<&str> = std::iter::once(advisory.id.as_str()).chain(advisory.aliases.iter().map(String::as_str)).collect();
        let (same, rest): (Vec<_>, Vec<_>) = joined.into_iter().partition(|known| !known.names.is_disjoint(&names));
        joined = rest;
        let mut group = Joined { names, advisories: vec![advisory], fixed };
        for other in same {
            group.names.extend(other.names);
            group.advisories.extend(other.advisories);
            group.fixed.extend(other.fixed);
        }
        joined.push(group);
    }
    let mut found: Vec<Finding> = joined.into_iter().map(|group| finding(package, path, group)).collect();
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.rule.cmp(&b.rule)));
    Ok(found)
}

fn finding(package: &Package, path: &str, mut group: Joined<'_>) -> Finding {
    // GitHub's records say most; among equals the first by name, so that the order of a database changes nothing.
    group.advisories.sort_by_key(|advisory| (!advisory.id.starts_with("GHSA-"), advisory.id.clone()));
    let first = group.advisories[0];
    let mut fixed = group.fixed;
    fixed.sort_by(|a, b| compare(package.ecosystem, a, b).unwrap_or_else(|| a.cmp(b)));
    fixed.dedup();
    let mut scores: Vec<_> = group.advisories.iter().flat_map(|advisory| advisory.scores.iter().cloned()).collect();
    scores.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.source.cmp(&b.source)));
    scores.dedup();
    let informational = group.advisories.iter().find_map(|advisory| advisory.informational.as_deref());
    let worst = scores.iter().map(|score| score.severity).max().unwrap_or(Severity::Unknown);
    let severity = if informational.is_some() && worst == Severity::Unknown { Severity::Info } else { worst };
    let what = match informational {
        Some(kind) => format!("{} is {kind}: {}", package.name, first.summary),
        None => first.summary.clone(),
    };
    let mend = match fixed.first() {
        Some(version) => format!("update {} to {version}", package.name),
        None => "no version mends it yet".to_owned(),
    };
    let cwe: BTreeSet<u32> = group.advisories.iter().flat_map(|advisory| advisory.cwe.iter().copied()).collect();
    // A CVE number stays when databases join or leave.
    let lasting = group.names.iter().find(|name| name.starts_with("CVE-")).copied().unwrap_or(&first.id);
    let fingerprint = Fingerprint::of(&["sca", package.ecosystem.as_str(), &package.ecosystem.normalize(&package.name), path, lasting]);
    Finding {
        scores,
        cwe: cwe.into_iter().collect(),
        path: Some(path.to_owned()),
        dependency: Some(package.into()),
        advisories: group.names.iter().map(|name| (*name).to_owned()).collect(),
        fixed_versions: fixed,
        url: Some(format!("https://osv.dev/vulnerability/{}", first.id)),
        ..Finding::new(ScanKind::Sca, first.id.clone(), severity, format!("{what}; {mend}"), fingerprint)
    }
}
