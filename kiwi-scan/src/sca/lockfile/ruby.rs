//! Bundler.

use super::Contents;
use super::origin::is_private;
use crate::sca::Ecosystem::RubyGems;

/// `Gemfile.lock`: sections with what was resolved from where. Groups stand in the Gemfile alone, which is a program.
pub(super) fn bundler(text: &str) -> Result<Contents, String> {
    let (mut contents, mut section, mut known) = (Contents::default(), "", false);
    // A section may have several places, and does not say what comes from which.
    let mut place: Option<&str> = None;
    for line in text.lines() {
        if !line.starts_with(' ') {
            section = line.trim();
            place = None;
            known |= matches!(section, "GEM" | "PATH" | "GIT" | "DEPENDENCIES" | "PLATFORMS");
            if section.starts_with("<<<<<<<") {
                return Err("it has the marks of a merge conflict".to_owned());
            }
            continue;
        }
        if let Some(remote) = line.strip_prefix("  remote: ") {
            place = place.filter(|known| is_private(RubyGems, known)).or(Some(remote.trim()));
        }
        // Four spaces: a gem; six: what it needs.
        let Some(gem) = line.strip_prefix("    ").filter(|gem| !gem.starts_with(' ')) else { continue };
        let Some((name, version)) = gem.trim_end().strip_suffix(')').and_then(|gem| gem.split_once(" (")) else { continue };
        match section {
            // A platform follows the version: `1.2.3-x86_64-linux`.
            "GEM" => contents.add_from(RubyGems, name, version.split('-').next().unwrap_or(version), false, place),
            "GIT" => contents.unknown.push(format!("{name} comes from a repository")),
            _ => {}
        }
    }
    if known { Ok(contents) } else { Err("it has no section of Bundler's".to_owned()) }
}
