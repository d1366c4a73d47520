//! Secrets: a type without `Display` or `Serialize`, and the redaction of every stream that leaves the process.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
pub use secrecy::{ExposeSecret, SecretString};

/// What stands in a text where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Shorter values are not searched for: they would redact ordinary words and protect nothing.
const SHORTEST: usize = 4;

/// Replaces known secrets in a stream of bytes, across chunk borders and also in base64 and URL-encoded form.
#[derive(Clone, Default)]
pub struct Redactor {
    needles: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} patterns)", self.needles.len())
    }
}

impl Redactor {
    /// A redactor of these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut redactor = Self::default();
        for secret in secrets {
            redactor.add(secret);
        }
        redactor
    }

    /// Adds one more secret. Each line of a secret with several lines is a secret too: logs are cut into lines.
    pub fn add(&mut self, secret: &SecretString) {
        let value = secret.expose_secret();
        for part in std::iter::once(value).chain(value.lines()).map(str::trim) {
            if part.len() >= SHORTEST {
                self.add_forms(part.as_bytes());
            }
        }
        // The longest match wins, so that no tail of a long secret is left behind by a shorter one.
        self.needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.needles.dedup();
    }

    fn add_forms(&mut self, value: &[u8]) {
        self.needles.push(value.to_vec());
        self.needles.push(percent_encode(value, false).into_bytes());
        self.needles.push(percent_encode(value, true).into_bytes());
        // Inside a longer base64 text the value starts at one of three offsets, each with its own spelling; the
        // characters that mix with neighbouring bytes are left out.
        for offset in 0..3 {
            let mut padded = vec![0; offset];
            padded.extend_from_slice(value);
            let skip = [0, 2, 3][offset];
            let drop = [0, 1, 1][padded.len() % 3];
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = engine.encode(&padded);
                let inner = &text[skip..text.len() - drop];
                if inner.len() >= SHORTEST + 2 {
                    self.needles.push(inner.as_bytes().to_vec());
                }
            }
        }
    }

    /// Redacts one complete text.
    pub fn redact(&self, text: &str) -> String {
        let mut stream = self.stream();
        let mut out = stream.push(text.as_bytes());
        out.extend(stream.finish());
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Starts a stream whose chunks may cut a secret in two.
    pub fn stream(&self) -> RedactingStream {
        RedactingStream { needles: self.needles.clone(), held: Vec::new() }
    }
}

/// Redacts a stream chunk by chunk; it holds back what might be the start of a secret.
#[derive(Debug)]
pub struct RedactingStream {
    needles: Vec<Vec<u8>>,
    held: Vec<u8>,
}

impl RedactingStream {
    /// Takes a chunk and returns what is safe to show now.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(chunk);
        self.drain(false)
    }

    /// Returns what was held back; the stream has ended.
    pub fn finish(&mut self) -> Vec<u8> {
        self.drain(true)
    }

    fn drain(&mut self, last: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held.len());
        let mut at = 0;
        while at < self.held.len() {
            let rest = &self.held[at..];
            if let Some(needle) = self.needles.iter().find(|needle| rest.starts_with(needle)) {
                out.extend_from_slice(REDACTED.as_bytes());
                at += needle.len();
            } else if !last && self.needles.iter().any(|needle| needle.len() > rest.len() && needle.starts_with(rest)) {
                break;
            } else {
                out.push(rest[0]);
                at += 1;
            }
        }
        self.held.drain(..at);
        out
    }
}

fn percent_encode(value: &[u8], plus_for_space: bool) -> String {
    let mut out = String::with_capacity(value.len() * 3);
    for &byte in value {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            b' ' if plus_for_space => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    #[test]
    fn debug_shows_no_secret() {
        let redactor = Redactor::new([&SecretString::from("hunter22")]);
        assert!(!format!("{redactor:?}").contains("hunter22"));
    }

    proptest! {
        #[test]
        fn no_chunking_lets_a_secret_through(
            secret in "[a-zA-Z0-9+/=?&%]{6,40}", before in "[ -~]{0,30}", after in "[ -~]{0,30}", cuts in proptest::collection::vec(1usize..9, 1..30)
        ) {
            let redactor = Redactor::new([&SecretString::from(secret.clone())]);
            for form in [
                format!("{before}{secret}{after}"),
                STANDARD.encode(format!("{before}{secret}{after}")),
                format!("{before}{}{after}", percent_encode(secret.as_bytes(), false)),
            ] {
                let (mut stream, mut out, mut rest, mut cut) = (redactor.stream(), Vec::new(), form.as_bytes(), cuts.iter().cycle());
                while !rest.is_empty() {
                    let (chunk, tail) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
                    out.extend(stream.push(chunk));
                    rest = tail;
                }
                out.extend(stream.finish());
                let shown = String::from_utf8_lossy(&out);
                prop_assert!(!shown.contains(&secret), "{shown}");
                prop_assert!(shown.contains(REDACTED), "{shown}");
            }
        }
    }
}
