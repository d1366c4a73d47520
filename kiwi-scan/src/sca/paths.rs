//! Paths of a tree, relative to its root, with `/`.

/// The directory of a path; nothing for the root.
pub(super) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A path's last part.
pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path below a directory.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// The place that the file at `path` calls `place`, without its `.` and `..`; none outside of the tree.
pub(super) fn beside(path: &str, place: &str) -> Option<String> {
    let mut parts: Vec<&str> = if place.starts_with('/') { return None } else { directory(path).split('/').filter(|part| !part.is_empty()).collect() };
    for part in place.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
