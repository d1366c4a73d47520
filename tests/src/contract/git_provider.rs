//! The contract of [`GitProvider`], against a host that remembers what it was told.

use crate::fake::{FakeHost, Fault, TOKEN};
use futures_util::{StreamExt as _, TryStreamExt as _};
use kiwi_core::domain::{GitProviderKind, RepositoryLink, Timestamp};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{BoxStream, CommitState, CommitStatus, GitAccess, GitProvider};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A provider for how a host is reached.
pub type Open = fn(GitAccess) -> BoxStream<Result<Arc<dyn GitProvider>, Error>>;

/// A host and the provider under test.
pub struct Arena {
    /// The host.
    pub host: FakeHost,
    /// Its provider.
    pub git: Arc<dyn GitProvider>,
    open: Open,
}

impl Arena {
    /// A fresh host of a kind.
    pub async fn new(kind: GitProviderKind, open: Open) -> Self {
        let host = FakeHost::start(kind, None);
        let git = opened(open, host.access()).await.unwrap();
        Self { host, git, open }
    }

    async fn link(&self, path: &str) -> RepositoryLink {
        let link = self.git.repository(path).await.unwrap().link;
        assert_eq!(link.path, path);
        link
    }
}

async fn opened(open: Open, access: GitAccess) -> Result<Arc<dyn GitProvider>, Error> {
    open(access).next().await.unwrap()
}

/// An error must have a kind that its caller can act on, and must never show the token.
fn failed<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{}", error.chain());
    let shown = format!("{error:?} {error} {} {} {}", error.chain(), error.hint(), error.log().join(" "));
    assert!(!shown.contains(TOKEN), "the token is in: {shown}");
    error
}

/// Every rule that both kinds of host have in common.
pub async fn all(kind: GitProviderKind, open: Open) {
    repositories(&Arena::new(kind, open).await).await;
    renames(&Arena::new(kind, open).await).await;
    creation(&Arena::new(kind, open).await).await;
    webhooks(&Arena::new(kind, open).await).await;
    statuses(&Arena::new(kind, open).await).await;
    limits_and_failures(&Arena::new(kind, open).await).await;
    tokens(&Arena::new(kind, open).await).await;
    addresses(&Arena::new(kind, open).await).await;
}

async fn repositories(arena: &Arena) {
    for index in 0..250 {
        arena.host.add(&format!("team/app-{index}"));
    }
    let all: Vec<_> = arena.git.repositories(None).try_collect().await.unwrap();
    assert_eq!(all.len(), 250);
    assert_eq!(all.iter().map(|repository| repository.link.id).collect::<HashSet<_>>().len(), 250, "one is listed twice");
    let found: Vec<_> = arena.git.repositories(Some("APP-24".to_owned())).try_collect().await.unwrap();
    assert_eq!(found.len(), 11, "app-24 and app-240 to app-249");
    let one = arena.git.repository("team/app-7").await.unwrap();
    assert_eq!(arena.git.repository_by_id(one.link.id).await.unwrap(), one);
    assert_eq!(one.default_branch.as_ref().unwrap().as_str(), "main");
    failed(arena.git.repository("team/none").await, ErrorKind::RepositoryNotFound);
    for path in ["", "team", "team/../x", "team/", "/x", "team/a b", "team//x"] {
        failed(arena.git.repository(path).await, ErrorKind::InvalidInput);
    }
    let id = one.link.id;
    {
        let mut memory = arena.host.memory();
        let branches = (0..120).map(|index| (format!("feature/{index}"), format!("{index:040x}")));
        memory.repositories.get_mut(&id).unwrap().branches.extend(branches);
    }
    let branches: Vec<_> = arena.git.branches(&one.link).try_collect().await.unwrap();
    assert_eq!(branches.len(), 121, "all pages");
    let empty = arena.host.add("team/empty");
    arena.host.memory().repositories.get_mut(&empty).unwrap().branches.clear();
    let empty = arena.git.repository("team/empty").await.unwrap();
    assert_eq!(empty.default_branch, None);
    assert_eq!(arena.git.branches(&empty.link).try_collect::<Vec<_>>().await.unwrap(), []);
    let (known, other) = ("a".repeat(40).parse().unwrap(), branches[0].1.clone());
    let compared = arena.git.compare(&one.link, &known, &other).await.unwrap();
    assert!(["old.rs", "new.rs", "src/main.rs"].iter().all(|file| compared.files.iter().any(|found| found == file)) && !compared.truncated);
    failed(arena.git.compare(&one.link, &"b".repeat(40).parse().unwrap(), &other).await, ErrorKind::CommitNotFound);
    let namespaces: Vec<_> = arena.git.namespaces().try_collect().await.unwrap();
    assert!(namespaces.iter().any(|owner| owner.path == "ada" && owner.personal) && namespaces.iter().any(|owner| owner.path == "team" && !owner.personal));
}

async fn renames(arena: &Arena) {
    let id = arena.host.add("team/old");
    let link = arena.link("team/old").await;
    arena.host.rename(id, "team/new");
    assert_eq!(arena.git.repository("team/old").await.unwrap().link.path, "team/new", "the old path leads to the new one");
    assert_eq!(arena.git.repository_by_id(id).await.unwrap().link.path, "team/new");
    assert_eq!(arena.git.branches(&arena.git.repository("team/old").await.unwrap().link).try_collect::<Vec<_>>().await.unwrap().len(), 1);
    assert_eq!(link.id, id);
    // What was remembered before the rename still leads there, for what is written too.
    let hook = "https://kiwi.example.com/hooks/renamed".parse().unwrap();
    arena.git.ensure_webhook(&link, &hook, &"s".to_owned().into()).await.unwrap();
    assert_eq!(arena.host.memory().repositories[&id].hooks.len(), 1);
    assert_eq!(arena.git.branches(&link).try_collect::<Vec<_>>().await.unwrap().len(), 1);
}

async fn creation(arena: &Arena) {
    arena.host.memory().slow_branches = 2;
    let made = arena.git.create_repository("team", "shop").await.unwrap();
    assert_eq!((made.link.path.as_str(), made.default_branch.as_ref().unwrap().as_str()), ("team/shop", "main"));
    assert_eq!(arena.git.create_repository("team", "shop").await.unwrap().link, made.link, "a second run adopts it");
    assert_eq!(arena.git.create_repository("ada", "own").await.unwrap().link.path, "ada/own");
    arena.host.memory().repositories.get_mut(&made.link.id).unwrap().foreign = true;
    failed(arena.git.create_repository("team", "shop").await, ErrorKind::AlreadyExists);
    failed(arena.git.create_repository("nobody", "x").await, ErrorKind::NotFound);
    failed(arena.git.create_repository("team", "a b").await, ErrorKind::InvalidInput);
    // The request before creation is answered; the creation itself is done, and its answer lost.
    arena.host.memory().faults.extend([Fault::Late(Duration::ZERO), Fault::Lost]);
    let lost = arena.git.create_repository("team", "lost").await;
    assert!(lost.is_err() || lost.is_ok_and(|made| made.link.path == "team/lost"));
    assert_eq!(arena.git.create_repository("team", "lost").await.unwrap().link.path, "team/lost");
    let count = arena.host.memory().repositories.values().filter(|repository| repository.path == "team/lost").count();
    assert_eq!(count, 1);
}

async fn webhooks(arena: &Arena) {
    let id = arena.host.add("team/shop");
    let link = arena.link("team/shop").await;
    let url = "https://kiwi.example.com/hooks/one?x=1".parse().unwrap();
    let hooks = || arena.host.memory().repositories[&id].hooks.clone();
    let secret =
        |hook: &serde_json::Value| hook.pointer("/config/secret").or_else(|| hook.get("token")).or_else(|| hook.get("signing_token")).cloned().unwrap();
    // Others' hooks, of which one has our host and another our path; enough that ours comes on another page.
    for index in 0..130 {
        let other: url::Url = format!("https://kiwi.example.com/hooks/{index}").parse().unwrap();
        arena.git.ensure_webhook(&link, &other, &"other".to_owned().into()).await.unwrap();
    }
    arena.git.ensure_webhook(&link, &url, &"first".to_owned().into()).await.unwrap();
    assert_eq!(hooks().len(), 131);
    arena.git.ensure_webhook(&link, &url, &"second".to_owned().into()).await.unwrap();
    let after = hooks();
    assert_eq!(after.len(), 131, "the same URL is found on every page and updated");
    let (ours, hook) = after.iter().next_back().unwrap();
    assert_eq!(secret(hook), "second", "the secret is sent with every update");
    // A hook that somebody made twice would deliver every push twice.
    arena.host.memory().repositories.get_mut(&id).unwrap().hooks.insert(9_000_000, hook.clone());
    arena.git.ensure_webhook(&link, &url, &"third".to_owned().into()).await.unwrap();
    assert_eq!(hooks().len(), 131);
    assert!(hooks().contains_key(ours));
    arena.git.ensure_webhook(&link, &url, &"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned().into()).await.unwrap();
    assert_eq!(secret(&hooks()[ours]), "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    // A host that cannot sign is given the same secret in the way that it knows.
    arena.host.memory().unsigned = true;
    arena.git.ensure_webhook(&link, &url, &"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned().into()).await.unwrap();
    assert_eq!(secret(&hooks()[ours]), "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    arena.git.remove_webhook(&link, &url).await.unwrap();
    arena.git.remove_webhook(&link, &url).await.unwrap();
    assert_eq!(hooks().len(), 130, "and no other one is touched");
}

async fn statuses(arena: &Arena) {
    let id = arena.host.add("team/shop");
    let link = arena.link("team/shop").await;
    let commit = "a".repeat(40).parse().unwrap();
    let status = |state| CommitStatus {
        state,
        branch: "main".parse().unwrap(),
        description: "d".repeat(300),
        target: "https://kiwi.example.com/runs/1".parse().ok(),
        context: "kiwi".to_owned(),
    };
    for state in [CommitState::Pending, CommitState::Running, CommitState::Running, CommitState::Success] {
        arena.git.publish_status(&link, &commit, &status(state)).await.unwrap();
    }
    let seen: Vec<_> = arena.host.memory().repositories[&id].statuses.iter().map(|(_, state)| state.clone()).collect();
    assert_eq!(seen.last().unwrap(), "success");
}

async fn limits_and_failures(arena: &Arena) {
    arena.host.add("team/shop");
    let now = Timestamp::now().as_millis() / 1000;
    let answer = |status, headers: &[(&'static str, String)], body: &str| Fault::Answer(status, headers.to_vec(), body.to_owned());
    let date = |seconds| {
        let time = jiff::Timestamp::from_second(seconds).unwrap();
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time)
    };
    for fault in [
        answer(429, &[("retry-after", "1".to_owned())], "Retry later"),
        answer(429, &[("retry-after", date(now + 2).unwrap())], ""),
        answer(403, &[("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", (now + 1).to_string())], "{\"message\":\"API rate limit exceeded\"}"),
        answer(429, &[("ratelimit-reset", (now + 1).to_string())], "Retry later"),
        answer(429, &[], "Retry later"),
        answer(502, &[], "<html>bad gateway</html>"),
        answer(503, &[], ""),
        Fault::Cut,
        Fault::Lost,
        Fault::Late(Duration::from_secs(4)),
        // A body that is slow within the time of a request, and one that is not, which is asked for again.
        Fault::Slow(Duration::from_secs(1)),
        Fault::Slow(Duration::from_secs(60)),
    ] {
        arena.host.memory().faults.push_back(fault.clone());
        let found = arena.git.repository("team/shop").await;
        assert!(found.is_ok(), "{fault:?}: {}", found.unwrap_err().chain());
    }
    // A wait that nobody would wait for is told of, with its length.
    arena.host.memory().faults.push_back(answer(429, &[("retry-after", "3600".to_owned())], ""));
    let began = Instant::now();
    let limited = failed(arena.git.repository("team/shop").await, ErrorKind::Unavailable);
    assert!(limited.message().contains("3600 s") && began.elapsed() < Duration::from_secs(1), "{limited}");
    arena.host.memory().faults.extend(std::iter::repeat_n(answer(503, &[], ""), 20));
    failed(arena.git.repository("team/shop").await, ErrorKind::Unavailable);
    arena.host.memory().faults.clear();
    for (fault, kind) in [
        (answer(200, &[], "<!doctype html><title>Sign in</title>"), ErrorKind::Protocol),
        (answer(200, &[], "{\"id\":"), ErrorKind::Protocol),
        (answer(200, &[], "[]"), ErrorKind::Protocol),
        (answer(404, &[], "<html>nginx</html>"), ErrorKind::Protocol),
        (answer(302, &[("location", "https://sign-in.example.com/".to_owned())], ""), ErrorKind::Protocol),
        (answer(301, &[("location", "//127.0.0.1:1/x".to_owned())], ""), ErrorKind::Protocol),
        (
            answer(403, &[("x-ratelimit-remaining", "10".to_owned())], "{\"message\":\"Resource not accessible by personal access token\"}"),
            ErrorKind::Forbidden,
        ),
        (
            answer(
                401,
                &[],
                "{\"error\":\"invalid_token\",\"error_description\":\"Token is expired. You can either do re-authorization or token refresh.\",\"message\":\"Bad credentials: expired\"}",
            ),
            ErrorKind::Unauthenticated,
        ),
    ] {
        arena.host.memory().faults.push_back(fault.clone());
        let error = failed(arena.git.repository("team/shop").await, kind);
        assert!(!error.hint().is_empty(), "{fault:?}");
    }
    // A list that never ends, and one whose next page is elsewhere.
    let endless = answer(200, &[("link", format!("<http://{}/{}/x>; rel=\"next\"", arena.host.address, "gitlab/api/v4"))], "[]");
    let github = answer(200, &[("link", format!("<http://{}/api/v3/x>; rel=\"next\"", arena.host.address))], "[]");
    arena.host.memory().faults.extend((0..4).flat_map(|_| [if arena.host.url().as_str().ends_with("gitlab") { endless.clone() } else { github.clone() }]));
    failed(arena.git.repositories(None).try_collect::<Vec<_>>().await, ErrorKind::Protocol);
    arena.host.memory().faults.clear();
    arena.host.memory().faults.push_back(answer(200, &[("link", "</elsewhere>; rel=\"next\"".to_owned())], "[]"));
    failed(arena.git.repositories(None).try_collect::<Vec<_>>().await, ErrorKind::Protocol);
}

async fn tokens(arena: &Arena) {
    let report = arena.git.verify_token().await.unwrap();
    assert_eq!((report.account.as_str(), report.missing.len(), report.warning(Timestamp::now())), ("ada", 0, None), "{report:?}");
    let now = Timestamp::now();
    for (days, warning) in
        [(400, None), (31, None), (12, Some("the token expires in 12 days")), (0, Some("the token expires within a day")), (-3, Some("the token has expired"))]
    {
        let end = jiff::Timestamp::from_millisecond(now.as_millis() + days * 86_400_000 + 3_600_000).unwrap();
        let text = if arena.host.url().as_str().ends_with("gitlab") {
            end.strftime("%Y-%m-%d").to_string()
        } else {
            end.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
        };
        arena.host.memory().expires = Some(text);
        let found = arena.git.verify_token().await.unwrap().warning(now);
        // GitLab names only the day, which may have begun already.
        assert_eq!(found.is_some(), warning.is_some(), "{days}: {found:?}");
        if !arena.host.url().as_str().ends_with("gitlab") {
            assert_eq!(found.as_deref(), warning);
        }
    }
    arena.host.memory().expires = None;
    arena.host.memory().scopes = vec!["read_api", "public_repo"];
    let weak = arena.git.verify_token().await.unwrap();
    assert!(!weak.missing.is_empty(), "{weak:?}");
    // What was found becomes "not found" when the token ends; that is what must be said then.
    arena.host.add("team/shop");
    let not_found = Fault::Answer(404, vec![("content-type", "application/json".to_owned())], "{\"message\":\"404 Project Not Found\"}".to_owned());
    arena.host.memory().faults.push_back(not_found);
    arena.host.memory().revoked = true;
    failed(arena.git.repository("team/shop").await, ErrorKind::Unauthenticated);
    failed(arena.git.verify_token().await, ErrorKind::Unauthenticated);
    failed(arena.git.repositories(None).try_collect::<Vec<_>>().await, ErrorKind::Unauthenticated);
}

async fn addresses(arena: &Arena) {
    let mut access = GitAccess { private: false, ..arena.host.access() };
    failed(opened(arena.open, access.clone()).await.map(|_| ()), ErrorKind::Forbidden);
    access.url = "https://localhost:1".parse().unwrap();
    failed(opened(arena.open, access.clone()).await.map(|_| ()), ErrorKind::Forbidden);
    access = GitAccess { url: "http://127.0.0.1:1".parse().unwrap(), ..arena.host.access() };
    let closed = opened(arena.open, access).await.unwrap();
    failed(closed.verify_token().await, ErrorKind::ConnectionRefused);
    let odd = GitAccess { token: format!("{TOKEN}\n").into(), ..arena.host.access() };
    failed(opened(arena.open, odd).await.map(|_| ()), ErrorKind::InvalidInput);
}
