//! pip, poetry, pdm, uv and pipenv.

use super::origin::is_private;
use super::{Contents, json, toml, unknown_version};
use crate::sca::Ecosystem::PyPi;
use std::str::FromStr as _;
use toml::{Table, Value};

fn string<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

fn tables<'t>(file: &'t Table, key: &str) -> impl Iterator<Item = &'t Table> {
    file.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

/// A requirement without its hashes is a line that somebody can read.
const LONGEST_REQUIREMENT: usize = 4096;
const MOST_BRACKETS: usize = 64;

/// Lines of `requirements.txt` (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>); only pinned ones say a version.
pub(super) fn requirements(text: &str) -> Result<Contents, String> {
    let (mut contents, mut elsewhere) = (Contents::default(), false);
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    for line in joined.lines() {
        let line = line.trim();
        let line = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line).trim() };
        // Other files and options; hashes belong to the requirement before them.
        if line.is_empty() || line.starts_with('-') {
            elsewhere |= other_index(line);
            if line.starts_with("-e") || line.starts_with("--editable") {
                contents.unknown.push("an editable requirement comes from a directory or a repository".to_owned());
            }
            continue;
        }
        let plain = line.split(" --").next().unwrap_or(line).trim();
        // The library goes down on the stack with every bracket, and a stack that is full ends the process.
        let is_sane = plain.len() <= LONGEST_REQUIREMENT && plain.matches('(').count() <= MOST_BRACKETS;
        let Some(requirement) = is_sane.then(|| pep508_rs::Requirement::<pep508_rs::VerbatimUrl>::from_str(plain).ok()).flatten() else {
            let shown: String = plain.chars().filter(|c| !c.is_control()).take(60).collect();
            // A URL may have a password in it.
            contents.unknown.push(if shown.contains("://") { "a requirement comes from a URL".to_owned() } else { format!("{shown:?} is no requirement") });
            continue;
        };
        let name = requirement.name.to_string();
        let exact = match &requirement.version_or_url {
            Some(pep508_rs::VersionOrUrl::VersionSpecifier(specifiers)) => specifiers
                .iter()
                .find(|specifier| matches!(specifier.operator(), pep440_rs::Operator::Equal | pep440_rs::Operator::ExactEqual))
                .map(|specifier| specifier.version().to_string()),
            _ => None,
        };
        match exact {
            Some(version) => contents.add(PyPi, name, version, false),
            None => contents.unknown.push(format!("{name} is not pinned with ==")),
        }
    }
    if elsewhere {
        contents.all_private();
    }
    Ok(contents)
}

/// Whether an option names another place than PyPI.
fn other_index(line: &str) -> bool {
    const OPTIONS: [&str; 5] = ["--index-url", "--extra-index-url", "--find-links", "-i", "-f"];
    let place = OPTIONS.iter().find_map(|option| line.strip_prefix(option));
    place.is_some_and(|place| is_private(PyPi, place.trim_start_matches(['=', ' ', '\t'])))
}

/// `poetry.lock` of poetry 1.0 to 2.
pub(super) fn poetry(text: &str) -> Result<Contents, String> {
    let file = toml(text)?;
    let mut contents = Contents::default();
    for package in tables(&file, "package") {
        let (Some(name), Some(version)) = (string(package, "name"), string(package, "version")) else {
            return Err("a package has no name or no version".to_owned());
        };
        if let Some(kind) = package.get("source").and_then(|source| source.get("type")).and_then(Value::as_str).filter(|kind| *kind != "legacy") {
            contents.unknown.push(format!("{name} comes from a {kind}"));
            continue;
        }
        // Before poetry 1.5 `category`, since 2.0 `groups`; in between nobody says it.
        let groups = package.get("groups").and_then(Value::as_array);
        let development = string(package, "category") == Some("dev") || groups.is_some_and(|groups| !groups.iter().any(|group| group.as_str() == Some("main")));
        let place = package.get("source").and_then(Value::as_table).map(|source| string(source, "url").unwrap_or_default());
        contents.add_from(PyPi, name, version, development, place);
    }
    Ok(contents)
}

/// `pdm.lock`.
pub(super) fn pdm(text: &str) -> Result<Contents, String> {
    let file = toml(text)?;
    let mut contents = Contents::default();
    for package in tables(&file, "package") {
        let name = string(package, "name").ok_or("a package has no name")?;
        let groups = package.get("groups").and_then(Value::as_array);
        let development = groups.is_some_and(|groups| !groups.iter().any(|group| group.as_str() == Some("default")));
        match string(package, "version") {
            Some(version) if !package.contains_key("path") && !package.contains_key("git") && !package.contains_key("url") => {
                let place = tables(package, "files").filter_map(|file| string(file, "url")).find(|place| is_private(PyPi, place));
                contents.add_from(PyPi, name, version, development, place);
            }
            _ => contents.unknown.push(format!("{name} comes from a directory, a repository or a URL")),
        }
    }
    Ok(contents)
}

/// `uv.lock` (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
pub(super) fn uv(text: &str) -> Result<Contents, String> {
    let file = toml(text)?;
    match file.get("version").and_then(Value::as_integer) {
        Some(1) => {}
        Some(other) => return Err(unknown_version(other)),
        None => return Err("it has no version".to_owned()),
    }
    let source = |package: &Table, kinds: &[&str]| package.get("source").is_some_and(|source| kinds.iter().any(|kind| source.get(*kind).is_some()));
    let own = ["editable", "virtual", "directory"];
    // What the project's own packages need outside of development, and everything that this needs.
    let mut needed = std::collections::BTreeSet::new();
    let names = |package: &'_ Table, key: &str| -> Vec<String> {
        tables(package, key).filter_map(|dependency| string(dependency, "name")).map(str::to_owned).collect()
    };
    let all: Vec<&Table> = tables(&file, "package").collect();
    let mut by_name: std::collections::BTreeMap<&str, Vec<&Table>> = std::collections::BTreeMap::new();
    for package in &all {
        by_name.entry(string(package, "name").unwrap_or_default()).or_default().push(package);
    }
    let mut queue: Vec<String> = all.iter().filter(|package| source(package, &own)).filter_map(|package| string(package, "name")).map(str::to_owned).collect();
    while let Some(name) = queue.pop() {
        if !needed.insert(name.clone()) {
            continue;
        }
        for package in by_name.get(name.as_str()).into_iter().flatten() {
            queue.extend(names(package, "dependencies"));
            let extras = package.get("optional-dependencies").and_then(Value::as_table);
            queue.extend(extras.into_iter().flat_map(|extras| extras.keys().flat_map(|extra| names(extras, extra))));
        }
    }
    let mut contents = Contents::default();
    for package in all {
        let name = string(package, "name").ok_or("a package has no name")?;
        if source(package, &own) {
            continue;
        }
        match string(package, "version") {
            Some(version) if !source(package, &["git", "url", "path"]) => {
                let place = package.get("source").and_then(|source| source.get("registry")).and_then(Value::as_str);
                contents.add_from(PyPi, name, version, !needed.contains(name), place);
            }
            _ => contents.unknown.push(format!("{name} comes from a repository, a URL or a file")),
        }
    }
    Ok(contents)
}

/// `Pipfile.lock`.
pub(super) fn pipfile(text: &str) -> Result<Contents, String> {
    let file = json(text)?;
    match file["_meta"]["pipfile-spec"].as_u64() {
        Some(6) => {}
        Some(other) => return Err(unknown_version(other)),
        None => return Err("it has no pipfile-spec".to_owned()),
    }
    let mut contents = Contents::default();
    let sources = || file["_meta"]["sources"].as_array().into_iter().flatten();
    let url = |source: &serde_json::Value| source["url"].as_str().unwrap_or_default().to_owned();
    let by_name: std::collections::BTreeMap<&str, String> = sources().map(|source| (source["name"].as_str().unwrap_or_default(), url(source))).collect();
    // A package that names no index may come from any.
    let other = sources().map(url).find(|url| is_private(PyPi, url));
    for (section, packages) in file.as_object().into_iter().flatten().filter(|(section, _)| *section != "_meta") {
        for (name, package) in packages.as_object().into_iter().flatten() {
            match package["version"].as_str().and_then(|version| version.strip_prefix("==")) {
                Some(version) => {
                    let named = package["index"].as_str().and_then(|index| by_name.get(index)).or(other.as_ref());
                    contents.add_from(PyPi, name, version, section != "default", named.map(String::as_str));
                }
                None => contents.unknown.push(format!("{name} has no exact version")),
            }
        }
    }
    Ok(contents)
}
