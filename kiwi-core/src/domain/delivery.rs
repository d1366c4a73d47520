//! What git hosts delivered, and what was decided about it.

use super::{Branch, CommitSha, DeliveryId, GitProviderKind, OrganizationId, RunId, ServiceId, ServiceName, Timestamp};
use serde::{Deserialize, Serialize};

/// One authentic webhook, or one look of the reconciler that found something new. It is kept before it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Its id here.
    pub id: DeliveryId,
    /// Who owns the service.
    pub organization: OrganizationId,
    /// The service whose webhook it came by.
    pub service: ServiceId,
    /// The service's name at the time.
    pub service_name: ServiceName,
    /// What brought it.
    pub origin: DeliveryOrigin,
    /// Whose API the repository has.
    pub provider: GitProviderKind,
    /// When it came.
    pub received_at: Timestamp,
    /// The headers that say what it is, names in lower case. None of them is a secret or a signature.
    pub headers: Vec<(String, String)>,
    /// The host's id of the delivery: the same when the host sends it again.
    pub host_id: Option<String>,
    /// The host's name of the event.
    pub event: Option<String>,
    /// The full path of the repository.
    pub repository: Option<String>,
    /// The branch that was pushed.
    pub branch: Option<Branch>,
    /// The tag that was pushed.
    pub tag: Option<String>,
    /// The commit that it names.
    pub commit: Option<CommitSha>,
    /// Why there is nothing to build whatever the service's settings say; none for a push of a commit to a branch.
    pub irrelevant: Option<String>,
    /// What was decided; none while it waits.
    pub decision: Option<Decision>,
}

/// What brought a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DeliveryOrigin {
    /// The host called.
    Webhook,
    /// Nobody called, and the reconciler found a head that was not decided yet.
    Reconciler,
}

/// What was decided about a delivery. There is exactly one, and it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// The run that delivers the commit: a new one, or the one that there is already.
    pub run: Option<RunId>,
    /// When.
    pub at: Timestamp,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Outcome {
    /// A run was asked for.
    Build,
    /// There is a run of this commit already.
    Duplicate,
    /// Nothing is to be built.
    Ignored,
}

impl Outcome {
    /// The outcome as scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

impl DeliveryOrigin {
    /// The origin as scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Reconciler => "reconciler",
        }
    }
}
