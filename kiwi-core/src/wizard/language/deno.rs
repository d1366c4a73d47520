//! Deno.

use super::{Check, Draft, Found, Project, TINI, test_stage, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::{Files, string};
use crate::wizard::start::{self, Start};
use crate::wizard::{Framework, Language};

const CONFIGURATIONS: [&str; 2] = ["deno.json", "deno.jsonc"];
const ENTRIES: [&str; 10] = ["main.ts", "mod.ts", "server.ts", "index.ts", "app.ts", "src/main.ts", "src/index.ts", "main.tsx", "main.js", "src/server.ts"];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    if let Some(name) = files.first(&CONFIGURATIONS) {
        let text = format!("{}{}", files.hint(name), files.hint("import_map.json"));
        let fresh = text.contains("$fresh/") || text.contains("@fresh/core") || text.contains("fresh.config");
        return Ok(Some(Found::new(Language::Deno, fresh.then_some(Framework::Fresh), name)));
    }
    if files.has("deno.lock") {
        return Ok(Some(Found::new(Language::Deno, None, "deno.lock")));
    }
    if files.has("package.json") {
        return Ok(None);
    }
    let entry = ENTRIES.iter().find(|name| {
        let text = files.hint(name);
        text.contains("https://deno.land/") || text.contains("Deno.") || text.contains("jsr:@") || text.contains("from \"npm:")
    });
    Ok(entry.map(|name| Found::new(Language::Deno, None, *name)))
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let mut declared = tool_versions(files, &["deno"]);
    declared.extend(files.line(".deno-version")?.or(files.line(".dvmrc")?).map(|line| (line, project.path(".deno-version"))));
    let images = project.version(draft, declared)?;
    let configuration = match files.first(&CONFIGURATIONS) {
        Some(name) => files.json(name)?,
        None => None,
    };
    let task = |name: &str| {
        configuration.as_ref().and_then(|configuration| string(configuration, &["tasks", name]).or_else(|| string(configuration, &["tasks", name, "command"])))
    };
    project.start(draft, |draft| {
        if let Some(command) = task("start").filter(|command| command.starts_with("deno ") && !command.contains("--watch") && !command.contains("dev.ts")) {
            draft.because(format!("start command: the task start: {command}"));
            return Ok(start::parse(command));
        }
        let entry = files.first(&ENTRIES).ok_or_else(|| {
            Error::invalid("plan build", "nothing says how the project starts")
                .with_hint("name its main file main.ts, add a task start, or say it with --start")
        })?;
        draft.because(format!("start command: the file {entry}"));
        Ok(Start { program: ["deno", "run", "--allow-net", "--allow-env", "--allow-read", entry].map(str::to_owned).to_vec(), variables: Vec::new() })
    })?;
    let entry = draft.start.program.iter().find(|word| [".ts", ".tsx", ".js", ".mjs", ".jsx"].iter().any(|end| word.ends_with(end))).cloned();
    let source = entry.as_ref().map(|entry| files.hint(entry)).unwrap_or_default();
    let listens = draft.framework.is_some()
        || draft.start.program.get(1).map(String::as_str) == Some("serve")
        || ["Deno.serve", "serve(", "listen(", "Deno.listen"].iter().any(|word| source.contains(word));
    project.port(draft, listens, 8000, &[source]);
    let manifests = project.existing(&["deno.json", "deno.jsonc", "deno.lock", "package.json", "import_map.json"]);
    let mut build = Stage::image("build", &images.build).workdir("/app").env([("DENO_DIR", "/deno")]);
    if manifests.is_empty() {
        draft.because("dependencies are fetched with the sources, because only they name them");
    } else {
        build = build.copy_in_place(&manifests, files.directory()).run("deno install");
    }
    build = build.copy([project.here()], "./");
    let found = match (task("build"), &entry) {
        (Some(_), _) => Some("deno task build".to_owned()),
        (None, Some(entry)) => Some(format!("deno cache {}", word(entry))),
        (None, None) => None,
    };
    if let Some(command) = project.build_command(draft, found) {
        build = build.run(command);
    }
    draft.ignore.extend(["node_modules"]);
    let last =
        Stage::last(From::Image(images.run)).workdir("/app").apt(&project.packages(&["tini"])).env([("DENO_DIR", "/deno"), ("DENO_NO_UPDATE_CHECK", "1")]);
    let last = project.end(draft, last.copy_from("build", "/deno", "/deno").copy_from("build", "/app", "./"), Check::Deno, Some(TINI));
    draft.stages.extend([build, test_stage("build"), last]);
    Ok(())
}
