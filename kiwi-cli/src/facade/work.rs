//! Runs, deployments and logs.

use super::follow::follow;
use super::{Client, Facade};
use futures_util::{StreamExt as _, TryStreamExt as _};
use kiwi_core::access::Actor;
use kiwi_core::domain::{Deployment, EnvironmentName, Event, EventBody, Release, Run, RunId, RunRequest, ServiceName};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::pipeline::{LogSelection, ServiceStatus};
use kiwi_core::provider::{BoxStream, DeploymentPlan, LogLine};
use kiwi_http::wire::{CreateRun, DeploymentPlanned, LogEntry, StatusReport};
use std::time::Duration;

/// How often a run is asked after.
const LOOK: Duration = Duration::from_millis(300);

fn at(name: &ServiceName, environment: EnvironmentName) -> String {
    format!("/services/{name}/environments/{environment}")
}

impl Facade {
    pub(crate) async fn request(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, request: RunRequest) -> Result<Run> {
        match self {
            Self::Embedded(kiwi) => kiwi.request(actor, name, environment, request).await,
            Self::Remote(client) => client.post(&format!("/services/{name}/runs"), &CreateRun { environment, request }).await,
        }
    }

    /// Works a run here, or waits until the server has.
    pub(crate) async fn work(&self, actor: &Actor, id: &RunId, waiting: impl Fn(String) + Send + Sync) -> Result<Run> {
        match self {
            Self::Embedded(kiwi) => kiwi.work(actor, id, waiting).await,
            Self::Remote(client) => finished(client, id).await,
        }
    }

    pub(crate) async fn run(&self, actor: &Actor, id: &RunId) -> Result<Run> {
        match self {
            Self::Embedded(kiwi) => kiwi.run(actor, id).await,
            Self::Remote(client) => client.get(&format!("/runs/{id}")).await,
        }
    }

    /// Runs, newest first, of one service or of all.
    pub(crate) async fn runs(&self, actor: &Actor, service: Option<&ServiceName>, limit: u32) -> Result<Vec<Run>> {
        match self {
            Self::Embedded(kiwi) => {
                let service = match service {
                    Some(name) => Some(kiwi.service(actor, name).await?.id),
                    None => None,
                };
                kiwi.runs(actor, &kiwi_core::provider::store::RunFilter { service, limit: Some(limit), ..Default::default() }).await
            }
            Self::Remote(client) => {
                let service = service.map(|name| format!("?service={name}")).unwrap_or_default();
                client.list(&format!("/runs{service}"), limit as usize).await
            }
        }
    }

    pub(crate) async fn cancel(&self, actor: &Actor, id: &RunId) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.cancel(actor, id).await,
            Self::Remote(client) => client.post(&format!("/runs/{id}/cancel"), &()).await.map(|_: Run| ()),
        }
    }

    pub(crate) fn events(&self, actor: &Actor, id: &RunId, sequence: u64, follow_on: bool) -> BoxStream<Result<Event>> {
        match self {
            Self::Embedded(kiwi) => kiwi.events(actor, id, sequence, follow_on),
            Self::Remote(client) if follow_on => {
                follow(client, format!("/runs/{id}/events?since={sequence}"), true, |event: &Event| matches!(event.body, EventBody::Finished { .. }))
            }
            Self::Remote(client) => pages(client.clone(), id.clone(), sequence),
        }
    }

    pub(crate) async fn history(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<Vec<Deployment>> {
        match self {
            Self::Embedded(kiwi) => kiwi.history(actor, name, environment).await,
            Self::Remote(client) => client.list(&format!("{}/deployments", at(name, environment)), usize::MAX).await,
        }
    }

    pub(crate) async fn deployment_of(&self, actor: &Actor, run: &Run) -> Result<Option<Deployment>> {
        match self {
            Self::Embedded(kiwi) => kiwi.deployment_of(actor, run).await,
            Self::Remote(client) => match client.get(&format!("/runs/{}/deployment", run.id)).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                found => found.map(Some),
            },
        }
    }

    pub(crate) async fn plan(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName, request: RunRequest) -> Result<(Release, DeploymentPlan)> {
        match self {
            Self::Embedded(kiwi) => kiwi.plan(actor, name, environment, request).await,
            Self::Remote(client) => {
                client.post(&format!("{}/plan", at(name, environment)), &request).await.map(|found: DeploymentPlanned| (found.release, found.plan))
            }
        }
    }

    pub(crate) async fn status(&self, actor: &Actor, name: &ServiceName, environment: EnvironmentName) -> Result<ServiceStatus> {
        match self {
            Self::Embedded(kiwi) => kiwi.status(actor, name, environment).await,
            Self::Remote(client) => {
                let report: StatusReport = client.get(&format!("{}/status", at(name, environment))).await?;
                Ok(ServiceStatus { live: report.live, runtime: report.runtime })
            }
        }
    }

    pub(crate) async fn logs(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        wanted: LogSelection,
    ) -> Result<BoxStream<Result<LogLine>>> {
        match self {
            Self::Embedded(kiwi) => kiwi.logs(actor, name, environment, wanted).await,
            Self::Remote(client) => {
                let LogSelection { container, follow: follow_on, tail, .. } = wanted;
                let container = container.map(|container| format!("&container={container}")).unwrap_or_default();
                let tail = tail.map(|tail| format!("&tail={tail}")).unwrap_or_default();
                let path = format!("{}/logs?follow={follow_on}{container}{tail}", at(name, environment));
                Ok(follow(client, path, follow_on, |_: &LogEntry| false).map_ok(LogLine::from).boxed())
            }
        }
    }
}

async fn finished(client: &Client, id: &RunId) -> Result<Run> {
    loop {
        match client.get::<Run>(&format!("/runs/{id}")).await {
            Ok(run) if run.status.is_final() => return Ok(run),
            Ok(_) => {}
            // The run goes on without whoever asks after it.
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn pages(client: Client, id: RunId, since: u64) -> BoxStream<Result<Event>> {
    let page = move |since: u64| {
        let (client, id) = (client.clone(), id.clone());
        async move {
            let events: Vec<Event> = client.get(&format!("/runs/{id}/events?since={since}")).await?;
            let Some(last) = events.last().map(|event| event.sequence) else { return Ok::<_, Error>(None) };
            Ok(Some((futures_util::stream::iter(events.into_iter().map(Ok)), last + 1)))
        }
    };
    futures_util::stream::try_unfold(since, page).try_flatten().boxed()
}
