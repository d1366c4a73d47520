//! Scanning a running application.

use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

#[derive(Debug, Args)]
#[command(next_help_heading = "Running applications")]
pub(crate) struct Application {
    /// The address of a running application, besides a directory or alone
    #[arg(long, value_name = "URL", conflicts_with = "update")]
    pub(crate) url: Option<Url>,
    /// Looks at the running application
    #[arg(long)]
    pub(crate) dast: bool,
    /// Also sends markers in parameters, by GET alone, to see whether they come back
    #[arg(long)]
    pub(crate) probe: bool,
    /// An OpenAPI 3 document, whose GET operations are asked [default: what the application serves]
    #[arg(long, value_name = "FILE")]
    pub(crate) openapi: Option<PathBuf>,
    /// Headers that are sent, as `Name: value` lines; never shown
    #[arg(long, value_name = "FILE")]
    pub(crate) header_file: Option<PathBuf>,
    /// Reads no more addresses of the application [default: 200]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) most_pages: Option<usize>,
    /// Ends looking at the application after so many seconds [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) deadline: Option<Duration>,
}

impl Application {
    /// Whether something was said that only running applications need.
    pub(crate) fn is_asked_for(&self) -> bool {
        let Self { url, dast, probe, openapi, header_file, most_pages, deadline } = self;
        url.is_some() || *dast || *probe || openapi.is_some() || header_file.is_some() || most_pages.is_some() || deadline.is_some()
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| "give a number of seconds".to_owned())
}
