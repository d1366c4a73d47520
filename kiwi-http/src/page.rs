//! Lists, page by page.

use kiwi_core::error::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The longest page.
const LONGEST: u32 = 1000;
/// The usual page.
const USUAL: u32 = 100;

/// Which page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many, 1 to 1000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before; from the beginning when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl PageQuery {
    /// How many, within what is allowed.
    pub(crate) fn limit(&self) -> Result<u32> {
        match self.limit {
            None => Ok(USUAL),
            Some(limit @ 1..=LONGEST) => Ok(limit),
            Some(_) => Err(Error::invalid("read query", format!("limit is not a number from 1 to {LONGEST}"))),
        }
    }

    /// The page of a list that is short enough to be read whole, in the order of its keys.
    pub(crate) fn cut<T>(&self, all: Vec<T>, key: impl Fn(&T) -> String) -> Result<Page<T>> {
        let limit = self.limit()? as usize;
        let start = match &self.cursor {
            None => 0,
            // What the cursor names may be gone; its place is not.
            Some(cursor) => all.iter().position(|item| key(item) > *cursor).unwrap_or(all.len()),
        };
        let mut items: Vec<T> = all.into_iter().skip(start).take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { next: items.last().filter(|_| more).map(key), items })
    }
}

/// Some of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// What is on this page.
    pub items: Vec<T>,
    /// The cursor of the next page; none on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of `limit`, from one item more when there is one.
    pub(crate) fn of(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Self { next: items.last().filter(|_| more).map(key), items }
    }

    /// A whole list.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole_list() {
        let all: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = PageQuery { limit: Some(2), cursor }.cut(all.clone(), Clone::clone).unwrap();
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
        assert!(PageQuery { limit: Some(0), cursor: None }.limit().is_err());
        assert!(PageQuery { limit: Some(1001), cursor: None }.limit().is_err());
    }
}
