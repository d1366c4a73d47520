//! The API's JSON (<https://google.github.io/osv.dev/post-v1-querybatch/>).

use super::Query;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(super) struct Batch<'a> {
    queries: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    package: Package<'a>,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Package<'a> {
    ecosystem: &'a str,
    name: &'a str,
}

impl<'a> Batch<'a> {
    pub(super) fn new(open: &'a [(&Query, Option<String>)]) -> Self {
        let one = |(query, token): &'a (&Query, Option<String>)| One {
            package: Package { ecosystem: query.ecosystem.as_str(), name: &query.name },
            version: &query.version,
            page_token: token.as_deref(),
        };
        Self { queries: open.iter().map(one).collect() }
    }
}

/// One result for each query, in their order.
#[derive(Deserialize)]
pub(super) struct Results {
    pub(super) results: Vec<QueryResult>,
}

#[derive(Deserialize)]
pub(super) struct QueryResult {
    #[serde(default)]
    pub(super) vulns: Vec<Vulnerability>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability {
    pub(super) id: String,
    #[serde(default)]
    pub(super) modified: Option<String>,
}

/// Whether a text is an id as databases have them, which becomes a part of a URL and of a path.
pub(super) fn is_id(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}
