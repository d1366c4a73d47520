//! Maven and Gradle.

use super::origin::is_private;
use super::{Contents, xml};
use crate::sca::Ecosystem::Maven;
use roxmltree::Node;
use std::collections::BTreeMap;

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
        let development = configurations.split(',').all(|configuration| configuration.to_lowercase().contains("test"));
        contents.add(Maven, name, version, development);
    }
    Ok(contents)
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
    let mut properties: BTreeMap<String, String> = BTreeMap::new();
    for property in child(project, "properties").into_iter().flat_map(|all| all.children().filter(Node::is_element)) {
        properties.insert(property.tag_name().name().to_owned(), property.text().unwrap_or_default().trim().to_owned());
    }
    let own =
        |name: &str| child(project, name).or_else(|| child(child(project, "parent")?, name)).and_then(|node| node.text()).map(|text| text.trim().to_owned());
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
            let value = properties.get(&text[begin + 2..end])?;
            text = format!("{}{value}{}", &text[..begin], &text[end + 1..]);
        }
        None
    };
    let value = |node: Node<'_, '_>, name: &str| child(node, name).and_then(|node| node.text()).and_then(&filled);
    let managed: BTreeMap<String, String> = child(project, "dependencyManagement")
        .and_then(|node| child(node, "dependencies"))
        .into_iter()
        .flat_map(|node| node.children().filter(Node::is_element))
        .filter_map(|node| Some((format!("{}:{}", value(node, "groupId")?, value(node, "artifactId")?), value(node, "version")?)))
        .collect();
    let mut contents = Contents::default();
    let dependencies = child(project, "dependencies").into_iter().flat_map(|node| node.children().filter(Node::is_element));
    for dependency in dependencies {
        let (Some(group), Some(artifact)) = (value(dependency, "groupId"), value(dependency, "artifactId")) else {
            contents.unknown.push("a dependency has no groupId or artifactId that stands in the file".to_owned());
            continue;
        };
        let name = format!("{group}:{artifact}");
        let version = value(dependency, "version").or_else(|| managed.get(&name).cloned());
        let development = child(dependency, "scope").and_then(|node| node.text()).is_some_and(|scope| scope.trim() == "test");
        match version.filter(|version| !version.contains([',', '[', '('])) {
            Some(version) => {
                // What has the project's own group is a part of it.
                let own = properties.get("project.groupId").is_some_and(|own| *own == group).then_some("");
                contents.add_from(Maven, name, version, development, own);
            }
            None => contents.unknown.push(format!("{name} has no exact version in the file")),
        }
    }
    let repositories = child(project, "repositories").into_iter().flat_map(|node| node.children().filter(Node::is_element));
    if repositories.into_iter().any(|repository| value(repository, "url").is_none_or(|url| is_private(Maven, &url))) {
        contents.all_private();
    }
    Ok(contents)
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}
