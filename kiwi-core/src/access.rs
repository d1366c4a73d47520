//! Who may do what: one table, enforced by the facade for every adapter, and the source of every menu.

use crate::domain::OrganizationId;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// What a person is in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets up the organization.
    Admin,
    /// Works with its services.
    Member {
        /// Whether the organization's manager gave the `service` permission.
        service: bool,
    },
}

/// Who acts, and for which organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name that the history shows.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Where.
    pub organization: OrganizationId,
}

impl Actor {
    /// The admin of the organization `default`: whoever runs the embedded engine.
    pub fn local_admin() -> Self {
        Self { name: "admin".to_owned(), role: Role::Admin, organization: OrganizationId::default() }
    }

    /// A member of the organization `default`.
    pub fn local_member() -> Self {
        Self { name: "member".to_owned(), role: Role::Member { service: true }, organization: OrganizationId::default() }
    }

    /// Refuses what the table does not allow.
    pub fn may(&self, operation: Operation) -> Result<()> {
        match operation.verdict(self.role) {
            Verdict::Allowed => Ok(()),
            Verdict::AdminOnly => {
                Err(Error::new(ErrorKind::Forbidden, "authorize", format!("only an admin may {}", operation.description()))
                    .with_hint("ask your admin to do it"))
            }
            Verdict::NeedsPermission => Err(Error::new(ErrorKind::Forbidden, "authorize", format!("you have no permission to {}", operation.description()))
                .with_hint("request service permission from your organization manager")),
        }
    }
}

/// What the facade can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`description` says what each is")]
#[non_exhaustive]
pub enum Operation {
    ReadRuntimes,
    ChangeRuntimes,
    ReadRegistries,
    ChangeRegistries,
    ReadServices,
    CheckSources,
    RegisterServices,
    ChangeServices,
    RemoveServices,
    Build,
    Deploy,
    ReadRuns,
    CancelRuns,
    CleanUp,
    RotateKey,
}

enum Verdict {
    Allowed,
    AdminOnly,
    NeedsPermission,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 15] = [
        Self::ReadRuntimes,
        Self::ChangeRuntimes,
        Self::ReadRegistries,
        Self::ChangeRegistries,
        Self::ReadServices,
        Self::CheckSources,
        Self::RegisterServices,
        Self::ChangeServices,
        Self::RemoveServices,
        Self::Build,
        Self::Deploy,
        Self::ReadRuns,
        Self::CancelRuns,
        Self::CleanUp,
        Self::RotateKey,
    ];

    /// The operation as the end of "you may …".
    pub fn description(self) -> &'static str {
        match self {
            Self::ReadRuntimes => "see runtimes",
            Self::ChangeRuntimes => "add or remove runtimes",
            Self::ReadRegistries => "see registries",
            Self::ChangeRegistries => "add or remove registries",
            Self::ReadServices => "see services",
            Self::CheckSources => "test the connection to a source",
            Self::RegisterServices => "register services",
            Self::ChangeServices => "change services",
            Self::RemoveServices => "remove services",
            Self::Build => "build services",
            Self::Deploy => "deploy services",
            Self::ReadRuns => "see runs",
            Self::CancelRuns => "cancel runs",
            Self::CleanUp => "clean up runtimes",
            Self::RotateKey => "rotate the encryption key",
        }
    }

    /// Whether this role may do it.
    pub fn allowed(self, role: Role) -> bool {
        matches!(self.verdict(role), Verdict::Allowed)
    }

    fn verdict(self, role: Role) -> Verdict {
        let admin_only = matches!(self, Self::ChangeRuntimes | Self::ChangeRegistries | Self::CleanUp | Self::RotateKey);
        let reads = matches!(self, Self::ReadRuntimes | Self::ReadRegistries | Self::ReadServices | Self::ReadRuns);
        match role {
            Role::Admin => Verdict::Allowed,
            Role::Member { .. } if admin_only => Verdict::AdminOnly,
            Role::Member { service } if service || reads => Verdict::Allowed,
            Role::Member { .. } => Verdict::NeedsPermission,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_matrix() {
        use std::fmt::Write as _;
        let mut table = String::new();
        for operation in Operation::ALL {
            let cell = |role| if operation.allowed(role) { "yes" } else { "no" };
            writeln!(
                table,
                "{:<45} admin {:<4} member+service {:<4} member {}",
                operation.description(),
                cell(Role::Admin),
                cell(Role::Member { service: true }),
                cell(Role::Member { service: false })
            )
            .unwrap();
        }
        insta::assert_snapshot!(table);
    }
}
