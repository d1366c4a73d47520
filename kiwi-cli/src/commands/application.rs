//! Scanning a running application.

use super::secrets;
use crate::args::Scan;
use crate::output::note;
use kiwi_core::domain::ScanReport;
use kiwi_core::error::{Error, Result};
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_core::secret::SecretString;
use kiwi_scan::dast::{DastScanner, Settings};
use std::path::{Path, PathBuf};
use url::Url;

/// A line after so many pages.
const STEP: usize = 25;

/// The directory and the address that are scanned; at least one of them.
pub(super) fn targets(scan: &Scan) -> Result<(Option<PathBuf>, Option<Url>)> {
    let named = scan.path.as_ref().and_then(|path| path.to_str()).filter(|path| is_address(path));
    let named = named.map(|text| text.parse::<Url>().map_err(|error| Error::invalid("scan", "the address is malformed").with_source(error))).transpose()?;
    let (tree, url) = match (named, &scan.application.url) {
        (Some(_), Some(_)) => return Err(Error::invalid("scan", "there are two addresses").with_hint("scan one after the other")),
        (Some(named), None) => (None, Some(named)),
        (None, url) => (scan.path.clone(), url.clone()),
    };
    if let Some(path) = tree.as_ref().filter(|path| !path.is_dir()) {
        return Err(Error::invalid("scan", format!("{} is not a directory", path.display())).with_hint("give the directory of a project, or an address"));
    }
    if tree.is_none() && (scan.sca || scan.secrets) {
        return Err(Error::invalid("scan", "dependencies and secrets are looked for in a directory").with_hint("give the directory of a project"));
    }
    if url.is_none() && scan.application.is_asked_for() {
        return Err(Error::invalid("scan", "there is no running application to scan").with_hint("give its address with --url"));
    }
    Ok((tree, url))
}

/// Whether a path is an address; schemes have no case.
fn is_address(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)))
}

/// Scans the application at `url`, with a line from time to time.
pub(super) async fn scan(url: &Url, scan: &Scan) -> Result<ScanReport> {
    let given = &scan.application;
    let defaults = Settings::default();
    let settings = Settings {
        most_pages: given.most_pages.unwrap_or(defaults.most_pages),
        deadline: given.deadline.unwrap_or(defaults.deadline),
        headers: given.header_file.as_deref().map(headers).transpose()?.unwrap_or_default(),
        openapi: given.openapi.as_deref().map(secrets::text_file).transpose()?,
        probe: given.probe,
        ..defaults
    };
    if url.scheme() == "http" && !settings.headers.is_empty() {
        note("warning: the address is http; whoever is between can read the headers");
    }
    let scanner = DastScanner::new(settings).on_progress(|progress| {
        if progress.read % STEP == 0 {
            note(&format!("{} addresses read, {} to go, {} findings", progress.read, progress.waiting, progress.findings));
        }
    });
    scanner.scan(&ScanTarget::Url(url.clone())).await
}

/// `Name: value` lines; empty lines and comments are skipped. An error never shows a value.
fn headers(path: &Path) -> Result<Vec<(String, SecretString)>> {
    let text = secrets::text_file(path)?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let read = |(index, line): (usize, &str)| {
        let fail = || Error::invalid("read headers", format!("{}:{}: is not `Name: value`", path.display(), index + 1));
        let (name, value) = line.split_once(':').ok_or_else(fail)?;
        Ok((name.trim().to_owned(), SecretString::from(value.trim())))
    };
    lines.map(read).collect()
}
