//! The scanner of secrets.

use super::rules::{Match, Rules};
use super::text;
use crate::tree::{self, File};
use async_trait::async_trait;
use kiwi_core::domain::{Finding, Fingerprint, ScanKind, ScanReport};
use kiwi_core::error::Result;
use kiwi_core::provider::{ScanTarget, Scanner};
use std::collections::BTreeMap;
use std::path::Path;

/// Larger files are not read.
const LARGEST_FILE: u64 = 32 << 20;
const STACK: usize = 2 << 20;
/// Of one file no more findings are told: it is a list of them, or made to be.
const MOST_FINDINGS: usize = 1000;
/// Hard-coded credentials.
const CWE: u32 = 798;

/// Looks for credentials in every text of a tree. A finding says where one stands, never what it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecretScanner;

#[async_trait]
impl Scanner for SecretScanner {
    fn name(&self) -> &str {
        "kiwi-secrets"
    }

    fn kind(&self) -> ScanKind {
        ScanKind::Secrets
    }

    fn supports(&self, target: &ScanTarget) -> bool {
        matches!(target, ScanTarget::Tree(_))
    }

    async fn scan(&self, target: &ScanTarget) -> Result<ScanReport> {
        tree::scan(target, "scan secrets", |root| Ok(scan(root))).await
    }
}

fn scan(root: &Path) -> ScanReport {
    let mut report = crate::report_of("kiwi-secrets");
    let files = tree::files(root, &mut report.coverage);
    let looked = tree::each(&files, STACK, look);
    if looked.len() < files.len() {
        report.incomplete = Some("not every file could be looked at".to_owned());
    }
    let (mut read, mut binary) = (0_usize, 0_usize);
    for (path, result) in looked {
        match result {
            Ok(None) => binary += 1,
            Ok(Some((findings, cut))) => {
                read += 1;
                report.findings.extend(findings);
                if cut {
                    report.coverage.skip(path.to_owned(), format!("only its first {MOST_FINDINGS} findings are told"));
                }
            }
            Err(reason) => report.coverage.skip(path.to_owned(), reason),
        }
    }
    let others = if binary == 0 { String::new() } else { format!("; {binary} binary files were not") };
    report.coverage.read.push(format!("{read} files for secrets{others}"));
    report.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.path, a.line).cmp(&(&b.path, b.line))));
    report
}

/// The findings of a file, and whether there are more; nothing of what is no text.
fn look(file: &File) -> std::result::Result<Option<(Vec<Finding>, bool)>, String> {
    let bytes = tree::bytes(file, LARGEST_FILE)?;
    let Some(text) = text::of(&bytes) else { return Ok(None) };
    let matches = Rules::builtin().matches(&text);
    let mut nth: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let (mut line, mut at) = (1, 0);
    let mut findings = Vec::new();
    for Match { rule, span } in matches.iter().take(MOST_FINDINGS) {
        line += text.as_bytes()[at..span.start].iter().filter(|byte| **byte == b'\n').count();
        at = span.start;
        // Eight bits of what it is: another one in its place is a new finding, and whoever guesses has 255 of 256 guesses left to try. From a whole hash a
        // short password could be found.
        let bits: String = Fingerprint::of(&["a secret", &text[span.clone()]]).as_str().chars().take(2).collect();
        let count = nth.entry((&rule.id, bits.clone())).or_default();
        let fingerprint = Fingerprint::of(&["secrets", &rule.id, &file.path, &bits, &count.to_string()]);
        *count += 1;
        let message = format!("{} stands in the file; revoke it, and keep the new one out of the repository and its history", rule.title);
        findings.push(Finding {
            cwe: vec![CWE],
            path: Some(file.path.clone()),
            line: u32::try_from(line).ok(),
            ..Finding::new(ScanKind::Secrets, rule.id.clone(), rule.severity, message, fingerprint)
        });
    }
    Ok(Some((findings, matches.len() > MOST_FINDINGS)))
}
