//! Runtimes, registries, git hosts, images, people and tokens.

use super::Facade;
use super::client::query;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kiwi_core::access::{Actor, MenuEntry, SourceType};
use kiwi_core::domain::{
    ApiToken, Branch, CommitSha, Digest, GitProviderKind, GitUrl, ImageReference, ProviderSettings, RegistryAddress, RegistryName, RegistrySettings,
    RuntimeName, RuntimeSettings, TokenId, User, UserName,
};
use kiwi_core::error::Result;
use kiwi_core::pipeline::{NewProvider, NewToken};
use kiwi_core::provider::{
    BoxStream, FoundImage, Namespace, RegistryReport, RemoteRepository, RuntimeReport, SourceAccess, SourceReport, TagDetails, TokenReport,
};
use kiwi_core::secret::SecretString;
use kiwi_http::wire::{
    AddRegistry, AddedRuntime, BranchHead, CheckSource, CreateToken, CreatedToken, Facts, NewUser, Page, Resolved, Rotated, SecretValue, SetProvider,
    SetProviderAnswer, SourceCheck,
};

/// A list of a host comes whole from a server.
async fn whole<T: Send + 'static>(page: Result<Page<T>>) -> Result<BoxStream<Result<T>>> {
    Ok(stream::iter(page?.items.into_iter().map(Ok)).boxed())
}

impl Facade {
    pub(crate) async fn add_runtime(&self, actor: &Actor, settings: &RuntimeSettings) -> Result<RuntimeReport> {
        match self {
            Self::Embedded(kiwi) => kiwi.add_runtime(actor, settings).await,
            Self::Remote(client) => Ok(client.post::<_, AddedRuntime>("/runtimes", settings).await?.report),
        }
    }

    pub(crate) async fn runtimes(&self, actor: &Actor) -> Result<Vec<RuntimeSettings>> {
        match self {
            Self::Embedded(kiwi) => kiwi.runtimes(actor).await,
            Self::Remote(client) => client.list("/runtimes", usize::MAX).await,
        }
    }

    pub(crate) async fn check_runtime(&self, actor: &Actor, name: &RuntimeName) -> Result<RuntimeReport> {
        match self {
            Self::Embedded(kiwi) => kiwi.check_runtime(actor, name).await,
            Self::Remote(client) => client.get(&format!("/runtimes/{name}/check")).await,
        }
    }

    pub(crate) async fn runtime_rbac(&self, actor: &Actor, name: &RuntimeName) -> Result<Vec<serde_json::Value>> {
        match self {
            Self::Embedded(kiwi) => kiwi.runtime_rbac(actor, name).await,
            Self::Remote(client) => client.get(&format!("/runtimes/{name}/rbac")).await,
        }
    }

    pub(crate) async fn clean_runtime(&self, actor: &Actor, name: &RuntimeName) -> Result<Vec<String>> {
        match self {
            Self::Embedded(kiwi) => kiwi.clean_runtime(actor, name).await,
            Self::Remote(client) => client.post(&format!("/runtimes/{name}/clean"), &()).await,
        }
    }

    pub(crate) async fn remove_runtime(&self, actor: &Actor, name: &RuntimeName) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.remove_runtime(actor, name).await,
            Self::Remote(client) => client.delete(&format!("/runtimes/{name}")).await.map(|_| ()),
        }
    }

    pub(crate) async fn add_registry(
        &self,
        actor: &Actor,
        name: RegistryName,
        address: RegistryAddress,
        credentials: Option<(String, SecretString)>,
        insecure: bool,
    ) -> Result<RegistrySettings> {
        match self {
            Self::Embedded(kiwi) => kiwi.add_registry(actor, name, address, credentials, insecure).await,
            Self::Remote(client) => {
                let (username, password) = credentials.map(|(username, password)| (username, SecretValue(password))).unzip();
                client.post("/registries", &AddRegistry { name, address, username, password, insecure }).await
            }
        }
    }

    pub(crate) async fn registries(&self, actor: &Actor) -> Result<Vec<RegistrySettings>> {
        match self {
            Self::Embedded(kiwi) => kiwi.registries(actor).await,
            Self::Remote(client) => client.list("/registries", usize::MAX).await,
        }
    }

    pub(crate) async fn check_registry(&self, actor: &Actor, name: &RegistryName) -> Result<RegistryReport> {
        match self {
            Self::Embedded(kiwi) => kiwi.check_registry(actor, name).await,
            Self::Remote(client) => client.get(&format!("/registries/{name}/check")).await,
        }
    }

    pub(crate) async fn remove_registry(&self, actor: &Actor, name: &RegistryName) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.remove_registry(actor, name).await,
            Self::Remote(client) => client.delete(&format!("/registries/{name}")).await.map(|_| ()),
        }
    }

    pub(crate) async fn set_provider(&self, actor: &Actor, new: NewProvider) -> Result<(ProviderSettings, TokenReport)> {
        match self {
            Self::Embedded(kiwi) => kiwi.set_provider(actor, new).await,
            Self::Remote(client) => {
                let path = format!("/providers/{}", new.kind.as_str());
                let form = SetProvider { url: new.url, token: SecretValue(new.token), ca: new.ca, private: new.private };
                client.put(&path, &form, None).await.map(|answer: SetProviderAnswer| (answer.settings, answer.report))
            }
        }
    }

    pub(crate) async fn check_provider(&self, actor: &Actor, kind: GitProviderKind) -> Result<TokenReport> {
        match self {
            Self::Embedded(kiwi) => kiwi.check_provider(actor, kind).await,
            Self::Remote(client) => client.get(&format!("/providers/{}/check", kind.as_str())).await,
        }
    }

    pub(crate) async fn providers(&self, actor: &Actor) -> Result<Vec<ProviderSettings>> {
        match self {
            Self::Embedded(kiwi) => kiwi.providers(actor).await,
            Self::Remote(client) => client.get("/providers").await.map(|page: Page<_>| page.items),
        }
    }

    pub(crate) async fn remove_provider(&self, actor: &Actor, kind: GitProviderKind) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.remove_provider(actor, kind).await,
            Self::Remote(client) => client.delete(&format!("/providers/{}", kind.as_str())).await.map(|_| ()),
        }
    }

    pub(crate) async fn provider_menu(&self, actor: &Actor, source: SourceType) -> Result<Vec<MenuEntry>> {
        match self {
            Self::Embedded(kiwi) => kiwi.provider_menu(actor, source).await,
            // The table is the same everywhere; only who asks, and what is set up, is the server's to say.
            Self::Remote(client) => {
                let caller: Facts = client.get("/whoami").await?;
                let wanted = match source {
                    SourceType::Github => Some(GitProviderKind::Github),
                    SourceType::Gitlab => Some(GitProviderKind::Gitlab),
                    SourceType::Images => None,
                };
                let set_up = self.providers(actor).await?.iter().any(|provider| Some(provider.kind) == wanted);
                Ok(kiwi_core::access::menu(source, caller.role, set_up || wanted.is_none()))
            }
        }
    }

    pub(crate) async fn repositories(&self, actor: &Actor, kind: GitProviderKind, search: Option<String>) -> Result<BoxStream<Result<RemoteRepository>>> {
        match self {
            Self::Embedded(kiwi) => kiwi.repositories(actor, kind, search).await,
            Self::Remote(client) => {
                let search = search.map(|search| format!("?search={}", query(&search))).unwrap_or_default();
                whole(client.get(&format!("/providers/{}/repositories{search}", kind.as_str())).await).await
            }
        }
    }

    pub(crate) async fn branches(&self, actor: &Actor, kind: GitProviderKind, path: &str) -> Result<BoxStream<Result<(Branch, CommitSha)>>> {
        match self {
            Self::Embedded(kiwi) => kiwi.branches(actor, kind, path).await,
            Self::Remote(client) => {
                let page = client.get::<Page<BranchHead>>(&format!("/providers/{}/branches?repository={}", kind.as_str(), query(path))).await;
                Ok(whole(page).await?.map_ok(|head| (head.branch, head.commit)).boxed())
            }
        }
    }

    pub(crate) async fn namespaces(&self, actor: &Actor, kind: GitProviderKind) -> Result<BoxStream<Result<Namespace>>> {
        match self {
            Self::Embedded(kiwi) => kiwi.namespaces(actor, kind).await,
            Self::Remote(client) => whole(client.get(&format!("/providers/{}/namespaces", kind.as_str())).await).await,
        }
    }

    pub(crate) async fn check_source(&self, actor: &Actor, url: &GitUrl, branch: Option<&Branch>, access: &SourceAccess) -> Result<SourceReport> {
        match self {
            Self::Embedded(kiwi) => kiwi.check_source(actor, url, branch, access).await,
            Self::Remote(client) => {
                let form = CheckSource { url: url.clone(), branch: branch.cloned(), token: access.token.clone().map(SecretValue), ca: access.ca.clone() };
                let found: SourceCheck = client.post("/sources/check", &form).await?;
                Ok(SourceReport {
                    default_branch: found.default_branch,
                    tags: Vec::new(),
                    branches: found.branches.into_iter().map(|head| (head.branch, head.commit)).collect(),
                })
            }
        }
    }

    pub(crate) async fn search_images(&self, actor: &Actor, term: &str, limit: u32) -> Result<Vec<FoundImage>> {
        match self {
            Self::Embedded(kiwi) => kiwi.search_images(actor, term, limit).await,
            Self::Remote(client) => client.get(&format!("/images?term={}&limit={limit}", query(term))).await.map(|page: Page<_>| page.items),
        }
    }

    pub(crate) async fn image_tags(&self, actor: &Actor, image: &ImageReference) -> Result<Vec<TagDetails>> {
        match self {
            Self::Embedded(kiwi) => kiwi.image_tags(actor, image).await,
            Self::Remote(client) => client.get(&format!("/images/tags?image={}", query(&image.to_string()))).await.map(|page: Page<_>| page.items),
        }
    }

    pub(crate) async fn resolve_image(&self, actor: &Actor, image: &ImageReference) -> Result<Digest> {
        match self {
            Self::Embedded(kiwi) => kiwi.resolve_image(actor, image).await,
            Self::Remote(client) => client.get(&format!("/images/digest?image={}", query(&image.to_string()))).await.map(|found: Resolved| found.digest),
        }
    }

    pub(crate) async fn add_user(&self, actor: &Actor, user: &User) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.add_user(actor, user).await,
            Self::Remote(client) => {
                let form = NewUser { name: user.name.clone(), email: user.email.clone(), full_name: Some(user.full_name.clone()), role: user.role };
                client.post("/users", &form).await.map(|_: User| ())
            }
        }
    }

    pub(crate) async fn users(&self, actor: &Actor) -> Result<Vec<User>> {
        match self {
            Self::Embedded(kiwi) => kiwi.users(actor).await,
            Self::Remote(client) => client.list("/users", usize::MAX).await,
        }
    }

    pub(crate) async fn remove_user(&self, actor: &Actor, name: &UserName) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.remove_user(actor, name).await,
            Self::Remote(client) => client.delete(&format!("/users/{name}")).await.map(|_| ()),
        }
    }

    pub(crate) async fn create_token(&self, actor: &Actor, new: NewToken) -> Result<(ApiToken, SecretString)> {
        match self {
            Self::Embedded(kiwi) => kiwi.create_token(actor, new).await,
            Self::Remote(client) => {
                let form = CreateToken { user: Some(new.user), name: new.name, scopes: new.scopes, expires_at: new.expires_at };
                client.post("/tokens", &form).await.map(|made: CreatedToken| (made.token, made.value.0))
            }
        }
    }

    pub(crate) async fn tokens(&self, actor: &Actor) -> Result<Vec<ApiToken>> {
        match self {
            Self::Embedded(kiwi) => kiwi.tokens(actor, true).await,
            Self::Remote(client) => client.list("/tokens?all=true", usize::MAX).await,
        }
    }

    pub(crate) async fn revoke_token(&self, actor: &Actor, id: &TokenId) -> Result<()> {
        match self {
            Self::Embedded(kiwi) => kiwi.revoke_token(actor, id).await.map(|_| ()),
            Self::Remote(client) => client.delete(&format!("/tokens/{id}")).await.map(|_| ()),
        }
    }

    pub(crate) async fn rotate_key(&self, actor: &Actor) -> Result<u64> {
        match self {
            Self::Embedded(kiwi) => kiwi.rotate_key(actor).await,
            Self::Remote(client) => client.post("/key/rotate", &()).await.map(|done: Rotated| done.rotated),
        }
    }
}
