//! Scala, by sbt.

use super::jvm::versions;
use super::maven::{Artifact, Program, finish};
use super::{Draft, Found, Project};
use crate::error::{Error, Result};
use crate::wizard::Language;
use crate::wizard::dockerfile::Stage;
use crate::wizard::files::Files;
use crate::wizard::table;

pub(super) fn detect(files: &Files<'_>) -> Option<Found> {
    files.has("build.sbt").then(|| Found::new(Language::Scala, None, "build.sbt"))
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let images = project.version(draft, versions(files)?)?;
    draft.package_manager = Some("sbt".to_owned());
    let text = files.hint("build.sbt");
    let plugins = files.hint("project/plugins.sbt");
    let image = table::image("sbt", None, &[("java", &images.version)])?;
    let caches = ["/root/.cache/coursier", "/root/.sbt", "/root/.ivy2"];
    let manifests = project.existing(&["build.sbt", "project/build.properties", "project/plugins.sbt"]);
    let build = Stage::image("build", &image)
        .workdir("/src")
        .copy_in_place(&manifests, files.directory())
        .run_cached("sbt --batch update", &caches)
        .copy([project.here()], "./");
    let class = declared(&text).or_else(|| only_class(files));
    let class = class.ok_or_else(|| {
        Error::invalid("plan build", "no object has a main method").with_hint("name it as mainClass in build.sbt, or say the start command with --start")
    })?;
    let assembly = plugins.contains("sbt-assembly") || text.contains("assembly");
    // The task prints the class path; what it names is copied beside each other.
    let found = if assembly {
        "sbt --batch assembly && mkdir -p /out && find target -name '*-assembly-*.jar' -exec cp {} /out/app.jar ';'".to_owned()
    } else {
        "sbt --batch package 'export Runtime/fullClasspathAsJars' > /tmp/classpath && mkdir -p /out/lib && find target -maxdepth 2 -name '*.jar' -exec cp {} /out/app.jar ';' && IFS=: && for jar in $(tail -n 1 /tmp/classpath); do cp \"$jar\" /out/lib/; done".to_owned()
    };
    let command = project.build_command(draft, Some(found)).unwrap_or_default();
    let build = build.run_cached(command, &caches);
    let program =
        if assembly { Program { kind: Artifact::Jar, class: None, end: "jar" } } else { Program { kind: Artifact::Classes, class: Some(class), end: "jar" } };
    finish(project, draft, build, &images.run, &program, &text, files)
}

fn declared(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("mainClass")?;
    let class = rest.lines().next()?.split('"').nth(1)?;
    class.chars().all(|c| c.is_alphanumeric() || "._$".contains(c)).then(|| class.to_owned())
}

/// The only object that can be started.
fn only_class(files: &Files<'_>) -> Option<String> {
    let sources = files.below("src/main/scala");
    let mut found: Vec<String> = Vec::new();
    for path in sources
        .search(12, |path| path.ends_with(".scala"))
        .into_iter()
        .take(500)
        .chain(files.ending(".scala").into_iter().map(|name| format!("../../../{name}")))
    {
        let text = if path.starts_with("..") { files.hint(path.trim_start_matches("../../../")) } else { sources.hint(&path) };
        let package = text.lines().find_map(|line| line.strip_prefix("package ")).map(|package| format!("{}.", package.trim())).unwrap_or_default();
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("object ")
                && (rest.contains("extends App") || rest.contains("IOApp") || text.contains("def main("))
            {
                found.push(format!("{package}{}", rest.split([' ', '{', ':']).next().unwrap_or_default()));
            } else if let Some(rest) = line.strip_prefix("@main def ") {
                found.push(format!("{package}{}", rest.split(['(', ' ', ':', '=']).next().unwrap_or_default()));
            }
        }
    }
    found.dedup();
    found.into_iter().next()
}
