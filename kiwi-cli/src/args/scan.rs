//! Scanning a source tree, a running application, or both.

use super::{Application, InEnvironment};
use clap::{Args, ValueEnum};
use kiwi_core::domain::{EnvironmentName, Gate, ImageReference, RunId, ServiceName, Severity};
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// The directory to scan, or the address of a running application
    #[arg(required_unless_present_any = ["update", "url", "image", "check_rules", "service", "run"])]
    pub(crate) path: Option<PathBuf>,
    /// Scans a registered service: the head of its branch, and what is live
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["path", "update", "url", "sast", "sca", "secrets", "tool"])]
    pub(crate) service: Option<ServiceName>,
    /// The environment of --service [default: development]
    #[arg(long, requires = "service", value_name = "ENVIRONMENT")]
    pub(crate) environment: Option<EnvironmentName>,
    /// Scans an image of a registry with the tools that are named; Kiwi's own scanners look at no images
    #[arg(long, value_name = "IMAGE", requires = "tool", conflicts_with_all = ["path", "update", "url", "service", "sast", "sca", "secrets"])]
    pub(crate) image: Option<ImageReference>,
    /// Shows what a run of the pipeline found
    #[arg(long, value_name = "RUN", conflicts_with_all = ["path", "update", "url", "image", "service", "sast", "sca", "secrets", "tool"])]
    pub(crate) run: Option<RunId>,
    /// Looks for weak source code; without any kind, for everything
    #[arg(long)]
    pub(crate) sast: bool,
    /// A folder of rules for source code, besides Kiwi's own; may be given several times
    #[arg(long, value_name = "FOLDER")]
    pub(crate) rules: Vec<PathBuf>,
    /// Runs the examples of a folder of rules, and scans nothing
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["path", "update", "url"])]
    pub(crate) check_rules: Option<PathBuf>,
    /// Looks for vulnerable dependencies
    #[arg(long)]
    pub(crate) sca: bool,
    /// Also asks OSV's API about the dependencies, which are named to it with their versions, or another that speaks like it
    #[arg(
        long,
        value_name = "URL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = kiwi_scan::sca::osv::API,
        conflicts_with_all = ["update", "service", "run"]
    )]
    pub(crate) osv_api: Option<Url>,
    /// Looks for leaked credentials
    #[arg(long)]
    pub(crate) secrets: bool,
    /// Scans with another tool too, such as semgrep, or NAME=PROGRAM where its program is not on PATH; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Vec<String>,
    /// An argument for one of the tools, in place of its usual ones, such as semgrep=--config=rules.yml; may be given several times
    #[arg(long, value_name = "NAME=ARGUMENT", requires = "tool")]
    pub(crate) tool_argument: Vec<String>,
    #[command(flatten)]
    pub(crate) gate: GateFlags,
    /// Fails only on findings that this earlier `kiwi scan --output json` does not have
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Accepted findings, besides those of .kiwi/suppressions.toml in the tree
    #[arg(long, value_name = "FILE")]
    pub(crate) suppressions: Vec<PathBuf>,
    /// An OpenVEX document; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) vex: Vec<PathBuf>,
    /// Another format, written to --output-file
    #[arg(long, requires = "output_file")]
    pub(crate) format: Option<ScanFormat>,
    /// Where the other format is written
    #[arg(long, value_name = "FILE", requires = "format")]
    pub(crate) output_file: Option<PathBuf>,
    /// Fetches the database of vulnerabilities
    #[arg(long, conflicts_with = "path")]
    pub(crate) update: bool,
    /// Where the database comes from: a URL with ECOSYSTEM/all.zip below it, or file:///DIRECTORY [default: OSV's]
    #[arg(long, value_name = "URL", requires = "update", env = "KIWI_DATABASE_SOURCE", hide_env_values = true)]
    pub(crate) database_source: Option<Url>,
    /// The ecosystems that are fetched, such as npm,PyPI [default: all]
    #[arg(long, value_name = "NAMES", requires = "update", value_delimiter = ',')]
    pub(crate) ecosystems: Vec<String>,
    #[command(flatten)]
    pub(crate) application: Application,
}

/// What findings let through.
#[derive(Debug, Args)]
pub(crate) struct GateFlags {
    /// Fails on findings of this severity and above [default: high]
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,
    /// Lets findings through that nobody rated
    #[arg(long)]
    pub(crate) allow_unknown: bool,
    /// Lets vulnerabilities through that no version mends yet
    #[arg(long)]
    pub(crate) ignore_unfixed: bool,
    /// Lets dependencies through that only development needs
    #[arg(long)]
    pub(crate) ignore_development: bool,
    /// Lets a scan through that could not look at everything
    #[arg(long)]
    pub(crate) allow_incomplete: bool,
}

impl GateFlags {
    /// Whether any was given.
    pub(crate) fn are_given(&self) -> bool {
        let Self { fail_on, allow_unknown, ignore_unfixed, ignore_development, allow_incomplete } = self;
        fail_on.is_some() || *allow_unknown || *ignore_unfixed || *ignore_development || *allow_incomplete
    }

    /// The rule that they make.
    pub(crate) fn gate(&self) -> Gate {
        Gate {
            fail_on: self.fail_on.unwrap_or(Gate::default().fail_on),
            fail_on_unknown: !self.allow_unknown,
            ignore_unfixed: self.ignore_unfixed,
            ignore_development: self.ignore_development,
            new_only: false,
            allow_incomplete: self.allow_incomplete,
            report_only: false,
        }
    }
}

/// Shows or changes what a scan lets through in an environment of a service.
#[derive(Debug, Args)]
pub(crate) struct GateArguments {
    #[command(flatten)]
    pub(crate) at: InEnvironment,
    #[command(flatten)]
    pub(crate) flags: GateFlags,
    /// Fails only on what the live release does not have
    #[arg(long)]
    pub(crate) new_only: bool,
    /// Reports, and refuses nothing
    #[arg(long)]
    pub(crate) report_only: bool,
    /// Goes back to the environment's preset
    #[arg(long, conflicts_with_all = ["fail_on", "allow_unknown", "ignore_unfixed", "ignore_development", "allow_incomplete", "new_only", "report_only"])]
    pub(crate) preset: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    /// For code scanning pages
    Sarif,
    /// A bill of materials with its vulnerabilities
    Cyclonedx,
}
