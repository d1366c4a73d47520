//! Why a delivery is built, or why not.
//!
//! A push says that something happened; what is to be delivered is the head of the branch. So the head is asked for, and whether it was decided before is
//! the whole rule: late, doubled and lost deliveries cannot bring an old commit back. Decisions of one service follow each other by the version of
//! [`AutoCiState`](crate::domain::AutoCiState), which is read before the head: whoever comes second starts again.

use super::super::{Kiwi, requests};
use crate::domain::{
    AutoCi, AutoCiState, CommitSha, Decision, Delivery, DeliveryOrigin, Deployment, DeploymentKind, Outcome, Run, RunId, RunRequest, RunStatus, Service,
    ServiceId, Timestamp,
};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::store::{Judgement, Turn};
use std::time::Duration;

/// How many deliveries of a service are decided by one look at its branch.
const TOGETHER: u32 = 256;
/// How far back a rollback is looked for.
const HISTORY: u32 = 200;
/// How long a delivery waits for a host that does not tell the head. The reconciler goes on asking.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// What decisions are made on.
struct Standing {
    service: Service,
    settings: AutoCi,
    state: AutoCiState,
    /// None when the branch is gone.
    head: Option<CommitSha>,
}

/// A decision, and the head that it is about when nobody decided that one before.
struct Verdict {
    outcome: Outcome,
    reason: String,
    run: Option<RunId>,
    new_head: Option<CommitSha>,
}

impl Verdict {
    fn ignored(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Ignored, reason: reason.into(), run: None, new_head: None }
    }
}

impl Kiwi {
    /// Decides what waits of a service, oldest first; answers how many. Errors leave the rest waiting: what the git host or the store fails with.
    pub(in super::super) async fn decide_waiting(&self, id: &ServiceId) -> Result<usize> {
        let waiting = self.store().undecided(id, TOGETHER).await?;
        let mut standing = None;
        for delivery in &waiting {
            while let Err(error) = self.decide(delivery, &mut standing).await {
                // Another replica decided something of this service, so what is known of it is old.
                if error.kind() != ErrorKind::Conflict {
                    return Err(error);
                }
                standing = None;
            }
        }
        Ok(waiting.len())
    }

    async fn decide(&self, delivery: &Delivery, standing: &mut Option<Standing>) -> Result<()> {
        // What is about no commit of a branch leaves every head as it is.
        let nothing = delivery.irrelevant.as_ref().filter(|_| delivery.branch.is_none() || delivery.commit.is_none());
        let verdict = match nothing {
            Some(reason) => Verdict::ignored(reason.clone()),
            None => {
                if standing.is_none() {
                    *standing = match self.standing(&delivery.service).await {
                        Ok(found) => found,
                        Err(error) if Timestamp::now().since(delivery.received_at) > PATIENCE => {
                            let reason = format!("the head of the branch could not be asked for: {}; the reconciler looks again", error.chain());
                            return self.judge(delivery, Verdict::ignored(reason), None).await;
                        }
                        Err(error) => return Err(error),
                    };
                }
                match (standing.as_ref(), &delivery.irrelevant) {
                    (Some(standing), Some(reason)) => skipped(delivery, standing, reason)?,
                    (Some(standing), None) => self.verdict(delivery, standing).await?,
                    (None, _) => Verdict::ignored("Auto CI of the service is off"),
                }
            }
        };
        self.judge(delivery, verdict, standing.as_mut()).await
    }

    /// The state is read before the head: a decision in between is noticed by its version.
    async fn standing(&self, id: &ServiceId) -> Result<Option<Standing>> {
        let Some((settings, state)) = self.store().auto_ci(id).await? else { return Ok(None) };
        let Some(mut service) = self.store().service_by_id(id).await? else { return Ok(None) };
        let followed = super::followed(&service)?;
        let head = match self.resolve_head(&mut service, &followed.branch).await {
            Ok(head) => Some(head),
            Err(error) if error.kind() == ErrorKind::BranchNotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Some(Standing { service, settings, state, head }))
    }

    async fn verdict(&self, delivery: &Delivery, standing: &Standing) -> Result<Verdict> {
        let Standing { service, settings, state, head } = standing;
        let branch = super::followed(service)?.branch;
        if let Some(pushed) = delivery.branch.as_ref().filter(|pushed| **pushed != branch) {
            return Ok(Verdict::ignored(format!("the push is to {pushed}, and {branch} is delivered")));
        }
        let Some(head) = head else { return Ok(Verdict::ignored(format!("the branch {branch} is not there any more"))) };
        let moved_on = delivery.commit.as_ref() != Some(head);
        if state.head.as_ref() == Some(head) {
            return self.known(delivery, state, head, moved_on).await;
        }
        let history = self.store().deployments(&service.id, settings.environment, HISTORY).await?;
        if let Some(rollback) = rejected_by(&history, head) {
            let reason = format!("{} was rolled back by revision {rollback}, and Auto CI does not bring it back; push a new commit", head.short());
            return Ok(Verdict { new_head: Some(head.clone()), ..Verdict::ignored(reason) });
        }
        let watched = self.forecast(service, settings.environment, &settings.watch, head).await?;
        if !watched.builds {
            return Ok(Verdict { new_head: Some(head.clone()), ..Verdict::ignored(watched.reason) });
        }
        let why = match delivery.origin {
            DeliveryOrigin::Reconciler => format!("{branch} is at {}, and no delivery said so", head.short()),
            DeliveryOrigin::Webhook if moved_on => format!("{branch} has moved on to {} already, which is built instead", head.short()),
            DeliveryOrigin::Webhook => format!("a push to {branch}: {}", watched.reason),
        };
        Ok(Verdict { outcome: Outcome::Build, reason: why, run: None, new_head: Some(head.clone()) })
    }

    /// The head was decided before.
    async fn known(&self, delivery: &Delivery, state: &AutoCiState, head: &CommitSha, moved_on: bool) -> Result<Verdict> {
        let short = head.short();
        let Some(id) = &state.run else {
            return Ok(Verdict::ignored(format!("the branch is at {short}, which was decided already and not built")));
        };
        if moved_on {
            let reason = format!("the branch has moved on to {short}, which run {id} delivers");
            return Ok(Verdict { run: Some(id.clone()), ..Verdict::ignored(reason) });
        }
        let run = self.store().run(id).await?;
        let failed = run.filter(|run| matches!(run.status, RunStatus::Failed | RunStatus::Cancelled));
        if failed.is_some_and(|run| run.finished_at.is_some_and(|ended| ended <= delivery.received_at)) {
            let reason = format!("run {id} of {short} did not succeed, and the commit was delivered again after it");
            return Ok(Verdict { outcome: Outcome::Build, reason, run: None, new_head: Some(head.clone()) });
        }
        Ok(Verdict { outcome: Outcome::Duplicate, reason: format!("run {id} is of {short} already"), run: Some(id.clone()), new_head: None })
    }

    async fn judge(&self, delivery: &Delivery, verdict: Verdict, standing: Option<&mut Standing>) -> Result<()> {
        let mut decision = Decision { outcome: verdict.outcome, reason: verdict.reason, run: verdict.run, at: Timestamp::now() };
        let turn = match (verdict.new_head, standing.as_deref()) {
            (Some(head), Some(standing)) => {
                let run = (decision.outcome == Outcome::Build).then(|| queued(standing, &head));
                decision.run = run.as_ref().map(|run| run.id.clone());
                let run = run.map(|run| (standing.service.organization.clone(), requests::slot(&run), run));
                Some(Turn { version: standing.state.version, head, run })
            }
            _ => None,
        };
        let judgement = Judgement { delivery: delivery.id.clone(), service: delivery.service.clone(), decision, turn };
        let counts = match self.store().decide(&judgement).await {
            // It was removed with its service meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            other => other?,
        };
        let (true, Some(turn)) = (counts, judgement.turn) else { return Ok(()) };
        if let Some(standing) = standing {
            standing.state.version += 1;
            standing.state.head = Some(turn.head);
            standing.state.run = turn.run.as_ref().map(|(_, _, run)| run.id.clone());
        }
        if let Some((_, _, run)) = turn.run {
            self.report_queued(run);
        }
        Ok(())
    }
}

/// A push that asks not to be built. Its commit counts as decided while it is the head, or the reconciler would build it.
fn skipped(delivery: &Delivery, standing: &Standing, reason: &str) -> Result<Verdict> {
    let followed = delivery.branch.as_ref() == Some(&super::followed(&standing.service)?.branch);
    let is_news = standing.state.head != delivery.commit;
    let new_head = standing.head.clone().filter(|head| followed && is_news && delivery.commit.as_ref() == Some(head));
    Ok(Verdict { new_head, ..Verdict::ignored(reason) })
}

/// Later than the run before, whatever the clocks of the replicas say: runs are worked in the order of their ids.
fn queued(standing: &Standing, head: &CommitSha) -> Run {
    let request = RunRequest::Pipeline { commit: Some(head.clone()) };
    let mut run = Run::queued(&standing.service, standing.settings.environment, request, "auto-ci");
    if let Some(before) = &standing.state.run {
        run.id = RunId::generate_after(before);
    }
    run
}

/// The revision of the rollback that took this commit away, while that rollback is the last word.
fn rejected_by(history: &[Deployment], head: &CommitSha) -> Option<u64> {
    let brings_content = |deployment: &&Deployment| {
        deployment.live_at.is_some() && matches!(deployment.kind, DeploymentKind::Deploy | DeploymentKind::Promotion | DeploymentKind::Rollback)
    };
    let newest = history.iter().find(brings_content).filter(|newest| newest.kind == DeploymentKind::Rollback)?;
    let between = |deployment: &&Deployment| {
        deployment.release.revision < newest.release.revision && newest.restores.is_none_or(|restored| deployment.release.revision > restored)
    };
    let taken = history.iter().filter(between).any(|deployment| deployment.live_at.is_some() && deployment.release.commit.as_ref() == Some(head));
    (taken && newest.release.commit.as_ref() != Some(head)).then_some(newest.release.revision)
}

/// What the caller of an embedded engine is told when a host cannot be asked.
pub(super) fn not_asked(service: &Service, error: Error) -> Error {
    let hint = error.hint().to_owned();
    Error::new(error.kind(), "reconcile", format!("the head of {}'s branch could not be asked for", service.name)).with_hint(hint).with_source(error)
}
