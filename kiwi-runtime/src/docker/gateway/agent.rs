//! The conversation with `agent.pl` inside the gateway's container.

use super::super::client::Engine;
use super::super::convert;
use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures_util::{Stream, StreamExt as _};
use kiwi_core::error::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// One running agent.
pub(super) struct Agent {
    input: Pin<Box<dyn AsyncWrite + Send>>,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    pending: Vec<u8>,
}

/// Longer than the agent's own wait for the lock.
const PATIENCE: Duration = Duration::from_secs(45);

impl Agent {
    pub(super) async fn start(engine: &Engine, container: &str) -> Result<Self> {
        let command = ["perl", "-e", include_str!("agent.pl")].map(str::to_owned).to_vec();
        let config = ExecConfig { attach_stdin: Some(true), attach_stdout: Some(true), attach_stderr: Some(true), cmd: Some(command), ..ExecConfig::default() };
        let exec = engine.docker.create_exec(container, config).await.map_err(convert::engine("reach gateway"))?;
        let options = StartExecOptions { output_capacity: Some(1 << 20), ..StartExecOptions::default() };
        match engine.docker.start_exec(&exec.id, Some(options)).await.map_err(convert::engine("reach gateway"))? {
            StartExecResults::Attached { output, input } => Ok(Self { input, output, pending: Vec::new() }),
            StartExecResults::Detached => Err(Error::new(ErrorKind::Internal, "reach gateway", "the engine detached from the agent")),
        }
    }

    /// Sends one request and waits for its answer.
    pub(super) async fn request(&mut self, words: &str, body: &str) -> Result<String> {
        let exchange = async {
            let broken = |error: std::io::Error| gone("the connection broke").with_source(error);
            self.input.write_all(format!("{words} {}\n{body}", body.len()).as_bytes()).await.map_err(broken)?;
            self.input.flush().await.map_err(broken)?;
            let head = loop {
                if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                    break String::from_utf8_lossy(&self.pending.drain(..=end).collect::<Vec<_>>()).trim().to_owned();
                }
                self.read().await?;
            };
            let (status, length) = head.split_once(' ').ok_or_else(|| gone(format!("its agent said {head:?}")))?;
            let length: usize = length.parse().map_err(|_| gone(format!("its agent said {head:?}")))?;
            while self.pending.len() < length {
                self.read().await?;
            }
            let body = String::from_utf8_lossy(&self.pending.drain(..length).collect::<Vec<_>>()).into_owned();
            match status {
                "ok" => Ok(body),
                _ => Err(Error::new(ErrorKind::Unavailable, "use gateway", format!("the gateway refused: {}", body.trim()))),
            }
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(gone("it did not answer in time")))
    }

    async fn read(&mut self) -> Result<()> {
        match self.output.next().await {
            Some(Ok(LogOutput::StdOut { message })) => self.pending.extend_from_slice(&message),
            Some(Ok(LogOutput::StdErr { message })) => tracing::debug!(message = %String::from_utf8_lossy(&message), "gateway agent"),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(convert::engine("reach gateway")(error)),
            None => return Err(gone("its agent ended; does the image have perl?")),
        }
        Ok(())
    }
}

fn gone(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, "reach gateway", message).with_hint("look at `docker logs kiwi-gateway`")
}
