//! A Dockerfile as data, and its text in two renderings: with cache mounts, and without any mount.

use super::{Choices, Rendering};
use crate::error::{Error, Result};
use std::fmt::Write as _;

/// The user that the last stage runs as: numeric, so that Kubernetes can see that it is not root.
const USER: &str = "10001:10001";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    Image(String),
    Stage(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Comment(String),
    Workdir(String),
    Env(Vec<(String, String)>),
    Copy { from: Option<String>, owned: bool, sources: Vec<String>, to: String },
    Run { command: String, caches: Vec<String>, plain: Option<String> },
    Write { lines: Vec<String>, to: String },
    User,
    Expose(u16),
    Health(Vec<String>),
    Entrypoint(Vec<String>),
    Cmd(Vec<String>),
}

/// One stage of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    name: Option<&'static str>,
    from: From,
    steps: Vec<Step>,
}

impl Stage {
    pub(super) fn image(name: &'static str, image: &str) -> Self {
        Self { name: Some(name), from: From::Image(image.to_owned()), steps: Vec::new() }
    }

    pub(super) fn on(name: &'static str, stage: &'static str) -> Self {
        Self { name: Some(name), from: From::Stage(stage), steps: Vec::new() }
    }

    /// The last stage, which is the image.
    pub(super) fn last(from: From) -> Self {
        Self { name: None, from, steps: Vec::new() }
    }

    pub(super) fn comment(mut self, text: impl Into<String>) -> Self {
        self.steps.push(Step::Comment(text.into()));
        self
    }

    pub(super) fn workdir(mut self, directory: impl Into<String>) -> Self {
        self.steps.push(Step::Workdir(directory.into()));
        self
    }

    pub(super) fn env<N: Into<String>, V: Into<String>>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables: Vec<_> = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        if !variables.is_empty() {
            self.steps.push(Step::Env(variables));
        }
        self
    }

    /// Copies out of the build's context.
    pub(super) fn copy<S: Into<String>>(mut self, sources: impl IntoIterator<Item = S>, to: impl Into<String>) -> Self {
        let sources: Vec<String> = sources.into_iter().map(Into::into).collect();
        if !sources.is_empty() {
            self.steps.push(Step::Copy { from: None, owned: false, sources, to: to.into() });
        }
        self
    }

    /// Copies each file to the same place below the work directory, with one instruction for each directory.
    pub(super) fn copy_in_place(mut self, files: &[String], strip: &str) -> Self {
        let mut directories: Vec<(String, Vec<String>)> = Vec::new();
        for file in files {
            let inner = file.strip_prefix(strip).map_or(file.as_str(), |rest| rest.trim_start_matches('/'));
            let to = inner.rsplit_once('/').map_or("./".to_owned(), |(directory, _)| format!("{directory}/"));
            match directories.iter_mut().find(|(directory, _)| *directory == to) {
                Some((_, files)) => files.push(file.clone()),
                None => directories.push((to, vec![file.clone()])),
            }
        }
        for (to, sources) in directories {
            self = self.copy(sources, to);
        }
        self
    }

    pub(super) fn copy_from(mut self, stage: &str, source: impl Into<String>, to: impl Into<String>) -> Self {
        self.steps.push(Step::Copy { from: Some(stage.to_owned()), owned: false, sources: vec![source.into()], to: to.into() });
        self
    }

    /// The same for what the program itself writes to when its root may be written.
    pub(super) fn copy_owned(mut self, stage: &str, source: impl Into<String>, to: impl Into<String>) -> Self {
        self.steps.push(Step::Copy { from: Some(stage.to_owned()), owned: true, sources: vec![source.into()], to: to.into() });
        self
    }

    pub(super) fn run(self, command: impl Into<String>) -> Self {
        self.run_cached(command, &[])
    }

    /// A command with directories that are kept between builds.
    pub(super) fn run_cached(mut self, command: impl Into<String>, caches: &[&str]) -> Self {
        self.steps.push(Step::Run { command: command.into(), caches: caches.iter().map(|cache| (*cache).to_owned()).collect(), plain: None });
        self
    }

    /// Two commands for one thing: `cached` with directories that are kept between builds, and `plain` where there are none.
    pub(super) fn run_either(mut self, cached: impl Into<String>, caches: &[&str], plain: impl Into<String>) -> Self {
        let caches = caches.iter().map(|cache| (*cache).to_owned()).collect();
        self.steps.push(Step::Run { command: cached.into(), caches, plain: Some(plain.into()) });
        self
    }

    /// Writes a file of these lines, in a way that every builder knows.
    pub(super) fn write(mut self, lines: Vec<String>, to: impl Into<String>) -> Self {
        self.steps.push(Step::Write { lines, to: to.into() });
        self
    }

    /// Installs packages of Debian.
    pub(super) fn apt(self, packages: &[&str]) -> Self {
        if packages.is_empty() {
            return self;
        }
        let mut packages = packages.to_vec();
        packages.sort_unstable();
        packages.dedup();
        self.run(format!("apt-get update && apt-get install --yes --no-install-recommends {} && rm -rf /var/lib/apt/lists/*", packages.join(" ")))
    }

    /// The same stage with another program at its end.
    pub(super) fn with_command(mut self, program: &[String]) -> Self {
        if let Some(Step::Cmd(command)) = self.steps.last_mut() {
            *command = program.to_vec();
        }
        self
    }

    /// What every image ends with: the user, the port with its check, and the program itself.
    pub(super) fn finish(mut self, end: End<'_>) -> Self {
        self.steps.push(Step::User);
        if let Some((port, check)) = end.port {
            self.steps.push(Step::Expose(port));
            self.steps.push(Step::Health(check));
        }
        if let Some(init) = end.init {
            self.steps.push(Step::Entrypoint(vec![init.to_owned(), "--".to_owned()]));
        }
        self.steps.push(Step::Cmd(end.start.to_vec()));
        self
    }
}

/// How an image ends.
pub(super) struct End<'a> {
    /// The program with its arguments.
    pub(super) start: &'a [String],
    /// Where it listens, and the command that looks whether it does.
    pub(super) port: Option<(u16, Vec<String>)>,
    /// The program that hands signals on, for those that would ignore them as the first process.
    pub(super) init: Option<&'a str>,
}

/// Writes the stages down.
///
/// Errors: `InvalidInput` when a name of the tree cannot stand in a Dockerfile.
pub(super) fn render(heading: &str, stages: &[Stage], choices: &Choices) -> Result<String> {
    let mut out = String::new();
    for line in heading.lines() {
        line_of(&mut out, &format!("# {}", one_line(line)));
    }
    for stage in stages {
        out.push('\n');
        let from = match &stage.from {
            From::Stage(name) => (*name).to_owned(),
            From::Image(image) => base_image(image, choices),
        };
        line_of(&mut out, &stage.name.map_or(format!("FROM {from}"), |name| format!("FROM {from} AS {name}")));
        for step in &stage.steps {
            render_step(&mut out, step, choices)?;
        }
    }
    Ok(out)
}

/// Every image that is pulled, once.
pub(super) fn images(stages: &[Stage]) -> Vec<&str> {
    let mut all = Vec::new();
    for stage in stages {
        if let From::Image(image) = &stage.from {
            all.push(image.as_str());
        }
        for step in &stage.steps {
            if let Step::Copy { from: Some(from), .. } = step
                && from.contains([':', '/'])
            {
                all.push(from);
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn line_of(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// An image behind the mirror and with the digest that were asked for.
pub(super) fn base_image(image: &str, choices: &Choices) -> String {
    let digest = choices.digests.get(image).map(|digest| format!("@{digest}")).unwrap_or_default();
    // A mirror of Docker Hub has no images of other registries.
    let elsewhere = image.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']));
    match &choices.base_registry {
        Some(prefix) if !elsewhere => format!("{}/{image}{digest}", prefix.trim_end_matches('/')),
        _ => format!("{image}{digest}"),
    }
}

fn render_step(out: &mut String, step: &Step, choices: &Choices) -> Result<()> {
    match step {
        Step::Comment(text) => line_of(out, &format!("# {}", one_line(text))),
        Step::Workdir(directory) => line_of(out, &format!("WORKDIR {}", copy_path(directory)?)),
        Step::Env(variables) => {
            let pairs: Result<Vec<_>> = variables.iter().map(|(name, value)| Ok(format!("{name}={}", env_value(value)?))).collect();
            line_of(out, &format!("ENV {}", pairs?.join(" \\\n    ")));
        }
        Step::Copy { from, owned, sources, to } => {
            let owner = if *owned { format!("--chown={USER} ") } else { String::new() };
            let from = match from {
                Some(from) if from.contains([':', '/']) => format!("--from={} ", base_image(from, choices)),
                Some(from) => format!("--from={from} "),
                None => String::new(),
            };
            let paths: Result<Vec<_>> = sources.iter().chain([to]).map(|path| copy_path(path)).collect();
            let paths = paths?;
            if paths.iter().any(|path| path.contains(' ')) {
                line_of(out, &format!("COPY {from}{owner}{}", json(&paths)));
            } else {
                line_of(out, &format!("COPY {from}{owner}{}", paths.join(" ")));
            }
        }
        Step::Write { lines, to } => {
            let lines: Result<String> = lines.iter().map(|line| Ok(format!(" \\\n    '{}'", command_line(line)?))).collect();
            line_of(out, &format!("RUN printf '%s\\n'{} \\\n    > {to}", lines?));
        }
        Step::Run { command, caches, plain } => match choices.rendering {
            Rendering::Plain => line_of(out, &format!("RUN {}", command_line(plain.as_ref().unwrap_or(command))?)),
            Rendering::BuildKit => {
                let mounts = caches.iter().fold(String::new(), |mut mounts, cache| {
                    let _ = write!(mounts, "--mount=type=cache,target={cache} ");
                    mounts
                });
                let gap = if mounts.is_empty() { "" } else { "\\\n    " };
                line_of(out, &format!("RUN {mounts}{gap}{}", command_line(command)?));
            }
        },
        Step::User => line_of(out, &format!("USER {USER}")),
        Step::Expose(port) => line_of(out, &format!("EXPOSE {port}")),
        Step::Health(command) => line_of(out, &format!("HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \\\n    CMD {}", exec_form(command)?)),
        Step::Entrypoint(command) => line_of(out, &format!("ENTRYPOINT {}", exec_form(command)?)),
        Step::Cmd(command) => line_of(out, &format!("CMD {}", exec_form(command)?)),
    }
    Ok(())
}

fn exec_form(words: &[String]) -> Result<String> {
    // JSON escapes a backslash at the end itself.
    words.iter().try_for_each(|word| command_line(word.trim_end_matches('\\')).map(|_| ()))?;
    Ok(json(words))
}

fn json(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(", "))
}

/// A text in one line, for a comment or a reason; a comment must not become an instruction.
pub(super) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    line.trim_end_matches('\\').to_owned()
}

/// A path of COPY or WORKDIR, where `$`, quotes and patterns would mean something else.
fn copy_path(path: &str) -> Result<String> {
    if path.chars().any(|c| c.is_control() || "$\\\"'`*?[]#<>|&;".contains(c)) || path.starts_with('-') || path.split('/').any(|part| part == "..") {
        return Err(Error::invalid("plan build", format!("the path {:?} cannot stand in a Dockerfile", one_line(path)))
            .with_hint("rename it, or write a Dockerfile by hand"));
    }
    Ok(path.to_owned())
}

/// A command in one line: what would end it would begin an instruction of somebody else's.
fn command_line(command: &str) -> Result<&str> {
    if command.chars().any(char::is_control) || command.ends_with('\\') {
        return Err(Error::invalid("plan build", format!("the command {:?} cannot stand in a Dockerfile", one_line(command)))
            .with_hint("a name in the project has a line end or another control character: rename it"));
    }
    Ok(command)
}

fn env_value(value: &str) -> Result<String> {
    if value.chars().any(char::is_control) {
        return Err(Error::invalid("plan build", format!("the value {:?} cannot stand in a Dockerfile", one_line(value)))
            .with_hint("set it as a variable of the service"));
    }
    if !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:+,=@%".contains(c)) {
        return Ok(value.to_owned());
    }
    let mut quoted = String::from("\"");
    for c in value.chars() {
        if "\"\\$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Ok(quoted)
}

/// A word of a shell command.
pub(super) fn word(text: &str) -> String {
    shell_words::quote(text).into_owned()
}
