//! Elixir and Gleam, which run on Erlang's machine.

use super::{Check, Draft, Found, Project, test_stage, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage};
use crate::wizard::files::{Files, text};
use crate::wizard::start::Start;
use crate::wizard::{Framework, Language};

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    if files.has("mix.exs") {
        let phoenix = files.hint("mix.exs").contains("{:phoenix,");
        return Ok(Some(Found::new(Language::Elixir, phoenix.then_some(Framework::Phoenix), "mix.exs")));
    }
    Ok(files.has("gleam.toml").then(|| Found::new(Language::Gleam, None, "gleam.toml")))
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    if draft.language == Language::Gleam { gleam(project, draft) } else { elixir(project, draft) }
}

/// The value that follows `key` in `mix.exs`.
fn setting<'t>(mix: &'t str, key: &str) -> Option<&'t str> {
    // A keyword list may stand in one line.
    let rest =
        mix.lines().map(|line| line.trim().trim_start_matches("def project, do:").trim_start_matches([' ', '['])).find_map(|line| line.strip_prefix(key))?;
    rest.trim_start().split([',', ' ', ']']).next()
}

fn elixir(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let mix = files.text("mix.exs")?.unwrap_or_default();
    let mut declared: Vec<(String, String)> = Vec::new();
    declared.extend(files.line(".elixir-version")?.map(|line| (line, project.path(".elixir-version"))));
    declared.extend(tool_versions(files, &["elixir"]).into_iter().map(|(text, place)| (text.split("-otp").next().unwrap_or_default().to_owned(), place)));
    let asked = mix.lines().map(str::trim).find_map(|line| line.strip_prefix("elixir:")).and_then(|rest| rest.split('"').nth(1));
    declared.extend(asked.map(|text| (text.replace(" or ", " || ").replace(" and ", " "), project.path("mix.exs"))));
    let images = project.version(draft, declared)?;
    draft.package_manager = Some("mix".to_owned());
    let name = setting(&mix, "app:")
        .map(|name| name.trim_start_matches(':'))
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    let name = name
        .ok_or_else(|| Error::invalid("plan build", "mix.exs names no app").with_hint("an umbrella is built app by app: choose one with --app"))?
        .to_owned();
    project.start(draft, |draft| {
        draft.because(format!("start command: the release {name}"));
        Ok(Start { program: vec![format!("/app/bin/{name}"), "start".to_owned()], variables: Vec::new() })
    })?;
    let listens = draft.framework.is_some() || mix.contains(":plug_cowboy") || mix.contains(":bandit") || mix.contains(":cowboy");
    project.port(draft, listens, 4000, &[]);
    let manifests = project.existing(&["mix.exs", "mix.lock"]);
    let mut build = Stage::image("build", &images.build)
        .workdir("/src")
        .env([("MIX_ENV", "prod"), ("LANG", "C.UTF-8")])
        .run("mix local.hex --force && mix local.rebar --force");
    build = build.copy_in_place(&manifests, files.directory()).run("mix deps.get --only prod");
    if files.has_directory("config") {
        build = build.copy([format!("{}/", project.path("config"))], "config/");
    }
    build = build.run("mix deps.compile").copy([project.here()], "./");
    if mix.contains("assets.deploy") {
        draft.because("assets are built by the alias assets.deploy of mix.exs");
        build = build.run("mix assets.deploy");
    }
    let command = project.build_command(draft, Some("mix compile && mix release --path /out".to_owned())).unwrap_or_default();
    build = build.run(command);
    // Tests run in an environment of their own, with the dependencies that only they need.
    let test = Stage::on("test", "build")
        .env([("MIX_ENV", "test")])
        .run("mix deps.get")
        .comment("The test command of the pipeline runs here, with the development dependencies.");
    draft.ignore.extend(["_build", "deps", "*.ez", "priv/static/assets", "node_modules", "assets/node_modules"]);
    let mut last = Stage::last(From::Image(images.run.clone())).workdir("/app").env([
        ("LANG", "C.UTF-8"),
        ("RELEASE_DISTRIBUTION", "none"),
        ("RELEASE_TMP", "/tmp"),
        ("MIX_ENV", "prod"),
    ]);
    if draft.framework == Some(Framework::Phoenix) {
        last = last.env([("PHX_SERVER", "true")]);
    }
    last = last.apt(&project.packages(&[])).copy_from("build", "/out", "./");
    let last = project.end(draft, last, Check::Bash, None);
    draft.stages.extend([build, test, last]);
    Ok(())
}

fn gleam(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let manifest = files.toml("gleam.toml")?.unwrap_or_default();
    let mut declared = tool_versions(files, &["gleam"]);
    declared.extend(text(&manifest, &["gleam"]).map(|text| (text.to_owned(), project.path("gleam.toml"))));
    let images = project.version(draft, declared)?;
    draft.package_manager = Some("gleam".to_owned());
    project.start(draft, |draft| {
        draft.because("start command: the shipment that the build makes");
        Ok(Start { program: ["/app/entrypoint.sh", "run"].map(str::to_owned).to_vec(), variables: Vec::new() })
    })?;
    let listens = manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .is_some_and(|table| ["mist", "wisp", "elli", "gleam_cowboy"].iter().any(|name| table.contains_key(*name)));
    project.port(draft, listens, 8000, &[]);
    let manifests = project.existing(&["gleam.toml", "manifest.toml"]);
    let command = project.build_command(draft, Some("gleam export erlang-shipment".to_owned())).unwrap_or_default();
    let build = Stage::image("build", &images.build)
        .workdir("/src")
        .copy_in_place(&manifests, files.directory())
        .run("gleam deps download")
        .copy([project.here()], "./")
        .run(command);
    draft.ignore.extend(["build"]);
    let last = Stage::last(From::Image(images.run.clone())).workdir("/app").apt(&project.packages(&[])).copy_from("build", "/src/build/erlang-shipment", "./");
    let last = project.end(draft, last, Check::Bash, None);
    draft.stages.extend([build, test_stage("build"), last]);
    Ok(())
}
