//! Running a tool and taking what it says.

use super::findings::{Findings, plain};
use super::reports::Reports;
use super::source::Source;
use super::tool::{Exit, Format, Tool};
use super::{process, sarif, task};
use async_trait::async_trait;
use kiwi_core::domain::{Coverage, ImagePin, RunId, ScanKind, ScanReport};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{RegistryAccess, Runtime, ScanTarget, Scanner, Workload};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The most time that a tool may take, unless it is told otherwise.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// So many lines of a tool's log are told as gaps.
const MOST_GAPS: usize = 5;

/// Scans with a tool.
#[derive(Debug)]
pub struct ExternalScanner {
    tool: Tool,
    way: Way,
    options: Vec<String>,
    timeout: Duration,
}

#[derive(Debug)]
enum Way {
    Program(PathBuf),
    Task(Box<ToolTask>),
}

/// Where and as what a tool runs as a task.
#[derive(Clone)]
pub struct ToolTask {
    /// Runs it.
    pub runtime: Arc<dyn Runtime>,
    /// The image that has the tool.
    pub image: ImagePin,
    /// The program in it; the tool's own name for it when there is none.
    pub program: Option<PathBuf>,
    /// Whose task it is; a URL is reached from beside this workload.
    pub workload: Workload,
    /// The run that it belongs to; each scan gets one of its own when there is none, which a [`Runtime::clean`] at the same time takes for a leftover.
    pub run: Option<RunId>,
    /// Credentials for the pull of the tool's image.
    pub registries: Vec<RegistryAccess>,
}

impl fmt::Debug for ToolTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolTask").field("image", &self.image).field("program", &self.program).field("workload", &self.workload).finish_non_exhaustive()
    }
}

impl ExternalScanner {
    /// A program of this machine: the tool's own, found on `PATH`, or another.
    pub fn program(tool: Tool, program: Option<PathBuf>) -> Self {
        let program = program.unwrap_or_else(|| PathBuf::from(tool.program));
        Self { tool, way: Way::Program(program), options: Vec::new(), timeout: TIMEOUT }
    }

    /// A task of a runtime.
    pub fn task(tool: Tool, task: ToolTask) -> Self {
        Self { tool, way: Way::Task(Box::new(task)), options: Vec::new(), timeout: TIMEOUT }
    }

    /// Further arguments, in place of the tool's usual ones.
    #[must_use]
    pub fn options(mut self, options: Vec<String>) -> Self {
        self.options = options;
        self
    }

    /// The most time it may take; then it is stopped, and the report is incomplete.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// How a tool ended and what it left.
pub(super) struct Ran {
    /// The version that it told when it was asked.
    pub(super) version: Option<[u64; 3]>,
    /// Its exit code, unless it was stopped.
    pub(super) code: Option<i64>,
    /// The end of what it printed.
    pub(super) log: String,
    /// Why it was stopped.
    pub(super) stopped: Option<String>,
    /// Its reports, or why there are none.
    pub(super) reports: std::result::Result<Reports, String>,
}

#[async_trait]
impl Scanner for ExternalScanner {
    fn name(&self) -> &str {
        self.tool.name
    }

    fn kind(&self) -> ScanKind {
        self.tool.kind
    }

    fn supports(&self, target: &ScanTarget) -> bool {
        self.tool.arguments(target).is_some()
    }

    async fn scan(&self, target: &ScanTarget) -> Result<ScanReport> {
        let tool = self.tool;
        let Some(arguments) = tool.arguments(target) else {
            return Err(Error::new(ErrorKind::Unsupported, "run scanner", format!("{} does not scan this", tool.name)));
        };
        let (mut named, mut tree, mut source) = (String::new(), None, Source::default());
        match target {
            ScanTarget::Tree(given) => {
                let root =
                    given.canonicalize().map_err(|error| Error::invalid("run scanner", format!("{} cannot be read", given.display())).with_source(error))?;
                let Some(text) = root.to_str() else {
                    return Err(Error::invalid("run scanner", format!("the path {} is not UTF-8", root.display())));
                };
                let absolute = std::path::absolute(given).ok().and_then(|path| path.to_str().map(str::to_owned));
                let inside = matches!(self.way, Way::Task(_));
                named = if inside { task::TREE.to_owned() } else { text.to_owned() };
                let roots = if inside { vec![task::TREE.to_owned()] } else { std::iter::once(text.to_owned()).chain(absolute).collect() };
                source = Source::tree(root.clone(), roots);
                tree = Some(root);
            }
            ScanTarget::Image(pin) => {
                named = pin.exact();
                source = Source::image();
            }
            ScanTarget::Url(url) if url.password().is_some() => {
                return Err(
                    Error::invalid("run scanner", "the URL has a password, which every process of this machine could read").with_hint("take it out of the URL")
                );
            }
            ScanTarget::Url(url) => named = url.to_string(),
            _ => {}
        }
        let filled = |reports: &str| tool.filled(arguments, &named, reports, &self.options);
        let mut coverage = Coverage::default();
        let ran = match &self.way {
            Way::Program(program) => process::run(&tool, program, filled, self.timeout).await,
            Way::Task(task) => task::run(&tool, task, tree.as_deref(), filled, self.timeout, &mut coverage).await,
        };
        let converted = tokio::task::spawn_blocking(move || report(&tool, ran, source)).await;
        let mut report = converted.map_err(|error| Error::new(ErrorKind::Internal, "run scanner", "the scan ended without a result").with_source(error))?;
        report.coverage.skipped.extend(coverage.skipped);
        Ok(report)
    }
}

/// What a run of a tool comes to.
pub(super) fn report(tool: &Tool, ran: std::result::Result<Ran, String>, source: Source) -> ScanReport {
    let mut findings = Findings::new(tool.name, tool.kind, source);
    let ran = match ran {
        Ok(ran) => ran,
        Err(reason) => {
            findings.incomplete(reason);
            return findings.finish();
        }
    };
    let exit = ran.code.map(|code| (code, tool.exits.iter().find(|(known, _)| *known == code).map(|(_, exit)| *exit)));
    let last = last_line(&ran.log);
    match exit {
        None => findings.incomplete(ran.stopped.unwrap_or_default()),
        Some((code, None)) => findings.incomplete(format!("it ended with {code}, whose meaning is not known{last}")),
        Some((code, Some(Exit::Failed(what)))) => findings.incomplete(format!("it ended with {code}: {what}{last}")),
        Some((_, Some(_))) => {}
    }
    let well = matches!(exit, Some((_, Some(Exit::Done | Exit::Found))));
    let convert = |reports: &Reports, findings: &mut Findings| match (reports.get(tool.report), tool.format) {
        (None, _) if well => Err("it wrote no report".to_owned()),
        (None | Some([]), _) if !well => Ok(()),
        (bytes, Format::Sarif) => sarif::read(bytes.unwrap_or_default(), findings),
        (_, Format::Own(converter)) => converter.0(reports, findings),
    };
    if let Err(reason) = ran.reports.and_then(|reports| convert(&reports, &mut findings)) {
        findings.incomplete(reason);
    }
    let gap = |line: &&str| tool.gaps.iter().any(|gap| line.contains(gap));
    ran.log.lines().filter(gap).take(MOST_GAPS).for_each(|line| findings.incomplete(without_secrets(without_time(&plain(line)))));
    findings.version = findings.version.or(ran.version);
    if let Some(why) = findings.version.and_then(|version| tool.version.refuses(version)) {
        findings.incomplete(why);
    }
    if matches!(exit, Some((_, Some(Exit::Found)))) && !findings.any() {
        findings.incomplete("its exit code says that it found something, and its report has nothing");
    }
    findings.finish()
}

/// The last thing that a tool said, as the end of a sentence.
fn last_line(log: &str) -> String {
    let line = log.lines().map(plain).rfind(|line| !line.is_empty());
    line.map(|line| format!(": {}", without_secrets(without_time(&line)).chars().take(300).collect::<String>())).unwrap_or_default()
}

/// A line of a log without what tools begin one with: the time, in whatever form, and the level.
fn without_time(line: &str) -> &str {
    let level = |word: &str| matches!(word.trim_matches(['[', ']']), "INFO" | "INF" | "WARN" | "WRN" | "ERROR" | "ERR" | "FATAL" | "FTL");
    let time = |word: &str| word.bytes().filter(u8::is_ascii_digit).count() >= 4 && word.bytes().all(|byte| b"0123456789-:.+TZ[]".contains(&byte));
    let mut rest = line;
    while let Some((_, after)) = rest.split_once(char::is_whitespace).filter(|(word, _)| level(word) || time(word)) {
        rest = after.trim_start();
    }
    rest
}

/// A line that a tool printed, which may quote what it looked at.
fn without_secrets(line: &str) -> String {
    #[cfg(feature = "secrets")]
    return crate::secrets::without_secrets(line);
    #[cfg(not(feature = "secrets"))]
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::external::tools;
    use proptest::prelude::*;

    /// What a tool's own recording, or another's, comes to with some bytes changed.
    fn changed(tool: &Tool, recorded: &str, changes: &[(prop::sample::Index, u8)]) -> ScanReport {
        let mut bytes = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/external").join(recorded)).unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(tool.report), bytes).unwrap();
        let ran = Ran { version: None, code: Some(0), log: String::new(), stopped: None, reports: Reports::read(folder.path()) };
        report(tool, Ok(ran), Source::tree(folder.path().to_owned(), vec!["/src".to_owned()]))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_report_makes_a_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\"{}[]:,0-9ntf\\/.\x00\xff ".to_vec())), 0..6)) {
            let recorded = [
                "semgrep/report.json", "bandit/report.json", "gitleaks/report.json", "trivy/report.json", "trivy/vulnerabilities.json", "grype/report.json",
                "osv-scanner/report.json", "nuclei/report.jsonl", "zap/report.json", "semgrep/report.sarif",
            ];
            let own = Tool::sarif("own", ScanKind::Sast, "own", tools::TRIVY.version);
            for tool in tools::ALL.iter().chain([&own]) {
                for recorded in recorded {
                    let report = changed(tool, recorded, &changes);
                    prop_assert!(report.findings.iter().all(|finding| finding.path.as_ref().is_none_or(|path| !path.starts_with('/') && !path.split('/').any(|part| part == ".."))));
                }
            }
        }
    }
}
