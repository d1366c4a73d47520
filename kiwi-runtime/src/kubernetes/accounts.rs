//! The accounts of registries that images are pulled and pushed with, and what a registry knows of an image.

use super::client::Cluster;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiwi_core::domain::ImagePin;
use kiwi_core::error::Result;
use kiwi_core::provider::RegistryAccess;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

/// Where Docker Hub's credentials are looked up (<https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/>).
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Whether an image is pulled with an account: the one that its pin names, or else one of its registry.
pub(super) fn serves(access: &RegistryAccess, image: &ImagePin) -> bool {
    match image {
        ImagePin::Registry { registry: Some(name), .. } => *name == access.name,
        ImagePin::Registry { reference, registry: None, .. } => reference.registry() == access.address.host(),
        ImagePin::Local { .. } => false,
    }
}

/// The user that an image runs as, empty when nobody says; none when no registry has such an image.
pub(super) async fn user(cluster: &Cluster, image: &ImagePin, registries: &[RegistryAccess]) -> Result<Option<String>> {
    let ImagePin::Registry { reference, digest, .. } = image else { return Ok(None) };
    cluster.user(&reference.with_digest(digest.clone()), registries.iter().find(|access| serves(access, image))).await
}

/// The number of a user that is not root.
pub(super) fn plain(user: &str) -> Option<u32> {
    user.split(':').next()?.parse().ok().filter(|id| *id > 0)
}

/// A value as it stands in a Secret.
pub(super) fn encoded(value: &str) -> Value {
    STANDARD.encode(value).into()
}

/// A Secret that kubelets, and Kaniko, read credentials from; none when no account has any.
pub(super) fn secret<'a>(metadata: Value, accounts: impl Iterator<Item = &'a RegistryAccess>) -> Option<Value> {
    let auths: Map<String, Value> = accounts
        .filter_map(|access| {
            let (user, password) = access.credentials.as_ref()?;
            let password = password.expose_secret();
            let key = if access.address.host() == "docker.io" { DOCKER_HUB } else { access.address.host() };
            Some((key.to_owned(), json!({ "username": user, "password": password, "auth": encoded(&format!("{user}:{password}")) })))
        })
        .collect();
    if auths.is_empty() {
        return None;
    }
    let config = encoded(&json!({ "auths": auths }).to_string());
    Some(
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": config } }),
    )
}
