//! Scans.

use kiwi_core::domain::Gate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rule over scans of a service in an environment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GateOfEnvironment {
    /// The rule that holds.
    pub gate: Gate,
    /// Whether somebody chose it; else it is the platform's or the environment's preset.
    pub chosen: bool,
}
