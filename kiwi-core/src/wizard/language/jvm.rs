//! Java and Kotlin, by Maven or Gradle.

use super::{Draft, Found, Project, gradle, maven, tool_versions};
use crate::error::Result;
use crate::wizard::files::Files;
use crate::wizard::{Framework, Language};

/// Where nothing else is said, programs on the JVM listen here.
pub(super) const PORT: u16 = 8080;

/// What shows each framework in a build file.
const SIGNS: [(Framework, &[&str]); 4] =
    [(Framework::SpringBoot, &["spring-boot"]), (Framework::Quarkus, &["quarkus"]), (Framework::Micronaut, &["micronaut"]), (Framework::Ktor, &["ktor"])];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let gradle_file = files.first(&["build.gradle.kts", "build.gradle", "settings.gradle.kts", "settings.gradle"]);
    let evidence = match (files.has("pom.xml"), gradle_file) {
        (true, _) => "pom.xml",
        (false, Some(file)) => file,
        (false, None) => return Ok(None),
    };
    let text = format!("{}\n{}", files.hint(evidence), files.hint("gradle/libs.versions.toml"));
    let framework = framework(&text);
    let kotlin = files.has_directory("src/main/kotlin")
        || text.contains("kotlin(\"jvm\")")
        || text.contains("org.jetbrains.kotlin")
        || text.contains("kotlin-maven-plugin")
        || text.contains("kotlin-stdlib");
    Ok(Some(Found::new(if kotlin { Language::Kotlin } else { Language::Java }, framework, evidence)))
}

pub(super) fn framework(text: &str) -> Option<Framework> {
    SIGNS.iter().find(|(_, names)| names.iter().any(|name| text.contains(name))).map(|(framework, _)| *framework)
}

/// The modules of a build that can be started; none when the root is a program itself.
pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    if files.has("pom.xml") { maven::members(files) } else { Ok(gradle::members(files)) }
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let both = project.files.has("pom.xml") && project.files.first(&["build.gradle", "build.gradle.kts"]).is_some();
    let gradle_only_wrapper = project.files.has("gradlew") && !project.files.has("mvnw");
    if project.files.has("pom.xml") && !(both && gradle_only_wrapper) {
        return maven::plan(project, draft);
    }
    gradle::plan(project, draft)
}

/// The Java version that tools would take, before the build file's own.
pub(super) fn versions(files: &Files<'_>) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for name in [".java-version", ".jdk-version"] {
        found.extend(files.line(name)?.map(|line| (line, files.path(name))));
    }
    found.extend(tool_versions(files, &["java"]));
    for line in files.hint(".sdkmanrc").lines() {
        found.extend(line.strip_prefix("java=").map(|version| (version.to_owned(), files.path(".sdkmanrc"))));
    }
    let system = files.hint("system.properties");
    found.extend(
        system.lines().find_map(|line| line.trim().strip_prefix("java.runtime.version=")).map(|version| (version.to_owned(), files.path("system.properties"))),
    );
    Ok(found.into_iter().map(|(text, place)| (major(&text), place)).collect())
}

/// `1.8`, `zulu-21.0.1`, `temurin-17` and `21.0.2-tem` as the number of a release; the images have no older patches.
pub(super) fn major(text: &str) -> String {
    let digits = text.trim().trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits = digits.strip_prefix("1.").filter(|rest| rest.starts_with('8') || rest.starts_with('7')).unwrap_or(digits);
    let number: String = digits.chars().take_while(char::is_ascii_digit).collect();
    if number.is_empty() { text.to_owned() } else { number }
}

/// The classes below `src/main` that have a main method.
pub(super) fn main_classes(files: &Files<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (root, end) in [("src/main/java", ".java"), ("src/main/kotlin", ".kt")] {
        let sources = files.below(root);
        for path in sources.search(12, |path| path.ends_with(end)).into_iter().take(2000) {
            let text = sources.hint(&path);
            let name = path.trim_end_matches(end).replace('/', ".");
            if end == ".java" && (text.contains("static void main(") || text.contains("@SpringBootApplication")) {
                found.push(name);
            } else if end == ".kt" && (text.contains("fun main(")) {
                let package = text.lines().find_map(|line| line.strip_prefix("package ")).map(|package| format!("{}.", package.trim())).unwrap_or_default();
                let file = path.rsplit('/').next().unwrap_or(&path).trim_end_matches(end);
                found.push(format!("{package}{file}Kt"));
            }
        }
    }
    found
}

/// What a program's configuration and sources say of its port.
pub(super) fn sources(files: &Files<'_>) -> Vec<String> {
    let mut found: Vec<String> = [
        "src/main/resources/application.properties",
        "src/main/resources/application.yml",
        "src/main/resources/application.yaml",
        "src/main/resources/application.conf",
    ]
    .iter()
    .map(|file| files.hint(file))
    .collect();
    for class in main_classes(files).iter().take(3) {
        let path = class.trim_end_matches("Kt").replace('.', "/");
        found.push(files.hint(&format!("src/main/java/{path}.java")));
        found.push(files.hint(&format!("src/main/kotlin/{path}.kt")));
    }
    found
}

/// Whether a program listens, by its framework, its build file or its sources.
pub(super) fn listens(draft: &Draft, build: &str, sources: &[String]) -> bool {
    let servers = ["spark-core", "javalin", "undertow", "jetty", "vertx", "netty", "http4k", "dropwizard", "helidon", "tomcat"];
    let quiet_spring = draft.framework == Some(Framework::SpringBoot)
        && !build.contains("-web")
        && !build.contains("actuator")
        && !build.contains("-starter-data-rest")
        && !build.contains("-graphql");
    (draft.framework.is_some() && !quiet_spring)
        || servers.iter().any(|name| build.contains(name))
        || sources.iter().any(|source| source.contains("HttpServer") || source.contains("ServerSocket"))
}
