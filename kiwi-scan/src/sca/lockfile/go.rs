//! Go modules.

use super::Contents;
use crate::sca::Ecosystem::Go;
use std::collections::BTreeMap;

/// `go.mod`, which since Go 1.17 lists everything that is built (<https://go.dev/ref/mod#go-mod-file>).
pub(super) fn module(text: &str) -> Result<Contents, String> {
    let (mut contents, mut replaced) = (Contents::default(), BTreeMap::new());
    let (mut block, mut named) = (None, false);
    if text.contains('\r') && !text.contains('\n') {
        return Err("it is malformed: its lines end with a carriage return alone".to_owned());
    }
    let has_toolchain = text.contains("\ntoolchain ");
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if block.is_some() && line == ")" {
            block = None;
            continue;
        }
        // A bracket needs no space before it.
        if block.is_none()
            && let Some(directive) = line.strip_suffix('(')
        {
            block = Some(match directive.trim() {
                "require" => "require",
                "replace" => "replace",
                _ => "other",
            });
            continue;
        }
        if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
            return Err("it has the marks of a merge conflict".to_owned());
        }
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
        let (directive, rest) = match block {
            Some(directive) => (directive, &words[..]),
            None => (words[0], &words[1..]),
        };
        match (directive, rest) {
            ("module", _) => named = true,
            ("require", [name, version, ..]) => contents.add(Go, *name, version.trim_start_matches('v'), false),
            ("require", _) => return Err("it is malformed: a module that is required has no version".to_owned()),
            // OSV's database knows Go itself as `stdlib`.
            ("toolchain", [toolchain]) => contents.add(Go, "stdlib", toolchain.trim_start_matches("go"), false),
            ("go", [version]) if !has_toolchain && version.matches('.').count() == 2 => contents.add(Go, "stdlib", *version, false),
            // With a version on the left, that version alone is replaced.
            ("replace", [from, of @ .., "=>", to, version]) => {
                replaced.insert(replacing(from, of), Some(((*to).to_owned(), version.trim_start_matches('v').to_owned())));
            }
            ("replace", [from, of @ .., "=>", _]) => drop(replaced.insert(replacing(from, of), None)),
            _ => {}
        }
    }
    if !named {
        return Err("it names no module".to_owned());
    }
    if block.is_some() {
        return Err("it is malformed: it ends inside of a block".to_owned());
    }
    for mut package in std::mem::take(&mut contents.packages) {
        let of_version = replaced.get(&(package.name.clone(), Some(package.version.clone())));
        match of_version.or_else(|| replaced.get(&(package.name.clone(), None))) {
            Some(None) => contents.unknown.push(format!("{} is replaced by a directory", package.name)),
            Some(Some((name, version))) => {
                (package.name, package.version) = (name.clone(), version.clone());
                contents.packages.push(package);
            }
            None => contents.packages.push(package),
        }
    }
    Ok(contents)
}

/// What the left side of a replacement is about.
fn replacing(name: &str, version: &[&str]) -> (String, Option<String>) {
    (name.to_owned(), version.first().map(|version| version.trim_start_matches('v').to_owned()))
}
