//! Errors as RFC 9457 problems, with the same causes and hints as everywhere.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kiwi_core::error::{Error, ErrorKind, ValueError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    error: Error,
    retry_after: Option<u64>,
}

/// What a client reads of an error.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:kiwi:problem:` and the kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// What Kiwi was doing.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened.
    pub detail: String,
    /// The kind of error, which programs match on.
    pub code: ErrorKind,
    /// What to do next.
    pub hint: String,
    /// The last lines of what the failed thing printed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// The answers among which only a person can choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

/// How an answer ended, for whoever looks at it on its way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause(pub(crate) ErrorKind);

/// The one table of kinds and statuses. What a client named and Kiwi could not reach or use is the client's to correct; only what Kiwi itself
/// lacks is a server's error.
fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::InvalidInput => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::AlreadyExists | ErrorKind::Conflict | ErrorKind::Busy | ErrorKind::Cancelled | ErrorKind::Superseded | ErrorKind::LeaseLost => {
            StatusCode::CONFLICT
        }
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Unsupported
        | ErrorKind::Unauthenticated
        | ErrorKind::HostNotFound
        | ErrorKind::ConnectionRefused
        | ErrorKind::Tls
        | ErrorKind::RepositoryNotFound
        | ErrorKind::EmptyRepository
        | ErrorKind::BranchNotFound
        | ErrorKind::CommitNotFound
        | ErrorKind::BuildFailed
        | ErrorKind::ImageUnavailable
        | ErrorKind::TaskFailed
        | ErrorKind::GateRefused
        | ErrorKind::Unhealthy
        | ErrorKind::Protocol => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// An error with another status than its kind's.
    pub(crate) fn with_status(status: StatusCode, error: Error) -> Self {
        Self { status, error, retry_after: None }
    }

    /// Says when to come again, in seconds.
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Who calls is not known.
    pub(crate) fn unauthenticated() -> Self {
        let error = Error::new(ErrorKind::Unauthenticated, "authenticate", "the request has no API token, or one that opens nothing")
            .with_hint("send `Authorization: Bearer kiwi_...`; a token may have expired or been revoked");
        Self::with_status(StatusCode::UNAUTHORIZED, error)
    }

    /// The thing is not in the state that the client thought.
    pub(crate) fn changed_meanwhile() -> Self {
        let error =
            Error::new(ErrorKind::Conflict, "check If-Match", "the thing changed since you read it").with_hint("read it again, and change what is there now");
        Self::with_status(StatusCode::PRECONDITION_FAILED, error)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { status: status(error.kind()), error, retry_after: None }
    }
}

impl From<ValueError> for Problem {
    fn from(error: ValueError) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, error, retry_after } = self;
        // What lies below may name hosts and paths of this machine; it goes to the log, not to the client.
        if status.is_server_error() {
            tracing::warn!(error = %error.chain(), "request failed");
        }
        let code = serde_json::to_value(error.kind()).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        let body = ProblemBody {
            kind: format!("urn:kiwi:problem:{code}"),
            title: error.operation().to_owned(),
            status: status.as_u16(),
            detail: error.message().to_owned(),
            code: error.kind(),
            hint: error.hint().to_owned(),
            log: error.log().to_vec(),
            candidates: error.candidates().to_vec(),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kiwi\""));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Cause(error.kind()));
        response
    }
}
