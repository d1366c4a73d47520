//! The order of versions, held to what each ecosystem's own tool says of thousands of pairs; `versions/generate.py` asked them.

#![cfg(feature = "sca")]
#![expect(clippy::panic, reason = "a test ends by panicking")]

use kiwi_scan::sca::Ecosystem;
use kiwi_scan::sca::version::compare;
use std::cmp::Ordering;

fn check(ecosystem: Ecosystem, pairs: &str) {
    let (mut judged, mut wrong) = (0, Vec::new());
    for line in pairs.lines() {
        let [one, order, other] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let expected = match order {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            // The tool refuses one of them, so no registry has it.
            _ => continue,
        };
        judged += 1;
        if compare(ecosystem, one, other) != Some(expected) || compare(ecosystem, other, one) != Some(expected.reverse()) {
            wrong.push(format!("{line}, not {:?}", compare(ecosystem, one, other)));
        }
    }
    assert!(judged >= 2000, "only {judged} pairs");
    assert!(wrong.is_empty(), "{} of {judged} are wrong, such as\n{}", wrong.len(), wrong[..wrong.len().min(25)].join("\n"));
}

#[test]
fn npm() {
    check(Ecosystem::Npm, include_str!("versions/npm.txt"));
}

#[test]
fn pypi() {
    check(Ecosystem::PyPi, include_str!("versions/pypi.txt"));
}

#[test]
fn rubygems() {
    check(Ecosystem::RubyGems, include_str!("versions/rubygems.txt"));
}

#[test]
fn packagist() {
    check(Ecosystem::Packagist, include_str!("versions/packagist.txt"));
}

#[test]
fn maven() {
    check(Ecosystem::Maven, include_str!("versions/maven.txt"));
}
