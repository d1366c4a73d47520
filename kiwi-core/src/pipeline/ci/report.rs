//! Commit statuses: how a run stands, shown beside its commit at the git host. A host that cannot be told never harms the run.

use super::super::Kiwi;
use crate::domain::{CommitSha, Run, RunRequest, RunStatus, StageOutput, StageStatus};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{CommitState, CommitStatus};
use std::time::Duration;

/// The most time that telling may take.
const LIMIT: Duration = Duration::from_secs(10);

impl Kiwi {
    /// Shows that a run waits, without waiting for the host. When the run was faster, how it ended is shown after all.
    pub(super) fn report_queued(&self, run: Run) {
        let kiwi = self.clone();
        tokio::spawn(async move {
            kiwi.report(&run).await;
            if let Ok(Some(now)) = kiwi.store().run(&run.id).await
                && now.status.is_final()
            {
                kiwi.report(&now).await;
            }
        });
    }

    /// Shows how a run stands, in at most [`LIMIT`].
    pub(in super::super) async fn report(&self, run: &Run) {
        let told = tokio::time::timeout(LIMIT, self.tell(run)).await;
        let late = || Err(Error::new(ErrorKind::Timeout, "publish commit status", "the git host did not answer in time"));
        if let Err(error) = told.unwrap_or_else(|_| late()) {
            tracing::warn!(run = %run.id, error = %error.chain(), "the git host was not told how the run stands");
        }
    }

    async fn tell(&self, run: &Run) -> Result<()> {
        let Some(commit) = commit(run) else { return Ok(()) };
        let Some((settings, _)) = self.store().auto_ci(&run.service).await? else { return Ok(()) };
        let Some(service) = self.store().service_by_id(&run.service).await? else { return Ok(()) };
        let Ok(followed) = super::followed(&service) else { return Ok(()) };
        let git = self.git_provider(&Self::local_actor(&service), followed.provider).await?;
        if !git.capabilities().commit_status {
            return Ok(());
        }
        let (state, description) = standing(run);
        let status = CommitStatus {
            state,
            branch: followed.branch,
            description,
            target: Some(settings.run_url(&run.id)?),
            context: format!("kiwi/{}/{}", service.name, run.environment),
        };
        git.publish_status(&followed.link, &commit, &status).await
    }
}

/// The commit of a pipeline, once it is known.
fn commit(run: &Run) -> Option<CommitSha> {
    let RunRequest::Pipeline { commit } = &run.request else { return None };
    let fetched = run.stages.iter().find_map(|record| match &record.output {
        Some(StageOutput::Fetch { commit, .. }) => Some(commit.clone()),
        _ => None,
    });
    fetched.or_else(|| commit.clone())
}

/// One line that names no cause: a log may hold what the repository's readers must not see.
fn standing(run: &Run) -> (CommitState, String) {
    let failed = run.stages.iter().find(|record| record.status == StageStatus::Failed).map(|record| record.stage);
    match (run.status, failed) {
        (RunStatus::Queued, _) => (CommitState::Pending, "waits for its turn".to_owned()),
        (RunStatus::Running, _) => (CommitState::Running, format!("is delivered to {}", run.environment)),
        (RunStatus::Succeeded, _) => (CommitState::Success, format!("is live in {}", run.environment)),
        (RunStatus::Failed, Some(stage)) => (CommitState::Failure, format!("failed in the stage {stage}")),
        (RunStatus::Failed, None) => (CommitState::Failure, "failed".to_owned()),
        (RunStatus::Cancelled, _) => (CommitState::Failure, "was cancelled".to_owned()),
        (RunStatus::Superseded, _) => (CommitState::Failure, "a newer commit was delivered instead".to_owned()),
    }
}
