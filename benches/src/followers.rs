//! A live log that a thousand people follow: how late its writer gets, and when they all have the end of it. The server and its followers share the
//! machine, over loopback.

use crate::row;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use kiwi_core::domain::{EnvironmentName, ImagePin, ImageReference, LogStream, RunId, RunRequest, RuntimeKind, RuntimeSettings, Timestamp, User};
use kiwi_core::error::Result;
use kiwi_core::memory::{MemoryBuilder, MemoryConnector, MemoryRegistry, MemoryRuntime, MemorySource};
use kiwi_core::pipeline::{NewService, NewSource};
use kiwi_core::provider::store::RuntimeStore as _;
use kiwi_core::provider::{BoxStream, BuildEvent, BuildOutcome, BuildRequest, Builder, BuilderCapabilities};
use kiwi_core::{Actor, Kiwi, Role};
use kiwi_http::{HttpConfig, HttpState, router, server};
use kiwi_store::{KeySource, SqliteStore};
use secrecy::ExposeSecret as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const LINES: u32 = 500;
const EVERY: Duration = Duration::from_millis(10);
const FOLLOWERS: usize = 1000;

pub(crate) fn measure() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for followers in [0, FOLLOWERS] {
        let (late, told) = runtime.block_on(one(followers));
        let told = told.map(|told| format!("; all had the end {:.0} ms after it", told.as_secs_f64() * 1e3)).unwrap_or_default();
        row(
            &format!("a log of {LINES} lines, one each {} ms, with {followers} followers: how late its writer was", EVERY.as_millis()),
            &format!("{}{told}", crate::percentiles(&late)),
        );
    }
}

/// How late each line was, and how long after the run's end the last follower knew of it.
async fn one(count: usize) -> (Vec<Duration>, Option<Duration>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("data"), KeySource::File(folder.path().join("key"))).await.unwrap());
    let source = Arc::new(MemorySource::default());
    source.push("main".parse().unwrap(), "1".repeat(40).parse().unwrap());
    let builder = Arc::new(Chatty::default());
    let connector = MemoryConnector { runtime: Arc::new(MemoryRuntime::default()), builder: builder.clone() };
    let kiwi = Kiwi::builder(store.clone(), Arc::new(connector))
        .source(source)
        .registry(Arc::new(MemoryRegistry::default()))
        .work_directory(folder.path().join("work"))
        .open()
        .await
        .unwrap();
    let actor = Actor::local_admin();
    let local = RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } };
    store.insert_runtime(&actor.organization, &local).await.unwrap();
    let git = NewSource::Git { url: "https://git.example.com/a/shop".parse().unwrap(), branch: None, token: None, ca: None };
    let service = kiwi.register(&actor, NewService::new("shop".parse().unwrap(), git)).await.unwrap();
    let run = kiwi.request(&actor, &service.name, EnvironmentName::Development, RunRequest::Build { commit: None, branch: None }).await.unwrap();

    let bootstrap = kiwi.offer_bootstrap().await.unwrap().unwrap();
    let ada = User {
        name: "ada".parse().unwrap(),
        email: "ada@example.com".parse().unwrap(),
        full_name: String::new(),
        role: Role::Admin,
        created_at: Timestamp::now(),
    };
    let (_, token) = kiwi.bootstrap(bootstrap.expose_secret(), &ada).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = router(HttpState::new(kiwi.clone(), HttpConfig::default()));
    tokio::spawn(server::serve(listener, app, None, std::future::pending(), Duration::ZERO));
    let followers = (count > 0).then(|| follow(address, run.id.clone(), token.expose_secret().to_owned(), count));
    tokio::time::sleep(Duration::from_secs(2)).await;

    kiwi.work(&actor, &run.id, |_| {}).await.unwrap();
    let ended = Instant::now();
    let told = match followers {
        Some(followers) => Some(tokio::task::spawn_blocking(move || followers.join().unwrap()).await.unwrap().saturating_duration_since(ended)),
        None => None,
    };
    let late = builder.late.lock().unwrap().clone();
    (late, told)
}

/// Follows from a thread of its own, so that what readers do is not done by the server's threads; answers when the last one had all.
fn follow(address: SocketAddr, run: RunId, token: String, count: usize) -> std::thread::JoinHandle<Instant> {
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let request = format!("GET /api/v1/runs/{run}/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n\r\n");
            let mut readers = JoinSet::new();
            for _ in 0..count {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut buffer = [0; 8192];
                // One after the other: a server takes so many requests at once, and sends the others away.
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..read]));
                readers.spawn(async move {
                    let mut seen = buffer[..read].to_vec();
                    while !seen.windows(FINISHED.len()).any(|window| window == FINISHED) {
                        // Enough of what came before, for an end that comes in two parts.
                        let kept = seen.len().saturating_sub(FINISHED.len());
                        seen.drain(..kept);
                        let read = stream.read(&mut buffer).await.unwrap();
                        assert!(read > 0, "a stream ended before its run");
                        seen.extend_from_slice(&buffer[..read]);
                    }
                });
            }
            readers.join_all().await;
            Instant::now()
        })
    })
}

const FINISHED: &[u8] = b"\"event\":\"finished\"";

/// A build that says a line at each tick, and notes how late it could.
#[derive(Debug, Default)]
struct Chatty {
    inner: MemoryBuilder,
    late: Arc<Mutex<Vec<Duration>>>,
}

#[async_trait]
impl Builder for Chatty {
    fn capabilities(&self) -> BuilderCapabilities {
        self.inner.capabilities()
    }

    async fn plan(&self, request: &BuildRequest) -> Result<Vec<String>> {
        self.inner.plan(request).await
    }

    async fn find(&self, request: &BuildRequest) -> Result<Option<BuildOutcome>> {
        self.inner.find(request).await
    }

    fn build(&self, request: BuildRequest) -> BoxStream<Result<BuildEvent>> {
        let (late, began) = (self.late.clone(), Instant::now());
        let lines = futures_util::stream::iter(0..LINES).then(move |number| {
            let late = late.clone();
            async move {
                let due = began + EVERY * number;
                tokio::time::sleep_until(due.into()).await;
                late.lock().unwrap().push(due.elapsed());
                Ok(BuildEvent::Log { stream: LogStream::Stdout, chunk: format!("line {number} of a build that has much to say\n").into_bytes() })
            }
        });
        lines.chain(self.inner.build(request)).boxed()
    }

    async fn tag(&self, image: &ImagePin, name: &ImageReference) -> Result<()> {
        self.inner.tag(image, name).await
    }

    async fn cancel(&self, run: &RunId) -> Result<()> {
        self.inner.cancel(run).await
    }
}
