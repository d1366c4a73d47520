//! Authenticated encryption of secrets: XChaCha20-Poly1305, with the secret's id as associated data, so that a sealed
//! value cannot be moved to another id.

use crate::key::Key;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use kiwi_core::error::{Error, ErrorKind, Result};
use secrecy::{ExposeSecret as _, SecretString};

const NONCE: usize = 24;

/// Sealed with every key; opening it proves that the key is the right one.
const KEY_CHECK: &str = "kiwi key check";

pub(crate) fn seal(key: &Key, id: &str, value: &SecretString) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut nonce);
    let payload = Payload { msg: value.expose_secret().as_bytes(), aad: id.as_bytes() };
    let sealed = XChaCha20Poly1305::new(key.bytes.expose_secret().into()).encrypt(XNonce::from_slice(&nonce), payload);
    let sealed = sealed.map_err(|_| Error::new(ErrorKind::Internal, "seal secret", "the value is too large"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(crate) fn open(key: &Key, id: &str, sealed: &[u8]) -> Result<SecretString> {
    let broken = || {
        Error::new(ErrorKind::Storage, "open secret", "a secret cannot be decrypted: the key is wrong, or the data was changed")
            .with_hint("give the key that this data directory was made with")
    };
    let (nonce, text) = sealed.split_at_checked(NONCE).ok_or_else(broken)?;
    let payload = Payload { msg: text, aad: id.as_bytes() };
    let plain = XChaCha20Poly1305::new(key.bytes.expose_secret().into()).decrypt(XNonce::from_slice(nonce), payload).map_err(|_| broken())?;
    Ok(String::from_utf8(plain).map_err(|_| broken())?.into())
}

/// Opens with whichever key fits: until a rotation is over, there are two.
pub(crate) fn open_with_any(keys: &[Key], id: &str, sealed: &[u8]) -> Result<SecretString> {
    let mut last = None;
    for key in keys {
        match open(key, id, sealed) {
            Ok(value) => return Ok(value),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Storage, "open secret", "there is no key")))
}

pub(crate) fn key_check(key: &Key) -> Result<Vec<u8>> {
    seal(key, KEY_CHECK, &KEY_CHECK.to_owned().into())
}

/// Whether this key made the check.
pub(crate) fn made_check(key: &Key, check: &[u8]) -> bool {
    open(key, KEY_CHECK, check).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_with_its_key_and_id() {
        let (key, other) = (Key::generate(), Key::generate());
        let sealed = seal(&key, "a", &"hunter22".into()).unwrap();
        assert_eq!(open(&key, "a", &sealed).unwrap().expose_secret(), "hunter22");
        assert!(open(&key, "b", &sealed).is_err());
        assert!(open(&other, "a", &sealed).is_err());
        assert!(!sealed.windows(8).any(|window| window == b"hunter22"));
    }
}
