//! Bundler.

use super::Contents;
use super::origin::is_private;
use crate::sca::Ecosystem::RubyGems;

/// The sections that Bundler writes (its `LockfileParser`).
const SECTIONS: [&str; 10] = ["GEM", "PATH", "GIT", "PLUGIN SOURCE", "PLATFORMS", "DEPENDENCIES", "RUBY VERSION", "BUNDLED WITH", "CHECKSUMS", "BUNDLED BY"];

/// `Gemfile.lock`: sections with what was resolved from where. Groups stand in the Gemfile alone, which is a program.
pub(super) fn bundler(text: &str) -> Result<Contents, String> {
    let (mut contents, mut section, mut known, mut has_gems, mut ended) = (Contents::default(), "", false, false, false);
    // A section may have several places, and does not say what comes from which.
    let mut place: Option<&str> = None;
    for line in text.lines() {
        if !line.starts_with(' ') {
            section = line.trim();
            place = None;
            known |= matches!(section, "GEM" | "PATH" | "GIT" | "PLUGIN SOURCE" | "DEPENDENCIES" | "PLATFORMS");
            has_gems |= matches!(section, "GEM" | "PATH" | "GIT" | "PLUGIN SOURCE");
            // One of them follows the gems of every lockfile.
            ended |= matches!(section, "DEPENDENCIES" | "PLATFORMS");
            if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| section.starts_with(mark)) {
                return Err("it has the marks of a merge conflict".to_owned());
            }
            // What is in a section that nobody knows may be gems.
            if !section.is_empty() && (line.starts_with('\t') || !SECTIONS.contains(&section)) {
                return Err(format!("it is malformed: it has a section {:?}", section.chars().take(40).collect::<String>()));
            }
            continue;
        }
        if let Some(remote) = line.strip_prefix("  remote: ") {
            place = place.filter(|known| is_private(RubyGems, known)).or(Some(remote.trim()));
        }
        // Four spaces: a gem; six: what it needs.
        let Some(gem) = line.strip_prefix("    ").filter(|gem| !gem.starts_with(' ')) else { continue };
        if !matches!(section, "GEM" | "PATH" | "GIT" | "PLUGIN SOURCE") {
            continue;
        }
        let Some((name, version)) = gem.trim_end().strip_suffix(')').and_then(|gem| gem.split_once(" (")) else {
            return Err("it is malformed: a gem has no version".to_owned());
        };
        match section {
            // A platform follows the version: `1.2.3-x86_64-linux`.
            "GEM" => contents.add_from(RubyGems, name, version.split('-').next().unwrap_or(version), false, place),
            "PLUGIN SOURCE" => contents.unknown.push(format!("{name} comes from a plugin's source")),
            "GIT" => contents.unknown.push(format!("{name} comes from a repository")),
            _ => {}
        }
    }
    match (known, has_gems && !ended) {
        (false, _) => Err("it has no section of Bundler's".to_owned()),
        (true, true) => Err("it is malformed: it ends with its gems".to_owned()),
        (true, false) => Ok(contents),
    }
}
