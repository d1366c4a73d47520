//! What must be known of a tool to run it and to understand what it says.

use super::findings::Findings;
use super::reports::Reports;
use kiwi_core::domain::ScanKind;
use kiwi_core::provider::ScanTarget;

/// A tool, as data.
///
/// Arguments are given as they are, with no shell between. In each, `{target}` becomes the directory, the image or the URL, and `{reports}` the
/// directory that reports are written to; an argument that is `{options}` becomes the caller's own, or [`options`](Self::options) without any.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Tool {
    /// Its name, as flags and reports show it.
    pub name: &'static str,
    /// What it looks for; findings of another kind say so themselves.
    pub kind: ScanKind,
    /// The program.
    pub program: &'static str,
    /// Which versions are understood.
    pub version: ToolVersion,
    /// Arguments for a source tree, when it scans such.
    pub tree: Option<&'static [&'static str]>,
    /// Arguments for an image.
    pub image: Option<&'static [&'static str]>,
    /// Arguments for a running application.
    pub url: Option<&'static [&'static str]>,
    /// What stands for `{options}` when the caller gives none.
    pub options: &'static [&'static str],
    /// Variables that it is given.
    pub variables: &'static [(&'static str, &'static str)],
    /// Further variables of this process that it sees.
    pub inherited: &'static [&'static str],
    /// What its exit codes mean; any other is a failure.
    pub exits: &'static [(i64, Exit)],
    /// Phrases of its log that say that something was not looked at.
    pub gaps: &'static [&'static str],
    /// The report that it must write.
    pub report: &'static str,
    /// Where reports are written in a container.
    pub directory: &'static str,
    /// How its reports are read.
    pub format: Format,
    /// How to install it.
    pub hint: &'static str,
}

/// Which versions of a tool are understood, and how a program tells its own.
#[derive(Debug, Clone, Copy)]
pub struct ToolVersion {
    /// Arguments that make it print its version; none for a program that cannot, of which only the report is asked.
    pub arguments: &'static [&'static str],
    /// What stands right before the version; empty when a line begins with it.
    pub after: &'static str,
    /// The least version.
    pub least: [u64; 3],
}

/// What an exit code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It looked at everything, whatever it found.
    Done,
    /// It found something; a report with nothing in it is then no whole report.
    Found,
    /// It failed, with what the code alone says about it.
    Failed(&'static str),
}

/// How reports are read.
#[derive(Debug, Clone, Copy)]
pub enum Format {
    /// As SARIF 2.1.0.
    Sarif,
    /// In the tool's own format.
    Own(Converter),
}

/// Reads the reports of one tool.
#[derive(Debug, Clone, Copy)]
pub struct Converter(pub(super) fn(&Reports, &mut Findings) -> Result<(), String>);

impl Tool {
    /// A tool that writes SARIF to `{reports}/report.sarif`: exit code 0 and 1 mean that it is done.
    pub const fn sarif(name: &'static str, kind: ScanKind, program: &'static str, version: ToolVersion) -> Self {
        Self {
            name,
            kind,
            program,
            version,
            tree: None,
            image: None,
            url: None,
            options: &[],
            variables: &[],
            inherited: &[],
            exits: &[(0, Exit::Done), (1, Exit::Done)],
            gaps: &[],
            report: "report.sarif",
            directory: "/kiwi/out",
            format: Format::Sarif,
            hint: "install it",
        }
    }

    /// The arguments for a target, which none are for when it cannot look at such.
    pub(super) fn arguments(&self, target: &ScanTarget) -> Option<&'static [&'static str]> {
        match target {
            ScanTarget::Tree(_) => self.tree,
            ScanTarget::Image(_) => self.image,
            ScanTarget::Url(_) => self.url,
            _ => None,
        }
    }

    /// The arguments with what stands for their placeholders.
    pub(super) fn filled(&self, arguments: &[&str], target: &str, reports: &str, options: &[String]) -> Vec<String> {
        let mut all = Vec::new();
        for argument in arguments {
            match *argument {
                "{options}" if options.is_empty() => all.extend(self.options.iter().map(|option| (*option).to_owned())),
                "{options}" => all.extend(options.iter().cloned()),
                // One after the other, so that a target named like a placeholder stays what it is.
                _ => match argument.split_once("{target}") {
                    Some((before, after)) => all.push(format!("{before}{target}{after}")),
                    None => all.push(argument.replace("{reports}", reports)),
                },
            }
        }
        all
    }
}

impl ToolVersion {
    /// The version in what a program printed.
    pub(super) fn read(&self, printed: &str) -> Option<[u64; 3]> {
        if self.after.is_empty() {
            return printed.lines().find_map(|line| number(line.trim()));
        }
        printed.match_indices(self.after).find_map(|(at, _)| number(printed[at + self.after.len()..].trim_start()))
    }

    /// Why a version is not enough.
    pub(super) fn refuses(&self, version: [u64; 3]) -> Option<String> {
        (version < self.least).then(|| format!("its version {} is older than {}", text(version), text(self.least)))
    }
}

pub(super) fn text([major, minor, patch]: [u64; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

/// A version of two or three numbers at the start of a text, perhaps after a `v`.
pub(super) fn number(text: &str) -> Option<[u64; 3]> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let mut parts = text[..end].split('.').map(str::parse::<u64>);
    let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
    Some([major, minor, parts.next().and_then(Result::ok).unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_tools_print() {
        let after = |after| ToolVersion { arguments: &[], after, least: [1, 7, 3] };
        assert_eq!(after("bandit ").read("warning of python 3.11\nbandit 1.9.4\n  python version = 3.11.7"), Some([1, 9, 4]));
        assert_eq!(after("").read("a notice\n1.182.0\n"), Some([1, 182, 0]));
        assert_eq!(after("Version:").read("Application: grype\nVersion:    0.99.1\n"), Some([0, 99, 1]));
        assert_eq!(after("Engine Version: ").read("[INF] Nuclei Engine Version: v3.4.10-dev"), Some([3, 4, 10]));
        assert_eq!(after("bandit ").read("bandit\n99999999999999999999999.1"), None);
        assert!(after("").refuses([1, 7, 2]).is_some() && after("").refuses([1, 10, 0]).is_none());
    }

    #[test]
    fn placeholders_in_a_target_stay() {
        let tool = Tool::sarif("x", ScanKind::Sast, "x", ToolVersion { arguments: &[], after: "", least: [0, 0, 0] });
        let filled = tool.filled(&["-o", "{reports}/x", "{options}", "--in={target}"], "/a/{reports}/{options}", "/r", &["--fast; rm".to_owned()]);
        assert_eq!(filled, ["-o", "/r/x", "--fast; rm", "--in=/a/{reports}/{options}"]);
    }
}
