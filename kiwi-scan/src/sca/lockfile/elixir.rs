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
            (Some(":hex"), Some(name), Some(version)) => {
                // Behind the list of what it needs stands the repository; one of an organization is `hexpm:NAME`.
                let repository = value.rsplit_once(']').and_then(|(_, rest)| rest.split('"').nth(1)).filter(|repository| *repository != "hexpm");
                contents.add_from(Hex, name.trim_start_matches(':'), version, false, repository);
            }
            _ => contents.unknown.push(format!("{key} comes from a repository or a directory")),
        }
    }
    Ok(contents)
}
