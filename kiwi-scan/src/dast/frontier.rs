//! Which addresses are still to be read, and in which order.

use super::findings::clip;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use url::{Origin, Url};

/// Longer addresses are made to be endless.
const LONGEST_ADDRESS: usize = 2000;
/// Addresses of one shape wait behind others in groups of this many.
const GROUP: usize = 5;
/// So many addresses are remembered; more are only counted.
const MOST_REMEMBERED: usize = 100_000;
/// A GET of these may end a session or change something, whatever it should do.
const CHANGING: [&str; 24] = [
    "logout",
    "logoff",
    "signout",
    "signoff",
    "delete",
    "remove",
    "destroy",
    "drop",
    "erase",
    "purge",
    "unsubscribe",
    "deactivate",
    "disable",
    "revoke",
    "terminate",
    "shutdown",
    "restart",
    "reboot",
    "reset",
    "cancel",
    "kill",
    "uninstall",
    "wipe",
    "truncate",
];

/// What an address promises; the first is read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Promise {
    Page,
    File,
}

/// Promise, how many groups of the same shape come before, depth, and the order in which they came.
type Place = (Promise, usize, usize, usize);

#[derive(Debug)]
pub(super) struct Frontier {
    origin: Origin,
    depth: usize,
    most_waiting: usize,
    waiting: BTreeMap<Place, Url>,
    known: HashSet<u64>,
    shapes: HashMap<u64, usize>,
    /// Addresses that would lead too deep; the first and how many.
    pub(super) deep: (Option<String>, usize),
    /// Addresses that did not fit into the queue or are too long.
    pub(super) dropped: usize,
    /// Paths that may change something.
    pub(super) changing: BTreeSet<String>,
    /// Other origins that redirects lead to.
    pub(super) elsewhere: BTreeSet<String>,
}

impl Frontier {
    pub(super) fn new(start: &Url, depth: usize, most_pages: usize) -> Self {
        Self {
            origin: start.origin(),
            depth,
            most_waiting: most_pages.saturating_mul(4).saturating_add(100),
            waiting: BTreeMap::new(),
            known: HashSet::new(),
            shapes: HashMap::new(),
            deep: (None, 0),
            dropped: 0,
            changing: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
        }
    }

    /// The address that was named: it is read whatever it promises.
    pub(super) fn start(&mut self, url: &Url) {
        self.insert(url, Promise::Page, 0);
    }

    /// An address that something leads to, `depth` steps from the start. Of another origin, it is not read.
    pub(super) fn offer(&mut self, url: &Url, promise: Promise, depth: usize) {
        if url.origin() != self.origin || !url.username().is_empty() || url.password().is_some() {
            return;
        }
        if may_change(url) {
            if self.changing.len() < 100 {
                self.changing.insert(clip(url.path()));
            }
        } else if depth > self.depth {
            if !self.known.contains(&fingerprint(url.as_str())) {
                self.deep = (self.deep.0.take().or_else(|| Some(clip(url.path()))), self.deep.1 + 1);
            }
        } else {
            self.insert(url, promise, depth);
        }
    }

    fn insert(&mut self, url: &Url, promise: Promise, depth: usize) {
        let mut url = url.clone();
        url.set_fragment(None);
        let known = fingerprint(url.as_str());
        if self.known.contains(&known) {
            return;
        }
        if url.as_str().len() > LONGEST_ADDRESS || self.known.len() >= MOST_REMEMBERED || self.waiting.len() >= self.most_waiting {
            self.dropped += 1;
            return;
        }
        self.known.insert(known);
        let of_shape = self.shapes.entry(fingerprint(&shape(&url))).or_default();
        let place = (promise, *of_shape / GROUP, depth, self.known.len());
        *of_shape += 1;
        self.waiting.insert(place, url);
    }

    /// The next address and how deep it is.
    pub(super) fn next(&mut self) -> Option<(Url, usize)> {
        self.waiting.pop_first().map(|((_, _, depth, _), url)| (url, depth))
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len() + self.dropped
    }
}

fn fingerprint(text: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    hash.finish()
}

/// What pages of one kind have in common: the path with numbers and hashes left out, and the names of parameters.
pub(super) fn shape(url: &Url) -> String {
    let segment = |segment: &str| if segment.bytes().any(|byte| byte.is_ascii_digit()) { "#".to_owned() } else { segment.to_owned() };
    let path: Vec<String> = url.path().split('/').map(segment).collect();
    let names: BTreeSet<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    format!("{}?{}", path.join("/"), names.into_iter().collect::<Vec<_>>().join("&"))
}

/// Whether one of an address's words says that it does something.
pub(super) fn may_change(url: &Url) -> bool {
    let text = format!("{}/{}", url.path(), url.query().unwrap_or_default());
    is_changing(&percent_decoded(&text))
}

/// Whether one of a text's words says that it does something: `sign-out`, `logOut` and `delete_all` do, `deleted` does not.
pub(super) fn is_changing(text: &str) -> bool {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for character in text.chars() {
        if character.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.extend(character.to_lowercase());
        before = character;
    }
    let words: Vec<&str> = spaced.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2).map(|pair| format!("{}{}", pair[0], pair[1]));
    words.iter().any(|word| CHANGING.contains(word)) || pairs.into_iter().any(|pair| CHANGING[..4].contains(&pair.as_str()))
}

fn percent_decoded(text: &str) -> String {
    url::form_urlencoded::parse(text.replace(['&', '='], "/").as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frontier() -> Frontier {
        Frontier::new(&"http://h/".parse().unwrap(), 3, 10)
    }

    fn offer(frontier: &mut Frontier, address: &str, depth: usize) {
        frontier.offer(&address.parse().unwrap(), Promise::Page, depth);
    }

    #[test]
    fn what_may_change_something_is_not_read() {
        for address in ["logout", "user/sign-out", "logOut", "a?do=log_out", "x?action=Delete", "items/3/delete", "admin/%64elete"] {
            assert!(may_change(&format!("http://h/{address}").parse().unwrap()), "{address}");
        }
        for address in ["login", "blog/outside", "deleted-items", "cancellation", "dropdown", "?q=presets"] {
            assert!(!may_change(&format!("http://h/{address}").parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn other_origins_and_fragments_add_nothing() {
        let mut frontier = frontier();
        for address in ["https://h/", "http://h:81/", "http://other/", "http://u:p@h/", "http://h/a#x", "http://h/a#y", "http://h/a"] {
            offer(&mut frontier, address, 1);
        }
        assert_eq!(frontier.waiting(), 1);
        offer(&mut frontier, "http://h/deep", 4);
        assert_eq!((frontier.waiting(), frontier.deep.clone()), (1, (Some("/deep".to_owned()), 1)));
    }

    #[test]
    fn a_trap_waits_behind_other_pages() {
        let mut frontier = frontier();
        (0..50).for_each(|page| offer(&mut frontier, &format!("http://h/calendar/{page}?m={page}"), 1));
        offer(&mut frontier, "http://h/about", 2);
        let order: Vec<String> = std::iter::from_fn(|| frontier.next()).map(|(url, _)| url.path().to_owned()).collect();
        assert_eq!(order.iter().position(|path| path == "/about"), Some(GROUP));
        (0..10_000).for_each(|page| offer(&mut frontier, &format!("http://h/{page}/x"), 1));
        assert!(frontier.waiting.len() <= 140 && frontier.dropped > 9000);
    }
}
