//! `kiwi ci`.

use crate::args::{CiCommand, EnableCi, Output};
use crate::compose::Session;
use crate::output;
use kiwi_core::domain::ServiceName;
use kiwi_core::error::Result;
use kiwi_core::pipeline::ci::EnableAutoCi;
use serde_json::json;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: CiCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        CiCommand::Enable(enable) => match enable.dry_run.clone() {
            Some(_) => return forecast(session, enable, output).await,
            None => {
                let new = EnableAutoCi { environment: enable.environment, public_url: enable.public_url, watch: enable.watch };
                let settings = kiwi.enable_auto_ci(actor, &enable.service, new).await?;
                let shown = json!({
                    "service": enable.service, "environment": settings.environment, "public_url": settings.public_url, "watch": settings.watch,
                    "enabled_by": settings.enabled_by, "enabled_at": settings.enabled_at,
                });
                output::result(output, &shown, || {
                    let which = if settings.watch.is_empty() { "every push" } else { "a push that changes what is watched" };
                    format!(
                        "{which} to the branch of {} is deployed to {}; `kiwi delivery list {0}` says what became of it",
                        enable.service, settings.environment
                    )
                });
            }
        },
        CiCommand::Disable { service } => {
            kiwi.disable_auto_ci(actor, &service).await?;
            output::result(output, &json!({ "disabled": service }), || format!("pushes of {service} are not delivered any more"));
        }
        CiCommand::Reconcile { service } => {
            let found = kiwi.reconcile(actor, &service).await?;
            let decision = found.decision.as_ref();
            let shown = json!({
                "service": service, "head": found.head, "decided": found.waiting, "decision": decision.map(|decision| decision.outcome.as_str()),
                "reason": decision.map(|decision| &decision.reason), "run": decision.and_then(|decision| decision.run.as_ref()),
            });
            output::result(output, &shown, || match decision {
                Some(decision) => format!("{}: {}", decision.outcome.as_str(), decision.reason),
                None => format!("the head {} was decided before; the webhook is in order", found.head.short()),
            });
        }
        CiCommand::Show { service } => show(session, &service, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(session: &Session, service: &ServiceName, output: Output) -> Result<()> {
    let Some((settings, state)) = session.kiwi.auto_ci(&session.actor, service).await? else {
        output::result(output, &json!({ "service": service, "enabled": false }), || format!("Auto CI of {service} is off"));
        return Ok(());
    };
    let shown = json!({
        "service": service, "enabled": true, "environment": settings.environment, "public_url": settings.public_url, "watch": settings.watch,
        "head": state.head, "run": state.run, "failures": state.failures, "next_look": state.due,
    });
    output::result(output, &shown, || {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let watch = settings.watch.iter().map(|pattern| pattern.as_str()).collect::<Vec<_>>().join(" ");
        let rows = [
            ("environment", settings.environment.to_string()),
            ("public URL", settings.public_url.to_string()),
            ("watch", if watch.is_empty() { "everything".to_owned() } else { watch }),
            ("last head", text(state.head.map(|head| head.to_string()))),
            ("its run", text(state.run.map(|run| run.to_string()))),
            ("next look", state.due.to_string()),
        ];
        output::table(&["auto ci", ""], &rows.map(|(name, value)| vec![name.to_owned(), value]))
    });
    Ok(())
}

async fn forecast(session: &Session, enable: EnableCi, output: Output) -> Result<ExitCode> {
    let Some(commit) = &enable.dry_run else { return Ok(ExitCode::SUCCESS) };
    let found = session.kiwi.forecast_push(&session.actor, &enable.service, enable.environment, &enable.watch, commit).await?;
    let files: Vec<_> = found.files.iter().map(|(file, watched)| json!({ "path": file, "watched": watched })).collect();
    let shown = json!({ "service": enable.service, "commit": commit, "builds": found.builds, "reason": found.reason, "base": found.base, "files": files });
    output::result(output, &shown, || {
        let verdict = if found.builds { "would be built" } else { "would not be built" };
        let rows: Vec<_> = found.files.iter().map(|(file, watched)| vec![file.clone(), if *watched { "watched" } else { "" }.to_owned()]).collect();
        format!("{} {verdict}: {}\n{}", commit.short(), found.reason, if rows.is_empty() { String::new() } else { output::table(&["file", ""], &rows) })
    });
    Ok(ExitCode::SUCCESS)
}
