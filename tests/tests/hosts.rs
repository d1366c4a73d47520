//! GitHub and GitLab: the contract of both, long lists, many accounts.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use futures_util::{FutureExt as _, StreamExt as _};
use kiwi_core::domain::GitProviderKind;
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{BoxStream, GitAccess, GitProvider};
use kiwi_git::ApiLimits;
use kiwi_git::github::Github;
use kiwi_git::gitlab::Gitlab;
use kiwi_tests::contract::git_provider;
use kiwi_tests::fake::{FakeHost, Fault, TOKEN};
use kiwi_tests::wire::Tls;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Impatient, so that a test need not wait as long as a person would.
fn limits() -> ApiLimits {
    ApiLimits { request: Duration::from_secs(2), pause: Duration::from_millis(20), longest_wait: Duration::from_secs(5), ..ApiLimits::default() }
}

fn open(access: GitAccess) -> BoxStream<Result<Arc<dyn GitProvider>, Error>> {
    let opened = async move {
        Ok(match access.kind {
            GitProviderKind::Gitlab => Arc::new(Gitlab::new(&access, limits()).await?) as Arc<dyn GitProvider>,
            _ => Arc::new(Github::new(&access, limits()).await?),
        })
    };
    opened.into_stream().boxed()
}

#[tokio::test(flavor = "multi_thread")]
async fn github_keeps_the_contract() {
    git_provider::all(GitProviderKind::Github, open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_keeps_the_contract() {
    git_provider::all(GitProviderKind::Gitlab, open).await;
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_repositories_through_a_hundred_pages() {
    for kind in [GitProviderKind::Github, GitProviderKind::Gitlab] {
        let host = FakeHost::start(kind, None);
        for index in 0..10_000 {
            host.add(&format!("team/app-{index}"));
        }
        let git = open(host.access()).next().await.unwrap().unwrap();
        let (mut all, mut seen, mut early) = (git.repositories(None), HashSet::new(), 0.0);
        while let Some(repository) = all.next().await {
            assert!(seen.insert(repository.unwrap().link.id), "one is listed twice");
            if seen.len() == 1000 {
                early = resident();
            }
        }
        assert_eq!(seen.len(), 10_000);
        let pages = host.memory().requests.iter().filter(|request| request.contains("per_page")).count();
        println!(
            "FIGURE {kind:?}: 10,000 repositories through {pages} pages, none twice, none lost; {early:.1} MiB after 1,000, {:.1} MiB after all (host included)",
            resident()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fine_grained_token_is_probed() {
    let host = FakeHost::start(GitProviderKind::Github, None);
    host.add("team/shop");
    host.memory().fine_grained = true;
    let git = open(host.access()).next().await.unwrap().unwrap();
    let good = git.verify_token().await.unwrap();
    assert_eq!((good.scopes.len(), good.missing.len()), (0, 0), "{good:?}");
    // The user, one repository, its branches; and then no right to its webhooks.
    let refused = Fault::Answer(403, vec![], "{\"message\":\"Resource not accessible by personal access token\"}".to_owned());
    host.memory().faults.extend([Fault::Late(Duration::ZERO), Fault::Late(Duration::ZERO), Fault::Late(Duration::ZERO), refused]);
    let weak = git.verify_token().await.unwrap();
    assert_eq!(weak.missing.iter().map(|missing| missing.permission.as_str()).collect::<Vec<_>>(), ["the permission Webhooks: write"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_ca_of_its_own() {
    let host = FakeHost::start(GitProviderKind::Gitlab, None);
    let tls = tokio::task::spawn_blocking({
        let address = host.address;
        move || Tls::in_front_of(address)
    });
    let tls = tls.await.unwrap();
    let url = format!("https://localhost:{}/gitlab", tls.address.port()).parse().unwrap();
    let access = GitAccess { url, ..host.access() };
    let unknown = open(access.clone()).next().await.unwrap().unwrap().verify_token().await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Tls, "{}", unknown.chain());
    let known = open(GitAccess { ca: Some(tls.ca.clone()), ..access }).next().await.unwrap().unwrap();
    assert_eq!(known.verify_token().await.unwrap().account, "ada");
    tokio::task::spawn_blocking(|| drop(tls)).await.unwrap();
}

/// Everything that is logged, at the finest level, by Kiwi and everything below it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_at_any_level_has_the_token() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE).with_writer(move || writer.clone()).init();
    git_provider::all(GitProviderKind::Github, open).await;
    git_provider::all(GitProviderKind::Gitlab, open).await;
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.len() > 10_000, "nothing was logged, so the test proves nothing");
    assert!(!text.contains(TOKEN), "the token is in the log");
}
