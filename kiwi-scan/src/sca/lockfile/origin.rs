//! Where a lockfile says that its packages come from: what a private registry has is nobody else's to know, and what comes from no registry has no
//! version that any database knows.

use crate::sca::Ecosystem;
use url::Url;

/// The hosts of an ecosystem's public registry, none where lockfiles do not name any.
fn public(ecosystem: Ecosystem) -> &'static [&'static str] {
    match ecosystem {
        Ecosystem::Npm => &["registry.npmjs.org", "registry.yarnpkg.com"],
        Ecosystem::PyPi => &["pypi.org", "pypi.python.org", "files.pythonhosted.org"],
        Ecosystem::Maven => &["repo.maven.apache.org", "repo1.maven.org", "maven.google.com", "dl.google.com"],
        Ecosystem::RubyGems => &["rubygems.org", "index.rubygems.org"],
        Ecosystem::Packagist => &["packagist.org", "repo.packagist.org"],
        Ecosystem::Pub => &["pub.dev", "pub.dartlang.org"],
        Ecosystem::CratesIo | Ecosystem::Go | Ecosystem::NuGet | Ecosystem::Hex => &[],
    }
}

/// Whether a place that a lockfile names is another than the ecosystem's public registry; what is no URL, such as a directory, is another.
pub(super) fn is_private(ecosystem: Ecosystem, place: &str) -> bool {
    let host = Url::parse(place).ok().filter(|url| matches!(url.scheme(), "https" | "http")).and_then(|url| url.host_str().map(str::to_owned));
    !host.is_some_and(|host| public(ecosystem).contains(&host.as_str()))
}

/// Where a package of JavaScript comes from, in words, when it is no registry. Nothing of the place itself is told, as there may be a password in it.
pub(super) fn elsewhere(place: &str) -> Option<&'static str> {
    const HOSTS: [&str; 4] = ["github", "gitlab", "bitbucket", "gist"];
    let place = place.to_lowercase();
    let is_repository = |scheme: &str| scheme.starts_with("git+") || matches!(scheme, "git" | "ssh" | "svn") || HOSTS.contains(&scheme);
    match place.split_once(':') {
        _ if place.ends_with(".git") || place.contains(".git#") => Some("a repository"),
        Some(("file" | "link" | "portal" | "exec" | "root", _)) => Some("a file or a directory"),
        Some(("http" | "https", _)) => of_url(&place),
        Some((scheme, _)) if is_repository(scheme) || scheme.starts_with("git@") => Some("a repository"),
        // `~1.2.3` is a range.
        _ if place.starts_with(['.', '/']) || place.starts_with("~/") => Some("a file or a directory"),
        Some(_) => Some("a URL"),
        None => None,
    }
}

/// A registry's archives stand behind `/-/`, or `/download/` at some; so do those that hosts of repositories make of a commit.
fn of_url(place: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(place) else { return Some("a URL") };
    let (host, path) = (url.host_str().unwrap_or_default(), url.path());
    if public(Ecosystem::Npm).contains(&host) {
        return None;
    }
    let of_commit = host == "codeload.github.com" || ["/-/archive/", "/archive/", "/tarball/"].iter().any(|part| path.contains(part));
    match (of_commit, path.contains("/-/") || path.contains("/download/")) {
        (true, _) => Some("a repository"),
        (false, true) => None,
        (false, false) => Some("a URL"),
    }
}
