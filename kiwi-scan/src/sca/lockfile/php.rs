//! Composer.

use super::{Contents, json};
use crate::sca::Ecosystem::Packagist;

/// `composer.lock`.
pub(super) fn composer(text: &str) -> Result<Contents, String> {
    let file = json(text)?;
    if !file["packages"].is_array() {
        return Err("it has no packages".to_owned());
    }
    let mut contents = Contents::default();
    for (key, development) in [("packages", false), ("packages-dev", true)] {
        for package in file[key].as_array().into_iter().flatten() {
            let (Some(name), Some(version)) = (package["name"].as_str(), package["version"].as_str()) else {
                return Err("a package has no name or no version".to_owned());
            };
            if version.starts_with("dev-") || version.ends_with("-dev") {
                contents.unknown.push(format!("{name} is of a branch ({version})"));
            } else {
                // Only Packagist wants to be told of installations; what comes from elsewhere has no such address, or its own.
                let place = package["notification-url"].as_str().unwrap_or_default();
                contents.add_from(Packagist, name, version.trim_start_matches('v'), development, Some(place));
            }
        }
    }
    Ok(contents)
}
