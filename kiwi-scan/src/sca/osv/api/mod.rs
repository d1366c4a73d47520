//! OSV's API (<https://google.github.io/osv.dev/api/>): which records are about a version is asked in batches, and each record that is not known yet is
//! fetched. What a record says of a version is judged where the local copy's are.

mod cache;
mod client;
mod settings;
mod wire;

use super::record::{Advisory, Record, advisories};
use crate::sca::{Ecosystem, Package};
use cache::Cache;
use client::{Client, Failure};
use futures_util::StreamExt as _;
pub use settings::{API, OsvApi, Settings};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// So many queries the API takes at once.
const MOST_QUERIES: usize = 1000;
/// So many pages of one answer are read; each has hundreds of records, and no package has ten thousand.
const MOST_PAGES: usize = 100;
/// What all records of one scan may have.
const LARGEST_CONTENT: usize = 512 << 20;
/// So many records are fetched at once.
const AT_ONCE: usize = 8;

/// What is asked: nothing else ever leaves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sca) struct Query {
    pub(in crate::sca) ecosystem: Ecosystem,
    pub(in crate::sca) name: String,
    pub(in crate::sca) version: String,
}

impl Query {
    /// What is asked about a package; nothing about a private one.
    pub(in crate::sca) fn of(package: &Package) -> Option<Self> {
        let Package { ecosystem, name, version, private, .. } = package;
        (!private).then(|| Self { ecosystem: *ecosystem, name: ecosystem.normalize(name), version: version.clone() })
    }
}

/// A record that the API named.
#[derive(Debug)]
struct Named {
    id: String,
    /// When it was last changed, as the API says it.
    modified: Option<String>,
    /// Those of the packages for which it was named.
    ecosystems: BTreeSet<Ecosystem>,
    /// Its JSON, and whether that came from the cache.
    content: Option<(Vec<u8>, bool)>,
}

/// What the API said.
#[derive(Debug)]
pub(in crate::sca) struct Answer {
    host: String,
    asked: usize,
    records: Vec<Named>,
    /// Records that could not be had, with the reason.
    missing: Vec<(String, String)>,
    /// Why not everything could be asked.
    failure: Option<String>,
}

impl OsvApi {
    /// Asks about these versions. What came before a failure stays in the answer.
    pub(in crate::sca) async fn ask(&self, queries: &BTreeSet<Query>, cache: &Path) -> Answer {
        let mut answer = Answer { asked: queries.len(), ..Answer::to_nothing(self) };
        let ended = match Client::new(self) {
            Ok(client) => collect(&client, queries, Cache::new(cache, &self.base), &mut answer).await,
            Err(failure) => Err(failure),
        };
        answer.failure = ended.err();
        answer
    }
}

async fn collect(client: &Client, queries: &BTreeSet<Query>, cache: Cache, answer: &mut Answer) -> Result<(), String> {
    let queries: Vec<&Query> = queries.iter().collect();
    let mut named = BTreeMap::new();
    let mut ended = Ok(());
    for batch in queries.chunks(MOST_QUERIES) {
        ended = name(client, batch, &mut named).await;
        if ended.is_err() {
            break;
        }
    }
    let looked_up = tokio::task::spawn_blocking(move || {
        let records: Vec<Named> = named.into_values().map(|record| Named { content: cache.get(&record).map(|bytes| (bytes, true)), ..record }).collect();
        records
    });
    let records = looked_up.await.map_err(|error| format!("the records that were kept cannot be read: {error}"))?;
    let mut content: usize = records.iter().filter_map(|record| record.content.as_ref()).map(|(bytes, _)| bytes.len()).sum();
    let fetched = futures_util::stream::iter(records).map(async |record| {
        let content = match record.content {
            Some(_) => Ok(None),
            None => client.record(&record.id).await.map(Some),
        };
        (record, content)
    });
    let mut fetched = std::pin::pin!(fetched.buffer_unordered(AT_ONCE));
    while let Some((mut record, fetched)) = fetched.next().await {
        match fetched {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                content += bytes.len();
                if content > LARGEST_CONTENT {
                    return Err(format!("its records are larger than {} MiB", LARGEST_CONTENT >> 20));
                }
                record.content = Some((bytes, false));
            }
            Err(Failure::Record(reason)) => {
                answer.missing.push((record.id, reason));
                continue;
            }
            Err(Failure::Api(reason)) => return Err(reason),
        }
        answer.records.push(record);
    }
    ended
}

/// Adds the records that the API names for a batch, page after page.
async fn name(client: &Client, batch: &[&Query], named: &mut BTreeMap<String, Named>) -> Result<(), String> {
    let mut open: Vec<(&Query, Option<String>)> = batch.iter().map(|query| (*query, None)).collect();
    for _ in 0..MOST_PAGES {
        let results = client.batch(&open).await?;
        let mut more = Vec::new();
        for ((query, before), result) in open.into_iter().zip(results) {
            for vulnerability in result.vulns {
                if !wire::is_id(&vulnerability.id) {
                    return Err("it named a record by what is no id".to_owned());
                }
                let record = named.entry(vulnerability.id.clone()).or_insert_with(|| Named {
                    id: vulnerability.id,
                    modified: vulnerability.modified,
                    ecosystems: BTreeSet::new(),
                    content: None,
                });
                record.ecosystems.insert(query.ecosystem);
            }
            if let Some(token) = result.next_page_token.filter(|token| !token.is_empty()) {
                if before.as_ref() == Some(&token) {
                    return Err("its pages lead to themselves".to_owned());
                }
                more.push((query, Some(token)));
            }
        }
        if more.is_empty() {
            return Ok(());
        }
        open = more;
    }
    Err(format!("an answer of it has more than {MOST_PAGES} pages"))
}

/// The records of an answer as advisories.
#[derive(Debug, Default)]
pub(in crate::sca) struct Records {
    /// Who answered.
    pub(in crate::sca) host: String,
    /// Why not everything could be asked.
    pub(in crate::sca) failure: Option<String>,
    /// Those of each package, by its normalized name.
    pub(in crate::sca) advisories: HashMap<(Ecosystem, String), Vec<Advisory>>,
    /// The ids of all of them, also of those that were withdrawn.
    pub(in crate::sca) ids: BTreeSet<String>,
    /// What was asked and came, in words.
    pub(in crate::sca) note: String,
    /// What could not be read, with the reason.
    pub(in crate::sca) unread: Vec<(String, String)>,
}

impl Answer {
    /// When everything is private.
    pub(in crate::sca) fn to_nothing(api: &OsvApi) -> Self {
        Self { host: api.host(), asked: 0, records: Vec::new(), missing: Vec::new(), failure: None }
    }

    /// Reads the records, and keeps those that came anew. Blocks.
    pub(in crate::sca) fn read(self, api: &OsvApi, cache: &Path) -> Records {
        let (cache, total) = (Cache::new(cache, &api.base), self.records.len());
        let kept = self.records.iter().filter(|record| matches!(record.content, Some((_, true)))).count();
        let mut found = Records {
            note: format!("{}: asked about {} versions; {total} records, {kept} of them kept from before", self.host, self.asked),
            unread: self.missing,
            host: self.host,
            failure: self.failure,
            ..Records::default()
        };
        for named in self.records {
            let Some((bytes, from_cache)) = &named.content else { continue };
            let read = |bytes: &[u8]| serde_json::from_slice::<Record>(bytes);
            match read(bytes) {
                Ok(record) if record.id == named.id => {}
                Ok(_) => {
                    found.unread.push((named.id, "another record came in its place".to_owned()));
                    continue;
                }
                Err(_) => {
                    found.unread.push((named.id, "what came is no record".to_owned()));
                    continue;
                }
            }
            if !from_cache {
                cache.put(&named, bytes);
            }
            for ecosystem in &named.ecosystems {
                for (name, advisory) in read(bytes).map(|record| advisories(record, *ecosystem)).unwrap_or_default() {
                    found.advisories.entry((*ecosystem, name)).or_default().push(advisory);
                }
            }
            found.ids.insert(named.id);
        }
        found.unread.sort();
        found
    }
}
