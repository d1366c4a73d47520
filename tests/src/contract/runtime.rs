//! The contract of [`Runtime`], for one that declares releases and tasks.

use futures_util::StreamExt as _;
use kiwi_core::domain::{
    EnvironmentName, ImagePin, LogStream, Protocol, Release, ReleaseContainer, Replicas, Rollout, RunId, ServiceId, Strategy, Timestamp, Variables,
};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{
    Aborted, ApplyRequest, DeploymentEvent, Endpoint, Fence, Guarantee, RegistryAccess, Runtime, RuntimeStatus, SecretValues, TarStream, TaskEvent, TaskInput,
    TaskRequest, Workload,
};

/// What the suite runs with: an image that listens on 8080, and one run of `sh` in it.
pub struct Fixture<'a> {
    /// The runtime.
    pub runtime: &'a dyn Runtime,
    /// An image whose program listens on port 8080.
    pub image: ImagePin,
    /// Whether tasks really run; a reference implementation only says how they end.
    pub real: bool,
    /// Whether a task's two streams arrive apart; a cluster mixes them.
    pub streams: bool,
    /// Credentials for the image's registry.
    pub registries: Vec<RegistryAccess>,
}

/// Every rule.
pub async fn all(fixture: &Fixture<'_>) {
    let report = fixture.runtime.check().await.unwrap();
    assert!(report.ok(), "{report:?}");
    deployments(fixture).await;
    fencing(fixture).await;
    tasks(fixture).await;
}

/// A request for a release of one container that answers at `/`, routed by a host of its own.
pub fn request(fixture: &Fixture<'_>, workload: &Workload, revision: u64, epoch: u64) -> ApplyRequest {
    let name = workload.name.as_str().parse().unwrap();
    let container = ReleaseContainer {
        name,
        image: fixture.image.clone(),
        port: Some(8080.try_into().unwrap()),
        protocol: Protocol::Http,
        health: Some("/".parse().unwrap()),
        variables: Variables::new(),
        volumes: Vec::new(),
        ingress_path: Some("/".parse().unwrap()),
        is_internal: false,
        host: Some(format!("{}.example.com", workload.name).parse().unwrap()),
        publish: None,
        replicas: Replicas::ONE,
        resources: EnvironmentName::Development.resources(),
    };
    ApplyRequest {
        workload: workload.clone(),
        release: Release {
            service: workload.service.clone(),
            service_name: workload.name.clone(),
            organization: Default::default(),
            environment: workload.environment,
            revision,
            commit: None,
            built_by: None,
            runtime: "local".parse().unwrap(),
            namespace: None,
            containers: vec![container],
            release_command: None,
            rollout: Rollout { strategy: Strategy::Rolling, drain_seconds: 5, stop_seconds: 2, start_seconds: 10 },
            created_at: Timestamp::now(),
        },
        run: RunId::generate(),
        secrets: SecretValues::new(),
        registries: fixture.registries.clone(),
        fence: Fence { slot: "contract".into(), owner: format!("owner-{epoch}"), epoch },
        fresh: true,
    }
}

/// A workload that no other test has.
pub fn workload() -> Workload {
    let id = ServiceId::generate();
    let name = format!("contract-{}", &id.as_str()[18..]);
    Workload { installation: "contract".into(), service: id, name: name.parse().unwrap(), environment: EnvironmentName::Development }
}

/// Applies to the end; where it answers then.
pub async fn apply(runtime: &dyn Runtime, request: ApplyRequest) -> Result<Vec<Endpoint>, Error> {
    let mut stream = runtime.apply(request);
    let (mut live, mut done) = (None, false);
    while let Some(event) = stream.next().await {
        match event? {
            DeploymentEvent::Live(endpoints) => live = Some(endpoints),
            DeploymentEvent::Done => {
                assert!(live.is_some(), "done comes after live");
                done = true;
            }
            _ => {}
        }
    }
    assert!(done, "a stream without an error ends with done");
    Ok(live.unwrap())
}

fn routed(status: &RuntimeStatus) -> usize {
    status.containers.iter().filter(|replica| replica.routed).count()
}

async fn deployments(fixture: &Fixture<'_>) {
    let (runtime, workload) = (fixture.runtime, workload());
    let first = request(fixture, &workload, 1, 1);
    let plan = runtime.plan(&first).await.unwrap();
    assert_eq!(plan.containers[0].guarantee, Guarantee::ZeroDowntime);
    assert_eq!(runtime.status(&workload, None).await.unwrap().revision, None, "a plan starts nothing");

    let endpoints = apply(runtime, first.clone()).await.unwrap();
    assert!(!endpoints[0].urls.is_empty());
    assert_eq!(apply(runtime, first.clone()).await.unwrap(), endpoints, "a repeated apply changes nothing");
    let status = runtime.status(&workload, Some(&first.release)).await.unwrap();
    assert_eq!((status.revision, status.drift.len(), routed(&status)), (Some(1), 0, 1), "{status:?}");

    let mut second = request(fixture, &workload, 2, 2);
    second.release.containers[0].replicas = Replicas::TWO;
    assert_eq!(apply(runtime, second.clone()).await.unwrap(), endpoints, "a service keeps its address");
    let status = runtime.status(&workload, Some(&second.release)).await.unwrap();
    assert_eq!((status.revision, routed(&status)), (Some(2), 2), "{status:?}");
    assert!(!runtime.status(&workload, Some(&first.release)).await.unwrap().drift.is_empty(), "what runs differs from revision 1");

    assert_eq!(runtime.abort(&second).await.unwrap(), Aborted::AlreadyLive);
    assert_eq!(runtime.abort(&request(fixture, &workload, 3, 3)).await.unwrap(), Aborted::Undone);
    assert_eq!(runtime.status(&workload, None).await.unwrap().revision, Some(2), "an abort of something else leaves what is live");

    runtime.remove(&workload, true).await.unwrap();
    runtime.remove(&workload, true).await.unwrap();
    assert_eq!(runtime.status(&workload, None).await.unwrap().revision, None);
}

async fn fencing(fixture: &Fixture<'_>) {
    let (runtime, workload) = (fixture.runtime, workload());
    apply(runtime, request(fixture, &workload, 1, 7)).await.unwrap();
    // On a runtime whose lock ends with the apply, an old epoch is stopped by the store; while it is held, by the runtime.
    let stale = apply(runtime, request(fixture, &workload, 2, 6)).await;
    if let Err(error) = stale {
        assert_eq!(error.kind(), ErrorKind::LeaseLost);
    }
    runtime.remove(&workload, true).await.unwrap();
}

/// One-off commands: their ends, their streams, and their files.
pub async fn tasks(fixture: &Fixture<'_>) {
    let workload = workload();
    let task = |command: &str| TaskRequest {
        purpose: "contract",
        run: RunId::generate(),
        workload: workload.clone(),
        image: fixture.image.clone(),
        command: ["sh", "-c", command].map(str::to_owned).to_vec(),
        variables: Variables::new(),
        secrets: SecretValues::new(),
        registries: fixture.registries.clone(),
        input: None,
        outputs: Vec::new(),
        timeout_seconds: 20,
    };
    let collect = async |command: &str| {
        let (mut stream, mut out, mut err, mut code) = (fixture.runtime.task(task(command)), Vec::new(), Vec::new(), None);
        while let Some(event) = stream.next().await {
            match event.unwrap() {
                TaskEvent::Log { stream: LogStream::Stdout, chunk } => out.extend(chunk),
                TaskEvent::Log { chunk, .. } => err.extend(chunk),
                TaskEvent::Exited { code: ended, .. } => code = Some(ended),
                _ => {}
            }
        }
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), code.unwrap())
    };
    let (out, err, code) = collect("echo out; sleep 0.1; echo err >&2; exit 0").await;
    assert_eq!(code, 0);
    if fixture.real {
        files(fixture, task).await;
        if fixture.streams {
            assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
        } else {
            assert_eq!(out, "out\nerr\n");
        }
        assert_eq!(collect("exit 3").await.2, 3);
    }
}

/// Files go in and come out, whole, and a task that does not get them whole never starts.
async fn files(fixture: &Fixture<'_>, task: impl Fn(&str) -> TaskRequest) {
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in [("source/large file", large.as_slice()), ("empty", b"")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, bytes).unwrap();
    }
    let archive = archive.into_inner().unwrap();
    let pieces = |archive: &[u8]| archive.chunks(100_000).map(|piece| Ok(piece.to_vec().into())).collect::<Vec<std::io::Result<bytes::Bytes>>>();
    let input = |pieces: Vec<_>| Some(TaskInput { path: "/kiwi/in".parse().unwrap(), files: TarStream(Box::pin(futures_util::stream::iter(pieces))) });

    let mut request = task("ls /kiwi/in /kiwi/out /reports; cp -r '/kiwi/in/source' /kiwi/out/ && echo fine > /reports/summary; exit 7");
    request.input = input(pieces(&archive));
    request.outputs = ["/kiwi/out", "/reports"].map(|path| path.parse().unwrap()).to_vec();
    let (mut stream, mut log, mut out, mut code) = (fixture.runtime.task(request), Vec::new(), std::collections::BTreeMap::<_, Vec<u8>>::new(), None);
    while let Some(event) = stream.next().await {
        match event.unwrap() {
            TaskEvent::Log { stream: LogStream::Stdout, chunk } => log.extend(chunk),
            TaskEvent::Output { path, chunk } => out.entry(path.to_string()).or_default().extend(chunk),
            TaskEvent::Exited { code: ended, .. } => code = Some(ended),
            _ => {}
        }
    }
    assert_eq!(code, Some(7), "files come out whatever the command ended with");
    assert_eq!(String::from_utf8(log).unwrap(), "/kiwi/in:\nempty\nsource\n\n/kiwi/out:\n\n/reports:\n");
    let read = |path: &str, name: &str| {
        let mut archive = tar::Archive::new(out[path].as_slice());
        let mut entry = archive.entries().unwrap().map(Result::unwrap).find(|entry| entry.path().unwrap().to_str() == Some(name)).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        bytes
    };
    assert!(read("/kiwi/out", "out/source/large file") == large, "the file came back as it went");
    assert_eq!(read("/reports", "reports/summary"), b"fine\n");

    let mut request = task("echo started");
    let mut broken = pieces(&archive);
    broken.truncate(3);
    broken.push(Err(std::io::Error::other("the disk is gone")));
    request.input = input(broken);
    let events: Vec<_> = fixture.runtime.task(request).collect().await;
    assert!(events.last().is_some_and(Result::is_err), "{events:?}");
    assert!(!events.iter().any(|event| matches!(event, Ok(TaskEvent::Exited { .. }))), "a task without all of its files never starts");

    let mut request = task("true");
    request.outputs = ["/kiwi", "/kiwi/out"].map(|path| path.parse().unwrap()).to_vec();
    let error = fixture.runtime.task(request).next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
