//! What Kiwi itself is installed with: each file is checked against the program that it starts.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use kiwi_core::wizard::{Choices, Directory, plan};
use kiwi_tests::command::Kiwi;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The words of a text that could be flags or variables of Kiwi.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c)));
    words.filter(|word| word.starts_with("KIWI_") || word.starts_with("--")).map(str::to_owned).collect()
}

fn assert_known(place: &str, text: &str) {
    let help = words(&Kiwi::new().run(&["serve", "--help"]).ok().out);
    let stray: Vec<_> = words(text).difference(&help).cloned().collect();
    assert!(stray.is_empty(), "{place} names {stray:?}, which `kiwi serve --help` does not know");
}

#[test]
fn the_dockerfile_is_what_the_wizard_writes_for_this_repository() {
    let planned = plan(&Directory::open(&path("")).unwrap(), &Choices::default()).unwrap();
    for (name, text) in [("packaging/Dockerfile", planned.dockerfile().unwrap()), (".dockerignore", planned.dockerignore())] {
        if std::env::var_os("KIWI_WRITE_DOCS").is_some() {
            std::fs::write(path(name), &text).unwrap();
        }
        assert_eq!(read(name), text, "write {name} anew with KIWI_WRITE_DOCS=1");
    }
}

#[test]
fn the_image_serves_and_is_not_root() {
    let text = read("packaging/Dockerfile");
    let last = &text[text.rfind("\nFROM ").unwrap()..];
    assert!(last.contains("\nUSER 10001:10001\n") && last.ends_with("CMD [\"/usr/local/bin/kiwi\", \"serve\"]\n"), "{last}");
    assert_known("packaging/Dockerfile", &last[..last.find("\nHEALTHCHECK").unwrap()].replace("--from", "").replace("--yes --no-install-recommends", ""));
}
