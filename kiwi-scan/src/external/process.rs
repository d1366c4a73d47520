//! A tool as a program of this machine.

use super::reports::{self, Reports};
use super::scanner::Ran;
use super::tool::Tool;
use rustix::process::{Pid, Signal, kill_process_group};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// The variables of this process that every tool sees: no credential is among them.
const INHERITED: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// Of each stream, so much of the end is kept.
const LOG: usize = 64 << 10;
/// How often the size of reports is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// A program that cannot tell its version within this time does not work.
const VERSION: Duration = Duration::from_secs(120);
/// How long the streams of a group that was killed may stay open.
const LEAVE: Duration = Duration::from_secs(5);

/// Runs a program, after a look at its version, with a directory for its reports.
pub(super) async fn run(tool: &Tool, program: &Path, arguments: impl FnOnce(&str) -> Vec<String>, limit: Duration) -> Result<Ran, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("there is no folder for its reports: {error}"))?;
    // Without links, as a tool may write paths into its report.
    let work = folder.path().canonicalize().map_err(|error| format!("there is no folder for its reports: {error}"))?;
    // Apart from the reports and not limited with them: there tools unpack the layers of an image.
    let temporary = work.join("temporary");
    let directory = work.join("reports");
    for made in [&temporary, &directory] {
        std::fs::create_dir(made).map_err(|error| format!("there is no folder for its reports: {error}"))?;
    }
    let (program, mut version) = (resolved(program), None);
    if !tool.version.arguments.is_empty() {
        let asked: Vec<String> = tool.version.arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let ended = ended(tool, &program, &asked, (&work, &temporary), VERSION).await?;
        if let Some(why) = ended.stopped {
            return Err(format!("{} does not tell its version: {why}", program.display()));
        }
        let found = tool.version.read(&ended.log).ok_or_else(|| format!("{} does not tell its version; is it {}?", program.display(), tool.name))?;
        if let Some(why) = tool.version.refuses(found) {
            return Err(format!("{why}; {}", tool.hint));
        }
        version = Some(found);
    }
    let arguments = arguments(&directory.to_string_lossy());
    let Ended { code, log, stopped } = ended(tool, &program, &arguments, (&directory, &temporary), limit).await?;
    let reports = tokio::task::spawn_blocking(move || {
        let reports = Reports::read(&directory);
        drop(folder);
        reports
    });
    let reports = reports.await.map_err(|_| "its reports cannot be read".to_owned())?;
    Ok(Ran { version, code, log, stopped, reports })
}

struct Ended {
    code: Option<i64>,
    log: String,
    stopped: Option<String>,
}

/// A name is looked for on PATH; a path is made absolute, as the program runs in another directory.
fn resolved(program: &Path) -> PathBuf {
    let named = program.components().count() == 1 && !program.is_absolute();
    if named { program.to_owned() } else { std::path::absolute(program).unwrap_or_else(|_| program.to_owned()) }
}

async fn ended(tool: &Tool, program: &Path, arguments: &[String], (directory, temporary): (&Path, &Path), limit: Duration) -> Result<Ended, String> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in INHERITED.iter().chain(tool.inherited) {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("LC_ALL", "C.UTF-8").env("TMPDIR", temporary).envs(tool.variables.iter().copied());
    let mut child = command.process_group(0).kill_on_drop(true).spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{} was not found; {}", program.display(), tool.hint),
        _ => format!("{} cannot be started: {error}", program.display()),
    })?;
    let group = Group::of(&child);
    let out = tokio::spawn(tail(child.stdout.take()));
    let err = tokio::spawn(tail(child.stderr.take()));
    let (code, stopped) = wait(&mut child, directory, limit).await;
    // Whoever is left of the group holds the streams open.
    drop(group);
    let mut log = String::new();
    for stream in [out, err] {
        if let Ok(Ok(bytes)) = timeout(LEAVE, stream).await {
            log.push_str(&String::from_utf8_lossy(&bytes));
            log.push('\n');
        }
    }
    Ok(Ended { code, log, stopped })
}

/// The exit code, or why the program was stopped.
async fn wait(child: &mut Child, directory: &Path, limit: Duration) -> (Option<i64>, Option<String>) {
    let end = Instant::now() + limit;
    loop {
        tokio::select! {
            status = child.wait() => return match status.map(|status| status.code()) {
                Ok(Some(code)) => (Some(i64::from(code)), None),
                Ok(None) => (None, Some("it was killed".to_owned())),
                Err(error) => (None, Some(format!("it cannot be waited for: {error}"))),
            },
            () = sleep(LOOK) => {
                if Instant::now() >= end {
                    return (None, Some(format!("it took longer than {} s and was stopped", limit.as_secs())));
                }
                if reports::size(directory) > reports::LARGEST {
                    return (None, Some(format!("{}, and it was stopped", reports::too_large())));
                }
            }
        }
    }
}

/// The end of what a stream gives.
async fn tail(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 16 << 10]);
    let Some(mut stream) = stream else { return kept };
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..count]);
        if kept.len() > 2 * LOG {
            kept.drain(..kept.len() - LOG);
        }
    }
    kept.drain(..kept.len().saturating_sub(LOG));
    kept
}

/// A program and all that it started, which end with this value, also when nobody waits any more. A process that leaves the group stays.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Mostly nobody is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
