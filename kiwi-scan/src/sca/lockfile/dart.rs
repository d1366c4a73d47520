//! pub.

use super::{Contents, yaml};
use crate::sca::Ecosystem::Pub;

/// `pubspec.lock`.
pub(super) fn pubspec(text: &str) -> Result<Contents, String> {
    let file = yaml(text)?;
    let packages = file["packages"].as_object().ok_or("it has no packages")?;
    let mut contents = Contents::default();
    for (name, package) in packages {
        match (package["source"].as_str(), package["version"].as_str()) {
            (Some("hosted"), Some(version)) => {
                contents.add_from(Pub, name, version, package["dependency"] == "direct dev", package["description"]["url"].as_str());
            }
            // The SDK is no package.
            (Some("sdk"), _) => {}
            _ => contents.unknown.push(format!("{name} comes from a repository or a directory")),
        }
    }
    Ok(contents)
}
