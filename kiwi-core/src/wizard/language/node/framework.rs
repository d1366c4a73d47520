//! Frameworks: what shows them, what their build leaves, and how that starts.

use super::package::Package;
use crate::error::{Error, Result};
use crate::wizard::Framework;
use crate::wizard::files::{Files, string, without_code_comments};

/// What a build leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Output {
    /// Pages for any web server, in this directory; `fallback` when one page answers for all.
    Site { directory: String, fallback: bool },
    /// A server that needs nothing but these directories, with the command that starts it.
    Server { directories: Vec<(String, String)>, start: Vec<String> },
    /// A server beside its dependencies; the command when the framework knows it.
    Beside { start: Option<Vec<String>> },
}

/// What shows each framework, the most telling first.
const SIGNS: [(Framework, &[&str]); 19] = [
    (Framework::Next, &["next"]),
    (Framework::Nuxt, &["nuxt", "nuxt3", "nuxt-edge"]),
    (Framework::TanstackStart, &["@tanstack/react-start", "@tanstack/solid-start", "@tanstack/start"]),
    (Framework::Remix, &["@remix-run/node", "@remix-run/serve", "@remix-run/react", "@remix-run/dev"]),
    (Framework::SvelteKit, &["@sveltejs/kit"]),
    (Framework::ReactRouter, &["@react-router/dev", "@react-router/serve"]),
    (Framework::Astro, &["astro"]),
    (Framework::Angular, &["@angular/core"]),
    (Framework::Expo, &["expo"]),
    (Framework::NestJs, &["@nestjs/core"]),
    (Framework::Cra, &["react-scripts"]),
    (Framework::Fastify, &["fastify"]),
    (Framework::Hono, &["hono"]),
    (Framework::Express, &["express"]),
    (Framework::Koa, &["koa"]),
    (Framework::Vite, &["vite"]),
    (Framework::Vite, &["rolldown-vite"]),
    (Framework::Vite, &["@vitejs/plugin-react"]),
    (Framework::Vite, &["@vitejs/plugin-vue"]),
];

pub(super) fn detect(package: &Package) -> Option<Framework> {
    SIGNS.iter().find(|(_, names)| package.depends_on_any(names)).map(|(framework, _)| *framework)
}

/// Whether it makes pages only, as a side of many a server in another language.
pub(super) fn is_bundler(framework: Option<Framework>) -> bool {
    matches!(framework, None | Some(Framework::Vite | Framework::Cra))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn config(files: &Files<'_>, stem: &str) -> String {
    let text = ["js", "ts", "mjs", "cjs", "mts"].iter().map(|end| files.hint(&format!("{stem}.{end}"))).find(|text| !text.is_empty());
    without_code_comments(&text.unwrap_or_default())
}

/// The value of `key: 'value'` in a configuration that is code.
fn setting<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("{key}:"))?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| "'\"`".contains(*c))?;
    rest[1..].split(quote).next().filter(|value| !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)))
}

/// What the framework's build leaves; `reasons` takes what a person should know.
pub(super) fn output(framework: Option<Framework>, files: &Files<'_>, package: &Package, app: &str, reasons: &mut Vec<String>) -> Result<Output> {
    let beside = |start: &str| Output::Beside { start: Some(words(start)) };
    let site = |directory: &str, fallback| Output::Site { directory: directory.to_owned(), fallback };
    let own_start =
        || package.script("start").is_some_and(|start| !["vite", "react-scripts", "ng serve", "expo", "serve "].iter().any(|tool| start.starts_with(tool)));
    Ok(match framework {
        Some(Framework::Next) => {
            let config = config(files, "next.config");
            match setting(&config, "output") {
                Some("export") => {
                    reasons.push("the output is static: next.config says output: 'export'".to_owned());
                    site(setting(&config, "distDir").unwrap_or("out"), false)
                }
                Some("standalone") => {
                    reasons.push("only the standalone server is copied: next.config says output: 'standalone'".to_owned());
                    let mut directories = vec![
                        (".next/standalone".to_owned(), "/app".to_owned()),
                        (".next/static".to_owned(), format!("/app/{}", crate::wizard::tree::join(app, ".next/static"))),
                    ];
                    if files.has_directory("public") {
                        directories.push(("public".to_owned(), format!("/app/{}", crate::wizard::tree::join(app, "public"))));
                    }
                    Output::Server { directories, start: vec!["node".to_owned(), crate::wizard::tree::join(app, "server.js")] }
                }
                _ => {
                    reasons
                        .push("production dependencies are copied; output: 'standalone' in next.config would make the image several times smaller".to_owned());
                    beside("node node_modules/next/dist/bin/next start")
                }
            }
        }
        Some(Framework::Nuxt)
            if package.script("build").is_some_and(|build| build.contains("generate"))
                || setting(&config(files, "nuxt.config"), "preset").is_some_and(|preset| preset.contains("static")) =>
        {
            site(".output/public", false)
        }
        Some(Framework::Nuxt) => {
            Output::Server { directories: vec![(".output".to_owned(), "/app/.output".to_owned())], start: words("node .output/server/index.mjs") }
        }
        Some(Framework::TanstackStart) => {
            let own = package.script("start").filter(|start| start.starts_with("node ") && !start.contains(".output"));
            match own {
                Some(_) => Output::Beside { start: None },
                None if package.depends("nitro")
                    || package.depends("vinxi")
                    || config(files, "vite.config").contains("nitro")
                    || package.script("start").is_some()
                    || !package.depends("vite") =>
                {
                    Output::Server { directories: vec![(".output".to_owned(), "/app/.output".to_owned())], start: words("node .output/server/index.mjs") }
                }
                None => Output::Beside { start: Some(words("node .output/server/index.mjs")) },
            }
        }
        Some(Framework::SvelteKit) => {
            if package.depends("@sveltejs/adapter-static") {
                let config = config(files, "svelte.config");
                site(setting(&config, "pages").unwrap_or("build"), config.contains("fallback"))
            } else if package.depends("@sveltejs/adapter-node") {
                beside("node build")
            } else {
                return Err(Error::invalid("plan build", "SvelteKit has no adapter that makes a server or a site of its own")
                    .with_hint("add @sveltejs/adapter-node for a server, or @sveltejs/adapter-static for a site"));
            }
        }
        Some(Framework::Astro) if package.depends("@astrojs/node") => {
            let is_middleware = setting(&config(files, "astro.config"), "mode") == Some("middleware");
            if is_middleware && package.script("start").is_none() {
                return Err(Error::invalid("plan build", "astro.config makes a handler for a server of your own, which starts nothing by itself")
                    .with_hint("set mode: 'standalone', add a start script, or say the start command with --start"));
            }
            if is_middleware { Output::Beside { start: None } } else { beside("node ./dist/server/entry.mjs") }
        }
        Some(Framework::Astro) => site(setting(&config(files, "astro.config"), "outDir").unwrap_or("dist").trim_start_matches("./"), false),
        Some(Framework::ReactRouter) => {
            let config = config(files, "react-router.config").replace(' ', "");
            if config.contains("ssr:false") {
                site("build/client", true)
            } else {
                Output::Beside { start: package.script("start").is_none().then(|| words("node_modules/.bin/react-router-serve ./build/server/index.js")) }
            }
        }
        Some(Framework::Remix) => {
            let spa = config(files, "vite.config").replace(' ', "").contains("ssr:false");
            if spa {
                site("build/client", true)
            } else {
                Output::Beside { start: package.script("start").is_none().then(|| words("node_modules/.bin/remix-serve ./build/server/index.js")) }
            }
        }
        Some(Framework::Angular) => angular(files)?,
        Some(Framework::Expo) => site("dist", true),
        Some(Framework::Cra) if !own_start() => site("build", true),
        Some(Framework::Vite) if !own_start() => site(setting(&config(files, "vite.config"), "outDir").unwrap_or("dist").trim_start_matches("./"), true),
        Some(Framework::NestJs) => Output::Beside { start: Some(words(nest(package))) },
        _ => Output::Beside { start: None },
    })
}

fn nest(package: &Package) -> &str {
    package.script("start:prod").filter(|script| script.starts_with("node ")).unwrap_or("node dist/main")
}

fn angular(files: &Files<'_>) -> Result<Output> {
    let settings = files.json("angular.json")?.unwrap_or_default();
    let projects = settings.get("projects").and_then(serde_json::Value::as_object);
    let applications: Vec<_> = projects
        .into_iter()
        .flatten()
        .filter(|(_, project)| {
            string(project, &["projectType"]) != Some("library")
                && project.get("architect").or_else(|| project.get("targets")).is_some_and(|targets| targets.get("build").is_some())
        })
        .collect();
    let default = projects.zip(string(&settings, &["defaultProject"])).and_then(|(projects, name)| projects.get_key_value(name));
    if default.is_none() && applications.len() > 1 {
        let names: Vec<String> = applications.iter().map(|(name, _)| (*name).clone()).collect();
        return Err(super::super::ambiguous("angular.json has several applications", names, "name one as defaultProject in angular.json"));
    }
    let project = default.or_else(|| applications.into_iter().next());
    let Some((name, project)) = project else { return Ok(Output::Site { directory: "dist".to_owned(), fallback: true }) };
    let build = project.get("architect").or_else(|| project.get("targets")).and_then(|targets| targets.get("build"));
    let options = build.and_then(|build| build.get("options"));
    let path = options.and_then(|options| options.get("outputPath")).and_then(|path| path.as_str().or_else(|| path.get("base")?.as_str()));
    let base = path.map_or_else(|| format!("dist/{name}"), str::to_owned);
    let builder = build.and_then(|build| build.get("builder")).and_then(serde_json::Value::as_str).unwrap_or_default();
    if options.is_some_and(|options| options.get("ssr").is_some_and(|ssr| ssr.is_object() || ssr.as_bool() == Some(true))) {
        return Ok(Output::Beside { start: Some(vec!["node".to_owned(), format!("{base}/server/server.mjs")]) });
    }
    let named = options.and_then(|options| string(options, &["outputPath", "browser"]));
    let browser = named.unwrap_or(if builder.ends_with(":application") { "browser" } else { "" });
    Ok(Output::Site { directory: crate::wizard::tree::join(&base, browser).trim_end_matches('/').to_owned(), fallback: true })
}

/// Where a framework listens when nobody says otherwise.
pub(super) fn port(framework: Option<Framework>) -> u16 {
    match framework {
        Some(Framework::Astro) => 4321,
        Some(Framework::Angular) => 4000,
        _ => 3000,
    }
}

/// Variables that make a framework listen on every address.
pub(super) fn variables(framework: Option<Framework>) -> &'static [(&'static str, &'static str)] {
    match framework {
        Some(Framework::Next) => &[("HOSTNAME", "0.0.0.0"), ("NEXT_TELEMETRY_DISABLED", "1")],
        Some(Framework::Nuxt | Framework::Astro | Framework::SvelteKit | Framework::TanstackStart) => &[("HOST", "0.0.0.0")],
        _ => &[],
    }
}
