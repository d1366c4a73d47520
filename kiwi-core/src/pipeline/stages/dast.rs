//! Look at what runs, where nobody looked before the switch.

use super::{Context, scan};
use crate::domain::{Exceptions, RunKind, ScanKind, Stage, StageOutput};
use crate::error::Result;
use crate::provider::{Runtime, ScanTarget};

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    let nothing = |reason: &str| Ok(StageOutput::Nothing { reason: reason.to_owned() });
    if !looks(context) {
        return nothing("no scanner looks at running applications");
    }
    if !brings_images(context) {
        return nothing("the images were looked at when they came");
    }
    let Some(live) = context.kiwi.store().live(&context.service.id, context.run.environment).await? else {
        return nothing("nothing is live");
    };
    let runtime = context.kiwi.open_runtime(&context.actor(), &live.release.runtime).await?;
    if before_the_switch(context, &*runtime).await? {
        return nothing("the candidate was looked at before the switch");
    }
    let urls = context.kiwi.live_urls(&context.actor(), &context.service, context.run.environment).await?;
    let targets: Vec<_> = urls.into_iter().map(ScanTarget::Url).collect();
    scan::look(context, Stage::Dast, &targets, &Exceptions::default()).await
}

/// Whether a candidate is looked at, so that a refusal means that the deployment never happens. Where a refusal is only reported, traffic need
/// not wait for it.
pub(super) async fn before_the_switch(context: &Context<'_>, runtime: &dyn Runtime) -> Result<bool> {
    Ok(looks(context) && brings_images(context) && runtime.capabilities().candidate && !scan::gate(context).await?.report_only)
}

fn looks(context: &Context<'_>) -> bool {
    context.kiwi.inner.scanners.iter().any(|scanner| scanner.kind() == ScanKind::Dast)
}

/// A restart or a rollback brings what ran before, and must not wait.
fn brings_images(context: &Context<'_>) -> bool {
    matches!(context.run.request.kind(), RunKind::Pipeline | RunKind::Deploy | RunKind::Promotion)
}
