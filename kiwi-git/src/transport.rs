//! What a failed connection means.

use kiwi_core::error::{Error, ErrorKind};
use std::error::Error as StdError;

/// The cause of a failed connection, in the words that people search for. It names no URL, which may hold a secret.
pub(crate) fn broken(operation: &'static str, host: &str, error: reqwest::Error) -> Error {
    let timed_out = error.is_timeout();
    let error = error.without_url();
    cause(operation, host, &error, timed_out).with_source(error)
}

fn cause(operation: &'static str, host: &str, error: &(dyn StdError + 'static), timed_out: bool) -> Error {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(layer) = next {
        text.push_str(&layer.to_string());
        text.push_str(": ");
        next = layer.source();
    }
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (kind, cause, hint) = if has(&["unknownissuer", "unknown issuer", "self-signed", "self signed", "unable to get local issuer"]) {
        (
            ErrorKind::Tls,
            "TLS: the server's certificate is signed by an unknown authority",
            Some("give the CA certificate with --ca FILE; never switch verification off"),
        )
    } else if has(&["notvalidforname", "not valid for name", "hostname mismatch"]) {
        (ErrorKind::Tls, "TLS: the server's certificate is for another name", Some("use the name that the certificate is for"))
    } else if has(&["expired"]) && has(&["certificate"]) {
        (ErrorKind::Tls, "TLS: the server's certificate has expired", Some("ask the server's admin to renew it; check this machine's clock"))
    } else if has(&["certificate", "tls", "invalidcontenttype", "corrupt message", "handshake"]) {
        (ErrorKind::Tls, "TLS: the handshake failed", Some("is the server's port really https?"))
    } else if has(&["dns", "failed to lookup address", "name or service not known", "nodename nor servname", "no address associated"]) {
        (ErrorKind::HostNotFound, "Host not found", None)
    } else if has(&["connection refused", "os error 111"]) {
        (ErrorKind::ConnectionRefused, "Connection refused", None)
    } else if timed_out || has(&["timed out", "timeout", "deadline"]) {
        (ErrorKind::Timeout, "Connection timeout", None)
    } else {
        (ErrorKind::Unavailable, "the connection broke", None)
    };
    let error = Error::new(kind, operation, format!("{cause} ({host})"));
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
