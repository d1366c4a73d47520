//! The [`Builder`] of an engine.

use super::client::{Engine, credentials};
use super::config::BuilderChoice;
use super::context::Context;
use super::{buildkit, classic, convert};
use crate::feed::{Feed, feed};
use async_trait::async_trait;
use bollard::models::SystemInfo;
use bollard::query_parameters::{PushImageOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder};
use futures_util::StreamExt as _;
use kiwi_core::domain::{Digest, ImagePin, ImageReference, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{BoxStream, BuildContext, BuildEvent, BuildOutcome, BuildPurpose, BuildRequest, Builder, BuilderCapabilities};

/// Builds images on a Docker Engine.
#[derive(Debug, Clone)]
pub struct DockerBuilder {
    engine: Engine,
}

/// What a build left on the engine.
pub(super) struct BuildResult {
    pub(super) id: Digest,
    pub(super) cached: bool,
}

impl DockerBuilder {
    /// A builder on this engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    async fn uses_buildkit(&self) -> Result<bool> {
        match self.engine.config.builder {
            BuilderChoice::Buildkit => Ok(true),
            BuilderChoice::Classic => Ok(false),
            BuilderChoice::Auto => {
                // Podman and engines before 18.09 have no session.
                let info: SystemInfo = self.engine.docker.info().await.map_err(convert::engine("ask Docker Engine"))?;
                Ok(info.server_version.as_deref().and_then(|version| version.split('.').next()?.parse::<u32>().ok()).is_some_and(|major| major >= 19))
            }
        }
    }

    async fn run(&self, request: BuildRequest, feed: &Feed<BuildEvent>) -> Result<()> {
        let BuildContext::Tree(tree) = &request.context else {
            return Err(Error::new(ErrorKind::Unsupported, "build", "the Docker builder is handed a tree, not a commit"));
        };
        let (tree, directory, dockerfile) = (tree.clone(), request.directory.clone(), request.dockerfile.clone());
        let ignore = request.ignore.clone();
        let context = tokio::task::spawn_blocking(move || Context::open(&tree, directory.as_ref(), &dockerfile, ignore.as_deref()))
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "open build context", "opening panicked").with_source(error))??;
        let name = temporary_name(&request);
        let result = if self.uses_buildkit().await? {
            buildkit::build(&self.engine, context, &request, &name, feed).await?
        } else {
            feed.send(BuildEvent::Info("this engine has no BuildKit; using the classic builder".to_owned())).await;
            classic::build(&self.engine, context, &request, &name, feed).await?
        };
        let image = match &request.push {
            Some(access) => {
                let digest = self.push(&request, credentials(access), feed).await?;
                ImagePin::Registry { reference: request.image.clone(), digest, registry: Some(access.name.clone()) }
            }
            None => ImagePin::Local { reference: request.image.clone(), id: result.id },
        };
        feed.send(BuildEvent::Done(BuildOutcome { image, cached: result.cached })).await;
        Ok(())
    }

    async fn push(&self, request: &BuildRequest, credentials: Option<bollard::auth::DockerCredentials>, feed: &Feed<BuildEvent>) -> Result<Digest> {
        let tag = request.image.tag().map(|tag| tag.as_str()).unwrap_or_default();
        let options = PushImageOptionsBuilder::default().tag(tag).build();
        // Without this header the engine refuses to push at all, also to registries that need no credentials.
        let credentials = credentials.unwrap_or_default();
        let mut stream = self.engine.docker.push_image(&request.image.name(), Some(options), Some(credentials));
        let mut digest = None;
        while let Some(item) = stream.next().await {
            let item = item.map_err(|error| convert::image("push image", &request.image.name(), &convert::text(&error)))?;
            if let Some(text) = item.error_detail.and_then(|detail| detail.message) {
                return Err(convert::image("push image", &request.image.name(), &text));
            }
            if let Some(progress) = item.progress_detail
                && let Some(current) = progress.current
            {
                let total = progress.total.and_then(|total| u64::try_from(total).ok());
                feed.send(BuildEvent::Progress { label: "push".to_owned(), current: u64::try_from(current).unwrap_or(0), total }).await;
            }
            // "<tag>: digest: sha256:… size: …" is the last line that every version prints.
            if let Some(status) = &item.status
                && let Some((_, rest)) = status.split_once("digest: ")
            {
                digest = rest.split_whitespace().next().and_then(|text| text.parse::<Digest>().ok());
            }
        }
        digest.ok_or_else(|| Error::new(ErrorKind::Protocol, "push image", "the engine named no digest after the push"))
    }
}

/// The name under which the engine keeps the result; for releases the run's tag, which a resumed run finds again.
fn temporary_name(request: &BuildRequest) -> String {
    match request.purpose {
        BuildPurpose::Release => request.image.to_string(),
        BuildPurpose::Test => test_name(&request.run),
    }
}

fn test_name(run: &RunId) -> String {
    format!("kiwi.local/test:kiwi-run-{run}")
}

#[async_trait]
impl Builder for DockerBuilder {
    fn capabilities(&self) -> BuilderCapabilities {
        let mut capabilities = BuilderCapabilities::default();
        (capabilities.tree, capabilities.local_images) = (true, true);
        capabilities.mounts = self.engine.config.builder != BuilderChoice::Classic;
        capabilities
    }

    async fn plan(&self, _: &BuildRequest) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn find(&self, request: &BuildRequest) -> Result<Option<BuildOutcome>> {
        if request.purpose == BuildPurpose::Test {
            return Ok(None);
        }
        let found = match self.engine.docker.inspect_image(&request.image.to_string()).await {
            Ok(found) => found,
            Err(error) if convert::status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(convert::engine("look for image")(error)),
        };
        let image = match &request.push {
            None => {
                let id = found.id.ok_or_else(|| Error::new(ErrorKind::Protocol, "look for image", "the engine named no image id"))?;
                ImagePin::Local { reference: request.image.clone(), id: id.parse()? }
            }
            Some(access) => {
                // The engine records a digest only after a complete push.
                let prefix = format!("{}@", request.image.name());
                let digest = found.repo_digests.unwrap_or_default().iter().find_map(|digest| digest.strip_prefix(&prefix)?.parse::<Digest>().ok());
                let Some(digest) = digest else { return Ok(None) };
                // The same content may have been pushed by an earlier run: then this run's tag is still missing.
                let tagged = self.engine.docker.inspect_registry_image(&request.image.to_string(), credentials(access)).await;
                if tagged.ok().and_then(|found| found.descriptor.digest).as_deref() != Some(digest.as_str()) {
                    return Ok(None);
                }
                ImagePin::Registry { reference: request.image.clone(), digest, registry: Some(access.name.clone()) }
            }
        };
        Ok(Some(BuildOutcome { image, cached: false }))
    }

    fn build(&self, request: BuildRequest) -> BoxStream<Result<BuildEvent>> {
        let builder = self.clone();
        feed(move |feed| async move { builder.run(request, &feed).await })
    }

    async fn tag(&self, image: &ImagePin, name: &ImageReference) -> Result<()> {
        if matches!(image, ImagePin::Registry { .. }) {
            return Ok(());
        }
        let options = TagImageOptionsBuilder::default().repo(&name.name()).tag(name.tag().map(|tag| tag.as_str()).unwrap_or("latest")).build();
        self.engine.docker.tag_image(image.digest().as_str(), Some(options)).await.map_err(convert::engine("tag image"))
    }

    async fn cancel(&self, run: &RunId) -> Result<()> {
        if self.uses_buildkit().await? {
            buildkit::cancel(&self.engine, run).await?;
        }
        match self.engine.docker.remove_image(&test_name(run), None::<RemoveImageOptions>, None).await {
            Ok(_) => Ok(()),
            Err(error) if convert::status(&error) == Some(404) => Ok(()),
            Err(error) => Err(convert::engine("remove test image")(error)),
        }
    }
}

/// The cause of a failed build, from the builder's own words.
pub(super) fn diagnose(message: &str) -> Error {
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let fail = |kind: ErrorKind, why: &str, hint: &str| {
        let shown: String = message.trim().chars().take(800).collect();
        Error::new(kind, "build image", format!("{why}: {shown}")).with_hint(hint.to_owned())
    };
    if has(&["no space left on device"]) {
        fail(ErrorKind::Storage, "the disk of the engine is full", "`kiwi runtime clean` and `docker builder prune` free space")
    } else if has(&["failed to parse", "dockerfile parse error", "unknown instruction", "unexpected end of statement", "unknown flag"]) {
        fail(ErrorKind::BuildFailed, "the Dockerfile has a syntax error", "correct the line that the builder names")
    } else if has(&["target stage", "failed to reach build target"]) {
        fail(ErrorKind::BuildFailed, "the Dockerfile has no such stage", "name a stage that a FROM ... AS line defines")
    } else if has(&[
        "pull access denied",
        "failed to resolve source metadata",
        "manifest unknown",
        "manifest for",
        "failed to load metadata",
        "no match for platform",
        "repository does not exist",
        "no such host",
        "dial tcp",
        "failed to do request",
        "tls handshake timeout",
        "get \"https://",
    ]) || (has(&["failed to solve"]) && has(&["not found: not found", "unexpected status"]))
    {
        convert::image("get base image", "a base image of the Dockerfile", message)
    } else if has(&["exit code: 137", "returned a non-zero code: 137", "signal: killed"]) {
        fail(ErrorKind::BuildFailed, "a step was killed, most likely for want of memory", "give the engine more memory, or make the step smaller")
    } else if has(&["exit code:", "returned a non-zero code", "did not complete successfully"]) {
        fail(
            ErrorKind::BuildFailed,
            "a step of the Dockerfile failed",
            "the lines above show what it printed; a package install may need network or credentials",
        )
    } else if has(&["failed to calculate checksum", "failed to compute cache key", "copy failed", "add failed", "no such file or directory"]) {
        fail(
            ErrorKind::BuildFailed,
            "a file that the Dockerfile copies is not in the build context",
            "check the path, and that .dockerignore does not leave it out",
        )
    } else if has(&["no build secret", "secret"]) && has(&["not found"]) {
        fail(
            ErrorKind::BuildFailed,
            "the Dockerfile needs a build secret that the service does not have",
            "give it with `kiwi service update --build-secret NAME`",
        )
    } else {
        fail(ErrorKind::BuildFailed, "the build failed", "read the builder's message")
    }
}

#[cfg(test)]
mod tests {
    use super::diagnose;
    use kiwi_core::ErrorKind;

    #[test]
    fn names_the_cause() {
        for (message, kind, why) in [
            ("dockerfile parse error line 3: unknown instruction: RUNN", ErrorKind::BuildFailed, "syntax error"),
            (
                "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 1: x",
                ErrorKind::BuildFailed,
                "syntax error",
            ),
            ("pull access denied for nope, repository does not exist or may require 'docker login': denied", ErrorKind::ImageUnavailable, "base image"),
            ("Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host", ErrorKind::ImageUnavailable, "does not resolve"),
            ("executor failed running [/bin/sh -c npm ci]: exit code: 1", ErrorKind::BuildFailed, "a step of the Dockerfile failed"),
            ("The command '/bin/sh -c x' returned a non-zero code: 137", ErrorKind::BuildFailed, "memory"),
            ("failed to compute cache key: \"/nope\" not found: not found", ErrorKind::BuildFailed, "not in the build context"),
            ("write /x: no space left on device", ErrorKind::Storage, "disk"),
        ] {
            let error = diagnose(message);
            assert_eq!(error.kind(), kind, "{message}");
            assert!(error.message().contains(why), "{message}: {error}");
        }
    }
}
