//! Why a run has not begun.

use super::{Kiwi, requests};
use crate::access::{Actor, Operation};
use crate::domain::{Run, RunId, RunStatus, RuntimeName, ServiceId};
use crate::error::Result;
use crate::provider::store::RunFilter;
use std::collections::{BTreeMap, BTreeSet};

impl Kiwi {
    /// What each of these runs waits for, in words; only those that wait are named.
    pub async fn waiting(&self, actor: &Actor, runs: &[Run]) -> Result<BTreeMap<RunId, String>> {
        actor.may(Operation::ReadRuns)?;
        if runs.iter().all(|run| run.status != RunStatus::Queued) {
            return Ok(BTreeMap::new());
        }
        let mut reasons = self.all_waiting(actor).await?;
        reasons.retain(|id, _| runs.iter().any(|run| run.id == *id && run.status == RunStatus::Queued));
        Ok(reasons)
    }

    /// The same of every run of the organization.
    pub async fn all_waiting(&self, actor: &Actor) -> Result<BTreeMap<RunId, String>> {
        actor.may(Operation::ReadRuns)?;
        let filter = RunFilter { unfinished: true, ..RunFilter::default() };
        let mut unfinished = self.store().runs(&actor.organization, &filter).await?;
        unfinished.reverse();
        let mut runtimes: BTreeMap<ServiceId, RuntimeName> = BTreeMap::new();
        for service in unfinished.iter().map(|run| run.service.clone()).collect::<BTreeSet<_>>() {
            if let Some(service) = self.store().service_by_id(&service).await? {
                runtimes.insert(service.id, service.build.runtime.unwrap_or(service.runtime));
            }
        }
        let (mut first, mut ahead): (BTreeMap<String, RunId>, BTreeMap<&RuntimeName, usize>) = Default::default();
        for run in unfinished.iter().filter(|run| run.status == RunStatus::Running) {
            if let Some(runtime) = runtimes.get(&run.service) {
                *ahead.entry(runtime).or_default() += 1;
            }
        }
        let mut reasons = BTreeMap::new();
        for run in &unfinished {
            let slot = requests::slot(run);
            let front = first.entry(slot).or_insert_with(|| run.id.clone()).clone();
            let (true, Some(runtime)) = (run.status == RunStatus::Queued, runtimes.get(&run.service)) else { continue };
            let before = ahead.entry(runtime).or_default();
            let reason = match *before {
                _ if front != run.id => format!("run {front} of the same service and environment comes first"),
                0 => "no worker has taken it yet; `kiwi serve` works runs, and so does `kiwi runs resume`".to_owned(),
                1 => format!("1 run ahead on runtime {runtime}"),
                count => format!("{count} runs ahead on runtime {runtime}"),
            };
            *before += 1;
            reasons.insert(run.id.clone(), reason);
        }
        Ok(reasons)
    }
}
