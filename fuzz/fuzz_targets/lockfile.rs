//! Lockfiles of every kind, and the order of what they name.
#![no_main]

use kiwi_scan::sca::lockfile::parse;
use kiwi_scan::sca::version::compare;
use libfuzzer_sys::fuzz_target;

/// One of each parser.
const NAMES: [&str; 18] = [
    "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "poetry.lock", "pdm.lock", "uv.lock", "Pipfile.lock", "requirements.txt",
    "pom.xml", "gradle.lockfile", "go.mod", "Cargo.lock", "Gemfile.lock", "composer.lock", "packages.lock.json", "mix.lock", "pubspec.lock",
];

fuzz_target!(|input: (u8, &str)| {
    let (kind, text) = input;
    let Ok(contents) = parse(NAMES[usize::from(kind) % NAMES.len()], text) else { return };
    for pair in contents.packages.windows(2) {
        let (one, other) = (&pair[0], &pair[1]);
        let order = compare(one.ecosystem, &one.version, &other.version);
        assert_eq!(order.map(std::cmp::Ordering::reverse), compare(one.ecosystem, &other.version, &one.version), "{one:?} {other:?}");
    }
});
