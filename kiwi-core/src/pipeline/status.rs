//! What runs, and its logs.

use super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{ContainerName, Deployment, EnvironmentName, ServiceName, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{BoxStream, LogLine, LogQuery, RuntimeStatus};
use crate::secret::Redactor;
use futures_util::{StreamExt as _, TryStreamExt as _};

/// A service in an environment, as the history and the runtime see it.
#[derive(Debug, Clone)]
pub struct ServiceStatus {
    /// What the history calls live.
    pub live: Option<Deployment>,
    /// What the runtime runs, with its drift from the live release; none when nothing was ever deployed.
    pub runtime: Option<RuntimeStatus>,
}

/// Which log lines.
#[derive(Debug, Clone, Default)]
pub struct LogSelection {
    /// Of one container; of all when absent.
    pub container: Option<ContainerName>,
    /// Whether to go on when the present end is reached.
    pub follow: bool,
    /// At most so many lines from the past, of each replica.
    pub tail: Option<u32>,
    /// Only lines after this time.
    pub since: Option<Timestamp>,
}

impl Kiwi {
    /// What is live, and how it differs from its release.
    pub async fn status(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<ServiceStatus> {
        let service = self.service(actor, name).await?;
        let live = self.store().live(&service.id, environment).await?;
        let Some(deployment) = &live else { return Ok(ServiceStatus { live, runtime: None }) };
        let runtime = self.open_runtime(actor, &deployment.release.runtime).await?;
        let status = runtime.status(&self.workload(&service, environment), Some(&deployment.release)).await?;
        Ok(ServiceStatus { live, runtime: Some(status) })
    }

    /// Log lines of what is live, with the release's secrets redacted.
    pub async fn logs(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, wanted: LogSelection) -> Result<BoxStream<Result<LogLine>>> {
        actor.may(Operation::ReadServices)?;
        let LogSelection { container, follow, tail, since } = wanted;
        let service = self.service(actor, name).await?;
        let Some(live) = self.store().live(&service.id, environment).await? else {
            return Ok(futures_util::stream::empty().boxed());
        };
        if let Some(wanted) = &container
            && !live.release.containers.iter().any(|known| known.name == *wanted)
        {
            let names: Vec<&str> = live.release.containers.iter().map(|known| known.name.as_str()).collect();
            return Err(Error::new(ErrorKind::NotFound, "read logs", format!("{name} has no container {wanted} in {environment}"))
                .with_hint(format!("its containers are {}", names.join(", "))));
        }
        let mut redactor = Redactor::default();
        for container in &live.release.containers {
            for variable in container.variables.values() {
                if let crate::domain::Variable::Secret(id) = variable {
                    redactor.add(&self.store().secret(id).await?);
                }
            }
        }
        let query = LogQuery { workload: self.workload(&service, environment), container, follow, tail, since };
        let lines = self.open_runtime(actor, &live.release.runtime).await?.logs(query);
        Ok(lines.map_ok(move |line| LogLine { line: redactor.redact(&super::events::printable(line.line.as_bytes())), ..line }).boxed())
    }
}
