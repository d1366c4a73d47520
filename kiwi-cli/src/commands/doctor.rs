//! `kiwi doctor`: what works here, what is missing, how to get it.

use crate::args::{Global, Output};
use crate::compose::{self, docker_config};
use crate::output;
use kiwi_core::error::Result;
use kiwi_core::provider::{CheckItem, Runtime as _};
use kiwi_runtime::docker::{DockerRuntime, Engine};
use std::process::ExitCode;

pub(super) async fn run(global: &Global) -> Result<ExitCode> {
    let mut items = Vec::new();
    let mut add = |name: &str, ok: bool, detail: String| items.push(CheckItem { name: name.to_owned(), ok, detail });
    match compose::data_directory(global) {
        Ok(directory) => add("data directory", true, directory.display().to_string()),
        Err(error) => add("data directory", false, format!("{}; {}", error.message(), error.hint())),
    }
    match compose::open(global, None, None).await {
        Ok(session) => {
            add("database and key", true, "they open".to_owned());
            let runtimes = session.kiwi.runtimes(&session.actor).await?;
            let names: Vec<_> = runtimes.iter().map(|runtime| runtime.name.as_str()).collect();
            let detail = if names.is_empty() { "none yet; register one with `kiwi runtime add docker local`".to_owned() } else { names.join(", ") };
            add("registered runtimes", !names.is_empty(), detail);
        }
        Err(error) => add("database and key", false, format!("{}; {}", error.chain(), error.hint())),
    }
    match docker_config(None).and_then(Engine::new) {
        Ok(engine) => match DockerRuntime::new(engine).check().await {
            Ok(report) => {
                add("Docker Engine", report.ok(), report.description.clone());
                for item in report.items.iter().filter(|item| !item.ok) {
                    add(&item.name, false, item.detail.clone());
                }
            }
            Err(error) => add("Docker Engine", false, format!("{}; {}", error.message(), error.hint())),
        },
        Err(error) => add("Docker Engine", false, format!("{}; on Debian: apt-get install docker.io", error.message())),
    }
    let ok = items.iter().all(|item| item.ok);
    output::result(global.output, &serde_json::json!({ "ok": ok, "items": items }), || {
        let rows: Vec<_> = items.iter().map(|item| vec![if item.ok { "ok" } else { "missing" }.to_owned(), item.name.clone(), item.detail.clone()]).collect();
        output::table(&["state", "what", "detail"], &rows)
    });
    if global.output == Output::Table && ok {
        output::note("everything is there");
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
