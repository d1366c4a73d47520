//! `kiwi serve`: from its start to its first answer, and what it holds when it has nothing to do.

use crate::{median, row};
use kiwi_tests::command::Kiwi;
use kiwi_tests::server::Server;
use std::time::{Duration, Instant};

pub(crate) fn measure() {
    let kiwi = Kiwi::new();
    // The first start makes the database.
    drop(Server::start(&kiwi));
    let mut starts: Vec<f64> = (0..11).map(|_| start(&kiwi)).collect();
    row("`kiwi serve`, from its start to ready, median of 11", &format!("{:.0} ms", median(&mut starts)));
    let server = Server::start(&kiwi);
    std::thread::sleep(Duration::from_secs(3));
    row("memory of `kiwi serve` when idle", &format!("{:.1} MiB", server.memory()));
}

fn start(kiwi: &Kiwi) -> f64 {
    let began = Instant::now();
    let server = Server::start(kiwi);
    while !server.is_ready() {
        std::thread::sleep(Duration::from_millis(2));
    }
    began.elapsed().as_secs_f64() * 1000.0
}
