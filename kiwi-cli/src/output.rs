//! Printing results and errors. JSON goes to standard output alone; everything that is not the result goes to standard error.

use crate::args::Output;
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::pipeline::events::{one_line, printable};
use serde::Serialize;
use std::io::Write as _;
use std::sync::Mutex;

/// Why a part of the result could not be written, if one could not.
static LOST: Mutex<Option<std::io::Error>> = Mutex::new(None);

pub(crate) fn error(error: &Error) {
    let mut err = std::io::stderr().lock();
    // A closed pipe must not turn an error into a panic.
    let _ = writeln!(err, "error: {}", plain(&error.chain().to_string()));
    for line in error.log() {
        let _ = writeln!(err, "  | {}", plain(line));
    }
    let _ = writeln!(err, "hint: {}", plain(error.hint()));
}

/// Names, messages and descriptions come from servers that anybody may run; none of them may move a terminal's cursor.
fn plain(text: &str) -> String {
    text.lines().map(|line| printable(line.as_bytes())).collect::<Vec<_>>().join("\n")
}

pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", plain(text));
}

pub(crate) fn line(text: &str) {
    let written = writeln!(std::io::stdout().lock(), "{text}");
    // `kiwi logs | head` ends the pipe before the command; that is no failure.
    if let Some(error) = written.err().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe)
        && let Ok(mut lost) = LOST.lock()
    {
        lost.get_or_insert(error);
    }
}

/// The failure of a command whose result could not be written.
pub(crate) fn lost() -> Option<Error> {
    let error = LOST.lock().ok()?.take()?;
    Some(
        Error::new(ErrorKind::Storage, "write result", "standard output cannot be written")
            .with_source(error)
            .with_hint("the command itself is done; is the disk full?"),
    )
}

pub(crate) fn json<T: Serialize>(value: &T) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&text),
        Err(error) => note(&format!("error: the result cannot be written as JSON: {error}")),
    }
}

/// Objects as documents of YAML.
pub(crate) fn yaml(objects: &[serde_json::Value]) -> String {
    let documents = objects.iter().filter_map(|object| serde_saphyr::to_string(object).ok());
    documents.map(|text| format!("---\n{}\n", text.trim_start_matches("---\n").trim_end())).collect()
}

/// A value as JSON, or what `table` makes of it.
pub(crate) fn result<T: Serialize>(output: Output, value: &T, table: impl FnOnce() -> String) {
    match output {
        Output::Json => json(value),
        Output::Table => {
            let text = plain(&table());
            if !text.is_empty() {
                line(text.trim_end());
            }
        }
    }
}

/// Rows under a header, in columns as wide as their widest cell.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    // Before the widths are known: what is not shown takes no room, and a line end would break the table.
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        // Not by a format's width, which ends at 65,535.
        let pad = |(cell, width): (&&str, &usize)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())));
        let padded: Vec<_> = cells.iter().zip(&widths).map(pad).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let head = header.iter().map(|cell| cell.to_uppercase()).collect::<Vec<_>>();
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(line(head.iter().map(String::as_str).collect())).chain(body).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use kiwi_core::provider::Runtime as _;
    use kiwi_runtime::kubernetes::{Cluster, KubernetesConfig, KubernetesRuntime};

    #[test]
    fn the_packaged_roles_are_what_kiwi_prints() {
        let cluster = Cluster::new(KubernetesConfig::default()).unwrap();
        let printed = super::yaml(&KubernetesRuntime::new(cluster).rbac());
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/kubernetes/access.yaml");
        if std::env::var_os("KIWI_WRITE_DOCS").is_some() {
            std::fs::write(path, &printed).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), printed, "write it anew with KIWI_WRITE_DOCS=1");
    }
}
