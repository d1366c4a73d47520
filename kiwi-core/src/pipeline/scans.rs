//! What scans found, and what they let through.

use super::Kiwi;
use super::stages::scan::{accepted, report_of};
use crate::access::{Actor, Operation};
use crate::domain::{
    Baseline, EnvironmentName, EnvironmentSettings, Gate, GateDecision, RunId, ScanReport, Service, ServiceName, Source, StageReports, Timestamp,
};
use crate::error::{Error, Result};
use crate::provider::ScanTarget;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use url::Url;

impl Kiwi {
    /// The rule over scans of a service in an environment, and whether somebody chose it.
    pub async fn gate(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<(Gate, bool)> {
        actor.may(Operation::ReadServices)?;
        let service = self.service(actor, name).await?;
        let settings = self.store().environment(&service.id, environment).await?;
        Ok((self.effective_gate(&settings), settings.gate.is_some()))
    }

    /// Chooses the rule over scans, or goes back to what holds when nobody chose. It holds from the next run on.
    pub async fn set_gate(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, gate: Option<Gate>) -> Result<()> {
        actor.may(Operation::ChangeGates)?;
        self.update_environment(actor, name, environment, BTreeMap::new(), |settings| {
            settings.gate = gate;
            Ok(())
        })
        .await
        .map(|_| ())
    }

    /// What the scanners of a run said, in the order of its stages.
    pub async fn reports(&self, actor: &Actor, run: &RunId) -> Result<Vec<StageReports>> {
        let run = self.run(actor, run).await?;
        self.store().reports(&run.id).await
    }

    /// Looks at a service as it is now: the tree at the head of its branch, and what is live. Nothing is built, deployed or recorded.
    pub async fn scan_service(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<(Vec<ScanReport>, GateDecision)> {
        actor.may(Operation::Build)?;
        let service = self.service(actor, name).await?;
        let mut reports = Vec::new();
        if matches!(service.source, Source::Git { .. }) {
            // A folder of its own, as a run's.
            let folder = RunId::generate();
            let looked = self.look_at_head(&service, &folder, &mut reports).await;
            self.remove_run_folder(&folder).await?;
            looked?;
        }
        for url in self.live_urls(actor, &service, environment).await? {
            self.look_at(&ScanTarget::Url(url), &mut reports).await?;
        }
        if reports.is_empty() {
            return Err(Error::invalid("scan service", "there is nothing to look at: the service has no source that a scanner reads, and nothing is live"));
        }
        let settings = self.store().environment(&service.id, environment).await?;
        let decision = self.effective_gate(&settings).decide(&reports, &Baseline::new());
        Ok((reports, decision))
    }

    async fn look_at_head(&self, service: &Service, folder: &RunId, reports: &mut Vec<ScanReport>) -> Result<()> {
        let Source::Git { branch, .. } = &service.source else { return Ok(()) };
        let commit = self.resolve_head(&mut service.clone(), branch).await?;
        let access = self.source_access(&service.organization, &service.source).await?;
        let into = self.new_tree(folder).await?;
        let mut fetch = self.source_for(&service.source)?.open(&service.source, &commit, &access, into);
        while let Some(event) = fetch.next().await {
            event?;
        }
        let tree = self.keep_tree(folder).await?;
        let exceptions = accepted(&tree).await?;
        self.look_at(&ScanTarget::Tree(tree), reports).await?;
        exceptions.apply(reports, Timestamp::now());
        Ok(())
    }

    /// The addresses at which a service answers now.
    pub(super) async fn live_urls(&self, actor: &Actor, service: &Service, environment: EnvironmentName) -> Result<Vec<Url>> {
        let Some(live) = self.store().live(&service.id, environment).await? else { return Ok(Vec::new()) };
        let runtime = self.open_runtime(actor, &live.release.runtime).await?;
        let status = runtime.status(&self.workload(service, environment), None).await?;
        Ok(status.endpoints.iter().flat_map(|endpoint| &endpoint.urls).filter_map(|url| url.parse().ok()).collect())
    }

    async fn look_at(&self, target: &ScanTarget, reports: &mut Vec<ScanReport>) -> Result<()> {
        for scanner in self.inner.scanners.iter().filter(|scanner| scanner.supports(target)) {
            reports.push(report_of(&**scanner, target).await?);
        }
        Ok(())
    }

    /// What was chosen for the environment, else what the platform set, else the preset.
    pub(super) fn effective_gate(&self, settings: &EnvironmentSettings) -> Gate {
        settings.gate.clone().or_else(|| self.inner.gate.clone()).unwrap_or_else(|| settings.environment.gate())
    }
}
