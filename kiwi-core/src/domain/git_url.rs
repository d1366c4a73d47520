//! URLs of git repositories.

use super::text::text_value;
use crate::error::ValueError;
use url::Url;

text_value!(
    /// The URL of a git repository over HTTP or HTTPS, without credentials.
    ///
    /// A missing `.git` is accepted and kept as given: servers answer to both, and some only to the one they know.
    GitUrl,
    parse
);

impl GitUrl {
    /// Whether the transport is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.as_str().starts_with("https:")
    }

    /// The host, with the port when it is not the scheme's own.
    pub fn authority(&self) -> &str {
        let rest = self.as_str().split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// The last path segment without `.git`: what a person calls the repository.
    pub fn repository(&self) -> &str {
        let last = self.as_str().rsplit('/').next().unwrap_or_default();
        last.strip_suffix(".git").unwrap_or(last)
    }
}

fn parse(text: &str) -> Result<String, ValueError> {
    let hint = "give an address such as https://github.com/owner/repository.git";
    let fail = |problem: String, hint: &str| Err(ValueError::new("git URL", &redact_userinfo(text), problem, hint));
    if text.is_empty() || text.len() > 2048 {
        return fail("is empty or longer than 2048 characters".into(), hint);
    }
    if text.starts_with('-') {
        return fail("starts with a hyphen, which git would take for an option".into(), hint);
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return fail("contains a space, a control character or a backslash".into(), hint);
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("https" | "http") => {}
        Some("ssh") => return fail("uses ssh, which Kiwi does not speak".into(), "use the https address of the repository and a token"),
        Some(other) => return fail(format!("uses the transport {other:?}, which is not allowed"), "use the https address of the repository"),
        None if text.contains("::") => return fail("names a git remote helper, which is not allowed".into(), hint),
        None if text.contains('@') && text.contains(':') => {
            return fail("is an ssh address, which Kiwi does not speak".into(), "use the https address of the repository and a token");
        }
        None => return fail("is not a URL; local paths are not allowed".into(), hint),
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return fail(format!("is not a URL: {error}"), hint),
    };
    if url.host_str().is_none_or(str::is_empty) {
        return fail("has no host".into(), hint);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return fail("contains credentials".into(), "leave them out and give the token with --token-stdin: a URL ends up in logs");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return fail("has a query or a fragment".into(), hint);
    }
    // The parser resolves `..` silently; a person who typed it meant something that Kiwi cannot know.
    if text.split('/').any(|part| part == ".." || part == "." || part.eq_ignore_ascii_case("%2e%2e")) {
        return fail("has a relative path segment".into(), hint);
    }
    let path = url.path().trim_end_matches('/');
    if path.is_empty() {
        return fail("names no repository".into(), hint);
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default()))
}

fn redact_userinfo(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            match authority.rsplit_once('@') {
                Some((_, host)) => format!("{scheme}://[redacted]@{host}{path}"),
                None => text.to_owned(),
            }
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_could_harm() {
        for text in [
            "",
            "-u",
            "--upload-pack=touch x",
            "file:///etc",
            "ext::sh -c id",
            "git@host:a/b",
            "ssh://host/a",
            "git://host/a",
            "https://",
            "https:///a",
            "https://host",
            "https://host/",
            "https://host/a?x=1",
            "https://host/a#b",
            "https://u:p@host/a",
            "https://host/a b",
            "https://host/../a",
            "https://host/a\\b",
            "/srv/repo",
            "repo",
            "https://host/a\n",
            "javascript:alert(1)",
            "https://[::1/a",
            "https://host:99999/a",
        ] {
            assert!(text.parse::<GitUrl>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_error_shows_no_credentials() {
        let error = "https://user:s3cr3t@host/a".parse::<GitUrl>().unwrap_err();
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }

    #[test]
    fn keeps_the_path_and_reads_the_parts() {
        let url: GitUrl = "HTTPS://Git.Example.com:8443/group/sub/app.git/".parse().unwrap();
        assert_eq!(url.as_str(), "https://git.example.com:8443/group/sub/app.git");
        assert_eq!((url.authority(), url.repository()), ("git.example.com:8443", "app"));
    }

    proptest! {
        #[test]
        fn never_panics_and_accepted_urls_are_stable(text in "(https?://)?\\PC{0,40}") {
            if let Ok(url) = text.parse::<GitUrl>() {
                prop_assert_eq!(url.as_str().parse::<GitUrl>().unwrap(), url);
            }
        }
    }
}
