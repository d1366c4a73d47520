//! Node.js and Bun, with the sites that they build.

mod framework;
mod manager;
mod package;
mod start;

use super::{Check, Draft, Found, Project, Strength, TINI, plain, test_stage, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::Files;
use crate::wizard::start::Start;
use crate::wizard::tree::join;
use crate::wizard::{Framework, Language};
use framework::Output;
use manager::{Kind, Manager};
use package::Package;

/// Manifests of servers in other languages, beside which pages are often built with Node.js.
const SERVERS: [&str; 5] = ["composer.json", "Gemfile", "manage.py", "mix.exs", "artisan"];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let Some(package) = Package::read(files)? else {
        return Ok(integrated(files)?.map(|framework| Found::new(Language::Node, framework, "project.json of Nx")));
    };
    let framework = framework::detect(&package);
    let manager = Manager::detect(files, &package);
    let start = package.script("start").unwrap_or_default();
    let starts_bun = start.starts_with("bun ") || start.starts_with("bunx ");
    let needs_node = package.text(&["engines", "node"]).is_some() || start.starts_with("node ");
    let servers = !matches!(framework, Some(Framework::Hono | Framework::Express | Framework::Fastify) | None);
    let bun = starts_bun || (manager.kind == Kind::Bun && !needs_node && !servers);
    let found = Found::new(if bun { Language::Bun } else { Language::Node }, framework, "package.json");
    let runs = !start.is_empty() || start::find(files, &package, bun, true, package.script("build").is_some()).is_some();
    let beside = framework::is_bundler(framework) && (SERVERS.iter().any(|name| files.has(name)) || !files.ending("proj").is_empty());
    Ok(Some(match framework {
        _ if beside => found.weaker(Strength::Weak),
        None if !runs => found.weaker(if package.has("dependencies") || package.has("scripts") { Strength::Aside } else { Strength::Weak }),
        _ => found,
    }))
}

/// The framework of an app of an Nx workspace with one `package.json` for all; the outer none when it is not such an app.
fn integrated(files: &Files<'_>) -> Result<Option<Option<Framework>>> {
    if files.directory().is_empty() || !files.has("project.json") {
        return Ok(None);
    }
    let project = files.hint("project.json");
    let signs = [("next:", Framework::Next), ("angular", Framework::Angular), ("vite:", Framework::Vite), ("expo:", Framework::Expo)];
    Ok(Some(signs.iter().find(|(sign, _)| project.contains(sign)).map(|(_, framework)| *framework)))
}

/// The apps of a workspace; none when its root is one, or says which one it starts.
pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    let Some(package) = Package::read(files)? else { return Ok(Vec::new()) };
    if files.has("nx.json") && files.has_directory("apps") {
        let apps = files.below("apps");
        let found: Vec<_> = apps
            .directories()
            .into_iter()
            .filter(|name| apps.has(&format!("{name}/project.json")) && !name.ends_with("-e2e"))
            .map(|name| format!("apps/{name}"))
            .collect();
        if found.iter().all(|app| !files.has(&format!("{app}/package.json"))) && !found.is_empty() {
            return Ok(found);
        }
    }
    let members = package::members(files, &package)?;
    if members.is_empty() {
        return Ok(members);
    }
    let root_start = package.script("start").unwrap_or_default();
    let delegates =
        ["turbo", "cd ", "--filter", "-F ", "--workspace", "-w ", "workspace ", "nx ", "lerna", "moon "].iter().any(|word| root_start.contains(word));
    if (!root_start.is_empty() && !delegates) || framework::detect(&package).is_some_and(|framework| framework != Framework::Vite) {
        return Ok(Vec::new());
    }
    let mut apps = Vec::new();
    for member in members {
        let Some(package) = Package::read(&files.below(&member))? else { continue };
        let name = package.text(&["name"]).unwrap_or(&member);
        let enters = root_start.starts_with(&format!("cd {member} ")) || root_start.starts_with(&format!("cd ./{member} "));
        let named = enters || delegates && root_start.split([' ', '=']).any(|word| word == name || word.trim_start_matches("./") == member);
        if named {
            return Ok(vec![member]);
        }
        let library = package.text(&["exports"]).is_some() && package.script("start").is_none();
        let app = package.script("start").is_some()
            || framework::detect(&package).is_some_and(|framework| framework != Framework::Vite || package.script("build").is_some());
        if app && !library {
            apps.push(member);
        }
    }
    Ok(apps)
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let app = project.files.directory();
    let top = project.workspace_root(|files, member| {
        let Some(package) = Package::read(files)? else { return Ok(false) };
        Ok(package::members(files, &package)?.iter().any(|one| one == member) || (files.has("nx.json") && !project.files.has("package.json")))
    })?;
    let install = project.root.at(&top);
    let root_package = Package::read(&install)?.unwrap_or_else(Package::empty);
    let package = Package::read(&project.files)?.unwrap_or_else(Package::empty);
    if package.depends("electron") && draft.framework.is_none() && project.choices.start.is_none() {
        return Err(Error::invalid("plan build", "this is an Electron app, which is built for desktops")
            .with_hint("choose a server's directory with --app, or say with --start what runs here"));
    }
    let nx = install.has("nx.json") && !project.files.has("package.json");
    let members = package::members(&install, &root_package)?;
    let inner = app.strip_prefix(top.as_str()).unwrap_or(app).trim_start_matches('/').to_owned();
    if !inner.is_empty() {
        draft.because(format!(
            "the app is a member of the workspace in {}, whose lockfile and manifests are used",
            if top.is_empty() { "the root" } else { top.as_str() }
        ));
    }

    if let Some(name) = package.workspace_dependency().filter(|_| inner.is_empty() && members.is_empty()) {
        return Err(Error::invalid("plan build", format!("{} needs {name} of its workspace, whose root is not here", project.path("package.json")))
            .with_hint("give the root of the repository, and this directory with --app"));
    }
    let rivals = Manager::rivals(&install, &root_package);
    if !rivals.is_empty() {
        return Err(super::ambiguous(
            "there are lockfiles of several package managers",
            rivals,
            "remove all but one, or say which in the field packageManager of package.json",
        ));
    }

    let bun = draft.language == Language::Bun;
    let mut manager = Manager::detect(&install, &root_package);
    if bun && manager.kind != Kind::Bun && !install.has("package-lock.json") && !install.has("yarn.lock") && !install.has("pnpm-lock.yaml") {
        manager.kind = Kind::Bun;
    }
    draft.because(&manager.reason);
    draft.package_manager = Some(manager.name().to_owned());
    let images =
        project.version(draft, if bun { bun_versions(&project.files, &install) } else { node_versions(&project.files, &install, &package, &root_package)? })?;

    let mut notes = Vec::new();
    let output =
        if nx { nx_output(draft.framework, &inner, &mut notes) } else { framework::output(draft.framework, &project.files, &package, &inner, &mut notes)? };
    notes.into_iter().for_each(|note| draft.because(note));
    let build = build_command(project, draft, &manager, &package, &root_package, &inner, nx);
    let turbo = build.as_ref().is_some_and(|command| command.contains("turbo"));
    let before = if nx || turbo || build.is_none() { Vec::new() } else { package::local_builds(&install, &members, &package)? };
    draft.ignore.extend(["node_modules", "**/node_modules", "dist", ".next", ".nuxt", ".output", ".svelte-kit", ".turbo", ".nx", "coverage"]);
    if build.is_none() {
        draft.ignore.retain(|line| *line != "dist");
    }

    // From manifests to modules.
    let packages = system_packages(&install, &members, &package, &root_package);
    let mut base = Stage::image("base", &images.build).workdir("/app").apt(&project.packages(&packages.0));
    let husky = root_package.depends("husky").then_some(("HUSKY", "0"));
    base = base.env(manager.variables().iter().copied().chain(husky).chain(packages.1.iter().copied()));
    if let Some(setup) = manager.setup().filter(|_| !(bun && manager.kind == Kind::Bun)) {
        base = base.run(setup);
    }
    let sources_first = hook(&root_package).map(str::to_owned);
    let mut dependencies = Stage::on("dependencies", "base");
    let here = if top.is_empty() { ".".to_owned() } else { format!("{top}/") };
    match &sources_first {
        Some(hook) => {
            draft.because(format!("the sources are copied before the install, because the script {hook} of package.json needs them"));
            dependencies = dependencies.copy([here.clone()], "./");
        }
        None => {
            dependencies = dependencies.copy_in_place(&package::manifests(&install, &members), &top);
            let mut places = vec![top.clone(), app.to_owned()];
            places.extend(members.iter().map(|member| join(&top, member)));
            let mut needed: Vec<String> = Vec::new();
            for place in places {
                let files = project.root.at(&place);
                let own = Package::read(&files)?.map(|package| package.needed_files()).unwrap_or_default();
                let usual = ["prisma", "patches", ".yarn/releases", ".yarn/plugins", ".yarn/patches"].map(str::to_owned);
                needed.extend(usual.into_iter().chain(own).map(|path| join(&place, &path)));
            }
            if let Some(settings) = install.yaml("pnpm-workspace.yaml").ok().flatten()
                && let Some(patched) = settings.get("patchedDependencies").and_then(serde_json::Value::as_object)
            {
                needed.extend(patched.values().filter_map(|path| path.as_str()).map(|path| join(&top, path.trim_start_matches("./"))));
            }
            needed.sort();
            needed.dedup();
            let all = needed.clone();
            needed.retain(|path| !all.iter().any(|other| path.starts_with(&format!("{other}/")) && project.root.has_directory(other)));
            for there in needed {
                let target = there.strip_prefix(top.as_str()).unwrap_or(&there).trim_start_matches('/').to_owned();
                if project.root.has_directory(&there) {
                    dependencies = dependencies.copy([format!("{there}/")], format!("{target}/"));
                } else if project.root.has(&there) {
                    dependencies = dependencies.copy([there], format!("./{target}"));
                }
            }
        }
    }
    let nothing = |package: &Package| !package.has("dependencies") && !package.has("devDependencies") && !package.has("optionalDependencies");
    if nothing(&package) && nothing(&root_package) && members.is_empty() {
        draft.because("nothing is installed: there are no dependencies");
    } else {
        dependencies = dependencies.run_cached(manager.install(), &[manager.cache()]);
    }
    let mut build_stage = Stage::on("build", "dependencies").copy([here.clone()], "./");
    for member in before {
        draft.because(format!("{member} is built first, because the app needs it"));
        build_stage = build_stage.workdir(format!("/app/{member}")).run(manager.run("build"));
    }
    if !inner.is_empty() && !nx {
        build_stage = build_stage.workdir(format!("/app/{inner}"));
    }
    build_stage = build_stage.env(framework::variables(draft.framework).iter().filter(|(name, _)| name.contains("TELEMETRY")).copied());
    if let Some(command) = &build {
        build_stage = match draft.framework {
            Some(Framework::Next) => build_stage.run_cached(command, &[&format!("/app/{}", join(&inner, ".next/cache"))]),
            _ => build_stage.run(command),
        };
    }
    draft.stages.extend([base, dependencies, build_stage, test_stage("build")]);

    if let Output::Site { directory, fallback } = output {
        let from = format!("/app/{}/", join(if nx { "" } else { &inner }, &directory));
        return plain::site(project, draft, plain::Pages::Stage { directory: from, fallback });
    }
    let workdir = if inner.is_empty() || nx || matches!(output, Output::Server { .. }) { "/app".to_owned() } else { format!("/app/{inner}") };
    project.start(draft, |draft| {
        let known = match &output {
            Output::Server { start, .. } | Output::Beside { start: Some(start) } => Some(start.clone()),
            _ => None,
        };
        if let Some(program) = known {
            draft.because(format!("start command: what {} makes", draft.framework.map_or("the build", Framework::title)));
            return Ok(Start { program, variables: Vec::new() });
        }
        // Since version 23, Node.js takes the types out itself.
        let typed = bun || crate::wizard::version::numbers(&images.version).is_some_and(|(numbers, _)| numbers[0] > 22);
        let found = start::find(&project.files, &package, bun, typed, build.is_some());
        let (start, why) = found.ok_or_else(|| {
            crate::Error::invalid("plan build", format!("nothing in {} says how it starts", project.path("package.json")))
                .with_hint("add a start script, or say it with --start")
        })?;
        draft.because(format!("start command: {why}"));
        Ok(start)
    })?;
    let sources: Vec<String> = draft
        .start
        .program
        .iter()
        .skip(1)
        .chain(&["src/index.ts".to_owned(), "src/main.ts".to_owned(), "index.ts".to_owned()])
        .filter(|word| word.contains('.') && !word.contains(' '))
        .map(|file| project.files.hint(file))
        .collect();
    let names_server = |source: &String| ["listen(", "createServer", "Bun.serve", "serve("].iter().any(|word| source.contains(word));
    let listens = draft.framework.is_some()
        || sources.iter().any(names_server)
        || package.depends_on_any(&["polka", "restify", "@hapi/hapi", "elysia", "ws", "socket.io", "micro", "h3"]);
    let served_by_framework = matches!(output, Output::Server { .. } | Output::Beside { start: Some(_) });
    project.port(draft, listens, framework::port(draft.framework), if served_by_framework { &[] } else { &sources });

    // From modules to the image.
    let uses_development = development_program(&draft.start, &package);
    let mut last = Stage::last(From::Image(images.run.clone())).workdir("/app");
    last = last.apt(&project.packages(&[packages.0.as_slice(), &["tini"]].concat()));
    // Next.js writes pages that it renders later beside those of the build.
    let next = draft.framework == Some(Framework::Next) && !nx && served_by_framework && build.is_some() && matches!(output, Output::Beside { .. });
    last = last.env([("NODE_ENV", "production")]).env(framework::variables(draft.framework).iter().copied()).env(packages.1.iter().copied());
    match output {
        Output::Server { directories, .. } => {
            for (from, to) in directories {
                let from = format!("/app/{}", join(&inner, &from));
                last = if draft.framework == Some(Framework::Next) { last.copy_owned("build", from, to) } else { last.copy_from("build", from, to) };
            }
        }
        _ => {
            let prune = manager.prune().filter(|_| (root_package.has("devDependencies") || package.has("devDependencies")) && !uses_development);
            if uses_development {
                draft.because("development dependencies stay in the image, because the start command is one of them");
            } else if prune.is_none() && (root_package.has("devDependencies") || package.has("devDependencies")) {
                draft.because("development dependencies stay in the image, because this package manager cannot leave them out of what is locked");
            }
            // What the build generates into the modules must be in the image.
            let generates = build.is_some() && packages.0.contains(&"openssl");
            let modules = match prune {
                Some(prune) if generates => {
                    draft.because("production dependencies are taken from the build, because Prisma generates its client into them");
                    draft.stages.push(Stage::on("production", "build").workdir("/app").run_cached(prune, &[manager.cache()]));
                    "production"
                }
                Some(prune) => {
                    draft.stages.push(Stage::on("production", "dependencies").run_cached(prune, &[manager.cache()]));
                    "production"
                }
                None => "dependencies",
            };
            let has_modules = root_package.has("dependencies") || package.has("dependencies") || uses_development || !members.is_empty();
            if has_modules {
                last = last.copy_from(modules, "/app", "./");
            }
            if build.is_some() && modules == "production" && generates {
                // The stage has both.
            } else if build.is_some() {
                let pages = if next { format!(" && rm -rf /app/{}", join(&inner, ".next")) } else { String::new() };
                draft.stages.push(Stage::on("output", "build").run(format!("find /app -name node_modules -type d -prune -exec rm -rf {{}} +{pages}")));
                last = last.copy_from("output", "/app", "./");
            } else {
                last = last.copy([here], "./");
            }
        }
    }
    if next {
        last = last.copy_owned("build", format!("/app/{}", join(&inner, ".next")), format!("/app/{}", join(&inner, ".next")));
    }
    if workdir != "/app" {
        last = last.workdir(workdir);
    }
    // Neither runtime ends on SIGTERM as process 1 without a handler of the program's own.
    let last = project.end(draft, last, if bun { Check::Bun } else { Check::Node }, Some(TINI));
    draft.stages.push(last);
    Ok(())
}

/// Node.js as a tool beside another language.
pub(super) struct Tools {
    /// The image that it is copied from.
    pub(super) image: String,
    /// The files that the install reads.
    pub(super) manifests: Vec<String>,
    /// Gets the package manager.
    pub(super) setup: Option<String>,
    /// Installs what is locked.
    pub(super) install: &'static str,
}

/// What builds the pages of a server in another language: Node.js and the package manager in the versions that the project asks for.
pub(super) fn tools(project: &Project<'_>, draft: &mut Draft) -> Result<Tools> {
    let package = Package::read(&project.files)?.unwrap_or_else(Package::empty);
    let manager = Manager::detect(&project.files, &package);
    let declared = node_versions(&project.files, &project.root, &package, &package)?;
    let asked = declared.first().map(|(text, place)| (text.as_str(), place.as_str()));
    let chosen = crate::wizard::table::choose("node", asked)?;
    draft.because(format!("Node.js {} with {}", chosen.version, manager.name()));
    let manifests = package::manifests(&project.files, &[]);
    Ok(Tools { image: chosen.run.clone(), manifests, setup: manager.setup(), install: manager.install() })
}

impl Package {
    fn empty() -> Self {
        Self::new(serde_json::Value::Null)
    }
}

/// The version of Node.js, in the order in which tools look for it.
fn node_versions(files: &Files<'_>, root: &Files<'_>, package: &Package, root_package: &Package) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for place in [files, root] {
        for name in [".nvmrc", ".node-version"] {
            found.extend(place.line(name)?.map(|line| (codename(&line), place.path(name))));
        }
        found.extend(tool_versions(place, &["nodejs", "node"]).into_iter().map(|(text, place)| (codename(&text), place)));
    }
    for (place, package) in [(files, package), (root, root_package)] {
        for keys in [["engines", "node"], ["volta", "node"]] {
            found.extend(package.text(&keys).map(|text| (codename(text), format!("{} of {}", keys[0], place.path("package.json")))));
        }
    }
    Ok(found)
}

/// The names of long-term releases, as nvm knows them.
fn codename(text: &str) -> String {
    let lower = text.trim().to_ascii_lowercase();
    let name = lower.strip_prefix("lts/").unwrap_or(&lower);
    let line = match name {
        "*" | "lts" | "lts/*" | "latest" | "node" | "stable" | "current" => "*",
        "fermium" => "14",
        "gallium" => "16",
        "hydrogen" => "18",
        "iron" => "20",
        "jod" => "22",
        "krypton" => "24",
        other => other,
    };
    line.trim_start_matches("node-").to_owned()
}

fn bun_versions(files: &Files<'_>, root: &Files<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for place in [files, root] {
        found.extend(place.line(".bun-version").ok().flatten().map(|line| (line, place.path(".bun-version"))));
        found.extend(tool_versions(place, &["bun"]));
        let package = Package::read(place).ok().flatten();
        found.extend(
            package
                .as_ref()
                .and_then(|package| package.text(&["engines", "bun"]))
                .map(|text| (text.to_owned(), format!("engines of {}", place.path("package.json")))),
        );
        let declared = package.as_ref().and_then(|package| package.text(&["packageManager"])?.strip_prefix("bun@").map(str::to_owned));
        found.extend(declared.map(|text| (text, format!("packageManager of {}", place.path("package.json")))));
    }
    found.into_iter().map(|(text, place)| (if text == "latest" { "*".to_owned() } else { text }, place)).collect()
}

/// A script that runs during the install and needs more than manifests.
fn hook(package: &Package) -> Option<&'static str> {
    const HARMLESS: [&str; 7] = ["husky", "lefthook", "simple-git-hooks", "prisma generate", "is-ci", "patch-package", "only-allow"];
    ["preinstall", "install", "postinstall", "prepare"]
        .into_iter()
        .find(|name| package.script(name).is_some_and(|script| !HARMLESS.iter().any(|word| script.contains(word))))
}

/// Packages of Debian and variables that dependencies need when they run.
fn system_packages(install: &Files<'_>, members: &[String], package: &Package, root: &Package) -> (Vec<&'static str>, Vec<(&'static str, &'static str)>) {
    let (mut packages, mut variables) = (Vec::new(), Vec::new());
    let of_member =
        |names: &[&str]| members.iter().any(|member| Package::read(&install.below(member)).ok().flatten().is_some_and(|package| package.depends_on_any(names)));
    let depends = |names: &[&str]| package.depends_on_any(names) || root.depends_on_any(names) || of_member(names);
    if depends(&["@prisma/client", "prisma"]) {
        packages.push("openssl");
    }
    if package.in_production("puppeteer") || root.in_production("puppeteer") {
        packages.push("chromium");
        variables.extend([("PUPPETEER_SKIP_DOWNLOAD", "true"), ("PUPPETEER_EXECUTABLE_PATH", "/usr/bin/chromium")]);
    }
    (packages, variables)
}

fn build_command(
    project: &Project<'_>,
    draft: &mut Draft,
    manager: &Manager,
    package: &Package,
    root_package: &Package,
    inner: &str,
    nx: bool,
) -> Option<String> {
    let found = if nx {
        let name = inner.rsplit('/').next().unwrap_or(inner);
        draft.because("build command: nx, which knows what the app needs");
        Some(format!("npx nx build {}", word(name)))
    } else if !inner.is_empty() && root_package.depends("turbo") && package.script("build").is_some() {
        let name = package.text(&["name"]).unwrap_or(inner);
        draft.because("build command: turbo, which builds what the app needs before it");
        let up = "../".repeat(inner.split('/').count());
        Some(format!("{up}node_modules/.bin/turbo run build --filter={}...", word(name)))
    } else if let Some(script) = package.script("build") {
        draft.because(format!("build command: the script build of package.json: {script}"));
        Some(manager.run("build"))
    } else {
        match draft.framework {
            Some(Framework::Expo) => Some("npx expo export --platform web".to_owned()),
            Some(Framework::Next) => Some("node_modules/.bin/next build".to_owned()),
            Some(Framework::Vite) if !package.has("scripts") => Some("node_modules/.bin/vite build".to_owned()),
            _ => None,
        }
    };
    project.build_command(draft, found)
}

/// What `nx build` leaves of an app: everything below `dist`.
fn nx_output(framework: Option<Framework>, inner: &str, notes: &mut Vec<String>) -> Output {
    notes.push("the app is built by Nx from one package.json for all".to_owned());
    match framework {
        Some(Framework::Next) => {
            Output::Beside { start: Some(["node", "node_modules/next/dist/bin/next", "start", &format!("dist/{inner}")].map(str::to_owned).to_vec()) }
        }
        Some(Framework::Vite | Framework::Angular | Framework::Expo) => Output::Site { directory: format!("dist/{inner}"), fallback: true },
        _ => Output::Beside { start: Some(vec!["node".to_owned(), format!("dist/{inner}/main.js")]) },
    }
}

/// Whether the program that starts is a development dependency.
fn development_program(start: &Start, package: &Package) -> bool {
    let Some(name) = start.program.first().and_then(|program| program.strip_prefix("node_modules/.bin/")) else { return false };
    let owners: &[&str] = match name {
        "tsc" => &["typescript"],
        "remix-serve" => &["@remix-run/serve"],
        "react-router-serve" => &["@react-router/serve"],
        "nest" => &["@nestjs/cli"],
        _ => &[name],
    };
    owners.iter().all(|owner| !package.in_production(owner)) && package.has("devDependencies")
}
