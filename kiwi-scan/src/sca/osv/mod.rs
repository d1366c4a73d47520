//! The records of <https://osv.dev>: a local copy, indexed by package, so that a scan reads only what it asks for, and its API.

mod api;
mod database;
mod record;
mod update;

pub use api::{API, OsvApi, Settings};
pub(super) use api::{Answer, Query, Records};
pub use database::{Database, Holding};
pub(super) use record::{Advisory, Event, Span};
pub use update::{Progress, SOURCE, update};
