//! What installs the dependencies of a Python project.

use super::super::{Draft, Project};
use crate::error::Result;
use crate::wizard::dockerfile::{Stage, word};
use crate::wizard::files::{Files, text, value};
use crate::wizard::table;
use crate::wizard::tree::join;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file of requirements.
    Pip,
    /// `pyproject.toml` or `setup.py` without a lockfile.
    Package,
    Uv,
    Poetry,
    Pdm,
    Pipenv,
    /// There are no dependencies.
    Nothing,
}

pub(super) struct Manager {
    kind: Kind,
    /// The root of the workspace, which is the app itself without one.
    root: String,
    requirements: String,
    locked: bool,
    workspace: bool,
    /// The name of the package that the project itself is installed as, if it is one.
    package: Option<String>,
    development: Vec<String>,
    pub(super) reason: String,
}

const PIP_CACHE: &str = "/root/.cache/pip";
const UV_CACHE: &str = "/root/.cache/uv";
const UV: &str = "/opt/tool/bin/uv";

impl Manager {
    pub(super) fn detect(project: &Project<'_>) -> Result<Self> {
        let files = &project.files;
        let root = project.workspace_root(|files, member| Ok(files.has("uv.lock") && members(files).iter().any(|one| one == member)))?;
        let top = project.root.at(&root);
        let table = files.toml("pyproject.toml")?.unwrap_or_default();
        let requirements = ["requirements.txt", "requirements/production.txt", "requirements/prod.txt", "requirements/base.txt", "requirements-prod.txt"]
            .into_iter()
            .find(|name| files.has(name));
        let backend = text(&table, &["build-system", "build-backend"]).unwrap_or_default();
        let (kind, why) = if top.has("uv.lock") || value(&table, &["tool", "uv"]).is_some() && files.has("pyproject.toml") && requirements.is_none() {
            (Kind::Uv, if top.has("uv.lock") { "uv.lock" } else { "tool.uv in pyproject.toml" })
        } else if files.has("poetry.lock") || value(&table, &["tool", "poetry"]).is_some() {
            (Kind::Poetry, if files.has("poetry.lock") { "poetry.lock" } else { "tool.poetry in pyproject.toml" })
        } else if files.has("pdm.lock") || backend.starts_with("pdm.") {
            (Kind::Pdm, "pdm.lock or the build backend")
        } else if files.has("Pipfile") {
            (Kind::Pipenv, "Pipfile")
        } else if let Some(name) = requirements {
            (Kind::Pip, name)
        } else if value(&table, &["project"]).is_some() {
            (Kind::Package, "pyproject.toml")
        } else if files.has("setup.py") {
            (Kind::Package, "setup.py")
        } else {
            (Kind::Nothing, "there are no dependencies")
        };
        let locked = match kind {
            Kind::Uv => top.has("uv.lock"),
            Kind::Poetry => files.has("poetry.lock"),
            Kind::Pdm => files.has("pdm.lock"),
            Kind::Pipenv => files.has("Pipfile.lock"),
            _ => true,
        };
        let loose = if locked { "" } else { "; there is no lockfile, so every build may get other versions: commit one" };
        let package = value(&table, &["build-system"]).is_some() && value(&table, &["tool", "uv", "package"]).and_then(toml::Value::as_bool) != Some(false);
        let package = package && is_package(files, &table);
        let name = text(&table, &["project", "name"]).or_else(|| text(&table, &["tool", "poetry", "name"])).map(str::to_owned);
        let development = ["requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt", "requirements/dev.txt", "requirements/test.txt"]
            .into_iter()
            .filter(|name| files.has(name))
            .map(str::to_owned)
            .collect();
        let mut manager = Self {
            kind,
            root,
            requirements: requirements.unwrap_or_default().to_owned(),
            locked,
            workspace: kind == Kind::Uv && !members(&top).is_empty(),
            package: name.filter(|_| package || kind == Kind::Package),
            development,
            reason: String::new(),
        };
        manager.reason = format!("package manager {}: {why}{loose}", manager.name());
        Ok(manager)
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Pip | Kind::Package | Kind::Nothing => "pip",
            Kind::Uv => "uv",
            Kind::Poetry => "poetry",
            Kind::Pdm => "pdm",
            Kind::Pipenv => "pipenv",
        }
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// Where the app stands below the root of its workspace.
    pub(super) fn inner(&self, project: &Project<'_>) -> Option<String> {
        let inner = project.files.directory().strip_prefix(self.root.as_str())?.trim_start_matches('/');
        (!inner.is_empty()).then(|| inner.to_owned())
    }

    /// The sources, as the context has them.
    pub(super) fn source(&self) -> String {
        if self.root.is_empty() { ".".to_owned() } else { format!("{}/", self.root) }
    }

    /// The manifests that an install reads.
    fn manifests(&self, project: &Project<'_>) -> Vec<String> {
        let names: &[&str] = match self.kind {
            Kind::Pip => &[],
            Kind::Package => &["pyproject.toml", "setup.py", "setup.cfg", "README.md", "MANIFEST.in"],
            Kind::Uv => &["pyproject.toml", "uv.lock"],
            Kind::Poetry => &["pyproject.toml", "poetry.lock", "poetry.toml"],
            Kind::Pdm => &["pyproject.toml", "pdm.lock"],
            Kind::Pipenv => &["Pipfile", "Pipfile.lock"],
            Kind::Nothing => &[],
        };
        let top = project.root.at(&self.root);
        let mut all: Vec<String> = names.iter().filter(|name| top.has(name)).map(|name| top.path(name)).collect();
        if self.kind == Kind::Uv && top.has("uv.lock") {
            all.extend(members(&top).into_iter().map(|member| top.path(&join(&member, "pyproject.toml"))));
        }
        if self.kind == Kind::Pip {
            // Requirement files include each other.
            let files = &project.files;
            all.extend(
                files
                    .entries()
                    .iter()
                    .filter(|entry| entry.name.ends_with(".txt") && entry.name.contains("requirements") || entry.name.starts_with("constraints"))
                    .filter(|entry| entry.name.ends_with(".txt"))
                    .map(|entry| files.path(&entry.name)),
            );
        }
        all
    }

    /// The stage that ends with every production dependency in `/venv`.
    pub(super) fn dependencies(&self, project: &Project<'_>, draft: &mut Draft, image: &str, packages: &[&str]) -> Stage {
        let mut stage = Stage::image("dependencies", image).workdir("/app").apt(&project.packages(packages));
        stage = stage.env([
            ("VIRTUAL_ENV", "/venv"),
            ("PATH", "/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ]);
        stage = stage.run("python3 -m venv /venv");
        if let Some(tool) = self.tool() {
            stage = pip_in(stage, "python3 -m venv /opt/tool && /opt/tool/bin/pip", &format!("install {tool}"));
        }
        if self.kind == Kind::Uv {
            stage = stage.env([("UV_PROJECT_ENVIRONMENT", "/venv"), ("UV_LINK_MODE", "copy"), ("UV_COMPILE_BYTECODE", "1"), ("UV_PYTHON_DOWNLOADS", "never")]);
        }
        if self.kind == Kind::Package {
            draft.because("the sources are copied before the install, because the project installs itself and has no lockfile");
            return pip(stage.copy([self.source()], "./"), "install .");
        }
        let manifests = self.manifests(project);
        stage = stage.copy_in_place(&manifests, &self.root);
        if self.kind == Kind::Pip && project.files.has_directory("requirements") {
            stage = stage.copy([format!("{}/", project.path("requirements"))], "requirements/");
        }
        stage = match self.kind {
            Kind::Pip => {
                if local(&project.files.hint(&self.requirements)) {
                    draft.because("the sources are copied before the install, because the requirements name a local package");
                    stage = stage.copy([self.source()], "./");
                }
                pip(stage, &format!("install --requirement {}", word(&self.requirements)))
            }
            Kind::Nothing | Kind::Package => stage,
            _ => self.sync(stage, false),
        };
        if let Some(package) = &self.package {
            draft.because(format!("the project itself is installed, as the package {package}"));
            stage = stage.copy([self.source()], "./");
            stage = if self.kind == Kind::Uv {
                let member = self.inner(project).map(|_| format!(" --package {}", word(package))).unwrap_or_default();
                stage.run_cached(format!("{UV} sync{} --no-dev --no-editable{member}", self.locked()), &[UV_CACHE])
            } else {
                pip(stage, "install --no-deps .")
            };
        }
        stage
    }

    fn locked(&self) -> &'static str {
        if self.locked { " --locked" } else { "" }
    }

    /// Installs what is locked, without or with the development dependencies.
    fn sync(&self, stage: Stage, development: bool) -> Stage {
        match self.kind {
            Kind::Uv => {
                let dev = if development { "" } else { " --no-dev" };
                stage.run_cached(
                    format!("{UV} sync{}{dev} --no-install-workspace{}", self.locked(), if self.workspace { " --all-packages" } else { "" }),
                    &[UV_CACHE],
                )
            }
            Kind::Poetry => {
                let only = if development { "" } else { " --only main" };
                stage.run_cached(format!("/opt/tool/bin/poetry install --no-interaction --no-root{only}"), &["/root/.cache/pypoetry"])
            }
            Kind::Pdm => {
                let only = if development { "" } else { " --prod" };
                let command = if self.locked { "sync" } else { "install" };
                stage.run_cached(
                    format!("/opt/tool/bin/pdm use --force /venv/bin/python && /opt/tool/bin/pdm {command}{only} --no-self --no-editable"),
                    &["/root/.cache/pdm"],
                )
            }
            Kind::Pipenv => {
                let dev = if development { " --dev" } else { "" };
                let command = if self.locked { "sync" } else { "install --skip-lock" };
                stage.run_cached(format!("PIPENV_VERBOSITY=-1 /opt/tool/bin/pipenv {command}{dev}"), &["/root/.cache/pipenv", PIP_CACHE])
            }
            Kind::Pip | Kind::Package | Kind::Nothing => stage,
        }
    }

    /// Whether the lockfile brings a distribution that the project does not name itself.
    pub(super) fn locks(&self, project: &Project<'_>, name: &str) -> bool {
        let top = project.root.at(&self.root);
        let (toml, json) = (format!("name = \"{name}\""), format!("\"{name}\": {{"));
        ["uv.lock", "poetry.lock", "pdm.lock"].iter().any(|lock| top.hint(lock).lines().any(|line| line == toml)) || top.hint("Pipfile.lock").contains(&json)
    }

    /// One more distribution in `/venv`.
    pub(super) fn add(&self, stage: Stage, requirement: &str) -> Stage {
        if self.kind == Kind::Uv {
            stage.run_cached(format!("{UV} pip install {requirement}"), &[UV_CACHE])
        } else {
            pip(stage, &format!("install {requirement}"))
        }
    }

    /// The development dependencies, for the tests.
    pub(super) fn development(&self, project: &Project<'_>, stage: Stage) -> Stage {
        match self.kind {
            Kind::Pip => self.development.iter().fold(stage, |stage, file| pip(stage, &format!("install --requirement {}", word(file)))),
            Kind::Package | Kind::Nothing => stage,
            _ => self.sync(stage.copy_in_place(&self.manifests(project), &self.root), true),
        }
    }

    /// The tool as a requirement of pip.
    fn tool(&self) -> Option<String> {
        let name = match self.kind {
            Kind::Uv | Kind::Poetry | Kind::Pdm | Kind::Pipenv => self.name(),
            _ => return None,
        };
        Some(format!("{name}=={}", table::tool(name, "")))
    }
}

/// A call of pip that keeps its downloads in a cache mount, or nowhere.
fn pip(stage: Stage, arguments: &str) -> Stage {
    pip_in(stage, "pip", arguments)
}

fn pip_in(stage: Stage, pip: &str, arguments: &str) -> Stage {
    let plain = arguments.replacen("install", "install --no-cache-dir", 1);
    stage.run_either(format!("{pip} {arguments}"), &[PIP_CACHE], format!("{pip} {plain}"))
}

/// Whether a requirement is a directory of the project.
fn local(requirements: &str) -> bool {
    requirements.lines().map(str::trim).any(|line| line == "." || line.starts_with("./") || line.starts_with("-e .") || line.starts_with("--editable ."))
}

/// Whether Poetry would find a package to install: not every project with a build system is one.
fn is_package(files: &Files<'_>, table: &toml::Table) -> bool {
    let Some(poetry) = value(table, &["tool", "poetry"]) else { return true };
    if poetry.get("package-mode").and_then(toml::Value::as_bool) == Some(false) {
        return false;
    }
    if poetry.get("packages").is_some() {
        return true;
    }
    let name = text(table, &["project", "name"]).or_else(|| text(table, &["tool", "poetry", "name"])).unwrap_or_default();
    let module = name.replace(['-', '.'], "_").to_ascii_lowercase();
    [module.clone(), format!("src/{module}"), name.to_owned()].iter().any(|place| files.has_directory(place)) || files.has(&format!("{module}.py"))
}

/// The members of a workspace of uv.
pub(super) fn members(files: &Files<'_>) -> Vec<String> {
    let table = files.toml("pyproject.toml").ok().flatten().unwrap_or_default();
    let patterns: Vec<String> = value(&table, &["tool", "uv", "workspace", "members"])
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .map(str::to_owned)
        .collect();
    let fits = |directory: &str| {
        patterns.iter().any(|pattern| {
            pattern.strip_suffix("/*").is_some_and(|parent| directory.rsplit_once('/').map(|(start, _)| start) == Some(parent)) || pattern == directory
        })
    };
    files
        .search(3, |path| path.ends_with("/pyproject.toml"))
        .into_iter()
        .filter_map(|path| path.strip_suffix("/pyproject.toml").map(str::to_owned))
        .filter(|directory| fits(directory))
        .collect()
}
