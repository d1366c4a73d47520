//! Clojure, by Leiningen or tools.deps.

use super::jvm::versions;
use super::maven::{Artifact, Program, finish};
use super::{Draft, Found, Project};
use crate::error::{Error, Result};
use crate::wizard::Language;
use crate::wizard::dockerfile::{Stage, word};
use crate::wizard::files::Files;
use crate::wizard::table;

pub(super) fn detect(files: &Files<'_>) -> Option<Found> {
    let manifest = files.first(&["project.clj", "build.clj", "deps.edn"])?;
    Some(Found::new(Language::Clojure, None, manifest))
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let images = project.version(draft, versions(files)?)?;
    let leiningen = files.has("project.clj");
    draft.package_manager = Some(if leiningen { "leiningen" } else { "tools.deps" }.to_owned());
    let image = table::image("clojure", None, &[("java", &images.version), ("tool", if leiningen { "lein" } else { "tools-deps" })])?;
    let manifests = project.existing(&["project.clj", "deps.edn", "build.clj"]);
    let download = if leiningen { "lein deps" } else { "clojure -P" };
    let build = Stage::image("build", &image)
        .workdir("/src")
        .copy_in_place(&manifests, files.directory())
        .run_cached(download, &["/root/.m2"])
        .copy([project.here()], "./");
    let found = if leiningen {
        Some("lein uberjar")
    } else if files.has("build.clj") {
        Some("clojure -T:build uber")
    } else {
        None
    };
    let command = project.build_command(draft, found.map(str::to_owned)).ok_or_else(|| {
        Error::invalid("plan build", "deps.edn says nothing of how a program is made")
            .with_hint("add a build.clj with a task uber, or say the command with --build")
    })?;
    let named = files.hint("project.clj").split_once(":uberjar-name").and_then(|(_, rest)| rest.split('"').nth(1)).map(str::to_owned);
    let archive = named.unwrap_or_else(|| if leiningen { "*-standalone.jar" } else { "*.jar" }.to_owned());
    let build = build.run_cached(format!("{command} && mkdir -p /out && find target -name {} -exec cp {{}} /out/app.jar ';'", word(&archive)), &["/root/.m2"]);
    let mut manifest = format!("{}{}", files.hint("project.clj"), files.hint("deps.edn"));
    if ["ring", "http-kit", "pedestal", "luminus", "aleph"].iter().any(|name| manifest.contains(name)) {
        manifest.push_str(" jetty");
    }
    finish(project, draft, build, &images.run, &Program { kind: Artifact::Jar, class: None, end: "jar" }, &manifest, files)
}
