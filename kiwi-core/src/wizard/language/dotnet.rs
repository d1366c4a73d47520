//! .NET: C#, F# and Visual Basic.

use super::{Check, Draft, Found, Project, ambiguous, test_stage};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::{Files, string};
use crate::wizard::start::Start;
use crate::wizard::{Framework, Language, version};

fn project_files(files: &Files<'_>) -> Vec<String> {
    [".csproj", ".fsproj", ".vbproj"].iter().flat_map(|end| files.ending(end)).map(str::to_owned).collect()
}

fn is_web(text: &str) -> bool {
    text.contains("Microsoft.NET.Sdk.Web") || text.contains("Microsoft.AspNetCore.App")
}

fn is_program(text: &str) -> bool {
    (is_web(text) || text.contains("<OutputType>Exe") || text.contains("<OutputType>exe") || text.contains("Microsoft.NET.Sdk.Worker")) && !is_test(text)
}

fn is_test(text: &str) -> bool {
    text.contains("Microsoft.NET.Test.Sdk")
}

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let own = project_files(files);
    if let Some(name) = own.first() {
        let web = own.iter().any(|name| is_web(&files.hint(name)));
        return Ok(Some(Found::new(Language::Dotnet, web.then_some(Framework::AspNetCore), name.clone())));
    }
    let solution = files.ending(".sln").into_iter().chain(files.ending(".slnx")).next();
    Ok(solution.map(|name| Found::new(Language::Dotnet, None, name)))
}

/// The programs of a solution.
pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    if !project_files(files).is_empty() || (files.ending(".sln").is_empty() && files.ending(".slnx").is_empty()) {
        return Ok(Vec::new());
    }
    let found = files.search(3, |path| path.ends_with(".csproj") || path.ends_with(".fsproj") || path.ends_with(".vbproj"));
    let mut apps: Vec<String> = found
        .into_iter()
        .filter(|path| is_program(&files.hint(path)))
        .filter_map(|path| path.rsplit_once('/').map(|(directory, _)| directory.to_owned()))
        .collect();
    let web: Vec<String> =
        apps.iter().filter(|app| project_files(&files.below(app)).iter().any(|name| is_web(&files.below(app).hint(name)))).cloned().collect();
    if web.len() == 1 {
        apps = web;
    }
    apps.dedup();
    Ok(apps)
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let own = project_files(files);
    let name = match own.as_slice() {
        [only] => only.clone(),
        [] => {
            return Err(Error::invalid("plan build", "there is no project file, such as App.csproj").with_hint("choose the directory of a program with --app"));
        }
        several => {
            let programs: Vec<String> = several.iter().filter(|name| is_program(&files.hint(name))).cloned().collect();
            match programs.as_slice() {
                [only] => only.clone(),
                _ => {
                    return Err(ambiguous(
                        "several project files may be meant",
                        several.to_vec(),
                        "keep each in a directory of its own, and choose one with --app",
                    ));
                }
            }
        }
    };
    let text = files.text(&name)?.unwrap_or_default();
    let element = |name: &str| text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split('<').next()).map(|value| value.trim().to_owned());
    let properties = project.root.hint("Directory.Build.props");
    let shared = properties.split_once("<TargetFramework>").and_then(|(_, rest)| rest.split('<').next()).map(|value| value.trim().to_owned());
    let target = element("TargetFramework").or_else(|| element("TargetFrameworks").and_then(|list| list.split(';').next_back().map(str::to_owned))).or(shared);
    let windows = element("TargetFrameworkVersion").map(|version| version.trim_start_matches('v').to_owned());
    if let Some(version) = windows.filter(|_| target.is_none()) {
        return Err(Error::invalid("plan build", format!("{} is for .NET Framework {version}, which runs on Windows only", files.path(&name)))
            .with_hint("move it to .NET first: an SDK-style project with a TargetFramework such as net8.0"));
    }
    let mut declared = Vec::new();
    let framework_version = target.as_ref().map(|text| text.trim_start_matches("netcoreapp").trim_start_matches("net").to_owned());
    if let Some(global) = files.json("global.json")?.or(project.root.json("global.json")?)
        && let Some(sdk) = string(&global, &["sdk", "version"])
        && let Some((numbers, _)) = version::numbers(sdk)
    {
        // The SDK's patch numbers are its own; its line is the runtime's.
        let line = format!("{}.{}", numbers[0], numbers[1]);
        // A newer SDK builds for an older runtime, which the image must then have.
        let place = "global.json".to_owned();
        declared.push(match &framework_version {
            Some(framework) if framework.split('.').next() != line.split('.').next() => (framework.clone(), files.path(&name)),
            _ => (line, place),
        });
    }
    declared.extend(framework_version.map(|version| (version.split('-').next().unwrap_or_default().to_owned(), files.path(&name))));
    let images = project.version(draft, declared)?;
    // The SDK of an exact release, where no newer one of its line may stand in.
    let global = files.json("global.json")?.or(project.root.json("global.json")?).unwrap_or_default();
    let pinned =
        string(&global, &["sdk", "version"]).filter(|version| version.split('.').count() == 3 && version.chars().all(|c| c.is_ascii_digit() || c == '.'));
    let rolls = string(&global, &["sdk", "rollForward"]).unwrap_or("latestPatch").to_ascii_lowercase();
    let sdk = match pinned {
        Some(version) if ["disable", "patch", "latestpatch"].contains(&rolls.as_str()) && project.choices.version.is_none() => {
            draft.because(format!("SDK {version}: global.json asks for it"));
            format!("mcr.microsoft.com/dotnet/sdk:{version}")
        }
        _ => images.build.clone(),
    };
    draft.package_manager = Some("nuget".to_owned());
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let assembly = element("AssemblyName").filter(|name| !name.contains("$(")).unwrap_or_else(|| stem.to_owned());
    let web = draft.framework.is_some() || is_web(&text);
    project.start(draft, |draft| {
        draft.because("start command: the assembly that the build makes");
        Ok(Start { program: vec!["dotnet".to_owned(), format!("{assembly}.dll")], variables: Vec::new() })
    })?;
    project.port(draft, web, 8080, &[]);
    if let Some(port) = draft.port {
        let old = version::numbers(&images.version).is_some_and(|(numbers, _)| numbers[0] < 8);
        draft.start.variables.push(if old {
            ("ASPNETCORE_URLS".to_owned(), format!("http://+:{port}"))
        } else {
            ("ASPNETCORE_HTTP_PORTS".to_owned(), port.to_string())
        });
    }
    // Projects of a solution refer to each other, so the context is the root's.
    let app = files.directory();
    let referenced = text.contains("<ProjectReference") && !app.is_empty();
    let top = if referenced { "" } else { app };
    let mut manifests: Vec<String> = ["Directory.Build.props", "Directory.Packages.props", "NuGet.config", "nuget.config", "global.json"]
        .iter()
        .filter(|name| project.root.at(top).has(name))
        .map(|name| project.root.at(top).path(name))
        .collect();
    if referenced {
        manifests.extend(project.root.search(4, |path| path.ends_with("proj")));
    } else {
        manifests.push(files.path(&name));
    }
    manifests.extend(project.existing(&["packages.lock.json", "paket.lock", "paket.dependencies"]));
    manifests.dedup();
    let target_path = if referenced { word(&files.path(&name)) } else { word(&name) };
    let cache = ["/root/.nuget/packages"];
    let locked = if files.has("packages.lock.json") { " --locked-mode" } else { "" };
    let build = Stage::image("build", &sdk).workdir("/src").copy_in_place(&manifests, top).run_cached(format!("dotnet restore {target_path}{locked}"), &cache);
    let command = project
        .build_command(draft, Some(format!("dotnet publish {target_path} --configuration Release --no-restore --output /out /p:UseAppHost=false")))
        .unwrap_or_default();
    let build = build.copy([if top.is_empty() { ".".to_owned() } else { format!("{top}/") }], "./").run_cached(command, &cache);
    let run = if web { images.run.clone() } else { images.run.replace("/aspnet:", "/runtime:") };
    draft.ignore.extend(["bin", "obj", "**/bin", "**/obj", ".vs"]);
    let last =
        Stage::last(From::Image(run)).workdir("/app").env([("DOTNET_EnableDiagnostics", "0")]).apt(&project.packages(&[])).copy_from("build", "/out", "./");
    let last = project.end(draft, last, Check::Bash, None);
    draft.stages.extend([build, test_stage("build"), last]);
    Ok(())
}
