//! Measures what the report of `tests/run.sh --full` shows: builds against the docker command by hand, a deployment's own time, and
//! the command itself. Prints figures; judges nothing. Run it from a release build, with an engine and the base images.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench ends by panicking, and prints")]

mod builds;
mod command;
mod deployments;

fn main() {
    println!("| figure | value |\n| --- | --- |");
    command::measure();
    deployments::measure();
    builds::measure();
}

/// One row of the report.
fn row(figure: &str, value: &str) {
    println!("| {figure} | {value} |");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
