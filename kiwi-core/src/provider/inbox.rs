//! What Auto CI must keep: deliveries with their decisions, and its settings with how far it came.

use crate::domain::{AutoCi, AutoCiState, CommitSha, Decision, Delivery, DeliveryId, OrganizationId, Run, ServiceId};
use crate::error::Result;
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// A decision, with all that becomes of it at once.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// About which delivery.
    pub delivery: DeliveryId,
    /// Of which service.
    pub service: ServiceId,
    /// What was decided.
    pub decision: Decision,
    /// What it changes beyond the delivery itself.
    pub turn: Option<Turn>,
}

/// A head that Auto CI turns to.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The version of the state that the decision was made on.
    pub version: u64,
    /// The head that is decided now.
    pub head: CommitSha,
    /// The run that delivers it, with its owner and slot.
    pub run: Option<(OrganizationId, String, Run)>,
}

/// Deliveries. Records and bodies are removed with their service.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Keeps a delivery with its raw body. Errors: `NotFound` when the service is gone.
    async fn insert_delivery(&self, delivery: &Delivery, body: &Bytes) -> Result<()>;
    /// One by id.
    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>>;
    /// The raw body of one.
    async fn delivery_body(&self, id: &DeliveryId) -> Result<Option<Bytes>>;
    /// At most `limit` of a service, newest first, before the id `before`.
    async fn deliveries<'a>(&self, service: &ServiceId, before: Option<&'a DeliveryId>, limit: u32) -> Result<Vec<Delivery>>;
    /// At most `limit` of a service that wait for a decision, oldest first.
    async fn undecided(&self, service: &ServiceId, limit: u32) -> Result<Vec<Delivery>>;
    /// The services, of every organization, that have such.
    async fn undecided_services(&self) -> Result<Vec<ServiceId>>;
    /// Decides a delivery, turns Auto CI to the new head and queues its run, all or nothing. `false`, and nothing done, when it was decided already.
    /// Errors: `NotFound`, `Conflict` when the state has another version by now.
    async fn decide(&self, judgement: &Judgement) -> Result<bool>;
    /// Removes decided deliveries of a service before an id; answers how many.
    async fn remove_deliveries(&self, service: &ServiceId, before: &DeliveryId) -> Result<u64>;
}

/// Auto CI of services.
#[async_trait]
pub trait AutoCiStore: Send + Sync {
    /// Switches it on, with this head as decided already, or replaces the settings and keeps the state. Errors: `NotFound` when the service is gone.
    async fn put_auto_ci<'a>(&self, settings: &AutoCi, head: Option<&'a CommitSha>) -> Result<()>;
    /// Settings and state.
    async fn auto_ci(&self, service: &ServiceId) -> Result<Option<(AutoCi, AutoCiState)>>;
    /// Switches it off. Errors: `NotFound`.
    async fn remove_auto_ci(&self, service: &ServiceId) -> Result<()>;
    /// At most `limit` services, of every organization, that are to be reconciled. Nobody else gets them for the time `hold`.
    async fn take_due(&self, hold: Duration, limit: u32) -> Result<Vec<AutoCi>>;
    /// Sets when a service is reconciled again, and how often that failed. A service that is gone is no error.
    async fn schedule(&self, service: &ServiceId, after: Duration, failures: u32) -> Result<()>;
}
