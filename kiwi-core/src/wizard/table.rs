//! The table of supported versions and base images, `images.toml`.

use super::types::Language;
use super::version::Requirement;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

#[derive(Debug, serde::Deserialize)]
struct Row {
    versions: Vec<String>,
    default: String,
    build: String,
    run: Option<String>,
    #[serde(default)]
    except: BTreeMap<String, (String, String)>,
    nightly: Option<String>,
    /// For lines that are older than Debian 12: the first releases that have images on Debian 11 and on Debian 12.
    #[serde(default)]
    debian: BTreeMap<String, (String, String)>,
    #[serde(default)]
    releases: BTreeMap<String, String>,
}

const TABLE: &str = include_str!("images.toml");

/// A version that the table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// As the project's own ecosystem writes it, such as `24` or `3.13.1`.
    pub(super) version: String,
    /// The image of the first stages.
    pub(super) build: String,
    /// The image of the last stage.
    pub(super) run: String,
}

/// What a project asks for, and the place that says so.
pub(super) type Wanted<'a> = Option<(&'a str, &'a str)>;

/// One table of the file. A plan needs two or three of them: to read all of them would take longer than the rest of it.
fn section<T: serde::de::DeserializeOwned>(name: &str) -> Result<T> {
    let malformed = |why: &str| Error::new(ErrorKind::Internal, "plan build", format!("images.toml: [{name}] {why}"));
    let head = format!("\n[{name}]\n");
    let begin = TABLE.find(&head).ok_or_else(|| malformed("is not there"))? + head.len();
    let rest = &TABLE[begin..];
    let text = rest.find("\n[").map_or(rest, |end| &rest[..end]);
    toml::from_str(text).map_err(|error| malformed("is malformed").with_source(error))
}

fn row(name: &str) -> Result<Row> {
    section(name)
}

/// The lines of a row, oldest first.
fn lines(row: &Row) -> Vec<String> {
    let expand = |text: &String| match text.split_once("..") {
        None => vec![text.clone()],
        Some((from, to)) => {
            let (stem, first) = from.rsplit_once('.').map_or((String::new(), from), |(stem, last)| (format!("{stem}."), last));
            let last = to.rsplit_once('.').map_or(to, |(_, last)| last);
            let (first, last): (u32, u32) = (first.parse().unwrap_or(0), last.parse().unwrap_or(0));
            (first..=last).map(|number| format!("{stem}{number}")).collect()
        }
    };
    row.versions.iter().flat_map(expand).collect()
}

/// The version that answers what a project asks for (`wanted`, found in `place`), or the default.
///
/// Errors: `InvalidInput` with the nearest versions; never another one instead.
pub(super) fn choose(name: &str, wanted: Wanted<'_>) -> Result<Chosen> {
    choose_in(&row(name)?, name, wanted)
}

fn choose_in(row: &Row, name: &str, wanted: Wanted<'_>) -> Result<Chosen> {
    let Some((text, place)) = wanted else { return images(row, &row.default, &row.default) };
    let lines = lines(row);
    let preferred = std::iter::once(&row.default).chain(lines.iter().rev());
    let requirement = Requirement::parse(text);
    let found = requirement.and_then(|requirement| preferred.into_iter().find_map(|line| Some((line, requirement.within(line)?))));
    match found {
        Some((line, version)) => images(row, line, &version).map_err(|error| error.with_hint(format!("{place} asks for it; choose a newer release of {line}"))),
        None => Err(unsupported(name, text, place, &lines)),
    }
}

/// Like [`choose`], for a text that names the oldest version that will do: that line, or the first that we have.
pub(super) fn choose_at_least(name: &str, text: &str, place: &str) -> Result<Chosen> {
    let row = row(name)?;
    let lines = lines(&row);
    let (Some(asked), Some(first)) = (super::version::numbers(text), lines.first().and_then(|line| super::version::numbers(line))) else {
        return choose_in(&row, name, Some((text, place)));
    };
    // A full version stays one; `1.22.0` as a minimum is the line 1.22.
    let text = if asked.1 == 3 && asked.0[2] == 0 { text.rsplit_once('.').map_or(text, |(line, _)| line) } else { text };
    if asked.0 < first.0 { choose_in(&row, name, Some((&lines[0], place))) } else { choose_in(&row, name, Some((text, place))) }
}

/// The images of a version. Tags of official images stay on the Debian that was current when the release was: what is older than Debian 12
/// has none on it.
fn images(row: &Row, line: &str, version: &str) -> Result<Chosen> {
    let (build, run) = match row.except.get(line) {
        Some((build, run)) => (build.as_str(), run.as_str()),
        None => (row.build.as_str(), row.run.as_deref().unwrap_or(&row.build)),
    };
    // Where a tag already ends the version with a patch number, a full version replaces it.
    let fill =
        |image: &str| if version.matches('.').count() > 1 { image.replace("{v}.0", version).replace("{v}", version) } else { image.replace("{v}", version) };
    let mut chosen = Chosen { version: version.to_owned(), build: fill(build), run: fill(run) };
    if let Some((bullseye, bookworm)) = row.debian.get(line).filter(|_| version != line) {
        let key = |text: &str| super::version::numbers(text).map_or([0; 3], |(numbers, given)| if given < 3 { [numbers[0], numbers[1], 999] } else { numbers });
        if key(version) < key(bullseye) {
            return Err(Error::invalid(
                "plan build",
                format!("the images of {version} are on a Debian that is no longer served; {bullseye} is the first that can be built"),
            ));
        }
        if key(version) < key(bookworm) {
            chosen.build = chosen.build.replace("bookworm", "bullseye");
            chosen.run = chosen.run.replace("bookworm", "bullseye");
        }
    }
    Ok(chosen)
}

fn unsupported(name: &str, text: &str, place: &str, lines: &[String]) -> Error {
    let asked = super::version::numbers(text.trim_start_matches(['^', '~', '>', '=', '<', ' '])).map(|(numbers, _)| numbers);
    let key = |line: &str| super::version::numbers(line).map_or([0; 3], |(numbers, _)| numbers);
    let nearest: Vec<&str> = match asked {
        Some(asked) => {
            let below = lines.iter().rfind(|line| key(line) <= asked);
            let above = lines.iter().find(|line| key(line) > asked);
            below.into_iter().chain(above).map(String::as_str).collect()
        }
        None => lines.iter().rev().take(3).map(String::as_str).collect(),
    };
    let shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    Error::invalid("plan build", format!("{place} asks for {} {shown:?}, which is not supported", title(name))).with_hint(format!(
        "the nearest {}: {}; change it there, or choose with --language-version",
        if nearest.len() == 1 { "one is" } else { "ones are" },
        nearest.join(", ")
    ))
}

fn title(name: &str) -> String {
    name.parse::<Language>().map_or(name.to_owned(), |language| language.title().to_owned())
}

/// An image of another row, with `{v}` of it and further `{names}` filled in.
pub(super) fn image(name: &str, version: Option<&str>, names: &[(&str, &str)]) -> Result<String> {
    let row = row(name)?;
    let image = row.build.replace("{v}", version.unwrap_or(&row.default));
    Ok(names.iter().fold(image, |image, (name, value)| image.replace(&format!("{{{name}}}"), value)))
}

/// The image of a language's nightly compiler.
pub(super) fn nightly(name: &str) -> Result<String> {
    Ok(row(name)?.nightly.unwrap_or_default())
}

/// The exact release of a compiler that a package index has.
pub(super) fn release(name: &str, line: &str) -> Result<String> {
    Ok(row(name)?.releases.get(line).cloned().unwrap_or_else(|| line.to_owned()))
}

/// The exact version of a build tool, or its image.
pub(super) fn tool(name: &str, line: &str) -> String {
    let tools: toml::Table = section("tools").unwrap_or_default();
    let found = tools.get(name).and_then(|value| value.as_table().map_or(Some(value), |lines| lines.get(line)));
    found.and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_has_images_and_every_default_is_a_line() {
        let table: toml::Table = TABLE.parse().unwrap();
        for name in table.keys().filter(|name| *name != "tools") {
            let row = row(name).unwrap();
            let lines = lines(&row);
            assert!(lines.contains(&row.default), "{name}");
            for line in &lines {
                let chosen = choose(name, Some((line, "a test"))).unwrap();
                assert_eq!(&chosen.version, line, "{name}");
                assert!(!chosen.build.contains("{v}") && !chosen.run.contains("latest"), "{name}: {chosen:?}");
            }
        }
        for language in Language::ALL {
            let name = super::super::language::row(language);
            assert!(table.contains_key(name), "{name}");
        }
        assert_eq!(section::<toml::Table>("tools").unwrap(), *table["tools"].as_table().unwrap());
    }

    #[test]
    fn what_is_not_there_is_refused_with_its_neighbours() {
        let error = choose("node", Some(("15", ".nvmrc"))).unwrap_err();
        assert_eq!(error.message(), ".nvmrc asks for Node.js \"15\", which is not supported");
        assert_eq!(error.hint(), "the nearest ones are: 14, 16; change it there, or choose with --language-version");
        assert!(choose("node", Some(("lots", ".nvmrc"))).is_err());
        assert_eq!(choose("node", Some((">=18", "engines"))).unwrap().version, "24");
        assert_eq!(choose("node", Some(("20.11.1", "engines"))).unwrap().build, "node:20.11.1-bookworm");
        assert_eq!(choose("node", Some(("18.12.1", ".nvmrc"))).unwrap().build, "node:18.12.1-bullseye");
        assert_eq!(choose("node", Some(("~18.12", ".nvmrc"))).unwrap().run, "node:18.12-bullseye-slim");
        assert_eq!(choose("python", Some(("3.11.2", ".python-version"))).unwrap().build, "python:3.11.2-bullseye");
        assert_eq!(choose("python", Some(("3.11", ".python-version"))).unwrap().build, "python:3.11-bookworm");
        assert!(choose("python", Some(("3.8.1", ".python-version"))).unwrap_err().message().contains("3.8.11 is the first"));
        assert_eq!(choose_at_least("go", "1.16", "go.mod").unwrap().version, "1.18");
        assert_eq!(choose_at_least("go", "1.22.0", "go.mod").unwrap().version, "1.22");
        assert!(choose_at_least("go", "1.99", "go.mod").is_err());
    }
}
