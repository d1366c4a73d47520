//! The pipeline on the reference providers: gates, order, cancellation and failures, with nothing real to wait for.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use futures_util::{FutureExt as _, TryStreamExt as _};
use kiwi_core::domain::{
    Coverage, DeploymentKind, EnvironmentName, EventBody, Finding, Gate, Run, RunRequest, RunStatus, RuntimeKind, RuntimeSettings, ScanKind, ScanReport,
    Service, Severity, Stage, StageStatus, TestSettings,
};
use kiwi_core::memory::{MemoryBuilder, MemoryConnector, MemoryRegistry, MemoryRuntime, MemoryScanner, MemorySource, MemoryStore};
use kiwi_core::pipeline::{KiwiBuilder, NewService, NewSource};
use kiwi_core::{Actor, Error, ErrorKind, Kiwi};
use std::sync::Arc;
use std::time::Duration;

const DEVELOPMENT: EnvironmentName = EnvironmentName::Development;

struct World {
    kiwi: Kiwi,
    actor: Actor,
    source: Arc<MemorySource>,
    builder: Arc<MemoryBuilder>,
    runtime: Arc<MemoryRuntime>,
    _work: tempfile::TempDir,
}

async fn world(with: impl FnOnce(KiwiBuilder) -> KiwiBuilder) -> World {
    let (source, builder, runtime) = (Arc::new(MemorySource::default()), Arc::new(MemoryBuilder::default()), Arc::new(MemoryRuntime::default()));
    let work = tempfile::tempdir().unwrap();
    let connector = MemoryConnector { runtime: runtime.clone(), builder: builder.clone() };
    let kiwi = Kiwi::builder(Arc::new(MemoryStore::default()), Arc::new(connector))
        .source(source.clone())
        .registry(Arc::new(MemoryRegistry::default()))
        .work_directory(work.path().to_owned());
    let kiwi = with(kiwi).open().await.unwrap();
    let world = World { kiwi, actor: Actor::local_admin(), source, builder, runtime, _work: work };
    world.push(1);
    let settings = RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } };
    world.kiwi.add_runtime(&world.actor, &settings).await.unwrap();
    let git = NewSource::Git { url: "https://git.example.com/a/shop".parse().unwrap(), branch: None, token: Some("t0k3n".to_owned().into()), ca: None };
    world.kiwi.register(&world.actor, NewService::new("shop".parse().unwrap(), git)).await.unwrap();
    world
}

impl World {
    fn push(&self, number: u32) {
        self.source.push("main".parse().unwrap(), format!("{number:040}").parse().unwrap());
    }

    async fn ask(&self, request: RunRequest) -> Run {
        self.kiwi.request(&self.actor, &"shop".parse().unwrap(), DEVELOPMENT, request).await.unwrap()
    }

    async fn run(&self, request: RunRequest) -> Run {
        let run = self.ask(request).await;
        self.kiwi.work(&self.actor, &run.id, |_| {}).await.unwrap()
    }
}

fn pipeline() -> RunRequest {
    RunRequest::Pipeline { commit: None }
}

fn scanner(kind: ScanKind, severity: Option<Severity>) -> Arc<MemoryScanner> {
    let finding = |severity| Finding::new(kind, "R1", severity, "weak", "fingerprint".parse().unwrap());
    let coverage = Coverage { read: vec!["all".into()], skipped: vec![] };
    Arc::new(MemoryScanner::new(kind, ScanReport { findings: severity.map(finding).into_iter().collect(), coverage, ..ScanReport::new("memory") }))
}

#[tokio::test]
async fn a_gate_stops_a_pipeline_before_anything_is_published() {
    let world = world(|builder| builder.gate(Gate::default()).scanner(scanner(ScanKind::Sast, Some(Severity::Critical)))).await;
    let run = world.run(pipeline()).await;
    assert_eq!(run.status, RunStatus::Failed);
    let failed = run.stages.iter().find(|record| record.status == StageStatus::Failed).unwrap();
    assert_eq!(failed.stage, Stage::Scan);
    assert!(run.stages.iter().all(|record| record.stage <= Stage::Scan || record.status == StageStatus::Pending));
    assert!(run.diagnosis.unwrap().cause.contains("R1"));
    assert!(world.runtime.applied().is_empty());
    let refused = world.run(RunRequest::Deploy { build: None }).await;
    assert_eq!(refused.status, RunStatus::Failed, "a build that the gate refused is never deployed");
}

#[tokio::test]
async fn a_candidate_is_looked_at_before_it_gets_traffic() {
    let bad = world(|builder| builder.gate(Gate::default()).scanner(scanner(ScanKind::Dast, Some(Severity::High)))).await;
    assert_eq!(bad.run(pipeline()).await.status, RunStatus::Failed);
    assert!(bad.runtime.applied().is_empty(), "a refusal means that the deployment never happens");
    let good = world(|builder| builder.gate(Gate::default()).scanner(scanner(ScanKind::Dast, None))).await;
    let run = good.run(pipeline()).await;
    assert_eq!((run.status, good.runtime.applied()), (RunStatus::Succeeded, vec![1]));
}

#[tokio::test]
async fn a_failed_deployment_leaves_the_old_one_live() {
    let world = world(|builder| builder).await;
    world.run(pipeline()).await;
    world.push(2);
    world.runtime.fail(Error::new(ErrorKind::Unhealthy, "start container", "it never answered").with_log(vec!["last words".into()]));
    let run = world.run(pipeline()).await;
    assert_eq!(run.status, RunStatus::Failed);
    let history = world.kiwi.history(&world.actor, &"shop".parse().unwrap(), DEVELOPMENT).await.unwrap();
    assert_eq!(history.iter().map(|deployment| (deployment.release.revision, deployment.status.as_str())).collect::<Vec<_>>(), [(2, "failed"), (1, "live")]);
    assert_eq!(history[0].diagnosis.as_ref().unwrap().log, ["last words"]);
    // The build was good: it can be deployed without building again.
    let builds = world.builder.builds();
    assert_eq!(world.run(RunRequest::Deploy { build: None }).await.status, RunStatus::Succeeded);
    assert_eq!(world.builder.builds(), builds);
}

#[tokio::test]
async fn a_newer_commit_supersedes_a_queued_older_one() {
    let world = world(|builder| builder).await;
    let first = world.ask(pipeline()).await;
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    world.push(2);
    let second = world.ask(pipeline()).await;
    let done = world.kiwi.work(&world.actor, &second.id, |_| {}).await.unwrap();
    assert_eq!(done.status, RunStatus::Succeeded);
    assert_eq!(world.kiwi.run(&world.actor, &first.id).await.unwrap().status, RunStatus::Superseded);
    assert_eq!(world.runtime.applied(), [1], "only the newer one was deployed");
}

#[tokio::test]
async fn a_rollback_brings_back_images_and_variables_and_changes_no_settings() {
    let world = world(|builder| builder).await;
    let name = "shop".parse().unwrap();
    world.run(pipeline()).await;
    let secrets = [("PASSWORD".parse().unwrap(), "second".to_owned().into())].into();
    world.kiwi.update_environment(&world.actor, &name, DEVELOPMENT, secrets, |_| Ok(())).await.unwrap();
    world.push(2);
    world.run(pipeline()).await;
    let back = world.run(RunRequest::Rollback { to: None, current_config: false }).await;
    assert_eq!(back.status, RunStatus::Succeeded);
    let history = world.kiwi.history(&world.actor, &name, DEVELOPMENT).await.unwrap();
    assert_eq!((history[0].kind, history[0].restores), (DeploymentKind::Rollback, Some(1)));
    assert_eq!(history[0].release.containers[0].image, history[2].release.containers[0].image);
    assert!(history[0].release.containers[0].variables.is_empty(), "variables are as released");
    assert_eq!(world.kiwi.environment(&world.actor, &name, DEVELOPMENT).await.unwrap().variables.len(), 1, "settings stay");
    let with_today = world.run(RunRequest::Rollback { to: Some(1), current_config: true }).await;
    assert_eq!(with_today.status, RunStatus::Succeeded);
    let live = &world.kiwi.history(&world.actor, &name, DEVELOPMENT).await.unwrap()[0];
    assert_eq!(live.release.containers[0].variables.len(), 1);
}

#[tokio::test]
async fn a_cancelled_run_deploys_nothing_and_a_failed_test_says_so() {
    let world = world(|builder| builder).await;
    let run = world.ask(pipeline()).await;
    world.kiwi.cancel(&world.actor, &run.id).await.unwrap();
    // The heartbeat brings the news; a slow build gives it the time.
    let run = world.kiwi.work(&world.actor, &run.id, |_| {}).await.unwrap();
    assert!(run.status.is_final());
    world
        .kiwi
        .update_service(&world.actor, &"shop".parse().unwrap(), |service| {
            service.build.test = Some(TestSettings::Command("false".into()));
            Ok(())
        })
        .await
        .unwrap();
    world.runtime.exit_tasks_with(1);
    world.push(3);
    let run = world.run(pipeline()).await;
    assert!(run.diagnosis.unwrap().cause.contains("exit code 1"));
}

#[tokio::test]
async fn whoever_finishes_the_run_of_a_lost_worker_removes_its_tasks() {
    let world = world(|builder| builder.lease(Duration::from_millis(300))).await;
    world.run(pipeline()).await;
    assert!(world.runtime.cancelled().is_empty());
    world.push(2);
    let run = world.ask(pipeline()).await;
    // Polled once: it has begun, and goes no further.
    assert!(world.kiwi.work(&world.actor, &run.id, |_| {}).now_or_never().is_none());
    assert_eq!(world.kiwi.run(&world.actor, &run.id).await.unwrap().status, RunStatus::Running);
    let run = world.kiwi.work(&world.actor, &run.id, |_| {}).await.unwrap();
    assert_eq!((run.status, world.runtime.cancelled()), (RunStatus::Succeeded, vec![run.id]));
}

#[tokio::test]
async fn events_replay_from_any_offset_and_hold_no_secret() {
    let world = world(|builder| builder).await;
    world.builder.fail(Error::new(ErrorKind::BuildFailed, "build image", "pushing with t0k3n failed"));
    let run = world.run(pipeline()).await;
    let all: Vec<_> = world.kiwi.events(&world.actor, &run.id, 0, true).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|event| event.sequence).collect::<Vec<_>>(), (0..all.len() as u64).collect::<Vec<_>>());
    assert!(matches!(all.last().unwrap().body, EventBody::Finished { status: RunStatus::Failed }));
    let tail: Vec<_> = world.kiwi.events(&world.actor, &run.id, 3, true).try_collect().await.unwrap();
    assert_eq!(tail, all[3..]);
    let text = serde_json::to_string(&(&all, &run)).unwrap();
    assert!(!text.contains("t0k3n") && text.contains("[redacted]"), "{text}");
}

#[tokio::test]
async fn members_do_what_the_table_says() {
    use kiwi_core::Role;
    let world = world(|builder| builder).await;
    let guest = Actor { name: "guest".into(), role: Role::Member { service: false }, ..Actor::local_admin() };
    let name = "shop".parse().unwrap();
    let refused = world.kiwi.request(&guest, &name, DEVELOPMENT, pipeline()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.hint()), (ErrorKind::Forbidden, "request service permission from your organization manager"));
    assert!(world.kiwi.services(&guest, None, 10).await.is_ok());
    let member = Actor::local_member();
    assert_eq!(world.kiwi.remove_runtime(&member, &"local".parse().unwrap()).await.unwrap_err().kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn nothing_is_registered_before_a_runtime_or_after_a_failed_check() {
    let source = Arc::new(MemorySource::default());
    let connector = MemoryConnector { runtime: Arc::new(MemoryRuntime::default()), builder: Arc::new(MemoryBuilder::default()) };
    let kiwi = Kiwi::builder(Arc::new(MemoryStore::default()), Arc::new(connector)).source(source.clone()).open().await.unwrap();
    let actor = Actor::local_admin();
    let new = || {
        let git = NewSource::Git { url: "https://git.example.com/a/shop".parse().unwrap(), branch: None, token: None, ca: None };
        NewService::new("shop".parse().unwrap(), git)
    };
    assert_eq!(kiwi.register(&actor, new()).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    kiwi.add_runtime(&actor, &RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } }).await.unwrap();
    assert_eq!(kiwi.register(&actor, new()).await.unwrap_err().kind(), ErrorKind::EmptyRepository);
    source.push("main".parse().unwrap(), format!("{:040}", 1).parse().unwrap());
    source.fail(Error::new(ErrorKind::Unauthenticated, "check source", "Authentication failed"));
    assert_eq!(kiwi.register(&actor, new()).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert!(kiwi.services(&actor, None, 10).await.unwrap().is_empty());
}

#[cfg(feature = "mock")]
#[tokio::test]
async fn a_platform_mocks_a_provider() {
    use kiwi_core::provider::{MockScanner, ScanTarget, Scanner as _};
    let mut scanner = MockScanner::new();
    scanner.expect_scan().returning(|_| Err(Error::new(ErrorKind::Unavailable, "scan", "no database")));
    assert_eq!(scanner.scan(&ScanTarget::Tree("/".into())).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_repository_without_a_dockerfile_is_planned_and_its_port_is_the_services() {
    let world = world(|builder| builder).await;
    let files = [("package.json", "{ \"main\": \"server.js\", \"dependencies\": { \"express\": \"5\" } }"), ("server.js", "app.listen(4000)")];
    world.source.set_files(files.map(|(name, content)| (name.to_owned(), content.to_owned())).into());
    let name = "shop".parse().unwrap();
    let test = |service: &mut Service| {
        service.build.test = Some(TestSettings::Command("npm test".into()));
        Ok(())
    };
    world.kiwi.update_service(&world.actor, &name, test).await.unwrap();
    let run = world.run(pipeline()).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{:?}", run.diagnosis);
    assert_eq!(world.builder.builds(), 2, "the image, and the stage in which its test runs");
    let service = world.kiwi.service(&world.actor, &name).await.unwrap();
    assert_eq!(service.containers[0].port.map(u16::from), Some(4000));
    world.source.set_files([("README.md".to_owned(), String::new())].into());
    world.push(2);
    let failed = world.run(pipeline()).await;
    assert_eq!(failed.status, RunStatus::Failed);
    assert!(failed.diagnosis.unwrap().cause.contains("shows what it is written in"));
}

#[tokio::test]
async fn each_environment_has_a_gate_and_only_an_admin_changes_it() {
    let world = world(|builder| builder.scanner(scanner(ScanKind::Sast, Some(Severity::High)))).await;
    let (name, admin) = ("shop".parse().unwrap(), &world.actor);
    // Development reports and goes on; what was found is in the run.
    let first = world.run(pipeline()).await;
    assert_eq!(first.status, RunStatus::Succeeded);
    let reports = world.kiwi.reports(admin, &first.id).await.unwrap();
    assert_eq!(reports.iter().map(|stage| (stage.stage, stage.reports[0].findings.len())).collect::<Vec<_>>(), [(Stage::Scan, 1)]);
    let (preset, chosen) = world.kiwi.gate(admin, &name, DEVELOPMENT).await.unwrap();
    assert!(preset.report_only && !chosen);
    assert!(!world.kiwi.gate(admin, &name, EnvironmentName::Production).await.unwrap().0.report_only);
    let member = Actor::local_member();
    assert_eq!(world.kiwi.set_gate(&member, &name, DEVELOPMENT, None).await.unwrap_err().kind(), ErrorKind::Forbidden);
    world.kiwi.set_gate(admin, &name, DEVELOPMENT, Some(Gate::default())).await.unwrap();
    world.push(2);
    let refused = world.run(pipeline()).await;
    assert_eq!(refused.status, RunStatus::Failed);
    assert!(refused.diagnosis.unwrap().cause.contains("development refused for 1 reasons"));
    // What the live release has too is let through when only what is new counts.
    world.kiwi.set_gate(admin, &name, DEVELOPMENT, Some(Gate { new_only: true, ..Gate::default() })).await.unwrap();
    world.push(3);
    assert_eq!(world.run(pipeline()).await.status, RunStatus::Succeeded);
    world.kiwi.set_gate(admin, &name, DEVELOPMENT, None).await.unwrap();
    assert_eq!(world.kiwi.gate(admin, &name, DEVELOPMENT).await.unwrap(), (preset, false));
}

#[tokio::test]
async fn a_scanner_without_a_report_vouches_for_nothing() {
    let broken = scanner(ScanKind::Sast, None);
    broken.fail(Error::new(ErrorKind::Unavailable, "scan", "the tool is gone"));
    let of = broken.clone();
    let strict = world(|builder| builder.gate(Gate::default()).scanner(of)).await;
    let run = strict.run(pipeline()).await;
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.diagnosis.unwrap().cause.contains("the tool is gone"));
    broken.fail(Error::new(ErrorKind::Unavailable, "scan", "the tool is gone"));
    let lenient = world(|builder| builder.gate(Gate { allow_incomplete: true, ..Gate::default() }).scanner(broken)).await;
    assert_eq!(lenient.run(pipeline()).await.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn where_a_refusal_is_only_reported_traffic_does_not_wait_for_a_candidate() {
    let world = world(|builder| builder.scanner(scanner(ScanKind::Dast, Some(Severity::High)))).await;
    let port = |service: &mut Service| {
        service.containers[0].port = Some("8080".parse()?);
        Ok(())
    };
    world.kiwi.update_service(&world.actor, &"shop".parse().unwrap(), port).await.unwrap();
    let run = world.run(pipeline()).await;
    assert_eq!((run.status, world.runtime.applied()), (RunStatus::Succeeded, vec![1]));
    let reports = world.kiwi.reports(&world.actor, &run.id).await.unwrap();
    assert_eq!(reports.iter().map(|stage| stage.stage).collect::<Vec<_>>(), [Stage::Dast]);
    let restart = world.run(RunRequest::Restart).await;
    assert!(world.kiwi.reports(&world.actor, &restart.id).await.unwrap().is_empty(), "a restart brings nothing new");
}

#[tokio::test]
async fn what_development_only_reported_is_refused_by_production() {
    let world = world(|builder| builder.scanner(scanner(ScanKind::Sast, Some(Severity::High)))).await;
    let name = "shop".parse().unwrap();
    let build = world.run(pipeline()).await;
    assert_eq!(build.status, RunStatus::Succeeded);
    let promote = async || {
        let request = RunRequest::Promotion { from: DEVELOPMENT };
        let run = world.kiwi.request(&world.actor, &name, EnvironmentName::Production, request).await.unwrap();
        world.kiwi.work(&world.actor, &run.id, |_| {}).await.unwrap()
    };
    let refused = promote().await;
    assert_eq!(refused.status, RunStatus::Failed);
    let diagnosis = refused.diagnosis.unwrap();
    assert!(diagnosis.cause.contains("the gate of production refused") && diagnosis.hint.contains(build.id.as_str()), "{diagnosis:?}");
    let gate = Gate { fail_on: Severity::Critical, ..Gate::default() };
    world.kiwi.set_gate(&world.actor, &name, EnvironmentName::Production, Some(gate)).await.unwrap();
    assert_eq!(promote().await.status, RunStatus::Succeeded);
}
