//! `kiwi serve` as a process of its own, on a free port of loopback.

use crate::command::Kiwi;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

/// A server; it ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens, without a scheme.
    pub address: String,
    scheme: &'static str,
    /// What makes the first admin, while there is none.
    pub bootstrap: Option<String>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one and waits until it listens.
    pub fn start(kiwi: &Kiwi) -> Self {
        Self::start_with(kiwi, &[])
    }

    /// The same with further arguments.
    pub fn start_with(kiwi: &Kiwi, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut child = kiwi.command(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        // From here on the value ends the process, however this ends.
        let mut server = Self { child, address: String::new(), scheme: "http", bootstrap: None, log: Arc::default() };
        let mut said = String::new();
        while server.address.is_empty() {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended: {said}");
            said.push_str(&line);
            let line = line.trim();
            if line.starts_with("kiwi_") {
                server.bootstrap = Some(line.to_owned());
            }
            for scheme in ["http", "https"] {
                if let Some(address) = line.strip_prefix(&format!("serving {scheme}://")) {
                    (server.scheme, server.address) = (scheme, address.to_owned());
                }
            }
        }
        let log = server.log.clone();
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                log.lock().unwrap().push(line);
            }
        });
        server
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What it logged since it serves.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Makes the first admin and answers their token.
    pub fn first_admin(&self) -> String {
        let body = json!({ "token": self.bootstrap, "name": "root", "email": "root@example.com" });
        let answer = self.post("/api/v1/bootstrap", &body);
        answer["value"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Whether it says that it can work.
    pub fn is_ready(&self) -> bool {
        self.ask("GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// Its resident memory in MiB.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let _ = std::process::Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        self.child.wait().unwrap()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let length = body.len();
        let request =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        let answer = self.ask(&request).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or_default()).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn ask(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
