//! NuGet's order: semantic versions with a fourth number, of which words compare without regard to case
//! (<https://learn.microsoft.com/nuget/concepts/package-versioning>).

use super::{by_value, is_number, pre_releases};
use std::cmp::Ordering;

pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let ((one, one_pre), (other, other_pre)) = (parse(one)?, parse(other)?);
    let numbers = one.iter().zip(&other).map(|(a, b)| by_value(a, b)).find(|order| order.is_ne());
    Some(numbers.unwrap_or_else(|| pre_releases(&one_pre, &other_pre)))
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
