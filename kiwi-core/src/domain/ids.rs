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

            /// A new id that is later than `other`, whatever the clock of this machine says.
            pub fn generate_after(other: &Self) -> Self {
                let new = Self::generate();
                if new > *other {
                    return new;
                }
                // The last id of all has none after it; nobody lives to see it.
                let after = ulid::Ulid::from_string(&other.0.to_ascii_uppercase()).ok().and_then(|other| other.increment());
                after.map_or(new, |after| Self(after.to_string().to_ascii_lowercase()))
            }

            /// The first id that a moment can have: what was given out earlier sorts before it.
            pub fn first_of(moment: super::Timestamp) -> Self {
                let millis = u64::try_from(moment.as_millis()).unwrap_or_default();
                Self(ulid::Ulid::from_parts(millis, 0).to_string().to_ascii_lowercase())
            }
        }
    };
}

id!(ServiceId, parse_service, "service");
id!(RunId, parse_run, "run");
id!(SecretId, parse_secret, "secret");
id!(DeliveryId, parse_delivery, "delivery");

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_later_id_is_later_even_when_the_clock_is_not() {
        let tomorrow = RunId::first_of(Timestamp::now().after(std::time::Duration::from_secs(86_400)));
        let after = RunId::generate_after(&tomorrow);
        assert!(after > tomorrow && RunId::generate() < tomorrow);
        assert!(RunId::generate_after(&RunId::first_of(Timestamp::from_millis(0))) > RunId::first_of(Timestamp::from_millis(1)));
    }
}
