//! The stages, one per file. Each leaves its result in the journal and adopts what a killed worker left.

mod build;
mod dast;
mod deploy;
mod dockerfile;
mod fetch;
mod publish;
pub(super) mod scan;
mod test;

use super::Kiwi;
use super::events::EventSink;
use crate::access::Actor;
use crate::domain::{Branch, CommitSha, ImagePin, Run, RunId, RuntimeName, Service, Stage, StageOutput};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Fence;
use std::collections::BTreeSet;

/// What a stage works with.
pub(super) struct Context<'a> {
    pub(super) kiwi: &'a Kiwi,
    pub(super) run: Run,
    pub(super) service: Service,
    pub(super) fence: Fence,
    pub(super) events: EventSink,
}

pub(super) async fn run(stage: Stage, context: &mut Context<'_>) -> Result<StageOutput> {
    match stage {
        Stage::Fetch => fetch::run(context).await,
        Stage::Build => build::run(context).await,
        Stage::Scan => scan::run(context).await,
        Stage::Test => test::run(context).await,
        Stage::Publish => publish::run(context).await,
        Stage::Deploy => deploy::run(context).await,
        Stage::Dast => dast::run(context).await,
    }
}

/// Undoes what a stage began before it failed or was cancelled. A deployment that turned out to be live is no failure.
pub(super) async fn clean_up(stage: Stage, context: &mut Context<'_>, error: Error) -> Result<StageOutput> {
    let undone = match stage {
        Stage::Build => build::clean_up(context).await.map(|()| None),
        Stage::Test => test::clean_up(context).await.map(|()| None),
        Stage::Deploy => deploy::clean_up(context, &error).await,
        _ => Ok(None),
    };
    match undone {
        Ok(Some(output)) => Ok(output),
        Ok(None) => Err(error),
        Err(second) if second.kind() == ErrorKind::LeaseLost => Err(second),
        // Said once is enough.
        Err(second) if second.to_string() == error.to_string() => Err(error),
        Err(second) => {
            context.events.info(format!("tidying up after the failure failed too: {}", second.chain())).await;
            Err(error)
        }
    }
}

/// Removes every task of a run that has ended. What can't be removed is logged: the run has its result.
pub(super) async fn remove_tasks(kiwi: &Kiwi, service: &Service, run: &RunId) {
    for name in BTreeSet::from([&service.runtime, build_runtime(service)]) {
        let removed = async { kiwi.open_runtime(&Kiwi::local_actor(service), name).await?.cancel_tasks(run).await };
        if let Err(error) = removed.await {
            tracing::warn!(runtime = %name, error = %error.chain(), "what a lost worker left could not be removed");
        }
    }
}

fn build_runtime(service: &Service) -> &RuntimeName {
    service.build.runtime.as_ref().unwrap_or(&service.runtime)
}

impl Context<'_> {
    pub(super) async fn write(&self) -> Result<()> {
        self.kiwi.store().update_run(&self.run, &self.fence).await
    }

    fn actor(&self) -> Actor {
        Kiwi::local_actor(&self.service)
    }

    fn build_runtime(&self) -> &RuntimeName {
        build_runtime(&self.service)
    }

    fn fetched(&self) -> Result<(CommitSha, Branch)> {
        let found = self.run.stages.iter().find_map(|record| match &record.output {
            Some(StageOutput::Fetch { commit, branch }) => Some((commit.clone(), branch.clone())),
            _ => None,
        });
        found.ok_or_else(|| Error::new(ErrorKind::Internal, "read journal", "the fetch stage left no commit"))
    }

    fn built(&self) -> Result<ImagePin> {
        let found = self.run.stages.iter().find_map(|record| match &record.output {
            Some(StageOutput::Build { image, .. }) => Some(image.clone()),
            _ => None,
        });
        found.ok_or_else(|| Error::new(ErrorKind::Internal, "read journal", "the build stage left no image"))
    }
}
