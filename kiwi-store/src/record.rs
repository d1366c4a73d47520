//! What every store does with records, whatever its database.

use bytes::Bytes;
use kiwi_core::domain::{Decision, Delivery, OrganizationId, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;

pub(crate) fn write_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::Internal, "write record", "a record cannot be written as JSON").with_source(error))
}

pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::new(ErrorKind::Storage, "read record", "a record of the database cannot be read").with_source(error))
}

/// The databases' integers are signed; Kiwi's counters never come near the border.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Owners and ids, as the columns have them.
pub(crate) fn heads(rows: impl Iterator<Item = (String, String)>) -> Result<Vec<(OrganizationId, RunId)>> {
    rows.map(|(organization, id)| Ok((organization.parse()?, id.parse()?))).collect()
}

/// A delivery on its way into the database.
pub(crate) struct Arrived {
    pub(crate) delivery: Delivery,
    pub(crate) record: String,
    /// Packed.
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn new(delivery: &Delivery, body: &Bytes) -> Result<Self> {
        Ok(Self { delivery: delivery.clone(), record: write_json(delivery)?, body: lz4_flex::block::compress_prepend_size(body) })
    }
}

/// A delivery's body as it came. Those of older versions of Kiwi are not packed.
pub(crate) fn body_of(kept: Vec<u8>, packed: bool) -> Result<Bytes> {
    if !packed {
        return Ok(kept.into());
    }
    let body = lz4_flex::block::decompress_size_prepended(&kept);
    body.map(Bytes::from).map_err(|error| Error::new(ErrorKind::Storage, "read delivery", "the body of a delivery cannot be read").with_source(error))
}

/// A delivery's record with its decision; none when it has one already.
pub(crate) fn decided(record: &str, decision: &Decision) -> Result<Option<String>> {
    let mut delivery: Delivery = read_json(record)?;
    if delivery.decision.is_some() {
        return Ok(None);
    }
    delivery.decision = Some(decision.clone());
    write_json(&delivery).map(Some)
}

/// The random name of a new installation.
pub(crate) fn new_installation() -> String {
    let mut bytes = [0; 8];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn missing(operation: &'static str, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, operation, format!("{name} does not exist"))
}

pub(crate) fn exists(operation: &'static str, name: &str) -> Error {
    Error::new(ErrorKind::AlreadyExists, operation, format!("{name} exists already"))
}

pub(crate) fn used(operation: &'static str, name: &str, service: &str) -> Error {
    Error::new(ErrorKind::Conflict, operation, format!("{name} is used by service {service}")).with_hint("remove or change the service first")
}

pub(crate) fn comes_from(host: &str, service: &str) -> Error {
    Error::new(ErrorKind::Conflict, "remove provider", format!("service {service} comes from {host}"))
        .with_hint("remove the service first, or set another token with `kiwi provider set`")
}

pub(crate) fn lease_lost() -> Error {
    Error::new(ErrorKind::LeaseLost, "write run", "another worker took this run over")
}

pub(crate) fn other_decision() -> Error {
    Error::new(ErrorKind::Conflict, "decide delivery", "another delivery of the service was decided meanwhile").with_hint("decide again on what is there now")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_back_as_it_was_kept() {
        let body = b"a push ".repeat(1000);
        let packed = lz4_flex::block::compress_prepend_size(&body);
        assert!(packed.len() < 100);
        assert_eq!(body_of(packed.clone(), true).unwrap(), body);
        assert_eq!(body_of(body.clone(), false).unwrap(), body);
        assert_eq!(body_of(packed[..20].to_vec(), true).unwrap_err().kind(), ErrorKind::Storage);
    }
}
