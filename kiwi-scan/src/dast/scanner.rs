//! The scanner of running applications.

use super::client::Client;
use super::crawl::Crawl;
use super::settings::Settings;
use super::{exposed, openapi, probes};
use async_trait::async_trait;
use kiwi_core::domain::{Coverage, ScanKind, ScanReport, Skipped};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{ScanTarget, Scanner};
use kiwi_core::secret::Redactor;
use std::sync::Arc;
use url::Url;

const NAME: &str = "kiwi-dast";
/// So many pages are asked as another site would.
const MOST_ASKED: usize = 30;

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Addresses that were read.
    pub read: usize,
    /// Addresses that are known and not read yet.
    pub waiting: usize,
    /// Problems so far.
    pub findings: usize,
}

type Told = Arc<dyn Fn(Progress) + Send + Sync>;

/// Reads a running application from outside and checks what it sends.
///
/// Whoever calls it vouches for the address: private ones are not refused.
#[derive(Clone)]
pub struct DastScanner {
    settings: Settings,
    told: Told,
}

impl std::fmt::Debug for DastScanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DastScanner").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl DastScanner {
    /// A scanner that goes so far.
    pub fn new(settings: Settings) -> Self {
        Self { settings, told: Arc::new(|_| {}) }
    }

    /// Is told after each page how far the scan is.
    #[must_use]
    pub fn on_progress(mut self, told: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.told = Arc::new(told);
        self
    }
}

#[async_trait]
impl Scanner for DastScanner {
    fn name(&self) -> &str {
        NAME
    }

    fn kind(&self) -> ScanKind {
        ScanKind::Dast
    }

    fn supports(&self, target: &ScanTarget) -> bool {
        matches!(target, ScanTarget::Url(_))
    }

    async fn scan(&self, target: &ScanTarget) -> Result<ScanReport> {
        let ScanTarget::Url(url) = target else {
            return Err(Error::new(ErrorKind::Unsupported, "scan application", "only running applications are scanned"));
        };
        let start = checked(url)?;
        // Before anything is sent: a document that is none is the user's to mend.
        let operations = self.settings.openapi.as_deref().map(|text| openapi::read(&start, text)).transpose()?;
        let mut report = crate::report_of(NAME);
        let client = match Client::new(&start, &self.settings).await {
            Ok(client) => client,
            Err(error) if matches!(error.kind(), ErrorKind::HostNotFound | ErrorKind::Timeout) => {
                report.incomplete = Some(format!("{}: {}", start.origin().ascii_serialization(), error.message()));
                return Ok(report);
            }
            Err(error) => return Err(error),
        };
        let mut crawl = Crawl::new(client, &self.settings, &start);
        let begun = crawl.run(operations, &*self.told).await;
        if let Err(failure) = &begun {
            report.incomplete = Some(format!("{} did not answer: {failure}", start.origin().ascii_serialization()));
        } else {
            rest(&mut crawl, &self.settings).await;
            report.incomplete = unseen(&crawl);
        }
        Ok(finished(report, crawl, &start, &self.settings))
    }
}

/// The address without what no server is sent.
fn checked(url: &Url) -> Result<Url> {
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Error::invalid("scan application", "only http and https are scanned").with_hint("give an address such as https://shop.example.com/"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid("scan application", "the address has a user or a password in it").with_hint("send them as a header, which is never shown"));
    }
    let mut url = url.clone();
    url.set_fragment(None);
    Ok(url)
}

/// What is looked for besides what the pages lead to.
async fn rest(crawl: &mut Crawl<'_>, settings: &Settings) {
    if let Err((count, failure)) = exposed::look(&mut crawl.client, &crawl.start, &crawl.paths, &mut crawl.found).await {
        crawl.coverage.skip(format!("{count} usual places of files that should not be public"), failure.to_string());
    }
    if !settings.probe {
        return;
    }
    let parameters = crawl.parameters.all();
    let pages: Vec<Url> = crawl.kinds.values().take(MOST_ASKED).cloned().collect();
    crawl.notes.push(format!("probes: {} parameters, {} pages as another site", parameters.len(), pages.len()));
    if crawl.kinds.len() > MOST_ASKED {
        crawl.coverage.skip(format!("{} kinds of pages", crawl.kinds.len() - MOST_ASKED), "they were not asked as another site, being too many".to_owned());
    }
    if crawl.parameters.over > 0 {
        crawl.coverage.skip(format!("{} parameters", crawl.parameters.over), "they were not probed, being too many".to_owned());
    }
    if let Err((count, failure)) = probes::ask(&mut crawl.client, &parameters, &pages, &mut crawl.found).await {
        crawl.coverage.skip(format!("{count} probes"), failure.to_string());
    }
}

/// Why the pages that were read say nothing of the application, when none of them was one of it.
fn unseen(crawl: &Crawl<'_>) -> Option<String> {
    if !crawl.kinds.is_empty() {
        return None;
    }
    if let Some(origin) = crawl.frontier.elsewhere.first() {
        return Some(format!("it only leads to {origin}, which was not followed; scan that address"));
    }
    let statuses: Vec<String> = crawl.statuses.iter().map(|(status, count)| format!("{status} ({count} times)")).collect();
    let advice = if crawl.statuses.contains_key(&401) || crawl.statuses.contains_key(&403) { "; give a header that signs in" } else { "" };
    Some(format!("no page or data was answered with success and content: {}{advice}", statuses.join(", ")))
}

fn finished(mut report: ScanReport, mut crawl: Crawl<'_>, start: &Url, settings: &Settings) -> ScanReport {
    if let Some(rule) = crawl.client.certificate() {
        crawl.found.add(rule, start, start.host_str().unwrap_or_default(), start.host_str().unwrap_or_default());
        let withheld = if settings.headers.is_empty() { "" } else { "; the headers that were given were not sent to it" };
        crawl.notes.push(format!("the certificate of {} was not verified after that{withheld}", start.host_str().unwrap_or_default()));
    }
    if crawl.found.over() > 0 {
        crawl.coverage.skip(format!("{} findings", crawl.found.over()), "they are too many to tell".to_owned());
    }
    // A server may send back what it was sent.
    let redactor = Redactor::new(settings.headers.iter().map(|(_, value)| value));
    let redact = |text: &String| redactor.redact(text);
    report.coverage = Coverage {
        read: crawl.coverage.read.iter().map(redact).collect(),
        skipped: crawl.coverage.skipped.iter().map(|skipped| Skipped { path: redact(&skipped.path), reason: redact(&skipped.reason) }).collect(),
    };
    report.notes = crawl.notes.iter().map(redact).collect();
    report.incomplete = report.incomplete.as_ref().map(redact);
    report.findings = crawl.found.finish(&redactor);
    report
}
