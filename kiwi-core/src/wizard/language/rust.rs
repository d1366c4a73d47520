//! Rust: crates and workspaces.

use super::{Check, Draft, Found, Project, Strength, TINI, ambiguous, test_stage, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::{Files, text, value};
use crate::wizard::start::{self, Start};
use crate::wizard::table::{self, Chosen};
use crate::wizard::tree::join;
use crate::wizard::{Framework, Language};
use std::collections::BTreeSet;

const SIGNS: [(Framework, &str); 3] = [(Framework::Rocket, "rocket"), (Framework::Actix, "actix-web"), (Framework::Axum, "axum")];

/// Crates beside the frameworks that listen.
const LISTENERS: [&str; 7] = ["warp", "poem", "salvo", "tide", "tonic", "hyper", "tiny_http"];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let Some(manifest) = files.toml("Cargo.toml")? else { return Ok(None) };
    let framework = SIGNS.iter().find(|(_, name)| depends(&manifest, name)).map(|(framework, _)| *framework);
    let found = Found::new(Language::Rust, framework, "Cargo.toml");
    // A crate beside another manifest is mostly its native part, unless it is a program.
    let program = manifest.contains_key("workspace") || !binaries(files, &manifest).is_empty();
    Ok(Some(if program { found } else { found.weaker(Strength::Aside) }))
}

fn depends(manifest: &toml::Table, name: &str) -> bool {
    value(manifest, &["dependencies", name]).is_some() || value(manifest, &["workspace", "dependencies", name]).is_some()
}

/// The programs of one crate.
fn binaries(files: &Files<'_>, manifest: &toml::Table) -> Vec<String> {
    let Some(package) = text(manifest, &["package", "name"]) else { return Vec::new() };
    let mut found: Vec<String> =
        manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten().filter_map(|bin| bin.get("name")?.as_str()).map(str::to_owned).collect();
    if files.has("src/main.rs") && !found.iter().any(|name| name == package) && found.is_empty() {
        found.push(package.to_owned());
    }
    let more = files.below("src/bin");
    for entry in more.entries() {
        let name = entry.name.trim_end_matches(".rs").to_owned();
        if (entry.name.ends_with(".rs") || more.has(&format!("{name}/main.rs"))) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The crates of a workspace that its patterns name.
fn workspace(files: &Files<'_>, manifest: &toml::Table) -> Vec<String> {
    let patterns = value(manifest, &["workspace", "members"]).and_then(toml::Value::as_array);
    let mut found = Vec::new();
    for pattern in patterns.into_iter().flatten().filter_map(toml::Value::as_str) {
        match pattern.trim_start_matches("./").trim_end_matches('/').split_once('*') {
            None => found.push(pattern.trim_start_matches("./").trim_end_matches('/').to_owned()),
            Some((parent, _)) => {
                let parent = parent.trim_end_matches('/');
                let below = if parent.is_empty() { files.at(files.directory()) } else { files.below(parent) };
                found.extend(below.directories().into_iter().map(|name| join(parent, name)));
            }
        }
    }
    found.retain(|member| !member.contains("..") && files.has(&join(member, "Cargo.toml")));
    found
}

pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    let Some(manifest) = files.toml("Cargo.toml")? else { return Ok(Vec::new()) };
    if !manifest.contains_key("workspace") || !binaries(files, &manifest).is_empty() {
        return Ok(Vec::new());
    }
    let mut apps = Vec::new();
    for member in workspace(files, &manifest) {
        let below = files.below(&member);
        if below.toml("Cargo.toml")?.is_some_and(|manifest| !binaries(&below, &manifest).is_empty()) {
            apps.push(member);
        }
    }
    Ok(apps)
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let missing =
        || Error::invalid("plan build", format!("{} has no Cargo.toml", if files.directory().is_empty() { "the project" } else { files.directory() }));
    let manifest = files.toml("Cargo.toml")?.ok_or_else(missing)?;
    let top = project
        .workspace_root(|files, member| Ok(files.toml("Cargo.toml")?.is_some_and(|manifest| workspace(files, &manifest).iter().any(|one| one == member))))?;
    let top_files = project.root.at(&top);
    let top_manifest = top_files.toml("Cargo.toml")?.unwrap_or_default();
    let images = version(project, draft, &top_files, &manifest, &top_manifest)?;
    draft.package_manager = Some("cargo".to_owned());

    let all = binaries(files, &manifest);
    let default = text(&manifest, &["package", "default-run"]);
    let started = start_choice(project).filter(|name| all.contains(name));
    let name = match (started.as_deref().or(default), all.as_slice()) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => only.clone(),
        (None, []) => {
            return Err(
                Error::invalid("plan build", "the crate has no program").with_hint("a library is not delivered; choose a crate with a program by --app")
            );
        }
        (None, several) => {
            let of_package = text(&manifest, &["package", "name"]).filter(|name| several.iter().any(|other| other == name)).map(str::to_owned);
            of_package
                .ok_or_else(|| ambiguous("the crate has several programs", several.to_vec(), "choose one with --start NAME, or default-run in Cargo.toml"))?
        }
    };
    draft.because(format!("the program is {name}"));

    let members = workspace(&top_files, &top_manifest);
    let (of_build, of_run) = libraries(&top_files, &manifest);
    let mut manifests: Vec<String> = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "rust-toolchain"]
        .iter()
        .filter(|name| top_files.has(name))
        .map(|name| top_files.path(name))
        .collect();
    manifests.extend(members.iter().map(|member| top_files.path(&join(member, "Cargo.toml"))));
    let locked = top_files.has("Cargo.lock");
    if !locked {
        draft.because("there is no Cargo.lock, so every build may get other versions: commit it");
    }
    let locked = if locked { " --locked" } else { "" };
    let stubs = stubs(&top_files, &top_manifest, &members)?;
    let target = text(&top_manifest, &["build", "target-dir"]).unwrap_or("target").to_owned();
    let here = if top.is_empty() { ".".to_owned() } else { format!("{top}/") };
    let caches = ["/usr/local/cargo/registry", "/usr/local/cargo/git"];
    let mut build = Stage::image("build", &images.build).workdir("/src").apt(&of_build).env([("CARGO_TERM_COLOR", "never")]);
    match stubs {
        Ok(Stubs { directories, files, remove }) => {
            let fetch = format!("mkdir -p {directories} && touch {files} && cargo fetch{locked} && rm -r {remove}");
            build = build.copy_in_place(&manifests, &top).run_cached(fetch, &caches);
        }
        Err(path) => draft.because(format!("dependencies are not fetched on their own, because the crate at {path} is no member of the workspace")),
    }
    build = build.copy([here], "./");
    let package = text(&manifest, &["package", "name"]).unwrap_or(&name);
    let compile = format!("cargo build --release{locked} --package {} --bin {}", word(package), word(&name));
    // A cached target directory trusts the times of files, and a checkout may carry old ones.
    let command = project
        .build_command(
            draft,
            Some(format!(
                "find . -name '*.rs' -not -path './{target}/*' -exec touch {{}} + && {compile} && install -D {target}/release/{0} /out/{0}",
                word(&name)
            )),
        )
        .unwrap_or_default();
    build = build.run_either(command.clone(), &[caches[0], caches[1], "/src/target"], command);

    project.start(draft, |draft| {
        draft.because("start command: the program itself");
        Ok(Start { program: vec![format!("/usr/local/bin/{name}")], variables: Vec::new() })
    })?;
    if let Some(program) = draft.start.program.first_mut().filter(|program| **program == name) {
        *program = format!("/usr/local/bin/{name}");
    }
    let sources: Vec<String> = ["src/main.rs", "Rocket.toml"].iter().map(|file| files.hint(file)).chain([files.hint(&format!("src/bin/{name}.rs"))]).collect();
    let listens = draft.framework.is_some()
        || LISTENERS.iter().any(|crate_name| depends(&manifest, crate_name))
        || sources.iter().any(|source| source.contains("TcpListener"));
    project.port(draft, listens, if draft.framework == Some(Framework::Rocket) { 8000 } else { 8080 }, &sources);
    if draft.framework == Some(Framework::Rocket) {
        let port = draft.port.unwrap_or(8000).to_string();
        draft.start.variables.extend([("ROCKET_ADDRESS".to_owned(), "0.0.0.0".to_owned()), ("ROCKET_PORT".to_owned(), port)]);
    }
    draft.ignore.extend(["target"]);
    let mut needed = vec!["ca-certificates", "tini"];
    needed.extend(of_run);
    let mut last = Stage::last(From::Image(images.run.clone())).workdir("/app").apt(&project.packages(&needed)).copy_from("build", "/out/", "/usr/local/bin/");
    for directory in ["templates", "static", "public", "assets", "migrations", "config", "Rocket.toml"] {
        if files.has_directory(directory) {
            last = last.copy([format!("{}/", files.path(directory))], format!("{directory}/"));
        } else if files.has(directory) {
            last = last.copy([files.path(directory)], "./");
        }
    }
    let last = project.end(draft, last, Check::Bash, Some(TINI));
    draft.stages.extend([build, test_stage("build"), last]);
    Ok(())
}

/// What stands for the sources while dependencies are fetched by the manifests alone, as words of a shell: cargo refuses a crate without any target.
struct Stubs {
    directories: String,
    files: String,
    remove: String,
}

/// The path of a crate that no manifest of the workspace names as a member is the error: its manifest would be missing.
fn stubs(top: &Files<'_>, manifest: &toml::Table, members: &[String]) -> Result<std::result::Result<Stubs, String>> {
    let mut crates = Vec::new();
    for member in members {
        crates.push((member.clone(), top.below(member).toml("Cargo.toml")?.unwrap_or_default()));
    }
    let (mut directories, mut touched, mut remove) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let of_top = manifest.contains_key("package").then(|| (String::new(), manifest.clone()));
    for (directory, manifest) in of_top.iter().chain(&crates) {
        let files = if directory.is_empty() { top.at(top.directory()) } else { top.below(directory) };
        for stub in std::iter::once("src/lib.rs".to_owned()).chain(named_targets(&files, manifest)) {
            directories.extend(stub.rsplit_once('/').map(|(parent, _)| word(&join(directory, parent))));
            remove.extend(stub.split('/').next().map(|first| word(&join(directory, first))));
            touched.insert(word(&join(directory, &stub)));
        }
    }
    for (directory, manifest) in std::iter::once(&(String::new(), manifest.clone())).chain(&crates) {
        let mut paths = Vec::new();
        for section in ["dependencies", "dev-dependencies", "build-dependencies", "target", "workspace", "patch"] {
            manifest.get(section).into_iter().for_each(|section| crate_paths(section, &mut paths));
        }
        for path in paths {
            let known = within(directory, path).is_some_and(|path| members.contains(&path) || (path.is_empty() && of_top.is_some()));
            if !known {
                return Ok(Err(path.to_owned()));
            }
        }
    }
    let line = |words: BTreeSet<String>| words.into_iter().collect::<Vec<_>>().join(" ");
    Ok(Ok(Stubs { directories: line(directories), files: line(touched), remove: line(remove) }))
}

/// The files of targets that a manifest names without a path: cargo looks for them when it reads the manifest.
fn named_targets(files: &Files<'_>, manifest: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, folder) in [("bin", "src/bin"), ("example", "examples"), ("test", "tests"), ("bench", "benches")] {
        let targets = manifest.get(kind).and_then(toml::Value::as_array).into_iter().flatten();
        for name in targets.filter(|target| target.get("path").is_none()).filter_map(|target| target.get("name")?.as_str()) {
            let places = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/main.rs"), "src/main.rs".to_owned()];
            found.extend(places.into_iter().find(|place| files.has(place)));
        }
    }
    found
}

/// The paths of crates in a section of a manifest.
fn crate_paths<'t>(section: &'t toml::Value, paths: &mut Vec<&'t str>) {
    for (name, value) in section.as_table().into_iter().flatten() {
        match value.as_str() {
            Some(path) if name == "path" => paths.push(path),
            _ => crate_paths(value, paths),
        }
    }
}

/// A path from a directory, as one from the root; none when it leads out of it.
fn within(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The program that the chosen start command names.
fn start_choice(project: &Project<'_>) -> Option<String> {
    project.choices.start.as_deref().and_then(|start| start::parse(start).program.into_iter().next())
}

/// The compiler, in the order in which rustup and cargo look for it.
fn version(project: &Project<'_>, draft: &mut Draft, top: &Files<'_>, manifest: &toml::Table, top_manifest: &toml::Table) -> Result<Chosen> {
    let mut declared = Vec::new();
    for files in [&project.files, top] {
        for name in ["rust-toolchain", "rust-toolchain.toml"] {
            let Some(content) = files.text(name)? else { continue };
            let channel = match content.parse::<toml::Table>() {
                Ok(table) => text(&table, &["toolchain", "channel"]).map(str::to_owned),
                Err(_) => content.lines().next().map(|line| line.trim().to_owned()),
            };
            declared.extend(channel.map(|channel| (channel, files.path(name))));
        }
        declared.extend(tool_versions(files, &["rust"]));
    }
    let minimum = text(manifest, &["package", "rust-version"]).or_else(|| text(top_manifest, &["workspace", "package", "rust-version"]));
    declared.extend(minimum.map(|version| (version.to_owned(), "rust-version in Cargo.toml".to_owned())));
    let channel = project.choices.version.as_deref().or(declared.first().map(|(channel, _)| channel.as_str())).unwrap_or_default().to_owned();
    if channel.starts_with("nightly") {
        draft.version = Some("nightly".to_owned());
        draft.because(format!("version nightly: the project asks for {channel}"));
        let run = table::choose("rust", None)?.run;
        return Ok(Chosen { version: "nightly".to_owned(), build: table::nightly("rust")?, run });
    }
    project.version_in("rust", draft, declared, |row, wanted| match wanted {
        Some(("stable", _)) => table::choose(row, None),
        Some((text, place)) if text.starts_with(|c: char| c.is_ascii_digit()) => table::choose_at_least(row, text, place),
        other => table::choose(row, other),
    })
}

/// Packages of Debian for the build and for the image, by the crates that bind to them.
fn libraries(files: &Files<'_>, manifest: &toml::Table) -> (Vec<&'static str>, Vec<&'static str>) {
    let lock = files.hint("Cargo.lock");
    let uses = |name: &str| lock.contains(&format!("name = \"{name}\"\n")) || depends(manifest, name);
    let (mut build, mut run) = (Vec::new(), Vec::new());
    for (name, of_build, of_run) in
        [("openssl-sys", "libssl-dev", "libssl3"), ("pq-sys", "libpq-dev", "libpq5"), ("mysqlclient-sys", "libmariadb-dev", "libmariadb3")]
    {
        if uses(name) {
            build.push(of_build);
            run.push(of_run);
        }
    }
    if uses("prost-build") || uses("tonic-build") {
        build.push("protobuf-compiler");
    }
    (build, run)
}
