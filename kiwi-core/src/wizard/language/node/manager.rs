//! What installs the dependencies: npm, pnpm, Yarn or Bun.

use super::package::Package;
use crate::wizard::files::Files;
use crate::wizard::table;
use crate::wizard::version;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Npm,
    Pnpm,
    /// The first version, which is no longer developed.
    YarnClassic,
    /// Versions 2 and newer.
    Yarn,
    Bun,
}

/// A package manager in an exact version.
pub(super) struct Manager {
    pub(super) kind: Kind,
    version: Option<String>,
    locked: bool,
    pub(super) reason: String,
}

impl Manager {
    /// The managers whose lockfiles lie in the directory, when there are several and nothing says which counts.
    pub(super) fn rivals(files: &Files<'_>, package: &Package) -> Vec<String> {
        if package.text(&["packageManager"]).is_some() {
            return Vec::new();
        }
        let locks = [("npm", "package-lock.json"), ("pnpm", "pnpm-lock.yaml"), ("yarn", "yarn.lock"), ("bun", "bun.lock"), ("bun", "bun.lockb")];
        let mut found: Vec<String> = locks.iter().filter(|(_, lock)| files.has(lock)).map(|(name, _)| (*name).to_owned()).collect();
        found.dedup();
        let engines: Vec<String> = found.iter().filter(|name| *name != "npm" && package.text(&["engines", name]).is_some()).cloned().collect();
        if found.len() > 1 && engines.len() != 1 { found } else { Vec::new() }
    }

    pub(super) fn detect(files: &Files<'_>, package: &Package) -> Self {
        let lock = files.first(&["pnpm-lock.yaml", "bun.lock", "bun.lockb", "yarn.lock", "package-lock.json", "npm-shrinkwrap.json"]);
        let declared = package.text(&["packageManager"]).and_then(|text| text.split_once('@'));
        let declared = declared.map(|(name, version)| (name, version.split(['+', '-']).next().unwrap_or_default()));
        let named = declared.map(|(name, _)| name).or_else(|| {
            lock.map(|lock| match lock {
                "pnpm-lock.yaml" => "pnpm",
                "yarn.lock" => "yarn",
                "bun.lock" | "bun.lockb" => "bun",
                _ => "npm",
            })
        });
        let engine = ["pnpm", "yarn", "bun"].into_iter().find(|name| package.text(&["engines", name]).is_some());
        let named = named.or(engine).unwrap_or("npm");
        let exact = declared
            .map(|(_, text)| text.to_owned())
            .filter(|text| version::numbers(text).is_some_and(|(_, given)| given == 3) && !text.contains(|c: char| !c.is_ascii_digit() && c != '.'));
        let asked = exact.clone().or_else(|| package.text(&["engines", named]).map(str::to_owned));
        let (kind, version) = match named {
            "pnpm" => (Kind::Pnpm, exact.or_else(|| Some(pnpm_version(files, asked.as_deref())))),
            "yarn" => yarn_version(files, exact),
            "bun" => (Kind::Bun, exact),
            _ => (Kind::Npm, exact),
        };
        let locked = match kind {
            Kind::Npm => files.first(&["package-lock.json", "npm-shrinkwrap.json"]).is_some(),
            Kind::Pnpm => files.has("pnpm-lock.yaml"),
            Kind::YarnClassic | Kind::Yarn => files.has("yarn.lock"),
            Kind::Bun => files.first(&["bun.lock", "bun.lockb"]).is_some(),
        };
        let why = match (declared, lock) {
            (Some(_), _) => "the field packageManager of package.json".to_owned(),
            (None, Some(lock)) => lock.to_owned(),
            (None, None) if engine.is_some() => "the field engines of package.json".to_owned(),
            (None, None) => "the default".to_owned(),
        };
        let loose = if locked { "" } else { "; there is no lockfile, so every build may get other versions: commit one" };
        Self { kind, version, locked, reason: format!("package manager {named}: {why}{loose}") }
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Npm => "npm",
            Kind::Pnpm => "pnpm",
            Kind::YarnClassic | Kind::Yarn => "yarn",
            Kind::Bun => "bun",
        }
    }

    /// How it gets into Node's image.
    pub(super) fn setup(&self) -> Option<String> {
        let version = self.version.as_deref().unwrap_or_default();
        match self.kind {
            Kind::Npm if version.is_empty() => None,
            Kind::Npm => Some(format!("npm install --global npm@{version}")),
            Kind::Pnpm => Some(format!("npm install --global pnpm@{version}")),
            // Node's images bring a Yarn of their own.
            Kind::YarnClassic => Some(format!("npm install --global --force yarn@{version}")),
            Kind::Yarn => Some(format!("npm install --global --force @yarnpkg/cli-dist@{version}")),
            Kind::Bun => Some(format!("npm install --global bun@{}", if version.is_empty() { "1.3.0" } else { version })),
        }
    }

    /// Where downloads are kept between builds.
    pub(super) fn cache(&self) -> &'static str {
        match self.kind {
            Kind::Npm => "/root/.npm",
            Kind::Pnpm => "/root/.local/share/pnpm/store",
            Kind::YarnClassic => "/usr/local/share/.cache/yarn",
            Kind::Yarn => "/root/.yarn/berry/cache",
            Kind::Bun => "/root/.bun/install/cache",
        }
    }

    /// Everything, exactly as locked.
    pub(super) fn install(&self) -> &'static str {
        match (self.kind, self.locked) {
            (Kind::Npm, true) => "npm ci",
            (Kind::Npm, false) => "npm install",
            (Kind::Pnpm, true) => "pnpm install --frozen-lockfile",
            (Kind::Pnpm, false) => "pnpm install",
            (Kind::YarnClassic, true) => "yarn install --frozen-lockfile",
            (Kind::Yarn, true) => "yarn install --immutable",
            (Kind::YarnClassic | Kind::Yarn, false) => "yarn install",
            (Kind::Bun, true) => "bun install --frozen-lockfile",
            (Kind::Bun, false) => "bun install",
        }
    }

    /// Takes the development dependencies out again; native parts stay as they were compiled.
    pub(super) fn prune(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Npm => Some("npm prune --omit=dev --ignore-scripts"),
            Kind::Pnpm => Some("pnpm install --prod --frozen-lockfile --ignore-scripts"),
            Kind::YarnClassic => Some("yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline"),
            // Older ones need a plugin for it.
            Kind::Yarn => self.version.as_ref().is_some_and(|version| version.starts_with('4')).then_some("yarn workspaces focus --all --production"),
            Kind::Bun => Some("rm -rf node_modules && bun install --frozen-lockfile --production --ignore-scripts"),
        }
        .filter(|_| self.locked || self.kind == Kind::Npm)
    }

    /// Runs a script of `package.json`.
    pub(super) fn run(&self, script: &str) -> String {
        match self.kind {
            Kind::Npm => format!("npm run {script}"),
            Kind::Pnpm => format!("pnpm run {script}"),
            Kind::YarnClassic | Kind::Yarn => format!("yarn run {script}"),
            Kind::Bun => format!("bun run {script}"),
        }
    }

    /// Settings of the manager in the build.
    pub(super) fn variables(&self) -> &'static [(&'static str, &'static str)] {
        match self.kind {
            // One way to link serves every version; PnP would need its loader before each program.
            Kind::Yarn => &[("YARN_NODE_LINKER", "node-modules"), ("YARN_ENABLE_TELEMETRY", "0")],
            Kind::Pnpm => &[("CI", "true")],
            _ => &[],
        }
    }
}

/// pnpm by what `engines` asks for, or by the format of its lockfile.
fn pnpm_version(files: &Files<'_>, asked: Option<&str>) -> String {
    if let Some((numbers, _)) = asked.and_then(|text| version::numbers(text.trim_start_matches(['^', '~', '>', '=', ' ']))) {
        let line = match numbers[0] {
            ..7 => "5",
            7 | 8 => "6",
            _ => "9",
        };
        return table::tool("pnpm", line);
    }
    let beginning = files.beginning("pnpm-lock.yaml");
    let format = beginning.lines().find_map(|line| line.strip_prefix("lockfileVersion:")).unwrap_or_default().trim().trim_matches(['\'', '"']).to_owned();
    table::tool("pnpm", format.split('.').next().filter(|major| ["5", "6", "9"].contains(major)).unwrap_or("9"))
}

/// Yarn by the format of its lockfile and the release in the repository.
fn yarn_version(files: &Files<'_>, exact: Option<String>) -> (Kind, Option<String>) {
    if let Some(version) = exact {
        return (if version.starts_with("1.") { Kind::YarnClassic } else { Kind::Yarn }, Some(version));
    }
    let settings = files.hint(".yarnrc.yml");
    if let Some((_, release)) = settings.split_once("yarnPath:")
        && let Some((_, version)) = release.lines().next().unwrap_or_default().split_once("yarn-")
    {
        let version = version.split(".cjs").next().unwrap_or_default();
        if version::numbers(version).is_some() && version.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return (Kind::Yarn, Some(version.to_owned()));
        }
    }
    let lock = files.beginning("yarn.lock");
    if !lock.contains("__metadata:") {
        return (Kind::YarnClassic, Some(table::tool("yarn", "1")));
    }
    let format = lock.split_once("version:").map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default().to_owned()).unwrap_or_default();
    let line = match format.as_str() {
        "4" => "2",
        "5" | "6" | "7" => "3",
        _ => "4",
    };
    (Kind::Yarn, Some(table::tool("yarn", line)))
}
