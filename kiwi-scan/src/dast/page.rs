//! What a server answered.

use super::html::Document;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use std::borrow::Cow;
use url::Url;

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Html,
    Script,
    Style,
    /// JSON, XML and plain text.
    Text,
    /// Pictures, archives and the like, whose bodies are not read.
    Other,
}

/// One answer, with as much of its body as was read.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Why the body is not whole, when it is not.
    pub(super) missing: Option<String>,
}

impl Answer {
    /// A header's first value; none when it has other characters than text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a header.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The body as text, also of UTF-16 that says so; what else is not UTF-8 is replaced.
    pub(super) fn text(&self) -> Cow<'_, str> {
        let given = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        let units: Option<(bool, &[u8])> = match &*self.body {
            [0xef, 0xbb, 0xbf, ..] => None,
            [0xff, 0xfe, rest @ ..] => Some((false, rest)),
            [0xfe, 0xff, rest @ ..] => Some((true, rest)),
            // Without a mark the small byte is the first, whatever the name says (<https://encoding.spec.whatwg.org/#utf-16be-le>).
            rest if given.contains("charset=utf-16be") => Some((true, rest)),
            rest if given.contains("charset=utf-16") || given.contains("charset=\"utf-16") => Some((false, rest)),
            _ => None,
        };
        if let Some((is_big, rest)) = units {
            let units = rest.as_chunks::<2>().0.iter().map(|pair| if is_big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
            return char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        }
        String::from_utf8_lossy(&self.body)
    }

    pub(super) fn kind(&self) -> Kind {
        kind(&self.headers, &self.body)
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Where a redirect leads, resolved against this address.
    pub(super) fn redirect(&self) -> Option<Url> {
        if !(300..400).contains(&self.status) {
            return None;
        }
        // Browsers take a location as bytes of UTF-8.
        let location = String::from_utf8_lossy(self.headers.get(LOCATION)?.as_bytes());
        self.url.join(&location).ok()
    }
}

/// What a body is by its type, or, without one, by how it begins, as browsers see it.
pub(super) fn kind(headers: &HeaderMap, body: &[u8]) -> Kind {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "text/css" => Kind::Style,
        "text/javascript" | "application/javascript" | "application/x-javascript" | "text/ecmascript" => Kind::Script,
        "" => {
            let begin = String::from_utf8_lossy(body.get(..512).unwrap_or(body)).trim_start().to_ascii_lowercase();
            if begin.starts_with("<!doctype html") || begin.starts_with("<html") { Kind::Html } else { Kind::Text }
        }
        text if text.starts_with("text/") || text.contains("json") || text.contains("xml") || text.contains("yaml") => Kind::Text,
        _ => Kind::Other,
    }
}

/// An answer that was read.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) answer: Answer,
    pub(super) kind: Kind,
    /// Of anything but HTML it is empty.
    pub(super) document: Document,
    /// Whether it was asked for with credentials.
    pub(super) authorized: bool,
}

impl Page {
    /// Reads an answer. Blocks for as long as two megabytes of HTML take.
    pub(super) fn read(answer: Answer, authorized: bool) -> Self {
        let kind = answer.kind();
        let document = if kind == Kind::Html { Document::read(&answer.url, &answer.text()) } else { Document::default() };
        Self { answer, kind, document, authorized }
    }

    pub(super) fn path(&self) -> &str {
        self.answer.url.path()
    }
}
