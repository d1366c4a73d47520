//! The socket: slow clients, too many requests, and an end that loses nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod common;

use kiwi_core::{Role, Scope};
use kiwi_http::{HttpConfig, HttpState, router, server};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

async fn start(state: HttpState) -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ending = state.clone();
    let stop_signal = async move {
        let _ = stopped.await;
        ending.stop();
    };
    let server = tokio::spawn(server::serve(listener, router(state), None, stop_signal, Duration::from_secs(5)));
    (address, stop, server)
}

async fn open(address: SocketAddr, token: &str, path: &str, accept: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.contains(wanted) {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return text,
            read => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drips_headers_is_let_go_and_nobody_waits_for_them() {
    let world = common::memory().await;
    let (address, _stop, _server) = start(world.state.clone()).await;
    let began = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nx-").await.unwrap();
        slow.push(stream);
    }
    let answer = until(&mut open(address, "", "/healthz", "*/*").await, "ok").await;
    assert!(answer.starts_with("HTTP/1.1 200") && began.elapsed() < Duration::from_secs(5), "{answer}");
    for stream in &mut slow {
        stream.write_all(b"a").await.unwrap();
    }
    let mut rest = Vec::new();
    slow[0].read_to_end(&mut rest).await.unwrap();
    assert!((9..20).contains(&began.elapsed().as_secs()), "after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_let_go_and_nobody_waits_for_them() {
    let world = common::memory().await;
    let (address, stop, server) = start(world.state.clone()).await;
    let began = Instant::now();
    let (mut silent, mut half) = (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap());
    half.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    for stream in [&mut silent, &mut half] {
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert!((9..20).contains(&began.elapsed().as_secs()), "after {:?}", began.elapsed());
    }
    let _silent = TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    stop.send(()).unwrap();
    server.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_hold_up_nobody() {
    let world = common::memory().await;
    let (address, _stop, _server) = start(world.state.clone()).await;
    let mut slow = Vec::new();
    for path in ["/hooks/github/01arz3ndektsv4rrffq69g5fav", "/api/v1/bootstrap"] {
        for _ in 0..200 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20000000\r\n\r\n{{");
            stream.write_all(head.as_bytes()).await.unwrap();
            slow.push(stream);
        }
    }
    // A webhook that nobody registered is answered before its body is read.
    let answer = until(&mut slow[0], "}").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    for path in ["/healthz", "/readyz", "/metrics", "/api/v1/whoami"] {
        let answer = until(&mut open(address, &world.admin, path, "*/*").await, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_token() {
    let world = common::memory().await;
    let made = world.call(&world.admin, "POST", "/services/shop/runs", Some(json!({ "kind": "build" })), &[]).await;
    let path = format!("{}/events", made.header("location"));
    let (address, _stop, _server) = start(world.state.clone()).await;
    let grace = world.token("default", "grace", Role::Admin, Scope::Admin).await;
    let (mut hers, mut other) = (open(address, &grace, &path, "text/event-stream").await, open(address, &world.admin, &path, "text/event-stream").await);
    for stream in [&mut hers, &mut other] {
        assert!(until(stream, "\r\n\r\n").await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(world.call(&world.admin, "DELETE", "/users/grace", None, &[]).await.status, 204);
    let began = Instant::now();
    until(&mut hers, "0\r\n\r\n").await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let mut buffer = [0; 4096];
    let ended = tokio::time::timeout(Duration::from_secs(1), async { while other.read(&mut buffer).await.unwrap() > 0 {} }).await;
    assert!(ended.is_err(), "nobody else's stream ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_streams_and_lets_requests_end() {
    let world = common::memory().await;
    let made = world.call(&world.admin, "POST", "/services/shop/runs", Some(json!({ "kind": "build" })), &[]).await;
    let path = format!("{}/events", made.header("location"));
    let (address, stop, server) = start(world.state.clone()).await;
    // Nobody works the run, so the stream has nothing to say and would go on for ever.
    let mut stream = open(address, &world.admin, &path, "text/event-stream").await;
    assert!(until(&mut stream, "\r\n\r\n").await.contains("text/event-stream"));
    let began = Instant::now();
    stop.send(()).unwrap();
    server.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_sent_away() {
    let world = common::memory().await;
    let mut config = HttpConfig::default();
    (config.concurrency, config.streams) = (256, 1);
    let (address, _stop, _server) = start(HttpState::new(world.kiwi.clone(), config)).await;
    let made = world.call(&world.admin, "POST", "/services/shop/runs", Some(json!({ "kind": "build" })), &[]).await;
    let path = format!("{}/events", made.header("location"));
    let mut first = open(address, &world.admin, &path, "text/event-stream").await;
    assert!(until(&mut first, "\r\n\r\n").await.starts_with("HTTP/1.1 200"));
    let second = until(&mut open(address, &world.admin, &path, "text/event-stream").await, "}").await;
    assert!(second.starts_with("HTTP/1.1 503") && second.contains("too many streams"), "{second}");
    drop(first);
    let mut config = HttpConfig::default();
    config.concurrency = 0;
    let (address, _stop, _server) = start(HttpState::new(world.kiwi.clone(), config)).await;
    let refused = until(&mut open(address, &world.admin, "/api/v1/services", "*/*").await, "}").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_followers_are_one_reader() {
    let world = common::memory().await;
    let made = world.call(&world.admin, "POST", "/services/shop/runs", Some(json!({ "kind": "pipeline" })), &[]).await;
    let path = format!("{}/events", made.header("location"));
    let (address, _stop, _server) = start(world.state.clone()).await;
    let mut followers = Vec::new();
    for _ in 0..1000 {
        followers.push(open(address, &world.admin, &path, "text/event-stream").await);
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = tokio::spawn({
        let kiwi = world.kiwi.clone();
        async move { kiwi.serve(kiwi_core::pipeline::ServerOptions::default(), async { drop(stopped.await) }).await }
    });
    let mut first = None;
    for follower in &mut followers {
        let text = until(follower, "\"event\":\"finished\"").await;
        let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
        assert_eq!(ids, (0..ids.len()).map(|id| id.to_string()).collect::<Vec<_>>());
        assert!(ids.len() > 5 && *first.get_or_insert(ids.len()) == ids.len());
    }
    drop(stop);
    worker.await.unwrap();
}
