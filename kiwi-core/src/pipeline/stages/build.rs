//! Make the image and push it under the run's tag.

use super::{Context, dockerfile, fetch};
use crate::domain::{EventBody, ImageReference, Source, Stage, StageOutput, Tag};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{BuildContext, BuildEvent, BuildOutcome, BuildPurpose, BuildRequest, Builder};
use crate::wizard::Plan;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Images that never leave their engine carry a registry name that no registry can have.
const LOCAL_REGISTRY: &str = "kiwi.local";

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    let builder = context.kiwi.open_builder(&context.actor(), context.build_runtime()).await?;
    let (request, planned) = request(context, &*builder, BuildPurpose::Release, context.service.build.target.clone()).await?;
    if let Some(planned) = planned {
        dockerfile::adopt(context, &planned).await?;
    }
    if let Some(outcome) = builder.find(&request).await? {
        context.events.info(format!("adopted {}, which this run built before it was interrupted", outcome.image.reference())).await;
        return Ok(StageOutput::Build { image: outcome.image, cached: outcome.cached });
    }
    for note in builder.plan(&request).await? {
        context.events.info(note).await;
    }
    let outcome = drive(context, builder, request, Stage::Build).await?;
    Ok(StageOutput::Build { image: outcome.image, cached: outcome.cached })
}

/// The name of the service's image, without a tag.
pub(super) async fn image_name(context: &Context<'_>) -> Result<ImageReference> {
    let build = &context.service.build;
    let name = build.image_name.as_deref().unwrap_or(context.service.name.as_str());
    let text = match &build.registry {
        Some(registry) => format!("{}/{name}", context.kiwi.registry_settings(&context.service.organization, registry).await?.address),
        None => format!("{LOCAL_REGISTRY}/{name}"),
    };
    Ok(text.parse::<ImageReference>()?)
}

/// The request of a build, with the plan where the Build Wizard made the Dockerfile.
pub(super) async fn request(
    context: &Context<'_>,
    builder: &dyn Builder,
    purpose: BuildPurpose,
    target: Option<String>,
) -> Result<(BuildRequest, Option<Plan>)> {
    let service = &context.service;
    let (commit, _) = context.fetched()?;
    let chosen = if dockerfile::needs_tree(&service.build.dockerfile, builder.capabilities()) {
        dockerfile::choose(context, fetch::tree(context, &commit).await?, builder.capabilities()).await?
    } else {
        dockerfile::Chosen { dockerfile: service.build.dockerfile.clone(), planned: None, ignore: None }
    };
    let source = match &service.source {
        Source::Git { repository, .. } if !builder.capabilities().tree => BuildContext::Commit {
            repository: repository.clone(),
            commit: commit.clone(),
            access: context.kiwi.source_access(&service.organization, &service.source).await?,
        },
        _ => BuildContext::Tree(fetch::tree(context, &commit).await?),
    };
    let mut secrets = BTreeMap::new();
    for (name, id) in &service.build.secrets {
        secrets.insert(name.clone(), context.kiwi.store().secret(id).await?);
    }
    let tag: Tag = format!("kiwi-run-{}", context.run.id).parse()?;
    let labels = [
        ("org.opencontainers.image.revision", commit.as_str()),
        ("kiwi.dev/service", service.name.as_str()),
        ("kiwi.dev/installation", &context.kiwi.inner.installation),
    ];
    let request = BuildRequest {
        run: context.run.id.clone(),
        installation: context.kiwi.inner.installation.clone(),
        purpose,
        context: source,
        directory: service.build.context.clone(),
        dockerfile: chosen.dockerfile,
        ignore: chosen.ignore,
        target,
        arguments: service.build.arguments.clone(),
        secrets,
        // The run is not among them: a label that changes every time would spoil the cache of every build.
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        image: image_name(context).await?.with_tag(tag),
        push: match &service.build.registry {
            Some(registry) if purpose == BuildPurpose::Release => Some(context.kiwi.registry_access(&service.organization, registry).await?),
            _ => None,
        },
        pull: context.kiwi.all_registry_access(&service.organization).await?,
    };
    Ok((request, chosen.planned))
}

/// Follows a build to its end.
pub(super) async fn drive(context: &Context<'_>, builder: Arc<dyn Builder>, request: BuildRequest, stage: Stage) -> Result<BuildOutcome> {
    let mut log = context.events.log(stage);
    let mut build = builder.build(request);
    while let Some(event) = build.next().await {
        match event {
            Ok(BuildEvent::Info(message)) => context.events.info(message).await,
            Ok(BuildEvent::Log { stream, chunk }) => log.push(stream, &chunk).await,
            Ok(BuildEvent::Progress { label, current, total }) => context.events.send(EventBody::Progress { label, current, total }).await,
            Ok(BuildEvent::Done(outcome)) => {
                log.finish().await;
                return Ok(outcome);
            }
            Err(error) => return Err(error.with_log(log.finish().await)),
        }
    }
    Err(Error::new(ErrorKind::Internal, "build", "the builder ended without a word"))
}

pub(super) async fn clean_up(context: &Context<'_>) -> Result<()> {
    context.kiwi.open_builder(&context.actor(), context.build_runtime()).await?.cancel(&context.run.id).await
}
