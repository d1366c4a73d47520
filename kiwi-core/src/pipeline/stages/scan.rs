//! Look at source and image; the gate decides.

use super::{Context, fetch};
use crate::domain::{Baseline, EventBody, Exceptions, Gate, GateDecision, RunId, ScanReport, Stage, StageOutput, StageReports, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::events::one_line;
use crate::provider::{ScanTarget, Scanner};
use std::path::Path;

/// What people accepted, in the tree itself.
const SUPPRESSIONS: &str = ".kiwi/suppressions.toml";
/// Of more reasons, the rest is in the run's reports.
const MOST_REASONS: usize = 20;
const LARGEST_SUPPRESSIONS: u64 = 1 << 20;

pub(super) async fn run(context: &mut Context<'_>) -> Result<StageOutput> {
    let image = ScanTarget::Image(context.built()?);
    let of_trees = context.kiwi.inner.scanners.iter().any(|scanner| looks_at_trees(&**scanner));
    if !of_trees && !context.kiwi.inner.scanners.iter().any(|scanner| scanner.supports(&image)) {
        return Ok(StageOutput::Nothing { reason: "no scanner is set up".to_owned() });
    }
    let mut targets = vec![image];
    let mut exceptions = Exceptions::default();
    if of_trees {
        let (commit, _) = context.fetched()?;
        let tree = fetch::tree(context, &commit).await?;
        exceptions = accepted(&tree).await?;
        targets.insert(0, ScanTarget::Tree(tree));
    }
    look(context, Stage::Scan, &targets, &exceptions).await
}

fn looks_at_trees(scanner: &dyn Scanner) -> bool {
    scanner.supports(&ScanTarget::Tree(std::path::PathBuf::new()))
}

/// What the tree's authors accept, in `.kiwi/suppressions.toml` below `tree`. A link, of the file or of its directory, is nobody's decision.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when the file cannot be read, is larger than 1 MiB, or says something that is no suppression.
pub async fn accepted(tree: &Path) -> Result<Exceptions> {
    let file = tree.join(SUPPRESSIONS);
    let read = move || match file.symlink_metadata() {
        _ if !file.parent().is_some_and(|folder| folder.symlink_metadata().is_ok_and(|found| found.is_dir())) => Ok(None),
        Ok(found) if found.is_file() && found.len() <= LARGEST_SUPPRESSIONS => std::fs::read_to_string(&file).map(Some),
        Ok(found) if found.is_file() => Err(std::io::Error::other("it is too large")),
        _ => Ok(None),
    };
    let fail = |error: std::io::Error| Error::invalid("read suppressions", format!("{SUPPRESSIONS} cannot be read")).with_source(error);
    let text = tokio::task::spawn_blocking(read).await.map_err(|error| fail(std::io::Error::other(error)))?.map_err(fail)?;
    let mut exceptions = Exceptions::default();
    if let Some(text) = text {
        exceptions.read(&text)?;
    }
    Ok(exceptions)
}

/// Runs every scanner on every target that it supports, keeps what they said, then asks the gate.
pub(super) async fn look(context: &Context<'_>, stage: Stage, targets: &[ScanTarget], exceptions: &Exceptions) -> Result<StageOutput> {
    let mut reports = Vec::new();
    for target in targets {
        for scanner in context.kiwi.inner.scanners.iter().filter(|scanner| scanner.supports(target)) {
            context.events.info(format!("{} looks", scanner.name())).await;
            reports.push(report_of(&**scanner, target).await?);
        }
    }
    if reports.is_empty() {
        return Ok(StageOutput::Nothing { reason: "no scanner looks at this".to_owned() });
    }
    exceptions.apply(&mut reports, Timestamp::now());
    for report in &reports {
        let accepted = if report.suppressed.is_empty() { String::new() } else { format!(", and {} that somebody accepted", report.suppressed.len()) };
        context.events.info(format!("{}: {} findings{accepted}; {}", report.scanner, report.findings.len(), one_line(&report.coverage.read.join(", ")))).await;
    }
    let gate = gate(context).await?;
    let known = if gate.new_only { baseline(context, stage).await? } else { Baseline::new() };
    let decision = gate.decide(&reports, &known);
    context.kiwi.store().put_reports(&context.run.id, &StageReports { stage, reports }, &context.fence).await?;
    judge(context, decision, &context.run.id).await
}

/// Asks this environment's gate about a build that another one let through.
pub(super) async fn judge_build(context: &Context<'_>, build: &RunId) -> Result<()> {
    if !context.kiwi.inner.scanners.iter().any(|scanner| looks_at_trees(&**scanner)) {
        return Ok(());
    }
    let stages = context.kiwi.store().reports(build).await?;
    let mut reports: Vec<ScanReport> = stages.into_iter().filter(|reports| reports.stage == Stage::Scan).flat_map(|reports| reports.reports).collect();
    if reports.is_empty() {
        // It was built before there were scanners, or by somebody who has none.
        reports.push(ScanReport { incomplete: Some(format!("nobody looked at the build {build}")), ..ScanReport::new("kiwi") });
    }
    let gate = gate(context).await?;
    let known = if gate.new_only { baseline(context, Stage::Scan).await? } else { Baseline::new() };
    judge(context, gate.decide(&reports, &known), build).await.map(|_| ())
}

async fn judge(context: &Context<'_>, decision: GateDecision, scanned: &RunId) -> Result<StageOutput> {
    for reason in decision.reasons.iter().take(MOST_REASONS) {
        // Paths and names of the tree are in it.
        context.events.send(EventBody::Warning { message: one_line(reason) }).await;
    }
    if let Some(more) = decision.reasons.len().checked_sub(MOST_REASONS).filter(|more| *more > 0) {
        context.events.info(format!("{more} more reasons are in the run's reports")).await;
    }
    if decision.pass {
        return Ok(StageOutput::Gate { decision });
    }
    let first = decision.reasons.first().map(|reason| one_line(reason)).unwrap_or_default();
    let message = format!("the gate of {} refused for {} reasons, the first: {first}", context.run.environment, decision.reasons.len());
    Err(Error::new(ErrorKind::GateRefused, "gate", message)
        .with_hint(format!("`kiwi scan --run {scanned}` shows them all; mend or accept each, or let an admin change the rule with `kiwi gate`")))
}

/// A scanner that gave no report vouches for nothing; that it failed is not the run's failure but the gate's to judge.
pub(in crate::pipeline) async fn report_of(scanner: &dyn Scanner, target: &ScanTarget) -> Result<ScanReport> {
    match scanner.scan(target).await {
        Err(error) if matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::LeaseLost) => Err(error),
        Err(error) => Ok(ScanReport { incomplete: Some(error.chain().to_string()), ..ScanReport::new(scanner.name()) }),
        Ok(report) => Ok(report),
    }
}

/// The rule that holds for the run's environment.
pub(super) async fn gate(context: &Context<'_>) -> Result<Gate> {
    let settings = context.kiwi.store().environment(&context.service.id, context.run.environment).await?;
    Ok(context.kiwi.effective_gate(&settings))
}

/// What the same stage of the live release found.
async fn baseline(context: &Context<'_>, stage: Stage) -> Result<Baseline> {
    let store = context.kiwi.store();
    let Some(live) = store.live(&context.service.id, context.run.environment).await? else { return Ok(Baseline::new()) };
    let mut known = Baseline::new();
    for run in [Some(&live.run), live.release.built_by.as_ref()].into_iter().flatten() {
        let reports = store.reports(run).await?.into_iter().filter(|reports| reports.stage == stage).flat_map(|reports| reports.reports);
        for finding in reports.flat_map(|report| report.findings) {
            let worst = known.entry(finding.fingerprint).or_insert(finding.severity);
            *worst = finding.severity.max(*worst);
        }
    }
    Ok(known)
}
