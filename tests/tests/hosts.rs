//! GitHub and GitLab: the contract of both, long lists, many accounts.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use futures_util::{FutureExt as _, StreamExt as _};
use kiwi_core::domain::GitProviderKind;
use kiwi_core::error::Error;
use kiwi_core::provider::{BoxStream, GitAccess, GitProvider};
use kiwi_git::ApiLimits;
use kiwi_git::github::Github;
use kiwi_git::gitlab::Gitlab;
use kiwi_tests::contract::git_provider;
use kiwi_tests::fake::FakeHost;
use std::collections::HashSet;
use std::sync::Arc;
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
