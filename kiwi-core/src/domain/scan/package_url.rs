//! Package URLs (<https://github.com/package-url/purl-spec>): which package a text such as `pkg:npm/%40scope/left@1.2.3` names.

use super::Dependency;

/// OSV's names of ecosystems, and the types of their package URLs.
const TYPES: [(&str, &str); 13] = [
    ("npm", "npm"),
    ("PyPI", "pypi"),
    ("crates.io", "cargo"),
    ("Go", "golang"),
    ("Maven", "maven"),
    ("RubyGems", "gem"),
    ("Packagist", "composer"),
    ("NuGet", "nuget"),
    ("Hex", "hex"),
    ("Pub", "pub"),
    ("Alpine", "apk"),
    ("Debian", "deb"),
    ("Ubuntu", "deb"),
];

impl Dependency {
    /// The type of its package URL; none for an ecosystem that Kiwi does not know.
    pub fn package_url_type(&self) -> Option<&'static str> {
        // A suffix such as `:12` is the release of a distribution.
        let name = self.ecosystem.split(':').next().unwrap_or_default();
        TYPES.iter().find(|(ecosystem, _)| ecosystem.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind)
    }

    /// Whether a package URL names it. One without a version names every version; qualifiers say nothing.
    pub(super) fn is_named_by(&self, url: &str) -> bool {
        let Some((kind, rest)) = url.strip_prefix("pkg:").and_then(|rest| rest.trim_start_matches('/').split_once('/')) else { return false };
        let own = self.package_url_type().unwrap_or(&self.ecosystem);
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        // The one at the start is of a scope that was not encoded.
        let (name, version) = match rest.rfind('@').filter(|at| *at > 0) {
            Some(at) => (&rest[..at], Some(decoded(&rest[at + 1..]))),
            None => (rest, None),
        };
        own.eq_ignore_ascii_case(kind)
            && self.is_called(own, &decoded(name))
            && version.is_none_or(|version| comparable(own, &version) == comparable(own, &self.version))
    }

    fn is_called(&self, kind: &str, name: &str) -> bool {
        match kind {
            "pypi" => separated(&self.package) == separated(name),
            // What stands before the colon is the namespace of the URL.
            "maven" => self.package.replace(':', "/").eq_ignore_ascii_case(name),
            // The distribution is the namespace, which its packages do not repeat.
            "apk" | "deb" => self.package.eq_ignore_ascii_case(name.rsplit('/').next().unwrap_or(name)),
            _ => self.package.eq_ignore_ascii_case(name),
        }
    }
}

/// PEP 503: runs of separators are one hyphen.
fn separated(name: &str) -> String {
    name.to_lowercase().split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Go and Composer write versions with a `v`, which Kiwi leaves out.
fn comparable<'v>(kind: &str, version: &'v str) -> &'v str {
    if matches!(kind, "golang" | "composer") { version.strip_prefix('v').unwrap_or(version) } else { version }
}

/// A text with its `%40` and the like read; what is no such pair stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_package_of_its_own_ecosystem() {
        let named = |ecosystem: &str, package: &str, version: &str, url: &str| {
            Dependency { package: package.into(), version: version.into(), ecosystem: ecosystem.into(), development: false }.is_named_by(url)
        };
        for (ecosystem, package, version, url) in [
            ("npm", "left", "1.0.0", "pkg:npm/left"),
            ("npm", "@scope/left", "1.0.0", "pkg:npm/%40scope/left@1.0.0?vcs_url=x#src"),
            ("npm", "@scope/left", "1.0.0", "pkg:npm/@scope/left"),
            ("PyPI", "zope.interface", "5.0", "pkg:pypi/Zope_Interface@5.0"),
            ("Go", "example.com/left", "1.0.0", "pkg:golang/example.com/left@v1.0.0"),
            ("Go", "example.com/left", "1.0.0+incompatible", "pkg:golang/example.com/left@v1.0.0%2Bincompatible"),
            ("Maven", "com.ex:left", "1.0", "pkg:maven/com.ex/left@1.0"),
            ("Packagist", "a/b", "1.0", "pkg:composer/a/b@v1.0"),
            ("Debian:12", "curl", "8.0", "pkg:deb/debian/curl@8.0"),
            ("Swift", "left", "1.0", "pkg:swift/left@1.0"),
        ] {
            assert!(named(ecosystem, package, version, url), "{url}");
        }
        for (ecosystem, package, version, url) in [
            ("npm", "left", "1.0.0", "pkg:pypi/left@1.0.0"),
            ("npm", "left", "1.0.0", "pkg:npm/left@1.0.1"),
            ("npm", "left", "1.0.0", "pkg:npm/left@v1.0.0"),
            ("npm", "left", "1.0.0", "pkg:npm/"),
            ("npm", "left", "1.0.0", "cpe:2.3:a:acme:left:1.0.0"),
            ("Maven", "com.ex:left", "1.0", "pkg:maven/left@1.0"),
            ("Swift", "left", "1.0", "pkg:generic/left@1.0"),
        ] {
            assert!(!named(ecosystem, package, version, url), "{url}");
        }
    }
}
