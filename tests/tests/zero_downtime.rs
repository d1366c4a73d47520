//! No request is lost while a service is deployed, reconfigured, restarted, scaled and rolled back. In CI a few rounds; with
//! KIWI_TEST_FULL=yes at least 25 switches and 20,000 requests, near and far.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends by panicking, and prints its figures")]

use kiwi_tests::command::{Kiwi, unique};
use kiwi_tests::git::{GitHost, Repository};
use kiwi_tests::load::{Load, Plan, Tally};
use kiwi_tests::sample;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn full() -> bool {
    std::env::var("KIWI_TEST_FULL").is_ok_and(|value| value == "yes")
}

struct Shop {
    _host: GitHost,
    repository: Repository,
    kiwi: Kiwi,
    name: String,
    port: u16,
}

fn shop(extra: &[&str]) -> Shop {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    sample::write(repository.folder(), "0");
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique("zero");
    let url = host.url("shop");
    let mut arguments = vec!["service", "register", &name, "--git", &url, "--port", "8080", "--health", "/"];
    if !extra.contains(&"--drain") {
        arguments.extend(["--drain", "20"]);
    }
    arguments.extend(extra);
    kiwi.run(&arguments).ok();
    let run = kiwi.run(&["run", &name, "-o", "json"]).ok().json();
    let port = run["url"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    Shop { _host: host, repository, kiwi, name, port }
}

/// Every way to change what runs, round after round; returns how many switches there were.
fn mutate(shop: &Shop, rounds: u32) -> u32 {
    let run = |arguments: &[&str]| {
        shop.kiwi.run(arguments).ok();
    };
    for round in 0..rounds {
        sample::write(shop.repository.folder(), &format!("{round}-a"));
        shop.repository.push("main");
        run(&["run", &shop.name]);
        run(&["config", &shop.name, "--set", &format!("GREETING=round-{round}")]);
        run(&["restart", &shop.name]);
        run(&["scale", &shop.name, "--replicas", "3"]);
        run(&["scale", &shop.name, "--replicas", "1"]);
        run(&["rollback", &shop.name]);
    }
    rounds * 6
}

fn report(what: &str, switches: u32, tally: &Arc<Tally>, took: Duration) {
    let (answered, slow, failed) = (tally.answered.load(Ordering::Relaxed), tally.slow.load(Ordering::Relaxed), tally.failed.load(Ordering::Relaxed));
    println!("FIGURE {what}: {failed} failed of {} requests ({slow} of 3 s) over {switches} switches in {:.0} s", answered + failed, took.as_secs_f64());
    for reason in tally.reasons.lock().unwrap().iter() {
        println!("  {reason}");
    }
}

fn lossless(what: &str, plan: Plan) {
    let shop = shop(&[]);
    let (began, load) = (Instant::now(), Load::start(shop.port, plan));
    let mut switches = mutate(&shop, if full() { 5 } else { 1 });
    while full() && load.answered() < 20_000 {
        switches += mutate(&shop, 1);
    }
    let tally = load.finish();
    report(what, switches, &tally, began.elapsed());
    shop.kiwi.run(&["service", "remove", &shop.name]).ok();
    assert_eq!(tally.failed.load(Ordering::Relaxed), 0);
    assert!(tally.slow.load(Ordering::Relaxed) > 0);
}

#[test]
fn clients_on_the_spot_lose_nothing() {
    lossless("clients on the spot", Plan::near());
}

#[test]
fn clients_far_away_lose_nothing() {
    lossless("clients 25 ms away", Plan::far());
}

/// The same test must be able to fail: without draining, requests are lost.
#[test]
fn the_control_without_draining_loses_requests() {
    let shop = shop(&["--drain", "0", "--stop-grace", "0"]);
    let (began, load) = (Instant::now(), Load::start(shop.port, Plan { slow: 20, ..Plan::near() }));
    let switches = mutate(&shop, 1);
    let tally = load.finish();
    report("control without draining", switches, &tally, began.elapsed());
    shop.kiwi.run(&["service", "remove", &shop.name]).ok();
    assert!(tally.failed.load(Ordering::Relaxed) > 0, "the control lost nothing, so the test proves nothing");
}

/// Another service's first deployment reloads the gateway; that must cost this one nothing.
#[test]
fn a_neighbour_s_new_route_loses_nothing() {
    let shop = shop(&[]);
    let (began, load) = (Instant::now(), Load::start(shop.port, Plan::far()));
    let rounds = if full() { 5 } else { 2 };
    let mut switches = 0;
    for _ in 0..rounds {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let neighbour = self::shop(&[]);
                neighbour.kiwi.run(&["service", "remove", &neighbour.name]).ok();
            });
            shop.kiwi.run(&["restart", &shop.name]).ok();
            shop.kiwi.run(&["restart", &shop.name]).ok();
        });
        switches += 2;
    }
    let tally = load.finish();
    report("while neighbours come and go", switches, &tally, began.elapsed());
    shop.kiwi.run(&["service", "remove", &shop.name]).ok();
    assert_eq!(tally.failed.load(Ordering::Relaxed), 0);
}

/// A database's protocol: Redis, from Debian's package, with clients that keep a connection for a while.
#[test]
fn a_tcp_service_is_switched_too() {
    let host = GitHost::start(None);
    let repository = host.create("redis");
    // The real image has no redis; installing it there, and finding it here, is the same step.
    let dockerfile = "FROM debian:bookworm-slim\nRUN command -v redis-server || { apt-get update && apt-get install -y --no-install-recommends redis-server; }\nUSER 10001:10001\nCMD [\"redis-server\", \"--bind\", \"0.0.0.0\", \"--protected-mode\", \"no\", \"--save\", \"\", \"--dir\", \"/tmp\"]\n";
    std::fs::write(repository.folder().join("Dockerfile"), dockerfile).unwrap();
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique("redis");
    kiwi.run(&["service", "register", &name, "--git", &host.url("redis"), "--port", "6379", "--protocol", "tcp", "--drain", "20"]).ok();
    let run = kiwi.run(&["run", &name, "-o", "json"]).ok().json();
    let port: u16 = run["url"].as_str().unwrap().strip_prefix("tcp://127.0.0.1:").unwrap().parse().unwrap();
    let (stop, done, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let switches = if full() { 10 } else { 2 };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match session(port) {
                        Ok(commands) => done.fetch_add(commands, Ordering::Relaxed),
                        Err(_) => failed.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
        for _ in 0..switches {
            kiwi.run(&["restart", &name]).ok();
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!(
        "FIGURE tcp service (redis): {} failed sessions, {} commands over {switches} switches in {:.0} s",
        failed.load(Ordering::Relaxed),
        done.load(Ordering::Relaxed),
        began.elapsed().as_secs_f64()
    );
    kiwi.run(&["service", "remove", &name]).ok();
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    assert!(done.load(Ordering::Relaxed) > 100);
}

/// One connection: writes, reads back, and leaves.
fn session(port: u16) -> std::io::Result<u64> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut commands = 0;
    for round in 0..50 {
        let mut expect = |command: &str, answer: &str| -> std::io::Result<()> {
            stream.write_all(command.as_bytes())?;
            let mut got = vec![0; answer.len()];
            stream.read_exact(&mut got)?;
            if got == answer.as_bytes() { Ok(()) } else { Err(std::io::Error::other("another answer")) }
        };
        expect(&format!("SET key{round} value\r\n"), "+OK\r\n")?;
        expect(&format!("GET key{round}\r\n"), "$5\r\nvalue\r\n")?;
        commands += 2;
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(commands)
}
