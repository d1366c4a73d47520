//! GitHub: github.com and GitHub Enterprise Server (<https://docs.github.com/en/rest>).

mod hooks;
mod token;
mod webhook;

pub use webhook::GithubWebhooks;

use crate::api::{Api, ApiLimits, Dialect, Refusal, pages};
use async_trait::async_trait;
use kiwi_core::domain::{Branch, CommitSha, RepositoryLink};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{
    AccountOutcome, BoxStream, CommitState, CommitStatus, Comparison, GitAccess, GitProvider, GitProviderCapabilities, Namespace, NewAccount, RemoteRepository,
    TokenReport,
};
use kiwi_core::secret::SecretString;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// GitHub's API with one token.
pub struct Github {
    api: Arc<Api>,
}

impl std::fmt::Debug for Github {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Github").finish_non_exhaustive()
    }
}

static DIALECT: Dialect = Dialect {
    title: "GitHub",
    headers: &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")],
    message: |body| {
        let message = body.get("message")?.as_str()?;
        // The message says that something failed; the list says what.
        let details = body.get("errors").and_then(Value::as_array).into_iter().flatten();
        let details: Vec<&str> = details.filter_map(|error| error.get("message").unwrap_or(error).as_str()).collect();
        Some(if details.is_empty() { message.to_owned() } else { format!("{message} {}", details.join("; ")) })
    },
    wanted: |headers, _| {
        let header = |name: &str| headers.get(name)?.to_str().ok().filter(|value| !value.is_empty()).map(str::to_owned);
        header("x-accepted-github-permissions").or_else(|| header("x-accepted-oauth-scopes").map(|scopes| format!("one of the scopes {scopes}")))
    },
};

#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
    clone_url: String,
    default_branch: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    disabled: bool,
    permissions: Option<Permissions>,
}

#[derive(Debug, Default, Deserialize)]
struct Permissions {
    #[serde(default)]
    push: bool,
}

impl Repository {
    fn into_remote(self) -> Option<RemoteRepository> {
        Some(RemoteRepository {
            link: RepositoryLink { id: self.id, path: self.full_name },
            clone_url: self.clone_url.parse().ok()?,
            default_branch: self.default_branch.and_then(|branch| branch.parse().ok()),
            archived: self.archived || self.disabled,
        })
    }
}

#[derive(Debug, Deserialize)]
struct Owner {
    id: u64,
    login: String,
}

#[derive(Deserialize)]
struct BranchItem {
    name: String,
    commit: CommitItem,
}

#[derive(Deserialize)]
struct CommitItem {
    sha: String,
}

impl Github {
    /// The API of the server that `access` names.
    pub async fn new(access: &GitAccess, limits: ApiLimits) -> Result<Self> {
        let text = match access.url.as_str() {
            "https://github.com" | "https://www.github.com" => "https://api.github.com".to_owned(),
            enterprise => format!("{enterprise}/api/v3"),
        };
        let base = text.parse().map_err(|_| Error::invalid("reach git host", "the server's URL is not one"))?;
        Self::at(access, base, limits).await
    }

    /// The API at this very address.
    pub async fn at(access: &GitAccess, base: Url, limits: ApiLimits) -> Result<Self> {
        Ok(Self { api: Arc::new(Api::new(access, base, limits, &DIALECT).await?) })
    }

    /// What "not found" means: hosts hide what a token may not see, and answer so also when the token ended meanwhile.
    async fn explain(&self, refusal: Refusal, path: &str) -> Error {
        if refusal.status != StatusCode::NOT_FOUND || refusal.error.kind() != ErrorKind::NotFound {
            return refusal.error;
        }
        match self.api.send(self.api.get(&["rate_limit"], &[])).await {
            Err(refused) if refused.error.kind() == ErrorKind::Unauthenticated => refused.error,
            _ => Error::new(ErrorKind::RepositoryNotFound, "find repository", format!("Repository not found, or the token may not see it: {path}"))
                .with_hint("check the name; a fine-grained token must name the repository, a classic one needs the scope repo"),
        }
    }

    async fn find(&self, path: &str) -> Result<RemoteRepository, Refusal> {
        let (owner, name) = split(path)?;
        let found: Repository = self.api.json(self.api.get(&["repos", owner, name], &[])).await?;
        Ok(found.into_remote().ok_or_else(|| unreadable(path))?)
    }

    async fn login(&self) -> Result<Owner> {
        Ok(self.api.json(self.api.get(&["user"], &[])).await?)
    }

    /// A commit status cannot be shown for a while after the first push of a new repository; a branch neither.
    async fn wait_for_branch(&self, path: &str, branch: &str) -> Result<()> {
        let (owner, name) = split(path)?;
        for _ in 0..40 {
            match self.api.send(self.api.get(&["repos", owner, name, "branches", branch], &[])).await {
                Ok(_) => return Ok(()),
                Err(refusal) if matches!(refusal.status, StatusCode::NOT_FOUND | StatusCode::CONFLICT) => tokio::time::sleep(Duration::from_millis(250)).await,
                Err(refusal) => return Err(refusal.error),
            }
        }
        Err(Error::new(ErrorKind::Timeout, "create repository", format!("{path} exists, but its branch {branch} does not appear"))
            .with_hint("run the same command again: it adopts the repository"))
    }
}

/// Owner and name; GitHub has no deeper paths.
fn split(path: &str) -> Result<(&str, &str)> {
    let legal =
        |part: &str| !part.is_empty() && !matches!(part, "." | "..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    match path.split_once('/') {
        Some((owner, name)) if legal(owner) && legal(name) => Ok((owner, name)),
        _ => Err(Error::invalid("find repository", format!("{path:?} is not the path of a GitHub repository")).with_hint("give OWNER/REPOSITORY")),
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { status: StatusCode::OK, message: error.message().to_owned(), error }
    }
}

fn unreadable(path: &str) -> Error {
    Error::new(ErrorKind::Protocol, "find repository", format!("GitHub's clone URL of {path} is not one that Kiwi can fetch"))
}

#[async_trait]
impl GitProvider for Github {
    fn capabilities(&self) -> GitProviderCapabilities {
        let mut capabilities = GitProviderCapabilities::default();
        (capabilities.create_repository, capabilities.commit_status) = (true, true);
        capabilities
    }

    async fn verify_token(&self) -> Result<TokenReport> {
        token::verify(&self.api).await
    }

    fn namespaces(&self) -> BoxStream<Result<Namespace>> {
        use futures_util::StreamExt as _;
        let namespace = |personal| move |owner: Owner| Some(Namespace { id: owner.id, path: owner.login, personal });
        let api = self.api.clone();
        let user = futures_util::stream::once(async move {
            let owner: Owner = api.json(api.get(&["user"], &[])).await.map_err(Error::from)?;
            Ok(Namespace { id: owner.id, path: owner.login, personal: true })
        });
        user.chain(pages(self.api.clone(), self.api.get(&["user", "orgs"], &[("per_page", "100")]), "", namespace(false))).boxed()
    }

    fn repositories(&self, search: Option<String>) -> BoxStream<Result<RemoteRepository>> {
        // GitHub's own search is another, smaller rate limit and ends after 1,000; what the token sees is listed and filtered here.
        let wanted = search.map(|text| text.to_lowercase());
        // The list is sorted by name, and shifts when a repository is created meanwhile.
        let seen = Mutex::new(HashSet::new());
        pages(self.api.clone(), self.api.get(&["user", "repos"], &[("per_page", "100"), ("sort", "full_name")]), "", move |item: Repository| {
            let fits = wanted.as_ref().is_none_or(|wanted| item.full_name.to_lowercase().contains(wanted));
            let new = fits && seen.lock().unwrap_or_else(PoisonError::into_inner).insert(item.id);
            if new { item.into_remote() } else { None }
        })
    }

    async fn repository(&self, path: &str) -> Result<RemoteRepository> {
        match self.find(path).await {
            Ok(found) => Ok(found),
            Err(refusal) => Err(self.explain(refusal, path).await),
        }
    }

    async fn repository_by_id(&self, id: u64) -> Result<RemoteRepository> {
        let text = id.to_string();
        match self.api.json::<Repository>(self.api.get(&["repositories", &text], &[])).await {
            Ok(found) => found.into_remote().ok_or_else(|| unreadable(&text)),
            Err(refusal) => Err(self.explain(refusal, &text).await),
        }
    }

    fn branches(&self, repository: &RepositoryLink) -> BoxStream<Result<(Branch, CommitSha)>> {
        use futures_util::StreamExt as _;
        match split(&repository.path) {
            Err(error) => futures_util::stream::once(async { Err(error) }).boxed(),
            Ok((owner, name)) => pages(self.api.clone(), self.api.get(&["repos", owner, name, "branches"], &[("per_page", "100")]), "", |item: BranchItem| {
                Some((item.name.parse().ok()?, item.commit.sha.parse().ok()?))
            }),
        }
    }

    async fn create_repository(&self, namespace: &str, name: &str) -> Result<RemoteRepository> {
        let path = format!("{namespace}/{name}");
        split(&path)?;
        let user = self.login().await?.login;
        let body = json!({ "name": name, "private": true, "auto_init": true, "description": "Delivered by Kiwi" });
        let ask = if user.eq_ignore_ascii_case(namespace) {
            self.api.with(Method::POST, &["user", "repos"], &body)?
        } else {
            self.api.with(Method::POST, &["orgs", namespace, "repos"], &body)?
        };
        let created = match self.api.json::<Repository>(ask).await {
            Ok(created) => created,
            Err(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY && refusal.message.contains("already exists") => {
                let (owner, name) = split(&path)?;
                let found: Repository = self.api.json(self.api.get(&["repos", owner, name], &[])).await.map_err(Error::from)?;
                if !found.permissions.as_ref().is_some_and(|permissions| permissions.push) {
                    return Err(Error::new(ErrorKind::AlreadyExists, "create repository", format!("{path} exists already, and the token may not write to it"))
                        .with_hint("choose another name"));
                }
                found
            }
            Err(refusal) if refusal.status == StatusCode::NOT_FOUND => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    "create repository",
                    format!("GitHub has no owner {namespace}, or the token may not create repositories there"),
                )
                .with_hint("`kiwi provider namespaces github` lists the owners"));
            }
            Err(refusal) => return Err(refusal.error),
        };
        let mut remote = created.into_remote().ok_or_else(|| unreadable(&path))?;
        // The account's own setting may name the first branch differently.
        let branch = remote.default_branch.as_ref().map_or("main".to_owned(), ToString::to_string);
        self.wait_for_branch(&remote.link.path, &branch).await?;
        if branch != "main" && self.rename_to_main(&remote.link.path, &branch).await? {
            remote.default_branch = "main".parse().ok();
        }
        Ok(remote)
    }

    async fn compare(&self, repository: &RepositoryLink, from: &CommitSha, to: &CommitSha) -> Result<Comparison> {
        #[derive(Deserialize)]
        struct Compared {
            #[serde(default)]
            files: Vec<File>,
        }
        #[derive(Deserialize)]
        struct File {
            filename: String,
            previous_filename: Option<String>,
        }
        /// GitHub's documented end of the list, whatever the page.
        const MOST: usize = 300;
        let (owner, name) = split(&repository.path)?;
        let range = format!("{from}...{to}");
        let compared: Compared = match self.api.json(self.api.get(&["repos", owner, name, "compare", &range], &[])).await {
            Ok(compared) => compared,
            Err(refusal) if matches!(refusal.status, StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY) => {
                let error = self.explain(refusal, &repository.path).await;
                return Err(if error.kind() == ErrorKind::Unauthenticated { error } else { gone(from, to) });
            }
            Err(refusal) => return Err(refusal.error),
        };
        let truncated = compared.files.len() >= MOST;
        let files = compared.files.into_iter().flat_map(|file| std::iter::once(file.filename).chain(file.previous_filename)).collect();
        Ok(Comparison { files, truncated })
    }

    async fn ensure_webhook(&self, repository: &RepositoryLink, url: &Url, secret: &SecretString) -> Result<()> {
        hooks::ensure(&self.api, split(&repository.path)?, url, secret).await
    }

    async fn remove_webhook(&self, repository: &RepositoryLink, url: &Url) -> Result<()> {
        hooks::remove(&self.api, split(&repository.path)?, url).await
    }

    async fn publish_status(&self, repository: &RepositoryLink, commit: &CommitSha, status: &CommitStatus) -> Result<()> {
        let (owner, name) = split(&repository.path)?;
        let state = match status.state {
            CommitState::Pending | CommitState::Running => "pending",
            CommitState::Success => "success",
            CommitState::Failure => "failure",
        };
        let description: String = status.description.chars().take(140).collect();
        let mut body = json!({ "state": state, "description": description, "context": status.context });
        if let Some(target) = &status.target {
            body["target_url"] = json!(target);
        }
        match self.api.send(self.api.with(Method::POST, &["repos", owner, name, "statuses", commit.as_str()], &body)?).await {
            Ok(_) => Ok(()),
            Err(refusal) => Err(self.explain(refusal, &repository.path).await),
        }
    }

    async fn create_account(&self, _: &NewAccount) -> Result<AccountOutcome> {
        Err(Error::new(ErrorKind::Unsupported, "create account", "GitHub does not let others create accounts")
            .with_hint("invite people to the organization at GitHub"))
    }
}

impl Github {
    /// Whether the first branch could be given the name that everything else expects.
    async fn rename_to_main(&self, path: &str, branch: &str) -> Result<bool> {
        let (owner, name) = split(path)?;
        let ask = self.api.with(Method::POST, &["repos", owner, name, "branches", branch, "rename"], &json!({ "new_name": "main" }))?;
        match self.api.send(ask).await {
            Ok(_) => Ok(true),
            // A repository that was adopted may have a `main` beside its default, or rules; it stays as its people made it.
            Err(refusal) if matches!(refusal.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY) => Ok(false),
            Err(refusal) => Err(refusal.error),
        }
    }
}

fn gone(from: &CommitSha, to: &CommitSha) -> Error {
    Error::new(ErrorKind::CommitNotFound, "compare commits", format!("the host knows {} or {} no more", from.short(), to.short()))
        .with_hint("a force push may have removed it; without a comparison everything counts as changed")
}
