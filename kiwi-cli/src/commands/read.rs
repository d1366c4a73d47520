//! Looking: status, history, logs and events.

use crate::args::{EventsArguments, InEnvironment, Logs, Output};
use crate::compose::Session;
use crate::output;
use crate::progress::Display;
use crate::signal;
use futures_util::StreamExt as _;
use kiwi_core::domain::Deployment;
use kiwi_core::error::Result;
use kiwi_core::pipeline::LogSelection;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn status(session: &Session, at: InEnvironment, output: Output) -> Result<ExitCode> {
    let status = session.kiwi.status(&session.actor, &at.service, at.environment).await?;
    let runtime = status.runtime.as_ref();
    let value = json!({
        "service": at.service,
        "environment": at.environment,
        "revision": status.live.as_ref().map(|live| live.release.revision),
        "commit": status.live.as_ref().and_then(|live| live.release.commit.clone()),
        "url": runtime.and_then(|runtime| runtime.endpoints.iter().find_map(|endpoint| endpoint.urls.first())),
        "replicas": runtime.map(|runtime| &runtime.containers),
        "endpoints": runtime.map(|runtime| &runtime.endpoints),
        "drift": runtime.map(|runtime| &runtime.drift),
    });
    output::result(output, &value, || match (&status.live, runtime) {
        (Some(live), Some(runtime)) => {
            let rows: Vec<_> = runtime
                .containers
                .iter()
                .map(|replica| {
                    vec![replica.replica.clone(), replica.state.clone(), if replica.routed { "yes" } else { "no" }.to_owned(), replica.restarts.to_string()]
                })
                .collect();
            let mut text = format!(
                "revision {} of {} in {}\n{}\n",
                live.release.revision,
                at.service,
                at.environment,
                output::table(&["replica", "state", "traffic", "restarts"], &rows)
            );
            for url in runtime.endpoints.iter().flat_map(|endpoint| &endpoint.urls) {
                text.push_str(&format!("{url}\n"));
            }
            text + &runtime.drift.iter().map(|drift| format!("drift: {drift}\n")).collect::<String>()
        }
        _ => format!("{} is not live in {}", at.service, at.environment),
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn history(session: &Session, at: InEnvironment, output: Output) -> Result<ExitCode> {
    let all = session.kiwi.history(&session.actor, &at.service, at.environment).await?;
    output::result(output, &all.iter().map(entry).collect::<Vec<_>>(), || {
        let row = |deployment: &Deployment| {
            vec![
                deployment.release.revision.to_string(),
                entry(deployment)["kind"].as_str().unwrap_or_default().to_owned(),
                deployment.status.as_str().to_owned(),
                deployment.release.commit.as_ref().map(|commit| commit.short().to_owned()).unwrap_or_default(),
                deployment.actor.clone(),
                deployment.started_at.to_string(),
            ]
        };
        output::table(&["revision", "kind", "status", "commit", "actor", "started"], &all.iter().map(row).collect::<Vec<_>>())
    });
    Ok(ExitCode::SUCCESS)
}

fn entry(deployment: &Deployment) -> Value {
    let container = |container: &kiwi_core::domain::ReleaseContainer| json!({ "name": container.name, "reference": container.image.reference(), "digest": container.image.digest() });
    json!({
        "revision": deployment.release.revision,
        "kind": deployment.kind,
        "status": deployment.status,
        "commit": deployment.release.commit,
        "containers": deployment.release.containers.iter().map(container).collect::<Vec<_>>(),
        "actor": deployment.actor,
        "run": deployment.run,
        "restores": deployment.restores,
        "started_at": deployment.started_at,
        "live_at": deployment.live_at,
        "finished_at": deployment.finished_at,
        "diagnosis": deployment.diagnosis,
    })
}

pub(super) async fn logs(session: &Session, arguments: Logs, output: Output) -> Result<ExitCode> {
    let at = &arguments.at;
    let wanted = LogSelection { container: arguments.container, follow: arguments.follow, tail: arguments.tail, since: None };
    let mut lines = session.kiwi.logs(&session.actor, &at.service, at.environment, wanted).await?;
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            () = signal::stop() => return Ok(ExitCode::from(signal::exit_code())),
        };
        let Some(line) = line.transpose()? else { return Ok(ExitCode::SUCCESS) };
        match output {
            Output::Json => output::line(&json!({ "replica": line.replica, "stream": line.stream, "at": line.at, "line": line.line }).to_string()),
            Output::Table => output::line(&format!("{} | {}", line.replica, line.line)),
        }
    }
}

pub(super) async fn events(session: &Session, arguments: EventsArguments, output: Output) -> Result<ExitCode> {
    // An unknown run is an error, not an empty list.
    session.kiwi.run(&session.actor, &arguments.run).await?;
    let mut events = session.kiwi.events(&session.actor, &arguments.run, arguments.since, arguments.follow);
    let mut display = Display::new();
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = signal::stop() => return Ok(ExitCode::from(signal::exit_code())),
        };
        let Some(event) = event.transpose()? else { break };
        match output {
            Output::Json => output::line(&serde_json::to_string(&event).unwrap_or_default()),
            Output::Table => display.show(&event),
        }
    }
    display.end();
    Ok(ExitCode::SUCCESS)
}
