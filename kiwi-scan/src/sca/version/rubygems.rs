//! RubyGems' order (<https://docs.ruby-lang.org/en/3.4/Gem/Version.html>).

use super::{by_value, is_number, runs};
use std::cmp::Ordering;

pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (parse(one)?, parse(other)?);
    for index in 0..one.len().max(other.len()) {
        // What is missing is zero, which comes after every word.
        let (a, b) = (one.get(index).map_or("0", String::as_str), other.get(index).map_or("0", String::as_str));
        let order = match (is_number(a), is_number(b)) {
            (true, true) => by_value(a, b),
            (false, true) => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, false) => a.cmp(b),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

fn parse(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)) {
        return None;
    }
    // A hyphen begins a pre-release.
    let text = text.replace('-', ".pre.");
    Some(text.split('.').flat_map(runs).map(str::to_owned).collect())
}
