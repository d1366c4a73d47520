//! The scanner of source code.

use super::file::{LARGEST_FILE, Looked, look};
use super::language::Dialect;
use super::rule::{Index, Rules};
use crate::tree::{self, File};
use async_trait::async_trait;
use kiwi_core::domain::{Finding, Fingerprint, ScanKind, ScanReport, Score, Severity, Skipped, Suppressed};
use kiwi_core::error::Result;
use kiwi_core::provider::{ScanTarget, Scanner};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// Following code recurses as deep as the code is nested.
const STACK: usize = 64 << 20;
/// So long may the line be that names a script's program.
const FIRST_LINE: usize = 128;
/// What stands in a comment beside what somebody accepts: `kiwi: accept RULE because REASON`.
const ACCEPT: &str = "kiwi: accept ";

/// Looks through the source of a tree for weak code.
#[derive(Debug, Clone)]
pub struct SastScanner {
    rules: Arc<Rules>,
}

impl SastScanner {
    /// A scanner with these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules: Arc::new(rules) }
    }
}

impl Default for SastScanner {
    fn default() -> Self {
        Self::new(Rules::builtin())
    }
}

#[async_trait]
impl Scanner for SastScanner {
    fn name(&self) -> &str {
        "kiwi-sast"
    }

    fn kind(&self) -> ScanKind {
        ScanKind::Sast
    }

    fn supports(&self, target: &ScanTarget) -> bool {
        matches!(target, ScanTarget::Tree(_))
    }

    async fn scan(&self, target: &ScanTarget) -> Result<ScanReport> {
        let rules = self.rules.clone();
        tree::scan(target, "scan source", move |root| Ok(scan(root, &rules))).await
    }
}

#[derive(Default)]
struct Outcome {
    findings: Vec<Finding>,
    suppressed: Vec<Suppressed>,
    skipped: Vec<Skipped>,
    read: bool,
}

fn scan(root: &Path, rules: &Rules) -> ScanReport {
    let mut report = crate::report_of("kiwi-sast");
    let files = tree::files(root, &mut report.coverage);
    let files: Vec<File> = files.into_iter().filter(|file| dialect(file).is_some()).collect();
    let looked = tree::each(&files, STACK, |file| {
        let dialect = dialect(file)?;
        Some((dialect.language.as_str(), look_at(&rules.index(dialect), dialect, file)))
    });
    if looked.len() < files.len() {
        report.incomplete = Some("not every file could be looked at".to_owned());
    }
    let mut read: BTreeMap<&str, usize> = BTreeMap::new();
    for (language, result) in looked.into_iter().filter_map(|(_, result)| result) {
        *read.entry(language).or_default() += usize::from(result.read);
        report.findings.extend(result.findings);
        report.suppressed.extend(result.suppressed);
        report.coverage.skipped.extend(result.skipped);
    }
    report.coverage.read.extend(read.iter().filter(|(_, count)| **count > 0).map(|(language, count)| format!("{count} files of {language}")));
    if files.is_empty() {
        let known: Vec<&str> = super::Language::ALL.iter().map(|language| language.as_str()).collect();
        report.coverage.read.push(format!("no source in {}", known.join(", ")));
    }
    report.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.path, a.line).cmp(&(&b.path, b.line))));
    report
}

/// What a file is written in: by its name, or, where that has no ending, by the program that its first line asks for.
fn dialect(file: &File) -> Option<Dialect> {
    if let Some(dialect) = Dialect::of(&file.path) {
        return Some(dialect);
    }
    if file.path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return None;
    }
    let mut line = Vec::with_capacity(FIRST_LINE);
    std::fs::File::open(&file.place).and_then(|open| open.take(FIRST_LINE as u64).read_to_end(&mut line)).ok()?;
    Dialect::of_script(std::str::from_utf8(line.split(|byte| *byte == b'\n').next()?).ok()?)
}

fn look_at(index: &Index, dialect: Dialect, file: &File) -> Outcome {
    let mut result = Outcome::default();
    let skip = |reason: String| Skipped { path: file.path.clone(), reason };
    let text = match tree::bytes(file, LARGEST_FILE) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(reason) => {
            result.skipped.push(skip(reason));
            return result;
        }
    };
    let looked = match look(index, dialect, text) {
        Ok(looked) => looked,
        Err(reason) => {
            result.skipped.push(skip(reason.to_owned()));
            return result;
        }
    };
    result.read = true;
    if let Some(line) = looked.broken {
        result.skipped.push(skip(format!("from line {line} on, a part cannot be parsed; the rest was looked at")));
    }
    result.skipped.extend(looked.disguised.map(|(line, what)| skip(format!("in line {line} {what}, so that not all was understood"))));
    result.skipped.extend(looked.found.cut.map(|cut| skip(format!("{cut}; a part was not looked at"))));
    take(index, file, &looked, &mut result);
    result
}

fn take(index: &Index, file: &File, looked: &Looked, result: &mut Outcome) {
    let source = &looked.tree.root().get_doc().src;
    let lines: Vec<&str> = source.lines().collect();
    let in_tests = is_test(&file.path);
    let mut nth: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for hit in &looked.found.hits {
        let rule = &index.rules[hit.rule];
        // Moved lines and other whitespace are no other finding.
        let code: String = source.get(hit.start..hit.end).unwrap_or_default().split_whitespace().collect();
        let count = nth.entry((hit.rule, code.clone())).or_default();
        let fingerprint = Fingerprint::of(&["sast", rule.id(), &file.path, &code, &count.to_string()]);
        *count += 1;
        let severity = if in_tests { hit.severity.min(Severity::Low) } else { hit.severity };
        let input = match hit.input {
            Some((line, flow_origin)) if flow_origin.is_parameter() => format!(" (what callers give, from line {line})"),
            Some((line, _)) => format!(" (input of line {line})"),
            None => String::new(),
        };
        let finding = Finding {
            scores: vec![Score { source: rule.id().to_owned(), severity: rule.severity(), base: None, vector: None }],
            cwe: vec![rule.cwe()],
            path: Some(file.path.clone()),
            line: u32::try_from(hit.line).ok(),
            ..Finding::new(
                ScanKind::Sast,
                rule.id(),
                severity,
                format!("{}{input}. {} {}", rule.title(), rule.explanation().trim(), rule.fix().trim()),
                fingerprint,
            )
        };
        match accepted(&lines, hit.line, rule.id()) {
            Some(reason) => result.suppressed.push(Suppressed::accepted(finding, reason)),
            None => result.findings.push(finding),
        }
    }
}

/// The reason of a comment on the line, or on the one before, that accepts a rule.
fn accepted(lines: &[&str], line: usize, rule: &str) -> Option<String> {
    let of = |line: usize| -> Option<String> {
        let (_, rest) = lines.get(line.checked_sub(1)?)?.split_once(ACCEPT)?;
        let (named, reason) = rest.split_once(" because ")?;
        let reason = reason.trim().trim_end_matches("*/").trim();
        (named.trim() == rule && !reason.is_empty()).then(|| reason.to_owned())
    };
    of(line).or_else(|| of(line.checked_sub(1)?))
}

/// Code that is run by tests alone: what is weak in it harms nobody who uses the program.
fn is_test(path: &str) -> bool {
    let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    directories.split('/').any(|part| matches!(part, "test" | "tests" | "__tests__" | "testdata" | "fixtures" | "spec"))
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("Test")
        || stem.ends_with("Tests")
        || name.contains(".test.")
        || name.contains(".spec.")
}
