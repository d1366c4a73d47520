//! The values that containers and tasks are given.

use kiwi_core::domain::{Variable, VariableName};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::SecretValues;
use secrecy::ExposeSecret as _;

/// The value of a variable, be it plain or a secret's.
pub(crate) fn value<'v>(operation: &'static str, name: &VariableName, variable: &'v Variable, secrets: &'v SecretValues) -> Result<&'v str> {
    match variable {
        Variable::Plain(value) => Ok(value),
        Variable::Secret(id) => {
            let value = secrets.get(id).ok_or_else(|| Error::new(ErrorKind::Internal, operation, format!("the value of {name} is missing")))?;
            Ok(value.expose_secret())
        }
    }
}
