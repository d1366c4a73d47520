//! GitLab: gitlab.com and self-hosted servers, also below a sub-path (<https://docs.gitlab.com/api/rest/>).

mod accounts;
mod hooks;
mod token;
mod webhook;

pub use webhook::GitlabWebhooks;

use crate::api::{Api, ApiLimits, Ask, Dialect, Refusal, pages};
use async_trait::async_trait;
use futures_util::StreamExt as _;
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

/// GitLab's API with one token.
pub struct Gitlab {
    api: Arc<Api>,
}

impl std::fmt::Debug for Gitlab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gitlab").finish_non_exhaustive()
    }
}

static DIALECT: Dialect = Dialect {
    title: "GitLab",
    headers: &[("accept", "application/json")],
    message: |body| {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            // Refused fields, each with its reasons.
            Value::Object(fields) => Some(
                fields
                    .iter()
                    .map(|(field, reasons)| {
                        let reasons: Vec<&str> = reasons.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                        format!("{field} {}", reasons.join(", "))
                    })
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            Value::Array(all) => Some(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")),
            _ => None,
        };
        // The description says more than the code beside it.
        ["error_description", "message", "error"].into_iter().find_map(|key| body.get(key).and_then(text))
    },
    wanted: |_, body| {
        let scope = body.get("scope").and_then(Value::as_str);
        scope.map(|scope| format!("the scope {scope}")).or_else(|| Some("the scope api, and the role Maintainer in the project for webhooks".to_owned()))
    },
};

#[derive(Debug, Deserialize)]
struct Project {
    id: u64,
    path_with_namespace: String,
    http_url_to_repo: String,
    default_branch: Option<String>,
    #[serde(default)]
    archived: bool,
    permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Debug, Deserialize)]
struct Access {
    access_level: u32,
}

/// GitLab's number for the role that may push.
const DEVELOPER: u32 = 30;

impl Project {
    fn into_remote(self) -> Option<RemoteRepository> {
        Some(RemoteRepository {
            link: RepositoryLink { id: self.id, path: self.path_with_namespace },
            clone_url: self.http_url_to_repo.parse().ok()?,
            default_branch: self.default_branch.and_then(|branch| branch.parse().ok()),
            archived: self.archived,
        })
    }

    fn may_push(&self) -> bool {
        let levels = self.permissions.iter().flat_map(|permissions| [&permissions.project_access, &permissions.group_access]);
        levels.flatten().any(|access| access.access_level >= DEVELOPER)
    }
}

#[derive(Deserialize)]
struct Group {
    id: u64,
    full_path: String,
    #[serde(default)]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct BranchItem {
    name: String,
    commit: CommitItem,
}

#[derive(Deserialize)]
struct CommitItem {
    id: String,
}

impl Gitlab {
    /// The API of the server that `access` names.
    pub async fn new(access: &GitAccess, limits: ApiLimits) -> Result<Self> {
        let base = format!("{}/api/v4", access.url).parse().map_err(|_| Error::invalid("reach git host", "the server's URL is not one"))?;
        Ok(Self { api: Arc::new(Api::new(access, base, limits, &DIALECT).await?) })
    }

    /// What "not found" means: GitLab hides what a token may not see, and a proxy may have taken the path apart.
    async fn explain(&self, refusal: Refusal, path: &str) -> Error {
        if refusal.status != StatusCode::NOT_FOUND || refusal.error.kind() != ErrorKind::NotFound {
            return refusal.error;
        }
        match self.api.send(self.api.get(&["user"], &[])).await {
            Err(refused) if refused.error.kind() == ErrorKind::Unauthenticated => refused.error,
            Err(refused) if refused.error.kind() == ErrorKind::Protocol => refused.error,
            _ => Error::new(ErrorKind::RepositoryNotFound, "find project", format!("Repository not found, or the token may not see it: {path}")).with_hint(
                "check the full path with its groups; if every project is missing, a proxy in front of GitLab decodes %2F (Apache needs AllowEncodedSlashes NoDecode)",
            ),
        }
    }

    fn project(&self, id: u64, rest: &[&str], query: &[(&str, &str)]) -> Ask {
        let id = id.to_string();
        let segments: Vec<&str> = ["projects", &id].into_iter().chain(rest.iter().copied()).collect();
        self.api.get(&segments, query)
    }

    async fn wait_for_branch(&self, id: u64, path: &str, branch: &str) -> Result<()> {
        // GitLab writes the first commit after it answered, and under load much later.
        for _ in 0..60 {
            match self.api.send(self.project(id, &["repository", "branches", branch], &[])).await {
                Ok(_) => return Ok(()),
                Err(refusal) if refusal.status == StatusCode::NOT_FOUND => tokio::time::sleep(Duration::from_millis(500)).await,
                Err(refusal) => return Err(refusal.error),
            }
        }
        Err(Error::new(ErrorKind::Timeout, "create project", format!("{path} exists, but its branch {branch} does not appear"))
            .with_hint("run the same command again: it adopts the project; or push a first commit"))
    }

    async fn namespace_id(&self, path: &str) -> Result<u64> {
        match self.api.json::<Group>(self.api.get(&["namespaces", path], &[])).await {
            Ok(group) => Ok(group.id),
            Err(refusal) if refusal.status == StatusCode::NOT_FOUND && refusal.error.kind() == ErrorKind::NotFound => {
                Err(Error::new(ErrorKind::NotFound, "create project", format!("GitLab has no group or user {path}, or the token may not see it"))
                    .with_hint("`kiwi provider namespaces gitlab` lists the owners"))
            }
            Err(refusal) => Err(refusal.error),
        }
    }
}

/// A full path with its groups; opaque but for what no path can be.
fn legal(path: &str) -> Result<&str> {
    let part = |part: &str| !part.is_empty() && !matches!(part, "." | "..") && !part.chars().any(|c| c.is_control() || c.is_whitespace());
    if path.len() <= 1024 && path.contains('/') && path.split('/').all(part) {
        return Ok(path);
    }
    Err(Error::invalid("find project", format!("{path:?} is not the path of a GitLab project")).with_hint("give GROUP/PROJECT, with all subgroups"))
}

#[async_trait]
impl GitProvider for Gitlab {
    fn capabilities(&self) -> GitProviderCapabilities {
        let mut capabilities = GitProviderCapabilities::default();
        (capabilities.create_repository, capabilities.create_accounts, capabilities.commit_status) = (true, true, true);
        capabilities
    }

    async fn verify_token(&self) -> Result<TokenReport> {
        token::verify(&self.api).await
    }

    fn namespaces(&self) -> BoxStream<Result<Namespace>> {
        let pick = |group: Group| Some(Namespace { id: group.id, personal: group.kind.as_deref() == Some("user"), path: group.full_path });
        let own = pages(self.api.clone(), self.api.get(&["namespaces"], &[("per_page", "100"), ("owned_only", "true")]), "", move |group: Group| {
            pick(group).filter(|namespace| namespace.personal)
        });
        own.chain(pages(self.api.clone(), self.api.get(&["groups"], &[("per_page", "100"), ("min_access_level", "30")]), "", pick)).boxed()
    }

    fn repositories(&self, search: Option<String>) -> BoxStream<Result<RemoteRepository>> {
        // Pages by key, not by offset: nothing is listed twice or lost while projects come and go, and no list is too long.
        let mut query = vec![("membership", "true"), ("pagination", "keyset"), ("order_by", "id"), ("sort", "desc"), ("per_page", "100")];
        if let Some(text) = &search {
            query.extend([("search", text.as_str()), ("search_namespaces", "true")]);
        }
        let seen = Mutex::new(HashSet::new());
        pages(self.api.clone(), self.api.get(&["projects"], &query), "", move |project: Project| {
            let new = seen.lock().unwrap_or_else(PoisonError::into_inner).insert(project.id);
            if new { project.into_remote() } else { None }
        })
    }

    async fn repository(&self, path: &str) -> Result<RemoteRepository> {
        match self.api.json::<Project>(self.api.get(&["projects", legal(path)?], &[])).await {
            Ok(project) => project.into_remote().ok_or_else(|| unreadable(path)),
            Err(refusal) => Err(self.explain(refusal, path).await),
        }
    }

    async fn repository_by_id(&self, id: u64) -> Result<RemoteRepository> {
        let text = id.to_string();
        match self.api.json::<Project>(self.project(id, &[], &[])).await {
            Ok(project) => project.into_remote().ok_or_else(|| unreadable(&text)),
            Err(refusal) => Err(self.explain(refusal, &text).await),
        }
    }

    fn branches(&self, repository: &RepositoryLink) -> BoxStream<Result<(Branch, CommitSha)>> {
        pages(self.api.clone(), self.project(repository.id, &["repository", "branches"], &[("per_page", "100")]), "", |item: BranchItem| {
            Some((item.name.parse().ok()?, item.commit.id.parse().ok()?))
        })
    }

    async fn create_repository(&self, namespace: &str, name: &str) -> Result<RemoteRepository> {
        let path = format!("{namespace}/{name}");
        legal(&path)?;
        let owner = self.namespace_id(namespace).await?;
        // A full ref as the default branch would silently leave the project empty.
        let body =
            json!({ "name": name, "path": name, "namespace_id": owner, "visibility": "private", "initialize_with_readme": true, "default_branch": "main" });
        let project = match self.api.json::<Project>(self.api.with(Method::POST, &["projects"], &body)?).await {
            Ok(project) => project,
            // The documentation names one of these statuses, servers answer with the other.
            Err(refusal) if matches!(refusal.status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT) && refusal.message.contains("already been taken") => {
                let found: Project = match self.api.json(self.api.get(&["projects", &path], &[])).await {
                    Ok(found) => found,
                    Err(_) => {
                        return Err(Error::new(
                            ErrorKind::AlreadyExists,
                            "create project",
                            format!("the name {path} is taken, perhaps by a project that is being deleted"),
                        )
                        .with_hint("choose another name"));
                    }
                };
                if !found.may_push() {
                    return Err(Error::new(ErrorKind::AlreadyExists, "create project", format!("{path} exists already, and the token may not write to it"))
                        .with_hint("choose another name"));
                }
                found
            }
            Err(refusal) => return Err(refusal.error),
        };
        let branch = project.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let id = project.id;
        let mut remote = project.into_remote().ok_or_else(|| unreadable(&path))?;
        self.wait_for_branch(id, &path, &branch).await?;
        remote.default_branch = branch.parse().ok();
        Ok(remote)
    }

    async fn compare(&self, repository: &RepositoryLink, from: &CommitSha, to: &CommitSha) -> Result<Comparison> {
        #[derive(Deserialize)]
        struct Compared {
            #[serde(default)]
            diffs: Vec<Diff>,
            #[serde(default)]
            compare_timeout: bool,
        }
        #[derive(Deserialize)]
        struct Diff {
            old_path: String,
            new_path: String,
        }
        /// GitLab shows at most so many files of a comparison by default (`diff_max_files`).
        const MOST: usize = 1000;
        let query = [("from", from.as_str()), ("to", to.as_str()), ("straight", "true")];
        let compared: Compared = match self.api.json(self.project(repository.id, &["repository", "compare"], &query)).await {
            Ok(compared) => compared,
            Err(refusal) if refusal.status == StatusCode::NOT_FOUND => {
                let error = self.explain(refusal, &repository.path).await;
                return Err(match error.kind() {
                    ErrorKind::RepositoryNotFound => {
                        Error::new(ErrorKind::CommitNotFound, "compare commits", format!("the host knows {} or {} no more", from.short(), to.short()))
                            .with_hint("a force push may have removed it; without a comparison everything counts as changed")
                    }
                    _ => error,
                });
            }
            Err(refusal) => return Err(refusal.error),
        };
        let truncated = compared.compare_timeout || compared.diffs.len() >= MOST;
        let mut files: Vec<String> = compared.diffs.into_iter().flat_map(|diff| [diff.old_path, diff.new_path]).collect();
        files.dedup();
        Ok(Comparison { files, truncated })
    }

    async fn ensure_webhook(&self, repository: &RepositoryLink, url: &Url, secret: &SecretString) -> Result<()> {
        hooks::ensure(&self.api, repository.id, url, secret).await
    }

    async fn remove_webhook(&self, repository: &RepositoryLink, url: &Url) -> Result<()> {
        hooks::remove(&self.api, repository.id, url).await
    }

    async fn publish_status(&self, repository: &RepositoryLink, commit: &CommitSha, status: &CommitStatus) -> Result<()> {
        let state = match status.state {
            CommitState::Pending => "pending",
            CommitState::Running => "running",
            CommitState::Success => "success",
            CommitState::Failure => "failed",
        };
        let description: String = status.description.chars().take(255).collect();
        let mut body = json!({ "state": state, "ref": status.branch, "name": status.context, "description": description });
        if let Some(target) = &status.target {
            body["target_url"] = json!(target);
        }
        let id = repository.id.to_string();
        match self.api.send(self.api.with(Method::POST, &["projects", &id, "statuses", commit.as_str()], &body)?).await {
            Ok(_) => Ok(()),
            // The state that is shown already cannot be entered again.
            Err(refusal) if refusal.status == StatusCode::BAD_REQUEST && refusal.message.contains("Cannot transition status") => {
                if refusal.message.contains(&format!("from :{state}")) { Ok(()) } else { Err(refusal.error) }
            }
            Err(refusal) => Err(self.explain(refusal, &repository.path).await),
        }
    }

    async fn create_account(&self, account: &NewAccount) -> Result<AccountOutcome> {
        accounts::create(&self.api, account).await
    }
}

fn unreadable(path: &str) -> Error {
    Error::new(ErrorKind::Protocol, "find project", format!("GitLab's clone URL of {path} is not one that Kiwi can fetch"))
        .with_hint("check the server's external_url")
}
