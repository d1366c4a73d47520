//! Builds by Gradle.

use super::jvm::{framework, main_classes, major, versions};
use super::maven::{Artifact, Program, finish, is_layered};
use super::{Draft, Project};
use crate::error::{Error, Result};
use crate::wizard::Framework;
use crate::wizard::dockerfile::Stage;
use crate::wizard::files::Files;
use crate::wizard::start::Start;
use crate::wizard::table;
use crate::wizard::tree::join;

const CACHE: [&str; 1] = ["/root/.gradle"];
const BUILD_FILES: [&str; 2] = ["build.gradle.kts", "build.gradle"];
const SETTINGS: [&str; 2] = ["settings.gradle.kts", "settings.gradle"];

fn build_file(files: &Files<'_>) -> String {
    files.first(&BUILD_FILES).map(|name| files.hint(name)).unwrap_or_default()
}

/// The modules that the settings include, as directories.
fn included(files: &Files<'_>) -> Vec<String> {
    let text = files.first(&SETTINGS).map(|name| files.hint(name)).unwrap_or_default();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| line.starts_with("include") && !line.starts_with("includeBuild")) {
        found.extend(line.split(['"', '\'']).skip(1).step_by(2).map(|module| module.trim_start_matches(':').replace(':', "/")));
    }
    found.retain(|module| !module.is_empty() && !module.contains("..") && files.has_directory(module));
    found
}

fn is_program(files: &Files<'_>) -> bool {
    let text = build_file(files);
    framework(&text).is_some_and(|framework| framework != Framework::SpringBoot || text.contains("org.springframework.boot"))
        || text.contains("application") && text.contains("ainClass")
        || text.contains("id 'application'")
        || text.contains("id(\"application\")")
}

pub(super) fn members(files: &Files<'_>) -> Vec<String> {
    if is_program(files) && files.has_directory("src/main") {
        return Vec::new();
    }
    included(files).into_iter().filter(|module| is_program(&files.below(module))).collect()
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let app = files.directory();
    let mut top = app.to_owned();
    let mut directory = app;
    while !directory.is_empty() {
        directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
        if included(&project.root.at(directory)).iter().any(|module| join(directory, module) == app) {
            top = directory.to_owned();
        }
    }
    let top_files = project.root.at(&top);
    let inner = app.strip_prefix(top.as_str()).unwrap_or(app).trim_start_matches('/').to_owned();
    let text = build_file(files);
    let catalog = top_files.hint("gradle/libs.versions.toml");
    let all = format!("{text}\n{}\n{catalog}", if top == app { String::new() } else { build_file(&top_files) });
    if text.contains("com.android.application") || text.contains("libs.plugins.android.application") {
        return Err(Error::invalid("plan build", "this is an Android app, which is built for devices").with_hint("choose a server's module with --app"));
    }
    draft.framework = draft.framework.or_else(|| framework(&text));

    let mut declared = versions(files)?;
    declared.extend(versions(&top_files)?);
    declared.extend(java(&all).map(|version| (major(&version), files.path(files.first(&BUILD_FILES).unwrap_or("build.gradle")))));
    let wrapper = top_files.has("gradlew") && top_files.has("gradle/wrapper/gradle-wrapper.properties");
    let gradle =
        top_files.hint("gradle/wrapper/gradle-wrapper.properties").split_once("gradle-").map(|(_, rest)| rest.split('-').next().unwrap_or_default().to_owned());
    if declared.is_empty()
        && let Some((numbers, _)) = gradle.as_deref().and_then(crate::wizard::version::numbers)
    {
        // What a Gradle of this age runs on.
        let newest = match numbers {
            [..5, ..] => "8",
            [5 | 6, ..] => "11",
            [7, minor, _] if minor < 3 => "11",
            [7, ..] => "17",
            [8, minor, _] if minor < 5 => "17",
            _ => "21",
        };
        declared.push((newest.to_owned(), format!("the age of Gradle {} in the wrapper", gradle.clone().unwrap_or_default())));
    }
    let images = project.version(draft, declared)?;
    draft.package_manager = Some("gradle".to_owned());
    let (image, run) = if wrapper {
        draft.because("package manager gradle: the wrapper in the repository says which version");
        (images.build.clone(), "sh ./gradlew")
    } else {
        draft.because("package manager gradle: there is no wrapper, so the image brings one; commit the wrapper to choose it");
        (table::image("gradle", None, &[("java", &images.version)])?, "gradle")
    };

    let modules = included(&top_files);
    let names = ["build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "gradle.properties", "gradlew", "gradle.lockfile"];
    let mut manifests: Vec<String> = names.iter().filter(|name| top_files.has(name)).map(|name| top_files.path(name)).collect();
    for module in &modules {
        manifests.extend(BUILD_FILES.iter().map(|name| join(module, name)).filter(|name| top_files.has(name)).map(|name| top_files.path(&name)));
    }
    let mut build = Stage::image("build", &image).workdir("/src").copy_in_place(&manifests, &top);
    for directory in ["gradle", "buildSrc", "build-logic"] {
        if top_files.has_directory(directory) {
            build = build.copy([format!("{}/", top_files.path(directory))], format!("{directory}/"));
        }
    }
    let prefix = if inner.is_empty() { String::new() } else { format!(":{}:", inner.replace('/', ":")) };
    build = build.run_cached(format!("{run} --no-daemon --quiet {prefix}dependencies"), &CACHE);
    build = build.copy([if top.is_empty() { ".".to_owned() } else { format!("{top}/") }], "./");
    let (kind, task) = match draft.framework {
        Some(Framework::SpringBoot)
            if text.contains("org.springframework.boot") || text.contains("springframework.boot") || all.contains("org.springframework.boot") =>
        {
            (if is_layered(boot(&all).as_deref()) { Artifact::Layers } else { Artifact::Jar }, "bootJar")
        }
        Some(Framework::Quarkus) => (Artifact::Quarkus, "quarkusBuild"),
        _ if text.contains("shadow") || draft.framework == Some(Framework::Ktor) && text.contains("io.ktor.plugin") => (Artifact::Jar, "shadowJar"),
        _ if text.contains("application") => (Artifact::Distribution, "installDist"),
        _ => (Artifact::Classes, "jar"),
    };
    let output = join(&inner, "build");
    let copy = match kind {
        Artifact::Quarkus => format!("mkdir /out && cp -r {output}/quarkus-app/. /out"),
        Artifact::Distribution => format!("mkdir /out && cp -r {output}/install/*/lib /out/"),
        _ => format!(
            "mkdir -p /out/lib && find {output}/libs -name '*.jar' ! -name '*-plain.jar' ! -name '*-sources.jar' ! -name '*-javadoc.jar' -exec cp {{}} /out/app.jar ';'"
        ),
    };
    let found = format!("{run} --no-daemon {prefix}{task} -x test");
    let command = project.build_command(draft, Some(found)).unwrap_or_default();
    build = build.run_cached(format!("{command} && {copy}"), &CACHE);
    let class = match kind {
        Artifact::Classes | Artifact::Distribution => Some(main_class(files, &text)?),
        _ => None,
    };
    if kind == Artifact::Distribution {
        let class = class.clone().unwrap_or_default();
        if project.choices.start.is_none() && !files.has("Procfile") {
            let program = ["java", "-cp", "/app/lib/*", &class].map(str::to_owned).to_vec();
            return distribution(project, draft, build, &images.run, program, &all);
        }
    }
    finish(project, draft, build, &images.run, &Program { kind, class, end: "jar" }, &all, files)
}

/// A program whose archives all lie in one directory.
fn distribution(project: &Project<'_>, draft: &mut Draft, build: Stage, run: &str, program: Vec<String>, manifest: &str) -> Result<()> {
    finish(project, draft, build, run, &Program { kind: Artifact::Distribution, class: None, end: "jar" }, manifest, &project.files)?;
    draft.start = Start { program: program.clone(), variables: draft.start.variables.clone() };
    if let Some(last) = draft.stages.pop() {
        draft.stages.push(last.with_command(&program));
    }
    Ok(())
}

/// The version that a toolchain or the compatibility settings ask for.
fn java(text: &str) -> Option<String> {
    for sign in ["JavaLanguageVersion.of(", "jvmToolchain(", "JavaVersion.VERSION_", "sourceCompatibility", "targetCompatibility", "jvmTarget"] {
        for (at, _) in text.match_indices(sign) {
            let rest = text[at + sign.len()..].lines().next().unwrap_or_default();
            let value: String =
                rest.trim_start_matches([' ', '=', '"', '\'', '(', ')']).chars().take_while(|c| c.is_ascii_digit() || *c == '.' || *c == '_').collect();
            if value.starts_with(|c: char| c.is_ascii_digit()) {
                return Some(value.replace('_', "."));
            }
        }
    }
    None
}

/// The version of Spring Boot's plugin.
fn boot(text: &str) -> Option<String> {
    for (at, _) in text.match_indices("org.springframework.boot") {
        let rest = text[at..].lines().next().unwrap_or_default();
        if let Some((_, version)) = rest.split_once("version") {
            let version: String = version.trim_start_matches([' ', '=', '"', '\'', '(']).chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            if !version.is_empty() {
                return Some(version);
            }
        }
    }
    None
}

fn main_class(files: &Files<'_>, text: &str) -> Result<String> {
    for sign in ["mainClass", "mainClassName"] {
        let declared = text.split_once(sign).and_then(|(_, rest)| rest.lines().next()).and_then(|line| line.split(['"', '\'']).nth(1));
        if let Some(class) = declared.filter(|class| !class.is_empty() && class.chars().all(|c| c.is_alphanumeric() || "._$".contains(c))) {
            return Ok(class.to_owned());
        }
    }
    let mut found = main_classes(files);
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::invalid("plan build", "no class has a main method").with_hint("name it as mainClass of the application plugin")),
        _ => Err(super::ambiguous("several classes have a main method", found, "name one as mainClass of the application plugin")),
    }
}
