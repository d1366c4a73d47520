//! Everything that makes a run: build, deploy, run, rollback, restart, scale and config.

use super::secrets;
use crate::args::{Build, Config, Deploy, InEnvironment, Output, Rollback, RunArguments, Scale};
use crate::compose::Session;
use crate::{output, progress};
use kiwi_core::domain::{ContainerName, Deployment, EnvironmentName, Run, RunRequest, RunStatus, ServiceName, Stage, StageOutput, Variable};
use kiwi_core::error::{Error, Result};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn build(session: &Session, arguments: Build, output: Output) -> Result<ExitCode> {
    let request = RunRequest::Build { commit: arguments.commit, branch: arguments.branch };
    let (run, interrupted) = work(session, &arguments.service, EnvironmentName::default(), request).await?;
    let value = build_json(&run);
    output::result(output, &value, || format!("{} {}", value["reference"].as_str().unwrap_or_default(), value["digest"].as_str().unwrap_or_default()));
    Ok(exit(&run, interrupted))
}

fn build_json(run: &Run) -> Value {
    let (mut commit, mut reference, mut digest, mut cached, mut seconds) = (Value::Null, Value::Null, Value::Null, Value::Null, Value::Null);
    for record in &run.stages {
        match &record.output {
            Some(StageOutput::Fetch { commit: found, .. }) => commit = json!(found),
            Some(StageOutput::Build { image, cached: from_cache }) => {
                (reference, digest, cached) = (json!(image.reference()), json!(image.digest()), json!(from_cache));
            }
            Some(StageOutput::Publish { image }) => reference = json!(image.reference()),
            _ => {}
        }
        if record.stage == Stage::Build {
            seconds = json!(record.seconds());
        }
    }
    json!({ "run": run.id, "commit": commit, "reference": reference, "digest": digest, "cached": cached, "seconds": seconds, "status": run.status, "diagnosis": run.diagnosis })
}

pub(super) async fn deploy(session: &Session, arguments: Deploy, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    let (service, environment) = (&arguments.at.service, arguments.at.environment);
    let secrets = secrets::named(&arguments.secret)?;
    let mut variables = arguments.env_file.as_deref().map(secrets::env_file).transpose()?.unwrap_or_default();
    variables.extend(arguments.env.iter().cloned());
    let changes = !secrets.is_empty()
        || !variables.is_empty()
        || arguments.runtime.is_some()
        || arguments.namespace.is_some()
        || arguments.replicas.is_some()
        || arguments.cpu.is_some()
        || arguments.memory.is_some();
    if changes && arguments.plan {
        return Err(Error::invalid("plan deployment", "--plan shows what the settings of the environment would do, and changes none")
            .with_hint("leave out the flags that change settings"));
    }
    let request = match (arguments.build, arguments.release, arguments.from) {
        (build, None, None) => RunRequest::Deploy { build },
        (_, Some(revision), _) => RunRequest::Rollback { to: Some(revision), current_config: false },
        (_, None, Some(from)) => RunRequest::Promotion { from },
    };
    if arguments.plan {
        let (release, plan) = kiwi.plan(actor, service, environment, request).await?;
        output::result(output, &json!({ "service": service, "environment": environment, "release": release, "plan": plan }), || {
            let mut text = format!("revision {} of {service} in {environment}, on {}\n", release.revision, release.runtime);
            for container in &plan.containers {
                let guarantee = serde_json::to_value(container.guarantee).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
                text.push_str(&format!("container {}: {guarantee}, because {}\n", container.name, container.reason));
                for change in &container.changes {
                    text.push_str(&format!("  {change}\n"));
                }
            }
            let manifests = if plan.manifests.is_empty() { String::new() } else { format!("\n{}", output::yaml(&plan.manifests)) };
            text + &plan.notes.iter().map(|note| format!("note: {note}\n")).collect::<String>() + &manifests
        });
        return Ok(ExitCode::SUCCESS);
    }
    if changes {
        kiwi.update_environment(actor, service, environment, secrets, |settings| {
            settings.variables.extend(variables.into_iter().map(|(name, value)| (name, Variable::Plain(value))));
            settings.runtime = arguments.runtime.or(settings.runtime.take());
            settings.namespace = arguments.namespace.or(settings.namespace.take());
            settings.replicas = arguments.replicas.or(settings.replicas);
            settings.cpu = arguments.cpu.or(settings.cpu.take());
            settings.memory = arguments.memory.or(settings.memory.take());
            Ok(())
        })
        .await?;
    }
    let code = deployment(session, service, environment, request, output).await?;
    if changes && code != ExitCode::SUCCESS {
        output::note(&format!("the settings that were given are kept for the next deployment; `kiwi config {service} --unset NAME` takes a variable back"));
    }
    Ok(code)
}

pub(super) async fn pipeline(session: &Session, arguments: RunArguments, output: Output) -> Result<ExitCode> {
    let request = RunRequest::Pipeline { commit: arguments.commit };
    deployment(session, &arguments.at.service, arguments.at.environment, request, output).await
}

pub(super) async fn rollback(session: &Session, arguments: Rollback, output: Output) -> Result<ExitCode> {
    let request = RunRequest::Rollback { to: arguments.to, current_config: arguments.current_config };
    deployment(session, &arguments.at.service, arguments.at.environment, request, output).await
}

pub(super) async fn restart(session: &Session, at: InEnvironment, output: Output) -> Result<ExitCode> {
    deployment(session, &at.service, at.environment, RunRequest::Restart, output).await
}

pub(super) async fn scale(session: &Session, arguments: Scale, output: Output) -> Result<ExitCode> {
    let at = &arguments.at;
    session
        .kiwi
        .update_live_environment(&session.actor, &at.service, at.environment, [].into(), |settings| {
            settings.replicas = Some(arguments.replicas);
            Ok(())
        })
        .await?;
    deployment(session, &at.service, at.environment, RunRequest::Scale, output).await
}

pub(super) async fn config(session: &Session, arguments: Config, output: Output) -> Result<ExitCode> {
    let at = &arguments.at;
    if arguments.set.is_empty() && arguments.secret.is_empty() && arguments.unset.is_empty() {
        let settings = session.kiwi.environment(&session.actor, &at.service, at.environment).await?;
        output::result(output, &settings, || {
            let value = |variable: &Variable| match variable {
                Variable::Plain(value) => value.clone(),
                Variable::Secret(_) => "(secret)".to_owned(),
            };
            output::table(
                &["variable", "value"],
                &settings.variables.iter().map(|(name, variable)| vec![name.to_string(), value(variable)]).collect::<Vec<_>>(),
            )
        });
        return Ok(ExitCode::SUCCESS);
    }
    let secrets = secrets::named(&arguments.secret)?;
    session
        .kiwi
        .update_live_environment(&session.actor, &at.service, at.environment, secrets, |settings| {
            settings.variables.extend(arguments.set.into_iter().map(|(name, value)| (name, Variable::Plain(value))));
            settings.variables.retain(|name, _| !arguments.unset.contains(name));
            Ok(())
        })
        .await?;
    deployment(session, &at.service, at.environment, RunRequest::Config, output).await
}

async fn work(session: &Session, service: &ServiceName, environment: EnvironmentName, request: RunRequest) -> Result<(Run, bool)> {
    let run = session.kiwi.request(&session.actor, service, environment, request).await?;
    let (run, interrupted) = progress::work(&session.kiwi, &session.actor, &run.id).await?;
    if let Some(diagnosis) = &run.diagnosis {
        output::note(&format!("error: {}", diagnosis.cause));
        for line in &diagnosis.log {
            output::note(&format!("  | {line}"));
        }
        output::note(&format!("hint: {}", diagnosis.hint));
    }
    Ok((run, interrupted))
}

async fn deployment(session: &Session, service: &ServiceName, environment: EnvironmentName, request: RunRequest, output: Output) -> Result<ExitCode> {
    let whole = matches!(request, RunRequest::Pipeline { .. });
    let (run, interrupted) = work(session, service, environment, request).await?;
    let deployment = session.kiwi.deployment_of(&session.actor, &run).await?;
    let mut value = deployment_json(session, service, environment, &run, deployment.as_ref()).await?;
    if whole {
        value["run"] = json!(run.id);
        value["commit"] = build_json(&run)["commit"].clone();
        value["stages"] = run.stages.iter().map(|record| json!({ "stage": record.stage, "status": record.status, "seconds": record.seconds() })).collect();
    }
    output::result(output, &value, || match (&value["status"], value["url"].as_str()) {
        (status, Some(url)) if status == "live" => format!("{service} is live at {url}"),
        (status, None) if status == "live" => format!("{service} is live"),
        (status, _) => format!("{service}: {}", status.as_str().unwrap_or_default()),
    });
    Ok(exit(&run, interrupted))
}

async fn deployment_json(session: &Session, service: &ServiceName, environment: EnvironmentName, run: &Run, deployment: Option<&Deployment>) -> Result<Value> {
    let live = run.status == RunStatus::Succeeded;
    // What answers is the runtime's to say; when it cannot, the deployment still happened.
    let now = match live {
        true => session.kiwi.status(&session.actor, service, environment).await.ok().and_then(|status| status.runtime),
        false => None,
    };
    let endpoints = now.as_ref().map(|now| now.endpoints.clone()).unwrap_or_default();
    let kept = |name: &ContainerName, revision: u64| {
        let mut replicas = now.iter().flat_map(|now| &now.containers).filter(|replica| replica.container == *name).peekable();
        replicas.peek().is_some() && replicas.all(|replica| replica.revision < revision)
    };
    let containers: Vec<Value> = deployment
        .iter()
        .flat_map(|deployment| &deployment.release.containers)
        .map(|container| {
            let urls = endpoints.iter().find(|endpoint| endpoint.container == container.name).map(|endpoint| endpoint.urls.clone()).unwrap_or_default();
            let strategy = deployment.map(|deployment| deployment.release.rollout.strategy).unwrap_or_default();
            let revision = deployment.map_or(0, |deployment| deployment.release.revision);
            let gap = container.recreate_reason(strategy).is_some() && !kept(&container.name, revision);
            let guarantee = if gap { "recreate" } else { "zero_downtime" };
            json!({ "name": container.name, "reference": container.image.reference(), "digest": container.image.digest(), "guarantee": guarantee, "urls": urls })
        })
        .collect();
    let status = match run.status {
        RunStatus::Succeeded => "live",
        RunStatus::Superseded => "superseded",
        RunStatus::Cancelled => "cancelled",
        _ => "failed",
    };
    Ok(json!({
        "service": service,
        "environment": environment,
        "revision": deployment.map(|deployment| deployment.release.revision),
        "status": status,
        "url": endpoints.iter().find_map(|endpoint| endpoint.urls.first()),
        "containers": containers,
        "diagnosis": run.diagnosis,
    }))
}

fn exit(run: &Run, interrupted: bool) -> ExitCode {
    match run.status {
        RunStatus::Succeeded => ExitCode::SUCCESS,
        _ if interrupted => ExitCode::from(crate::signal::exit_code()),
        _ => ExitCode::FAILURE,
    }
}
