//! The cluster's errors in Kiwi's terms.

use kiwi_core::error::{Error, ErrorKind};
use kube::Error as ClusterError;

/// The HTTP status of a cluster's answer.
pub(super) fn code(error: &ClusterError) -> Option<u16> {
    match error {
        ClusterError::Api(status) => Some(status.code),
        _ => None,
    }
}

/// An error of a call.
pub(super) fn cluster(operation: &'static str) -> impl Fn(ClusterError) -> Error {
    move |error| {
        let ClusterError::Api(status) = &error else {
            let text = chain(&error);
            let lower = text.to_lowercase();
            let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
            let kind = if has(&["certificate", "tls", "handshake"]) {
                ErrorKind::Tls
            } else if has(&["timed out", "timeout", "deadline"]) {
                ErrorKind::Timeout
            } else if has(&["dns", "lookup address", "name or service not known"]) {
                ErrorKind::HostNotFound
            } else if has(&["connect", "connection"]) {
                ErrorKind::ConnectionRefused
            } else if matches!(error, ClusterError::SerdeError(_)) {
                ErrorKind::Protocol
            } else {
                ErrorKind::Unavailable
            };
            return Error::new(kind, operation, format!("the cluster cannot be asked: {text}")).with_source(error);
        };
        let message = status.message.clone();
        let (kind, hint) = match (status.code, status.reason.as_str()) {
            (401, _) => (ErrorKind::Unauthenticated, Some("the cluster refused the credentials of the kubeconfig; they may have expired")),
            (403, _) if message.contains("exceeded quota") => (ErrorKind::Conflict, Some("the namespace's quota is used up: ask for less, or have it raised")),
            (403, _) if message.contains("is being terminated") => (ErrorKind::Busy, Some("the namespace is being removed; wait until it is gone")),
            (403, _) => (ErrorKind::Forbidden, Some("`kiwi runtime check` names each permission that is missing, `kiwi runtime rbac` prints them all")),
            (404, _) => (ErrorKind::NotFound, None),
            (409, "AlreadyExists") => (ErrorKind::AlreadyExists, None),
            (409, _) => (ErrorKind::Conflict, None),
            (410, _) => (ErrorKind::Unavailable, None),
            (400 | 422, _) if message.contains("immutable") || message.contains("Forbidden: ") => {
                (ErrorKind::Conflict, Some("this cannot be changed in place; remove the object, or give it another name"))
            }
            (400 | 422, _) => (ErrorKind::InvalidInput, Some("the cluster refuses the object; its message says which field")),
            (429, _) => (ErrorKind::Unavailable, Some("the cluster is overloaded; try again")),
            (504, _) => (ErrorKind::Timeout, None),
            _ => (ErrorKind::Unavailable, None),
        };
        let error = Error::new(kind, operation, format!("the cluster answered: {message}"));
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// Fields that somebody else manages, with who does: the causes of a conflict of server-side apply.
pub(super) fn owners(error: &ClusterError) -> Vec<String> {
    let ClusterError::Api(status) = error else { return Vec::new() };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.filter(|cause| cause.reason == "FieldManagerConflict").map(|cause| format!("{} ({})", cause.field.trim_start_matches('.'), cause.message)).collect()
}

fn chain(error: &ClusterError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let next = inner.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        source = inner.source();
    }
    text
}
