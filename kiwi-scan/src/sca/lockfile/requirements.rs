//! pip's requirements files (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).

use super::Contents;
use super::origin::is_private;
use crate::sca::Ecosystem::PyPi;
use std::str::FromStr as _;

/// A requirement without its hashes is a line that somebody can read.
const LONGEST_REQUIREMENT: usize = 4096;
const MOST_BRACKETS: usize = 64;

/// Options that name another place than PyPI, and those that name another file; pip takes any beginning of them that is unambiguous.
const PLACES: [&str; 4] = ["--index-url", "--extra-index-url", "--find-links", "--pypi-url"];
const FILES: [&str; 2] = ["--requirement", "--constraint"];

/// Lines of a requirements file; only pinned ones say a version.
pub(super) fn requirements(text: &str) -> Result<Contents, String> {
    let mut contents = Contents::default();
    for line in lines(text) {
        let line = without_comment(&line);
        // As pip has it: options begin with the first word that looks like one, and words are what stands between spaces.
        let begin = if line.starts_with('-') { Some(0) } else { line.find(" -").map(|at| at + 1) };
        let (requirement, options) = line.split_at(begin.unwrap_or(line.len()));
        option(options, &mut contents);
        if !requirement.trim().is_empty() {
            pinned(requirement.trim(), &mut contents);
        }
    }
    if contents.other_index {
        contents.all_private();
    }
    Ok(contents)
}

/// Lines as pip joins them: by Python's ends of lines, and never a comment with what follows it.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut joined = Vec::new();
    let mut open: Option<String> = None;
    for line in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}']) {
        let is_comment = line.trim_start().starts_with('#');
        let goes_on = line.ends_with('\\') && !is_comment;
        // A comment stays one behind the line that it ends.
        let part = if is_comment { format!(" {line}") } else { line.trim_matches('\\').to_owned() };
        let whole = match open.take() {
            Some(before) => before + &part,
            None if goes_on => part,
            None => line.to_owned(),
        };
        if goes_on {
            open = Some(whole);
        } else {
            joined.push(whole);
        }
    }
    joined.extend(open);
    joined
}

fn without_comment(line: &str) -> &str {
    let begins = |at: usize| line[..at].chars().next_back().is_none_or(char::is_whitespace);
    let end = line.match_indices('#').map(|(at, _)| at).find(|at| begins(*at));
    line[..end.unwrap_or(line.len())].trim()
}

/// What the options of a line say about other places and files. Hashes and the like change nothing.
fn option(options: &str, contents: &mut Contents) {
    let mut words = options.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            // The value of a short option may follow without a space.
            _ if word.starts_with('-') && !word.starts_with("--") && word.len() > 2 && word.is_char_boundary(2) => (&word[..2], Some(&word[2..])),
            _ => (word, None),
        };
        let is = |short: &str, long: &[&str]| name == short || name.len() > 2 && name != "--pre" && long.iter().any(|option| option.starts_with(name));
        if is("-i", &PLACES) || name == "-f" {
            let place = value.or_else(|| words.next()).unwrap_or_default();
            contents.other_index |= is_private(PyPi, place.trim_matches(['"', '\'']));
        } else if is("-r", &FILES) || name == "-c" {
            contents.includes.extend(value.or_else(|| words.next()).map(|value| value.trim_matches(['"', '\'']).to_owned()));
        } else if is("-e", &["--editable"]) {
            contents.unknown.push("an editable requirement comes from a directory or a repository".to_owned());
        }
    }
}

fn pinned(plain: &str, contents: &mut Contents) {
    // The library goes down on the stack with every bracket, and a stack that is full ends the process.
    let is_sane = plain.len() <= LONGEST_REQUIREMENT && plain.matches('(').count() <= MOST_BRACKETS;
    let Some(requirement) = is_sane.then(|| pep508_rs::Requirement::<pep508_rs::VerbatimUrl>::from_str(plain).ok()).flatten() else {
        let shown: String = plain.chars().filter(|c| !c.is_control()).take(60).collect();
        // A URL may have a password in it.
        contents.unknown.push(if shown.contains("://") { "a requirement comes from a URL".to_owned() } else { format!("{shown:?} is no requirement") });
        return;
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
