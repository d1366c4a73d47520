//! Deliveries and Auto CI in the reference store.

use super::{MemoryStore, lock};
use crate::domain::{AutoCi, AutoCiState, CommitSha, Delivery, DeliveryId, ServiceId, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::change::Change;
use crate::provider::store::{AutoCiStore, DeliveryStore, Judgement};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::Duration;

fn missing(operation: &'static str, id: &impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, operation, format!("{id} does not exist"))
}

#[async_trait]
impl DeliveryStore for MemoryStore {
    async fn insert_delivery(&self, delivery: &Delivery, body: &Bytes) -> Result<()> {
        let mut state = lock(&self.state);
        if !state.services.contains_key(&delivery.service) {
            return Err(missing("keep delivery", &delivery.service));
        }
        state.deliveries.insert(delivery.id.clone(), (delivery.clone(), body.clone()));
        self.announcer.tell(Change::Delivery);
        Ok(())
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>> {
        Ok(lock(&self.state).deliveries.get(id).map(|(delivery, _)| delivery.clone()))
    }

    async fn delivery_body(&self, id: &DeliveryId) -> Result<Option<Bytes>> {
        Ok(lock(&self.state).deliveries.get(id).map(|(_, body)| body.clone()))
    }

    async fn deliveries<'a>(&self, service: &ServiceId, before: Option<&'a DeliveryId>, limit: u32) -> Result<Vec<Delivery>> {
        let state = lock(&self.state);
        let ours = state.deliveries.values().rev().map(|(delivery, _)| delivery);
        let ours = ours.filter(|delivery| delivery.service == *service && before.is_none_or(|before| delivery.id < *before));
        Ok(ours.take(limit as usize).cloned().collect())
    }

    async fn undecided(&self, service: &ServiceId, limit: u32) -> Result<Vec<Delivery>> {
        let state = lock(&self.state);
        let waiting = state.deliveries.values().map(|(delivery, _)| delivery).filter(|delivery| delivery.decision.is_none() && delivery.service == *service);
        Ok(waiting.take(limit as usize).cloned().collect())
    }

    async fn undecided_services(&self) -> Result<Vec<ServiceId>> {
        let state = lock(&self.state);
        let waiting = state.deliveries.values().map(|(delivery, _)| delivery).filter(|delivery| delivery.decision.is_none());
        Ok(waiting.map(|delivery| delivery.service.clone()).collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn decide(&self, judgement: &Judgement) -> Result<bool> {
        let mut state = lock(&self.state);
        let waits = state.deliveries.get(&judgement.delivery).ok_or_else(|| missing("decide delivery", &judgement.delivery))?.0.decision.is_none();
        if !waits {
            return Ok(false);
        }
        if let Some(turn) = &judgement.turn {
            let (_, auto_ci) = state.auto_ci.get_mut(&judgement.service).ok_or_else(|| missing("decide delivery", &judgement.service))?;
            if auto_ci.version != turn.version {
                return Err(Error::new(ErrorKind::Conflict, "decide delivery", "another delivery of the service was decided meanwhile"));
            }
            auto_ci.version += 1;
            auto_ci.head = Some(turn.head.clone());
            auto_ci.run = turn.run.as_ref().map(|(_, _, run)| run.id.clone());
            if let Some((organization, slot, run)) = &turn.run {
                state.runs.insert(run.id.clone(), (organization.clone(), slot.clone(), run.clone()));
                self.announcer.tell(Change::Run(run.id.clone()));
            }
        }
        if let Some((delivery, _)) = state.deliveries.get_mut(&judgement.delivery) {
            delivery.decision = Some(judgement.decision.clone());
        }
        Ok(true)
    }

    async fn remove_deliveries(&self, service: &ServiceId, before: &DeliveryId) -> Result<u64> {
        let mut state = lock(&self.state);
        let count = state.deliveries.len();
        state.deliveries.retain(|id, (delivery, _)| delivery.service != *service || delivery.decision.is_none() || id >= before);
        Ok((count - state.deliveries.len()) as u64)
    }
}

#[async_trait]
impl AutoCiStore for MemoryStore {
    async fn put_auto_ci<'a>(&self, settings: &AutoCi, head: Option<&'a CommitSha>) -> Result<()> {
        let mut state = lock(&self.state);
        if !state.services.contains_key(&settings.service) {
            return Err(missing("enable Auto CI", &settings.service));
        }
        let new = || (settings.clone(), AutoCiState { version: 0, head: head.cloned(), run: None, failures: 0, due: Timestamp::now() });
        state.auto_ci.entry(settings.service.clone()).and_modify(|(kept, _)| *kept = settings.clone()).or_insert_with(new);
        Ok(())
    }

    async fn auto_ci(&self, service: &ServiceId) -> Result<Option<(AutoCi, AutoCiState)>> {
        Ok(lock(&self.state).auto_ci.get(service).cloned())
    }

    async fn remove_auto_ci(&self, service: &ServiceId) -> Result<()> {
        lock(&self.state).auto_ci.remove(service).map(|_| ()).ok_or_else(|| missing("disable Auto CI", service))
    }

    async fn take_due(&self, hold: Duration, limit: u32) -> Result<Vec<AutoCi>> {
        let (mut state, now) = (lock(&self.state), Timestamp::now());
        let mut due: Vec<_> = state.auto_ci.values_mut().filter(|(_, state)| state.due <= now).collect();
        due.sort_by_key(|(_, state)| state.due);
        let take = |(settings, state): &mut (AutoCi, AutoCiState)| {
            state.due = now.after(hold);
            settings.clone()
        };
        Ok(due.into_iter().take(limit as usize).map(take).collect())
    }

    async fn schedule(&self, service: &ServiceId, after: Duration, failures: u32) -> Result<()> {
        if let Some((_, state)) = lock(&self.state).auto_ci.get_mut(service) {
            (state.due, state.failures) = (Timestamp::now().after(after), failures);
        }
        Ok(())
    }
}
