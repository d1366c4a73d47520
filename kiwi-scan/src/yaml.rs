//! Documents of YAML that nobody trusts, up to the size that their readers allow.

use serde_json::Value;
use serde_saphyr::{Error, budget, from_str_with_options, options};

/// The largest lockfiles have some million values. The library's limits for aliases and depth stay: what multiplies is refused long before.
const MOST_NODES: usize = 20_000_000;
const MOST_BYTES: usize = 256 << 20;

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Value, Error> {
    // Each node has an event, and each list and map another at its end.
    from_str_with_options(text, options! { budget: budget! { max_nodes: MOST_NODES, max_events: 2 * MOST_NODES, max_total_scalar_bytes: MOST_BYTES } })
}

/// The documents of a file, which are apart by a line of three hyphens; at least one.
pub(crate) fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix("---\n").unwrap_or(text).split("\n---\n")
}
