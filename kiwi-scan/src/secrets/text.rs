//! Which files are texts, and what they say.

use std::borrow::Cow;

/// So many bytes tell what a file is.
const HEAD: usize = 8000;

/// The text of a file, whatever its encoding; none of a picture or a program. What is not UTF-8 otherwise is read as far as it is.
pub(super) fn of(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(units) = utf16(bytes) {
        return Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect());
    }
    let text = || String::from_utf8_lossy(bytes);
    if !bytes.iter().take(HEAD).any(|byte| *byte == 0) {
        return Some(text());
    }
    // A text may have a stray byte; a program has its texts between others.
    let text = text();
    let is_none = |c: &char| *c == char::REPLACEMENT_CHARACTER || c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}');
    let (strange, all) = (text.chars().filter(is_none).count(), text.chars().count());
    (strange * 100 < all || strange == 1 && all > 16).then_some(text)
}

/// The units of a text in UTF-16: one that says so with its first two bytes, or has a zero in nearly every second byte and nowhere else.
fn utf16(bytes: &[u8]) -> Option<impl Iterator<Item = u16> + '_> {
    let (is_big, rest) = match bytes {
        [0xff, 0xfe, 0, 0, ..] => return None,
        [0xff, 0xfe, rest @ ..] => (false, rest),
        [0xfe, 0xff, rest @ ..] => (true, rest),
        _ => (unmarked(bytes)?, bytes),
    };
    let (pairs, _) = rest.as_chunks::<2>();
    Some(pairs.iter().map(move |pair| if is_big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) }))
}

/// Whether UTF-16 without a mark has its large byte first; none for what is not UTF-16.
fn unmarked(bytes: &[u8]) -> Option<bool> {
    let (pairs, _) = bytes[..bytes.len().min(HEAD)].as_chunks::<2>();
    let zeros = |index: usize| pairs.iter().filter(|pair| pair[index] == 0).count();
    let is_text = |none: usize, nearly: usize| none == 0 && nearly * 10 > pairs.len() * 9;
    match (zeros(0), zeros(1)) {
        (first, second) if is_text(first, second) => Some(false),
        (first, second) if is_text(second, first) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_from_other_files() {
        let said = "password: straße\n".repeat(20);
        let (little, big): (Vec<u8>, Vec<u8>) =
            (said.encode_utf16().flat_map(u16::to_le_bytes).collect(), said.encode_utf16().flat_map(u16::to_be_bytes).collect());
        for bytes in [said.clone().into_bytes(), little.clone(), big.clone()] {
            assert_eq!(of(&bytes).as_deref(), Some(said.as_str()));
        }
        for (mark, bytes) in [([0xff, 0xfe], &little), ([0xfe, 0xff], &big)] {
            assert_eq!(of(&[&mark, bytes.as_slice()].concat()).as_deref(), Some(said.as_str()));
        }
        let stray = format!("{said}\0{said}");
        assert_eq!(of(stray.as_bytes()).as_deref(), Some(stray.as_str()));
        assert!(of(b"\0token = \"a text with one stray byte\"\n").is_some());
        for binary in [b"\0key".as_slice(), b"\x7fELF\x02\x01\x01\0\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0", &[0; 100]] {
            assert_eq!(of(binary), None);
        }
        assert_eq!(of(b"").as_deref(), Some(""));
        assert_eq!(of(b"caf\xe9").as_deref(), Some("caf\u{fffd}"));
    }
}
