//! What every request passes before and after its handler.

pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod idempotency;
pub(crate) mod limits;
pub(crate) mod throttle;
