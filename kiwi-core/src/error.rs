//! The one error type of every Kiwi crate.

use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible Kiwi call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms that a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value breaks a rule; nothing was touched.
    InvalidInput,
    /// The named thing does not exist.
    NotFound,
    /// A thing of that name exists already.
    AlreadyExists,
    /// The state of the thing does not allow the operation, or somebody else owns it.
    Conflict,
    /// Another run holds what this one needs.
    Busy,
    /// The provider cannot do this; its capabilities say so.
    Unsupported,
    /// The credentials were refused.
    Unauthenticated,
    /// The actor, or the token, lacks a permission.
    Forbidden,
    /// The host name does not resolve.
    HostNotFound,
    /// Nothing listens at the address.
    ConnectionRefused,
    /// The other side did not answer in time.
    Timeout,
    /// The certificate of the other side cannot be trusted.
    Tls,
    /// The repository does not exist, or the credentials may not see it.
    RepositoryNotFound,
    /// The repository has no commit yet.
    EmptyRepository,
    /// The repository has no such branch.
    BranchNotFound,
    /// The repository has no such commit.
    CommitNotFound,
    /// What was sent is larger than allowed.
    TooLarge,
    /// The image build failed.
    BuildFailed,
    /// An image cannot be pulled or pushed.
    ImageUnavailable,
    /// A one-off task ended with a failure.
    TaskFailed,
    /// A gate of the pipeline refused to let it go on.
    GateRefused,
    /// The new version never became healthy; the old one stays live.
    Unhealthy,
    /// Somebody cancelled the operation.
    Cancelled,
    /// Something newer took the place of this operation.
    Superseded,
    /// Another worker took over; this one must change nothing more.
    LeaseLost,
    /// The data directory or database failed.
    Storage,
    /// The other side answered, but not in the way its protocol promises.
    Protocol,
    /// The other side is there but cannot serve right now.
    Unavailable,
    /// A defect in Kiwi.
    Internal,
}

impl ErrorKind {
    /// What to do next, when the error itself has no better advice.
    pub fn default_hint(self) -> &'static str {
        match self {
            Self::InvalidInput => "correct the value and try again; nothing was changed",
            Self::NotFound => "check the name; the matching `list` command shows what exists",
            Self::AlreadyExists => "choose another name, or update the existing one",
            Self::Conflict => "look at the current state with `kiwi status` and try again",
            Self::Busy => "wait for the other run, or cancel it with `kiwi runs cancel`",
            Self::Unsupported => "choose a provider that has this ability",
            Self::Unauthenticated => "check the user name and token; it may have expired or been revoked",
            Self::Forbidden => "ask an admin of your organization for the permission",
            Self::HostNotFound => "check the spelling of the host name and the DNS settings of this machine",
            Self::ConnectionRefused => "check the port and that the server is running; a firewall may refuse too",
            Self::Timeout => "check the network, proxy and firewall between this machine and the server",
            Self::Tls => "give the server's CA certificate; never switch verification off",
            Self::RepositoryNotFound => "check the URL; a private repository needs a token that may read it",
            Self::EmptyRepository => "push a first commit, then try again",
            Self::BranchNotFound => "check the branch name; `kiwi source check` lists the branches",
            Self::CommitNotFound => "the commit may have been removed by a force push; choose a commit of the branch",
            Self::TooLarge => "make the input smaller",
            Self::BuildFailed => "read the last lines of the build log above",
            Self::ImageUnavailable => "check the image name and the registry's credentials with `kiwi registry check`",
            Self::TaskFailed => "read the task's output above",
            Self::GateRefused => "fix the findings, or change the policy of the environment",
            Self::Unhealthy => "read the container's last log lines; check the port and the health path",
            Self::Cancelled => "start it again when you are ready",
            Self::Superseded => "nothing to do: something newer is delivered instead",
            Self::LeaseLost => "another worker finishes this run; follow it with `kiwi events`",
            Self::Storage => "check free space and permissions of the data directory",
            Self::Protocol => "check that the URL points to the right kind of server",
            Self::Unavailable => "try again later",
            Self::Internal => "this is a defect in Kiwi; please report it with the lines above",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Timeout | Self::Unavailable | Self::Busy | Self::ConnectionRefused)
    }
}

/// An error of one layer: what Kiwi was doing, what happened, and what to do next.
///
/// `Display` speaks for this layer alone; [`source`](StdError::source) gives the layer below. A chain is printed
/// once, at the edge, with [`Error::chain`].
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    hint: Option<String>,
    retry: Option<bool>,
    log: Vec<String>,
    candidates: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` while doing `operation` (a short verb phrase such as `"fetch commit"`).
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, operation, message: message.into(), hint: None, retry: None, log: Vec::new(), candidates: Vec::new(), source: None }))
    }

    /// Bad input: `message` says which rule the value breaks.
    pub fn invalid(what: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, what, message)
    }

    /// Says what to do next, more exactly than the kind's own advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Attaches the layer below.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Overrides whether the call may be repeated.
    #[must_use]
    pub fn with_retry(mut self, retry: bool) -> Self {
        self.0.retry = Some(retry);
        self
    }

    /// Attaches the last lines of what the failed thing printed.
    #[must_use]
    pub fn with_log(mut self, log: Vec<String>) -> Self {
        self.0.log = log;
        self
    }

    /// Attaches the answers among which only a person can choose.
    #[must_use]
    pub fn with_candidates(mut self, candidates: Vec<String>) -> Self {
        self.0.candidates = candidates;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What Kiwi was doing.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What happened, without the operation.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    pub fn hint(&self) -> &str {
        self.0.hint.as_deref().unwrap_or_else(|| self.0.kind.default_hint())
    }

    /// The last lines of what the failed thing printed, oldest first.
    pub fn log(&self) -> &[String] {
        &self.0.log
    }

    /// The answers among which only a person can choose; mostly none.
    pub fn candidates(&self) -> &[String] {
        &self.0.candidates
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retry.unwrap_or_else(|| self.0.kind.is_transient())
    }

    /// This layer and every layer below it, joined by `: `.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(error) = next {
            let layer = error.to_string();
            if !text.ends_with(&layer) {
                text.push_str(": ");
                text.push_str(&layer);
            }
            next = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.0.kind, self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<ValueError> for Error {
    fn from(error: ValueError) -> Self {
        let hint = error.hint.clone();
        Self::new(ErrorKind::InvalidInput, error.what, error.message()).with_hint(hint)
    }
}

/// A text that is not a value of its type: what the type is, the text, the rule it breaks and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {problem} ({hint})")]
pub struct ValueError {
    what: &'static str,
    value: String,
    problem: String,
    hint: String,
}

impl ValueError {
    /// `what` is the type in words, `problem` completes the sentence "`<what> <value> …`".
    pub fn new(what: &'static str, value: &str, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        // A hostile value must not fill the terminal; 80 characters show which one it was.
        let value = if value.chars().count() > 80 { value.chars().take(77).collect::<String>() + "..." } else { value.to_owned() };
        Self { what, value, problem: problem.into(), hint: hint.into() }
    }

    /// The sentence without the hint.
    pub fn message(&self) -> String {
        format!("{:?} {}", self.value, self.problem)
    }

    /// How to mend the value.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}
