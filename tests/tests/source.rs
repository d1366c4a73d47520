//! The pitfalls of git fetches, each against a real smart-HTTP server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use futures_util::StreamExt as _;
use kiwi_core::domain::{CommitSha, GitProviderKind, Source};
use kiwi_core::error::{Error, ErrorKind};
use kiwi_core::provider::{FetchEvent, ServiceSource as _, SourceAccess};
use kiwi_git::url::{Limits, UrlSource};
use kiwi_tests::command::{Kiwi, unique};
use kiwi_tests::git::{Behaviour, GitHost, git};
use kiwi_tests::wire::{Proxy, Tls};
use std::path::Path;
use std::time::{Duration, Instant};

fn source(url: &str) -> Source {
    Source::Git { provider: GitProviderKind::Url, repository: url.parse().unwrap(), branch: "main".parse().unwrap(), token: None, ca: None, link: None }
}

fn access(token: &str) -> SourceAccess {
    SourceAccess { token: Some(token.to_owned().into()), ..SourceAccess::default() }
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
async fn the_tree_is_git_s_own_in_both_protocols() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    // Alike enough that git sends most of them as differences, and long enough for every form of its instructions.
    for index in 0..60u32 {
        let lines = (0..6000 + index * 7).map(|line| format!("line {line} of {}\n", line.wrapping_mul(2_654_435_761) >> 9));
        let text: String = lines.enumerate().filter(|(number, _)| number % 97 != index as usize).map(|(_, line)| line).collect();
        let folder = repository.folder().join(format!("folder-{}/deeper", index % 7));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("file {index} é")), text).unwrap();
    }
    std::fs::write(repository.folder().join("empty"), "").unwrap();
    std::os::unix::fs::symlink("empty", repository.folder().join("link")).unwrap();
    std::fs::write(repository.folder().join("windows.txt"), "a\nb\n").unwrap();
    std::fs::write(repository.folder().join(".gitattributes"), "*.txt eol=crlf\n").unwrap();
    repository.push("main");
    std::fs::write(repository.folder().join("late"), "x").unwrap();
    let commit = repository.push("main");
    git(repository.folder(), &["gc", "--quiet", "--aggressive"]);
    let by_git = tempfile::tempdir().unwrap();
    git(by_git.path(), &["clone", "--quiet", "--depth", "1", &host.url("shop"), "."]);
    std::fs::remove_dir_all(by_git.path().join(".git")).unwrap();
    for behaviour in [Behaviour::Good, Behaviour::FirstProtocol] {
        host.behave(behaviour.clone());
        let into = tempfile::tempdir().unwrap();
        fetch(&UrlSource::default(), &source(&host.url("shop")), &commit, &SourceAccess::default(), into.path()).await.unwrap();
        let same = std::process::Command::new("diff").args(["-r", "--no-dereference"]).args([by_git.path(), into.path()]).output().unwrap();
        assert!(same.status.success(), "{behaviour:?}: {}", String::from_utf8_lossy(&same.stdout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_host_is_waited_for() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("file"), "x").unwrap();
    let commit = repository.push("main");
    // Slower in all than the stall limit, but never silent for so long.
    host.behave(Behaviour::Slow(Duration::from_millis(400)));
    let git = UrlSource::new(Limits { stall: Duration::from_secs(1), ..Limits::default() });
    let (began, into) = (Instant::now(), tempfile::tempdir().unwrap());
    fetch(&git, &source(&host.url("shop")), &commit, &SourceAccess::default(), into.path()).await.unwrap();
    assert!(began.elapsed() > Duration::from_secs(1), "the host was not slow");
    let git = UrlSource::new(Limits { fetch: Duration::from_secs(1), ..Limits::default() });
    let (began, into) = (Instant::now(), tempfile::tempdir().unwrap());
    let late = fetch(&git, &source(&host.url("shop")), &commit, &SourceAccess::default(), into.path()).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout, "{late:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_ca_of_one_s_own_and_a_proxy() {
    let host = GitHost::start(Some("t0k3n"));
    let (tls, proxy) = (Tls::in_front_of(host.address), Proxy::start());
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("Dockerfile"), "FROM debian:bookworm-slim\nCOPY . /app\n").unwrap();
    repository.push("main");
    let kiwi = Kiwi::new().env("HTTPS_PROXY", format!("http://{}", proxy.address)).env("NO_PROXY", "").with_runtime();
    let (url, ca) = (format!("https://localhost:{}/shop.git", tls.address.port()), kiwi.folder().join("ca.pem"));
    std::fs::write(&ca, &tls.ca).unwrap();
    let unknown = kiwi.run_with(&["source", "check", &url, "--token-stdin"], "t0k3n");
    assert!(unknown.code == 1 && unknown.err.contains("TLS: the server's certificate is signed by an unknown authority"), "{unknown:?}");
    let ca = ca.to_str().unwrap();
    kiwi.run_with(&["source", "check", &url, "--ca", ca, "--token-stdin"], "t0k3n").ok();
    let name = unique("wire");
    kiwi.run_with(&["service", "register", &name, "--git", &url, "--ca", ca, "--token-stdin"], "t0k3n").ok();
    kiwi.run(&["build", &name]).ok();
    let asked = proxy.asked();
    assert!(asked.len() >= 4 && asked.iter().all(|line| line.starts_with(&format!("CONNECT localhost:{}", tls.address.port()))), "{asked:?}");
    kiwi.run(&["service", "remove", &name]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_that_attack_write_nothing() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    std::fs::write(repository.folder().join("file"), "x").unwrap();
    repository.push("main");
    let folder = repository.folder();
    let blob = git(folder, &["rev-parse", "HEAD:file"]);
    let by_name = |tree: &[u8]| {
        std::fs::write(folder.join("tree"), tree).unwrap();
        git(folder, &["hash-object", "-t", "tree", "-w", "--literally", "tree"])
    };
    let raw = |id: &str| -> Vec<u8> { (0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect() };
    let entry = |mode: &str, name: &str, id: &str| [format!("{mode} {name}\0").into_bytes(), raw(id)].concat();
    // Ten trees of ten names each, every one the tree before: 10^10 files in a kilobyte.
    let mut bomb = by_name(&entry("100644", "file", &blob));
    for _ in 0..10 {
        bomb = by_name(&(0..10).flat_map(|index| entry("40000", &format!("d{index}"), &bomb)).collect::<Vec<_>>());
    }
    let inner = by_name(&entry("100644", "x", &blob));
    let git_folder = by_name(&entry("40000", ".git", &inner));
    let above = by_name(&entry("100644", "..", &blob));
    let slash = by_name(&entry("100644", "a/b", &blob));
    // A link and a directory of one name: what is written below it would follow the link.
    std::fs::write(folder.join("target"), "/tmp").unwrap();
    let target = git(folder, &["hash-object", "-w", "target"]);
    let twice = by_name(&[entry("120000", "a", &target), entry("40000", "a", &inner)].concat());
    for (name, tree) in [("bomb", bomb), (".git", git_folder), ("above", above), ("slash", slash), ("twice", twice)] {
        let commit = git(folder, &["commit-tree", &tree, "-m", name]);
        git(folder, &["push", "--quiet", "--force", "origin", &format!("{commit}:refs/heads/main")]);
        let (began, into) = (Instant::now(), tempfile::tempdir().unwrap());
        let error = fetch(&UrlSource::default(), &source(&host.url("shop")), &commit, &SourceAccess::default(), into.path()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::TooLarge | ErrorKind::Protocol), "{name}: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{name}");
        let left: Vec<_> = std::fs::read_dir(into.path()).unwrap().map(|entry| entry.unwrap().file_name()).filter(|found| found != ".git").collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
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
