//! Parameters that were seen, for probes.

use super::frontier::shape;
use std::collections::BTreeMap;
use url::Url;

/// No more are probed.
const MOST_PARAMETERS: usize = 100;

/// A parameter and an address that has it.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) url: Url,
    pub(super) name: String,
}

impl Parameter {
    /// The address with another value of the parameter.
    pub(super) fn with(&self, value: &str) -> Url {
        let pairs: Vec<(String, String)> = self.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let mut url = self.url.clone();
        let pairs = pairs.iter().map(|(name, own)| (name.as_str(), if *name == self.name { value } else { own.as_str() }));
        url.query_pairs_mut().clear().extend_pairs(pairs);
        url
    }
}

#[derive(Debug, Default)]
pub(super) struct Parameters {
    seen: BTreeMap<(String, String), Parameter>,
    /// Parameters that were too many.
    pub(super) over: usize,
}

impl Parameters {
    /// Notes the parameters of an address. Pages of one kind count as one.
    pub(super) fn see(&mut self, url: &Url) {
        let mut bare = url.clone();
        bare.set_query(None);
        bare.set_fragment(None);
        let path = shape(&bare);
        for (name, _) in url.query_pairs() {
            let key = (path.clone(), name.clone().into_owned());
            if self.seen.contains_key(&key) {
                continue;
            }
            if self.seen.len() >= MOST_PARAMETERS {
                self.over += 1;
                continue;
            }
            self.seen.insert(key, Parameter { url: url.clone(), name: name.into_owned() });
        }
    }

    pub(super) fn all(&self) -> Vec<Parameter> {
        self.seen.values().cloned().collect()
    }
}
