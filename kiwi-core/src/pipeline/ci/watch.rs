//! Watch paths: which changes of a repository are worth a build.

use super::super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{CommitSha, EnvironmentName, Service, ServiceName, WatchPattern};
use crate::error::{Error, ErrorKind, Result};
use ignore::gitignore::GitignoreBuilder;
use serde::{Deserialize, Serialize};

/// Whether a commit would be built, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Forecast {
    /// Whether.
    pub builds: bool,
    /// Why, in words.
    pub reason: String,
    /// The commit that it is compared with: what is live.
    pub base: Option<CommitSha>,
    /// The files that differ, and whether each is watched; none when they were not asked for.
    pub files: Vec<(String, bool)>,
}

impl Kiwi {
    /// Whether these patterns would let a commit be built; nothing is changed.
    pub async fn forecast_push(
        &self,
        actor: &Actor,
        name: &ServiceName,
        environment: EnvironmentName,
        watch: &[WatchPattern],
        commit: &CommitSha,
    ) -> Result<Forecast> {
        actor.may(Operation::ExplainDeliveries)?;
        let service = self.service(actor, name).await?;
        self.forecast(&service, environment, watch, commit).await
    }

    /// Compared with what is live, so that a push which is not built is looked at again together with the next. Whatever cannot be known is built.
    pub(super) async fn forecast(&self, service: &Service, environment: EnvironmentName, watch: &[WatchPattern], commit: &CommitSha) -> Result<Forecast> {
        let builds = |reason: String, base: Option<CommitSha>| Ok(Forecast { builds: true, reason, base, files: Vec::new() });
        if watch.is_empty() {
            return builds("every push is built".to_owned(), None);
        }
        let live = self.store().live(&service.id, environment).await?;
        let Some(base) = live.and_then(|live| live.release.commit) else {
            return builds("nothing is live yet that it could be compared with".to_owned(), None);
        };
        let followed = super::followed(service)?;
        let git = self.git_provider(&Self::local_actor(service), followed.provider).await?;
        let difference = match git.compare(&followed.link, &base, commit).await {
            Err(error) if error.kind() == ErrorKind::CommitNotFound => {
                return builds(format!("the host cannot compare it with {}, which is live", base.short()), Some(base));
            }
            other => other?,
        };
        let files = judge(watch, difference.files)?;
        let watched = files.iter().filter(|(_, watched)| *watched).count();
        let (builds, reason) = match files.iter().find(|(_, watched)| *watched) {
            Some((file, _)) if watched == 1 => (true, format!("{file} is watched and differs from {}", base.short())),
            Some((file, _)) => (true, format!("{watched} watched files differ from {}, such as {file}", base.short())),
            None if difference.truncated => (true, format!("the host does not list every file that differs from {}", base.short())),
            None => (false, format!("none of the {} files that differ from {} is watched", files.len(), base.short())),
        };
        Ok(Forecast { builds, reason, base: Some(base), files })
    }
}

/// Whether each file is watched, by the rules of `.gitignore`: the last pattern that matches counts.
fn judge(watch: &[WatchPattern], files: Vec<String>) -> Result<Vec<(String, bool)>> {
    let invalid = |error: ignore::Error| Error::invalid("read watch patterns", "the patterns cannot be read").with_source(error);
    let mut builder = GitignoreBuilder::new("");
    for pattern in watch {
        builder.add_line(None, pattern.as_str()).map_err(invalid)?;
    }
    let patterns = builder.build().map_err(invalid)?;
    // Paths come from a server: one that is absolute would be none of the repository's.
    let watched = |file: &str| patterns.matched_path_or_any_parents(file.trim_start_matches('/'), false).is_ignore();
    Ok(files.into_iter().map(|file| (watched(&file), file)).map(|(watched, file)| (file, watched)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_a_gitignore() {
        let watched = |patterns: &[&str], file: &str| {
            let patterns: Vec<WatchPattern> = patterns.iter().map(|text| text.parse().unwrap()).collect();
            judge(&patterns, vec![file.to_owned()]).unwrap()[0].1
        };
        assert!(watched(&["api/"], "api/src/main.rs"));
        assert!(watched(&["/api"], "api/src/main.rs"), "a leading slash is the root, and what is below counts");
        assert!(!watched(&["/api"], "web/api/x"));
        assert!(watched(&["api"], "web/api/x"), "without one, any depth");
        assert!(watched(&["*.rs"], "a/b/c.rs"));
        assert!(!watched(&["*", "!*.md"], "README.md"));
        assert!(watched(&["*", "!*.md", "/docs/must.md"], "docs/must.md"));
        assert!(watched(&["src/**/x.txt"], "src/a/b/x.txt"));
        assert!(!watched(&["src/*.txt"], "src/a/x.txt"));
        assert!(watched(&["name with space"], "name with space"));
        // What a hostile server may send must not panic.
        for file in ["", "/", "//etc/passwd", "../x", "a\0b", "C:\\x", "."] {
            let _ = watched(&["*"], file);
        }
    }
}
