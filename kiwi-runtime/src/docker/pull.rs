//! Getting images onto the engine.

use super::client::{Engine, credentials_for};
use super::convert;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;
use kiwi_core::domain::{ImagePin, ImageReference};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::RegistryAccess;

/// Makes sure that exactly this content is on the engine.
pub(super) async fn pin(engine: &Engine, image: &ImagePin, registries: &[RegistryAccess]) -> Result<()> {
    if exists(engine, &image.exact()).await? {
        return Ok(());
    }
    match image {
        ImagePin::Local { reference, id } => {
            Err(Error::new(ErrorKind::ImageUnavailable, "find image", format!("the image {reference} ({id}) is no longer on the engine"))
                .with_hint("it was built without a registry and has been removed; build it again, or register a registry"))
        }
        ImagePin::Registry { reference, digest, .. } => {
            let exact = reference.with_digest(digest.clone());
            fetch(engine, &exact.to_string(), exact.registry(), registries).await
        }
    }
}

/// Makes sure that an image of this name is on the engine.
pub(super) async fn by_name(engine: &Engine, name: &str, registries: &[RegistryAccess]) -> Result<()> {
    if exists(engine, name).await? {
        return Ok(());
    }
    let reference: ImageReference = name.parse()?;
    fetch(engine, name, reference.registry(), registries).await
}

async fn exists(engine: &Engine, name: &str) -> Result<bool> {
    match engine.docker.inspect_image(name).await {
        Ok(_) => Ok(true),
        Err(error) if convert::status(&error) == Some(404) => Ok(false),
        Err(error) => Err(convert::engine("look for image")(error)),
    }
}

async fn fetch(engine: &Engine, name: &str, registry: &str, registries: &[RegistryAccess]) -> Result<()> {
    let options = CreateImageOptionsBuilder::default().from_image(name).build();
    let mut stream = engine.docker.create_image(Some(options), None, credentials_for(registry, registries));
    while let Some(item) = stream.next().await {
        let item = item.map_err(|error| convert::image("pull image", name, &convert::text(&error)))?;
        if let Some(text) = item.error_detail.and_then(|detail| detail.message) {
            return Err(convert::image("pull image", name, &text));
        }
    }
    Ok(())
}
