//! Measures what the report of `tests/run.sh --full` shows: builds against the docker command by hand, a deployment's own time, and
//! the command itself. Prints figures; judges nothing. Run it from a release build, with an engine and the base images; `kiwi-figures
//! builds` measures one part alone.

#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a bench ends by panicking, and prints")]

mod appends;
mod builds;
mod command;
mod database;
mod deployments;
mod followers;
mod intake;
mod kubernetes;
mod sast;
mod scan;
mod serve;
mod webhooks;
mod wizard;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("intake-server") {
        return intake::serve(&std::env::args().skip(2).collect::<Vec<_>>());
    }
    println!("| figure | value |\n| --- | --- |");
    let only = std::env::args().nth(1);
    for (name, measure) in [
        ("command", command::measure as fn()),
        ("database", database::measure),
        ("appends", appends::measure),
        ("deployments", deployments::measure),
        ("builds", builds::measure),
        ("webhooks", webhooks::measure),
        ("intake", intake::measure),
        ("wizard", wizard::measure),
        ("kubernetes", kubernetes::measure),
        ("scan", scan::measure),
        ("sast", sast::measure),
        ("serve", serve::measure),
        ("followers", followers::measure),
    ] {
        if only.as_deref().is_none_or(|only| only == name) {
            measure();
        }
    }
}

/// One row of the report.
fn row(figure: &str, value: &str) {
    println!("| {figure} | {value} |");
}

/// The median and the 99th percentile of durations, as a row tells them.
fn percentiles(took: &[std::time::Duration]) -> String {
    let mut sorted = took.to_vec();
    sorted.sort();
    let millis = |percent: usize| sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p99 {:.2} ms", millis(50), millis(99))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
