//! From what was asked to the release that is deployed.

use super::Kiwi;
use crate::access::Actor;
use crate::domain::{
    ContainerName, Deployment, DeploymentKind, DeploymentStatus, Digest, EnvironmentName, EnvironmentSettings, ImagePin, Release, ReleaseContainer, Replicas,
    Rollout, Run, RunId, RunRequest, RunStatus, Service, ServiceId, Source, StageOutput, Timestamp, Variable,
};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::store::RunFilter;
use crate::provider::{ApplyRequest, Fence, SecretValues};
use std::collections::{BTreeMap, BTreeSet};

/// The images of a release and where they came from.
pub(super) struct Images {
    pins: BTreeMap<ContainerName, ImagePin>,
    commit: Option<crate::domain::CommitSha>,
    built_by: Option<RunId>,
}

impl Kiwi {
    /// The deployment that `run` asks for, before it has a revision.
    pub(super) async fn compose(&self, run: &Run, service: &Service) -> Result<Deployment> {
        let settings = self.store().environment(&service.id, run.environment).await?;
        let (kind, release, restores) = match &run.request {
            RunRequest::Pipeline { .. } | RunRequest::Build { .. } => (DeploymentKind::Deploy, release(service, &settings, built_images(service, run)?)?, None),
            RunRequest::Deploy { .. } if matches!(service.source, Source::Images(_)) => {
                let runtime = settings.runtime.as_ref().unwrap_or(&service.runtime);
                let images = Images { pins: self.pin_service_images(service, runtime).await?, commit: None, built_by: None };
                (DeploymentKind::Deploy, release(service, &settings, images)?, None)
            }
            RunRequest::Deploy { build } => {
                let build = self.choose_build(service, build.as_ref()).await?;
                (DeploymentKind::Deploy, release(service, &settings, built_images(service, &build)?)?, None)
            }
            RunRequest::Promotion { from } => {
                let live = self.require_live(service, *from).await?;
                (DeploymentKind::Promotion, release(service, &settings, released_images(&live.release))?, None)
            }
            RunRequest::Rollback { to, current_config } => {
                let target = self.rollback_target(service, run.environment, *to).await?;
                let revision = target.release.revision;
                let release = if *current_config { release(service, &settings, released_images(&target.release))? } else { target.release };
                (DeploymentKind::Rollback, release, Some(revision))
            }
            RunRequest::Restart => (DeploymentKind::Restart, self.require_live(service, run.environment).await?.release, None),
            RunRequest::Scale => {
                let mut release = self.require_live(service, run.environment).await?.release;
                for container in release.containers.iter_mut().filter(|container| container.volumes.is_empty()) {
                    container.replicas = settings.effective_replicas();
                }
                (DeploymentKind::Scale, release, None)
            }
            RunRequest::Config => {
                let live = self.require_live(service, run.environment).await?;
                (DeploymentKind::Config, release(service, &settings, released_images(&live.release))?, None)
            }
        };
        let now = Timestamp::now();
        Ok(Deployment {
            release: Release { revision: 0, created_at: now, ..release },
            kind,
            status: DeploymentStatus::Running,
            run: run.id.clone(),
            restores,
            actor: run.actor.clone(),
            started_at: now,
            live_at: None,
            finished_at: None,
            diagnosis: None,
        })
    }

    pub(super) async fn require_live(&self, service: &Service, environment: EnvironmentName) -> Result<Deployment> {
        let nothing = || {
            let next = if matches!(service.source, Source::Images(_)) { "deploy" } else { "run" };
            Error::new(ErrorKind::NotFound, "find release", format!("{} is not live in {environment}", service.name))
                .with_hint(format!("deploy it first with `kiwi {next} {}`", service.name))
        };
        self.store().live(&service.id, environment).await?.ok_or_else(nothing)
    }

    pub(super) async fn choose_build(&self, service: &Service, wanted: Option<&RunId>) -> Result<Run> {
        let fail =
            |message: String| Error::new(ErrorKind::NotFound, "choose build", message).with_hint(format!("build one with `kiwi build {}`", service.name));
        if let Some(id) = wanted {
            let run = self.store().run(id).await?.filter(|run| run.service == service.id).ok_or_else(|| fail(format!("{} has no build {id}", service.name)))?;
            return if is_passed_build(&run) { Ok(run) } else { Err(fail(format!("build {id} did not pass scan and test"))) };
        }
        let filter = RunFilter { service: Some(service.id.clone()), ..RunFilter::default() };
        let runs = self.store().runs(&service.organization, &filter).await?;
        runs.into_iter().find(is_passed_build).ok_or_else(|| fail(format!("{} has no build that passed scan and test", service.name)))
    }

    /// Everything the runtime needs for a release. Credentials are looked up now, also for a rollback.
    pub(super) async fn apply_request(&self, service: &Service, deployment: &Deployment, run: &RunId, fence: &Fence) -> Result<ApplyRequest> {
        let release = deployment.release.clone();
        let mut secrets = SecretValues::new();
        for container in &release.containers {
            for variable in container.variables.values() {
                if let Variable::Secret(id) = variable {
                    secrets.insert(id.clone(), self.store().secret(id).await?);
                }
            }
        }
        Ok(ApplyRequest {
            workload: self.workload(service, release.environment),
            release,
            run: run.clone(),
            secrets,
            registries: self.all_registry_access(&service.organization).await?,
            fence: fence.clone(),
            fresh: deployment.kind == DeploymentKind::Restart,
        })
    }

    /// Images that the history of a service, or its newest build, may still need.
    pub(super) async fn needed_images(&self, service: &ServiceId) -> Result<BTreeSet<Digest>> {
        let mut images = BTreeSet::new();
        for environment in EnvironmentName::ALL {
            for deployment in self.store().deployments(service, environment, u32::MAX).await? {
                let offered = deployment.live_at.is_some() || deployment.status == DeploymentStatus::Running;
                images.extend(deployment.release.containers.iter().filter(|_| offered).map(|container| container.image.digest().clone()));
            }
        }
        let Some(service) = self.store().service_by_id(service).await? else { return Ok(images) };
        let filter = RunFilter { service: Some(service.id.clone()), ..RunFilter::default() };
        let newest = self.store().runs(&service.organization, &filter).await?.into_iter().find(is_passed_build);
        images.extend(newest.iter().filter_map(published_image).map(|image| image.digest().clone()));
        Ok(images)
    }

    pub(super) fn local_actor(service: &Service) -> Actor {
        Actor { organization: service.organization.clone(), ..Actor::local_admin() }
    }
}

fn is_passed_build(run: &Run) -> bool {
    // A pipeline whose deployment failed still left a good build.
    (run.status.is_final() || run.status == RunStatus::Running) && published_image(run).is_some()
}

/// The image of a run that passed every stage up to publish.
pub(super) fn published_image(run: &Run) -> Option<&ImagePin> {
    run.stages.iter().find_map(|record| match &record.output {
        Some(StageOutput::Publish { image }) => Some(image),
        _ => None,
    })
}

fn built_images(service: &Service, run: &Run) -> Result<Images> {
    let image = published_image(run).ok_or_else(|| Error::new(ErrorKind::Internal, "compose release", format!("run {} published no image", run.id)))?;
    let commit = run.stages.iter().find_map(|record| match &record.output {
        Some(StageOutput::Fetch { commit, .. }) => Some(commit.clone()),
        _ => None,
    });
    let pins = service.containers.iter().map(|container| (container.name.clone(), image.clone())).collect();
    Ok(Images { pins, commit, built_by: Some(run.id.clone()) })
}

fn released_images(release: &Release) -> Images {
    let pins = release.containers.iter().map(|container| (container.name.clone(), container.image.clone())).collect();
    Images { pins, commit: release.commit.clone(), built_by: release.built_by.clone() }
}

/// Joins images with today's settings.
fn release(service: &Service, settings: &EnvironmentSettings, images: Images) -> Result<Release> {
    let mut containers = Vec::new();
    for spec in &service.containers {
        let no_image = || Error::new(ErrorKind::NotFound, "compose release", format!("the release has no image for container {}", spec.name));
        let mut variables = spec.variables.clone();
        variables.extend(settings.variables.clone());
        let replicas = spec.replicas.unwrap_or_else(|| settings.effective_replicas());
        containers.push(ReleaseContainer {
            name: spec.name.clone(),
            image: images.pins.get(&spec.name).cloned().ok_or_else(no_image)?,
            port: spec.port,
            protocol: spec.protocol,
            health: spec.health.clone(),
            variables,
            volumes: spec.volumes.clone(),
            ingress_path: spec.ingress_path.clone(),
            is_internal: spec.is_internal,
            host: spec.host.clone(),
            publish: spec.publish,
            replicas: if spec.volumes.is_empty() { replicas } else { Replicas::ONE },
            resources: settings.effective_resources(),
        });
    }
    Ok(Release {
        service: service.id.clone(),
        service_name: service.name.clone(),
        organization: service.organization.clone(),
        environment: settings.environment,
        revision: 0,
        commit: images.commit,
        built_by: images.built_by,
        runtime: settings.runtime.clone().unwrap_or_else(|| service.runtime.clone()),
        namespace: settings.namespace.clone(),
        containers,
        release_command: service.release_command.clone(),
        rollout: Rollout {
            strategy: service.strategy,
            drain_seconds: service.drain_seconds,
            stop_seconds: service.stop_seconds,
            start_seconds: service.start_seconds,
        },
        created_at: Timestamp::now(),
    })
}
