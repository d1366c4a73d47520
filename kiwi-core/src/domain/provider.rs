//! Records of an organization's git hosts and of the people in it.

use super::text::{first_bad, text_value};
use super::{GitProviderKind, SecretId, Timestamp};
use crate::access::Role;
use crate::error::ValueError;
use serde::{Deserialize, Serialize};
use url::Url;

text_value!(
    /// The address of a git host's web pages, such as `https://gitlab.example.com/sub/path`: no credentials, no query, no final slash.
    ServerUrl,
    parse_server
);

impl ServerUrl {
    /// Where the host is when nobody says otherwise; none for a plain URL.
    pub fn public(kind: GitProviderKind) -> Option<Self> {
        match kind {
            GitProviderKind::Github => Some(Self("https://github.com".to_owned())),
            GitProviderKind::Gitlab => Some(Self("https://gitlab.com".to_owned())),
            GitProviderKind::Url => None,
        }
    }

    /// Whether the transport is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https:")
    }
}

fn parse_server(text: &str) -> Result<String, ValueError> {
    let hint = "give the address of the server's web pages, such as https://gitlab.example.com";
    // What cannot be shown safely is not shown at all: it may hold a password.
    let shown = if text.contains('@') { "" } else { text };
    let fail = |problem: &str| Err(ValueError::new("server URL", shown, problem, hint));
    if text.len() > 1024 || text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return fail("is longer than 1024 characters, or contains a space, a control character or a backslash");
    }
    let Ok(url) = Url::parse(text) else { return fail("is not a URL") };
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none_or(str::is_empty) {
        return fail("is not an https or http address");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ValueError::new("server URL", "", "contains credentials", "leave them out and give the token with --token-stdin"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return fail("has a query or a fragment");
    }
    let path = url.path().trim_end_matches('/');
    if path.split('/').any(|part| matches!(part, "." | "..")) || path.ends_with("/api/v4") || path.ends_with("/api/v3") {
        return fail("is not the address of the web pages");
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default()))
}

/// An organization's git host, with the token that its members use unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderSettings {
    /// Which API it speaks; never [`GitProviderKind::Url`].
    pub kind: GitProviderKind,
    /// Where it is.
    pub url: ServerUrl,
    /// Where the store keeps the token.
    pub token: SecretId,
    /// A CA certificate (PEM) beyond those of the machine.
    pub ca: Option<String>,
    /// Whether an admin allowed an address that is not public, or plain HTTP.
    pub private: bool,
    /// Whose token it is, as the host said when it was set.
    pub account: String,
    /// When the token ends, as the host said then.
    pub expires_at: Option<Timestamp>,
    /// When it was set.
    pub updated_at: Timestamp,
}

/// The repository of a service at its host. The id survives renames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepositoryLink {
    /// The host's own id.
    pub id: u64,
    /// The full path when Kiwi last looked; opaque, with subgroups.
    pub path: String,
}

text_value!(
    /// A user name: what GitLab accepts, so that accounts there can have the same.
    UserName,
    parse_user
);

fn parse_user(text: &str) -> Result<String, ValueError> {
    let hint = "use 2 to 64 letters, digits, '.', '_' and '-', starting and ending with a letter or digit";
    let fail = |problem: String| Err(ValueError::new("user name", text, problem, hint));
    if !(2..=64).contains(&text.len()) {
        return fail(format!("has {} characters", text.chars().count()));
    }
    if let Some(bad) = first_bad(text, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
        return fail(format!("contains {bad}"));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return fail("does not start and end with a letter or digit".to_owned());
    }
    if text.as_bytes().windows(2).any(|pair| pair.iter().all(|byte| !byte.is_ascii_alphanumeric())) {
        return fail("has two of '.', '_' and '-' in a row".to_owned());
    }
    let ending = [".git", ".atom"].into_iter().find(|ending| text.to_ascii_lowercase().ends_with(ending));
    match ending {
        Some(ending) => fail(format!("ends with {ending}")),
        None => Ok(text.to_owned()),
    }
}

text_value!(
    /// An e-mail address, as far as it can be judged without sending to it.
    Email,
    parse_email
);

fn parse_email(text: &str) -> Result<String, ValueError> {
    let fail = |problem: &str| Err(ValueError::new("e-mail address", text, problem, "give an address such as ada@example.com"));
    if text.len() > 254 || text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"')) {
        return fail("is longer than 254 characters or contains a character that does not belong there");
    }
    match text.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() && !local.contains('@') && domain.parse::<super::Host>().is_ok() => Ok(text.to_owned()),
        _ => fail("is not of the form name@domain"),
    }
}

/// A person in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// How the history names them.
    pub name: UserName,
    /// Their address.
    pub email: Email,
    /// Their name as people say it.
    pub full_name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_server_is_an_address_of_web_pages() {
        assert_eq!("HTTPS://GitLab.Example.com:8443/sub/path/".parse::<ServerUrl>().unwrap().as_str(), "https://gitlab.example.com:8443/sub/path");
        for text in [
            "",
            "gitlab.com",
            "ftp://gitlab.com",
            "https://",
            "https://u:p@gitlab.com",
            "https://gitlab.com?x",
            "https://gitlab.com/api/v4",
            "file:///x",
            "https://a b",
        ] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text:?}");
        }
        assert!(!"https://u:s3cret@h".parse::<ServerUrl>().unwrap_err().to_string().contains("s3cret"));
    }

    #[test]
    fn names_and_addresses_are_what_a_host_accepts() {
        for text in ["", "a", "-ab", "ab-", "a..b", "a b", "ada.git", "\u{e9}a", "a/b"] {
            assert!(text.parse::<UserName>().is_err(), "{text:?}");
        }
        assert!("Ada.Love-lace_1".parse::<UserName>().is_ok());
        for text in ["", "ada", "@example.com", "a@b@c.com", "ada@", "a b@example.com", "ada@exa mple.com", "<a@b.c>"] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
        assert!("ada+x@example.com".parse::<Email>().is_ok());
    }

    proptest! {
        #[test]
        fn never_panics_and_accepted_values_are_stable(text in "(https?://)?\\PC{0,40}") {
            if let Ok(url) = text.parse::<ServerUrl>() {
                prop_assert_eq!(url.as_str().parse::<ServerUrl>().unwrap(), url);
            }
            let _ = (text.parse::<UserName>(), text.parse::<Email>());
        }
    }
}
