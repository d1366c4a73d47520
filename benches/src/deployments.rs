//! A deployment's own time, without pull, application start and drain.

use crate::{median, row};
use kiwi_tests::command::{Kiwi, unique};
use kiwi_tests::git::GitHost;
use kiwi_tests::sample;
use serde_json::Value;
use std::process::Command;
use std::time::Instant;

pub(crate) fn measure() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    sample::write(repository.folder(), "1");
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime();
    let name = unique("bench");
    kiwi.run(&["service", "register", &name, "--git", &host.url("shop"), "--port", "8080", "--health", "/"]).ok();
    kiwi.run(&["run", &name]).ok();
    let (mut to_switch, mut whole, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..9 {
        let run = kiwi.run(&["restart", &name]).ok();
        whole.push(run.took.as_secs_f64());
        let id = kiwi.run(&["runs", "list", "--limit", "1", "-o", "json"]).ok().json()[0]["run"].as_str().unwrap().to_owned();
        let events = kiwi.run(&["events", &id, "-o", "json"]).ok().out;
        let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let millis = |event: &Value| serde_json::from_value::<kiwi_core::domain::Timestamp>(event["at"].clone()).unwrap().as_millis();
        let begin = events.iter().find(|event| event["event"] == "stage" && event["stage"] == "deploy").map(millis).unwrap();
        let live = events.iter().find(|event| event["message"].as_str().is_some_and(|text| text.contains("is live"))).map(millis).unwrap();
        to_switch.push((live - begin) as f64 / 1000.0);
        starts.push(application_start());
    }
    let (switch, start) = (median(&mut to_switch), median(&mut starts));
    row("a deployment from its begin to the switch, application start included, median of 9", &format!("{switch:.2} s"));
    row("the sample application's own start, from process to first answer, median of 9", &format!("{start:.2} s"));
    row("the same without the application's start", &format!("{:.2} s", switch - start));
    row("`kiwi restart` as a whole, with drain, stop and removal, median of 9", &format!("{:.2} s", median(&mut whole)));
    kiwi.run(&["service", "remove", &name]).ok();
}

/// How long the sample takes to listen, on this machine and without a container.
fn application_start() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    sample::write(folder.path(), "1");
    let began = Instant::now();
    let mut child = Command::new("python3").arg(folder.path().join("app.py")).env("PORT", "20997").stdout(std::process::Stdio::null()).spawn().unwrap();
    while std::net::TcpStream::connect("127.0.0.1:20997").is_err() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let took = began.elapsed().as_secs_f64();
    child.kill().unwrap();
    child.wait().unwrap();
    took
}
