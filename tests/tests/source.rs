//! The pitfalls of git fetches, each against a real smart-HTTP server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use futures_util::StreamExt as _;
use kiwi_core::domain::{CommitSha, GitProviderKind, Source};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{FetchEvent, ServiceSource as _, SourceAccess};
use kiwi_git::url::{Limits, UrlSource};
use kiwi_tests::git::{Behaviour, GitHost};
use std::path::Path;
use std::time::{Duration, Instant};

fn source(url: &str) -> Source {
    Source::Git { provider: GitProviderKind::Url, repository: url.parse().unwrap(), branch: "main".parse().unwrap(), token: None, ca: None }
}

fn access(token: &str) -> SourceAccess {
    SourceAccess { token: Some(token.to_owned().into()), ca: None }
}

async fn fetch(git: &UrlSource, source: &Source, commit: &str, access: &SourceAccess, into: &Path) -> Result<(), Error> {
    let commit: CommitSha = commit.parse().unwrap();
    let mut stream = git.open(source, &commit, access, into.to_owned());
    while let Some(event) = stream.next().await {
        if event? == FetchEvent::Done {
            return Ok(());
        }
    }
    panic!("the stream ended without a word")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exact_commit_also_when_the_branch_has_moved() {
    let host = GitHost::start(Some("t0k3n"));
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("file"), "one").unwrap();
    std::fs::write(repository.folder().join("run.sh"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(repository.folder().join("run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let first = repository.push("main");
    std::fs::write(repository.folder().join("file"), "two").unwrap();
    let second = repository.push("main");
    let (git, source, access) = (UrlSource::default(), source(&host.url("shop")), access("t0k3n"));
    assert_eq!(git.resolve(&source, &"main".parse().unwrap(), &access).await.unwrap().as_str(), second);
    for (commit, text) in [(&first, "one"), (&second, "two")] {
        let into = tempfile::tempdir().unwrap();
        fetch(&git, &source, commit, &access, into.path()).await.unwrap();
        assert_eq!(std::fs::read_to_string(into.path().join("file")).unwrap(), text);
        assert!(!into.path().join(".git").exists(), "git's own files, and the token in them, do not stay");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(into.path().join("run.sh")).unwrap().permissions());
        assert_eq!(mode & 0o111, 0o111, "an executable stays one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_git_suffix_and_other_branches() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("file"), "x").unwrap();
    repository.push("main");
    let feature = repository.push("feature/main");
    let git = UrlSource::default();
    let report = git.check(&source(&host.url("shop")), &SourceAccess::default()).await.unwrap();
    assert_eq!(report.default_branch.unwrap().as_str(), "main");
    assert_eq!(report.branches.len(), 2);
    // `main` is asked for by its full name: `feature/main` ends like it, and is another branch.
    let main = git.resolve(&source(&host.url("shop")), &"main".parse().unwrap(), &SourceAccess::default()).await.unwrap();
    assert_ne!(main.as_str(), feature);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_never_goes_to_another_host() {
    let (host, thief) = (GitHost::start(Some("t0k3n")), GitHost::start(None));
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("file"), "x").unwrap();
    let commit = repository.push("main");
    let (git, source, access) = (UrlSource::default(), source(&host.url("shop")), access("t0k3n"));
    host.behave(Behaviour::Redirect(format!("http://{}", thief.address)));
    let into = tempfile::tempdir().unwrap();
    let error = fetch(&git, &source, &commit, &access, into.path()).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("t0k3n"), "{error:?}");
    git.check(&source, &access).await.unwrap_err();
    assert_eq!(thief.seen(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_not_asked_for_at_the_terminal() {
    let host = GitHost::start(Some("t0k3n"));
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("file"), "x").unwrap();
    let commit = repository.push("main");
    let into = tempfile::tempdir().unwrap();
    for access in [access("wrong"), SourceAccess::default()] {
        let error = fetch(&UrlSource::default(), &source(&host.url("shop")), &commit, &access, into.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_gone_and_a_host_that_stops() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("file"), "x").unwrap();
    let commit = repository.push("main");
    let git = UrlSource::new(Limits { stall: Duration::from_secs(2), ..Limits::default() });
    let into = tempfile::tempdir().unwrap();
    let gone = fetch(&git, &source(&host.url("shop")), &"1".repeat(40), &SourceAccess::default(), into.path()).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::CommitNotFound, "{gone:?}");
    host.behave(Behaviour::HangAtPack);
    let (began, into) = (Instant::now(), tempfile::tempdir().unwrap());
    let stalled = fetch(&git, &source(&host.url("shop")), &commit, &SourceAccess::default(), into.path()).await.unwrap_err();
    assert_eq!(stalled.kind(), ErrorKind::Timeout, "{stalled:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_filters_of_a_repository_do_nothing() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    std::os::unix::fs::symlink("/etc/passwd", repository.folder().join("evil")).unwrap();
    std::fs::write(repository.folder().join("big.bin"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n").unwrap();
    std::fs::write(repository.folder().join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n").unwrap();
    std::fs::write(repository.folder().join(".lfsconfig"), "[lfs]\n\turl = http://127.0.0.1:1/\n").unwrap();
    std::fs::write(repository.folder().join(".gitmodules"), "[submodule \"x\"]\n\tpath = x\n\turl = file:///etc\n").unwrap();
    let commit = repository.push("main");
    let into = tempfile::tempdir().unwrap();
    fetch(&UrlSource::default(), &source(&host.url("shop")), &commit, &SourceAccess::default(), into.path()).await.unwrap();
    assert!(std::fs::symlink_metadata(into.path().join("evil")).unwrap().is_symlink(), "a link stays a link; nothing is read through it");
    assert!(std::fs::read_to_string(into.path().join("big.bin")).unwrap().starts_with("version https://git-lfs"));
    assert!(!into.path().join("x").exists(), "submodules are not fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_larger_than_allowed_is_refused() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    let noise: Vec<u8> = (0..30u32 << 20).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(repository.folder().join("noise"), noise).unwrap();
    let commit = repository.push("main");
    let git = UrlSource::new(Limits { bytes: 1 << 20, ..Limits::default() });
    let into = tempfile::tempdir().unwrap();
    // Also when a fast host has sent everything before the watchdog looks for the first time.
    let outcome = fetch(&git, &source(&host.url("shop")), &commit, &SourceAccess::default(), into.path()).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TooLarge);
}
