//! Maven's order (<https://maven.apache.org/pom.html#Version_Order_Specification>). A hyphen, written or meant between digits and letters, begins a list
//! within the list.

use super::{by_value, is_number};
use std::cmp::Ordering;

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    lists(&parse(one), &parse(other))
}

#[derive(Debug)]
enum Item {
    Number(String),
    Word(String),
    List(Vec<Item>),
}

/// Qualifiers that Maven knows, in their order; the release itself is the empty one.
const KNOWN: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

fn rank(word: &str) -> (usize, &str) {
    KNOWN.iter().position(|known| *known == word).map_or((KNOWN.len(), word), |place| (place, ""))
}

impl Item {
    /// A run of digits or of letters; a single letter before digits is short for a qualifier.
    fn new(text: &str, followed_by_digit: bool) -> Self {
        if is_number(text) {
            return Self::Number(text.to_owned());
        }
        Self::Word(
            match text {
                "a" if followed_by_digit => "alpha",
                "b" if followed_by_digit => "beta",
                "m" if followed_by_digit => "milestone",
                "ga" | "final" | "release" => "",
                "cr" => "rc",
                other => other,
            }
            .to_owned(),
        )
    }

    /// Whether it says nothing at the end of a list.
    fn is_null(&self) -> bool {
        match self {
            Self::Number(number) => number.bytes().all(|digit| digit == b'0'),
            Self::Word(word) => word.is_empty(),
            Self::List(items) => items.is_empty(),
        }
    }

    /// Compared with an end.
    fn after_nothing(&self) -> Ordering {
        match self {
            Self::Number(number) => by_value(number, "0"),
            Self::Word(word) => rank(word).cmp(&rank("")),
            Self::List(items) => items.iter().map(Self::after_nothing).find(|order| order.is_ne()).unwrap_or(Ordering::Equal),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => by_value(one, other),
            (Self::Word(one), Self::Word(other)) => rank(one).cmp(&rank(other)),
            (Self::List(one), Self::List(other)) => lists(one, other),
            // `1.any` is before `1-1`, and that before `1.1`.
            (Self::Number(_), _) | (Self::List(_), Self::Word(_)) => Ordering::Greater,
            (_, Self::Number(_)) | (Self::Word(_), Self::List(_)) => Ordering::Less,
        }
    }
}

fn lists(one: &[Item], other: &[Item]) -> Ordering {
    for index in 0..one.len().max(other.len()) {
        let order = match (one.get(index), other.get(index)) {
            (Some(a), Some(b)) => a.compare(b),
            (Some(a), None) => a.after_nothing(),
            (None, Some(b)) => b.after_nothing().reverse(),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn parse(text: &str) -> Vec<Item> {
    let lower = text.trim().to_lowercase();
    // The lists that are open, the innermost last.
    let mut open: Vec<Vec<Item>> = vec![Vec::new()];
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| c == '.' || c == '-' || c.is_ascii_digit() != first.is_ascii_digit()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let next = after.chars().next();
        let item = if run.is_empty() { Item::Number("0".to_owned()) } else { Item::new(run, next.is_some_and(|next| next.is_ascii_digit())) };
        // `.X` is taken for `-X` where a number follows or nothing.
        let as_hyphen = matches!(item, Item::Word(_)) && !matches!(next, Some('.' | '-'));
        if as_hyphen && open.last().is_some_and(|innermost| !innermost.is_empty()) {
            open.push(Vec::new());
        }
        if let Some(innermost) = open.last_mut() {
            innermost.push(item);
        }
        rest = match next {
            Some('.') => &after[1..],
            Some('-') => {
                open.push(Vec::new());
                &after[1..]
            }
            Some(_) => {
                open.push(Vec::new());
                after
            }
            None => after,
        };
    }
    // From the innermost out, each list loses the end that says nothing and becomes an item of the one around it.
    while let Some(mut innermost) = open.pop() {
        normalize(&mut innermost);
        match open.last_mut() {
            Some(outer) => outer.push(Item::List(innermost)),
            None => return innermost,
        }
    }
    Vec::new()
}

fn normalize(items: &mut Vec<Item>) {
    for index in (0..items.len()).rev() {
        if items[index].is_null() {
            items.remove(index);
        } else if !matches!(items[index], Item::List(_)) {
            break;
        }
    }
}
