//! HTTP clients that never retry: what one of them cannot get counts as lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Clients that keep their connection.
    pub keep_alive: usize,
    /// Clients with a new connection for each request.
    pub fresh: usize,
    /// Clients that ask for an answer that takes 3 s.
    pub slow: usize,
    /// The time between looking at the connection and the request's arrival, as if the client were far away.
    pub latency: Duration,
    /// The time that a client waits between two requests.
    pub pause: Duration,
}

impl Plan {
    /// Forty clients that stay, six that come and go, and two slow ones, on the spot.
    pub fn near() -> Self {
        Self { keep_alive: 40, fresh: 6, slow: 2, latency: Duration::ZERO, pause: Duration::from_millis(20) }
    }

    /// The same, 25 ms away.
    pub fn far() -> Self {
        Self { latency: Duration::from_millis(25), ..Self::near() }
    }
}

/// What the clients saw.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests that were answered with 200.
    pub answered: AtomicU64,
    /// Slow requests among them.
    pub slow: AtomicU64,
    /// Requests that were not.
    pub failed: AtomicU64,
    /// The first reasons.
    pub reasons: Mutex<Vec<String>>,
}

impl Tally {
    fn note(&self, reason: String) {
        let mut reasons = self.reasons.lock().unwrap();
        if reasons.len() < 20 {
            reasons.push(reason);
        }
    }
}

/// Where clients find their servers.
pub type Addresses = Arc<Mutex<Vec<SocketAddr>>>;

/// Clients at work.
pub struct Load {
    tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    runtime: tokio::runtime::Runtime,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// Starts the clients on a port of this machine.
    pub fn start(port: u16, plan: Plan) -> Self {
        Self::on(Arc::new(Mutex::new(vec![SocketAddr::from(([127, 0, 0, 1], port))])), plan)
    }

    /// Starts the clients on addresses that change: a client leaves an address that is gone from the list before its next request.
    pub fn on(addresses: Addresses, plan: Plan) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
        let mut clients = Vec::new();
        let mut spawn = |path: &'static str, keep: bool, pause: Duration| {
            clients.push(runtime.spawn(client(addresses.clone(), path, keep, plan.latency, pause, tally.clone(), stop.clone())));
        };
        (0..plan.keep_alive).for_each(|_| spawn("/", true, plan.pause));
        (0..plan.fresh).for_each(|_| spawn("/", false, plan.pause));
        (0..plan.slow).for_each(|_| spawn("/slow", true, Duration::ZERO));
        Self { tally, stop, runtime, clients }
    }

    /// How many requests were answered so far.
    pub fn answered(&self) -> u64 {
        self.tally.answered.load(Ordering::Relaxed)
    }

    /// Lets every client finish its request, and returns what they saw.
    pub fn finish(self) -> Arc<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        self.runtime.block_on(async {
            for client in self.clients {
                client.await.unwrap();
            }
        });
        self.tally
    }
}

async fn client(addresses: Addresses, path: &'static str, keep: bool, latency: Duration, pause: Duration, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
    let mut connection: Option<BufReader<TcpStream>> = None;
    let mut turn = 0usize;
    let mut at: Option<SocketAddr> = None;
    while !stop.load(Ordering::Relaxed) {
        let known = addresses.lock().unwrap().clone();
        if connection.is_none() || at.is_none_or(|at| !known.contains(&at)) {
            connection = None;
            turn += 1;
            at = known.get(turn % known.len().max(1)).copied();
        }
        let Some(address) = at else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let outcome = tokio::time::timeout(Duration::from_secs(30), request(&mut connection, address, path, keep, latency)).await;
        match outcome.unwrap_or_else(|_| Err("no answer within 30 s".to_owned())) {
            Ok(close) => {
                tally.answered.fetch_add(1, Ordering::Relaxed);
                tally.slow.fetch_add(u64::from(path == "/slow"), Ordering::Relaxed);
                if close || !keep {
                    connection = None;
                }
            }
            Err(reason) => {
                tally.failed.fetch_add(1, Ordering::Relaxed);
                tally.note(reason);
                connection = None;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        tokio::time::sleep(pause).await;
    }
}

/// One request; answers whether the server will close the connection.
async fn request(connection: &mut Option<BufReader<TcpStream>>, address: SocketAddr, path: &str, keep: bool, latency: Duration) -> Result<bool, String> {
    let reused = connection.is_some();
    let stream = match connection {
        Some(stream) => stream,
        None => connection.insert(BufReader::new(TcpStream::connect(address).await.map_err(|error| format!("connect: {error}"))?)),
    };
    // A client looks at its connection first: one that was closed while idle is not used. Only what is closed while the
    // request travels is lost.
    if reused {
        let closed = tokio::time::timeout(Duration::ZERO, stream.fill_buf()).await;
        if matches!(closed, Ok(Ok(bytes)) if bytes.is_empty()) || matches!(closed, Ok(Err(_))) {
            *stream = BufReader::new(TcpStream::connect(address).await.map_err(|error| format!("connect: {error}"))?);
        }
    }
    tokio::time::sleep(latency).await;
    let ending = if keep { "keep-alive" } else { "close" };
    let text = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: {ending}\r\n\r\n");
    stream.get_mut().write_all(text.as_bytes()).await.map_err(|error| format!("write (reused {reused}): {error}"))?;
    let (mut length, mut close, mut first) = (0usize, false, String::new());
    loop {
        let mut line = String::new();
        let read = stream.read_line(&mut line).await.map_err(|error| format!("read (reused {reused}): {error}"))?;
        if read == 0 {
            return Err(format!("the connection ended (reused {reused}) after {first:?}"));
        }
        let line = line.trim_end().to_ascii_lowercase();
        if first.is_empty() {
            first = line;
        } else if line.is_empty() {
            break;
        } else if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().map_err(|_| "a malformed length".to_owned())?;
        } else if line == "connection: close" {
            close = true;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(|error| format!("body: {error}"))?;
    if first.starts_with("http/1.1 200") { Ok(close) } else { Err(first) }
}
