//! The engine's lock of a workload: a container that is created and never started. Its name makes creation atomic, which
//! an engine offers nowhere else; its labels say who holds it, and with which epoch.

use super::client::Engine;
use super::convert;
use super::labels::{self, role};
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{Fence, Workload};

/// The right to change a workload on this engine.
pub(super) struct Lock {
    engine: Engine,
    name: String,
    fence: Fence,
}

fn name(workload: &Workload) -> String {
    format!("{}-lock", labels::stem(workload))
}

impl Lock {
    /// Takes the lock, also from a holder with a lower epoch. A holder with a higher one has taken over from us.
    pub(super) async fn take(engine: &Engine, workload: &Workload, fence: &Fence) -> Result<Self> {
        let lock = Self { engine: engine.clone(), name: name(workload), fence: fence.clone() };
        for _ in 0..10 {
            let mut labels = labels::of(workload);
            labels.insert(labels::ROLE.to_owned(), role::LOCK.to_owned());
            labels.insert(labels::EPOCH.to_owned(), fence.epoch.to_string());
            labels.insert(labels::OWNER.to_owned(), fence.owner.clone());
            let body = ContainerCreateBody {
                image: Some(engine.config.gateway_image.clone()),
                cmd: Some(vec!["lock".to_owned()]),
                labels: Some(labels),
                ..ContainerCreateBody::default()
            };
            match engine.docker.create_container(Some(CreateContainerOptionsBuilder::default().name(&lock.name).build()), body).await {
                Ok(_) => return Ok(lock),
                Err(error) if convert::status(&error) == Some(409) => {}
                Err(error) => return Err(convert::engine("take lock")(error)),
            }
            let Some((id, held)) = lock.holder().await? else { continue };
            if held.installation != workload.installation {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "take lock",
                    format!("{} in {} is being changed by another Kiwi installation", workload.name, workload.environment),
                )
                .with_hint("another Kiwi installation uses this engine; choose another name"));
            }
            if held.epoch == fence.epoch && held.owner == fence.owner {
                return Ok(lock);
            }
            if held.epoch >= fence.epoch {
                return Err(lost());
            }
            // By id: when another worker replaced it meanwhile, this removes nothing.
            lock.remove(&id).await?;
        }
        Err(Error::new(ErrorKind::Busy, "take lock", format!("the lock {} changes hands too fast", lock.name)))
    }

    /// Fails when somebody took the lock over. Called before every effect.
    pub(super) async fn check(&self) -> Result<()> {
        match self.holder().await? {
            Some((_, held)) if held.epoch == self.fence.epoch && held.owner == self.fence.owner => Ok(()),
            _ => Err(lost()),
        }
    }

    /// Gives the lock back. A lock that is no longer ours is left alone.
    pub(super) async fn release(self) -> Result<()> {
        match self.holder().await? {
            Some((id, held)) if held.epoch == self.fence.epoch && held.owner == self.fence.owner => self.remove(&id).await,
            _ => Ok(()),
        }
    }

    async fn holder(&self) -> Result<Option<(String, Holder)>> {
        let found = match self.engine.docker.inspect_container(&self.name, None).await {
            Ok(found) => found,
            Err(error) if convert::status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(convert::engine("read lock")(error)),
        };
        let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
        let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
        let holder = Holder { installation: label(labels::INSTALLATION), owner: label(labels::OWNER), epoch: label(labels::EPOCH).parse().unwrap_or(0) };
        Ok(Some((found.id.unwrap_or_default(), holder)))
    }

    async fn remove(&self, id: &str) -> Result<()> {
        match self.engine.docker.remove_container(id, Some(RemoveContainerOptionsBuilder::default().force(true).build())).await {
            Err(error) if !matches!(convert::status(&error), Some(404 | 409)) => Err(convert::engine("release lock")(error)),
            _ => Ok(()),
        }
    }
}

struct Holder {
    installation: String,
    owner: String,
    epoch: u64,
}

fn lost() -> Error {
    Error::new(ErrorKind::LeaseLost, "change workload", "a newer worker took this workload over")
}
