//! Run the tests, as a command in the built image or as a stage of its Dockerfile.

use super::{Context, build};
use crate::domain::{Stage, StageOutput, TestSettings, Variables};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{BuildPurpose, BuildRequest, Builder, SecretValues, TaskEvent, TaskRequest};
use crate::wizard::{Plan, TEST_STAGE};
use futures_util::StreamExt as _;
use std::sync::Arc;

/// The most time that tests may take. No state lacks a timeout.
const TIMEOUT_SECONDS: u32 = 30 * 60;

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    let decision = match context.service.build.test.clone() {
        None => return Ok(StageOutput::Nothing { reason: "the service has no test command and no test target".to_owned() }),
        Some(TestSettings::Target(target)) => {
            let (builder, request, _) = request(context, Some(target)).await?;
            build::drive(context, builder.clone(), request, Stage::Test).await?;
            builder.cancel(&context.run.id).await?;
            "the test stage was built"
        }
        Some(TestSettings::Command(command)) => {
            let runtime = context.build_runtime().clone();
            // The wizard's Dockerfile has a stage with what tests need; of any other the image itself is all we know.
            let (builder, request, planned) = request(context, Some(TEST_STAGE.to_owned())).await?;
            let request = if planned.is_some() { pullable(context, &*builder, request).await? } else { request };
            let image = match planned {
                Some(_) => build::drive(context, builder.clone(), request, Stage::Test).await?.image,
                None => context.built()?,
            };
            // Tests get no variables of the service: they are not meant to reach its real database.
            command_in_image(context, &runtime, "test", image, &command, Variables::new(), SecretValues::new(), TIMEOUT_SECONDS).await?;
            builder.cancel(&context.run.id).await?;
            "the test command ended with 0"
        }
    };
    Ok(StageOutput::Gate {
        decision: crate::domain::GateDecision { status: crate::domain::ScanStatus::Passed, pass: true, reasons: vec![decision.to_owned()] },
    })
}

/// A build of a stage for tests.
async fn request(context: &Context<'_>, target: Option<String>) -> Result<(Arc<dyn Builder>, BuildRequest, Option<Plan>)> {
    let builder = context.kiwi.open_builder(&context.actor(), context.build_runtime()).await?;
    let (request, planned) = build::request(context, &*builder, BuildPurpose::Test, target).await?;
    Ok((builder, request, planned))
}

/// The test stage of a builder whose images are not on the engine that runs the tests: it is pushed beside the run's image.
async fn pullable(context: &Context<'_>, builder: &dyn Builder, mut request: BuildRequest) -> Result<BuildRequest> {
    let registry = context.service.build.registry.as_ref().filter(|_| !builder.capabilities().local_images);
    if let Some(registry) = registry {
        request.push = Some(context.kiwi.registry_access(&context.service.organization, registry).await?);
        request.image = request.image.with_tag(format!("kiwi-run-{}-test", context.run.id).parse()?);
    }
    Ok(request)
}

/// Stops what still runs: a build of a test stage, or a test command.
pub(super) async fn clean_up(context: &Context<'_>) -> Result<()> {
    build::clean_up(context).await?;
    context.kiwi.open_runtime(&context.actor(), context.build_runtime()).await?.cancel_tasks(&context.run.id).await
}

/// Runs a shell command in an image to its end; anything but exit code 0 is an error with the last log lines.
#[expect(clippy::too_many_arguments, reason = "one call, two callers, every argument a different thing")]
pub(super) async fn command_in_image(
    context: &Context<'_>,
    runtime: &crate::domain::RuntimeName,
    purpose: &'static str,
    image: crate::domain::ImagePin,
    command: &str,
    variables: Variables,
    secrets: SecretValues,
    timeout_seconds: u32,
) -> Result<()> {
    let stage = if purpose == "test" { Stage::Test } else { Stage::Deploy };
    let request = TaskRequest {
        purpose,
        run: context.run.id.clone(),
        workload: context.kiwi.workload(&context.service, context.run.environment),
        image,
        command: ["sh", "-c", command].map(str::to_owned).to_vec(),
        variables,
        secrets,
        registries: context.kiwi.all_registry_access(&context.service.organization).await?,
        input: None,
        outputs: Vec::new(),
        timeout_seconds,
    };
    let mut task = context.kiwi.open_runtime(&context.actor(), runtime).await?.task(request);
    let mut log = context.events.log(stage);
    while let Some(event) = task.next().await {
        match event {
            Ok(TaskEvent::Log { stream, chunk }) => log.push(stream, &chunk).await,
            Ok(TaskEvent::Output { .. }) => {}
            Ok(TaskEvent::Exited { code: 0, .. }) => {
                log.finish().await;
                return Ok(());
            }
            Ok(TaskEvent::Exited { code, out_of_memory }) => {
                let why = if out_of_memory { ": it was killed for want of memory" } else { "" };
                let error = Error::new(ErrorKind::TaskFailed, "run task", format!("the {purpose} command ended with exit code {code}{why}"));
                let error = if code == 127 { error.with_hint("the image has no such program; 127 means that the shell did not find it") } else { error };
                return Err(error.with_log(log.finish().await));
            }
            Err(error) => return Err(error.with_log(log.finish().await)),
        }
    }
    Err(Error::new(ErrorKind::Internal, "run task", "the runtime ended without a word"))
}
