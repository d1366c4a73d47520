//! A local copy of <https://osv.dev>, indexed by package, so that a scan reads only what it asks for.

mod database;
mod record;
mod update;

pub use database::{Database, Holding};
pub(super) use record::{Advisory, Event, Span};
pub use update::{Progress, SOURCE, update};
