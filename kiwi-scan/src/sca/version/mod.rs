//! The order of versions, as each ecosystem has it.

mod maven;
mod nuget;
mod packagist;
mod rubygems;
mod semantic;

use super::Ecosystem;
use std::cmp::Ordering;
use std::str::FromStr as _;

/// No version is as long; the order of Maven's goes as deep as they are.
const LONGEST: usize = 1024;

/// How two versions of one ecosystem compare; none when either is not a version there.
pub fn compare(ecosystem: Ecosystem, one: &str, other: &str) -> Option<Ordering> {
    if one.len() > LONGEST || other.len() > LONGEST {
        return None;
    }
    match ecosystem {
        Ecosystem::Npm | Ecosystem::CratesIo | Ecosystem::Go | Ecosystem::Hex => semantic::compare(one, other),
        Ecosystem::Pub => semantic::compare_with_builds(one, other),
        Ecosystem::PyPi => Some(pep440_rs::Version::from_str(one).ok()?.cmp(&pep440_rs::Version::from_str(other).ok()?)),
        Ecosystem::Maven => Some(maven::compare(one, other)),
        Ecosystem::RubyGems => rubygems::compare(one, other),
        Ecosystem::Packagist => Some(packagist::compare(one, other)),
        Ecosystem::NuGet => nuget::compare(one, other),
    }
}

/// Splits a text where digits begin or end.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c: char| c.is_ascii_digit() != first.is_ascii_digit()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

/// Numbers of any length, by their value.
fn by_value(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The order of two versions whose numbers are the same, by what stands behind the hyphen (<https://semver.org/#spec-item-11>).
fn pre_releases(one: &str, other: &str) -> Ordering {
    // A version without a pre-release comes after all of its pre-releases.
    if one.is_empty() || other.is_empty() {
        return one.is_empty().cmp(&other.is_empty());
    }
    identifiers(one, other)
}

/// The order of identifiers with dots between.
fn identifiers(one: &str, other: &str) -> Ordering {
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => by_value(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
