//! What scans found, and what they let through.

use super::Facade;
use kiwi_core::access::Actor;
use kiwi_core::domain::{EnvironmentName, Gate, GateDecision, RunId, ScanReport, ServiceName, StageReports};
use kiwi_core::error::Result;
use kiwi_http::wire::GateOfEnvironment;

fn at(name: &ServiceName, environment: EnvironmentName) -> String {
    format!("/services/{name}/environments/{environment}/gate")
}

impl Facade {
    pub(crate) async fn gate(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<(Gate, bool)> {
        match self {
            Self::Embedded(kiwi) => kiwi.gate(actor, name, environment).await,
            Self::Remote(client) => {
                let GateOfEnvironment { gate, chosen } = client.get(&at(name, environment)).await?;
                Ok((gate, chosen))
            }
        }
    }

    pub(crate) async fn set_gate(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, gate: Option<Gate>) -> Result<()> {
        match (self, gate) {
            (Self::Embedded(kiwi), gate) => kiwi.set_gate(actor, name, environment, gate).await,
            (Self::Remote(client), Some(gate)) => client.put::<_, GateOfEnvironment>(&at(name, environment), &gate, None).await.map(|_| ()),
            (Self::Remote(client), None) => client.delete(&at(name, environment)).await.map(|_| ()),
        }
    }

    pub(crate) async fn reports(&self, actor: &Actor, run: &RunId) -> Result<Vec<StageReports>> {
        match self {
            Self::Embedded(kiwi) => kiwi.reports(actor, run).await,
            Self::Remote(client) => client.get(&format!("/runs/{run}/reports")).await,
        }
    }

    pub(crate) async fn scan_service(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<(Vec<ScanReport>, GateDecision)> {
        self.embedded()?.scan_service(actor, name, environment).await
    }
}
