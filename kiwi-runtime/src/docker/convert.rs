//! The engine's errors in Kiwi's terms.

use bollard::errors::Error as EngineError;
use kiwi_core::error::{Error, ErrorKind};

/// The HTTP status of an engine's answer.
pub(super) fn status(error: &EngineError) -> Option<u16> {
    match error {
        EngineError::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// What the engine said.
pub(super) fn text(error: &EngineError) -> String {
    match error {
        EngineError::DockerResponseServerError { message, .. } => message.clone(),
        EngineError::DockerStreamError { error } => error.clone(),
        other => other.to_string(),
    }
}

/// An error of an engine call.
pub(super) fn engine(operation: &'static str) -> impl Fn(EngineError) -> Error {
    move |error| {
        let message = text(&error);
        let lower = message.to_lowercase();
        let (kind, hint) = match status(&error) {
            Some(404) => (ErrorKind::NotFound, None),
            Some(409) => (ErrorKind::Conflict, None),
            Some(_) | None if lower.contains("no space left on device") => {
                (ErrorKind::Storage, Some("the disk of the engine is full; `kiwi runtime clean` and `docker builder prune` free space"))
            }
            Some(_) => (ErrorKind::Unavailable, None),
            None if lower.contains("permission denied") => (ErrorKind::Forbidden, Some("run as a user of the group `docker`, or as root")),
            None if lower.contains("no such file")
                || lower.contains("refused")
                || lower.contains("error trying to connect")
                || lower.contains("client error (connect)") =>
            {
                (ErrorKind::ConnectionRefused, Some("is the Docker Engine running? Start it, or register its address with --engine"))
            }
            None if matches!(error, EngineError::RequestTimeoutError) => (ErrorKind::Timeout, Some("the engine is overloaded or stuck; look at its log")),
            None => (ErrorKind::Unavailable, None),
        };
        let error = Error::new(kind, operation, format!("the Docker Engine answered: {message}")).with_source(error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// An error of a pull, push or base image, from the registry's own words.
pub(super) fn image(operation: &'static str, image: &str, message: &str) -> Error {
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (why, hint) = if has(&["toomanyrequests", "rate limit"]) {
        ("the registry's rate limit is used up", "wait, or register the registry with credentials, which have a higher limit")
    } else if has(&["manifest unknown", "not found", "no such image", "does not exist"]) && !has(&["no such host"]) {
        ("there is no such image or tag", "check the spelling; a private image needs its registry registered with `kiwi registry add`")
    } else if has(&["unauthorized", "denied", "no basic auth", "authentication required", "insufficient_scope"]) {
        ("the registry refused the credentials, or there are none", "check them with `kiwi registry check`; the account may lack the right")
    } else if has(&["no such host", "server misbehaving", "temporary failure in name resolution"]) {
        ("the registry's host does not resolve", "check the name, and the DNS settings of the engine's machine")
    } else if has(&["connection refused", "i/o timeout", "timeout exceeded", "network is unreachable", "deadline exceeded"]) {
        ("the registry cannot be reached", "check network, proxy and firewall of the engine's machine")
    } else if has(&["server gave http response to https client"]) {
        ("the registry speaks plain HTTP", "give it TLS, or add it to the engine's insecure-registries")
    } else if has(&["certificate", "x509", "tls"]) {
        ("the registry's certificate is not trusted", "install its CA in /etc/docker/certs.d/<registry>/ca.crt on the engine's machine")
    } else if has(&["no space left"]) {
        ("the disk of the engine is full", "`kiwi runtime clean` and `docker builder prune` free space")
    } else {
        ("the engine gave no clearer reason", "read the engine's message")
    };
    let shown: String = message.chars().take(500).collect();
    Error::new(ErrorKind::ImageUnavailable, operation, format!("{image}: {why}: {shown}")).with_hint(hint)
}
