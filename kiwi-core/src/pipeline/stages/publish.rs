//! Tag the image for people. The content is the one that was scanned and tested; only a name is added.

use super::{Context, build};
use crate::domain::{ImagePin, StageOutput, TagContext};
use crate::error::Result;

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    let image = context.built()?;
    let (commit, branch) = context.fetched()?;
    let tag =
        context.service.build.tag_rule.expand(&TagContext { branch: &branch, commit: &commit, tag: None, time: context.run.created_at, run: &context.run.id });
    let name = build::image_name(context).await?.with_tag(tag.clone());
    match &image {
        ImagePin::Registry { reference, digest, registry } => {
            let access = match registry {
                Some(registry) => Some(context.kiwi.registry_access(&context.service.organization, registry).await?),
                None => None,
            };
            context.kiwi.image_registry()?.tag(reference, digest, &tag, access.as_ref()).await?;
        }
        ImagePin::Local { .. } => {
            context.kiwi.open_builder(&context.actor(), context.build_runtime()).await?.tag(&image, &name).await?;
        }
    }
    context.events.info(format!("published {name}")).await;
    Ok(StageOutput::Publish { image: image.with_reference(name) })
}
