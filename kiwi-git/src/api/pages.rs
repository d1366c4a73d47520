//! Lists that come in pages.

use super::{Api, Ask, link};
use futures_util::StreamExt as _;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::BoxStream;
use reqwest::header;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::sync::Arc;
use url::Url;

/// More pages than any list has; a host that never ends its list must not keep us forever.
const MOST_PAGES: usize = 1000;

/// Every item of a list, each page asked for when the one before was taken. An item that cannot be read is left out, not the list.
pub(crate) fn pages<T, U, F>(api: Arc<Api>, first: Ask, items: &'static str, pick: F) -> BoxStream<Result<U>>
where
    T: DeserializeOwned + Send + 'static,
    U: Send + 'static,
    F: Fn(T) -> Option<U> + Send + Sync + 'static,
{
    let pick = Arc::new(pick);
    let state = Some((first, HashSet::new()));
    let pages = futures_util::stream::unfold(state, move |state| {
        let (api, pick) = (api.clone(), pick.clone());
        async move {
            let (ask, mut seen): (Ask, HashSet<String>) = state?;
            match page(&api, ask.clone(), items, &*pick).await {
                Err(error) => Some((vec![Err(error)], None)),
                Ok((values, next)) => {
                    let values: Vec<Result<U>> = values.into_iter().map(Ok).collect();
                    let Some(url) = next else { return Some((values, None)) };
                    if seen.len() >= MOST_PAGES || !seen.insert(url.to_string()) {
                        return Some((with_end(values), None));
                    }
                    Some((values, Some((Ask { url, ..ask }, seen))))
                }
            }
        }
    });
    pages.flat_map(futures_util::stream::iter).boxed()
}

fn with_end<U>(mut values: Vec<Result<U>>) -> Vec<Result<U>> {
    values.push(Err(Error::new(ErrorKind::Protocol, "list", "the host's list never ends: it named a page twice, or more than 1,000 pages")));
    values
}

async fn page<T: DeserializeOwned, U>(api: &Api, ask: Ask, items: &str, pick: &(dyn Fn(T) -> Option<U> + Send + Sync)) -> Result<(Vec<U>, Option<Url>)> {
    let here = ask.url.clone();
    let answer = api.send(ask).await?;
    let body: serde_json::Value = api.read(&answer.body)?;
    let list = if items.is_empty() { Some(body) } else { body.get(items).cloned() };
    let Some(serde_json::Value::Array(list)) = list else {
        return Err(api.not_the_api(&answer.body));
    };
    let mut values = Vec::with_capacity(list.len());
    for item in list {
        match serde_json::from_value::<T>(item) {
            Ok(item) => values.extend(pick(item)),
            Err(error) => tracing::debug!(%error, "left out an item that cannot be read"),
        }
    }
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let next = match header(header::LINK.as_str()).and_then(|links| link::target(links, "next")) {
        Some(target) => Some(rebase(api, &here, target)?),
        // Counts are not sent for long lists; a next page is, also where a proxy drops `Link`.
        None => header("x-next-page").filter(|page| !page.is_empty() && header("link").is_none()).map(|page| with_page(&here, page)),
    };
    Ok((values, next))
}

/// The next page on our own origin: a host behind a proxy may name itself differently, and any other host must not see the token.
fn rebase(api: &Api, here: &Url, target: &str) -> Result<Url> {
    let foreign = || Error::new(ErrorKind::Protocol, "list", "the host's next page is outside of its API");
    let target = here.join(target).map_err(|_| foreign())?;
    let mut next = api.base.clone();
    next.set_path(target.path());
    next.set_query(target.query());
    let root = api.base.path().trim_end_matches('/');
    if next.path().strip_prefix(root).is_some_and(|rest| rest.starts_with('/')) { Ok(next) } else { Err(foreign()) }
}

fn with_page(here: &Url, page: &str) -> Url {
    let mut next = here.clone();
    let kept: Vec<(String, String)> =
        here.query_pairs().filter(|(name, _)| name != "page").map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    next.query_pairs_mut().clear().extend_pairs(kept).append_pair("page", page);
    next
}
