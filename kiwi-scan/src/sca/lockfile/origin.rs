//! Where a lockfile says that its packages come from: what a private registry has is nobody else's to know.

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
