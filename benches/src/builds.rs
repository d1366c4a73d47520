//! The build stage beside the same build by hand, in turn: BuildKit against BuildKit, classic against classic.

use crate::{median, row};
use kiwi_tests::command::{Kiwi, unique};
use kiwi_tests::git::{GitHost, Repository};
use std::io::BufRead as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const ROUNDS: usize = 5;

/// Debian's own docker command speaks BuildKit without a plug-in; a newer one elsewhere on the path may not.
fn docker() -> &'static str {
    if Path::new("/usr/bin/docker").exists() { "/usr/bin/docker" } else { "docker" }
}

struct Pair {
    _host: GitHost,
    repository: Repository,
    kiwi: Kiwi,
    name: String,
    buildkit: bool,
}

pub(crate) fn measure() {
    for buildkit in [true, false] {
        let builder = if buildkit { "BuildKit" } else { "classic" };
        let small = pair(buildkit, 0);
        small.compare(&format!("{builder}, small context, cold"), true);
        small.compare(&format!("{builder}, small context, warm"), false);
        let large = pair(buildkit, 500);
        large.compare(&format!("{builder}, 500 MB in files of 1 MB, one file changed"), true);
        large.compare(&format!("{builder}, 500 MB in files of 1 MB, nothing changed"), false);
        let (fetch, stage) = large.memory();
        row(&format!("{builder}: kiwi's peak memory in the build stage, 500 MB context"), &format!("{stage:.1} MiB"));
        row("its peak in the fetch before", &format!("{fetch:.1} MiB"));
    }
}

fn pair(buildkit: bool, files: usize) -> Pair {
    let host = GitHost::start(None);
    let repository = host.create("big");
    let dockerfile = "FROM debian:bookworm-slim\nCOPY . /app\nRUN sleep 1 && cat /app/salt\n";
    std::fs::write(repository.folder().join("Dockerfile"), dockerfile).unwrap();
    std::fs::write(repository.folder().join(".dockerignore"), ".git\n").unwrap();
    std::fs::write(repository.folder().join("salt"), "0").unwrap();
    let mut state: u64 = 1;
    for index in 0..files {
        // Not compressible, as images and archives are.
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as u8
        })
        .take(1 << 20)
        .collect();
        std::fs::write(repository.folder().join(format!("file-{index}")), bytes).unwrap();
    }
    repository.push("main");
    let kiwi = Kiwi::new().env("KIWI_DOCKER_BUILDER", if buildkit { "buildkit" } else { "classic" }).with_runtime();
    let name = unique("big");
    kiwi.run(&["service", "register", &name, "--git", &host.url("big")]).ok();
    Pair { _host: host, repository, kiwi, name, buildkit }
}

impl Pair {
    fn salt(&self) {
        std::fs::write(self.repository.folder().join("salt"), unique("salt")).unwrap();
    }

    /// Checks the tree out once more and leaves the disk as much to write as kiwi's fetch did just before its build stage: without this, the engine
    /// would share the disk with what is still on its way there on one side alone.
    fn check_out(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        let prefix = format!("--prefix={}/", copy.path().display());
        let status = Command::new("git").args(["checkout-index", "--all", &prefix]).current_dir(self.repository.folder()).status().unwrap();
        assert!(status.success());
        copy
    }

    fn by_hand(&self) -> f64 {
        let began = Instant::now();
        let status = Command::new(docker())
            .args(["build", "--quiet", "--tag", &format!("by-hand/{}", self.name), "."])
            .env("DOCKER_BUILDKIT", if self.buildkit { "1" } else { "0" })
            .current_dir(self.repository.folder())
            .output()
            .unwrap();
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
        began.elapsed().as_secs_f64()
    }

    fn by_kiwi(&self) -> f64 {
        self.kiwi.run(&["build", &self.name, "-o", "json"]).ok().json()["seconds"].as_f64().unwrap()
    }

    /// The largest resident size before the build stage and in it, in MiB.
    fn memory(&self) -> (f64, f64) {
        self.salt();
        self.repository.push("main");
        let mut child = self.kiwi.start(&["build", &self.name]);
        let (building, status) = (AtomicBool::new(false), format!("/proc/{}/status", child.id()));
        let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        let (mut fetch, mut stage) = (0.0, 0.0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for line in stderr.lines().map_while(Result::ok) {
                    if line == "build" {
                        building.store(true, Ordering::Relaxed);
                    }
                }
            });
            while child.try_wait().unwrap().is_none() {
                let text = std::fs::read_to_string(&status).unwrap_or_default();
                let resident =
                    text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0;
                let peak = if building.load(Ordering::Relaxed) { &mut stage } else { &mut fetch };
                *peak = f64::max(*peak, resident);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        (fetch, stage)
    }

    fn compare(&self, what: &str, cold: bool) {
        // Once each, uncounted: both have then sent everything before.
        self.by_hand();
        self.by_kiwi();
        let (mut hand, mut kiwi) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            if cold {
                self.salt();
            }
            let checked_out = self.check_out();
            hand.push(self.by_hand());
            drop(checked_out);
            if cold {
                self.salt();
                self.repository.push("main");
            }
            kiwi.push(self.by_kiwi());
        }
        let (hand, kiwi) = (median(&mut hand), median(&mut kiwi));
        row(&format!("{what}: build stage / by hand, medians of {ROUNDS}"), &format!("{kiwi:.2} s / {hand:.2} s = {:.2}", kiwi / hand));
    }
}
