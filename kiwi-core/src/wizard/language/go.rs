//! Go: modules, workspaces and the layout with `cmd/`.

use super::{Check, Draft, Found, Project, ambiguous, test_stage, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::Files;
use crate::wizard::start::Start;
use crate::wizard::{Framework, Language, table};

const FRAMEWORKS: [(Framework, &str); 3] =
    [(Framework::Gin, "github.com/gin-gonic/gin "), (Framework::Echo, "github.com/labstack/echo"), (Framework::Fiber, "github.com/gofiber/fiber")];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let manifest = files.hint("go.mod");
    if files.has("go.mod") {
        return Ok(Some(Found::new(Language::Go, framework(&manifest), "go.mod")));
    }
    if files.has("go.work") {
        return Ok(Some(Found::new(Language::Go, None, "go.work")));
    }
    if files.ending(".go").is_empty() {
        return Ok(None);
    }
    // A program below a module's root, such as cmd/server.
    let module = module_root(files, files.directory());
    let framework = module.and_then(|module| framework(&files.at(&module).hint("go.mod")));
    Ok(Some(Found::new(Language::Go, framework, "Go sources")))
}

fn framework(manifest: &str) -> Option<Framework> {
    FRAMEWORKS.iter().find(|(_, module)| manifest.contains(module)).map(|(framework, _)| *framework)
}

/// The nearest directory at or above `directory` that has a `go.mod`.
fn module_root(files: &Files<'_>, directory: &str) -> Option<String> {
    let mut directory = directory;
    loop {
        if files.at(directory).has("go.mod") {
            return Some(directory.to_owned());
        }
        if directory.is_empty() {
            return None;
        }
        directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

/// Whether a directory holds a program.
fn is_program(files: &Files<'_>) -> bool {
    let sources = files.ending(".go");
    sources
        .iter()
        .filter(|name| !name.ends_with("_test.go"))
        .take(20)
        .any(|name| files.beginning(name).lines().any(|line| line.trim() == "package main" || line.starts_with("package main ")))
}

/// The modules that a workspace uses.
fn uses(files: &Files<'_>) -> Vec<String> {
    let text = files.hint("go.work");
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines().map(|line| line.split("//").next().unwrap_or_default().trim()) {
        match line {
            "use (" => inside = true,
            ")" => inside = false,
            _ if inside => found.push(line),
            _ => found.extend(line.strip_prefix("use ").map(str::trim)),
        }
    }
    let clean = |path: &str| path.trim_matches('"').trim_start_matches("./").trim_end_matches('/').to_owned();
    found.into_iter().filter(|path| !path.is_empty() && !path.contains("..")).map(clean).collect()
}

pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    if !files.has("go.work") || is_program(files) {
        return Ok(Vec::new());
    }
    Ok(uses(files).into_iter().filter(|member| is_program(&files.below(member))).collect())
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let app = project.files.directory();
    let module = module_root(&project.files, app);
    let module_files = project.root.at(module.as_deref().unwrap_or(app));
    let manifest = module_files.text("go.mod")?.unwrap_or_default();
    let line =
        |word: &str| manifest.lines().find_map(|line| line.trim().strip_prefix(word)).map(|rest| rest.split("//").next().unwrap_or_default().trim().to_owned());
    let mut declared = Vec::new();
    declared.extend(project.files.line(".go-version")?.map(|line| (line, project.path(".go-version"))));
    declared.extend(tool_versions(&module_files, &["golang", "go"]));
    // Go itself ignores a toolchain that is older than its line.
    let numbers = |text: &Option<String>| text.as_deref().and_then(super::super::version::numbers).map(|(numbers, _)| numbers);
    let (toolchain, go) = (line("toolchain go"), line("go "));
    let toolchain = toolchain.filter(|text| numbers(&Some(text.clone())) >= numbers(&go));
    declared.extend(toolchain.map(|text| (text, format!("toolchain in {}", module_files.path("go.mod")))));
    declared.extend(go.map(|text| (text, module_files.path("go.mod"))));
    let work = project.root.hint("go.work");
    declared.extend(work.lines().find_map(|line| line.strip_prefix("go ")).map(|text| (text.trim().to_owned(), "go.work".to_owned())));
    let images = project.version_in("go", draft, declared, |row, wanted| match wanted {
        Some((text, place)) if !text.contains(['<', '>', '^', '~', '*']) => table::choose_at_least(row, text, place),
        other => table::choose(row, other),
    })?;

    let package = program(project, module_files.directory())?;
    let name = [app.rsplit('/').next().unwrap_or(app), package.rsplit('/').next().unwrap_or(&package), "app"]
        .into_iter()
        .find(|name| !name.is_empty() && *name != ".")
        .unwrap_or("app")
        .to_owned();
    let name: String = if name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) { name } else { "app".to_owned() };
    draft.package_manager = module.as_ref().map(|_| "go modules".to_owned());
    draft.because(format!("the program is {package}"));

    let workspace = if project.root.has("go.work") { uses(&project.root) } else { Vec::new() };
    let top = if workspace.is_empty() { module_files.directory().to_owned() } else { String::new() };
    let cgo = manifest.contains("mattn/go-sqlite3")
        || manifest.contains("confluent-kafka-go")
        || manifest.contains("h2non/bimg")
        || project.files.ending(".go").iter().take(50).any(|name| project.files.beginning(name).contains("import \"C\""));
    let mut manifests: Vec<String> = Vec::new();
    let places: Vec<String> = if workspace.is_empty() { vec![top.clone()] } else { workspace.clone() };
    manifests.extend(project.root.first(&["go.work"]).filter(|_| !workspace.is_empty()).map(str::to_owned));
    manifests.extend(project.root.first(&["go.work.sum"]).filter(|_| !workspace.is_empty()).map(str::to_owned));
    for place in &places {
        let files = project.root.at(place);
        manifests.extend(["go.mod", "go.sum"].iter().filter(|name| files.has(name)).map(|name| files.path(name)));
    }
    let vendored = module_files.has_directory("vendor");
    let caches = ["/go/pkg/mod", "/root/.cache/go-build"];
    let from = match app.strip_prefix(top.as_str()).unwrap_or(app).trim_start_matches('/') {
        "" => package.clone(),
        inner if package == "." => format!("./{inner}"),
        inner => format!("./{inner}/{}", package.trim_start_matches("./")),
    };
    let mut build = Stage::image("build", &images.build).workdir("/src").env([("CGO_ENABLED", if cgo { "1" } else { "0" }), ("GOTOOLCHAIN", "local")]);
    build = build.apt(&["tini"]);
    if module.is_some() || !workspace.is_empty() {
        build = build.copy_in_place(&manifests, &top);
        if vendored {
            draft.because("no download: the dependencies are in vendor");
        } else if manifests.iter().any(|file| file.ends_with("go.sum")) {
            build = build.run_cached("go mod download", &caches[..1]);
        }
    } else {
        draft.because("there is no go.mod: the sources are built as they are");
    }
    let here = if top.is_empty() { ".".to_owned() } else { format!("{top}/") };
    build = build.copy([here], "./");
    let flags = if cgo { " -ldflags='-s -w -linkmode external -extldflags -static'" } else { " -ldflags='-s -w'" };
    let sources = if module.is_some() || !workspace.is_empty() { word(&from) } else { "./*.go".to_owned() };
    let tags = if cgo { " -tags netgo,osusergo" } else { "" };
    let command = project.build_command(draft, Some(format!("go build -trimpath{tags}{flags} -o /out/{name} {sources}"))).unwrap_or_default();
    build = build.run_cached(command, &caches);
    draft.because(if cgo {
        "the program is linked statically; CGO is on, because a dependency is written in C"
    } else {
        "the program is linked statically: CGO is off"
    });

    project.start(draft, |draft| {
        draft.because("start command: the program itself");
        Ok(Start { program: vec![format!("/usr/local/bin/{name}")], variables: Vec::new() })
    })?;
    let main = if package == "." { project.files.at(app) } else { project.root.at(crate::wizard::tree::join(app, package.trim_start_matches("./")).as_str()) };
    let sources: Vec<String> = main.ending(".go").iter().take(20).map(|name| main.hint(name)).collect();
    let web = ["\"net/http\"", "net.Listen(", "gorilla/mux", "go-chi/chi", "grpc.NewServer", "fasthttp"];
    let listens = draft.framework.is_some()
        || sources.iter().any(|source| web.iter().any(|word| source.contains(word)))
        || ["go-chi/chi", "gorilla/mux", "fasthttp"].iter().any(|word| manifest.contains(word));
    project.port(draft, listens, 8080, &sources);
    draft.ignore.extend(["bin", "*.test", "*.out"]);
    let mut last = Stage::last(From::Image(images.run.clone())).workdir("/app").copy_from("build", "/usr/bin/tini-static", "/sbin/tini").copy_from(
        "build",
        "/out/",
        "/usr/local/bin/",
    );
    // What the program may read when it runs.
    for directory in ["templates", "static", "public", "assets", "web", "views", "migrations", "config"] {
        if project.files.has_directory(directory) {
            last = last.copy([format!("{}/", project.path(directory))], format!("{directory}/"));
        }
    }
    if !project.choices.packages.is_empty() {
        return Err(Error::invalid("plan build", "packages of Debian cannot be installed in the small image of a Go program")
            .with_hint("leave them out, or write a Dockerfile by hand"));
    }
    let last = project.end(draft, last, Check::Busybox, Some("/sbin/tini"));
    draft.stages.extend([build, test_stage("build"), last]);
    Ok(())
}

/// The package of the program, relative to the app.
fn program(project: &Project<'_>, module: &str) -> Result<String> {
    let files = &project.files;
    if is_program(files) {
        return Ok(".".to_owned());
    }
    if files.directory() != module && !module.is_empty() && files.entries().is_empty() {
        return Err(Error::invalid("plan build", format!("{} has no Go program", files.directory())));
    }
    let commands = files.below("cmd");
    let found: Vec<String> = commands.directories().into_iter().filter(|name| is_program(&commands.below(name))).map(str::to_owned).collect();
    match found.as_slice() {
        [only] => return Ok(format!("./cmd/{only}")),
        [] if is_program(&commands) => return Ok("./cmd".to_owned()),
        [] => {}
        several => {
            // One that is called like the module is the one that people mean.
            let named = project
                .root
                .at(module)
                .hint("go.mod")
                .lines()
                .find_map(|line| line.strip_prefix("module "))
                .and_then(|module| module.trim().rsplit('/').next().map(str::to_owned));
            if let Some(name) = several.iter().find(|name| {
                Some(*name) == named.as_ref()
                    || *name == "server" && several.iter().all(|other| other == "server" || ["migrate", "cli", "worker", "seed"].contains(&other.as_str()))
            }) {
                return Ok(format!("./cmd/{name}"));
            }
            let candidates = several.iter().map(|name| files.path(&format!("cmd/{name}"))).collect();
            return Err(ambiguous("the module has several programs", candidates, "choose one with --app"));
        }
    }
    let elsewhere: Vec<String> = files
        .search(3, |path| path.ends_with("/main.go"))
        .into_iter()
        .filter_map(|path| path.strip_suffix("/main.go").map(str::to_owned))
        .filter(|directory| is_program(&files.below(directory)))
        .collect();
    match elsewhere.as_slice() {
        [only] => Ok(format!("./{only}")),
        [] => Err(Error::invalid("plan build", "the module has no program: nothing is in package main")
            .with_hint("a library is not delivered; say where the program is with --app")),
        several => Err(ambiguous("the module has several programs", several.iter().map(|name| files.path(name)).collect(), "choose one with --app")),
    }
}
