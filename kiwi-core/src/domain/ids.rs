//! Ids that Kiwi gives out: sortable by time of creation, and legal in image tags and resource names.

use super::text::text_value;
use crate::error::ValueError;
use std::sync::{Mutex, PoisonError};

/// ULIDs are 26 characters of Crockford's base 32; Kiwi writes them in lower case so that they fit DNS labels.
pub(super) fn ulid(what: &'static str, text: &str) -> Result<String, ValueError> {
    match ulid::Ulid::from_string(&text.to_ascii_uppercase()) {
        Ok(_) if text.len() == 26 => Ok(text.to_ascii_lowercase()),
        _ => Err(ValueError::new(what, text, "is not an id", "copy it from a `list` command: 26 letters and digits")),
    }
}

macro_rules! id {
    ($name:ident, $parse:ident, $what:literal) => {
        fn $parse(text: &str) -> Result<String, ValueError> {
            ulid(concat!($what, " id"), text)
        }
        text_value!(
            #[doc = concat!("The id of a ", $what, ".")]
            $name,
            $parse,
            r"^[0-7][0-9a-hjkmnp-tv-z]{25}$"
        );
        impl $name {
            /// A new id, later than every id this process gave out before.
            pub fn generate() -> Self {
                Self(next().to_string().to_ascii_lowercase())
            }
        }
    };
}

id!(ServiceId, parse_service, "service");
id!(RunId, parse_run, "run");
id!(SecretId, parse_secret, "secret");

/// Two ids of one millisecond must still sort in the order they were given out by this process.
pub(super) fn next() -> ulid::Ulid {
    static LAST: Mutex<Option<ulid::Ulid>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let new = ulid::Ulid::new();
    let next = last.filter(|last| *last >= new).and_then(|last| last.increment()).unwrap_or(new);
    *last = Some(next);
    next
}

fn organization(text: &str) -> Result<String, ValueError> {
    text.parse::<super::ServiceName>().map(String::from)
}

text_value!(
    /// The name of an organization, which owns everything. The embedded engine has one, `default`.
    OrganizationId,
    organization,
    r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
);

impl Default for OrganizationId {
    fn default() -> Self {
        Self("default".to_owned())
    }
}
