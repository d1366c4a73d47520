//! The `kiwi` command with a data directory of its own.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where a built program of this workspace lies: beside the test's own directory.
pub fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let found = path.join(name);
    assert!(found.exists(), "{} is missing; tests/run.sh builds it", found.display());
    found
}

/// One installation of Kiwi.
pub struct Kiwi {
    folder: TempDir,
    binary: PathBuf,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

impl Finished {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless the command succeeded.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }
}

impl Kiwi {
    /// An installation with an empty data directory.
    pub fn new() -> Self {
        Self::with_binary("kiwi")
    }

    /// An installation of another program than `kiwi`.
    pub fn with_binary(name: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), binary: program(name), variables: Vec::new() }
    }

    /// Sets a variable for every command.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder that holds the data directory and the key.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command that has not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("KIWI_DATA_DIR", self.data()).env("KIWI_KEY_FILE", self.folder.path().join("key")).env_remove("KIWI_KEY");
        // Tests of other things do not wait for scanners; those of scanners say so.
        command.env("KIWI_SCANNERS", "none");
        // The git hosts and registries of tests are all here.
        command.env("KIWI_ALLOW_HOSTS", "127.0.0.1");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a command and leaves it running.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with(arguments, "")
    }

    /// Runs a command with this standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Finished {
        let began = Instant::now();
        let mut child = self.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that does not read its input closes it; that is its business.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        finished(child.wait_with_output().unwrap(), began.elapsed())
    }

    /// Registers this machine's engine.
    pub fn with_runtime(self) -> Self {
        self.run(&["runtime", "add", "docker", "local"]).ok();
        self
    }
}

impl Default for Kiwi {
    fn default() -> Self {
        Self::new()
    }
}

/// The parts of a finished process that tests look at.
pub fn finished(output: Output, took: Duration) -> Finished {
    Finished {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        took,
    }
}

/// Runs the `docker` command and returns its lines: an eye on the engine that is not Kiwi's own.
pub fn docker(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output().expect("the docker command is installed");
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// The containers, networks and volumes whose names begin with this.
pub fn leftovers(stem: &str) -> Vec<String> {
    let mut found = docker(&["ps", "-a", "--format", "container {{.Names}}", "--filter", &format!("name=^{stem}")]);
    found.extend(docker(&["network", "ls", "--format", "network {{.Name}}", "--filter", &format!("name=^{stem}")]));
    found
}

/// A name that no other test uses.
pub fn unique(prefix: &str) -> String {
    let id = kiwi_core::domain::RunId::generate().to_string();
    format!("{prefix}-{}", &id[18..])
}
