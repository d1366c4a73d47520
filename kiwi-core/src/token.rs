//! The text of an API token: `kiwi_`, its id, `_`, 43 random characters, and a checksum of 8.
//!
//! The fixed beginning and the checksum let secret scanners tell a leaked token from any other text without asking Kiwi. The random
//! characters carry 256 bits, which nobody guesses, so one SHA-256 of them is all that has to be kept: a slow password hash protects what
//! people choose, and would only slow down every request here.

use crate::domain::TokenId;
use crate::secret::SecretString;
use rand::Rng as _;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "kiwi_";
const ID: usize = 26;
const RANDOM: usize = 43;
const CHECKSUM: usize = 8;

/// What is kept of a token's text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(Vec<u8>);

impl TokenHash {
    /// What a store kept.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What a store keeps.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the hash of this text, in a time that does not tell how much of it is right.
    pub fn matches(&self, text: &TokenText) -> bool {
        self.0.ct_eq(&text.hash().0).into()
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

/// A token's text with a right form. Whether it opens anything is the store's to say.
pub struct TokenText {
    id: TokenId,
    text: SecretString,
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenText").field("id", &self.id).finish_non_exhaustive()
    }
}

impl TokenText {
    /// A new one for an id.
    pub fn generate(id: TokenId) -> Self {
        let random: String = rand::rng().sample_iter(rand::distr::Alphanumeric).take(RANDOM).map(char::from).collect();
        let body = format!("{PREFIX}{id}_{random}");
        let text = format!("{body}{:08x}", checksum(body.as_bytes())).into();
        Self { id, text }
    }

    /// Reads one; none when its form or its checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.get(..text.len().checked_sub(CHECKSUM)?)?;
        let (id, random) = body.strip_prefix(PREFIX)?.split_once('_')?;
        let formed = id.len() == ID && random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !formed || text[body.len()..] != format!("{:08x}", checksum(body.as_bytes())) {
            return None;
        }
        Some(Self { id: id.parse().ok()?, text: text.to_owned().into() })
    }

    /// The id in it.
    pub fn id(&self) -> &TokenId {
        &self.id
    }

    /// What to keep.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.text.expose_secret().as_bytes()).to_vec())
    }

    /// The text, for its owner.
    pub fn into_secret(self) -> SecretString {
        self.text
    }
}

/// CRC-32 as in IEEE 802.3: a checksum against typing errors, with no claim to more.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_reads_back_and_no_other_text_does() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        let made = TokenText::generate(TokenId::generate());
        let text = made.text.expose_secret().to_owned();
        assert_eq!(text.len(), PREFIX.len() + ID + 1 + RANDOM + CHECKSUM);
        let read = TokenText::parse(&text).unwrap();
        assert_eq!(read.id(), made.id());
        assert!(made.hash().matches(&read));
        assert!(!TokenText::generate(made.id().clone()).hash().matches(&read));
        assert!(!format!("{made:?} {:?}", made.hash()).contains(&text[32..60]));
        for index in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[index] ^= 1;
            assert!(String::from_utf8(other).ok().and_then(|other| TokenText::parse(&other)).is_none(), "{index}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "(kiwi_)?\\PC{0,90}") {
            prop_assert!(TokenText::parse(&text).is_none());
        }
    }
}
