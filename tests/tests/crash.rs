//! `kill -9` before and after every write of the journal and every effect on the engine, and SIGSTOP past the lease. After
//! `kiwi runs resume`, everything is as if nothing had happened. In CI a sample; with KIWI_TEST_FULL=yes every point.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends by panicking, and prints its figures")]

use kiwi_tests::command::{Kiwi, docker, finished, leftovers, unique};
use kiwi_tests::crash::{EngineProxy, Moment, kill};
use kiwi_tests::git::{GitHost, Repository};
use kiwi_tests::sample;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const TOKEN: &str = "t0k3n-of-the-crash-test";
const SECRET: &str = "s3cret-of-the-crash-test";

fn full() -> bool {
    std::env::var("KIWI_TEST_FULL").is_ok_and(|value| value == "yes")
}

struct Arena {
    _host: GitHost,
    repository: Repository,
    kiwi: Kiwi,
    proxy: EngineProxy,
    name: String,
    port: u16,
    version: u32,
}

/// What is done when Kiwi dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Run,
    Deploy,
    Rollback,
}

/// Where it dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    Effect(i64, Moment),
    Write(u64, Moment),
    Time(Duration),
}

impl Arena {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(unique("kiwi-crash"));
        std::fs::create_dir_all(&folder).unwrap();
        let proxy = EngineProxy::start(&folder);
        let host = GitHost::start(Some(TOKEN));
        let repository = host.create("shop");
        let kiwi = Kiwi::with_binary("kiwi-crash").env("DOCKER_HOST", proxy.address()).env("KIWI_LEASE_SECONDS", "1").with_runtime();
        let name = unique("crash");
        sample::write(repository.folder(), "0");
        repository.push("main");
        let url = host.url("shop");
        let arguments = [
            "service",
            "register",
            &name,
            "--git",
            &url,
            "--token-stdin",
            "--port",
            "8080",
            "--health",
            "/",
            "--test",
            "true",
            "--release-command",
            "true",
            "--drain",
            "2",
            "--stop-grace",
            "2",
        ];
        kiwi.run_with(&arguments, TOKEN).ok();
        let run = kiwi.run(&["run", &name, "-o", "json"]).ok().json();
        let port = run["url"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        kiwi.run_with(&["config", &name, "--secret", "GREETING"], SECRET).ok();
        Self { _host: host, repository, kiwi, proxy, name, port, version: 0 }
    }

    fn answer(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.rsplit("\r\n\r\n").next().unwrap().trim().to_owned()
    }

    /// Prepares an action; returns its arguments and the answers before and after it.
    fn prepare(&mut self, action: Action) -> (Vec<&'static str>, String, String) {
        let before = self.answer();
        match action {
            Action::Run | Action::Deploy => {
                self.version += 1;
                sample::write(self.repository.folder(), &self.version.to_string());
                self.repository.push("main");
                let after = format!("shop {} {SECRET}", self.version);
                if action == Action::Run {
                    return (vec!["run"], before, after);
                }
                self.kiwi.run(&["build", &self.name]).ok();
                (vec!["deploy"], before, after)
            }
            Action::Rollback => {
                let history = self.kiwi.run(&["history", &self.name, "-o", "json"]).ok().json();
                let was_live = history.as_array().unwrap().iter().filter(|entry| !entry["live_at"].is_null()).nth(1).unwrap();
                let digest = was_live["containers"][0]["digest"].as_str().unwrap();
                let version = docker(&["run", "--rm", "--entrypoint", "sed", digest, "-n", "s/^VERSION = \"\\(.*\\)\"/\\1/p", "app.py"]).remove(0);
                (vec!["rollback"], before, format!("shop {version} {SECRET}"))
            }
        }
    }

    /// Does the action and dies in it; answers whether it died.
    fn die(&mut self, arguments: &[&str], death: Death) -> bool {
        let (effect, moment) = if let Death::Effect(at, moment) = death { (at, moment) } else { (-1, Moment::Before) };
        self.proxy.arm(effect, moment);
        let mut arguments = arguments.to_vec();
        arguments.insert(1, &self.name);
        let mut command = self.kiwi.command(&arguments);
        if let Death::Write(at, moment) = death {
            command.env("KIWI_CRASH_AT", format!("{at}:{}", if moment == Moment::Before { "before" } else { "after" }));
        }
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        self.proxy.aim(child.id());
        if let Death::Time(after) = death {
            std::thread::sleep(after);
            kill("-KILL", child.id());
        }
        let ended = finished(child.wait_with_output().unwrap(), Duration::ZERO);
        self.proxy.arm(-1, Moment::Before);
        ended.code != 0
    }

    /// Everything that an unbroken run leaves, and nothing else.
    fn check(&self, what: &str, before: &str, after: &str) {
        let resumed = self.kiwi.run(&["runs", "resume", "-o", "json"]);
        assert_eq!(resumed.code, 0, "{what}: {} {}", resumed.out, resumed.err);
        let answer = self.answer();
        let history = self.kiwi.run(&["history", &self.name, "-o", "json"]).ok().json();
        let live: Vec<_> = history.as_array().unwrap().iter().filter(|entry| entry["status"] == "live").collect();
        assert_eq!(live.len(), 1, "{what}: {history}");
        assert!(history.as_array().unwrap().iter().all(|entry| entry["status"] != "running"), "{what}: {history}");
        // Killed before the run was written down, it never happened; else it is finished.
        let happened = !resumed.json().as_array().unwrap().is_empty() || answer == after;
        assert_eq!(answer, if happened { after } else { before }, "{what}: {history}");
        let revision = live[0]["revision"].as_u64().unwrap();
        let (name, stem) = (&self.name, format!("kiwi-{}", self.name));
        let mut left = leftovers(&stem);
        left.extend(docker(&["ps", "-a", "--format", "{{.Names}}", "--filter", "name=^kiwi-task-", "--filter", &format!("label=kiwi.dev/service={name}")]));
        left.sort();
        assert_eq!(left, [format!("container {stem}-development-{name}-r{revision}-0"), format!("network {stem}-development")], "{what}");
        let status = self.kiwi.run(&["status", name, "-o", "json"]).ok().json();
        assert_eq!((status["revision"].as_u64(), status["drift"].as_array().unwrap().len()), (Some(revision), 0), "{what}: {status}");
        // The gateway knows the live replica and no other.
        let servers = docker(&["exec", "kiwi-gateway", "cat", &format!("/etc/kiwi/routes/{name}.development.json")]).join("");
        assert!(servers.contains(&format!("\"revision\":{revision},")) && servers.matches("\"address\"").count() == 1, "{what}: {servers}");
        let work = std::fs::read_dir(self.kiwi.data().join("work")).map(|entries| entries.count()).unwrap_or(0);
        assert_eq!(work, 0, "{what}: a temporary folder is left");
        for secret in [TOKEN, SECRET] {
            let found = std::process::Command::new("grep").args(["-rlF", secret]).arg(self.kiwi.data()).output().unwrap();
            assert!(found.stdout.is_empty(), "{what}: {secret} lies in {}", String::from_utf8_lossy(&found.stdout));
        }
    }

    /// How many effects and writes an unbroken action has.
    fn count(&mut self, action: Action) -> (i64, u64) {
        let file = self.kiwi.folder().join("writes");
        let (arguments, _, after) = self.prepare(action);
        self.proxy.arm(-1, Moment::Before);
        let mut all = arguments.clone();
        all.insert(1, &self.name);
        let output = self.kiwi.command(&all).env("KIWI_CRASH_COUNT", &file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(self.answer(), after);
        (self.proxy.effects(), std::fs::read_to_string(file).unwrap().parse().unwrap())
    }

    fn end(self) {
        self.kiwi.run(&["service", "remove", &self.name]).ok();
        assert_eq!(leftovers(&format!("kiwi-{}", self.name)), Vec::<String>::new());
    }
}

/// A small generator, so that a sample is the same in every run.
fn sample_of<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    if all.len() <= count {
        return all.to_vec();
    }
    // Evenly spread points meet every phase; a step that shares no factor with the length meets odd and even ones.
    (0..count).map(|index| all[index * all.len() / count]).collect()
}

fn every_point(action: Action, in_ci: usize) {
    let mut arena = Arena::new();
    if action != Action::Run {
        // A rollback needs something to go back to.
        let (arguments, ..) = arena.prepare(Action::Run);
        let name = arena.name.clone();
        arena.kiwi.run(&[arguments[0], &name]).ok();
    }
    let (effects, writes) = arena.count(action);
    let mut deaths = Vec::new();
    for moment in [Moment::Before, Moment::After] {
        deaths.extend((0..effects).map(|at| Death::Effect(at, moment)));
        deaths.extend((0..writes).map(|at| Death::Write(at, moment)));
    }
    let chosen = if full() { deaths.clone() } else { sample_of(&deaths, in_ci) };
    let (mut died, began) = (0, Instant::now());
    for death in &chosen {
        let (arguments, before, after) = arena.prepare(action);
        died += u32::from(arena.die(&arguments, *death));
        arena.check(&format!("{action:?} killed at {death:?}"), &before, &after);
    }
    println!(
        "FIGURE kill -9 in {action:?}: {effects} effects and {writes} writes, {} of {} points tried, {died} killed, all resumed, {:.0} s",
        chosen.len(),
        deaths.len(),
        began.elapsed().as_secs_f64()
    );
    arena.end();
}

#[test]
fn killed_in_a_run() {
    every_point(Action::Run, 14);
}

#[test]
fn killed_in_a_deployment() {
    every_point(Action::Deploy, 6);
}

#[test]
fn killed_in_a_rollback() {
    every_point(Action::Rollback, 6);
}

#[test]
fn killed_at_random_times() {
    let mut arena = Arena::new();
    let (began, count) = (Instant::now(), if full() { 30 } else { 5 });
    let mut died = 0;
    // A fixed seed: what fails once fails again, as far as time allows.
    let mut seed: u64 = 20_261_121;
    // A time may come after the end; it does not count.
    for round in 0.. {
        if died == count {
            break;
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after_ms = (seed >> 33) % 2000;
        let (arguments, before, after) = arena.prepare(Action::Run);
        died += u32::from(arena.die(&arguments, Death::Time(Duration::from_millis(after_ms))));
        arena.check(&format!("round {round}, killed after {after_ms} ms"), &before, &after);
    }
    println!("FIGURE kill -9 at random times: {died} killed, all resumed, {:.0} s", began.elapsed().as_secs_f64());
    arena.end();
}

/// Not in the middle of a write to SQLite: it would keep the lock, and everybody would wait for it, whatever leases say.
fn put_to_sleep(process: u32) {
    kill("-STOP", process);
    std::thread::sleep(Duration::from_millis(20));
    while holds_a_write_lock(process) {
        kill("-CONT", process);
        std::thread::sleep(Duration::from_millis(3));
        kill("-STOP", process);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// By proc_locks(5): `number: kind mandatory access process device:inode from to`.
fn holds_a_write_lock(process: u32) -> bool {
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|lock| {
        let fields: Vec<&str> = lock.split_whitespace().collect();
        fields.get(1) == Some(&"POSIX") && fields.get(3) == Some(&"WRITE") && fields.get(4) == Some(&process.to_string().as_str())
    })
}

#[test]
fn a_worker_that_slept_past_its_lease_changes_nothing() {
    let mut arena = Arena::new();
    let (arguments, _, _) = arena.prepare(Action::Run);
    let name = arena.name.clone();
    let began = Instant::now();
    for asleep_at in if full() { vec![150, 300, 450, 600, 800, 1000, 1200] } else { vec![300, 800] } {
        let sleeper = arena.kiwi.start(&[arguments[0], &name]);
        std::thread::sleep(Duration::from_millis(asleep_at));
        put_to_sleep(sleeper.id());
        std::thread::sleep(Duration::from_millis(1500));
        let resumed = arena.kiwi.run(&["runs", "resume", "-o", "json"]).ok();
        // Something newer than what the sleeper works on.
        let (arguments, _, after) = arena.prepare(Action::Run);
        arena.kiwi.run(&[arguments[0], &name]).ok();
        kill("-CONT", sleeper.id());
        let woken = finished(sleeper.wait_with_output().unwrap(), Duration::ZERO);
        arena.check(&format!("asleep at {asleep_at} ms, woke with {} {}, resumed {}", woken.code, woken.err, resumed.out), &after, &after);
    }
    println!("FIGURE SIGSTOP past the lease: the newer release stays live each time, {:.0} s", began.elapsed().as_secs_f64());
    arena.end();
}
