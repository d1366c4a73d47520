//! Asking for runs, and looking at them.

use super::{Kiwi, missing};
use crate::access::{Actor, Operation};
use crate::domain::{Deployment, EnvironmentName, Run, RunId, RunKind, RunRequest, Service, ServiceName, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::store::RunFilter;

impl Kiwi {
    /// Queues a run. [`work`](Self::work) executes it, here or in any other process on the same store.
    pub async fn request(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, request: RunRequest) -> Result<Run> {
        actor.may(if request.kind() == RunKind::Build { Operation::Build } else { Operation::Deploy })?;
        let service = self.service(actor, name).await?;
        if matches!(request.kind(), RunKind::Build | RunKind::Pipeline) && matches!(service.source, Source::Images(_)) {
            return Err(Error::invalid("request run", format!("{name} is made of ready images and is never built"))
                .with_hint(format!("deploy it with `kiwi deploy {name}`")));
        }
        // What is named must be there before anything is queued.
        match &request {
            RunRequest::Rollback { to, .. } => drop(self.rollback_target(&service, environment, *to).await?),
            RunRequest::Deploy { build: Some(build) } => drop(self.choose_build(&service, Some(build)).await?),
            RunRequest::Promotion { from } => drop(self.require_live(&service, *from).await?),
            _ => {}
        }
        if matches!(request.kind(), RunKind::Restart | RunKind::Scale | RunKind::Config) {
            self.require_live(&service, environment).await?;
        }
        let run = Run::queued(&service, environment, request, &actor.name);
        self.store().insert_run(&actor.organization, &slot(&run), &run).await?;
        Ok(run)
    }

    /// One run.
    pub async fn run(&self, actor: &Actor, id: &RunId) -> Result<Run> {
        actor.may(Operation::ReadRuns)?;
        self.own_run(actor, id).await
    }

    /// A run of the actor's organization; that another one has it is nobody's business.
    pub(super) async fn own_run(&self, actor: &Actor, id: &RunId) -> Result<Run> {
        let Some(run) = self.store().run(id).await? else { return Err(missing("run", id)) };
        let service = self.store().service_by_id(&run.service).await?;
        service.filter(|service| service.organization == actor.organization).map(|_| run).ok_or_else(|| missing("run", id))
    }

    /// Runs, newest first.
    pub async fn runs(&self, actor: &Actor, filter: &RunFilter) -> Result<Vec<Run>> {
        actor.may(Operation::ReadRuns)?;
        self.store().runs(&actor.organization, filter).await
    }

    /// Asks the worker of a run to stop it. What it began is undone; a release that is live stays live.
    pub async fn cancel(&self, actor: &Actor, id: &RunId) -> Result<()> {
        actor.may(Operation::CancelRuns)?;
        self.own_run(actor, id).await?;
        self.store().request_cancel(id).await
    }

    /// The deployments of a service in an environment, newest first.
    pub async fn history(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<Vec<Deployment>> {
        let service = self.service(actor, name).await?;
        self.store().deployments(&service.id, environment, u32::MAX).await
    }

    /// One deployment, by its revision.
    pub async fn deployment(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, revision: u64) -> Result<Deployment> {
        let service = self.service(actor, name).await?;
        self.store().deployment(&service.id, environment, revision).await?.ok_or_else(|| missing("revision", revision))
    }

    /// The deployment that a run made, if it came that far.
    pub async fn deployment_of(&self, actor: &Actor, run: &Run) -> Result<Option<Deployment>> {
        actor.may(Operation::ReadRuns)?;
        let all = self.store().deployments(&run.service, run.environment, u32::MAX).await?;
        Ok(all.into_iter().find(|deployment| deployment.run == run.id))
    }

    /// The deployment that a rollback brings back.
    pub(super) async fn rollback_target(&self, service: &Service, environment: EnvironmentName, to: Option<u64>) -> Result<Deployment> {
        let all = self.store().deployments(&service.id, environment, u32::MAX).await?;
        let running = all.iter().find(|deployment| deployment.status == crate::domain::DeploymentStatus::Live).map(|deployment| deployment.release.revision);
        let target = match to {
            Some(revision) => all.into_iter().find(|deployment| deployment.release.revision == revision),
            None => all.into_iter().find(|deployment| deployment.live_at.is_some() && running.is_none_or(|running| deployment.release.revision < running)),
        };
        let name = &service.name;
        match (target, to) {
            (Some(deployment), _) if deployment.live_at.is_none() => {
                Err(Error::invalid("roll back", format!("revision {} of {name} was never live", deployment.release.revision))
                    .with_hint(format!("`kiwi history {name}` shows which were")))
            }
            (Some(deployment), _) => Ok(deployment),
            (None, Some(revision)) => Err(Error::invalid("roll back", format!("{name} has no revision {revision} in {environment}"))
                .with_hint(format!("`kiwi history {name}` shows the revisions"))),
            (None, None) => Err(Error::new(ErrorKind::NotFound, "roll back", format!("{name} has no earlier live release in {environment}"))
                .with_hint(format!("`kiwi history {name}` shows what was deployed"))),
        }
    }
}

/// What a run waits for. Deployments of one service and environment take turns; builds need not.
pub(super) fn slot(run: &Run) -> String {
    match run.request.kind() {
        RunKind::Build => format!("build/{}", run.id),
        _ => format!("deploy/{}/{}", run.service, run.environment),
    }
}
