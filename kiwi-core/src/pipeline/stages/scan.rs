//! Look at source and image; the gate decides.

use super::{Context, fetch};
use crate::domain::StageOutput;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::ScanTarget;

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    if context.kiwi.inner.scanners.is_empty() {
        return Ok(StageOutput::Nothing { reason: "no scanner is set up".to_owned() });
    }
    let (commit, _) = context.fetched()?;
    let mut targets = vec![ScanTarget::Image(context.built()?)];
    targets.insert(0, ScanTarget::Tree(fetch::tree(context, &commit).await?));
    look(context, &targets).await
}

/// Runs every scanner on every target that it supports, then asks the gate.
pub(super) async fn look(context: &Context<'_>, targets: &[ScanTarget]) -> Result<StageOutput> {
    let mut reports = Vec::new();
    for target in targets {
        for scanner in context.kiwi.inner.scanners.iter().filter(|scanner| scanner.supports(target)) {
            let report = scanner.scan(target).await?;
            context.events.info(format!("{} found {} problems in {} places", report.scanner, report.findings.len(), report.coverage.read.len())).await;
            reports.push(report);
        }
    }
    if reports.is_empty() {
        return Ok(StageOutput::Nothing { reason: "no scanner looks at this".to_owned() });
    }
    let decision = context.kiwi.inner.gate.decide(&reports, &Default::default());
    for reason in &decision.reasons {
        context.events.info(reason.clone()).await;
    }
    if decision.pass {
        return Ok(StageOutput::Gate { decision });
    }
    let first = decision.reasons.first().cloned().unwrap_or_default();
    Err(Error::new(ErrorKind::GateRefused, "gate", format!("the gate refused for {} reasons, the first: {first}", decision.reasons.len())))
}
