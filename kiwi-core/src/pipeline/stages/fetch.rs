//! Resolve the branch to a commit and get its tree.

use super::{Context, dockerfile};
use crate::domain::{EventBody, RunRequest, Source, StageOutput};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::FetchEvent;
use futures_util::StreamExt as _;
use std::path::PathBuf;

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    let Source::Git { branch, .. } = &context.service.source else {
        return Err(Error::new(ErrorKind::Internal, "fetch", "an image service has nothing to fetch"));
    };
    let (commit, branch) = match &context.run.request {
        RunRequest::Pipeline { commit } => (commit.clone(), branch.clone()),
        RunRequest::Build { commit, branch: other } => (commit.clone(), other.clone().unwrap_or_else(|| branch.clone())),
        _ => (None, branch.clone()),
    };
    let commit = match commit {
        Some(commit) => {
            context.events.info(format!("the commit {commit}")).await;
            commit
        }
        None => {
            let head = context.kiwi.resolve_head(&mut context.service, &branch).await?;
            context.events.info(format!("{branch} is at {head}")).await;
            head
        }
    };
    let capabilities = context.kiwi.open_builder(&context.actor(), context.build_runtime()).await?.capabilities();
    if dockerfile::needs_tree(&context.service.build.dockerfile, capabilities) {
        tree(context, &commit).await?;
    }
    Ok(StageOutput::Fetch { commit, branch })
}

/// The tree of the run's commit; fetched once, and again when a killed worker's tree is gone.
pub(super) async fn tree(context: &Context<'_>, commit: &crate::domain::CommitSha) -> Result<PathBuf> {
    if let Some(tree) = context.kiwi.finished_tree(&context.run.id) {
        return Ok(tree);
    }
    let source = &context.service.source;
    let access = context.kiwi.source_access(&context.service.organization, source).await?;
    let into = context.kiwi.new_tree(&context.run.id).await?;
    let mut fetch = context.kiwi.source_for(source)?.open(source, commit, &access, into);
    while let Some(event) = fetch.next().await {
        match event? {
            FetchEvent::Received { bytes } => context.events.send(EventBody::Progress { label: "fetch".to_owned(), current: bytes, total: None }).await,
            FetchEvent::Done => return context.kiwi.keep_tree(&context.run.id).await,
        }
    }
    Err(Error::new(ErrorKind::Internal, "fetch", "the source ended without a word"))
}
