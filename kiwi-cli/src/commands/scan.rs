//! Scanning a source tree or a running application, without a service.

use super::tools::Subject;
use super::{application, secrets, tools};
use crate::args::{Global, Output, Scan, ScanFormat};
use crate::compose::{Session, data_directory, dependencies, open};
use crate::{output, progress};
use kiwi_core::domain::{Baseline, Exceptions, Finding, Gate, GateDecision, ImagePin, ImageReference, ScanReport, ScanStatus, Timestamp};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::pipeline::events::one_line;
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_scan::sast::{Rules, SastScanner};
use kiwi_scan::sca::Ecosystem;
use kiwi_scan::sca::osv::{self, Progress};
use kiwi_scan::secrets::SecretScanner;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn run(global: &Global, scan: Scan) -> Result<ExitCode> {
    let database = data_directory(global)?.join("osv");
    if scan.update {
        return update(&database, scan, global.output).await;
    }
    if let Some(folder) = &scan.check_rules {
        return check_rules(folder, global.output);
    }
    if let Some(image) = &scan.image {
        return of_image(global, image, &scan).await;
    }
    let (tree, url) = application::targets(&scan)?;
    let all = !scan.sast && !scan.sca && !scan.secrets && !scan.application.dast;
    if scan.osv_api.is_some() && (tree.is_none() || !all && !scan.sca) {
        return Err(Error::invalid("scan", "OSV's API is asked about dependencies, which are not looked at").with_hint("give a directory and --sca"));
    }
    // With both, tools look at the directory.
    let subject = if tree.is_some() { Subject::Directory } else { Subject::Address };
    let mut tools = tools::scanners(subject, &scan.tool, &scan.tool_argument)?;
    // Whoever can write the tree can accept findings in it.
    let accepted = match &tree {
        Some(tree) => kiwi_core::pipeline::accepted(tree).await?,
        None => Exceptions::default(),
    };
    let judge = Judge::new(&scan, accepted)?;
    let mut reports = Vec::new();
    if let Some(target) = tree.map(ScanTarget::Tree) {
        if all || scan.sast {
            reports.push(SastScanner::new(rules(&scan)?).scan(&target).await?);
        }
        if all || scan.sca {
            reports.push(dependencies(database, scan.osv_api.as_ref())?.scan(&target).await?);
        }
        if all || scan.secrets {
            reports.push(SecretScanner.scan(&target).await?);
        }
        reports.extend(tools::scan(std::mem::take(&mut tools), &target).await?);
    }
    // An address was given for nothing else.
    if let Some(url) = &url {
        reports.push(application::scan(url, &scan).await?);
        reports.extend(tools::scan(tools, &ScanTarget::Url(url.clone())).await?);
    }
    let decision = judge.decide(&mut reports);
    show(&scan, &reports, &decision, global.output)
}

/// Scans an image as it is in its registry now.
async fn of_image(global: &Global, image: &ImageReference, scan: &Scan) -> Result<ExitCode> {
    let tools = tools::scanners(Subject::Image, &scan.tool, &scan.tool_argument)?;
    let judge = Judge::new(scan, Exceptions::default())?;
    let Session { kiwi, actor } = open(global, None, None).await?;
    let digest = kiwi.resolve_image(&actor, image).await?;
    let pin = ImagePin::Registry { reference: image.clone(), digest, registry: None };
    let mut reports = tools::scan(tools, &ScanTarget::Image(pin)).await?;
    let decision = judge.decide(&mut reports);
    show(scan, &reports, &decision, global.output)
}

/// What findings are held against. It is read before anything is scanned.
struct Judge {
    exceptions: Exceptions,
    baseline: Baseline,
    gate: Gate,
}

impl Judge {
    fn new(scan: &Scan, mut exceptions: Exceptions) -> Result<Self> {
        for file in &scan.suppressions {
            exceptions.read(&secrets::text_file(file)?)?;
        }
        for file in &scan.vex {
            exceptions.read_vex(&secrets::text_file(file)?)?;
        }
        let known = scan.baseline.as_deref().map(baseline).transpose()?;
        let gate = Gate { new_only: known.is_some(), ..scan.gate.gate() };
        Ok(Self { exceptions, baseline: known.unwrap_or_default(), gate })
    }

    /// Takes accepted findings out, and asks the gate about the rest.
    fn decide(&self, reports: &mut [ScanReport]) -> GateDecision {
        self.exceptions.apply(reports, Timestamp::now());
        self.gate.decide(reports, &self.baseline)
    }
}

/// Scans a service as it is now, or shows what a run found.
pub(super) async fn of_service(session: &Session, scan: Scan, format: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    if let Some(service) = &scan.service {
        let (reports, decision) = kiwi.scan_service(actor, service, scan.environment.unwrap_or_default()).await?;
        return show(&scan, &reports, &decision, format);
    }
    let Some(run) = &scan.run else { return Err(Error::new(ErrorKind::Internal, "scan", "neither a service nor a run was given")) };
    let reports: Vec<ScanReport> = kiwi.reports(actor, run).await?.into_iter().flat_map(|stage| stage.reports).collect();
    if reports.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "show scan", format!("no scanner looked at anything in run {run}")));
    }
    let decision = scan.gate.gate().decide(&reports, &Baseline::new());
    show(&scan, &reports, &decision, format)
}

fn show(scan: &Scan, reports: &[ScanReport], decision: &GateDecision, output: Output) -> Result<ExitCode> {
    if let (Some(format), Some(file)) = (scan.format, &scan.output_file) {
        let text = match format {
            ScanFormat::Sarif => kiwi_scan::output::sarif(reports)?,
            ScanFormat::Cyclonedx => kiwi_scan::output::cyclonedx(reports, Timestamp::now()),
        };
        std::fs::write(file, text).map_err(|error| Error::invalid("write report", format!("{} cannot be written", file.display())).with_source(error))?;
    }
    output::result(output, &value(reports, decision), || text(reports, decision));
    Ok(if decision.pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The rules for source code: Kiwi's, and those of the folders that were given.
fn rules(scan: &Scan) -> Result<Rules> {
    scan.rules.iter().try_fold(Rules::builtin(), |rules, folder| rules.with_folder(folder))
}

/// Runs the examples of a folder's rules.
fn check_rules(folder: &Path, format: Output) -> Result<ExitCode> {
    let wrong = kiwi_scan::sast::failures(&Rules::none().with_folder(folder)?);
    output::result(format, &json!({ "failures": wrong }), || wrong.join("\n"));
    output::note(&format!("{} examples do not hold", wrong.len()));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn value(reports: &[ScanReport], decision: &GateDecision) -> Value {
    let findings: Vec<_> = reports.iter().flat_map(|report| &report.findings).collect();
    let suppressed: Vec<_> = reports.iter().flat_map(|report| &report.suppressed).collect();
    let read: Vec<_> = reports.iter().flat_map(|report| &report.coverage.read).collect();
    let skipped: Vec<_> = reports.iter().flat_map(|report| &report.coverage.skipped).collect();
    let notes: Vec<_> = reports.iter().flat_map(|report| &report.notes).collect();
    json!({
        "status": decision.status,
        "reasons": decision.reasons,
        "findings": findings,
        "suppressed": suppressed,
        "coverage": { "read": read, "skipped": skipped },
        "notes": notes,
    })
}

fn text(reports: &[ScanReport], decision: &GateDecision) -> String {
    let findings: Vec<&Finding> = reports.iter().flat_map(|report| &report.findings).collect();
    let (mut head, mut parts) = (Vec::new(), Vec::new());
    if !findings.is_empty() {
        let rows: Vec<Vec<String>> = findings
            .iter()
            .map(|finding| {
                let cve = finding.advisories.iter().find(|name| name.starts_with("CVE-")).unwrap_or(&finding.rule);
                let path = finding.path.clone().filter(|_| finding.dependency.is_some()).unwrap_or_default();
                vec![
                    finding.severity.to_string(),
                    finding.place(),
                    cve.clone(),
                    finding.fixed_versions.first().cloned().unwrap_or_default(),
                    path,
                    finding.message.clone(),
                ]
            })
            .collect();
        head.push(output::table(&["severity", "where", "what", "fixed in", "file", "message"], &rows));
    }
    for report in reports {
        parts.extend(
            report
                .suppressed
                .iter()
                .map(|suppressed| format!("accepted: {} in {}: {}", suppressed.finding.rule, suppressed.finding.place(), suppressed.reason)),
        );
        parts.extend(report.coverage.read.iter().map(|read| format!("read: {read}")));
        parts.extend(report.coverage.skipped.iter().map(|skipped| format!("not read: {}: {}", skipped.path, skipped.reason)));
        let nothing = report.coverage.read.is_empty() && report.coverage.skipped.is_empty();
        let why = report.incomplete.as_deref().or(nothing.then_some("it looked at nothing"));
        parts.extend(why.map(|reason| format!("incomplete: {}: {reason}", report.scanner)));
        parts.extend(report.notes.iter().map(|note| format!("note: {note}")));
    }
    // Nothing refuses then but what was not looked at.
    let gaps = decision.reasons.len();
    let things = if gaps == 1 { "thing" } else { "things" };
    parts.push(match decision.status {
        ScanStatus::Passed => format!("passed: {} findings, none that refuses", findings.len()),
        ScanStatus::Failed => format!("failed: {} findings", findings.len()),
        ScanStatus::Incomplete => format!("incomplete: {} findings, none that refuses, but {gaps} {things} could not be looked at", findings.len()),
    });
    // Paths, names and reasons come from the tree, and none of them may write a line of its own.
    head.into_iter().chain(parts.iter().map(|part| one_line(part))).collect::<Vec<_>>().join("\n")
}

/// What an earlier scan found.
fn baseline(file: &Path) -> Result<Baseline> {
    let fail = || Error::invalid("read baseline", format!("{} is no result of `kiwi scan --output json`", file.display()));
    let bytes = std::fs::read(file).map_err(|error| Error::invalid("read baseline", format!("{} cannot be read", file.display())).with_source(error))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| fail().with_source(error))?;
    let findings = value["findings"].as_array().ok_or_else(fail)?;
    let mut known = Baseline::new();
    for finding in findings {
        let read = (serde_json::from_value(finding["fingerprint"].clone()), serde_json::from_value(finding["severity"].clone()));
        let (fingerprint, severity) = match read {
            (Ok(fingerprint), Ok(severity)) => (fingerprint, severity),
            (Err(error), _) | (_, Err(error)) => return Err(fail().with_source(error)),
        };
        let worst = known.entry(fingerprint).or_insert(severity);
        *worst = severity.max(*worst);
    }
    Ok(known)
}

async fn update(database: &Path, scan: Scan, format: Output) -> Result<ExitCode> {
    let named = |name: &String| {
        let known = Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.as_str().eq_ignore_ascii_case(name));
        let all: Vec<&str> = Ecosystem::ALL.iter().map(|ecosystem| ecosystem.as_str()).collect();
        known.ok_or_else(|| Error::invalid("update database", format!("{name} is no ecosystem")).with_hint(format!("choose among {}", all.join(", "))))
    };
    let ecosystems = if scan.ecosystems.is_empty() { Ecosystem::ALL.to_vec() } else { scan.ecosystems.iter().map(named).collect::<Result<_>>()? };
    let source = match scan.database_source {
        Some(source) => source,
        None => osv::SOURCE.parse().map_err(|_| Error::new(ErrorKind::Internal, "update database", "OSV's address is none"))?,
    };
    let mut done = serde_json::Map::new();
    for ecosystem in ecosystems {
        let bar = progress::bar("{prefix} {bar:30} {pos}/{len} MiB {msg}", 0).with_prefix(ecosystem.as_str());
        let (directory, source, shown) = (database.to_owned(), source.clone(), bar.clone());
        let work = move || {
            osv::update(&directory, &source, ecosystem, &|progress| match progress {
                Progress::Fetching { current, total, .. } => {
                    shown.set_length(total.unwrap_or(0) >> 20);
                    shown.set_position(current >> 20);
                }
                Progress::Indexing { records, .. } => shown.set_message(format!("{records} records")),
                _ => {}
            })
        };
        let ended = tokio::task::spawn_blocking(work).await;
        let holding = ended.map_err(|error| Error::new(ErrorKind::Internal, "update database", "it ended without a result").with_source(error))?;
        bar.finish_and_clear();
        let holding = holding?;
        output::note(&format!("{}: {} records", ecosystem.as_str(), holding.records));
        done.insert(ecosystem.as_str().to_owned(), json!(holding));
    }
    output::result(format, &done, || format!("{} ecosystems are up to date", done.len()));
    Ok(ExitCode::SUCCESS)
}
