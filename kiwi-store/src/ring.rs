//! The keys of one store, shared by every process that has it open.
//!
//! The database keeps a check that the current key made. Whoever seals a value reads it in the same transaction, and a rotation replaces it in its
//! own; so a rotation is one moment for all processes: before it everybody seals with the old key, after it with the new one.

use crate::key::{Key, KeySource, current};
use crate::seal;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::secret::SecretString;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) struct KeyRing {
    source: KeySource,
    /// The directory of what the keys protect, where that is one.
    data: Option<PathBuf>,
    keys: Mutex<Vec<Key>>,
}

/// What a rotation writes.
pub(crate) struct Resealed {
    pub(crate) check: Vec<u8>,
    pub(crate) key_id: String,
    pub(crate) ids: Vec<String>,
    pub(crate) values: Vec<Vec<u8>>,
}

impl KeyRing {
    /// The first process ever makes the check, and the key file too when there is none; every other must have the key that made it. Answers the check
    /// where it was `None`.
    pub(crate) fn open(source: KeySource, data: Option<PathBuf>, check: Option<&[u8]>) -> Result<(Self, Option<Vec<u8>>)> {
        // A key that is only made now cannot be the right one.
        if check.is_some() && source.is_missing() {
            return Err(wrong_key());
        }
        let keys = source.read(data.as_deref())?;
        let made = match check {
            Some(check) if !keys.iter().any(|key| seal::made_check(key, check)) => return Err(wrong_key()),
            Some(_) => None,
            None => Some(seal::key_check(current(&keys)?)?),
        };
        Ok((Self { source, data, keys: Mutex::new(keys) }, made))
    }

    /// Seals a value with the key that made the check; answers the key's id, too.
    pub(crate) fn seal(&self, check: &[u8], id: &str, value: &SecretString) -> Result<(String, Vec<u8>)> {
        let made = |key: &Key| seal::made_check(key, check);
        self.find(made)?;
        let keys = self.keys();
        let key = keys.iter().find(|key| made(key)).ok_or_else(rotated)?;
        Ok((key.id(), seal::seal(key, id, value)?))
    }

    /// Opens a value that the key of this id sealed.
    pub(crate) fn unseal(&self, key_id: &str, id: &str, sealed: &[u8]) -> Result<SecretString> {
        self.find(|key| key.id() == key_id)?;
        seal::open_with_any(&self.keys(), id, sealed)
    }

    /// Seals everything with a new key. Call it in a transaction that keeps every other rotation out, and that began by reading the check.
    pub(crate) fn reseal(&self, check: &[u8], rows: Vec<(String, Vec<u8>)>) -> Result<Resealed> {
        self.find(|key| seal::made_check(key, check))?;
        let mut keys = self.keys();
        if !self.source.is_text() {
            // Until the last value is sealed anew, both keys must be there: a kill in between loses nothing. The environment names the new key first
            // by itself.
            let new = Key::generate();
            self.source.replace(&std::iter::once(&new).chain(keys.iter()).collect::<Vec<_>>())?;
            keys.insert(0, new);
        }
        let key = current(&keys)?;
        if seal::made_check(key, check) {
            return Err(Error::new(ErrorKind::Conflict, "rotate key", "there is no new key to seal the secrets with")
                .with_hint("start with KIWI_KEY=NEW,OLD, where NEW comes from `openssl rand -base64 32`, and rotate then"));
        }
        let (mut ids, mut values) = (Vec::new(), Vec::new());
        for (id, sealed) in rows {
            values.push(seal::seal(key, &id, &seal::open_with_any(&keys, &id, &sealed)?)?);
            ids.push(id);
        }
        Ok(Resealed { check: seal::key_check(key)?, key_id: key.id(), ids, values })
    }

    /// Forgets every key but the one that made the check, once the rotation is durable. Call it where no rotation can begin meanwhile.
    pub(crate) fn forget_old(&self, check: &[u8]) -> Result<()> {
        if self.source.is_text() {
            return Ok(());
        }
        self.find(|key| seal::made_check(key, check))?;
        let mut keys = self.keys();
        keys.retain(|key| seal::made_check(key, check));
        self.source.replace(&[current(&keys)?])
    }

    /// Makes sure that such a key is there; if need be by another look at where keys come from, because another process may have rotated them.
    fn find(&self, wanted: impl Fn(&Key) -> bool) -> Result<()> {
        let mut keys = self.keys();
        if keys.iter().any(&wanted) {
            return Ok(());
        }
        if self.source.is_missing() {
            return Err(rotated());
        }
        let found = self.source.read(self.data.as_deref())?;
        if !found.iter().any(wanted) {
            return Err(rotated());
        }
        *keys = found;
        Ok(())
    }

    fn keys(&self) -> MutexGuard<'_, Vec<Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wrong_key() -> Error {
    Error::new(ErrorKind::Unauthenticated, "check key", "the key is not the one that this database was made with")
        .with_hint("give the right key with KIWI_KEY or --key-file, the same to every replica; without it the secrets in the database are lost")
}

fn rotated() -> Error {
    Error::new(ErrorKind::Unauthenticated, "find key", "the key was rotated, and this process has not got the new one")
        .with_hint("give it the key that was made then, with KIWI_KEY or --key-file, and start it again")
}
