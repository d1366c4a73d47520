//! Ways to kill Kiwi at an exact point: a proxy before the engine's socket that counts effects, and a store that counts writes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// When to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The effect never happens.
    Before,
    /// The effect happens, and Kiwi never hears of it.
    After,
}

#[derive(Debug, Default)]
struct Shared {
    effects: AtomicI64,
    kill_at: AtomicI64,
    after: AtomicI64,
    victim: AtomicU32,
    /// A victim whose number is not known yet dies a moment later.
    pending: AtomicU32,
}

/// A proxy before the engine's socket.
pub struct EngineProxy {
    socket: PathBuf,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl EngineProxy {
    /// Listens in this folder.
    pub fn start(folder: &Path) -> Self {
        let socket = folder.join("engine.sock");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Shared::default());
        shared.kill_at.store(-1, Ordering::SeqCst);
        let listener = {
            let _guard = runtime.enter();
            UnixListener::bind(&socket).unwrap()
        };
        let state = shared.clone();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    // A connection ends when its client is killed; that is the point.
                    let _ = serve(client, state).await;
                });
            }
        });
        Self { socket, shared, runtime: Some(runtime) }
    }

    /// The address for `DOCKER_HOST`.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Counts from zero, and kills at this effect; never, when it is negative.
    pub fn arm(&self, at: i64, moment: Moment) {
        self.shared.victim.store(0, Ordering::SeqCst);
        self.shared.pending.store(0, Ordering::SeqCst);
        self.shared.effects.store(0, Ordering::SeqCst);
        self.shared.after.store(i64::from(moment == Moment::After), Ordering::SeqCst);
        self.shared.kill_at.store(at, Ordering::SeqCst);
    }

    /// Says whom to kill.
    pub fn aim(&self, process: u32) {
        self.shared.victim.store(process, Ordering::SeqCst);
        if self.shared.pending.load(Ordering::SeqCst) != 0 {
            kill("-KILL", process);
        }
    }

    /// How many effects there were since it was armed.
    pub fn effects(&self) -> i64 {
        self.shared.effects.load(Ordering::SeqCst)
    }
}

impl Drop for EngineProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Sends a signal.
pub fn kill(signal: &str, process: u32) {
    let _ = Command::new("kill").args([signal, &process.to_string()]).status();
}

impl Shared {
    /// Counts one effect; `true` when this is the one.
    fn hit(&self) -> bool {
        let count = self.effects.fetch_add(1, Ordering::SeqCst);
        count == self.kill_at.load(Ordering::SeqCst)
    }

    fn strike(&self) {
        match self.victim.load(Ordering::SeqCst) {
            0 => self.pending.store(1, Ordering::SeqCst),
            victim => kill("-KILL", victim),
        }
    }
}

async fn serve(client: UnixStream, shared: Arc<Shared>) -> std::io::Result<()> {
    let engine = UnixStream::connect("/var/run/docker.sock").await?;
    let (mut client_in, mut client_out) = client.into_split();
    let (mut engine_in, mut engine_out) = engine.into_split();
    let doomed = Arc::new(AtomicU32::new(0));
    let answers = {
        let (shared, doomed) = (shared.clone(), doomed.clone());
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let count = engine_in.read(&mut buffer).await?;
                if count == 0 {
                    return std::io::Result::Ok(());
                }
                if doomed.load(Ordering::SeqCst) == 1 {
                    shared.strike();
                    return std::future::pending().await;
                }
                client_out.write_all(&buffer[..count]).await?;
            }
        })
    };
    // Requests are looked at as they begin: `POST`, `PUT` and `DELETE` change something, and so does every line to the gateway's agent,
    // which travels through a turned connection.
    let (mut buffer, mut tunnel) = (vec![0; 64 * 1024], false);
    loop {
        let count = client_in.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        let chunk = &buffer[..count];
        let starts = [b"POST ".as_slice(), b"PUT ", b"DELETE "].iter().any(|method| chunk.starts_with(method));
        if (starts || tunnel) && shared.hit() {
            if shared.after.load(Ordering::SeqCst) == 0 {
                shared.strike();
                // Both sides are closed, as the kernel does for a killed process.
                return Ok(());
            }
            doomed.store(1, Ordering::SeqCst);
            // An effect without an answer, such as a line of a turned connection, is over a moment later.
            let shared = shared.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                shared.strike();
            });
        }
        if chunk.starts_with(b"POST ") && chunk.windows(8).any(|window| window.eq_ignore_ascii_case(b"upgrade:")) {
            // The build session is a stream of its own, of which BuildKit is the client.
            tunnel = !chunk.starts_with(b"POST /session");
        }
        engine_out.write_all(chunk).await?;
    }
    drop(engine_out);
    answers.await?
}
