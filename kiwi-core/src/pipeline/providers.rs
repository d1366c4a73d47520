//! Git hosts of an organization: an admin sets them, members use them without seeing the token.

use super::{Kiwi, missing};
use crate::access::{Actor, MenuEntry, Operation, SourceType, incomplete, menu};
use crate::domain::{Branch, CommitSha, GitProviderKind, GitUrl, OrganizationId, ProviderSettings, ServerUrl, Service, Source, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{BoxStream, GitAccess, GitProvider, Namespace, RemoteRepository, SourceAccess, TokenReport};
use crate::secret::SecretString;
use crate::webhook::{UnverifiedWebhook, WebhookVerdict};
use std::sync::Arc;

/// A git host to set up.
#[derive(Debug, Clone)]
pub struct NewProvider {
    /// Which API it speaks.
    pub kind: GitProviderKind,
    /// Where it is; the public one of its kind when absent.
    pub url: Option<ServerUrl>,
    /// The token that members will use unseen.
    pub token: SecretString,
    /// A CA certificate (PEM) beyond those of the machine.
    pub ca: Option<String>,
    /// Whether plain HTTP and addresses that are not public are allowed.
    pub private: bool,
}

/// The organization's token goes to the organization's host alone, whatever the host's API, or a service that was registered when there was
/// another one, names as the place of a repository.
fn same_host(settings: &ProviderSettings, repository: &GitUrl) -> Result<()> {
    let address = |text: &str| text.split_once("://").map(|(scheme, rest)| (scheme.to_owned(), rest.split('/').next().unwrap_or_default().to_owned()));
    let (host, clone) = (address(settings.url.as_str()), address(repository.as_str()));
    // From http to https nothing is given away.
    let same = host.as_ref().zip(clone.as_ref()).is_some_and(|(host, clone)| host.1 == clone.1 && (host.0 == clone.0 || clone.0 == "https"));
    if same {
        return Ok(());
    }
    let title = settings.kind.title();
    Err(Error::new(
        ErrorKind::Forbidden,
        "open source",
        format!("{repository} is not on {}, and the organization's {title} token goes nowhere else", settings.url),
    )
    .with_hint(format!("set {title} up with the address that its clone URLs have, or register the repository with --git and a token of its own")))
}

impl Kiwi {
    /// Sets up a git host after its token was verified; replaces the one of its kind. Services go on with the new token.
    pub async fn set_provider(&self, actor: &Actor, new: NewProvider) -> Result<(ProviderSettings, TokenReport)> {
        actor.may(Operation::ChangeProviders)?;
        let url = new.url.or_else(|| ServerUrl::public(new.kind)).ok_or_else(|| Error::invalid("set provider", "a plain URL needs no settings"))?;
        let access = GitAccess { kind: new.kind, url: url.clone(), token: new.token.clone(), ca: new.ca.clone(), private: new.private };
        let report = self.inner.connector.git(&access).await?.verify_token().await?;
        let before = self.provider_settings(&actor.organization, new.kind).await?;
        let settings = ProviderSettings {
            kind: new.kind,
            url,
            token: self.store().insert_secret(&new.token).await?,
            ca: new.ca,
            private: new.private,
            account: report.account.clone(),
            expires_at: report.expires_at,
            updated_at: Timestamp::now(),
        };
        let obsolete = match self.store().put_provider(&actor.organization, &settings).await {
            Ok(()) => before.map(|before| before.token),
            Err(error) => {
                self.store().remove_secrets(std::slice::from_ref(&settings.token)).await?;
                return Err(error);
            }
        };
        self.store().remove_secrets(obsolete.as_slice()).await?;
        Ok((settings, report))
    }

    /// Who the token of a git host is and what it lacks.
    pub async fn check_provider(&self, actor: &Actor, kind: GitProviderKind) -> Result<TokenReport> {
        actor.may(Operation::ChangeProviders)?;
        self.git_provider(actor, kind).await?.verify_token().await
    }

    /// The git hosts that are set up.
    pub async fn providers(&self, actor: &Actor) -> Result<Vec<ProviderSettings>> {
        actor.may(Operation::ReadProviders)?;
        self.store().providers(&actor.organization).await
    }

    /// Forgets a git host that no service comes from, with its token.
    pub async fn remove_provider(&self, actor: &Actor, kind: GitProviderKind) -> Result<()> {
        actor.may(Operation::ChangeProviders)?;
        let settings = self.provider_settings(&actor.organization, kind).await?.ok_or_else(|| missing("git host", kind.title()))?;
        self.store().remove_provider(&actor.organization, kind).await?;
        self.store().remove_secrets(&[settings.token]).await
    }

    /// What the actor may do with a kind of source.
    pub async fn provider_menu(&self, actor: &Actor, source: SourceType) -> Result<Vec<MenuEntry>> {
        actor.may(Operation::ReadProviders)?;
        let has_settings = match source {
            SourceType::Github => self.provider_settings(&actor.organization, GitProviderKind::Github).await?.is_some(),
            SourceType::Gitlab => self.provider_settings(&actor.organization, GitProviderKind::Gitlab).await?.is_some(),
            SourceType::Images => true,
        };
        Ok(menu(source, actor.role, has_settings))
    }

    /// Repositories of a git host, page by page.
    pub async fn repositories(&self, actor: &Actor, kind: GitProviderKind, search: Option<String>) -> Result<BoxStream<Result<RemoteRepository>>> {
        actor.may(Operation::BrowseProviders)?;
        Ok(self.git_provider(actor, kind).await?.repositories(search))
    }

    /// Branches of a repository of a git host, page by page.
    pub async fn branches(&self, actor: &Actor, kind: GitProviderKind, path: &str) -> Result<BoxStream<Result<(Branch, CommitSha)>>> {
        actor.may(Operation::BrowseProviders)?;
        let git = self.git_provider(actor, kind).await?;
        let link = git.repository(path).await?.link;
        Ok(git.branches(&link))
    }

    /// Owners that repositories can be created under, page by page.
    pub async fn namespaces(&self, actor: &Actor, kind: GitProviderKind) -> Result<BoxStream<Result<Namespace>>> {
        actor.may(Operation::BrowseProviders)?;
        Ok(self.git_provider(actor, kind).await?.namespaces())
    }

    /// What a delivery is: its verdict, without looking anything up. Without a secret every delivery is rejected.
    pub fn explain_delivery(
        &self,
        actor: &Actor,
        kind: GitProviderKind,
        delivery: &UnverifiedWebhook,
        secret: Option<&SecretString>,
        branch: Option<&Branch>,
    ) -> Result<WebhookVerdict> {
        actor.may(Operation::ExplainDeliveries)?;
        let verdict = self.inner.connector.webhooks(kind)?.verify(delivery, secret);
        Ok(match branch {
            Some(branch) => verdict.for_branch(branch),
            None => verdict,
        })
    }

    pub(super) async fn provider_settings(&self, organization: &OrganizationId, kind: GitProviderKind) -> Result<Option<ProviderSettings>> {
        Ok(self.store().providers(organization).await?.into_iter().find(|provider| provider.kind == kind))
    }

    /// The API of a git host with the organization's token.
    pub(super) async fn git_provider(&self, actor: &Actor, kind: GitProviderKind) -> Result<Arc<dyn GitProvider>> {
        let Some(settings) = self.provider_settings(&actor.organization, kind).await? else {
            return Err(Error::new(ErrorKind::NotFound, "open git host", format!("{} is not set up for this organization", kind.title()))
                .with_hint(incomplete(kind.title(), actor.role)));
        };
        let token = self.store().secret(&settings.token).await?;
        self.inner.connector.git(&GitAccess { kind, url: settings.url, token, ca: settings.ca, private: settings.private }).await
    }

    /// What git itself needs to fetch a source: its own token, or the organization's.
    pub(super) async fn source_access(&self, organization: &OrganizationId, source: &Source) -> Result<SourceAccess> {
        match source {
            Source::Git { provider: GitProviderKind::Url, token, ca, .. } => {
                let token = match token {
                    Some(id) => Some(self.store().secret(id).await?),
                    None => None,
                };
                Ok(SourceAccess { token, ca: ca.clone(), private: false })
            }
            Source::Git { provider, repository, .. } => {
                let gone = || Error::new(ErrorKind::NotFound, "open source", format!("{} is not set up any more", provider.title()));
                let settings = self.provider_settings(organization, *provider).await?.ok_or_else(gone)?;
                same_host(&settings, repository)?;
                Ok(SourceAccess { token: Some(self.store().secret(&settings.token).await?), ca: settings.ca, private: settings.private })
            }
            Source::Images(_) => Ok(SourceAccess::default()),
        }
    }

    /// The source of a repository of a git host, after git itself could read it with the organization's token.
    pub(super) async fn hosted_source(&self, actor: &Actor, kind: GitProviderKind, repository: RemoteRepository, branch: Option<Branch>) -> Result<Source> {
        if repository.archived {
            return Err(Error::new(ErrorKind::Conflict, "register service", format!("{} is archived, so nothing will be pushed to it", repository.link.path))
                .with_hint("unarchive it at the host, or choose another repository"));
        }
        let empty = || Error::new(ErrorKind::EmptyRepository, "register service", format!("{} has no commit yet", repository.link.path));
        let branch = branch.or(repository.default_branch).ok_or_else(empty)?;
        let source =
            Source::Git { provider: kind, repository: repository.clone_url, branch: branch.clone(), token: None, ca: None, link: Some(repository.link) };
        let access = self.source_access(&actor.organization, &source).await?;
        let report = self.source_for(&source)?.check(&source, &access).await?;
        super::services::require_branch(&report, &branch)?;
        Ok(source)
    }

    /// The head of a branch. A repository that moved is followed by the host's id, and the service keeps its new place.
    pub(super) async fn resolve_head(&self, service: &mut Service, branch: &Branch) -> Result<CommitSha> {
        let access = self.source_access(&service.organization, &service.source).await?;
        let source = self.source_for(&service.source)?.clone();
        let error = match source.resolve(&service.source, branch, &access).await {
            Err(error) if error.kind() == ErrorKind::RepositoryNotFound => error,
            other => return other,
        };
        let Source::Git { provider, link: Some(link), repository, .. } = &service.source else { return Err(error) };
        let now = self.git_provider(&Self::local_actor(service), *provider).await?.repository_by_id(link.id).await?;
        if now.clone_url == *repository {
            return Err(error);
        }
        self.move_source(service, now).await?;
        source.resolve(&service.source, branch, &access).await
    }

    async fn move_source(&self, service: &mut Service, now: RemoteRepository) -> Result<()> {
        let moved = |service: &mut Service| {
            if let Source::Git { repository, link, .. } = &mut service.source {
                (*repository, *link) = (now.clone_url.clone(), Some(now.link.clone()));
            }
            Ok(())
        };
        let updated = self.update_service(&Self::local_actor(service), &service.name.clone(), moved).await?;
        service.source = updated.source;
        Ok(())
    }
}
