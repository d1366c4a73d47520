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
fn what_is_as_long_as_a_file_is_no_version() {
    for ecosystem in Ecosystem::ALL {
        for long in ["1a".repeat(5000), "1".to_owned() + &"-1".repeat(500_000)] {
            assert_eq!(compare(ecosystem, &long, "1.0.0"), None);
        }
    }
}

#[test]
fn npm() {
    check(Ecosystem::Npm, include_str!("versions/npm.txt"));
}

/// Cargo's own tool is a library, which needs no file.
#[test]
fn crates_io() {
    let judge = |line: &str| {
        let [one, _, other] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let order = match (semver::Version::parse(one), semver::Version::parse(other)) {
            (Ok(a), Ok(b)) => [">", "=", "<"][(1 - a.cmp_precedence(&b) as i8) as usize],
            _ => "?",
        };
        format!("{one} {order} {other}\n")
    };
    check(Ecosystem::CratesIo, &include_str!("versions/npm.txt").lines().map(judge).collect::<String>());
}

#[test]
fn hex() {
    check(Ecosystem::Hex, include_str!("versions/hex.txt"));
}

#[test]
fn go() {
    check(Ecosystem::Go, include_str!("versions/go.txt"));
}

#[test]
fn nuget() {
    check(Ecosystem::NuGet, include_str!("versions/nuget.txt"));
}

/// No registry that this was written with has Dart: these are by its documentation, and all but builds are as everywhere.
#[test]
fn pub_has_releases_behind_a_plus() {
    for (one, other) in
        [("1.0.0-a+9", "1.0.0"), ("1.0.0", "1.0.0+1"), ("1.0.0+2", "1.0.0+10"), ("1.0.0+1", "1.0.0+a"), ("1.0.0+1", "1.0.0+1.1"), ("1.0.0+9", "1.0.1-dev")]
    {
        assert_eq!(compare(Ecosystem::Pub, one, other), Some(Ordering::Less), "{one} {other}");
        assert_eq!(compare(Ecosystem::Pub, other, one), Some(Ordering::Greater), "{one} {other}");
    }
    assert_eq!(compare(Ecosystem::Pub, "1.0.0+1", "1.0.0+01"), Some(Ordering::Equal));
    let plain = |line: &str| format!("{}\n", line.split(' ').map(|word| word.split('+').next().unwrap_or(word)).collect::<Vec<_>>().join(" "));
    check(Ecosystem::Pub, &include_str!("versions/npm.txt").lines().map(plain).collect::<String>());
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
