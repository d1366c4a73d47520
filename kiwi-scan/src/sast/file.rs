//! One file.

use super::disguise;
use super::flow::{self, Found};
use super::language::{Dialect, Node, Tree};
use super::rule::Index;
use std::time::{Duration, Instant};

/// Larger files are not source that a person wrote.
pub(super) const LARGEST_FILE: u64 = 2 << 20;
/// So long may one file take, parsing and following each.
const LONGEST: Duration = Duration::from_secs(10);

/// What a file holds, and what of it was not understood.
pub(super) struct Looked {
    pub(super) found: Found,
    pub(super) tree: Tree,
    /// The first line that is no code of its language.
    pub(super) broken: Option<usize>,
    /// The first line that is something else than it shows, and what.
    pub(super) disguised: Option<(usize, &'static str)>,
}

/// Looks through a file; else why it could not be parsed.
pub(super) fn look(index: &Index, dialect: Dialect, text: String) -> Result<Looked, &'static str> {
    let text = disguise::with_lines(dialect, text);
    let Some(tree) = dialect.parse(text, Instant::now() + LONGEST) else { return Err("parsing it takes too long") };
    let found = flow::follow(index, &tree, Instant::now() + LONGEST);
    let broken = tree.root().get_inner_node().has_error().then(|| first_error(&tree.root()));
    let disguised = disguise::find(dialect, &tree.root().get_doc().src, &tree.root());
    Ok(Looked { found, tree, broken, disguised })
}

fn first_error(root: &Node<'_>) -> usize {
    let mut node = root.clone();
    // Down to the smallest node that has the error.
    loop {
        let inner = node.children().find(|child| child.get_inner_node().has_error());
        match inner {
            Some(child) if !child.is_error() && !child.is_missing() => node = child,
            Some(child) => return child.start_pos().line() + 1,
            None => return node.start_pos().line() + 1,
        }
    }
}
