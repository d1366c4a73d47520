//! Versions that projects ask for, and which of those that we have answers them.

/// Up to three numbers.
pub(super) type Numbers = [u64; 3];

const END: u64 = u64::MAX;

/// A range of versions, from its first to before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    from: Numbers,
    to: Numbers,
}

/// What a project asks for: any of some intervals, but none of what is excluded. Reads the ways of npm, PEP 440, Composer, RubyGems, Cargo and Mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    any: Vec<Interval>,
    excluded: Vec<Interval>,
}

impl Requirement {
    /// Anything at all.
    #[cfg(test)]
    fn any() -> Self {
        Self { any: vec![Interval { from: [0; 3], to: [END; 3] }], excluded: Vec::new() }
    }

    /// Reads a requirement; none when the text is not one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let intervals: Option<Vec<_>> = text.split('|').filter(|part| !part.trim().is_empty()).map(conjunction).collect();
        // `!=3.13.*` takes a whole line away.
        let excluded = text.split(['|', ',', ' ']).filter_map(|part| part.trim().strip_prefix("!=")).filter_map(|version| numbers(version.trim()));
        let excluded = excluded.map(|(numbers, given)| exact(numbers, given)).collect();
        intervals.filter(|intervals| !intervals.is_empty()).map(|any| Self { any, excluded })
    }

    /// How `line` (such as `20` or `3.12`) must be named to answer: as it is, with more numbers, or not at all.
    pub(super) fn within(&self, line: &str) -> Option<String> {
        let (numbers, given) = numbers(line)?;
        let line_interval = exact(numbers, given);
        if self.excluded.iter().any(|excluded| excluded.from <= line_interval.from && line_interval.to <= excluded.to) {
            return None;
        }
        self.any.iter().find_map(|interval| {
            let (from, to) = (interval.from.max(line_interval.from), interval.to.min(line_interval.to));
            if from >= to {
                return None;
            }
            // A full version is taken by its word; a bound below the end of the line needs one more number.
            if interval.to == next(interval.from, 3) {
                return Some(dotted(&interval.from));
            }
            if to == line_interval.to {
                return Some(line.to_owned());
            }
            let minor = if to[2] > 0 && to[2] != END { dotted(&[to[0], to[1], to[2] - 1]) } else { dotted(&[to[0], to[1].checked_sub(1)?]) };
            Some(minor)
        })
    }
}

fn dotted(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// The numbers of a version and how many were given; a suffix such as `-rc.1` is left out.
pub(super) fn numbers(text: &str) -> Option<(Numbers, usize)> {
    let text = text.trim().trim_start_matches(['v', 'V', '=']).trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let mut numbers = [0; 3];
    let mut given = 0;
    for part in text[..end].trim_end_matches('.').split('.').take(3) {
        numbers[given] = part.parse().ok().filter(|number| *number < 1_000_000)?;
        given += 1;
    }
    (given > 0).then_some((numbers, given))
}

/// The first version that does not begin with the first `given` numbers.
fn next(mut numbers: Numbers, given: usize) -> Numbers {
    if given == 0 {
        return [END; 3];
    }
    numbers[given - 1] += 1;
    numbers[given..].fill(0);
    numbers
}

fn exact(numbers: Numbers, given: usize) -> Interval {
    Interval { from: numbers, to: next(numbers, given) }
}

/// `a b`, `a, b` and `a - b`: all must hold.
fn conjunction(text: &str) -> Option<Interval> {
    let mut all = Interval { from: [0; 3], to: [END; 3] };
    let text = match text.split_once(" - ") {
        Some((from, to)) => format!(">={} <={}", from.trim(), to.trim()),
        None => text.replace(',', " "),
    };
    let mut parts: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        // An operator may stand apart from its version.
        match parts.last_mut() {
            Some(last) if last.chars().all(|c| "<>=~^!".contains(c)) => last.push_str(word),
            _ => parts.push(word.to_owned()),
        }
    }
    if parts.is_empty() {
        return None;
    }
    for part in &parts {
        let one = comparator(part)?;
        all = Interval { from: all.from.max(one.from), to: all.to.min(one.to) };
    }
    (all.from < all.to).then_some(all)
}

fn comparator(text: &str) -> Option<Interval> {
    let end = text.find(|c: char| !"<>=~^!".contains(c)).unwrap_or(text.len());
    let (operator, version) = text.split_at(end);
    let any = Interval { from: [0; 3], to: [END; 3] };
    let bare = version.split(['.', '-']).next().unwrap_or_default();
    if matches!(bare, "*" | "x" | "X" | "latest" | "node" | "current" | "stable" | "any") {
        return Some(any);
    }
    let (numbers, given) = numbers(version)?;
    Some(match operator {
        // One version that is not wanted does not change which line is.
        "!=" => any,
        ">=" => Interval { from: numbers, to: [END; 3] },
        ">" => Interval { from: if given == 3 { [numbers[0], numbers[1], numbers[2] + 1] } else { next(numbers, given) }, to: [END; 3] },
        "<" => Interval { from: [0; 3], to: numbers },
        "<=" => Interval { from: [0; 3], to: next(numbers, given) },
        "^" => {
            let significant = numbers[..given].iter().position(|number| *number > 0).map_or(given, |at| at + 1);
            Interval { from: numbers, to: next(numbers, significant) }
        }
        "~" => Interval { from: numbers, to: next(numbers, given.min(2)) },
        // Ruby, Mix and Python: the last number that is given may rise.
        "~>" | "~=" => Interval { from: numbers, to: next(numbers, given.saturating_sub(1).max(1)) },
        "" | "=" | "==" | "===" => exact(numbers, given),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn within(requirement: &str, line: &str) -> Option<String> {
        Requirement::parse(requirement).unwrap_or_else(|| panic!("{requirement}")).within(line)
    }

    #[test]
    fn every_dialect_finds_its_line() {
        for (requirement, line, named) in [
            ("20", "20", Some("20")),
            ("v20.11.1", "20", Some("20.11.1")),
            ("20.11.x", "20", Some("20.11")),
            ("^20.1.0", "20", Some("20")),
            ("^20.1.0", "22", None),
            ("~20.11", "20", Some("20.11")),
            (">=18", "24", Some("24")),
            (">=18 <21", "20", Some("20")),
            (">=18 <21", "22", None),
            (">= 18.0.0 < 20.5.0", "20", Some("20.4")),
            ("18 || >=20", "24", Some("24")),
            ("18 || 20", "18", Some("18")),
            ("18 - 20", "20", Some("20")),
            ("*", "24", Some("24")),
            (">=3.9,<3.13", "3.12", Some("3.12")),
            (">=3.9,<3.13", "3.13", None),
            ("~=3.11", "3.13", Some("3.13")),
            ("~=3.11.2", "3.11", Some("3.11")),
            ("~=3.11.2", "3.12", None),
            ("==3.11.*", "3.11", Some("3.11")),
            ("3.11.4", "3.11", Some("3.11.4")),
            ("^3.11", "3.13", Some("3.13")),
            ("~> 3.2", "3.4", Some("3.4")),
            ("~> 3.2.1", "3.3", None),
            ("^8.1|^8.2", "8.4", Some("8.4")),
            ("<9", "8", Some("8")),
            (">20", "20", None),
            ("!=3.12.1,>=3.12", "3.12", Some("3.12")),
            (">=3.8, !=3.13.*", "3.13", None),
            (">=3.8, !=3.13.*", "3.12", Some("3.12")),
        ] {
            assert_eq!(within(requirement, line).as_deref(), named, "{requirement} in {line}");
        }
        assert_eq!(Requirement::any().within("3.13").as_deref(), Some("3.13"));
    }

    #[test]
    fn nonsense_is_no_requirement() {
        for text in ["", "abc", "||", ">=", "99999999999999999999", "<1 >2", "^", "🦀"] {
            assert_eq!(Requirement::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}", line in "[0-9.]{0,8}") {
            let _ = Requirement::parse(&text).map(|requirement| requirement.within(&line));
        }

        #[test]
        fn an_exact_version_is_named_in_full(a in 0u64..99, b in 0u64..99, c in 0u64..99) {
            let version = format!("{a}.{b}.{c}");
            prop_assert_eq!(within(&version, &a.to_string()), Some(version.clone()));
        }
    }
}
