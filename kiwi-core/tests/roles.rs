//! Every operation of the facade by every role: what the table forbids is refused, and what it allows is not refused for want of a right.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use futures_util::StreamExt as _;
use kiwi_core::access::SourceType;
use kiwi_core::domain::{
    EnvironmentName, GitProviderKind, RegistryName, Run, RunId, RunRequest, RuntimeKind, RuntimeName, RuntimeSettings, ServiceName, Timestamp, TokenId, User,
    UserName,
};
use kiwi_core::memory::{MemoryBuilder, MemoryConnector, MemoryRegistry, MemoryRuntime, MemorySource, MemoryStore};
use kiwi_core::pipeline::{NewProvider, NewService, NewSource, NewToken};
use kiwi_core::provider::SourceAccess;
use kiwi_core::provider::store::{AuditFilter, RunFilter};
use kiwi_core::webhook::UnverifiedWebhook;
use kiwi_core::{Actor, Error, ErrorKind, Kiwi, Operation, Role, Scope};
use std::collections::BTreeSet;
use std::sync::Arc;

const DEVELOPMENT: EnvironmentName = EnvironmentName::Development;

async fn engine() -> (Kiwi, tempfile::TempDir) {
    let (source, work) = (Arc::new(MemorySource::default()), tempfile::tempdir().unwrap());
    source.push("main".parse().unwrap(), "1".repeat(40).parse().unwrap());
    let connector = MemoryConnector { runtime: Arc::new(MemoryRuntime::default()), builder: Arc::new(MemoryBuilder::default()) };
    let kiwi = Kiwi::builder(Arc::new(MemoryStore::default()), Arc::new(connector))
        .source(source)
        .registry(Arc::new(MemoryRegistry::default()))
        .work_directory(work.path().to_owned())
        .open()
        .await
        .unwrap();
    let admin = Actor::local_admin();
    kiwi.add_runtime(&admin, &RuntimeSettings { name: "local".parse().unwrap(), kind: RuntimeKind::Docker { engine: None } }).await.unwrap();
    kiwi.register(&admin, service("shop")).await.unwrap();
    (kiwi, work)
}

fn service(name: &str) -> NewService {
    let git = NewSource::Git { url: "https://git.example.com/a/shop".parse().unwrap(), branch: None, token: None, ca: None };
    NewService::new(name.parse().unwrap(), git)
}

/// Calls every method of the facade; answers the operation that each needs, and how it ended.
async fn every_call(kiwi: &Kiwi, actor: &Actor) -> Vec<(&'static str, Operation, Result<(), Error>)> {
    let (shop, other): (ServiceName, ServiceName) = ("shop".parse().unwrap(), "other".parse().unwrap());
    let (runtime, registry): (RuntimeName, RegistryName) = ("spare".parse().unwrap(), "hub".parse().unwrap());
    let settings = RuntimeSettings { name: runtime.clone(), kind: RuntimeKind::Docker { engine: None } };
    let user = User {
        name: "ada".parse().unwrap(),
        email: "ada@example.com".parse().unwrap(),
        full_name: "Ada".into(),
        role: Role::Admin,
        created_at: Timestamp::now(),
    };
    let (gitlab, url) = (GitProviderKind::Gitlab, "https://git.example.com/a/b".parse().unwrap());
    let provider = NewProvider { kind: gitlab, url: None, token: "t".to_owned().into(), ca: None, private: false };
    let hosted = NewService::new("hosted".parse().unwrap(), NewSource::NewRepository { provider: gitlab, owner: "a".into(), name: "b".into() });
    let delivery = UnverifiedWebhook::new([], Default::default());
    let run = RunId::generate();
    let image = "debian:1".parse().unwrap();
    let none = |result: Result<Run, Error>| result.map(|_| ());
    let mut calls = Vec::new();
    let mut add = |name, operation, result: Result<(), Error>| calls.push((name, operation, result));
    use Operation as O;
    add("runtimes", O::ReadRuntimes, kiwi.runtimes(actor).await.map(|_| ()));
    add("add_runtime", O::ChangeRuntimes, kiwi.add_runtime(actor, &settings).await.map(|_| ()));
    add("check_runtime", O::ReadRuntimes, kiwi.check_runtime(actor, &runtime).await.map(|_| ()));
    add("clean_runtime", O::CleanUp, kiwi.clean_runtime(actor, &runtime).await.map(|_| ()));
    add("remove_runtime", O::ChangeRuntimes, kiwi.remove_runtime(actor, &runtime).await);
    add(
        "add_registry",
        O::ChangeRegistries,
        kiwi.add_registry(actor, registry.clone(), "registry.example.com".parse().unwrap(), None, false).await.map(|_| ()),
    );
    add("registries", O::ReadRegistries, kiwi.registries(actor).await.map(|_| ()));
    add("check_registry", O::ReadRegistries, kiwi.check_registry(actor, &registry).await.map(|_| ()));
    add("remove_registry", O::ChangeRegistries, kiwi.remove_registry(actor, &registry).await);
    add("check_source", O::CheckSources, kiwi.check_source(actor, &url, None, &SourceAccess::default()).await.map(|_| ()));
    add("search_images", O::CheckSources, kiwi.search_images(actor, "x", 1).await.map(|_| ()));
    add("image_tags", O::CheckSources, kiwi.image_tags(actor, &image).await.map(|_| ()));
    add("resolve_image", O::CheckSources, kiwi.resolve_image(actor, &image).await.map(|_| ()));
    add("register", O::RegisterServices, kiwi.register(actor, service("other")).await.map(|_| ()));
    add("register a new repository", O::CreateRepositories, kiwi.register(actor, hosted).await.map(|_| ()));
    add("services", O::ReadServices, kiwi.services(actor, None, 10).await.map(|_| ()));
    add("service", O::ReadServices, kiwi.service(actor, &shop).await.map(|_| ()));
    add("update_service", O::ChangeServices, kiwi.update_service(actor, &shop, |_| Ok(())).await.map(|_| ()));
    add("environment", O::ReadServices, kiwi.environment(actor, &shop, DEVELOPMENT).await.map(|_| ()));
    add("set_build_secrets", O::ChangeServices, kiwi.set_build_secrets(actor, &shop, Default::default()).await.map(|_| ()));
    add("update_live_environment", O::Deploy, kiwi.update_live_environment(actor, &shop, DEVELOPMENT, Default::default(), |_| Ok(())).await.map(|_| ()));
    add("update_environment", O::Deploy, kiwi.update_environment(actor, &shop, DEVELOPMENT, Default::default(), |_| Ok(())).await.map(|_| ()));
    add("request a build", O::Build, none(kiwi.request(actor, &shop, DEVELOPMENT, RunRequest::Build { commit: None, branch: None }).await));
    add("request a pipeline", O::Deploy, none(kiwi.request(actor, &shop, DEVELOPMENT, RunRequest::Pipeline { commit: None }).await));
    add("plan", O::Deploy, kiwi.plan(actor, &shop, DEVELOPMENT, RunRequest::Restart).await.map(|_| ()));
    add("run", O::ReadRuns, none(kiwi.run(actor, &run).await));
    add("runs", O::ReadRuns, kiwi.runs(actor, &RunFilter::default()).await.map(|_| ()));
    add("cancel", O::CancelRuns, kiwi.cancel(actor, &run).await);
    add("events", O::ReadRuns, kiwi.events(actor, &run, 0, false).next().await.unwrap_or_else(|| Err(missing())).map(|_| ()));
    add("history", O::ReadServices, kiwi.history(actor, &shop, DEVELOPMENT).await.map(|_| ()));
    add("gate", O::ReadServices, kiwi.gate(actor, &shop, DEVELOPMENT).await.map(|_| ()));
    add("set_gate", O::ChangeGates, kiwi.set_gate(actor, &shop, DEVELOPMENT, None).await);
    add("reports", O::ReadRuns, kiwi.reports(actor, &run).await.map(|_| ()));
    add("scan_service", O::Build, kiwi.scan_service(actor, &shop, DEVELOPMENT).await.map(|_| ()));
    add("status", O::ReadServices, kiwi.status(actor, &shop, DEVELOPMENT).await.map(|_| ()));
    add("remove_service", O::RemoveServices, kiwi.remove_service(actor, &other, false).await);
    add("rotate_key", O::RotateKey, kiwi.rotate_key(actor).await.map(|_| ()));
    add("set_provider", O::ChangeProviders, kiwi.set_provider(actor, provider).await.map(|_| ()));
    add("check_provider", O::ChangeProviders, kiwi.check_provider(actor, gitlab).await.map(|_| ()));
    add("providers", O::ReadProviders, kiwi.providers(actor).await.map(|_| ()));
    add("provider_menu", O::ReadProviders, kiwi.provider_menu(actor, SourceType::Gitlab).await.map(|_| ()));
    add("remove_provider", O::ChangeProviders, kiwi.remove_provider(actor, gitlab).await);
    add("repositories", O::BrowseProviders, kiwi.repositories(actor, gitlab, None).await.map(|_| ()));
    add("branches", O::BrowseProviders, kiwi.branches(actor, gitlab, "a/b").await.map(|_| ()));
    add("namespaces", O::BrowseProviders, kiwi.namespaces(actor, gitlab).await.map(|_| ()));
    add("create_accounts", O::CreateAccounts, kiwi.create_accounts(actor, gitlab, Vec::new(), |_| Ok(()), |_, _| Ok(())).await.map(|_| ()));
    add("explain_delivery", O::ExplainDeliveries, kiwi.explain_delivery(actor, gitlab, &delivery, None, None).map(|_| ()));
    add("tokens", O::UseTokens, kiwi.tokens(actor, false).await.map(|_| ()));
    add("everybody's tokens", O::ChangeTokens, kiwi.tokens(actor, true).await.map(|_| ()));
    add("token", O::UseTokens, kiwi.token(actor, &TokenId::generate()).await.map(|_| ()));
    add("revoke_token", O::UseTokens, kiwi.revoke_token(actor, &TokenId::generate()).await.map(|_| ()));
    for (name, operation, user) in [("create_token", O::UseTokens, "member"), ("create_token for another", O::ChangeTokens, "ada")] {
        let new = NewToken { user: user.parse().unwrap(), name: "x".parse().unwrap(), scopes: [Scope::Read].into(), expires_at: None };
        add(name, operation, kiwi.create_token(actor, new).await.map(|_| ()));
    }
    add("audit", O::ReadAudit, kiwi.audit(actor, &AuditFilter::default()).await.map(|_| ()));
    add("deployment", O::ReadServices, kiwi.deployment(actor, &shop, DEVELOPMENT, 1).await.map(|_| ()));
    add("user", O::ReadUsers, kiwi.user(actor, &"ada".parse().unwrap()).await.map(|_| ()));
    add("users", O::ReadUsers, kiwi.users(actor).await.map(|_| ()));
    add("add_user", O::ChangeUsers, kiwi.add_user(actor, &user).await);
    add("remove_user", O::ChangeUsers, kiwi.remove_user(actor, &"ada".parse::<UserName>().unwrap()).await);
    calls
}

fn missing() -> Error {
    Error::new(ErrorKind::NotFound, "read", "nothing")
}

#[tokio::test]
async fn the_facade_enforces_the_table() {
    let mut seen = BTreeSet::new();
    for role in [Role::Admin, Role::Member { service: true }, Role::Member { service: false }] {
        let (kiwi, _work) = engine().await;
        let actor = Actor { role, ..Actor::local_member() };
        for (name, operation, result) in every_call(&kiwi, &actor).await {
            let forbidden = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Forbidden);
            assert_eq!(forbidden, !operation.allowed(role), "{name} by {role:?}: {:?}", result.err().map(|error| error.chain().to_string()));
            if forbidden && role == (Role::Member { service: false }) && operation.allowed(Role::Member { service: true }) {
                let hint = result.unwrap_err().hint().to_owned();
                assert_eq!(hint, "request service permission from your organization manager", "{name}");
            }
            seen.insert(format!("{operation:?}"));
        }
    }
    let all: BTreeSet<String> = Operation::ALL.iter().map(|operation| format!("{operation:?}")).collect();
    assert_eq!(seen, all, "an operation that no call needs, or no test calls");
}
