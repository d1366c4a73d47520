//! The command itself: start, listing, size, memory.

use crate::{median, row};
use kiwi_core::provider::store::ServiceStore as _;
use kiwi_store::{KeySource, SqliteStore};
use kiwi_tests::command::{Kiwi, program};
use std::process::Command;

pub(crate) fn measure() {
    let kiwi = Kiwi::new();
    let mut start: Vec<f64> = (0..21).map(|_| kiwi.run(&["--version"]).took.as_secs_f64() * 1000.0).collect();
    row("`kiwi --version`, median of 21", &format!("{:.1} ms", median(&mut start)));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&kiwi.data(), KeySource::File(kiwi.folder().join("key"))).await.unwrap();
        for index in 0..10_000 {
            store.insert_service(&kiwi_tests::contract::store::service(&format!("service-{index:05}"))).await.unwrap();
        }
    });
    let mut list: Vec<f64> = (0..11).map(|_| kiwi.run(&["service", "list"]).ok().took.as_secs_f64() * 1000.0).collect();
    row("`kiwi service list` with 10,000 services, median of 11", &format!("{:.0} ms", median(&mut list)));
    row("peak memory of it", &format!("{:.1} MiB", peak(&kiwi, &["service", "list"])));
    row("peak memory of `kiwi --version`", &format!("{:.1} MiB", peak(&kiwi, &["--version"])));
    row("size of the binary", &format!("{:.1} MiB", std::fs::metadata(program("kiwi")).unwrap().len() as f64 / f64::from(1 << 20)));
}

/// The largest resident size of a command, in MiB, as the kernel counted it.
pub(crate) fn peak(kiwi: &Kiwi, arguments: &[&str]) -> f64 {
    let command = kiwi.command(arguments);
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M"]).arg(command.get_program()).args(command.get_args());
    timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = timed.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().last().unwrap().trim().parse::<f64>().unwrap() / 1024.0
}
