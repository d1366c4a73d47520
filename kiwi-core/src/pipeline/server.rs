//! What a server does beside answering: it decides deliveries, works runs of every organization, reconciles and tidies up.

use super::Kiwi;
use super::retention::Retention;
use crate::domain::{OrganizationId, Run, RunId, ServiceId};
use crate::error::ErrorKind;
use crate::provider::Fence;
use crate::provider::change::Change;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a delivery waits for company.
const GATHER: Duration = Duration::from_millis(5);
/// The pause after the first failure to decide a service's deliveries; it doubles up to [`LONGEST`].
const AGAIN: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// How often it is asked whose turn to be reconciled it is, and how many are taken at once.
const ROUND: Duration = Duration::from_secs(5);
const AT_ONCE: u32 = 4;
/// Nobody else reconciles a service for so long; a replica that dies in the middle delays it by that.
const HOLD: Duration = Duration::from_secs(120);

/// How a server works.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// How many runs this process works at once.
    pub runs: usize,
    /// How many runs all processes together work at once on one runtime.
    pub runs_per_runtime: u32,
    /// How often the head of every branch is looked at.
    pub reconcile: Duration,
    /// What is kept of finished runs and decided deliveries.
    pub retention: Retention,
}

impl Default for ServerOptions {
    /// 8 runs here, 4 on a runtime, a look every 10 minutes.
    fn default() -> Self {
        Self { runs: 8, runs_per_runtime: 4, reconcile: Duration::from_secs(600), retention: Retention::default() }
    }
}

impl Kiwi {
    /// Works until `stop` ends, then hands over: runs under way keep what they have, and their leases are given back, so that another process goes on with
    /// them at once. Any number of processes may do this on one store.
    pub async fn serve(&self, options: ServerOptions, stop: impl Future<Output = ()> + Send) {
        let (tell, stopped) = watch::channel(false);
        let work = async {
            tokio::join!(
                self.decide_always(stopped.clone()),
                self.work_always(&options, stopped.clone()),
                until(stopped.clone(), self.reconcile_always(options.reconcile)),
                until(stopped.clone(), self.tidy_always(&options.retention)),
            );
        };
        tokio::join!(work, async {
            stop.await;
            self.inner.hand_over.send_replace(true);
            tell.send_replace(true);
        });
    }

    /// Each service's deliveries are decided on their own, so that a host which does not answer delays nobody else's.
    async fn decide_always(&self, mut stopped: watch::Receiver<bool>) {
        let mut changes = self.store().changes();
        let mut deciding: JoinSet<(ServiceId, bool)> = JoinSet::new();
        let mut busy = BTreeSet::new();
        let mut failing: BTreeMap<ServiceId, (Instant, Duration)> = BTreeMap::new();
        while !*stopped.borrow() {
            match self.store().undecided_services().await {
                Ok(services) => {
                    failing.retain(|service, _| services.contains(service));
                    for service in services {
                        if failing.get(&service).is_none_or(|(until, _)| *until <= Instant::now()) && busy.insert(service.clone()) {
                            let kiwi = self.clone();
                            deciding.spawn(async move {
                                let decided = kiwi.decide_waiting(&service).await;
                                if let Err(error) = &decided {
                                    tracing::warn!(%service, error = %error.chain(), "deliveries wait to be decided");
                                }
                                (service, decided.is_ok())
                            });
                        }
                    }
                }
                Err(error) => tracing::warn!(error = %error.chain(), "the inbox could not be read"),
            }
            tokio::select! {
                _ = stopped.changed() => {}
                Some(done) = deciding.join_next() => {
                    let Ok((service, well)) = done else { continue };
                    busy.remove(&service);
                    if well {
                        failing.remove(&service);
                    } else {
                        let pause = failing.get(&service).map_or(AGAIN, |(_, pause)| (*pause * 2).min(LONGEST));
                        failing.insert(service, (Instant::now() + pause, pause));
                    }
                }
                // What comes together is decided together.
                () = changes.wait(|change| *change == Change::Delivery) => tokio::time::sleep(GATHER).await,
            }
        }
        // A decision is one transaction: what is under way ends by itself or not at all.
        deciding.shutdown().await;
    }

    async fn work_always(&self, options: &ServerOptions, mut stopped: watch::Receiver<bool>) {
        let mut changes = self.store().changes();
        let mut working: JoinSet<()> = JoinSet::new();
        while !*stopped.borrow() {
            let mut taken = false;
            if working.len() < options.runs {
                match self.store().take(&self.inner.owner, self.inner.lease, options.runs_per_runtime).await {
                    Ok(Some((organization, run, fence))) => {
                        taken = true;
                        let kiwi = self.clone();
                        working.spawn(async move { kiwi.work_taken(&organization, run, fence).await });
                    }
                    Ok(None) => {}
                    Err(error) => tracing::warn!(error = %error.chain(), "no run could be taken"),
                }
            }
            while working.try_join_next().is_some() {}
            if taken {
                continue;
            }
            tokio::select! {
                _ = stopped.changed() => {}
                Some(_) = working.join_next() => {}
                () = changes.wait(|change| matches!(change, Change::Run(_))) => {}
            }
        }
        while working.join_next().await.is_some() {}
    }

    async fn work_taken(&self, organization: &OrganizationId, run: Run, fence: Fence) {
        let id: RunId = run.id.clone();
        match self.work_held(organization, run, fence).await {
            Ok((finished, Some(ErrorKind::GateRefused))) => {
                if let Err(error) = self.roll_back_refused(&finished).await {
                    tracing::warn!(run = %id, error = %error.chain(), "a refused release could not be rolled back");
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::LeaseLost => tracing::info!(run = %id, "another worker goes on with this run"),
            Err(error) => tracing::warn!(run = %id, error = %error.chain(), "a run could not be worked"),
        }
    }

    async fn reconcile_always(&self, interval: Duration) {
        loop {
            let due = self.store().take_due(HOLD, AT_ONCE).await.unwrap_or_else(|error| {
                tracing::warn!(error = %error.chain(), "nothing could be reconciled");
                Vec::new()
            });
            let full = due.len() == AT_ONCE as usize;
            let mut looks = JoinSet::new();
            for settings in due {
                let kiwi = self.clone();
                looks.spawn(async move {
                    if let Err(error) = kiwi.reconcile_due(&settings, interval).await {
                        tracing::warn!(service = %settings.service, error = %error.chain(), "a service could not be reconciled; it is tried again later");
                    }
                });
            }
            while looks.join_next().await.is_some() {}
            if !full {
                tokio::time::sleep(ROUND.min(interval / 2)).await;
            }
        }
    }
}

/// Ends with the stop, wherever the work is.
async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}
