//! The Build Wizard over projects of every language, package manager and framework: each a text file in `wizard/`, with its plan and
//! its Dockerfiles as a golden file beside it.
//!
//! `INSTA_UPDATE=always cargo test -p kiwi-core --test wizard` writes the golden files anew.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends by panicking")]

use kiwi_core::wizard::{Choices, Framework, Language, Plan, Rendering, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// A project: its files, and what is chosen for it in the lines before the first.
struct Fixture {
    name: String,
    files: BTreeMap<String, String>,
    choices: Choices,
}

fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wizard");
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "txtar")).collect();
    all.sort();
    all.iter().map(|path| parse(path.file_stem().unwrap().to_str().unwrap(), &std::fs::read_to_string(path).unwrap())).collect()
}

fn parse(name: &str, text: &str) -> Fixture {
    let mut fixture = Fixture { name: name.to_owned(), files: BTreeMap::new(), choices: Choices::default() };
    let mut file: Option<String> = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            fixture.files.insert(path.to_owned(), String::new());
            file = Some(path.to_owned());
        } else if let Some(path) = &file {
            let content = fixture.files.get_mut(path).unwrap();
            content.push_str(line);
            content.push('\n');
        } else {
            match line.split_once(": ") {
                Some(("app", value)) => fixture.choices.app = Some(value.parse().unwrap()),
                Some(("language", value)) => fixture.choices.language = Some(value.parse().unwrap()),
                _ => panic!("{name}: {line}"),
            }
        }
    }
    fixture
}

fn rendered(fixture: &Fixture, rendering: Rendering) -> kiwi_core::Result<(Plan, String)> {
    let planned = plan(&fixture.files, &Choices { rendering, ..fixture.choices.clone() })?;
    let text = planned.dockerfile()?;
    Ok((planned, text))
}

fn golden(fixture: &Fixture) -> String {
    let (planned, text) = match rendered(fixture, Rendering::BuildKit) {
        Ok(all) => all,
        Err(error) => return format!("error: {}\nhint: {}\ncandidates: {}\n", error.message(), error.hint(), error.candidates().join(", ")),
    };
    let mut out = String::new();
    writeln!(out, "language: {}\nframework: {:?}\nversion: {:?}\npackage manager: {:?}", planned.language, planned.framework, planned.version, planned.package_manager).unwrap();
    writeln!(out, "app: {:?}\nstart: {}\nport: {:?}\n", planned.app, planned.start_command(), planned.port).unwrap();
    planned.reasons.iter().for_each(|reason| writeln!(out, "- {reason}").unwrap());
    writeln!(out, "\n== with mounts\n{text}").unwrap();
    // Without mounts only some commands differ.
    let (_, plain) = rendered(fixture, Rendering::Plain).unwrap();
    let with: BTreeSet<&str> = text.lines().collect();
    writeln!(out, "== without mounts, what differs").unwrap();
    plain.lines().filter(|line| !with.contains(line)).for_each(|line| writeln!(out, "{line}").unwrap());
    writeln!(out, "\n== .dockerignore\n{}", planned.dockerignore()).unwrap();
    out
}

#[test]
fn every_project_has_the_plan_that_its_golden_file_shows() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("wizard");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut wrong = Vec::new();
    settings.bind(|| {
        for fixture in fixtures() {
            let text = golden(&fixture);
            if std::panic::catch_unwind(|| insta::assert_snapshot!(fixture.name.clone(), text)).is_err() {
                wrong.push(fixture.name);
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_projects_are_of_every_language_and_framework() {
    let planned: Vec<_> = fixtures().iter().filter_map(|fixture| rendered(fixture, Rendering::Plain).ok()).map(|(plan, _)| plan).collect();
    for language in Language::ALL {
        assert!(planned.iter().any(|plan| plan.language == language), "{language}");
    }
    for framework in Framework::ALL {
        assert!(planned.iter().any(|plan| plan.framework == Some(framework)), "{framework}");
    }
}

#[test]
fn every_dockerfile_keeps_the_rules_that_no_linter_checks() {
    for fixture in fixtures() {
        for rendering in [Rendering::BuildKit, Rendering::Plain] {
            let Ok((planned, text)) = rendered(&fixture, rendering) else { continue };
            let name = &fixture.name;
            let (before, last) = text.rsplit_once("\nFROM ").unwrap();
            let user = last.lines().find_map(|line| line.strip_prefix("USER ")).expect(name);
            assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{name}: {user}");
            let command = last.lines().find_map(|line| line.strip_prefix("CMD ")).expect(name);
            assert!(serde_json::from_str::<Vec<String>>(command).is_ok_and(|words| !words.is_empty()), "{name}: {command}");
            assert_eq!(last.contains("\nEXPOSE "), planned.port.is_some(), "{name}");
            assert_eq!(last.contains("\nHEALTHCHECK "), planned.port.is_some(), "{name}");
            assert!(planned.port.is_none_or(|port| port >= 1024), "{name}");
            assert!(before.contains(" AS test\n"), "{name} has no stage for tests");
            assert!(!text.contains(":latest") && !text.contains("ARG "), "{name}");
            assert!(rendering == Rendering::BuildKit || !text.contains("--mount"), "{name}");
            // In the stage that installs, manifests come before the sources.
            let install = ["npm ci", "pnpm install", "yarn install", "uv sync", "pip install --requirement", "go mod download", "cargo fetch", "bundle install", "dotnet restore", "mix deps.get", "dependency:go-offline"];
            let sources_first = planned.reasons.iter().any(|reason| reason.starts_with("the sources are copied before"));
            for stage in text.split("\nFROM ") {
                let at = install.iter().filter_map(|command| stage.find(command)).min();
                // A stage that begins with everything that another one has copied nothing itself.
                let before = &stage[..at.unwrap_or(0)];
                assert!(sources_first || !before.contains("\nCOPY . "), "{name}: {stage}");
            }
            let ignored = planned.dockerignore();
            for line in [".git", ".env*", "**/.env*"] {
                assert!(ignored.lines().any(|other| other == line), "{name}: {line}");
            }
        }
    }
}
