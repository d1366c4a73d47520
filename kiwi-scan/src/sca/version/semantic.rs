//! Semantic versions (<https://semver.org>), with what npm and Go add to them.

use super::{by_value, identifiers, is_number, pre_releases};
use std::cmp::Ordering;

pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (parse(one)?, parse(other)?);
    let numbers = one.numbers.iter().zip(&other.numbers).map(|(a, b)| by_value(a, b)).find(|order| order.is_ne());
    Some(numbers.unwrap_or_else(|| pre_releases(one.pre, other.pre)))
}

/// As pub has it, where `1.0.0+1` is a release after `1.0.0` (<https://pub.dev/documentation/pub_semver>).
pub(super) fn compare_with_builds(one: &str, other: &str) -> Option<Ordering> {
    let builds = || {
        let build = |text: &'_ str| text.trim().split_once('+').map(|(_, build)| build.to_owned()).unwrap_or_default();
        let (one, other) = (build(one), build(other));
        // None comes before any.
        if one.is_empty() || other.is_empty() { other.is_empty().cmp(&one.is_empty()) } else { identifiers(&one, &other) }
    };
    Some(compare(one, other)?.then_with(builds))
}

struct Version<'a> {
    numbers: [&'a str; 3],
    pre: &'a str,
}

/// `v1.2.3-pre+build`; what is missing is zero, as advisories write `0` and `1.2`.
fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim();
    let text = text.strip_prefix(['v', '=']).unwrap_or(text);
    let text = text.split('+').next().unwrap_or_default();
    let (core, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = ["0"; 3];
    let mut parts = core.split('.');
    for (index, number) in parts.by_ref().take(3).enumerate() {
        if !is_number(number) {
            return None;
        }
        numbers[index] = number;
    }
    parts.next().is_none().then_some(Version { numbers, pre })
}
