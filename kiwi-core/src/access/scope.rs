//! What an API token may be used for.

use super::{Operation, Role};
use crate::error::ValueError;
use serde::{Deserialize, Serialize};

/// A set of operations. A token never allows more than its user's role, whatever its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Making the first admin, and nothing else. Only `kiwi serve` makes such a token, and it works once.
    Bootstrap,
    /// Looking.
    Read,
    /// Looking, and everything a member with the `service` permission does to services; not what concerns people and tokens.
    Deploy,
    /// Everything that the user may do.
    Admin,
}

impl Scope {
    /// Those that a person chooses from.
    pub const CHOICES: [Self; 3] = [Self::Read, Self::Deploy, Self::Admin];

    /// The scope as people type it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }

    /// Whether it covers an operation.
    pub fn covers(self, operation: Operation) -> bool {
        // A token that makes tokens would outlive its own end and revocation.
        let about_tokens = matches!(operation, Operation::UseTokens | Operation::ChangeTokens);
        match self {
            Self::Bootstrap => false,
            Self::Read => operation.is_reading(),
            Self::Deploy => operation.is_reading() || (operation.allowed(Role::Member { service: true }) && !about_tokens),
            Self::Admin => true,
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let unknown = || ValueError::new("scope", text, "does not exist", "choose read, deploy or admin");
        Self::CHOICES.into_iter().find(|scope| scope.as_str() == text).ok_or_else(unknown)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_widen_and_none_but_the_last_reaches_tokens() {
        for operation in Operation::ALL {
            assert!(!Scope::Bootstrap.covers(operation));
            assert!(!Scope::Read.covers(operation) || Scope::Deploy.covers(operation), "{operation:?}");
            assert!(Scope::Admin.covers(operation));
        }
        assert!(Scope::Deploy.covers(Operation::Deploy) && !Scope::Read.covers(Operation::Deploy));
        for operation in [Operation::UseTokens, Operation::ChangeTokens, Operation::ChangeUsers, Operation::ChangeRuntimes] {
            assert!(!Scope::Deploy.covers(operation) && !Scope::Read.covers(operation), "{operation:?}");
        }
    }
}
