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
use crate::domain::{Branch, CommitSha, ImagePin, Run, RuntimeName, Service, Stage, StageOutput};
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

/// After the lease was lost. Whoever took it over removes what it finds; a task that this worker made after that is nobody's once the run has ended.
pub(super) async fn leave(context: &Context<'_>) {
    let removed = async {
        if context.kiwi.store().run(&context.run.id).await?.is_some_and(|run| run.status.is_final()) {
            for runtime in BTreeSet::from([&context.service.runtime, context.build_runtime()]) {
                context.kiwi.open_runtime(&context.actor(), runtime).await?.cancel_tasks(&context.run.id).await?;
            }
        }
        Ok::<(), Error>(())
    };
    if let Err(error) = removed.await {
        tracing::warn!(error = %error.chain(), "what a lost worker left could not be removed");
    }
}

impl Context<'_> {
    pub(super) async fn write(&self) -> Result<()> {
        self.kiwi.store().update_run(&self.run, &self.fence).await
    }

    fn actor(&self) -> Actor {
        Kiwi::local_actor(&self.service)
    }

    fn build_runtime(&self) -> &RuntimeName {
        self.service.build.runtime.as_ref().unwrap_or(&self.service.runtime)
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
