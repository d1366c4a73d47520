//! One file per language: what shows that a project is written in it, and how it is built.

mod beam;
mod clojure;
mod compiled;
mod deno;
mod dotnet;
mod go;
mod gradle;
mod jvm;
mod maven;
mod node;
mod php;
mod plain;
mod python;
mod ruby;
mod rust;
mod scala;

use super::dockerfile::{End, Stage, one_line};
use super::files::Files;
use super::start::{self, Start};
use super::table::{self, Chosen, Wanted};
use super::tree::Tree;
use super::{Choices, Framework, Language, Plan};
use crate::error::{Error, Result};

/// How sure it is that the project is one of this language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// There are files of it, and nothing to start.
    Weak,
    /// It is a side of many projects: a site's pages, a script, a native part.
    Aside,
    /// There is a manifest, or a program.
    Plain,
    /// There is a framework for servers or sites.
    Framework,
}

/// What shows that a project is written in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) language: Language,
    pub(super) framework: Option<Framework>,
    pub(super) strength: Strength,
    /// The file that shows it.
    pub(super) evidence: String,
}

impl Found {
    fn new(language: Language, framework: Option<Framework>, evidence: impl Into<String>) -> Self {
        let strength = if framework.is_some() { Strength::Framework } else { Strength::Plain };
        Self { language, framework, strength, evidence: evidence.into() }
    }

    fn weaker(mut self, strength: Strength) -> Self {
        self.strength = strength;
        self
    }
}

/// Every language that shows in a directory.
pub(super) fn detect(files: &Files<'_>) -> Result<Vec<Found>> {
    let all = [
        node::detect(files)?,
        deno::detect(files)?,
        python::detect(files)?,
        jvm::detect(files)?,
        scala::detect(files),
        clojure::detect(files),
        go::detect(files)?,
        rust::detect(files)?,
        php::detect(files)?,
        ruby::detect(files)?,
        dotnet::detect(files)?,
        beam::detect(files)?,
        compiled::detect(files)?,
        plain::detect(files)?,
    ];
    Ok(all.into_iter().flatten().collect())
}

/// The apps that a workspace of one language holds, by directory; empty when the project is an app itself.
pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    for members in [node::members(files)?, rust::members(files)?, go::members(files)?, python::members(files)?, jvm::members(files)?, dotnet::members(files)?] {
        if !members.is_empty() {
            return Ok(members);
        }
    }
    Ok(Vec::new())
}

/// The languages that a framework is for.
pub(super) fn of_framework(framework: Framework) -> &'static [Language] {
    use Framework as F;
    match framework {
        F::Fresh => &[Language::Deno],
        F::Django | F::Flask | F::FastApi | F::FastHtml | F::Streamlit => &[Language::Python],
        F::SpringBoot | F::Quarkus | F::Micronaut | F::Ktor => &[Language::Java, Language::Kotlin],
        F::Gin | F::Echo | F::Fiber => &[Language::Go],
        F::Rails | F::Sinatra => &[Language::Ruby],
        F::Laravel | F::Symfony => &[Language::Php],
        F::Phoenix => &[Language::Elixir],
        F::AspNetCore => &[Language::Dotnet],
        F::Axum | F::Actix | F::Rocket => &[Language::Rust],
        F::Vapor => &[Language::Swift],
        _ => &[Language::Node, Language::Bun],
    }
}

/// The row of the table that a language's versions are in.
pub(super) fn row(language: Language) -> &'static str {
    match language {
        Language::Kotlin | Language::Scala | Language::Clojure => "java",
        other => other.as_str(),
    }
}

/// What a language plans with.
pub(super) struct Project<'a> {
    /// The app's directory.
    pub(super) files: Files<'a>,
    /// The root of the tree, which is the build's context.
    pub(super) root: Files<'a>,
    pub(super) found: Found,
    pub(super) choices: Choices,
}

/// A plan that grows.
pub(super) struct Draft {
    pub(super) language: Language,
    pub(super) framework: Option<Framework>,
    pub(super) version: Option<String>,
    pub(super) package_manager: Option<String>,
    pub(super) start: Start,
    pub(super) port: Option<u16>,
    pub(super) stages: Vec<Stage>,
    pub(super) ignore: Vec<&'static str>,
    pub(super) reasons: Vec<String>,
}

impl Draft {
    fn because(&mut self, reason: impl AsRef<str>) {
        self.reasons.push(one_line(reason.as_ref()));
    }
}

pub(super) fn plan(tree: &dyn Tree, app: &str, found: Found, choices: Choices) -> Result<Plan> {
    let project = Project { files: Files::new(tree, app), root: Files::new(tree, ""), found, choices };
    let mut draft = project.draft();
    use Language as L;
    match project.found.language {
        L::Node | L::Bun => node::plan(&project, &mut draft)?,
        L::Deno => deno::plan(&project, &mut draft)?,
        L::Python => python::plan(&project, &mut draft)?,
        L::Java | L::Kotlin => jvm::plan(&project, &mut draft)?,
        L::Scala => scala::plan(&project, &mut draft)?,
        L::Clojure => clojure::plan(&project, &mut draft)?,
        L::Go => go::plan(&project, &mut draft)?,
        L::Rust => rust::plan(&project, &mut draft)?,
        L::Php => php::plan(&project, &mut draft)?,
        L::Ruby => ruby::plan(&project, &mut draft)?,
        L::Dotnet => dotnet::plan(&project, &mut draft)?,
        L::Elixir | L::Gleam => beam::plan(&project, &mut draft)?,
        L::Swift | L::Dart | L::Haskell | L::Crystal | L::Zig | L::Cpp => compiled::plan(&project, &mut draft)?,
        L::Static | L::Shell => plain::plan(&project, &mut draft)?,
    }
    let Draft { language, framework, version, package_manager, start, port, stages, ignore, reasons } = draft;
    let app = app.to_owned();
    Ok(Plan { language, framework, version, package_manager, app, start: start.program, port, reasons, stages, ignore, choices: project.choices })
}

impl Project<'_> {
    fn draft(&self) -> Draft {
        let Found { language, framework, evidence, .. } = &self.found;
        let mut draft = Draft {
            language: *language,
            framework: *framework,
            version: None,
            package_manager: None,
            start: Start::default(),
            port: None,
            stages: Vec::new(),
            ignore: Vec::new(),
            reasons: Vec::new(),
        };
        draft.because(if self.choices.language.is_some() { format!("{}: chosen", language.title()) } else { format!("{}: {evidence}", language.title()) });
        if let Some(framework) = framework {
            let how = if self.choices.framework.is_some() { "chosen" } else { "a dependency of the project" };
            draft.because(format!("{}: {how}", framework.title()));
        }
        draft
    }

    /// The version that is chosen, or that the first of `declared` (text and place) asks for.
    fn version(&self, draft: &mut Draft, declared: Vec<(String, String)>) -> Result<Chosen> {
        self.version_in(row(draft.language), draft, declared, table::choose)
    }

    fn version_in(&self, row: &str, draft: &mut Draft, declared: Vec<(String, String)>, choose: fn(&str, Wanted<'_>) -> Result<Chosen>) -> Result<Chosen> {
        let mut declared: Vec<_> = declared.into_iter().filter(|(text, _)| !text.trim().is_empty()).collect();
        let mut seen = std::collections::BTreeSet::new();
        declared.retain(|one| seen.insert(one.clone()));
        let wanted = match &self.choices.version {
            Some(version) => Some((version.clone(), "the chosen version".to_owned())),
            None => declared.first().cloned(),
        };
        let chosen = choose(row, wanted.as_ref().map(|(text, place)| (text.as_str(), place.as_str())))?;
        draft.version = Some(chosen.version.clone());
        draft.because(match &wanted {
            Some((text, place)) => format!("version {}: {place} asks for {text}", chosen.version),
            None => format!("version {}: the project asks for none, so this is the default", chosen.version),
        });
        // The ecosystem has an order too, but a person may not know which of two files counts.
        let line = chosen.version.split('.').take(2).collect::<Vec<_>>().join(".");
        for (text, place) in &declared {
            let agrees = super::version::Requirement::parse(text).is_none_or(|asked| asked.within(&line).is_some() || asked.within(&chosen.version).is_some());
            if !agrees {
                draft.because(format!("{place} asks for {text}, which does not count"));
            }
        }
        Ok(chosen)
    }

    /// The start command: the chosen one, the Procfile's, or what the language found.
    fn start(&self, draft: &mut Draft, found: impl FnOnce(&mut Draft) -> Result<Start>) -> Result<()> {
        draft.start = match (&self.choices.start, start::procfile(&self.files.hint("Procfile"))) {
            (Some(command), _) => {
                draft.because("start command: chosen");
                start::parse(command)
            }
            (None, Some((process, command))) => {
                draft.because(format!("start command: the process {process} of the Procfile"));
                if self.files.hint("Procfile").lines().any(|line| line.starts_with("release:")) {
                    draft.because("the process release of the Procfile is not run: give it to the service as its release command");
                }
                start::parse(&command)
            }
            (None, None) => found(draft)?,
        };
        Ok(())
    }

    /// The port: the chosen one, the one that the source names, or the usual one of the framework; none for what does not listen.
    fn port(&self, draft: &mut Draft, listens: bool, usual: u16, sources: &[String]) {
        let assigned = draft.start.variables.iter().find(|(name, _)| name == "PORT").and_then(|(_, value)| value.parse().ok()).filter(|port| *port >= 1024);
        let in_start = assigned.or_else(|| super::port::in_source(&draft.start.program.join(" ")));
        let web = start::procfile(&self.files.hint("Procfile")).is_some_and(|(process, _)| process == "web");
        draft.port = match self.choices.port {
            Some(port) => {
                draft.because(format!("port {port}: chosen"));
                Some(port.number())
            }
            None if !listens && !web && in_start.is_none() => {
                draft.because("no port: nothing shows that the program listens");
                None
            }
            None => {
                let found = in_start.or_else(|| sources.iter().find_map(|source| super::port::in_source(source)));
                let port = found.unwrap_or(usual);
                draft.because(if found.is_some() { format!("port {port}: the source names it") } else { format!("port {port}: the usual one") });
                Some(port)
            }
        };
    }

    /// The last instructions of the image; `check` looks whether the port answers.
    fn end(&self, draft: &Draft, stage: Stage, check: Check, init: Option<&str>) -> Stage {
        let port = draft.port.map(|port| (port, check.command(port)));
        let listens = draft.port.map(|port| ("PORT".to_owned(), port.to_string()));
        let mut variables: Vec<_> = listens.into_iter().filter(|_| check != Check::Nginx).collect();
        variables.extend(draft.start.variables.iter().filter(|(name, _)| name != "PORT").cloned());
        stage.env(variables).finish(End { start: &draft.start.program, port, init })
    }

    /// The nearest directory above the app that counts it as a member of its workspace, or the app's own. `counts` is given a directory and the
    /// app's path below it.
    fn workspace_root(&self, counts: impl Fn(&Files<'_>, &str) -> Result<bool>) -> Result<String> {
        let app = self.files.directory();
        let mut directory = app;
        while !directory.is_empty() {
            directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
            let member = app.strip_prefix(directory).unwrap_or(app).trim_start_matches('/');
            if counts(&self.root.at(directory), member)? {
                return Ok(directory.to_owned());
            }
        }
        Ok(app.to_owned())
    }

    /// A path of the context, for a file of the app.
    fn path(&self, name: &str) -> String {
        self.files.path(name)
    }

    /// The app's directory as a source of COPY.
    fn here(&self) -> String {
        if self.files.directory().is_empty() { ".".to_owned() } else { format!("{}/", self.files.directory()) }
    }

    /// Those of `names` that the app has, as paths of the context.
    fn existing(&self, names: &[&str]) -> Vec<String> {
        names.iter().filter(|name| self.files.has(name)).map(|name| self.path(name)).collect()
    }

    /// Packages of Debian for an image: those that the language needs and those that were chosen.
    fn packages<'p>(&'p self, needed: &[&'p str]) -> Vec<&'p str> {
        needed.iter().copied().chain(self.choices.packages.iter().map(String::as_str)).collect()
    }

    /// The chosen build command, or what the language found.
    fn build_command(&self, draft: &mut Draft, found: Option<String>) -> Option<String> {
        match &self.choices.build {
            Some(command) => {
                draft.because("build command: chosen");
                Some(command.clone())
            }
            None => found,
        }
    }
}

/// The init program of Debian's package.
const TINI: &str = "/usr/bin/tini";

/// What the images of a language have to look with whether a port answers. Connecting is enough: no path is known to answer 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Node,
    Bun,
    Deno,
    Python,
    Ruby,
    Php,
    /// bash, in images on Debian and Ubuntu.
    Bash,
    /// busybox, in images on Alpine.
    Busybox,
    /// busybox beside a server that takes its port from its configuration.
    Nginx,
}

impl Check {
    fn command(self, port: u16) -> Vec<String> {
        let javascript = "require('net').connect(process.env.PORT, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))";
        match self {
            Self::Node => ["node", "-e", javascript].map(str::to_owned).to_vec(),
            Self::Bun => ["bun", "-e", javascript].map(str::to_owned).to_vec(),
            Self::Deno => ["deno", "eval", "await Deno.connect({ hostname: '127.0.0.1', port: Number(Deno.env.get('PORT')) })"].map(str::to_owned).to_vec(),
            Self::Python => {
                ["python3", "-c", "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 2)"].map(str::to_owned).to_vec()
            }
            Self::Ruby => ["ruby", "-rsocket", "-e", "TCPSocket.new('127.0.0.1', ENV.fetch('PORT'))"].map(str::to_owned).to_vec(),
            Self::Php => ["php", "-r", "exit(@fsockopen('127.0.0.1', (int) getenv('PORT')) ? 0 : 1);"].map(str::to_owned).to_vec(),
            Self::Bash => ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/$PORT\""].map(str::to_owned).to_vec(),
            Self::Busybox => ["sh", "-c", "nc -z 127.0.0.1 \"$PORT\""].map(str::to_owned).to_vec(),
            Self::Nginx => ["nc".to_owned(), "-z".to_owned(), "127.0.0.1".to_owned(), port.to_string()].to_vec(),
        }
    }
}

/// The stage in which tests run: everything that the build has.
fn test_stage(on: &'static str) -> Stage {
    Stage::on("test", on).comment("The test command of the pipeline runs here, with the development dependencies.")
}

/// The versions of `.tool-versions` and `mise.toml`, for any of `names`.
fn tool_versions(files: &Files<'_>, names: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in files.hint(".tool-versions").lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next())
            && names.contains(&name)
        {
            found.push((version.to_owned(), files.path(".tool-versions")));
        }
    }
    for file in ["mise.toml", ".mise.toml"] {
        let Ok(Some(table)) = files.toml(file) else { continue };
        for name in names {
            let value = super::files::value(&table, &["tools", name]);
            let version = value.and_then(|value| value.as_str().or_else(|| value.get("version")?.as_str()).or_else(|| value.as_array()?.first()?.as_str()));
            found.extend(version.map(|version| (version.to_owned(), files.path(file))));
        }
    }
    found
}

/// Several answers that are equally good.
fn ambiguous(what: &str, candidates: Vec<String>, hint: &str) -> Error {
    Error::invalid("plan build", format!("{what}: {}", candidates.join(", "))).with_hint(hint).with_candidates(candidates)
}
