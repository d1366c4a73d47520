//! `package.json` and the workspace around it.

use crate::error::Result;
use crate::wizard::files::{Files, string};
use crate::wizard::tree::join;
use serde_json::Value;

/// A `package.json`.
pub(super) struct Package(Value);

impl Package {
    pub(super) fn new(json: Value) -> Self {
        Self(json)
    }

    pub(super) fn read(files: &Files<'_>) -> Result<Option<Self>> {
        Ok(files.json("package.json")?.map(Self))
    }

    pub(super) fn text(&self, keys: &[&str]) -> Option<&str> {
        string(&self.0, keys)
    }

    pub(super) fn script(&self, name: &str) -> Option<&str> {
        self.text(&["scripts", name]).filter(|script| !script.trim().is_empty())
    }

    fn section(&self, section: &str, name: &str) -> Option<&str> {
        self.text(&[section, name])
    }

    pub(super) fn in_production(&self, name: &str) -> bool {
        self.section("dependencies", name).is_some()
    }

    pub(super) fn depends(&self, name: &str) -> bool {
        self.in_production(name) || self.section("devDependencies", name).is_some()
    }

    pub(super) fn depends_on_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.depends(name))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_object).is_some_and(|section| !section.is_empty())
    }

    /// Files and directories of the tree that an install reads: the schema of Prisma, patches, and dependencies that are paths.
    pub(super) fn needed_files(&self) -> Vec<String> {
        let mut all: Vec<String> = self.text(&["prisma", "schema"]).map(str::to_owned).into_iter().collect();
        for section in ["dependencies", "devDependencies", "optionalDependencies"] {
            let list = self.0.get(section).and_then(Value::as_object);
            all.extend(list.into_iter().flatten().filter_map(|(_, value)| value.as_str()?.strip_prefix("file:").map(str::to_owned)));
        }
        let patched = ["patchedDependencies"].iter().filter_map(|key| self.0.get("pnpm").and_then(|pnpm| pnpm.get(*key)).or_else(|| self.0.get(*key)));
        all.extend(patched.filter_map(Value::as_object).flatten().filter_map(|(_, path)| path.as_str().map(str::to_owned)));
        all.into_iter()
            .map(|path| path.trim_start_matches("./").trim_end_matches('/').to_owned())
            .filter(|path| !path.contains("..") && !path.is_empty())
            .collect()
    }

    /// Whether a dependency is a member of a workspace, which only its root can install.
    pub(super) fn workspace_dependency(&self) -> Option<String> {
        ["dependencies", "devDependencies"].iter().find_map(|section| {
            let list = self.0.get(*section)?.as_object()?;
            list.iter()
                .find(|(_, value)| value.as_str().is_some_and(|text| text.starts_with("workspace:") || text.starts_with("catalog:")))
                .map(|(name, _)| name.clone())
        })
    }

    fn workspaces(&self) -> Vec<String> {
        let list = self.0.get("workspaces").and_then(|value| value.as_array().or_else(|| value.get("packages")?.as_array()));
        list.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
    }
}

/// The patterns of a workspace's members; none when the directory is not its root.
fn patterns(files: &Files<'_>, package: &Package) -> Result<Vec<String>> {
    let own = package.workspaces();
    if !own.is_empty() {
        return Ok(own);
    }
    let Some(pnpm) = files.yaml("pnpm-workspace.yaml")? else { return Ok(Vec::new()) };
    Ok(pnpm.get("packages").and_then(Value::as_array).map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default())
}

/// The directories of a workspace's members, relative to its root.
pub(super) fn members(files: &Files<'_>, package: &Package) -> Result<Vec<String>> {
    let patterns = patterns(files, package)?;
    if patterns.is_empty() {
        return Ok(Vec::new());
    }
    let matches = |directory: &str, pattern: &str| segments_match(&split(directory), &split(pattern));
    let wanted = |directory: &str| {
        patterns.iter().any(|pattern| !pattern.starts_with('!') && matches(directory, pattern))
            && !patterns.iter().any(|pattern| pattern.strip_prefix('!').is_some_and(|pattern| matches(directory, pattern)))
    };
    let mut found: Vec<String> = files
        .search(4, |path| path.ends_with("/package.json"))
        .into_iter()
        .filter_map(|path| path.strip_suffix("/package.json").map(str::to_owned))
        .filter(|directory| wanted(directory))
        .collect();
    found.sort();
    Ok(found)
}

fn split(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

fn segments_match(path: &[&str], pattern: &[&str]) -> bool {
    match (path.split_first(), pattern.split_first()) {
        (None, None) => true,
        (_, Some((&"**", rest))) => segments_match(path, rest) || path.split_first().is_some_and(|(_, path)| segments_match(path, pattern)),
        (Some((name, path)), Some((part, pattern))) => {
            let fits = match part.split_once('*') {
                Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
                None => name == part,
            };
            fits && segments_match(path, pattern)
        }
        _ => false,
    }
}

/// The members that the app needs, deepest first, as far as they have a build of their own.
pub(super) fn local_builds(files: &Files<'_>, members: &[String], app: &Package) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for member in members {
        if let Some(package) = Package::read(&files.below(member))? {
            packages.push((member, package));
        }
    }
    let mut order: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    collect(app, &packages, &mut seen, &mut order);
    Ok(order)
}

fn collect<'p>(of: &Package, packages: &'p [(&String, Package)], seen: &mut Vec<&'p str>, order: &mut Vec<String>) {
    for (member, package) in packages {
        let Some(name) = package.text(&["name"]) else { continue };
        if of.depends(name) && !seen.contains(&name) {
            seen.push(name);
            collect(package, packages, seen, order);
            if package.script("build").is_some() {
                order.push((*member).clone());
            }
        }
    }
}

/// Every manifest that an install reads, as paths of the tree.
pub(super) fn manifests(files: &Files<'_>, members: &[String]) -> Vec<String> {
    const FILES: [&str; 15] = [
        "package.json",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "pnpm-workspace.yaml",
        ".pnpmfile.cjs",
        "yarn.lock",
        ".yarnrc",
        ".yarnrc.yml",
        "bun.lock",
        "bun.lockb",
        "bunfig.toml",
        ".npmrc",
        "package.json5",
        "package.yaml",
    ];
    let mut all: Vec<String> = FILES.iter().filter(|name| files.has(name)).map(|name| files.path(name)).collect();
    all.extend(members.iter().map(|member| files.path(&join(member, "package.json"))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_npm_and_pnpm_read_them() {
        for (path, pattern, fits) in [
            ("packages/a", "packages/*", true),
            ("packages/a/b", "packages/*", false),
            ("packages/a/b", "packages/**", true),
            ("apps/web", "./apps/web", true),
            ("apps/web-x", "apps/web-*", true),
            ("apps", "apps/*", false),
        ] {
            assert_eq!(segments_match(&split(path), &split(pattern)), fits, "{path} {pattern}");
        }
    }
}
