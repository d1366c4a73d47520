//! Go modules.

use super::Contents;
use crate::sca::Ecosystem::Go;

/// `go.mod`, which since Go 1.17 lists everything that is built (<https://go.dev/ref/mod#go-mod-file>).
pub(super) fn module(text: &str) -> Result<Contents, String> {
    let (mut contents, mut replaced) = (Contents::default(), Vec::new());
    let (mut block, mut named) = (None, false);
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if block.is_some() && line == ")" {
            block = None;
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
        let (directive, rest) = match block {
            Some(directive) => (directive, &words[..]),
            None => (words[0], &words[1..]),
        };
        if block.is_none() && rest == ["("] {
            block = Some(match directive {
                "require" => "require",
                "replace" => "replace",
                _ => "other",
            });
            continue;
        }
        match (directive, rest) {
            ("module", _) => named = true,
            ("require", [name, version, ..]) => contents.add(Go, *name, version.trim_start_matches('v'), false),
            // OSV's database knows Go itself as `stdlib`.
            ("toolchain", [toolchain]) => contents.add(Go, "stdlib", toolchain.trim_start_matches("go"), false),
            ("go", [version]) if !text.contains("\ntoolchain ") && version.matches('.').count() == 2 => contents.add(Go, "stdlib", *version, false),
            ("replace", [from, .., "=>", to, version]) => {
                replaced.push(((*from).to_owned(), Some(((*to).to_owned(), version.trim_start_matches('v').to_owned()))))
            }
            ("replace", [from, .., "=>", _]) => replaced.push(((*from).to_owned(), None)),
            _ => {}
        }
    }
    if !named {
        return Err("it names no module".to_owned());
    }
    for (from, to) in replaced {
        for package in contents.packages.iter_mut().filter(|package| package.name == from) {
            if let Some((name, version)) = &to {
                (package.name, package.version) = (name.clone(), version.clone());
            }
        }
        if to.is_none() && contents.packages.iter().any(|package| package.name == from) {
            contents.packages.retain(|package| package.name != from);
            contents.unknown.push(format!("{from} is replaced by a directory"));
        }
    }
    Ok(contents)
}
