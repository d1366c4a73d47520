//! Make the release live.

use super::{Context, dast, scan, test};
use crate::domain::{Deployment, DeploymentStatus, EventBody, Exceptions, ImagePin, RunKind, Source, Stage, StageOutput, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Aborted, ApplyRequest, DeploymentEvent, Guarantee, Runtime, ScanTarget};
use futures_util::StreamExt as _;
use std::sync::Arc;

/// The most time that a release command may take.
const RELEASE_COMMAND_SECONDS: u32 = 15 * 60;

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    let (mut deployment, runtime, request) = begin(context).await?;
    let revision = deployment.release.revision;
    if deployment.status == DeploymentStatus::Running {
        prepare(context, &deployment, &*runtime, &request).await?;
    }
    let mut apply = runtime.apply(request);
    while let Some(event) = apply.next().await {
        match event? {
            DeploymentEvent::Info(message) => context.events.info(message).await,
            DeploymentEvent::Warning(message) => context.events.send(EventBody::Warning { message }).await,
            DeploymentEvent::Progress { label, current, total } => context.events.send(EventBody::Progress { label, current, total }).await,
            DeploymentEvent::Live(endpoints) => {
                if deployment.live_at.is_none() {
                    live(context, &mut deployment).await?;
                }
                let urls: Vec<_> = endpoints.iter().flat_map(|endpoint| endpoint.urls.clone()).collect();
                context.events.info(format!("revision {revision} is live{}{}", if urls.is_empty() { "" } else { " at " }, urls.join(", "))).await;
            }
            DeploymentEvent::Done => return Ok(StageOutput::Deploy { revision }),
        }
    }
    Err(Error::new(ErrorKind::Internal, "deploy", "the runtime ended without a word"))
}

/// The deployment of this run: the one that a killed worker began, or a new one with the next revision.
async fn begin(context: &Context<'_>) -> Result<(Deployment, Arc<dyn Runtime>, ApplyRequest)> {
    let store = context.kiwi.store();
    let earlier = store.deployments(&context.service.id, context.run.environment, u32::MAX).await?;
    let deployment = match earlier.into_iter().find(|deployment| deployment.run == context.run.id) {
        Some(deployment) => deployment,
        None => {
            let composed = context.kiwi.compose(&context.run, &context.service).await?;
            store.begin_deployment(&composed, &context.fence).await?
        }
    };
    if matches!(context.service.source, Source::Images(_)) {
        for image in deployment.release.containers.iter().map(|container| &container.image).filter(|image| matches!(image, ImagePin::Local { .. })) {
            context.events.info(format!("the registry of {} cannot be reached; the engine's own copy is deployed", image.reference())).await;
        }
    }
    let runtime = context.kiwi.open_runtime(&context.actor(), &deployment.release.runtime).await?;
    let request = context.kiwi.apply_request(&context.service, &deployment, &context.run.id, &context.fence).await?;
    context.events.protect(request.secrets.values());
    Ok((deployment, runtime, request))
}

async fn prepare(context: &Context<'_>, deployment: &Deployment, runtime: &dyn Runtime, request: &ApplyRequest) -> Result<()> {
    // A pipeline's own scan was judged already.
    if let (RunKind::Deploy | RunKind::Promotion, Some(build)) = (context.run.request.kind(), &deployment.release.built_by) {
        scan::judge_build(context, build).await?;
    }
    let plan = runtime.plan(request).await?;
    for note in &plan.notes {
        context.events.info(note.clone()).await;
    }
    for container in plan.containers.iter().filter(|container| container.guarantee == Guarantee::Recreate) {
        let message = format!("container {} is recreated, with a gap, because {}", container.name, container.reason);
        context.events.send(EventBody::Warning { message }).await;
    }
    if let (Some(command), Some(container)) = (&deployment.release.release_command, deployment.release.containers.first()) {
        context.events.info(format!("release command: {command}")).await;
        let (image, variables) = (container.image.clone(), container.variables.clone());
        let name = &deployment.release.runtime;
        test::command_in_image(context, name, "release", image, command, variables, request.secrets.clone(), RELEASE_COMMAND_SECONDS).await?;
    }
    if dast::before_the_switch(context, runtime).await? {
        let candidate = runtime.candidate(request).await?;
        let verdict = match candidate.endpoint {
            Some(endpoint) => scan::look(context, Stage::Dast, &[ScanTarget::Url(endpoint)], &Exceptions::default()).await,
            None => Ok(StageOutput::Nothing { reason: "the release has no port".to_owned() }),
        };
        runtime.remove_candidate(request).await?;
        verdict?;
    }
    Ok(())
}

async fn live(context: &Context<'_>, deployment: &mut Deployment) -> Result<()> {
    deployment.status = DeploymentStatus::Live;
    deployment.live_at = Some(Timestamp::now());
    deployment.finished_at = deployment.live_at;
    context.kiwi.store().update_deployment(deployment, &context.fence).await
}

/// Brings the runtime back to the release before, unless the new one is live already; then it is recorded as live.
pub(super) async fn clean_up(context: &Context<'_>, error: &Error) -> Result<Option<StageOutput>> {
    let store = context.kiwi.store();
    let earlier = store.deployments(&context.service.id, context.run.environment, u32::MAX).await?;
    let Some(mut deployment) = earlier.into_iter().find(|deployment| deployment.run == context.run.id) else { return Ok(None) };
    let request = context.kiwi.apply_request(&context.service, &deployment, &context.run.id, &context.fence).await?;
    context.events.protect(request.secrets.values());
    let runtime = context.kiwi.open_runtime(&context.actor(), &deployment.release.runtime).await?;
    runtime.remove_candidate(&request).await?;
    runtime.cancel_tasks(&context.run.id).await?;
    if runtime.abort(&request).await? == Aborted::AlreadyLive {
        if deployment.live_at.is_none() {
            live(context, &mut deployment).await?;
        }
        context.events.send(EventBody::Warning { message: format!("the release was live already and stays: {}", error.chain()) }).await;
        // What is left is to let the old replicas go.
        let mut rest = runtime.apply(request);
        while let Some(event) = rest.next().await {
            event?;
        }
        return Ok(Some(StageOutput::Deploy { revision: deployment.release.revision }));
    }
    deployment.status = if error.kind() == ErrorKind::Cancelled { DeploymentStatus::Cancelled } else { DeploymentStatus::Failed };
    deployment.finished_at = Some(Timestamp::now());
    deployment.diagnosis = Some(context.events.diagnose(error));
    store.update_deployment(&deployment, &context.fence).await?;
    Ok(None)
}
