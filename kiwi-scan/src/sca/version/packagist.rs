//! Composer's order: PHP's own `version_compare` (<https://www.php.net/version_compare>) on normalized versions
//! (<https://github.com/composer/semver>).

use super::{by_value, is_number, runs};
use std::cmp::Ordering;

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (parse(one), parse(other));
    for index in 0..one.len().max(other.len()) {
        let order = match (one.get(index), other.get(index)) {
            (Some(a), Some(b)) => part(a, b),
            // More numbers are more; a word after the end is what it says.
            (Some(a), None) if is_number(a) => Ordering::Greater,
            (Some(a), None) => rank(a).cmp(&rank("#")),
            (None, Some(b)) if is_number(b) => Ordering::Less,
            (None, Some(b)) => rank("#").cmp(&rank(b)),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn part(one: &str, other: &str) -> Ordering {
    match (is_number(one), is_number(other)) {
        (true, true) => by_value(one, other),
        (true, false) => rank("#").cmp(&rank(other)),
        (false, true) => rank(one).cmp(&rank("#")),
        (false, false) => rank(one).cmp(&rank(other)),
    }
}

/// `#` stands for a number.
fn rank(word: &str) -> u8 {
    match word {
        "dev" => 1,
        "alpha" | "a" => 2,
        "beta" | "b" => 3,
        "rc" => 4,
        "#" => 5,
        "patch" | "pl" | "p" => 6,
        _ => 0,
    }
}

/// Four numbers, then the stability, as Composer normalizes.
fn parse(text: &str) -> Vec<String> {
    let text = text.trim().to_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    let text = text.split('+').next().unwrap_or_default();
    let mut parts: Vec<String> = text.split(['.', '-', '_']).flat_map(runs).map(str::to_owned).collect();
    let numbers = parts.iter().take_while(|part| is_number(part)).count();
    if numbers > 0 && numbers < 4 {
        parts.splice(numbers..numbers, std::iter::repeat_n("0".to_owned(), 4 - numbers));
    }
    // `stable` is no stability of its own.
    parts.retain(|part| part != "stable");
    parts
}
