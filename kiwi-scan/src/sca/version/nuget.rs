//! NuGet's order: semantic versions with a fourth number, of which words compare without regard to case
//! (<https://learn.microsoft.com/nuget/concepts/package-versioning>).

use super::{by_value, is_number};
use std::cmp::Ordering;

pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let ((one, one_pre), (other, other_pre)) = (parse(one)?, parse(other)?);
    let numbers = one.iter().zip(&other).map(|(a, b)| by_value(a, b)).find(|order| order.is_ne());
    Some(numbers.unwrap_or_else(|| match (one_pre.is_empty(), other_pre.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => pre(&one_pre, &other_pre),
    }))
}

fn parse(text: &str) -> Option<([String; 4], String)> {
    let text = text.trim();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text).split('+').next().unwrap_or_default();
    let (core, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = std::array::from_fn(|_| "0".to_owned());
    let mut parts = core.split('.');
    for (index, number) in parts.by_ref().take(4).enumerate() {
        if !is_number(number) {
            return None;
        }
        number.clone_into(&mut numbers[index]);
    }
    parts.next().is_none().then(|| (numbers, pre.to_lowercase()))
}

fn pre(one: &str, other: &str) -> Ordering {
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
