//! What a deployment would do, without doing it.

use super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{EnvironmentName, Release, Run, RunRequest, ServiceName};
use crate::error::Result;
use crate::provider::{DeploymentPlan, Fence};

impl Kiwi {
    /// The release that `request` would deploy and what it would change. Nothing is written and nothing is started.
    pub async fn plan(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, request: RunRequest) -> Result<(Release, DeploymentPlan)> {
        actor.may(Operation::Deploy)?;
        let service = self.service(actor, name).await?;
        let run = Run::queued(&service, environment, request, &actor.name);
        let mut deployment = self.compose(&run, &service).await?;
        let newest = self.store().deployments(&service.id, environment, 1).await?;
        deployment.release.revision = newest.first().map_or(1, |deployment| deployment.release.revision + 1);
        let fence = Fence { slot: String::new(), owner: String::new(), epoch: 0 };
        let apply = self.apply_request(&service, &deployment, &run.id, &fence).await?;
        let release = deployment.release;
        let plan = self.open_runtime(actor, &release.runtime).await?.plan(&apply).await?;
        Ok((release, plan))
    }
}
