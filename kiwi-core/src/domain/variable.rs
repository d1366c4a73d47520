//! Variables of a container's environment.

use super::SecretId;
use super::text::text_value;
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

text_value!(
    /// The name of an environment variable: a letter or `_`, then letters, digits and `_`.
    VariableName,
    parse,
    r"^[A-Za-z_][A-Za-z0-9_]{0,254}$"
);

fn parse(text: &str) -> Result<String, ValueError> {
    let legal =
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && text.len() <= 255;
    if legal {
        return Ok(text.to_owned());
    }
    Err(ValueError::new("variable name", text, "is not a name", "use letters, digits and '_', not starting with a digit, such as DATABASE_URL"))
}

/// The value of a variable at run time. Build-time values are another type, in [`BuildSettings`](super::BuildSettings).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Variable {
    /// Shown to everybody who may see the service.
    Plain(String),
    /// Kept encrypted by the store under this id; never shown. An id never changes its value, so a release that
    /// names it brings the value back as it was released.
    Secret(SecretId),
}

impl Variable {
    /// The secret that it names, if it does.
    pub fn secret(&self) -> Option<&SecretId> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(id) => Some(id),
        }
    }
}

/// Variables by name.
pub type Variables = BTreeMap<VariableName, Variable>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_are_identifiers(text in "\\PC{0,20}") {
            if let Ok(name) = text.parse::<VariableName>() {
                prop_assert!(!name.as_str().contains(['=', '\0', '\n', ' ']));
            }
        }
    }
}
