//! The Build Wizard over projects of every language, package manager and framework: each a text file in `wizard/`, with its plan and
//! its Dockerfiles as a golden file beside it.
//!
//! `INSTA_UPDATE=always cargo test -p kiwi-core --test wizard` writes the golden files anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use kiwi_core::wizard::{Choices, Directory, Framework, Interview, Language, Plan, Rendering, Step, Subject, Tree as _, plan};
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
    let mut all: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "txtar")).collect();
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
    writeln!(
        out,
        "language: {}\nframework: {:?}\nversion: {:?}\npackage manager: {:?}",
        planned.language, planned.framework, planned.version, planned.package_manager
    )
    .unwrap();
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

/// What the wizard knows of and does not handle, with what it says.
#[test]
fn a_project_that_is_not_handled_is_told_what_it_is() {
    let cases: [(&[(&str, &str)], &str); 14] = [
        (&[("cpanfile", ""), ("app.pl", "")], "the repository is written in Perl (cpanfile), which the Build Wizard does not handle"),
        (&[("main.cbl", "")], "the repository is written in COBOL (main.cbl), which the Build Wizard does not handle"),
        (&[("hugo.toml", ""), ("content/a.md", "")], "the repository is a site of Hugo (hugo.toml), which the Build Wizard does not handle"),
        (
            &[("package.json5", "{}"), ("index.js", "")],
            "the repository is a project with a package.json5 (package.json5), which the Build Wizard does not handle",
        ),
        (&[("compose.yaml", "services: {}")], "the repository is described by a Compose file (compose.yaml), which the Build Wizard does not handle"),
        (&[("main.tf", "")], "the repository is configuration of Terraform (main.tf), which the Build Wizard does not handle"),
        (&[("README.md", "")], "nothing in the repository shows what it is written in"),
        (&[("build.gradle", "plugins { id 'com.android.application' }")], "this is an Android app, which is built for devices"),
        (
            &[("pubspec.yaml", "name: a\ndependencies:\n  flutter:\n    sdk: flutter\n"), ("lib/main.dart", "")],
            "this is a Flutter app, which is built for devices",
        ),
        (
            &[("package.json", r#"{"main":"main.js","devDependencies":{"electron":"30"}}"#), ("main.js", "")],
            "this is an Electron app, which is built for desktops",
        ),
        (
            &[("a.csproj", "<Project><PropertyGroup><TargetFrameworkVersion>v4.8</TargetFrameworkVersion></PropertyGroup></Project>")],
            "a.csproj is for .NET Framework 4.8, which runs on Windows only",
        ),
        (&[("go.mod", "module a\ngo 1.22\n"), ("a.go", "package a\n")], "the module has no program: nothing is in package main"),
        (&[("Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\n"), ("src/lib.rs", "")], "the crate has no program"),
        (&[("runtime.txt", "python-2.7.18"), ("app.py", "print(1)")], "runtime.txt asks for Python \"2.7.18\", which is not supported"),
    ];
    for (files, message) in cases {
        let files: BTreeMap<String, String> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let error = plan(&files, &Choices::default()).unwrap_err();
        assert_eq!(error.message(), message, "{files:?}");
        assert!(!error.hint().is_empty(), "{message}");
    }
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
            let install = [
                "npm ci",
                "pnpm install",
                "yarn install",
                "uv sync",
                "pip install --requirement",
                "go mod download",
                "cargo fetch",
                "bundle install",
                "dotnet restore",
                "mix deps.get",
                "dependency:go-offline",
            ];
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

/// `tests/run.sh` promises the linter; without the variable the test only says so.
#[test]
fn hadolint_finds_nothing() {
    let Ok(linter) = std::env::var("KIWI_TEST_HADOLINT") else {
        eprintln!("KIWI_TEST_HADOLINT names no hadolint: not linted");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for fixture in fixtures() {
        for (rendering, end) in [(Rendering::BuildKit, "buildkit"), (Rendering::Plain, "plain")] {
            let Ok((_, text)) = rendered(&fixture, rendering) else { continue };
            let path = folder.path().join(format!("{}.{end}.Dockerfile", fixture.name));
            std::fs::write(&path, text).unwrap();
            files.push(path);
        }
    }
    // Pinning Debian's and Alpine's packages breaks when they move on.
    let linted =
        std::process::Command::new(linter).args(["--ignore", "DL3008", "--ignore", "DL3018", "--failure-threshold", "warning"]).args(&files).output().unwrap();
    let found = String::from_utf8_lossy(&linted.stdout);
    let found: Vec<_> = found.lines().filter(|line| line.contains("warning") || line.contains("error")).collect();
    assert!(linted.status.success() && found.is_empty(), "{found:#?}");
    println!("FIGURE hadolint: 0 findings of warning or above in {} Dockerfiles", files.len());
}

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

/// Every line of a Dockerfile must begin an instruction that we write, or go on with one.
fn safe(text: &str, marker: &str) {
    let mut going_on = false;
    for line in text.lines() {
        let word = line.split(' ').next().unwrap();
        let known = ["", "#", "FROM", "WORKDIR", "ENV", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"];
        assert!(going_on || known.contains(&word), "{text}");
        going_on = line.ends_with('\\') && !line.starts_with('#');
    }
    // A text of the project may stand in a comment, quoted, or in a JSON list; never bare in a command.
    for line in text.lines().filter(|line| line.contains(marker) && !line.starts_with('#') && !line.starts_with("CMD [")) {
        assert!(line.contains('\''), "{line}");
    }
}

#[test]
fn what_a_project_says_is_never_an_instruction() {
    let evil = "x\nRUN touch /evil\n$(touch /evil)`touch /evil`';touch /evil;'\" && touch /evil \\";
    let quoted = serde_json::Value::from(evil).to_string();
    let projects = [
        tree(&[("package.json", &format!("{{ \"name\": {quoted}, \"scripts\": {{ \"start\": {quoted}, \"build\": {quoted} }} }}"))]),
        tree(&[("package.json", &format!("{{ \"name\": \"a\", \"main\": {quoted}, \"scripts\": {{ \"build\": \"tsc\" }} }}"))]),
        tree(&[("package.json", &format!("{{ \"packageManager\": {quoted}, \"engines\": {{ \"node\": {quoted} }}, \"main\": \"x.js\" }}")), ("x.js", "")]),
        tree(&[
            ("package.json", "{ \"workspaces\": [\"*\"], \"devDependencies\": { \"turbo\": \"1\" } }"),
            ("a/package.json", &format!("{{ \"name\": {quoted}, \"scripts\": {{ \"start\": \"node .\", \"build\": \"x\" }} }}")),
        ]),
        tree(&[("pyproject.toml", &format!("[project]\nname = {quoted}\n[project.scripts]\n{quoted} = \"a:b\"\n[build-system]\n"))]),
        tree(&[("Cargo.toml", &format!("[package]\nname = {quoted}\n")), ("src/main.rs", "")]),
        tree(&[("Cargo.toml", &format!("[workspace]\nmembers = [{quoted}, \"a\"]\n")), ("a/Cargo.toml", "[package]\nname = \"a\"\n"), ("a/src/main.rs", "")]),
        tree(&[("mix.exs", "app: :a;touch,\nelixir: \"$(touch /evil)\"")]),
        tree(&[("Procfile", "web: echo \u{7}; touch /evil"), ("go.mod", "module a\n\ngo 1.25\n"), ("main.go", "package main\n")]),
        tree(&[("shard.yml", &format!("name: a\ntargets:\n  {quoted}:\n    main: x\n"))]),
        tree(&[("CMakeLists.txt", "add_executable($(touch /evil) a.c)")]),
        tree(&[(
            "Shop.csproj",
            "<Project><PropertyGroup><TargetFramework>net8.0</TargetFramework><AssemblyName>x; touch /evil</AssemblyName></PropertyGroup></Project>",
        )]),
        tree(&[
            ("pom.xml", "<project><artifactId>a;touch /evil;</artifactId><version>$(touch /evil)</version></project>"),
            ("src/main/java/A.java", "static void main("),
        ]),
        tree(&[("Staticfile", "root: $(touch /evil)"), ("index.html", "")]),
        tree(&[("index.html", ""), ("kiwi.toml", &format!("start = {quoted}\n"))]),
        tree(&[("index.html", ""), ("kiwi.toml", &format!("base_registry = {quoted}\n"))]),
        tree(&[("package.json", "{ \"main\": \"x.js\" }"), ("x.js", ""), ("kiwi.toml", "packages = [\"a; touch /evil\"]\n")]),
        tree(&[("a\nRUN touch /evil/package.json", "{ \"main\": \"x.js\" }"), ("a\nRUN touch /evil/x.js", "")]),
    ];
    let mut planned = 0;
    for project in projects {
        for rendering in [Rendering::BuildKit, Rendering::Plain] {
            let Ok(text) = plan(&project, &Choices { rendering, ..Choices::default() }).and_then(|plan| plan.dockerfile()) else { continue };
            safe(&text, "touch /evil");
            planned += 1;
        }
    }
    assert!(planned >= 6, "{planned}");
}

#[test]
fn a_strange_tree_is_an_error_or_a_plan() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_xml = format!("{}{}", "<a>".repeat(40_000), "</a>".repeat(40_000));
    let huge = format!("{{ \"name\": \"{}\" }}", "x".repeat(10 * 1024 * 1024));
    for (name, content, says) in [
        ("package.json", deep.as_str(), "package.json is malformed"),
        ("package.json", huge.as_str(), "package.json is larger than 2 MiB"),
        ("package.json", "{", "package.json is malformed"),
        ("pyproject.toml", "[project", "pyproject.toml is malformed in line 1"),
        ("Cargo.toml", &format!("a = {deep}"), "Cargo.toml is malformed in line 1"),
        ("pom.xml", deep_xml.as_str(), ""),
        ("composer.json", "[1, 2", "composer.json is malformed"),
        ("pubspec.yaml", "a: &a [*a, *a]", "pubspec.yaml"),
        ("deno.json", deep.as_str(), ""),
    ] {
        let error = plan(&tree(&[(name, content)]), &Choices::default());
        let message = error.err().map(|error| error.message().to_owned()).unwrap_or_default();
        assert!(message.contains(says), "{name}: {message}");
    }
}

#[test]
fn links_never_lead_out_of_the_tree() {
    let (outside, inside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("package.json"), "{ \"main\": \"x.js\" }").unwrap();
    std::fs::write(outside.path().join("index.html"), "").unwrap();
    let link = |from: &Path, to: &str| std::os::unix::fs::symlink(from, inside.path().join(to)).unwrap();
    link(&outside.path().join("package.json"), "package.json");
    link(outside.path(), "app");
    link(Path::new("."), "again");
    link(Path::new("round"), "round");
    std::fs::write(inside.path().join("invalid.toml"), [0xff, 0xfe]).unwrap();
    let opened = Directory::open(inside.path()).unwrap();
    assert_eq!(opened.kind("package.json"), None);
    assert_eq!(opened.read("app/index.html", 10).unwrap(), None);
    assert_eq!(opened.list("app"), Vec::new());
    assert_eq!(opened.list("..").len(), 0);
    assert!(plan(&opened, &Choices::default()).unwrap_err().message().contains("shows what it is written in"));
    // A link that stays inside is as good as the file.
    std::fs::write(inside.path().join("real.html"), "").unwrap();
    link(Path::new("real.html"), "index.html");
    // What was looked at stays as it was, so it is opened again.
    let opened = Directory::open(inside.path()).unwrap();
    assert_eq!(plan(&opened, &Choices::default()).unwrap().language, Language::Static);
}

#[test]
fn questions_lead_to_the_plan_that_the_answers_describe() {
    let shop = tree(&[
        ("web/package.json", "{ \"main\": \"server.js\", \"dependencies\": { \"express\": \"5\" } }"),
        ("web/server.js", "app.listen(4000)"),
        ("api/go.mod", "module api\n\ngo 1.25\n"),
        ("api/main.go", "package main\n"),
    ]);
    let mut interview = Interview::new(Choices::default());
    let mut asked = Vec::new();
    let planned = loop {
        // Between two questions the state may be anywhere.
        interview = serde_json::from_str(&serde_json::to_string(&interview).unwrap()).unwrap();
        match interview.step(&shop).unwrap() {
            Step::Done(plan) => break plan,
            Step::Ask(question) => {
                asked.push((question.subject, question.suggestion.clone()));
                if question.subject == Subject::App {
                    assert_eq!(question.choices.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>(), ["api", "web"]);
                    assert!(interview.answer(&shop, "").is_err(), "which app is not known");
                    assert!(interview.answer(&shop, "other").is_err());
                    interview.answer(&shop, "web").unwrap();
                } else {
                    interview.answer(&shop, if question.subject == Subject::Port { "5000" } else { "" }).unwrap();
                }
            }
        }
    };
    let expected = [
        (Subject::App, None),
        (Subject::Language, Some("node")),
        (Subject::Framework, Some("express")),
        (Subject::Version, Some("24")),
        (Subject::Start, Some("node server.js")),
        (Subject::Port, Some("4000")),
    ];
    assert_eq!(asked, expected.map(|(subject, suggestion)| (subject, suggestion.map(str::to_owned))));
    assert_eq!((planned.app.as_str(), planned.port, planned.start_command().as_str()), ("web", Some(5000), "node server.js"));
}

#[test]
fn choices_are_taken_as_they_are() {
    let shop = tree(&[
        ("package.json", "{ \"main\": \"server.js\", \"dependencies\": { \"express\": \"5\" }, \"devDependencies\": { \"a\": \"1\" } }"),
        ("server.js", ""),
        ("package-lock.json", "{}"),
    ]);
    let digest = format!("sha256:{}", "a".repeat(64));
    let choices = Choices {
        version: Some("22".into()),
        start: Some("node server.js --now".into()),
        build: Some("node make.js".into()),
        port: Some("8123".parse().unwrap()),
        base_registry: Some("harbor.company.com/hub/".into()),
        digests: [("node:22-bookworm-slim".to_owned(), digest.parse().unwrap())].into(),
        packages: vec!["ffmpeg".into()],
        ..Choices::default()
    };
    let text = plan(&shop, &choices).unwrap().dockerfile().unwrap();
    for part in [
        "FROM harbor.company.com/hub/node:22-bookworm AS base",
        &format!("FROM harbor.company.com/hub/node:22-bookworm-slim@{digest}"),
        "EXPOSE 8123",
        "PORT=8123",
        "RUN node make.js",
        "ffmpeg tini",
        "CMD [\"node\", \"server.js\", \"--now\"]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for (choices, says) in [
        (Choices { version: Some("15".into()), ..Choices::default() }, "the chosen version asks for Node.js \"15\""),
        (Choices { app: Some("nowhere".parse().unwrap()), ..Choices::default() }, "there is no directory nowhere"),
        (Choices { start: Some("a\nb".into()), ..Choices::default() }, "the start command"),
        (Choices { base_registry: Some("not a host".into()), ..Choices::default() }, "the base registry"),
        (Choices { packages: vec!["--force".into()], ..Choices::default() }, "the package"),
    ] {
        let error = plan(&shop, &choices).unwrap_err();
        assert!(error.message().contains(says), "{}", error.message());
    }
}
