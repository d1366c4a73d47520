//! Removing workloads, and what has no owner.

use super::client::Engine;
use super::gateway::{Gateway, Proxy as _};
use super::labels::{self, role};
use super::{convert, replica};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptions, ListVolumesOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions};
use kiwi_core::domain::{Digest, RunId};
use kiwi_core::error::Result;
use kiwi_core::provider::{Cleanup, Workload};
use std::collections::{BTreeSet, HashMap};

pub(super) async fn remove(engine: &Engine, workload: &Workload, volumes: bool) -> Result<()> {
    if let Some(mut gateway) = Gateway::existing(engine).await? {
        gateway.remove(workload).await?;
    }
    for found in replica::list(engine, workload).await? {
        if found.state == "running" {
            replica::stop(engine, &found.name, 10).await?;
        }
        replica::remove(engine, &found.id).await?;
    }
    if volumes {
        let filters = labels::filter(workload);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let all = engine.docker.list_volumes(Some(options)).await.map_err(convert::engine("list volumes"))?;
        for volume in all.volumes.unwrap_or_default() {
            engine.docker.remove_volume(&volume.name, None::<RemoveVolumeOptions>).await.map_err(convert::engine("remove volume"))?;
        }
    }
    remove_network(engine, workload).await
}

/// Removes the network of a workload unless it is somebody else's or still used.
pub(super) async fn remove_network(engine: &Engine, workload: &Workload) -> Result<()> {
    if !matches!(super::network::find(engine, workload).await, Ok(Some(_))) {
        return Ok(());
    }
    match engine.docker.remove_network(&labels::stem(workload)).await {
        Err(error) if !matches!(convert::status(&error), Some(403 | 404)) => Err(convert::engine("remove network")(error)),
        _ => Ok(()),
    }
}

pub(super) async fn clean(engine: &Engine, keep: &Cleanup) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    let filters = HashMap::from([("label".to_owned(), vec![format!("{}={}", labels::INSTALLATION, keep.installation)])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    for found in engine.docker.list_containers(Some(options)).await.map_err(convert::engine("list containers"))? {
        let label = |name: &str| found.labels.as_ref().and_then(|labels| labels.get(name)).cloned().unwrap_or_default();
        let owned = label(labels::RUN).parse::<RunId>().is_ok_and(|run| keep.unfinished.contains(&run));
        if matches!(label(labels::ROLE).as_str(), role::TASK | role::CANDIDATE) && !owned {
            replica::remove(engine, found.id.as_deref().unwrap_or_default()).await?;
            removed.push(format!("container {}", found.names.unwrap_or_default().join(" ")));
        }
    }
    let used: BTreeSet<String> = {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let all = engine.docker.list_containers(Some(options)).await.map_err(convert::engine("list containers"))?;
        all.into_iter().filter_map(|container| container.image_id).collect()
    };
    // Only images that this installation built: they carry its label, or its name from the classic builder, and the tag of a run.
    let own = format!("{}:", labels::own_images(&keep.installation));
    for image in engine.docker.list_images(None::<ListImagesOptions>).await.map_err(convert::engine("list images"))? {
        if image.labels.get(labels::INSTALLATION) != Some(&keep.installation) && !image.repo_tags.iter().any(|tag| tag.starts_with(&own)) {
            continue;
        }
        let run = image.repo_tags.iter().find_map(|tag| tag.rsplit_once(":kiwi-run-")?.1.parse::<RunId>().ok());
        let Some(run) = run else { continue };
        let digests = image.repo_digests.iter().filter_map(|digest| digest.split_once('@')?.1.parse::<Digest>().ok());
        let needed = image.id.parse::<Digest>().into_iter().chain(digests).any(|digest| keep.images.contains(&digest));
        if needed || keep.unfinished.contains(&run) || used.contains(&image.id) {
            continue;
        }
        for tag in &image.repo_tags {
            match engine.docker.remove_image(tag, Some(RemoveImageOptionsBuilder::default().build()), None).await {
                Ok(_) => removed.push(format!("image {tag}")),
                Err(error) if matches!(convert::status(&error), Some(404 | 409)) => {}
                Err(error) => return Err(convert::engine("remove image")(error)),
            }
        }
    }
    Ok(removed)
}
