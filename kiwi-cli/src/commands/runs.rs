//! `kiwi runs`.

use crate::args::{Output, RunsCommand};
use crate::compose::Session;
use crate::output;
use kiwi_core::domain::{Run, RunId, RunStatus};
use kiwi_core::error::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: RunsCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        RunsCommand::List { service, limit } => {
            let runs = kiwi.runs(actor, service.as_ref(), limit).await?;
            print(&runs, &kiwi.waiting(actor, &runs).await?, output);
            Ok(ExitCode::SUCCESS)
        }
        RunsCommand::Show { run } => {
            let run = kiwi.run(actor, &run).await?;
            let waiting = kiwi.waiting(actor, std::slice::from_ref(&run)).await?;
            output::result(output, &value(&run, &waiting), || {
                let rows: Vec<_> = run
                    .stages
                    .iter()
                    .map(|record| {
                        vec![record.stage.to_string(), json!(record.status).as_str().unwrap_or_default().to_owned(), format!("{:.1}", record.seconds())]
                    })
                    .collect();
                let why = run.diagnosis.as_ref().map(|diagnosis| format!("\nerror: {}\nhint: {}", diagnosis.cause, diagnosis.hint)).unwrap_or_default();
                let reason = waiting.get(&run.id).map(|reason| format!(", {reason}")).unwrap_or_default();
                format!(
                    "{} of {} in {}: {}{reason}\n{}{why}",
                    run.request.kind().as_str(),
                    run.service_name,
                    run.environment,
                    run.status.as_str(),
                    output::table(&["stage", "status", "seconds"], &rows)
                )
            });
            Ok(ExitCode::SUCCESS)
        }
        RunsCommand::Cancel { run } => {
            kiwi.cancel(actor, &run).await?;
            output::result(output, &json!({ "cancelling": run }), || format!("{run} will stop; follow it with `kiwi events {run} --follow`"));
            Ok(ExitCode::SUCCESS)
        }
        RunsCommand::Resume => {
            let runs = kiwi.embedded()?.resume(actor, |reason| output::note(&format!("waiting: {reason}"))).await?;
            print(&runs, &BTreeMap::new(), output);
            // Cancelled and superseded runs ended as somebody wanted.
            Ok(if runs.iter().any(|run| run.status == RunStatus::Failed) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

fn print(runs: &[Run], waiting: &BTreeMap<RunId, String>, output: Output) {
    output::result(output, &runs.iter().map(|run| value(run, waiting)).collect::<Vec<_>>(), || {
        let row = |run: &Run| {
            vec![
                run.id.to_string(),
                run.service_name.to_string(),
                run.environment.to_string(),
                run.request.kind().as_str().to_owned(),
                run.status.as_str().to_owned(),
                run.created_at.to_string(),
                waiting.get(&run.id).cloned().unwrap_or_default(),
            ]
        };
        output::table(&["run", "service", "environment", "kind", "status", "created", "waiting"], &runs.iter().map(row).collect::<Vec<_>>())
    });
}

fn value(run: &Run, waiting: &BTreeMap<RunId, String>) -> Value {
    json!({
        "run": run.id,
        "service": run.service_name,
        "environment": run.environment,
        "kind": run.request.kind(),
        "status": run.status,
        "stages": run.stages.iter().map(|record| json!({ "stage": record.stage, "status": record.status, "seconds": record.seconds() })).collect::<Vec<_>>(),
        "actor": run.actor,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "diagnosis": run.diagnosis,
        "waiting": waiting.get(&run.id),
    })
}
