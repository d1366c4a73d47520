//! Who may do what: one table, enforced by the facade for every adapter, and the source of every menu.

mod scope;

pub use scope::Scope;

use crate::domain::OrganizationId;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a person is in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What they may use the role for now: everything, unless they came with an API token that allows less.
    pub scopes: BTreeSet<Scope>,
}

impl Actor {
    /// The admin of the organization `default`: whoever runs the embedded engine.
    pub fn local_admin() -> Self {
        Self { name: "admin".to_owned(), role: Role::Admin, organization: OrganizationId::default(), scopes: [Scope::Admin].into() }
    }

    /// A member of the organization `default`.
    pub fn local_member() -> Self {
        Self { name: "member".to_owned(), role: Role::Member { service: true }, organization: OrganizationId::default(), scopes: [Scope::Admin].into() }
    }

    /// Refuses what the table does not allow.
    pub fn may(&self, operation: Operation) -> Result<()> {
        match operation.verdict(self.role) {
            Verdict::Allowed if self.scopes.iter().any(|scope| scope.covers(operation)) => Ok(()),
            Verdict::Allowed => Err(Error::new(ErrorKind::Forbidden, "authorize", format!("this API token does not allow to {}", operation.description()))
                .with_hint("use a token with a wider scope")),
            Verdict::AdminOnly => {
                Err(Error::new(ErrorKind::Forbidden, "authorize", format!("only an admin may {}", operation.description()))
                    .with_hint("ask your admin to do it"))
            }
            Verdict::NeedsPermission => {
                Err(Error::new(ErrorKind::Forbidden, "authorize", format!("you have no permission to {}", operation.description())).with_hint(NO_PERMISSION))
            }
        }
    }
}

const NO_PERMISSION: &str = "request service permission from your organization manager";

/// A kind of source that a person chooses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SourceType {
    Github,
    Gitlab,
    Images,
}

/// One thing that a role may do with a kind of source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MenuEntry {
    /// Its name for programs.
    pub action: &'static str,
    /// Its name for people.
    pub label: String,
    /// The operation that it leads to.
    pub operation: Operation,
    /// Whether it works now.
    pub available: bool,
    /// What must happen first when it does not.
    pub reason: Option<String>,
}

/// What a role may do with a kind of source, in the order of a menu. What only an admin may do is not in a member's.
pub fn menu(source: SourceType, role: Role, has_settings: bool) -> Vec<MenuEntry> {
    let (title, thing) = match source {
        SourceType::Github => ("GitHub", "repository"),
        SourceType::Gitlab => ("GitLab", "project"),
        SourceType::Images => ("Docker Hub", "image"),
    };
    let mut entries = Vec::new();
    let mut add = |action, label: String, operation: Operation, needs_settings: bool| {
        let reason = match operation.verdict(role) {
            Verdict::AdminOnly => return,
            Verdict::NeedsPermission => Some(NO_PERMISSION.to_owned()),
            Verdict::Allowed if needs_settings && !has_settings => Some(incomplete(title, role)),
            Verdict::Allowed => None,
        };
        entries.push(MenuEntry { action, label, operation, available: reason.is_none(), reason });
    };
    if source == SourceType::Images {
        add("registries", "Registries and their credentials".to_owned(), Operation::ChangeRegistries, false);
        add("search_images", "Search for images and tags".to_owned(), Operation::CheckSources, false);
        add("register_images", "Register a service of ready images".to_owned(), Operation::RegisterServices, false);
        return entries;
    }
    add("settings", format!("{title} Settings"), Operation::ChangeProviders, false);
    if source == SourceType::Gitlab {
        add("create_accounts", format!("Create {title} accounts"), Operation::CreateAccounts, true);
    }
    add("register_existing", format!("Register an existing {thing}"), Operation::RegisterServices, true);
    add("create_new", format!("Create and register a new {thing}"), Operation::CreateRepositories, true);
    entries
}

/// What to do while a git host is not set up.
pub(crate) fn incomplete(title: &str, role: Role) -> String {
    match role {
        Role::Admin => format!("complete {title} Settings with `kiwi provider set {}`", title.to_lowercase()),
        Role::Member { .. } => format!("ask your admin to complete {title} Settings"),
    }
}

/// What the facade can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    ReadProviders,
    ChangeProviders,
    BrowseProviders,
    CreateRepositories,
    CreateAccounts,
    ReadUsers,
    ChangeUsers,
    ExplainDeliveries,
    ChangeGates,
    UseTokens,
    ChangeTokens,
    ReadAudit,
}

enum Verdict {
    Allowed,
    AdminOnly,
    NeedsPermission,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 27] = [
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
        Self::ReadProviders,
        Self::ChangeProviders,
        Self::BrowseProviders,
        Self::CreateRepositories,
        Self::CreateAccounts,
        Self::ReadUsers,
        Self::ChangeUsers,
        Self::ExplainDeliveries,
        Self::ChangeGates,
        Self::UseTokens,
        Self::ChangeTokens,
        Self::ReadAudit,
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
            Self::ReadProviders => "see which git hosts are set up",
            Self::ChangeProviders => "set, check or remove git hosts and their tokens",
            Self::BrowseProviders => "list repositories, branches and owners of a git host",
            Self::CreateRepositories => "create repositories at a git host",
            Self::CreateAccounts => "create accounts at a git host",
            Self::ReadUsers => "see users",
            Self::ChangeUsers => "add or remove users",
            Self::ChangeGates => "change what a scan lets through",
            Self::ExplainDeliveries => "see why a push was or was not delivered",
            Self::UseTokens => "have an API token",
            Self::ChangeTokens => "see and revoke everybody's API tokens",
            Self::ReadAudit => "see who changed what",
        }
    }

    /// Whether this role may do it.
    pub fn allowed(self, role: Role) -> bool {
        matches!(self.verdict(role), Verdict::Allowed)
    }

    /// Whether it changes nothing and asks nobody else.
    pub fn is_reading(self) -> bool {
        matches!(
            self,
            Self::ReadRuntimes
                | Self::ReadRegistries
                | Self::ReadServices
                | Self::ReadRuns
                | Self::ReadProviders
                | Self::ReadUsers
                | Self::ReadAudit
                | Self::ExplainDeliveries
        )
    }

    fn verdict(self, role: Role) -> Verdict {
        let admin_only = matches!(
            self,
            Self::ChangeRuntimes
                | Self::ChangeRegistries
                | Self::CleanUp
                | Self::RotateKey
                | Self::ChangeProviders
                | Self::CreateAccounts
                | Self::ReadUsers
                | Self::ChangeUsers
                | Self::ChangeGates
                | Self::ChangeTokens
                | Self::ReadAudit
        );
        // Whoever may look may do so from a program.
        let reads = self.is_reading() || self == Self::UseTokens;
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

    #[test]
    fn a_menu_is_what_the_table_allows() {
        use std::fmt::Write as _;
        let mut text = String::new();
        for source in [SourceType::Github, SourceType::Gitlab, SourceType::Images] {
            for role in [Role::Admin, Role::Member { service: true }, Role::Member { service: false }] {
                for has_settings in [true, false] {
                    writeln!(text, "{source:?} {role:?} settings {has_settings}").unwrap();
                    for entry in menu(source, role, has_settings) {
                        assert_eq!(entry.available, entry.operation.allowed(role) && entry.reason.is_none());
                        writeln!(text, "  {:<18} {:<36} {}", entry.action, entry.label, entry.reason.unwrap_or_default()).unwrap();
                    }
                }
            }
        }
        insta::assert_snapshot!(text);
    }
}
