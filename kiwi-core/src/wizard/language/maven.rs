//! Builds by Maven.

use super::jvm::{PORT, listens, main_classes, major, sources, versions};
use super::{Check, Draft, Project, ambiguous, test_stage};
use crate::error::{Error, Result};
use crate::wizard::Framework;
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::Files;
use crate::wizard::start::Start;
use crate::wizard::table;
use crate::wizard::tree::join;
use roxmltree::{Document, Node};

const CACHE: [&str; 1] = ["/root/.m2"];

/// What we read of a `pom.xml`.
#[derive(Default)]
struct Pom {
    text: String,
    artifact: Option<String>,
    version: Option<String>,
    packaging: String,
    final_name: Option<String>,
    modules: Vec<String>,
    java: Option<String>,
    main_class: Option<String>,
    boot: Option<String>,
    parent_path: Option<String>,
    shaded: bool,
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn read(files: &Files<'_>) -> Result<Option<Pom>> {
    let Some(text) = files.text("pom.xml")? else { return Ok(None) };
    let malformed = |why: String| Error::invalid("read project", format!("{} is malformed: {why}", files.path("pom.xml"))).with_hint("correct the file");
    let mut pom = Pom { packaging: "jar".to_owned(), ..Pom::default() };
    {
        // A document whose elements lie absurdly deep is not a build.
        if text.matches('<').count() > 100_000 {
            return Err(malformed("it has too many elements".to_owned()));
        }
        let options = roxmltree::ParsingOptions { allow_dtd: false, ..roxmltree::ParsingOptions::default() };
        let document = Document::parse_with_options(&text, options).map_err(|error| malformed(error.to_string()))?;
        let root = document.root_element();
        let properties: Vec<(String, String)> = child(root, "properties")
            .into_iter()
            .flat_map(|node| node.children())
            .filter(Node::is_element)
            .filter_map(|node| Some((node.tag_name().name().to_owned(), node.text()?.trim().to_owned())))
            .collect();
        let resolve = |text: &str| {
            let text = text.trim();
            match text.strip_prefix("${").and_then(|name| name.strip_suffix('}')) {
                Some(name) => properties.iter().find(|(property, _)| property == name).map(|(_, value)| value.clone()),
                None => (!text.contains("${")).then(|| text.to_owned()),
            }
        };
        let text_of = |node: Option<Node<'_, '_>>| node.and_then(|node| node.text()).and_then(&resolve);
        let parent = child(root, "parent");
        pom.artifact = text_of(child(root, "artifactId"));
        pom.version = text_of(child(root, "version"))
            .or_else(|| if child(root, "version").is_none() { text_of(parent.and_then(|parent| child(parent, "version"))) } else { None });
        pom.packaging = text_of(child(root, "packaging")).unwrap_or_else(|| "jar".to_owned());
        let build = child(root, "build");
        pom.final_name = build.and_then(|build| child(build, "finalName")).and_then(|node| node.text()).map(|name| {
            let name = name
                .replace("${project.artifactId}", pom.artifact.as_deref().unwrap_or_default())
                .replace("${artifactId}", pom.artifact.as_deref().unwrap_or_default());
            name.replace("${project.version}", pom.version.as_deref().unwrap_or_default())
        });
        pom.modules = child(root, "modules")
            .into_iter()
            .flat_map(|node| node.children())
            .filter(Node::is_element)
            .filter_map(|node| node.text())
            .map(|text| text.trim().trim_start_matches("./").to_owned())
            .filter(|module| !module.contains(".."))
            .collect();
        let mut java = ["maven.compiler.release", "java.version", "maven.compiler.target", "maven.compiler.source", "jdk.version"]
            .iter()
            .find_map(|name| properties.iter().find(|(property, _)| property == name))
            .and_then(|(_, value)| resolve(value));
        for plugin in document.descendants().filter(|node| node.tag_name().name() == "plugin") {
            let name = child(plugin, "artifactId").and_then(|node| node.text()).unwrap_or_default().trim().to_owned();
            if name == "maven-compiler-plugin" {
                let set = plugin
                    .descendants()
                    .find(|node| matches!(node.tag_name().name(), "release" | "target" | "source"))
                    .and_then(|node| node.text())
                    .and_then(&resolve);
                java = java.or(set);
            }
            if ["maven-shade-plugin", "maven-assembly-plugin", "maven-jar-plugin", "exec-maven-plugin", "spring-boot-maven-plugin"].contains(&name.as_str()) {
                let class = plugin.descendants().find(|node| node.tag_name().name() == "mainClass").and_then(|node| node.text()).and_then(&resolve);
                pom.main_class = pom.main_class.take().or(class);
            }
            pom.shaded |= name == "maven-shade-plugin";
        }
        pom.java = java;
        let boot_parent = parent.filter(|parent| text_of(child(*parent, "artifactId")).is_some_and(|name| name.starts_with("spring-boot")));
        pom.boot = text_of(boot_parent.and_then(|parent| child(parent, "version")))
            .or_else(|| properties.iter().find(|(name, _)| name == "spring-boot.version").map(|(_, value)| value.clone()));
        pom.parent_path = parent.map(|_| "..".to_owned());
    }
    pom.text = text;
    Ok(Some(pom))
}

pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    let Some(pom) = read(files)? else { return Ok(Vec::new()) };
    let mut apps = Vec::new();
    for module in &pom.modules {
        let below = files.below(module);
        if let Some(child) = read(&below)?
            && child.packaging != "pom"
            && (child.main_class.is_some()
                || child.text.contains("spring-boot-maven-plugin")
                || child.text.contains("quarkus-maven-plugin")
                || !main_classes(&below).is_empty())
        {
            apps.push(module.clone());
        }
    }
    Ok(apps)
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let pom = read(files)?.unwrap_or_default();
    // A module is built from the directory of its parent.
    let app = files.directory();
    let mut top = app.to_owned();
    if let Some((parent, _)) = app.rsplit_once('/').or((!app.is_empty()).then_some(("", app)))
        && read(&project.root.at(parent))?.is_some_and(|outer| outer.modules.iter().any(|module| join(parent, module) == app))
    {
        top = parent.to_owned();
    }
    let top_files = project.root.at(&top);
    let outer = if top == app { None } else { read(&top_files)? };
    let inner = app.strip_prefix(top.as_str()).unwrap_or(app).trim_start_matches('/').to_owned();

    let mut declared = versions(files)?;
    declared.extend(versions(&top_files)?);
    let from_pom = [Some(&pom), outer.as_ref()].into_iter().flatten().find_map(|pom| pom.java.as_deref());
    declared.extend(from_pom.map(|text| (major(text), files.path("pom.xml"))));
    let images = project.version(draft, declared)?;
    let wrapper = top_files.has("mvnw") && top_files.has(".mvn/wrapper/maven-wrapper.properties");
    draft.package_manager = Some("maven".to_owned());
    let (image, mvn) = if wrapper {
        draft.because("package manager maven: the wrapper in the repository says which version");
        (images.build.clone(), "sh ./mvnw")
    } else {
        draft.because("package manager maven: pom.xml");
        (table::image("maven", None, &[("java", &images.version)])?, "mvn")
    };

    let modules: Vec<String> = outer.as_ref().unwrap_or(&pom).modules.clone();
    let mut manifests: Vec<String> = ["pom.xml", "mvnw"].iter().filter(|name| top_files.has(name)).map(|name| top_files.path(name)).collect();
    manifests.extend(modules.iter().map(|module| join(module, "pom.xml")).filter(|pom| top_files.has(pom)).map(|pom| top_files.path(&pom)));
    let mut build = Stage::image("build", &image).workdir("/src").copy_in_place(&manifests, &top);
    if top_files.has_directory(".mvn") {
        build = build.copy([format!("{}/", top_files.path(".mvn"))], ".mvn/");
    }
    let quiet = "--batch-mode --no-transfer-progress";
    if modules.is_empty() {
        build = build.run_cached(format!("{mvn} {quiet} dependency:go-offline"), &CACHE);
    } else {
        // Modules that need each other cannot be resolved before they are built.
        draft.because("dependencies are downloaded with the build, because modules of the project need each other");
    }
    build = build.copy([if top.is_empty() { ".".to_owned() } else { format!("{top}/") }], "./");
    let select = if inner.is_empty() { String::new() } else { format!(" --projects {} --also-make", word(&inner)) };
    let target = join(&inner, "target");
    let shaded = pom.shaded || pom.text.contains("jar-with-dependencies");
    let kind = match draft.framework {
        Some(Framework::Quarkus) => Artifact::Quarkus,
        Some(Framework::SpringBoot) if layered(pom.boot.as_deref().or(outer.as_ref().and_then(|outer| outer.boot.as_deref()))) && pom.packaging == "jar" => {
            Artifact::Layers
        }
        Some(Framework::SpringBoot | Framework::Micronaut) => Artifact::Jar,
        _ if shaded => Artifact::Jar,
        _ => Artifact::Classes,
    };
    let class = match kind {
        Artifact::Classes => Some(main_class(files, pom.main_class.as_deref())?),
        _ => None,
    };
    let package = project.build_command(draft, Some(format!("{mvn} {quiet} package -DskipTests{select}"))).unwrap_or_default();
    let lib = if kind == Artifact::Classes {
        format!(" && {mvn} {quiet} dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=/out/lib{}", select.replace(" --also-make", ""))
    } else {
        String::new()
    };
    let end = if pom.packaging == "war" { "war" } else { "jar" };
    let copy = match kind {
        Artifact::Quarkus => format!("mkdir /out && cp -r {target}/quarkus-app/. /out"),
        _ => format!("mkdir -p /out/lib && {}", copy_command(&pom, &target, end)),
    };
    build = build.run_cached(format!("{package}{lib} && {copy}"), &CACHE);
    finish(project, draft, build, &images.run, &Program { kind, class, end }, &pom.text, files)
}

/// What a build leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Artifact {
    /// One archive with everything.
    Jar,
    /// An archive that Spring Boot takes apart into layers.
    Layers,
    /// Quarkus's own directory.
    Quarkus,
    /// An archive of the project's classes beside those of its dependencies.
    Classes,
    /// A directory with start scripts, by Gradle's application plugin.
    Distribution,
}

/// What the last stage of a program on the JVM needs to know.
pub(super) struct Program<'a> {
    pub(super) kind: Artifact,
    pub(super) class: Option<String>,
    pub(super) end: &'a str,
}

/// The stages that follow the build, the same for every build tool.
pub(super) fn finish(
    project: &Project<'_>,
    draft: &mut Draft,
    mut build: Stage,
    run: &str,
    program: &Program<'_>,
    manifest: &str,
    files: &Files<'_>,
) -> Result<()> {
    if program.kind == Artifact::Layers {
        draft.because("the archive is taken apart into layers, so that a change of the code moves little");
        build = build.run("java -Djarmode=tools -jar /out/app.jar extract --layers --destination /out/layers");
    }
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    project.start(draft, |draft| {
        draft.because("start command: what the build makes");
        let program = match program.kind {
            Artifact::Quarkus => words("java -jar /app/quarkus-run.jar"),
            Artifact::Classes => {
                let class = program.class.clone().unwrap_or_default();
                words("java -cp /app/app.jar:/app/lib/*").into_iter().chain([class]).collect()
            }
            _ => words(&format!("java -jar /app/app.{}", program.end)),
        };
        Ok(Start { program, variables: Vec::new() })
    })?;
    let sources = sources(files);
    let listens = listens(draft, manifest, &sources);
    project.port(draft, listens, PORT, &sources);
    if let Some(port) = draft.port {
        let name = match draft.framework {
            Some(Framework::SpringBoot) => Some("SERVER_PORT"),
            Some(Framework::Quarkus) => Some("QUARKUS_HTTP_PORT"),
            Some(Framework::Micronaut) => Some("MICRONAUT_SERVER_PORT"),
            _ => None,
        };
        draft.start.variables.extend(name.map(|name| (name.to_owned(), port.to_string())));
    }
    // Not at any depth: a package of the sources may be called so.
    draft.ignore.extend(["target", "*/target", "*/*/target", "build", "*/build", "*/*/build", ".gradle", "**/*.class"]);
    let mut last = Stage::last(From::Image(run.to_owned())).workdir("/app").apt(&project.packages(&[]));
    // Sized by the container's memory, and no file of statistics in a temporary directory.
    last = last.env([("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData")]);
    last = match program.kind {
        Artifact::Layers => ["dependencies", "spring-boot-loader", "snapshot-dependencies", "application"]
            .iter()
            .fold(last, |last, layer| last.copy_from("build", format!("/out/layers/{layer}/"), "./")),
        Artifact::Quarkus => ["lib", "quarkus", "app"]
            .iter()
            .fold(last, |last, part| last.copy_from("build", format!("/out/{part}/"), format!("{part}/")))
            .copy_from("build", "/out/quarkus-run.jar", "./"),
        Artifact::Classes => last.copy_from("build", "/out/lib/", "lib/").copy_from("build", "/out/app.jar", "./"),
        Artifact::Jar => last.copy_from("build", format!("/out/app.{}", program.end), "./"),
        Artifact::Distribution => last.copy_from("build", "/out/lib/", "lib/"),
    };
    let last = project.end(draft, last, Check::Bash, None);
    draft.stages.extend([build, test_stage("build"), last]);
    Ok(())
}

/// Copies the archive out of the target directory: by its name where that is known, else the one that is left.
fn copy_command(pom: &Pom, target: &str, end: &str) -> String {
    let assembled = if pom.text.contains("jar-with-dependencies") { "-jar-with-dependencies" } else { "" };
    let name = pom.final_name.clone().filter(|name| !name.contains("${")).or_else(|| Some(format!("{}-{}", pom.artifact.as_ref()?, pom.version.as_ref()?)));
    match name {
        Some(name) => format!("cp {} /out/app.{end}", word(&format!("{target}/{name}{assembled}.{end}"))),
        None => format!(
            "find {target} -maxdepth 1 -name '*{assembled}.{end}' ! -name '*-sources.jar' ! -name '*-javadoc.jar' ! -name '*-tests.jar' ! -name 'original-*' -exec cp {{}} /out/app.{end} ';'"
        ),
    }
}

/// Whether this Spring Boot can take its archive apart with the tools mode.
fn layered(version: Option<&str>) -> bool {
    version.and_then(crate::wizard::version::numbers).is_some_and(|(numbers, _)| numbers >= [3, 3, 0])
}

pub(super) fn is_layered(version: Option<&str>) -> bool {
    layered(version)
}

/// The class with the main method: the one that the build file names, or the only one.
fn main_class(files: &Files<'_>, declared: Option<&str>) -> Result<String> {
    let legal = |class: &&str| class.chars().all(|c| c.is_alphanumeric() || "._$".contains(c));
    if let Some(class) = declared.filter(legal) {
        return Ok(class.to_owned());
    }
    let mut found = main_classes(files);
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            Err(Error::invalid("plan build", "no class has a main method")
                .with_hint("name it as mainClass in pom.xml, or say how the project starts with --start"))
        }
        _ => Err(ambiguous(
            "several classes have a main method",
            found,
            "name one as mainClass in pom.xml, or with --start 'java -cp /app/app.jar:/app/lib/* CLASS'",
        )),
    }
}
