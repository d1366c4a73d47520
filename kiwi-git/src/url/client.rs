//! What the two HTTP clients, ours and gix's, have in common.

use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::SourceAccess;
use secrecy::{ExposeSecret as _, SecretString};
use std::error::Error as StdError;

/// Hosts look at the token alone; this name is the one that GitHub documents and others accept.
pub(super) const USER: &str = "x-access-token";

/// `Authorization: Basic …`, without the name of the header.
pub(super) fn authorization(token: &SecretString) -> SecretString {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{}", token.expose_secret()))).into()
}

pub(super) fn certificates(access: &SourceAccess) -> Result<Vec<reqwest::Certificate>> {
    let Some(pem) = &access.ca else { return Ok(Vec::new()) };
    let malformed =
        || Error::invalid("read CA certificate", "the CA file holds no PEM certificate").with_hint("give a file that begins with -----BEGIN CERTIFICATE-----");
    let found = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| malformed().with_source(error))?;
    if found.is_empty() { Err(malformed()) } else { Ok(found) }
}

/// The cause of a failed connection, in the words that people search for.
pub(super) fn transport(operation: &'static str, host: &str, error: &(dyn StdError + 'static), timed_out: bool) -> Error {
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
