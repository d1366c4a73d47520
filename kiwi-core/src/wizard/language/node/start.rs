//! How a Node.js project starts: its script, resolved to the program itself.

use super::package::Package;
use crate::wizard::files::Files;
use crate::wizard::start::{self, Start};

/// How many scripts may call each other.
const DEPTH: usize = 5;

/// What starts the project, and why; none when nothing says it.
pub(super) fn find(files: &Files<'_>, package: &Package, bun: bool, typed_runs: bool, built: bool) -> Option<(Start, String)> {
    for name in ["start:prod", "start:production", "start"] {
        if let Some(script) = package.script(name)
            && !(name != "start" && script.contains("pm2"))
        {
            let start = resolve(package, script, bun, DEPTH);
            // A script that calls itself starts nothing.
            let endless = called(package, &start.program).is_some();
            if endless {
                continue;
            }
            let before =
                package.script(&format!("pre{name}")).map(|before| format!("; pre{name} ({before}) is not run, make it the service's release command"));
            return Some((start, format!("the script {name} of package.json: {script}{}", before.unwrap_or_default())));
        }
    }
    let runner = if bun { "bun" } else { "node" };
    let program = |file: &str, why: String| Some((Start { program: vec![runner.to_owned(), file.to_owned()], variables: Vec::new() }, why));
    if let Some(main) = package.text(&["main"]).map(|main| main.trim_start_matches("./")) {
        let there = [main.to_owned(), format!("{main}.js"), format!("{main}/index.js")].into_iter().find(|file| files.has(file));
        if there.is_some() || (built && main.ends_with("js")) {
            return program(there.as_deref().unwrap_or(main), "the field main of package.json".to_owned());
        }
    }
    const ENTRIES: [&str; 12] = [
        "index.js",
        "index.mjs",
        "index.cjs",
        "server.js",
        "app.js",
        "main.js",
        "src/index.js",
        "src/server.js",
        "src/main.js",
        "src/app.js",
        "server/index.js",
        "server.mjs",
    ];
    const TYPED: [&str; 8] = ["index.ts", "server.ts", "app.ts", "main.ts", "src/index.ts", "src/server.ts", "src/main.ts", "index.tsx"];
    if let Some(entry) = files.first(&ENTRIES) {
        return program(entry, format!("the file {entry}"));
    }
    let typed = files.first(&TYPED)?;
    if bun {
        return program(typed, format!("the file {typed}"));
    }
    if built {
        let compiled = typed.trim_start_matches("src/").replace(".ts", ".js");
        return program(&format!("dist/{compiled}"), format!("what the build makes of {typed}"));
    }
    if typed_runs && !typed.ends_with(".tsx") {
        return program(typed, format!("the file {typed}, whose types Node.js takes out itself"));
    }
    None
}

/// A script as the program that it starts in the end.
pub(super) fn resolve(package: &Package, script: &str, bun: bool, depth: usize) -> Start {
    let mut start = start::parse(script);
    if start.program.first().map(String::as_str) == Some("sh") {
        // The shell looks for the programs of dependencies where the script would have.
        let path = "/app/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.variables.push(("PATH".to_owned(), path.to_owned()));
        return start;
    }
    if let Some(inner) = called(package, &start.program)
        && depth > 0
        && let Some(script) = package.script(&inner)
    {
        let mut nested = resolve(package, script, bun, depth - 1);
        nested.variables.splice(0..0, start.variables);
        if nested.program.first().map(String::as_str) != Some("sh") {
            // npm hands on what stands behind `--`, the others all that follows.
            let behind = start.program.iter().skip_while(|word| **word != inner).skip(1);
            let npm = start.program[0] == "npm";
            nested.program.extend(behind.skip_while(|word| npm && *word != "--").filter(|word| *word != "--").cloned());
        }
        return nested;
    }
    if start.program.first().is_some_and(|program| matches!(program.as_str(), "npx" | "pnpx" | "bunx")) && start.program.len() > 1 {
        start.program.remove(0);
        if start.program[0] == "--yes" || start.program[0] == "-y" {
            start.program.remove(0);
        }
    }
    let name = start.program.first().cloned().unwrap_or_default();
    match name.as_str() {
        // Both watch files, which is for development.
        "nodemon" => start.program[0] = "node".to_owned(),
        "node" | "bun" | "deno" | "sh" | "bash" | "python" | "python3" | "java" | "npm" | "pnpm" | "yarn" => {}
        "next" => start.program.splice(0..1, ["node".to_owned(), "node_modules/next/dist/bin/next".to_owned()]).for_each(drop),
        _ if name.contains('/') => {}
        _ => start.program[0] = format!("node_modules/.bin/{name}"),
    }
    if bun
        && start.program[0] == "bun"
        && start.program.get(1).map(String::as_str) == Some("run")
        && start.program.get(2).is_some_and(|file| file.contains('.'))
    {
        start.program.remove(1);
    }
    start
}

/// The script that `npm run NAME`, `yarn NAME` and the like call.
fn called(package: &Package, program: &[String]) -> Option<String> {
    let words: Vec<&str> = program.iter().map(String::as_str).collect();
    let name = match words.as_slice() {
        ["npm" | "pnpm" | "yarn" | "bun", "run" | "run-script", name, ..] => name,
        ["npm" | "pnpm" | "yarn", "start"] => "start",
        ["pnpm" | "yarn", name, ..] => name,
        _ => return None,
    };
    package.script(name).map(|_| name.to_owned())
}
