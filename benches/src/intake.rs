//! The intake of webhooks: signature checked and kept durably, on SQLite and on PostgreSQL, beside Debian's `webhook`, which only checks the signature. Each
//! server is a process of its own, on loopback, and ends with its measurement.

use crate::row;
use kiwi_core::domain::OrganizationId;
use kiwi_core::provider::Store;
use kiwi_store::{KeySource, PostgresConfig, PostgresStore, SqliteStore};
use kiwi_tests::contract::inbox::auto_ci;
use kiwi_tests::host::{self, World};
use kiwi_tests::postgres::Database;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const SECRET: &str = "s3cret-of-the-webhook";
const CONNECTIONS: usize = 64;
const SECONDS: Duration = Duration::from_secs(5);
/// The rate at which waiting times are measured.
const RATE: u32 = 500;

/// `serve` is the part of the server's process.
pub(crate) fn measure() {
    // What the part before left to be written would hold every commit up for as long as the disk takes.
    assert!(Command::new("sync").status().unwrap().success());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut servers = vec![("Kiwi, kept in SQLite", kiwi(&["sqlite", &path("data"), &path("key")]))];
    let database = std::env::var("KIWI_TEST_POSTGRES").is_ok().then(Database::new);
    match &database {
        Some(database) => servers.push(("Kiwi, kept in PostgreSQL", kiwi(&["postgres", &database.url(), &database.key().display().to_string()]))),
        None => row("intake on PostgreSQL", "not measured: KIWI_TEST_POSTGRES names no server"),
    }
    match debians(&path("hooks.json")) {
        Some(server) => servers.push(("Debian's webhook, signature alone", server)),
        None => row("intake of Debian's webhook", "not measured: it is not installed"),
    }
    // Side by side, in turn, so that what else the machine does meets all of them.
    let mut figures = vec![(Vec::new(), Vec::new()); servers.len()];
    for _ in 0..3 {
        for ((_, server), (rates, times)) in servers.iter().zip(&mut figures) {
            runtime.block_on(async {
                rates.push(flood(server).await);
                times.extend(steady(server).await);
            });
        }
    }
    for ((what, server), (mut rates, times)) in servers.into_iter().zip(figures) {
        let rate = crate::median(&mut rates);
        row(&format!("intake, {what}"), &format!("{rate:.0} deliveries/s; at {RATE}/s: {}", crate::percentiles(&times)));
        drop(server);
    }
}

/// A server's process, and a request that it accepts.
struct Server {
    process: Child,
    address: String,
    request: Vec<u8>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn kiwi(arguments: &[&str]) -> Server {
    let mut process = Command::new(std::env::current_exe().unwrap()).arg("intake-server").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (address, hook) = line.trim().split_once(' ').unwrap();
    Server { process, address: address.to_owned(), request: request(hook) }
}

/// Its rule asks for the signature and for what no delivery has, so that nothing is started: the signature is checked, and that is all.
fn debians(file: &str) -> Option<Server> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let header = |name: &str| json!({ "source": "header", "name": name });
    let signature = json!({ "match": { "type": "payload-hmac-sha256", "secret": SECRET, "parameter": header("X-Hub-Signature-256") } });
    let never = json!({ "match": { "type": "value", "value": "never", "parameter": header("X-GitHub-Event") } });
    let hooks = json!([{ "id": "push", "execute-command": "/bin/true", "trigger-rule": { "and": [signature, never] }, "trigger-rule-mismatch-http-response-code": 202 }]);
    std::fs::write(file, hooks.to_string()).unwrap();
    let mut command = Command::new("webhook");
    command.args(["-hooks", file, "-ip", "127.0.0.1", "-port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server { process: command.spawn().ok()?, address: format!("127.0.0.1:{port}"), request: request("/hooks/push") };
    let due = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(&server.address).is_err() {
        assert!(Instant::now() < due, "webhook does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(server)
}

/// A push of 10 kB.
fn request(path: &str) -> Vec<u8> {
    // Not one like the other: what is stored must not be easier to pack than what hosts send.
    let commits: Vec<_> = (0..60).map(commit).collect();
    let repository = json!({ "id": host::number("shop"), "full_name": "shop" });
    let body = json!({ "ref": "refs/heads/main", "before": "1".repeat(40), "after": "2".repeat(40), "head_commit": commits[0], "commits": commits, "repository": repository });
    let body = serde_json::to_vec(&body).unwrap();
    let mut text = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in host::headers("push", "72d3162e-cc78-11e3-81ab-4c9367dc0958", &body, SECRET) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    [text.as_bytes(), b"\r\n", &body].concat()
}

fn commit(number: u64) -> serde_json::Value {
    const WORDS: [&str; 16] = [
        "gateway", "reads", "every", "route", "before", "closing", "slow", "clients", "when", "tokens", "expire", "without", "losing", "metrics", "and",
        "tests",
    ];
    let digest = Sha256::digest(number.to_be_bytes());
    let hash: String = digest[..20].iter().map(|byte| format!("{byte:02x}")).collect();
    let message = digest[20..28].iter().map(|byte| WORDS[usize::from(byte % 16)]).collect::<Vec<_>>().join(" ");
    json!({ "id": hash, "message": message, "added": [format!("src/{}.rs", &hash[..6])], "modified": ["README.md"] })
}

async fn ask(connection: &mut TcpStream, request: &[u8]) {
    connection.write_all(request).await.unwrap();
    let mut answer = Vec::with_capacity(1024);
    loop {
        let count = connection.read_buf(&mut answer).await.unwrap();
        assert!(count > 0, "the server closed the connection");
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        if body.len() >= length {
            assert!(head.starts_with("http/1.1 202"), "{head}");
            return;
        }
    }
}

/// As many as it takes, for some seconds; answers how many a second.
async fn flood(server: &Server) -> f64 {
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, request) = (server.address.clone(), server.request.clone());
        clients.spawn(async move {
            let mut connection = TcpStream::connect(address).await.unwrap();
            let mut count = 0_u32;
            while began.elapsed() < SECONDS {
                ask(&mut connection, &request).await;
                count += 1;
            }
            count
        });
    }
    let count: u32 = clients.join_all().await.iter().sum();
    f64::from(count) / began.elapsed().as_secs_f64()
}

/// A steady rate, whatever the server does: times count from the moment that a request was due.
async fn steady(server: &Server) -> Vec<Duration> {
    let began = Instant::now() + Duration::from_millis(100);
    let mut clients = JoinSet::new();
    for number in 0..u32::try_from(CONNECTIONS).unwrap() {
        let (address, request) = (server.address.clone(), server.request.clone());
        clients.spawn(async move {
            let mut connection = TcpStream::connect(address).await.unwrap();
            let mut times = Vec::new();
            for turn in 0.. {
                let due = began + Duration::from_secs(1) * (number + turn * u32::try_from(CONNECTIONS).unwrap()) / RATE;
                if due > began + SECONDS {
                    break;
                }
                tokio::time::sleep_until(due.into()).await;
                ask(&mut connection, &request).await;
                times.push(due.elapsed());
            }
            times
        });
    }
    clients.join_all().await.concat()
}

/// The server's process: an intake and nothing else. It prints its address and the path of its webhook, and ends when it is killed.
pub(crate) fn serve(arguments: &[String]) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let [kind, place, key] = arguments else { return };
        let key = KeySource::File(key.into());
        let store: Arc<dyn Store> = match kind.as_str() {
            "sqlite" => Arc::new(SqliteStore::open(place.as_ref(), key).await.unwrap()),
            _ => Arc::new(PostgresStore::open(PostgresConfig::parse(&place.clone().into()).unwrap(), key).await.unwrap()),
        };
        let world = World::default();
        let service = host::service("shop");
        assert_eq!(service.organization, OrganizationId::default());
        store.insert_service(&service).await.unwrap();
        let secret = store.insert_secret(&SECRET.to_owned().into()).await.unwrap();
        store.put_auto_ci(&kiwi_core::domain::AutoCi { secret, ..auto_ci(&service) }, None).await.unwrap();
        let kiwi = world.engine(store, |builder| builder).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{} /hooks/github/{}", listener.local_addr().unwrap(), service.id);
        axum::serve(listener, kiwi_http::hooks(kiwi)).await.unwrap();
    });
}
