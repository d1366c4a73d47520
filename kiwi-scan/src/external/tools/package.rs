//! What tools that look at packages have in common.

use kiwi_core::domain::{Dependency, Severity};

/// A dependency by the type of its package URL, such as `pypi`, in the words of OSV.
pub(super) fn dependency(purl: &str, kind: &str, name: &str, version: &str, development: bool) -> Dependency {
    let parsed: Option<packageurl::PackageUrl<'_>> = purl.parse().ok();
    let kind = parsed.as_ref().map_or(kind, |purl| purl.ty());
    let ecosystem = match kind.to_ascii_lowercase().as_str() {
        "npm" | "yarn" | "pnpm" | "bun" | "node-pkg" => "npm",
        "pypi" | "pip" | "pipenv" | "poetry" | "uv" | "python-pkg" | "python" => "PyPI",
        "cargo" | "rust-crate" | "rustbinary" => "crates.io",
        "golang" | "gomod" | "gobinary" | "go-module" => "Go",
        "maven" | "jar" | "pom" | "gradle" | "sbt" | "java-archive" => "Maven",
        "gem" | "bundler" | "gemspec" => "RubyGems",
        "composer" | "composer-vendor" | "php-composer" => "Packagist",
        "nuget" | "dotnet-core" | "packages-props" | "dotnet" => "NuGet",
        "hex" | "mix-lock" => "Hex",
        "pub" | "dart-pub" => "Pub",
        "apk" | "alpine" => "Alpine",
        "deb" | "debian" => match parsed.as_ref().and_then(|purl| purl.namespace()) {
            Some("ubuntu") => "Ubuntu",
            _ => "Debian",
        },
        "ubuntu" => "Ubuntu",
        other => return plain(other, name, version, development),
    };
    plain(ecosystem, name, version, development)
}

/// A dependency whose ecosystem is named already.
pub(super) fn plain(ecosystem: &str, name: &str, version: &str, development: bool) -> Dependency {
    let clean = crate::external::findings::plain;
    Dependency { package: clean(name), version: clean(version), ecosystem: clean(ecosystem), development }
}

/// A severity by its word; tools have more words than Kiwi.
pub(super) fn severity(word: &str) -> Severity {
    match word.to_ascii_lowercase().as_str() {
        "negligible" | "informational" | "none" => Severity::Info,
        "important" => Severity::High,
        other => other.parse().unwrap_or(Severity::Unknown),
    }
}

/// What a finding about a package says.
pub(super) fn message(title: &str, fixed: &[String]) -> String {
    match fixed.first() {
        Some(_) => format!("{title}; fixed in {}", fixed.join(", ")),
        None => format!("{title}; no fixed version is known"),
    }
}
