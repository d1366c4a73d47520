//! `kiwi dockerfile`.

use crate::args::{BuilderChoice, Dockerfile, Output, WizardArguments};
use crate::output;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::wizard::{self, Choices, Directory, Framework, Interview, Language, Plan, Question, Rendering, Step};
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// What scripts read.
#[derive(Serialize)]
struct Planned<'a> {
    language: Language,
    framework: Option<Framework>,
    version: Option<&'a str>,
    package_manager: Option<&'a str>,
    app: &'a str,
    start_command: String,
    port: Option<u16>,
    dockerfile: &'a str,
    dockerignore: &'a str,
    reasons: &'a [String],
}

pub(super) fn run(arguments: &Dockerfile, output: Output) -> Result<ExitCode> {
    if arguments.list {
        list(output);
        return Ok(ExitCode::SUCCESS);
    }
    let tree = Directory::open(&arguments.path)?;
    let choices = choices(&arguments.wizard);
    let planned = if arguments.interactive { interview(&tree, choices) } else { wizard::plan(&tree, &choices) };
    let planned = planned.and_then(|plan| Ok((plan.dockerfile()?, plan.dockerignore(), plan)));
    let (dockerfile, dockerignore, plan) = match planned {
        Err(error) if output == Output::Json && !error.candidates().is_empty() => {
            output::json(&serde_json::json!({ "error": error.message(), "hint": error.hint(), "candidates": error.candidates() }));
            return Err(error);
        }
        other => other?,
    };
    if arguments.write {
        write(&arguments.path, &plan, &dockerfile, &dockerignore, arguments.force)?;
    }
    match output {
        Output::Json => output::json(&Planned {
            language: plan.language,
            framework: plan.framework,
            version: plan.version.as_deref(),
            package_manager: plan.package_manager.as_deref(),
            app: &plan.app,
            start_command: plan.start_command(),
            port: plan.port,
            dockerfile: &dockerfile,
            dockerignore: &dockerignore,
            reasons: &plan.reasons,
        }),
        Output::Table => {
            plan.reasons.iter().for_each(|reason| output::note(&format!("- {reason}")));
            if !arguments.write {
                output::result(output, &(), || dockerfile.clone());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The flags as the wizard takes them.
pub(super) fn choices(arguments: &WizardArguments) -> Choices {
    Choices {
        app: arguments.app.clone(),
        language: arguments.language,
        framework: arguments.framework,
        version: arguments.language_version.clone(),
        start: arguments.start.clone(),
        build: arguments.build.clone(),
        port: arguments.port,
        packages: arguments.package.clone(),
        rendering: match arguments.builder {
            BuilderChoice::Buildkit => Rendering::BuildKit,
            BuilderChoice::Plain => Rendering::Plain,
        },
        base_registry: arguments.base_registry.clone(),
        digests: arguments.pin.iter().cloned().collect(),
    }
}

fn list(output: Output) {
    let known = serde_json::json!({ "languages": Language::ALL.to_vec(), "frameworks": Framework::ALL.to_vec() });
    output::result(output, &known, || {
        let languages = Language::ALL.iter().map(|language| vec!["language".to_owned(), language.to_string(), language.title().to_owned()]);
        let frameworks = Framework::ALL.iter().map(|framework| vec!["framework".to_owned(), framework.to_string(), framework.title().to_owned()]);
        output::table(&["kind", "name", "title"], &languages.chain(frameworks).collect::<Vec<_>>())
    });
}

/// Puts both files beside the code, or neither.
fn write(root: &Path, plan: &Plan, dockerfile: &str, dockerignore: &str, force: bool) -> Result<()> {
    let path = root.join(&plan.app).join("Dockerfile");
    let failed = |path: &Path, error: std::io::Error| {
        Error::new(ErrorKind::Storage, "write Dockerfile", format!("{} cannot be written", path.display()))
            .with_hint("check the permissions of the project's directory")
            .with_source(error)
    };
    let there = std::fs::read_to_string(&path).ok();
    if std::fs::symlink_metadata(&path).is_ok() && !force && there.as_deref() != Some(dockerfile) {
        return Err(Error::new(ErrorKind::AlreadyExists, "write Dockerfile", format!("{} exists", path.display()))
            .with_hint("look at what would be written without --write; --force replaces it"));
    }
    // The ignore file belongs to the context, which is the root of the tree.
    let ignore = root.join(".dockerignore");
    for file in [&path, &ignore] {
        if std::fs::symlink_metadata(file).is_ok_and(|found| found.is_dir()) {
            return Err(Error::invalid("write Dockerfile", format!("{} is a directory", file.display())).with_hint("remove it; nothing was written"));
        }
    }
    replace(&path, dockerfile).map_err(|error| failed(&path, error))?;
    output::note(&format!("wrote {}", path.display()));
    match std::fs::read_to_string(&ignore) {
        Ok(kept) if kept == dockerignore => {}
        Ok(kept) => {
            let missing: Vec<&str> = dockerignore.lines().filter(|line| !kept.lines().any(|kept| kept.trim() == *line)).collect();
            if !missing.is_empty() {
                output::note(&format!("kept {}; it could also have: {}", ignore.display(), missing.join(" ")));
            }
        }
        Err(_) if std::fs::symlink_metadata(&ignore).is_ok() => output::note(&format!("kept {}, which cannot be read", ignore.display())),
        Err(_) => {
            replace(&ignore, dockerignore).map_err(|error| failed(&ignore, error))?;
            output::note(&format!("wrote {}", ignore.display()));
        }
    }
    Ok(())
}

/// A whole file in one step; a link at its place is replaced, not followed.
fn replace(path: &Path, content: &str) -> std::io::Result<()> {
    let beside = path.with_file_name(format!(".kiwi-{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
    let written = file.write_all(content.as_bytes()).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Asks at the terminal until everything is known.
fn interview(tree: &Directory, choices: Choices) -> Result<Plan> {
    if !std::io::stdin().is_terminal() {
        output::note("standard input is no terminal: every line of it is an answer");
    }
    let mut interview = Interview::new(choices);
    let mut wrong = 0;
    loop {
        match interview.step(tree)? {
            Step::Done(plan) => return Ok(*plan),
            Step::Ask(question) => {
                ask(&question);
                let mut line = String::new();
                let read = std::io::stdin()
                    .read_line(&mut line)
                    .map_err(|error| Error::new(ErrorKind::Unavailable, "ask", "standard input cannot be read").with_source(error))?;
                if read == 0 {
                    return Err(Error::invalid("ask", format!("standard input ended before the answer to: {}", question.text))
                        .with_hint("answer every question, or use flags"));
                }
                if let Err(error) = interview.answer(tree, &line) {
                    wrong += 1;
                    if wrong == 10 {
                        return Err(error);
                    }
                    output::note(&format!("{}; {}", error.message(), error.hint()));
                }
            }
        }
    }
}

fn ask(question: &Question) {
    let known: Vec<&str> = question.choices.iter().map(|choice| choice.value.as_str()).collect();
    if !known.is_empty() {
        output::note(&format!("  {}", known.join(", ")));
    }
    let suggestion = question.suggestion.as_deref().map(|text| format!(" [{}]", if text.is_empty() { "none" } else { text })).unwrap_or_default();
    output::note(&format!("{}{suggestion}", question.text));
}
