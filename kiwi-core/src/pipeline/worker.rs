//! Executing runs: one worker per run, under a lease, resumable at any point.

use super::Kiwi;
use super::events::EventSink;
use super::stages::{self, Context};
use crate::access::{Actor, Operation};
use crate::domain::{
    Diagnosis, EventBody, OrganizationId, Run, RunId, RunKind, RunRequest, RunStatus, Service, Stage, StageOutput, StageRecord, StageStatus, Timestamp,
    Variable,
};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Fence;
use crate::provider::change::Change;
use crate::provider::store::{Claim, RunFilter};
use crate::secret::Redactor;
use secrecy::ExposeSecret as _;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument as _;

/// What the heartbeat tells the stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    GoOn,
    Cancel,
    Lost,
    /// This process ends; another goes on.
    HandOver,
}

/// What became of a turn.
enum Turn {
    /// The run was worked, and a refusal may have asked for this rollback.
    Worked(Option<RunId>),
    /// Somebody else works this run.
    Busy { run: RunId, until: Timestamp },
}

impl Kiwi {
    /// Works until the run is finished, and returns it.
    ///
    /// Runs of one service and environment take turns in the order they were asked for. A run in front whose worker died, or that has
    /// none, is worked first; one whose worker lives is waited for, and `waiting` is told why.
    pub async fn work(&self, actor: &Actor, id: &RunId, waiting: impl Fn(String) + Send + Sync) -> Result<Run> {
        let (mut target, mut follow_up, mut answer, mut told) = (id.clone(), None, None, None);
        let mut changes = self.store().changes();
        loop {
            let run = self.run(actor, &target).await?;
            if run.status.is_final() {
                let answered = answer.unwrap_or(run);
                let Some(next) = follow_up.take() else { return Ok(answered) };
                (target, answer) = (next, Some(answered));
                continue;
            }
            let Some(slot) = self.store().slot(&target).await? else { return Ok(run) };
            let filter = RunFilter { unfinished: true, slot: Some(slot.clone()), ..RunFilter::default() };
            let queue = self.store().runs(&actor.organization, &filter).await?;
            let Some(first) = queue.last().cloned() else { continue };
            match self.take(&slot, &first, &queue).await {
                Err(error) if first.id == target => return Err(error),
                Err(error) => tracing::warn!(run = %first.id, error = %error.chain(), "a run in front could not be worked"),
                Ok(Turn::Worked(rollback)) if first.id == target => follow_up = rollback,
                Ok(Turn::Worked(_)) => {}
                Ok(Turn::Busy { run: holder, until }) => {
                    let reason = if holder == target {
                        format!("its worker is silent or elsewhere; the lease ends at {until}")
                    } else {
                        format!("run {holder} of the same service and environment comes first")
                    };
                    if told.as_ref() != Some(&holder) {
                        waiting(reason);
                        told = Some(holder.clone());
                    }
                    // Its events are not worth a look: only its end is.
                    changes.wait(|change| *change == Change::Run(holder.clone())).await;
                }
            }
        }
    }

    /// Takes the slot for its first run and works it.
    async fn take(&self, slot: &str, first: &Run, queue: &[Run]) -> Result<Turn> {
        match self.store().claim(slot, &first.id, &self.inner.owner, self.inner.lease).await? {
            Claim::Busy { run, until, .. } => Ok(Turn::Busy { run, until }),
            Claim::Held(fence) => {
                let newer = queue.iter().any(|other| other.id > first.id && supersedes(&other.request, &first.request));
                match self.execute(first.clone(), fence, newer).await? {
                    (finished, Some(ErrorKind::GateRefused)) => self.roll_back_refused(&finished).await.map(Turn::Worked),
                    _ => Ok(Turn::Worked(None)),
                }
            }
        }
    }

    /// Finishes every run whose worker died. Answers the runs as they ended.
    pub async fn resume(&self, actor: &Actor, waiting: impl Fn(String) + Send + Sync) -> Result<Vec<Run>> {
        actor.may(Operation::Deploy)?;
        let filter = RunFilter { unfinished: true, ..RunFilter::default() };
        let mut unfinished = self.store().runs(&actor.organization, &filter).await?;
        unfinished.reverse();
        let mut finished = Vec::new();
        for run in unfinished {
            finished.push(self.work(actor, &run.id, &waiting).await?);
        }
        self.sweep_work_directory().await?;
        Ok(finished)
    }

    /// Works a run whose slot is held already.
    pub(super) async fn work_held(&self, organization: &OrganizationId, run: Run, fence: Fence) -> Result<(Run, Option<ErrorKind>)> {
        let filter = RunFilter { unfinished: true, slot: Some(fence.slot.clone()), ..RunFilter::default() };
        let newer = match self.store().runs(organization, &filter).await {
            Ok(queue) => queue.iter().any(|other| other.id > run.id && supersedes(&other.request, &run.request)),
            Err(error) => {
                self.store().release(&fence).await?;
                return Err(error);
            }
        };
        self.execute(run, fence, newer).await
    }

    async fn execute(&self, run: Run, fence: Fence, superseded: bool) -> Result<(Run, Option<ErrorKind>)> {
        let (tell, signal) = watch::channel(Signal::GoOn);
        // A set, because it ends with this future too: a heart that beats for nobody would keep the slot from everybody.
        let mut heart = JoinSet::new();
        heart.spawn(beat(self.clone(), fence.clone(), tell));
        let span = tracing::info_span!("run", id = %run.id, service = %run.service_name, environment = %run.environment);
        let result = self.execute_under_lease(run, &fence, superseded, signal).instrument(span).await;
        heart.abort_all();
        self.store().release(&fence).await?;
        if let Ok((finished, _)) = &result {
            self.report(finished).await;
        }
        result
    }

    async fn execute_under_lease(&self, mut run: Run, fence: &Fence, superseded: bool, signal: watch::Receiver<Signal>) -> Result<(Run, Option<ErrorKind>)> {
        let store = &self.inner.store;
        // The queue was read before the slot was ours; the run may have moved on since.
        run = store.run(&run.id).await?.ok_or_else(|| super::missing("run", &run.id))?;
        if run.status.is_final() {
            return Ok((run, None));
        }
        let service = store.service_by_id(&run.service).await?.ok_or_else(|| super::missing("service", &run.service_name))?;
        let events = EventSink::start(store.clone(), run.id.clone(), fence.clone(), self.redactor(&service, &run).await?);
        let resumed = run.status == RunStatus::Running;
        if run.cancel_requested && !resumed {
            return Ok((self.finish(run, fence, &events, RunStatus::Cancelled, None).await?, None));
        }
        if superseded && !resumed {
            return Ok((self.finish(run, fence, &events, RunStatus::Superseded, None).await?, None));
        }
        if resumed {
            events.info("resumed after its worker was lost").await;
        }
        run.status = RunStatus::Running;
        store.update_run(&run, fence).await?;
        let told = tokio::spawn({
            let (kiwi, run) = (self.clone(), run.clone());
            async move { kiwi.report(&run).await }
        });

        let mut context = Context { kiwi: self, service, fence: fence.clone(), events: events.clone(), run };
        let outcome = run_stages(&mut context, signal).await;
        let run = context.run;
        // How it ends must not be shown before that it began.
        let _ = told.await;
        let (status, diagnosis, cause) = match outcome {
            Ok(()) => (RunStatus::Succeeded, None, None),
            Err(error) if error.kind() == ErrorKind::LeaseLost => return Err(error),
            Err(error) => {
                let status = match error.kind() {
                    ErrorKind::Cancelled => RunStatus::Cancelled,
                    ErrorKind::Superseded => RunStatus::Superseded,
                    _ => RunStatus::Failed,
                };
                (status, Some(events.diagnose(&error)), Some(error.kind()))
            }
        };
        let finished = self.finish(run, fence, &events, status, diagnosis).await?;
        if resumed {
            // The worker before may have been late: what it made since its stage was passed here is nobody's.
            stages::remove_tasks(self, &context.service, &finished.id).await;
        }
        Ok((finished, cause))
    }

    async fn finish(&self, mut run: Run, fence: &Fence, events: &EventSink, status: RunStatus, diagnosis: Option<Diagnosis>) -> Result<Run> {
        self.remove_run_folder(&run.id).await?;
        run.status = status;
        run.finished_at = Some(Timestamp::now());
        run.diagnosis = diagnosis;
        events.send(EventBody::Finished { status }).await;
        events.flush().await?;
        self.store().update_run(&run, fence).await?;
        tracing::info!(status = status.as_str(), "the run ended");
        Ok(run)
    }

    /// A refusal after the switch brings the release before back, as a run of its own.
    pub(super) async fn roll_back_refused(&self, run: &Run) -> Result<Option<RunId>> {
        let refused = run.stages.iter().any(|record| record.stage == Stage::Dast && record.status == StageStatus::Failed);
        let Some(service) = self.store().service_by_id(&run.service).await?.filter(|_| refused) else { return Ok(None) };
        let actor = Actor { name: "gate".to_owned(), ..Self::local_actor(&service) };
        match self.request(&actor, &service.name, run.environment, RunRequest::Rollback { to: None, current_config: false }).await {
            Ok(rollback) => Ok(Some(rollback.id)),
            // The first release ever has nothing to go back to; it stays, and the run says that it was refused.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn redactor(&self, service: &Service, run: &Run) -> Result<Redactor> {
        let mut redactor = Redactor::default();
        if let Some(token) = self.source_access(&service.organization, &service.source).await?.token {
            redactor.add(&token);
        }
        let settings = self.store().environment(&service.id, run.environment).await?;
        let variables = service.containers.iter().flat_map(|container| container.variables.values()).chain(settings.variables.values());
        let named = variables.filter_map(Variable::secret);
        for id in named.chain(service.build.secrets.values()) {
            redactor.add(&self.store().secret(id).await?);
        }
        for registry in self.all_registry_access(&service.organization).await? {
            if let Some((user, password)) = &registry.credentials {
                redactor.add(password);
                // A registry's configuration has both in one base64 text.
                redactor.add(&format!("{user}:{}", password.expose_secret()).into());
            }
        }
        Ok(redactor)
    }
}

/// Only whole pipelines that were not given a commit follow a branch, so only they make an older one pointless.
fn supersedes(newer: &RunRequest, older: &RunRequest) -> bool {
    newer.kind() == RunKind::Pipeline && older.kind() == RunKind::Pipeline
}

async fn run_stages(context: &mut Context<'_>, mut signal: watch::Receiver<Signal>) -> Result<()> {
    for index in 0..context.run.stages.len() {
        let record = &mut context.run.stages[index];
        if matches!(record.status, StageStatus::Passed | StageStatus::Skipped) {
            continue;
        }
        let stage = record.stage;
        record.status = StageStatus::Running;
        record.started_at.get_or_insert_with(Timestamp::now);
        context.write().await?;
        context.events.stage(stage, StageStatus::Running, None).await;

        let outcome = tokio::select! {
            biased;
            stop = stopped(&mut signal) => Err(stop),
            outcome = stages::run(stage, context).instrument(tracing::info_span!("stage", name = stage.as_str())) => outcome,
        };
        if let Err(error) = &outcome
            && error.kind() == ErrorKind::LeaseLost
        {
            leave(context).await;
            return outcome.map(|_| ());
        }
        let outcome = match outcome {
            Err(error) => stages::clean_up(stage, context, error).await,
            ok => ok,
        };
        let record: &mut StageRecord = &mut context.run.stages[index];
        record.finished_at = Some(Timestamp::now());
        match outcome {
            Ok(output) => {
                let skipped = if let StageOutput::Nothing { reason } = &output { Some(reason.clone()) } else { None };
                record.status = if skipped.is_some() { StageStatus::Skipped } else { StageStatus::Passed };
                let status = record.status;
                record.output = Some(output);
                context.write().await?;
                context.events.stage(stage, status, skipped).await;
            }
            Err(error) => {
                record.status = StageStatus::Failed;
                context.write().await?;
                context.events.stage(stage, StageStatus::Failed, Some(error.message().to_owned())).await;
                return Err(error);
            }
        }
    }
    Ok(())
}

/// After the lease was lost. Whoever took it over removes what it finds when the run ends; what this worker made after that is nobody's.
async fn leave(context: &Context<'_>) {
    match context.kiwi.store().run(&context.run.id).await {
        Ok(Some(run)) if run.status.is_final() => stages::remove_tasks(context.kiwi, &context.service, &run.id).await,
        Ok(_) => {}
        Err(error) => tracing::warn!(error = %error.chain(), "whether the run has ended could not be read"),
    }
}

async fn stopped(signal: &mut watch::Receiver<Signal>) -> Error {
    loop {
        match *signal.borrow_and_update() {
            Signal::Cancel => return Error::new(ErrorKind::Cancelled, "run", "somebody cancelled the run"),
            Signal::Lost => return lost(),
            Signal::HandOver => return Error::new(ErrorKind::LeaseLost, "run", "this process ends, and another goes on with the run"),
            Signal::GoOn => {}
        }
        if signal.changed().await.is_err() {
            // The heartbeat ended without a word; without it there is no lease.
            return lost();
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::LeaseLost, "run", "another worker took this run over")
}

/// Renews the lease and listens for a cancellation, until told to stop.
async fn beat(kiwi: Kiwi, fence: Fence, tell: watch::Sender<Signal>) {
    let lease = kiwi.inner.lease;
    let mut held = tokio::time::Instant::now();
    let mut hand_over = kiwi.inner.hand_over.subscribe();
    loop {
        // Frequent looks keep a cancellation prompt; a renewal is one small write.
        tokio::select! {
            () = tokio::time::sleep((lease / 5).min(Duration::from_secs(1))) => {}
            _ = hand_over.wait_for(|stop| *stop) => {
                tell.send_replace(Signal::HandOver);
                // The lease is given back by whoever holds it, once it stopped.
                return;
            }
        }
        match kiwi.store().renew(&fence, lease).await {
            Ok(cancel) => {
                held = tokio::time::Instant::now();
                if cancel {
                    tell.send_replace(Signal::Cancel);
                }
            }
            Err(error) if error.kind() == ErrorKind::LeaseLost => {
                tell.send_replace(Signal::Lost);
                return;
            }
            Err(error) if held.elapsed() > lease => {
                tracing::warn!(error = %error.chain(), "the lease could not be renewed");
                tell.send_replace(Signal::Lost);
                return;
            }
            Err(_) => {}
        }
    }
}
