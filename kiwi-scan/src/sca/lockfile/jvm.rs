//! Maven and Gradle.

use super::origin::is_private;
use super::{Contents, xml};
use crate::sca::Ecosystem::Maven;
use roxmltree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// `gradle.lockfile` (<https://docs.gradle.org/current/userguide/dependency_locking.html>).
pub(super) fn gradle(text: &str) -> Result<Contents, String> {
    let mut contents = Contents::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (coordinates, configurations) =
            line.split_once('=').ok_or_else(|| format!("the line {:?} is none of a lockfile", line.chars().take(60).collect::<String>()))?;
        // `empty=` lists the configurations that need nothing.
        if coordinates == "empty" {
            continue;
        }
        let (name, version) = coordinates.rsplit_once(':').ok_or("a line has no version")?;
        let development = configurations.split(',').all(is_of_tests);
        contents.add(Maven, name, version, development);
    }
    Ok(contents)
}

/// Whether a configuration has the word of tests in its name, such as `testRuntimeClasspath` and `debugUnitTestRuntimeClasspath`; `latest` is another word.
fn is_of_tests(configuration: &str) -> bool {
    let word_at = |at: usize, word: &str| {
        let rest = &configuration[at..];
        rest.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
    };
    word_at(0, "test") || configuration.match_indices("Test").any(|(at, _)| word_at(at, "Test"))
}

/// No name, version or address of a `pom.xml` is longer.
const LONGEST_VALUE: usize = 4096;

/// The direct dependencies of a `pom.xml` whose versions stand in it. Maven has no lockfile: what comes with those, or from a parent, only Maven knows.
pub(super) fn pom(text: &str) -> Result<Contents, String> {
    let document = xml(text)?;
    let project = document.root_element();
    if !project.has_tag_name("project") && project.tag_name().name() != "project" {
        return Err("it is no project of Maven's".to_owned());
    }
    // A profile may be active or not; what any has counts.
    let profiles: Vec<Node<'_, '_>> = elements(project, "profiles").filter(|node| node.tag_name().name() == "profile").collect();
    let parts = || std::iter::once(project).chain(profiles.iter().copied());
    // What has one value here and another there has none that stands in the file.
    let mut properties: BTreeMap<String, String> = BTreeMap::new();
    let mut several: BTreeSet<String> = BTreeSet::new();
    for property in parts().flat_map(|part| elements(part, "properties")) {
        let (name, value) = (property.tag_name().name(), text_of(property).trim().to_owned());
        if properties.entry(name.to_owned()).or_insert_with(|| value.clone()) != &value {
            several.insert(name.to_owned());
        }
    }
    let own = |name: &str| child(project, name).or_else(|| child(child(project, "parent")?, name)).map(|node| text_of(node).trim().to_owned());
    for name in ["version", "groupId"] {
        if let Some(value) = own(name) {
            properties.insert(format!("project.{name}"), value.clone());
            properties.entry(format!("pom.{name}")).or_insert(value);
        }
    }
    let filled = |text: &str| {
        let mut text = text.trim().to_owned();
        // A property may be made of properties; ten times is deeper than anybody goes.
        for _ in 0..10 {
            // Properties of properties multiply; no name or version is as long.
            if text.len() > LONGEST_VALUE {
                return None;
            }
            let Some(begin) = text.find("${") else { return Some(text) };
            let end = begin + text[begin..].find('}')?;
            let value = properties.get(&text[begin + 2..end]).filter(|_| !several.contains(&text[begin + 2..end]))?;
            text = format!("{}{value}{}", &text[..begin], &text[end + 1..]);
        }
        None
    };
    let value = |node: Node<'_, '_>, name: &str| child(node, name).and_then(|node| filled(&text_of(node)));
    let mut managed: BTreeMap<String, Option<String>> = BTreeMap::new();
    for node in parts().filter_map(|part| child(part, "dependencyManagement")).flat_map(|node| elements(node, "dependencies")) {
        if let (Some(group), Some(artifact), Some(version)) = (value(node, "groupId"), value(node, "artifactId"), value(node, "version")) {
            let kept = managed.entry(format!("{group}:{artifact}")).or_insert_with(|| Some(version.clone()));
            if kept.as_ref() != Some(&version) {
                *kept = None;
            }
        }
    }
    let mut contents = Contents::default();
    for dependency in parts().flat_map(|part| elements(part, "dependencies")) {
        let (Some(group), Some(artifact)) = (value(dependency, "groupId"), value(dependency, "artifactId")) else {
            contents.unknown.push("a dependency has no groupId or artifactId that stands in the file".to_owned());
            continue;
        };
        let name = format!("{group}:{artifact}");
        let version = match child(dependency, "version") {
            Some(version) => filled(&text_of(version)),
            None => managed.get(&name).cloned().flatten(),
        };
        let development = child(dependency, "scope").is_some_and(|scope| text_of(scope).trim() == "test");
        match version.filter(|version| !version.contains([',', '[', '('])) {
            Some(version) => {
                // What has the project's own group is a part of it.
                let own = properties.get("project.groupId").is_some_and(|own| *own == group).then_some("");
                contents.add_from(Maven, name, version, development, own);
            }
            None => contents.unknown.push(format!("{name} has no exact version in the file")),
        }
    }
    if parts().flat_map(|part| elements(part, "repositories")).any(|repository| value(repository, "url").is_none_or(|url| is_private(Maven, &url))) {
        contents.all_private();
    }
    Ok(contents)
}

/// All of an element's text: a comment may stand in the middle of it.
fn text_of(node: Node<'_, '_>) -> String {
    node.children().filter_map(|child| child.text().filter(|_| child.is_text())).collect()
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

/// The elements in a child.
fn elements<'a, 'input>(node: Node<'a, 'input>, name: &str) -> impl Iterator<Item = Node<'a, 'input>> {
    child(node, name).into_iter().flat_map(|child| child.children().filter(Node::is_element))
}
