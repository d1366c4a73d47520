//! Which app of a tree, and which language it is written in.

use super::files::Files;
use super::language::{self, Found, Strength};
use super::tree::Tree;
use super::{Choices, Language, unhandled};
use crate::error::{Error, Result};

/// How deep apps are looked for.
const DEPTH: usize = 3;

/// The most directories that are looked into.
const DIRECTORIES: usize = 500;

/// The directory of the app: the chosen one, the root, or the only one below it.
///
/// Errors: `InvalidInput` with every app as a candidate when there are several.
pub(super) fn app(tree: &dyn Tree, choices: &Choices) -> Result<String> {
    let root = Files::new(tree, "");
    if let Some(app) = &choices.app {
        if app.as_str() == "." {
            return Ok(String::new());
        }
        if !root.has_directory(app.as_str()) {
            let error = Error::invalid("plan build", format!("there is no directory {app}"));
            let apps = apps(&root)?;
            return Err(if apps.iter().all(String::is_empty) {
                error.with_hint("give the directory of an app")
            } else {
                error.with_hint(format!("the apps are: {}", apps.join(", ")))
            });
        }
        return Ok(app.to_string());
    }
    let apps = apps(&root)?;
    match apps.as_slice() {
        [] => Ok(String::new()),
        [app] => Ok(app.clone()),
        several => {
            let message = format!("the repository has several apps: {}", several.join(", "));
            Err(Error::invalid("plan build", message).with_hint("choose one with --app").with_candidates(several.to_vec()))
        }
    }
}

/// The apps of a tree, by directory; the root is the empty one.
pub(super) fn apps(root: &Files<'_>) -> Result<Vec<String>> {
    let members = language::members(root)?;
    if !members.is_empty() {
        return Ok(members);
    }
    if language::detect(root)?.iter().any(|found| found.strength >= Strength::Aside) || root.has("Procfile") {
        return Ok(vec![String::new()]);
    }
    let mut found = Vec::new();
    let mut level: Vec<String> = root.directories().into_iter().map(str::to_owned).collect();
    let mut looked = 0;
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for directory in level {
            looked += 1;
            if looked > DIRECTORIES {
                return Ok(found);
            }
            let files = root.at(&directory);
            // One strange manifest somewhere below is no reason to fail.
            let strongest = language::detect(&files).unwrap_or_default().into_iter().map(|found| found.strength).max();
            match strongest {
                Some(strength) if strength >= Strength::Plain || files.has("index.html") => found.push(directory),
                _ => next.extend(files.directories().into_iter().map(|name| files.path(name))),
            }
        }
        level = next;
    }
    found.sort();
    Ok(found)
}

/// The language of the app.
///
/// Errors: `InvalidInput` when none shows, or with candidates when several do equally well.
pub(super) fn language(tree: &dyn Tree, app: &str, choices: &Choices) -> Result<Found> {
    let files = Files::new(tree, app);
    let mut all = language::detect(&files)?;
    let allowed: Vec<Language> = match (choices.language, choices.framework) {
        (Some(language), _) => vec![language],
        (None, Some(framework)) => language::of_framework(framework).to_vec(),
        (None, None) => Vec::new(),
    };
    if !allowed.is_empty() {
        // A family shares its manifests: what shows one shows the others.
        all.retain(|found| allowed.iter().any(|language| same_family(*language, found.language)));
        let found = all.into_iter().max_by_key(|found| found.strength);
        if found.is_none() && choices.start.is_none() {
            let titles: Vec<_> = allowed.iter().map(|language| language.title()).collect();
            return Err(Error::invalid("plan build", format!("nothing in {} is written in {}", place(app), titles.join(" or ")))
                .with_hint("choose what the project is written in, or say how it starts with --start too"));
        }
        let mut found = found.unwrap_or_else(|| Found { language: allowed[0], framework: None, strength: Strength::Weak, evidence: "chosen".to_owned() });
        found.language = choices.language.unwrap_or(found.language);
        found.framework = choices.framework.or(found.framework);
        return Ok(found);
    }
    let strongest = all.iter().map(|found| found.strength).max();
    all.retain(|found| Some(found.strength) == strongest);
    match all.len() {
        0 => Err(unknown(&files)),
        1 => Ok(all.remove(0)),
        _ => {
            let names: Vec<String> = all.iter().map(|found| found.language.to_string()).collect();
            let shown: Vec<_> = all.iter().map(|found| format!("{} ({})", found.language.title(), found.evidence)).collect();
            let message = format!("{} is equally well a project of {}", place(app), shown.join(" and "));
            Err(Error::invalid("plan build", message).with_hint("choose one with --language").with_candidates(names))
        }
    }
}

fn same_family(a: Language, b: Language) -> bool {
    let family = |language| match language {
        Language::Bun => Language::Node,
        Language::Kotlin => Language::Java,
        other => other,
    };
    family(a) == family(b)
}

fn place(app: &str) -> &str {
    if app.is_empty() { "the repository" } else { app }
}

fn unknown(files: &Files<'_>) -> Error {
    if let Some((what, shown, hint)) = unhandled::recognise(files) {
        return Error::invalid("plan build", format!("{} is {what} ({shown}), which the Build Wizard does not handle", place(files.directory())))
            .with_hint(hint);
    }
    let message = if files.entries().is_empty() {
        format!("{} is empty", place(files.directory()))
    } else {
        format!("nothing in {} shows what it is written in", place(files.directory()))
    };
    Error::invalid("plan build", message).with_hint("say it with --language, choose a directory with --app, or write a Dockerfile by hand")
}
