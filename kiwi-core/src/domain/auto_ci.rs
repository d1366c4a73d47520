//! Settings of Auto CI, and how far it came.

use super::text::text_value;
use super::{CommitSha, EnvironmentName, GitProviderKind, OrganizationId, RunId, SecretId, ServiceId, Timestamp};
use crate::error::{Error, Result, ValueError};
use serde::{Deserialize, Serialize};
use url::Url;

/// Auto CI of one service: a push to its branch is built and deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoCi {
    /// The service.
    pub service: ServiceId,
    /// Who owns it.
    pub organization: OrganizationId,
    /// Where pushes are deployed.
    pub environment: EnvironmentName,
    /// Where the store keeps the webhook's secret.
    pub secret: SecretId,
    /// Where the git host reaches this installation.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uri"))]
    pub public_url: Url,
    /// Only pushes that change one of these are built; every push when there is none.
    pub watch: Vec<WatchPattern>,
    /// Who switched it on.
    pub enabled_by: String,
    /// When.
    pub enabled_at: Timestamp,
}

impl AutoCi {
    /// Where the host sends this service's deliveries: `<public URL>/hooks/<provider>/<service id>`.
    pub fn hook_url(&self, provider: GitProviderKind) -> Result<Url> {
        below(&self.public_url, &["hooks", provider.as_str(), self.service.as_str()])
    }

    /// Where a person reads about a run.
    pub fn run_url(&self, run: &RunId) -> Result<Url> {
        below(&self.public_url, &["api", "v1", "runs", run.as_str()])
    }
}

/// An address below another one, which may have a path of its own.
fn below(base: &Url, segments: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    let invalid = || Error::invalid("public URL", "the public URL cannot have a path below it").with_hint("give an address such as https://kiwi.example.com");
    url.path_segments_mut().map_err(|()| invalid())?.pop_if_empty().extend(segments);
    Ok(url)
}

/// How far Auto CI of a service came. Decisions change it one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoCiState {
    /// Rises with every decision about a new head.
    pub version: u64,
    /// The head of the branch that was last decided.
    pub head: Option<CommitSha>,
    /// The run of that head; none when it was not to be built.
    pub run: Option<RunId>,
    /// How often in a row the reconciler failed.
    pub failures: u32,
    /// When the reconciler looks again.
    pub due: Timestamp,
}

text_value!(
    /// A line as in `.gitignore`: `docs/` and `*.md` match at any depth, `/api/**` from the root, `!README.md` takes out again.
    WatchPattern,
    parse
);

fn parse(text: &str) -> Result<String, ValueError> {
    let fail = |problem: &str| Err(ValueError::new("watch pattern", text, problem, "write it as a line of .gitignore, such as \"api/**\" or \"!*.md\""));
    let pattern = text.trim_end();
    if pattern.is_empty() || pattern.len() > 1024 {
        return fail("is empty or longer than 1024 characters");
    }
    if pattern.starts_with('#') || pattern.chars().any(char::is_control) {
        return fail("is a comment, or contains a control character");
    }
    match ignore::gitignore::GitignoreBuilder::new("").add_line(None, pattern) {
        Ok(_) => Ok(pattern.to_owned()),
        Err(_) => fail("is not a pattern"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_below_the_public_one() {
        let service = ServiceId::generate();
        let mut settings = AutoCi {
            service: service.clone(),
            organization: OrganizationId::default(),
            environment: EnvironmentName::Development,
            secret: SecretId::generate(),
            public_url: "https://kiwi.example.com".parse().unwrap(),
            watch: Vec::new(),
            enabled_by: "admin".to_owned(),
            enabled_at: Timestamp::now(),
        };
        assert_eq!(settings.hook_url(GitProviderKind::Github).unwrap().as_str(), format!("https://kiwi.example.com/hooks/github/{service}"));
        settings.public_url = "https://example.com/kiwi/".parse().unwrap();
        assert_eq!(settings.hook_url(GitProviderKind::Gitlab).unwrap().as_str(), format!("https://example.com/kiwi/hooks/gitlab/{service}"));
        settings.public_url = "mailto:kiwi@example.com".parse().unwrap();
        assert!(settings.hook_url(GitProviderKind::Gitlab).is_err());
    }

    #[test]
    fn patterns_are_lines_of_gitignore() {
        for text in ["", "  ", "# x", "a\nb"] {
            assert!(text.parse::<WatchPattern>().is_err(), "{text:?}");
        }
        for text in ["api/**", "!*.md", "/Dockerfile", "docs/"] {
            assert!(text.parse::<WatchPattern>().is_ok(), "{text:?}");
        }
    }
}
