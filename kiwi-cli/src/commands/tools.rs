//! The tools of other people that a scan is asked to run.

use crate::signal;
use kiwi_core::domain::ScanReport;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_scan::external::{ExternalScanner, Tool, tools};
use std::path::PathBuf;

/// Runs them one after the other. Whoever stops the process ends the running one with all that it started, as it is in a process group of its own.
pub(super) async fn scan(tools: Vec<ExternalScanner>, target: &ScanTarget) -> Result<Vec<ScanReport>> {
    let mut reports = Vec::new();
    for tool in tools {
        tokio::select! {
            report = tool.scan(target) => reports.push(report?),
            () = signal::stop() => return Err(Error::new(ErrorKind::Cancelled, "scan", format!("{} was interrupted", tool.name()))),
        }
    }
    Ok(reports)
}

/// What tools are asked to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Directory,
    Image,
    Address,
}

impl Subject {
    fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "a directory",
            Self::Image => "an image",
            Self::Address => "an address",
        }
    }

    fn suits(self, tool: &Tool) -> bool {
        match self {
            Self::Directory => tool.tree.is_some(),
            Self::Image => tool.image.is_some(),
            Self::Address => tool.url.is_some(),
        }
    }
}

/// A scanner for each `NAME` or `NAME=PROGRAM`, with its share of the arguments, each `NAME=ARGUMENT`.
pub(super) fn scanners(subject: Subject, wanted: &[String], arguments: &[String]) -> Result<Vec<ExternalScanner>> {
    let split = |argument: &String| match argument.split_once('=') {
        Some((name, argument)) => Ok((name.to_owned(), argument.to_owned())),
        None => {
            Err(Error::invalid("scan", format!("{argument:?} is no argument of a tool")).with_hint("write NAME=ARGUMENT, such as semgrep=--config=rules.yml"))
        }
    };
    let arguments: Vec<(String, String)> = arguments.iter().map(split).collect::<Result<_>>()?;
    let mut scanners = Vec::new();
    let mut names = Vec::new();
    for text in wanted {
        let (name, program) = text.split_once('=').map_or((text.as_str(), None), |(name, program)| (name, Some(PathBuf::from(program))));
        let suitable = || tools::ALL.iter().filter(|tool| subject.suits(tool)).map(|tool| tool.name).collect::<Vec<_>>().join(", ");
        let unsuitable =
            || Error::invalid("scan", format!("{name:?} is no tool that scans {}", subject.as_str())).with_hint(format!("choose among {}", suitable()));
        let tool = tools::named(name).filter(|tool| subject.suits(tool)).ok_or_else(unsuitable)?;
        let own = arguments.iter().filter(|(of, _)| of.eq_ignore_ascii_case(tool.name)).map(|(_, argument)| argument.clone());
        scanners.push(ExternalScanner::program(tool, program).options(own.collect()));
        names.push(tool.name);
    }
    match arguments.iter().find(|(of, _)| !names.iter().any(|name| of.eq_ignore_ascii_case(name))) {
        Some((of, _)) => Err(Error::invalid("scan", format!("an argument is for {of:?}, which is not run")).with_hint("name it with --tool too")),
        None => Ok(scanners),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_named_with_their_programs_and_arguments() {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let scanners = |wanted: &[String], arguments: &[String]| super::scanners(Subject::Directory, wanted, arguments);
        let made = scanners(&texts(&["Semgrep=/opt/semgrep", "trivy"]), &texts(&["semgrep=--config=rules.yml"])).unwrap();
        let shown = format!("{made:?}");
        assert!(made.len() == 2 && shown.contains("/opt/semgrep") && shown.contains("\"--config=rules.yml\""), "{shown}");
        assert!(scanners(&texts(&["zap"]), &[]).unwrap_err().hint().contains("gitleaks"));
        assert!(scanners(&texts(&["nothing"]), &[]).is_err());
        let of_address = super::scanners(Subject::Address, &texts(&["zap", "nuclei"]), &[]).unwrap();
        assert!(of_address.len() == 2 && super::scanners(Subject::Address, &texts(&["trivy"]), &[]).unwrap_err().hint().contains("zap"));
        let refused = super::scanners(Subject::Image, &texts(&["bandit"]), &[]).unwrap_err();
        assert!(refused.message().contains("an image") && refused.hint().contains("trivy") && !refused.hint().contains("semgrep"), "{refused:?}");
        assert!(scanners(&texts(&["trivy"]), &texts(&["semgrep=--x"])).is_err() && scanners(&texts(&["trivy"]), &texts(&["trivy"])).is_err());
    }
}
