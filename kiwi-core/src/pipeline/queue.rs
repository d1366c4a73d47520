//! Working whatever is asked for, of every organization, as a server does.

use super::Kiwi;
use crate::access::Actor;
use crate::domain::{OrganizationId, RunId};
use crate::error::Result;
use crate::provider::change::Change;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long to wait after the store failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

impl Kiwi {
    /// Works queued runs, and those whose worker died, at most `limit` at a time, until [`hand_over`](Self::hand_over). Several processes on one
    /// store share the work.
    pub async fn work_queue(&self, limit: usize) {
        let mut stop = self.inner.handing_over.subscribe();
        let mut changes = self.store().changes();
        let mut working = JoinSet::new();
        let mut busy: BTreeSet<RunId> = BTreeSet::new();
        if let Err(error) = self.sweep_work_directory().await {
            tracing::warn!(error = %error.chain(), "the work directory could not be swept");
        }
        while !*stop.borrow_and_update() {
            if working.len() < limit {
                match self.store().heads().await {
                    Ok(heads) => {
                        for (organization, id) in heads {
                            if working.len() < limit && busy.insert(id.clone()) {
                                working.spawn(self.clone().take_up(organization, id));
                            }
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = %error.chain(), "the queue could not be read");
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                }
            }
            tokio::select! {
                () = changes.wait(|change| !matches!(change, Change::Events(_))) => {}
                Some(done) = working.join_next(), if !working.is_empty() => {
                    if let Ok(id) = done {
                        busy.remove(&id);
                    }
                }
                _ = stop.changed() => {}
            }
            while let Some(done) = working.try_join_next() {
                if let Ok(id) = done {
                    busy.remove(&id);
                }
            }
        }
        while working.join_next().await.is_some() {}
    }

    /// Ends every work on runs soon, without undoing anything: their leases are given back, so that another process goes on where this one was.
    pub fn hand_over(&self) {
        self.inner.handing_over.send_replace(true);
    }

    /// One attempt at a run; somebody else may hold it.
    async fn take_up(self, organization: OrganizationId, id: RunId) -> RunId {
        let actor = Actor { organization, ..Actor::local_admin() };
        match self.work_head(&actor, &id).await {
            Ok(()) => {}
            Err(error) if *self.inner.handing_over.borrow() => tracing::debug!(run = %id, error = %error.chain(), "handed over"),
            Err(error) => {
                tracing::warn!(run = %id, error = %error.chain(), "a run could not be worked");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        id
    }

    async fn work_head(&self, actor: &Actor, id: &RunId) -> Result<()> {
        let Some(slot) = self.store().slot(id).await? else { return Ok(()) };
        self.try_first(actor, &slot).await.map(|_| ())
    }
}
