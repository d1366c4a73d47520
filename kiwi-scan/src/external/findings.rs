//! What the reports of a tool say, made into a report of Kiwi.

use super::source::Source;
use super::{tool, wire};
use kiwi_core::domain::{BaseScore, Dependency, Finding, Fingerprint, ScanKind, ScanReport, Score, Severity, Suppressed};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Longer texts are cut, in bytes.
const LONGEST_TEXT: usize = 4096;
/// So many reasons are told of each kind.
const MOST_REASONS: usize = 100;
/// Weaknesses whose code has a secret in it (<https://cwe.mitre.org>).
const SECRET: [u32; 9] = [256, 259, 260, 312, 321, 522, 538, 540, 798];

/// Gathers what a tool found.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) report: ScanReport,
    /// The version that the program told, or the report itself.
    pub(super) version: Option<[u64; 3]>,
    kind: ScanKind,
    source: Source,
    reasons: Vec<String>,
    drafts: Vec<Draft>,
    seen: BTreeMap<Fingerprint, usize>,
    dependencies: BTreeSet<Dependency>,
}

/// A finding before it has its path and its fingerprint.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Of another kind than the tool.
    pub(super) kind: Option<ScanKind>,
    pub(super) rule: String,
    pub(super) message: String,
    pub(super) severity: Option<Severity>,
    pub(super) scores: Vec<Score>,
    pub(super) cwe: Vec<u32>,
    /// As the tool writes it.
    pub(super) path: Option<String>,
    /// The first and the last line, from 1.
    pub(super) lines: Option<(u32, u32)>,
    pub(super) dependency: Option<Dependency>,
    pub(super) advisories: Vec<String>,
    pub(super) fixed: Vec<String>,
    pub(super) url: Option<String>,
    /// What tells it from others of its rule and path, where there is no code to do so.
    pub(super) identity: Vec<String>,
    /// The reason of the person who accepted it.
    pub(super) accepted: Option<String>,
}

impl Findings {
    pub(super) fn new(name: &str, kind: ScanKind, source: Source) -> Self {
        Self {
            report: ScanReport::new(name),
            version: None,
            kind,
            source,
            reasons: Vec::new(),
            drafts: Vec::new(),
            seen: BTreeMap::new(),
            dependencies: BTreeSet::new(),
        }
    }

    /// Reads a report; what is not understood in it makes the scan incomplete.
    pub(super) fn parse<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> Result<T, String> {
        let (value, strange) = wire::parse(bytes)?;
        if strange > 0 {
            self.incomplete(format!("{strange} entries of its report were not understood"));
        }
        Ok(value)
    }

    /// Notes why the tool cannot vouch for the target.
    pub(super) fn incomplete(&mut self, reason: impl AsRef<str>) {
        let reason = plain(reason.as_ref());
        if self.reasons.len() < MOST_REASONS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// Notes a file that was not read.
    pub(super) fn skip(&mut self, path: &str, reason: &str) {
        let path = self.source.relative(path).ok().flatten().unwrap_or_else(|| ".".to_owned());
        let skipped = &mut self.report.coverage.skipped;
        if skipped.len() < MOST_REASONS {
            skipped.push(kiwi_core::domain::Skipped { path: plain(&path), reason: plain(reason.lines().next().unwrap_or_default()) });
        } else {
            self.incomplete(format!("more than {MOST_REASONS} files were not read"));
        }
    }

    /// Whether the tree has a file whose name ends so.
    pub(super) fn has_files(&self, end: &str) -> bool {
        self.source.has(end)
    }

    /// Whether they are of an image.
    pub(super) fn of_an_image(&self) -> bool {
        self.source.of_an_image()
    }

    /// Notes what was read.
    pub(super) fn read(&mut self, what: impl AsRef<str>) {
        self.report.coverage.read.push(plain(what.as_ref()));
    }

    /// Notes where packages were read.
    pub(super) fn read_packages(&mut self, place: &str, count: usize) {
        self.read(format!("{place} ({count} {})", if count == 1 { "package" } else { "packages" }));
    }

    /// A path of a report as a reader sees it.
    pub(super) fn place_of(&self, path: &str) -> String {
        let name = || path.rsplit('/').next().unwrap_or_default().to_owned();
        self.source.relative(path).ok().flatten().unwrap_or_else(name)
    }

    /// Notes what a reader should know.
    pub(super) fn note(&mut self, note: impl AsRef<str>) {
        let note = plain(note.as_ref());
        if self.report.notes.len() < MOST_REASONS && !self.report.notes.contains(&note) {
            self.report.notes.push(note);
        }
    }

    /// Takes a dependency that was compared.
    pub(super) fn compared(&mut self, dependency: Dependency) {
        self.dependencies.insert(dependency);
    }

    /// Takes a finding.
    pub(super) fn add(&mut self, draft: Draft) {
        self.drafts.push(draft);
    }

    /// Gives a finding its place and its fingerprint.
    fn place(&mut self, path: Option<String>, draft: Draft) {
        let kind = draft.kind.unwrap_or(self.kind);
        let secret = kind == ScanKind::Secrets || draft.cwe.iter().any(|cwe| SECRET.contains(cwe));
        let (mut message, mut identity) = (draft.message, draft.identity);
        if let (Some(path), Some((first, last))) = (&path, draft.lines) {
            let lines = self.source.lines(path, first, last);
            if secret {
                // Not even a hash of it: a short secret is found from that.
                message = masked(&message, lines);
            } else if draft.dependency.is_none() {
                identity.extend(lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
        if let Some(dependency) = &draft.dependency {
            identity.extend([dependency.ecosystem.clone(), dependency.package.clone(), dependency.version.clone()]);
        }
        let rule = match plain(&draft.rule) {
            rule if rule.is_empty() => {
                self.incomplete("a finding of its report names no rule");
                "unnamed".to_owned()
            }
            rule => rule,
        };
        if message.trim().is_empty() {
            message.clone_from(&rule);
        }
        let base = ["external", &self.report.scanner, &rule, path.as_deref().unwrap_or_default()];
        let parts: Vec<&str> = base.into_iter().chain(identity.iter().map(String::as_str)).collect();
        let nth = self.seen.entry(Fingerprint::of(&parts)).or_insert(0);
        let index = nth.to_string();
        *nth += 1;
        let fingerprint = Fingerprint::of(&[parts.as_slice(), &[index.as_str()]].concat());
        let worst = draft.scores.iter().map(|score| score.severity).chain(draft.severity).max();
        let finding = Finding {
            scores: draft.scores,
            cwe: draft.cwe,
            path: path.as_deref().map(plain),
            line: draft.lines.map(|(first, _)| first).filter(|line| *line > 0 && path.is_some()),
            dependency: draft.dependency,
            advisories: draft.advisories.iter().map(|name| plain(name)).filter(|name| *name != rule).collect(),
            fixed_versions: draft.fixed.iter().map(|version| plain(version)).collect(),
            url: draft.url.as_deref().map(plain).filter(|url| url.starts_with("https://") || url.starts_with("http://")),
            ..Finding::new(kind, rule, worst.unwrap_or(Severity::Unknown), plain(&message), fingerprint)
        };
        match draft.accepted {
            Some(reason) => self.report.suppressed.push(Suppressed::accepted(finding, plain(&reason))),
            None => self.report.findings.push(finding),
        }
    }

    /// Whether anything was found, also what was accepted.
    pub(super) fn any(&self) -> bool {
        !self.drafts.is_empty()
    }

    /// The report.
    pub(super) fn finish(mut self) -> ScanReport {
        let mut outside = 0;
        let relative = |draft: Draft| {
            let path = draft.path.as_deref().map_or(Ok(None), |path| self.source.relative(path));
            outside += usize::from(path.is_err());
            (path.unwrap_or_default(), draft)
        };
        let mut drafts: Vec<_> = std::mem::take(&mut self.drafts).into_iter().map(relative).collect();
        // So that each file is read once, and which of several a finding is does not hang on the tool's order.
        drafts.sort_by(|(one, a), (other, b)| (one, a.lines).cmp(&(other, b.lines)));
        drafts.into_iter().for_each(|(path, draft)| self.place(path, draft));
        if outside > 0 {
            self.incomplete(format!("{outside} findings lie outside of what was scanned; their paths are left out"));
        }
        self.report.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.path, a.line, &a.rule).cmp(&(&b.path, b.line, &b.rule))));
        self.report.version = self.version.map(tool::text);
        self.report.dependencies = self.dependencies.into_iter().collect();
        self.report.incomplete = (!self.reasons.is_empty()).then(|| self.reasons.join("; "));
        self.report
    }
}

/// What one source says, as a score.
pub(super) fn score(source: &str, severity: Severity, base: Option<&str>, vector: Option<String>) -> Score {
    let base = base.and_then(base_score);
    Score { source: plain(source), severity: base.map_or(severity, |base| base.severity().max(severity)), base, vector: vector.as_deref().map(plain) }
}

/// A base score from a number between 0 and 10.
pub(super) fn base_score(number: &str) -> Option<BaseScore> {
    let number = number.trim().parse::<f64>().ok().filter(|number| (0.0..=10.0).contains(number))?;
    // In range, so that nothing is cut off.
    Some(BaseScore::from_tenths((number * 10.0).round() as u8))
}

/// The weaknesses that a text names, such as `CWE-79: ...` or `external/cwe/cwe-079`.
pub(super) fn weaknesses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<u32> {
    let mut found = BTreeSet::new();
    for text in texts {
        let lower = text.to_ascii_lowercase();
        for (at, _) in lower.match_indices("cwe-") {
            let digits: String = lower[at + 4..].chars().take_while(char::is_ascii_digit).collect();
            found.extend(digits.parse::<u32>().ok().filter(|cwe| (1..=9999).contains(cwe)));
        }
    }
    found.into_iter().collect()
}

/// A text without what moves a terminal's cursor, and not too long.
pub(super) fn plain(text: &str) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
    if out.len() > LONGEST_TEXT {
        let mut end = LONGEST_TEXT;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
    }
    out.trim().to_owned()
}

/// A message without the texts in quotes, and the words with digits, that stand in the code.
fn masked(message: &str, lines: &[String]) -> String {
    let mut message = message.to_owned();
    for line in lines {
        let quoted = line.split(['"', '\'', '`']).skip(1).step_by(2).filter(|text| text.len() >= 3);
        let words = line.split(|c: char| c.is_whitespace() || "\"'`=:,;()[]{}<>".contains(c));
        let words = words.filter(|word| word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit()));
        for secret in quoted.chain(words) {
            message = message.replace(secret, "***");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaknesses_and_scores_are_read_from_texts() {
        assert_eq!(weaknesses(["CWE-95: Eval", "external/cwe/cwe-079", "security", "CWE-", "cwe-99999999999"]), [79, 95]);
        let severe = score("x", Severity::Low, Some("9.8"), None);
        assert_eq!((severe.severity, severe.base.map(|base| base.to_string())), (Severity::Critical, Some("9.8".to_owned())));
        assert!(["-1", "11", "NaN", "high", ""].into_iter().all(|text| base_score(text).is_none()));
        assert_eq!(plain("a\u{1b}[31mb\nc "), "a [31mb c");
        assert!(plain(&"ä".repeat(5000)).len() <= LONGEST_TEXT);
    }

    #[test]
    fn a_finding_keeps_its_fingerprint_when_lines_move() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let found = |text: &str, line: u32, rule: &str, cwe: Vec<u32>| {
            std::fs::write(root.join("a.py"), text).unwrap();
            let mut findings = Findings::new("tool", ScanKind::Sast, Source::tree(root.clone(), Vec::new()));
            let draft = || Draft { rule: rule.to_owned(), path: Some("a.py".to_owned()), lines: Some((line, line)), cwe: cwe.clone(), ..Draft::default() };
            findings.add(draft());
            findings.add(draft());
            findings.finish().findings.into_iter().map(|finding| finding.fingerprint).collect::<Vec<_>>()
        };
        let first = found("x = eval( y )\n", 1, "eval", vec![]);
        assert_ne!(first[0], first[1], "the second of the same code is another");
        assert_eq!(first, found("\n\n  x =  eval( y )\n", 3, "eval", vec![]));
        assert_ne!(first, found("x = eval(z)\n", 1, "eval", vec![]));
        assert_eq!(found("p = 'a'\n", 1, "secret", vec![798]), found("p = 'b'\n", 1, "secret", vec![798]), "no hash of a secret");
    }

    #[test]
    fn a_message_never_shows_a_secret_of_the_code() {
        let lines = ["PASSWORD = 'hunter' # or s3cret99".to_owned()];
        assert_eq!(masked("password 'hunter' and s3cret99 in PASSWORD", &lines), "password '***' and *** in PASSWORD");
    }
}
