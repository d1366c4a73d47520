//! Mix.

use super::Contents;
use crate::sca::Ecosystem::Hex;

/// `mix.lock`: a map of Elixir, one dependency a line.
pub(super) fn mix(text: &str) -> Result<Contents, String> {
    if !text.trim_start().starts_with("%{") {
        return Err("it is no map of Elixir's".to_owned());
    }
    let mut contents = Contents::default();
    for line in text.lines().map(str::trim) {
        let Some((key, value)) = line.strip_prefix('"').and_then(|line| line.split_once("\": {")) else { continue };
        let mut parts = value.split(',').map(|part| part.trim().trim_matches('"'));
        match (parts.next(), parts.next(), parts.next()) {
            (Some(":hex"), Some(name), Some(version)) => contents.add(Hex, name.trim_start_matches(':'), version, false),
            _ => contents.unknown.push(format!("{key} comes from a repository or a directory")),
        }
    }
    Ok(contents)
}
