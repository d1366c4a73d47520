//! poetry, pdm, uv, pipenv, and the form that all of them may write (PEP 751).

use super::origin::is_private;
use super::{Contents, json, toml, unknown_version};
use crate::sca::Ecosystem::PyPi;
use toml::{Table, Value};

fn string<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

fn tables<'t>(file: &'t Table, key: &str) -> impl Iterator<Item = &'t Table> {
    file.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
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
    // Other sections than these two are categories of the project's own, and nobody says what they are for.
    for (section, packages) in file.as_object().into_iter().flatten().filter(|(section, _)| *section != "_meta") {
        for (name, package) in packages.as_object().into_iter().flatten() {
            match package["version"].as_str().and_then(|version| version.strip_prefix("==")) {
                Some(version) => {
                    let named = package["index"].as_str().and_then(|index| by_name.get(index)).or(other.as_ref());
                    contents.add_from(PyPi, name, version, section == "develop", named.map(String::as_str));
                }
                None => contents.unknown.push(format!("{name} has no exact version")),
            }
        }
    }
    Ok(contents)
}

/// `pylock.toml` (<https://packaging.python.org/en/latest/specifications/pylock-toml/>). It does not say what is for development.
pub(super) fn pylock(text: &str) -> Result<Contents, String> {
    let file = toml(text)?;
    match string(&file, "lock-version") {
        Some(version) if version == "1" || version.starts_with("1.") => {}
        Some(other) => return Err(unknown_version(other)),
        None => return Err("it has no lock-version".to_owned()),
    }
    let mut contents = Contents::default();
    for package in tables(&file, "packages") {
        let name = string(package, "name").ok_or("a package has no name")?;
        let place =
            [("vcs", "a repository"), ("directory", "a file or a directory"), ("archive", "a URL")].into_iter().find(|(key, _)| package.contains_key(*key));
        match (string(package, "version"), place) {
            (_, Some((_, place))) => contents.unknown.push(format!("{name} comes from {place}")),
            (Some(version), None) => {
                let source = package.get("sdist").and_then(Value::as_table);
                let files = tables(package, "wheels").chain(source).filter_map(|file| string(file, "url"));
                let place = string(package, "index").into_iter().chain(files).find(|place| is_private(PyPi, place));
                contents.add_from(PyPi, name, version, false, place);
            }
            (None, None) => contents.unknown.push(format!("{name} has no version")),
        }
    }
    Ok(contents)
}
