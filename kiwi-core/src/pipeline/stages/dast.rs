//! Look at what runs, where the runtime had no candidate to look at before the switch.

use super::{Context, scan};
use crate::domain::{ScanKind, StageOutput};
use crate::error::Result;
use crate::provider::ScanTarget;

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    if !context.kiwi.inner.scanners.iter().any(|scanner| scanner.kind() == ScanKind::Dast) {
        return Ok(StageOutput::Nothing { reason: "no scanner looks at running applications".to_owned() });
    }
    let Some(live) = context.kiwi.store().live(&context.service.id, context.run.environment).await? else {
        return Ok(StageOutput::Nothing { reason: "nothing is live".to_owned() });
    };
    let runtime = context.kiwi.open_runtime(&context.actor(), &live.release.runtime).await?;
    if runtime.capabilities().candidate {
        return Ok(StageOutput::Nothing { reason: "the candidate was looked at before the switch".to_owned() });
    }
    let workload = context.kiwi.workload(&context.service, context.run.environment);
    let status = runtime.status(&workload, None).await?;
    let urls = status.endpoints.iter().flat_map(|endpoint| &endpoint.urls).filter_map(|url| url.parse().ok());
    let targets: Vec<_> = urls.map(ScanTarget::Url).collect();
    scan::look(context, &targets).await
}
