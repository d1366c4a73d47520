//! Ready images: looking for them, and pinning what their tags name now.

use super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{ContainerName, Digest, ImagePin, ImageReference, OrganizationId, RegistryName, RuntimeName, Service, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{FoundImage, RegistryAccess, Runtime, TagDetails};
use std::collections::BTreeMap;

impl Kiwi {
    /// Images of Docker Hub that match a term, most fitting first, at most `limit`.
    pub async fn search_images(&self, actor: &Actor, term: &str, limit: u32) -> Result<Vec<FoundImage>> {
        actor.may(Operation::CheckSources)?;
        self.image_registry()?.search(term, limit).await
    }

    /// The tags of an image, newest first where the registry knows the time. Credentials are those of the registry that is registered for it.
    pub async fn image_tags(&self, actor: &Actor, image: &ImageReference) -> Result<Vec<TagDetails>> {
        actor.may(Operation::CheckSources)?;
        let access = self.access_for(&actor.organization, image, None).await?;
        self.image_registry()?.tag_details(image, access.as_ref()).await
    }

    /// The digest that a reference names now.
    pub async fn resolve_image(&self, actor: &Actor, image: &ImageReference) -> Result<Digest> {
        actor.may(Operation::CheckSources)?;
        self.resolve_reference(&actor.organization, image, None).await
    }

    /// Every image of an image service, pinned to what its tag names now.
    pub(super) async fn pin_images(
        &self,
        organization: &OrganizationId,
        images: &BTreeMap<ContainerName, ImageReference>,
        registry: Option<&RegistryName>,
        runtime: &dyn Runtime,
    ) -> Result<BTreeMap<ContainerName, ImagePin>> {
        let mut pins = BTreeMap::new();
        for (container, reference) in images {
            let pin = match self.resolve_reference(organization, reference, registry).await {
                Ok(digest) => {
                    let access = self.access_for(organization, reference, registry).await?;
                    ImagePin::Registry { reference: reference.clone(), digest, registry: access.map(|access| access.name) }
                }
                // Where no registry can be reached, the engine's own copy is as exact: its id is a digest too.
                Err(error) if is_unreachable(error.kind()) => match runtime.held_image(reference).await? {
                    Some(id) => ImagePin::Local { reference: reference.clone(), id },
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            };
            pins.insert(container.clone(), pin);
        }
        Ok(pins)
    }

    pub(super) async fn resolve_reference(&self, organization: &OrganizationId, image: &ImageReference, registry: Option<&RegistryName>) -> Result<Digest> {
        let access = self.access_for(organization, image, registry).await?;
        self.image_registry()?.resolve(image, access.as_ref()).await?.ok_or_else(|| {
            Error::new(
                ErrorKind::ImageUnavailable,
                "resolve image",
                format!("{} has no tag {}", image.name(), image.tag().map_or("latest", |tag| tag.as_str())),
            )
            .with_hint(format!("`kiwi image tags {}` lists the tags", image.name()))
        })
    }

    /// Pins every image of a service, as a deployment does.
    pub(super) async fn pin_service_images(&self, service: &Service, runtime: &RuntimeName) -> Result<BTreeMap<ContainerName, ImagePin>> {
        let Source::Images(images) = &service.source else { return Ok(BTreeMap::new()) };
        let runtime = self.open_runtime(&Self::local_actor(service), runtime).await?;
        self.pin_images(&service.organization, images, service.build.registry.as_ref(), &*runtime).await
    }

    /// The credentials for an image: those of the named registry when it is the image's, else those of any that is.
    async fn access_for(&self, organization: &OrganizationId, image: &ImageReference, named: Option<&RegistryName>) -> Result<Option<RegistryAccess>> {
        let fits = |access: &RegistryAccess| access.address.host() == image.registry();
        if let Some(named) = named {
            let access = self.registry_access(organization, named).await?;
            if fits(&access) {
                return Ok(Some(access));
            }
        }
        Ok(self.all_registry_access(organization).await?.into_iter().find(fits))
    }
}

fn is_unreachable(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::HostNotFound | ErrorKind::ConnectionRefused | ErrorKind::Timeout | ErrorKind::Unavailable)
}
