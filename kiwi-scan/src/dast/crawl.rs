//! Reading a site, page by page.

use super::checks;
use super::client::{Client, Failure, Want};
use super::findings::{Findings, clip};
use super::frontier::{Frontier, Promise, shape};
use super::html::{Document, Form, Load};
use super::openapi::{self, Operations};
use super::page::{Kind, Page};
use super::parameters::Parameters;
use super::scanner::Progress;
use super::settings::Settings;
use super::sitemap;
use kiwi_core::domain::Coverage;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Of so many pages the paths are listed one by one.
const LISTED: usize = 50;
/// Of so many scripts the source maps are asked for, and so many sitemaps are read.
const MOST_MAPS: usize = 20;
/// Where frameworks put their OpenAPI documents.
const DOCUMENTS: [&str; 6] = ["/openapi.json", "/openapi.yaml", "/api/openapi.json", "/v3/api-docs", "/swagger/v1/swagger.json", "/docs/openapi.json"];
/// What is typed into an empty field.
const TYPED: &str = "kiwi";

/// A site and what is known of it.
pub(super) struct Crawl<'s> {
    pub(super) client: Client,
    pub(super) settings: &'s Settings,
    pub(super) start: Url,
    pub(super) frontier: Frontier,
    pub(super) found: Findings,
    pub(super) parameters: Parameters,
    pub(super) coverage: Coverage,
    pub(super) notes: Vec<String>,
    /// Paths of HTML and data that were read.
    pub(super) paths: BTreeSet<String>,
    /// One page of each kind, for probes.
    pub(super) kinds: BTreeMap<String, Url>,
    /// How often each status came.
    pub(super) statuses: BTreeMap<u16, usize>,
    files: usize,
    read: usize,
    forms: usize,
    /// Pages that a script fills.
    scripted: (Option<String>, usize),
    /// Pages that ask for a sign-in, and pages that failed: the first and how many.
    denied: (Option<String>, usize),
    failed: (Option<String>, usize),
    maps: Vec<Url>,
    /// Why the crawl ended before its end.
    ended: Option<Failure>,
}

impl<'s> Crawl<'s> {
    pub(super) fn new(client: Client, settings: &'s Settings, start: &Url) -> Self {
        Self {
            client,
            settings,
            start: start.clone(),
            frontier: Frontier::new(start, settings.depth, settings.most_pages),
            found: Findings::default(),
            parameters: Parameters::default(),
            coverage: Coverage::default(),
            notes: Vec::new(),
            paths: BTreeSet::new(),
            kinds: BTreeMap::new(),
            statuses: BTreeMap::new(),
            files: 0,
            read: 0,
            forms: 0,
            scripted: (None, 0),
            denied: (None, 0),
            failed: (None, 0),
            maps: Vec::new(),
            ended: None,
        }
    }

    /// Reads everything that the start leads to, within the limits. An error is why not even the start was answered.
    pub(super) async fn run(&mut self, operations: Option<Operations>, told: &(dyn Fn(Progress) + Send + Sync)) -> Result<(), Failure> {
        self.frontier.start(&self.start.clone());
        if let Some((url, depth)) = self.frontier.next() {
            self.page(&url, depth).await?;
        }
        self.seeds(operations).await;
        while self.read < self.settings.most_pages && self.ended.is_none() {
            let Some((url, depth)) = self.frontier.next() else { break };
            match self.page(&url, depth).await {
                Ok(()) => told(Progress { read: self.read, waiting: self.frontier.waiting(), findings: self.found.len() }),
                Err(failure @ (Failure::Deadline | Failure::Silent)) => {
                    self.coverage.skip(clip(url.path()), failure.to_string());
                    self.ended = Some(failure);
                }
                Err(failure) => self.coverage.skip(clip(url.path()), failure.to_string()),
            }
        }
        self.source_maps().await;
        self.finish();
        Ok(())
    }

    async fn page(&mut self, url: &Url, depth: usize) -> Result<(), Failure> {
        self.read += 1;
        let answer = self.client.get(url, Want::Text).await?;
        *self.statuses.entry(answer.status).or_default() += 1;
        let authorized = self.client.is_authorized();
        // A page of two megabytes keeps a thread for some time, and a parser that panics takes no more than its page along.
        let read = tokio::task::spawn_blocking(move || {
            let page = Page::read(answer, authorized);
            let mut found = Findings::default();
            checks::check(&page, &mut found);
            (page, found)
        });
        let Ok((page, found)) = read.await else { return Err(Failure::Unanswered("it cannot be parsed".to_owned())) };
        self.found.extend(found);
        if let Some(target) = page.answer.redirect() {
            if target.origin() == url.origin() {
                self.frontier.offer(&target, Promise::Page, depth + 1);
            } else if self.frontier.elsewhere.len() < 20 {
                self.frontier.elsewhere.insert(clip(&target.origin().ascii_serialization()));
            }
        }
        self.parameters.see(url);
        self.count(&page);
        if self.maps.len() < MOST_MAPS {
            self.maps.extend(checks::source_map(&page).filter(|map| map.origin() == url.origin()));
        }
        self.follow(&page.document, depth + 1);
        Ok(())
    }

    fn count(&mut self, page: &Page) {
        let answer = &page.answer;
        match answer.status {
            429 | 502..=504 => self.coverage.skip(clip(page.path()), format!("it answered {}", answer.status)),
            401 | 403 => one_more(&mut self.denied, page.path()),
            500.. => one_more(&mut self.failed, page.path()),
            _ => {}
        }
        if let Some(reason) = &answer.missing {
            self.coverage.skip(clip(page.path()), reason);
        } else if page.document.dropped > 0 {
            self.coverage.skip(clip(page.path()), format!("{} of its references are too many", page.document.dropped));
        }
        if matches!(page.kind, Kind::Html | Kind::Text) && !(300..400).contains(&answer.status) {
            if answer.is_success() {
                if page.kind == Kind::Html && is_frame_of_scripts(&page.document) {
                    one_more(&mut self.scripted, page.path());
                }
                // What has no content, or a part of it that nobody asked for, says nothing of the application.
                if !answer.body.trim_ascii().is_empty() && answer.status != 206 {
                    self.kinds.entry(shape(&answer.url)).or_insert_with(|| answer.url.clone());
                }
            }
            self.paths.insert(clip(page.path()));
        } else {
            self.files += 1;
        }
    }

    fn follow(&mut self, document: &Document, depth: usize) {
        for link in &document.links {
            self.frontier.offer(link, Promise::Page, depth);
        }
        for resource in &document.resources {
            self.frontier.offer(&resource.url, if resource.load == Load::Frame { Promise::Page } else { Promise::File }, depth);
        }
        for form in &document.forms {
            match filled(form) {
                Some(url) => self.frontier.offer(&url, Promise::Page, depth),
                None => self.forms += 1,
            }
        }
    }

    /// What the site tells of itself, and what the user told.
    async fn seeds(&mut self, operations: Option<Operations>) {
        let operations = match operations {
            Some(operations) => Some(operations),
            None => self.discover().await,
        };
        if let Some(Operations { urls, changing, left_out }) = operations {
            self.notes.push(format!("OpenAPI: {} GET operations are asked, {changing} of other methods are not", urls.len()));
            self.notes.extend(left_out.into_iter().take(LISTED).map(|(path, reason)| format!("OpenAPI: {} is not asked: {reason}", clip(&path))));
            urls.iter().for_each(|url| self.frontier.offer(url, Promise::Page, 1));
        }
        let mut sitemaps: Vec<Url> = self.start.join("/sitemap.xml").into_iter().collect();
        if let Some((base, text)) = self.text("/robots.txt").await {
            let (paths, named) = sitemap::robots(&base, &text);
            paths.iter().for_each(|url| self.frontier.offer(url, Promise::Page, 1));
            sitemaps.extend(named.into_iter().filter(|url| url.origin() == base.origin()));
        }
        let (mut seen, mut next) = (BTreeSet::new(), 0);
        while let Some(url) = sitemaps.get(next).cloned().filter(|_| seen.len() < MOST_MAPS) {
            next += 1;
            if !seen.insert(url.clone()) {
                continue;
            }
            let Some((base, text)) = self.text(url.as_str()).await else { continue };
            let (urls, is_index) = sitemap::locations(&base, &text);
            if is_index {
                sitemaps.extend(urls.into_iter().filter(|url| url.origin() == base.origin()));
            } else {
                urls.iter().for_each(|url| self.frontier.offer(url, Promise::Page, 1));
            }
        }
        let left: BTreeSet<&Url> = sitemaps.iter().skip(next).filter(|url| !seen.contains(*url)).collect();
        if !left.is_empty() {
            self.coverage.skip(format!("{} sitemaps", left.len()), format!("only {MOST_MAPS} are read"));
        }
    }

    async fn discover(&mut self) -> Option<Operations> {
        for path in DOCUMENTS {
            let Some((base, text)) = self.text(path).await else { continue };
            if text.len() >= openapi::LARGEST {
                self.coverage.skip(path, format!("it is larger than {} MiB", openapi::LARGEST >> 20));
                continue;
            }
            // Nobody vouches for it: a parser that panics on it takes nothing else along.
            if let Ok(Ok(operations)) = tokio::task::spawn_blocking(move || openapi::read(&base, &text)).await {
                self.notes.push(format!("OpenAPI: found at {path}"));
                return Some(operations);
            }
        }
        None
    }

    /// A text at a usual place, when there is one. That there is none is no gap.
    async fn text(&mut self, path: &str) -> Option<(Url, String)> {
        let url = self.start.join(path).ok()?;
        let answer = self.client.get(&url, Want::Begin(openapi::LARGEST)).await.ok()?;
        (answer.status == 200 && answer.kind() != Kind::Html && answer.missing.is_none()).then(|| (url, answer.text().into_owned()))
    }

    async fn source_maps(&mut self) {
        for url in std::mem::take(&mut self.maps) {
            let Ok(answer) = self.client.get(&url, Want::Begin(4096)).await else { continue };
            let begin = answer.text();
            if answer.status == 200 && begin.trim_start().starts_with('{') && begin.contains("\"version\"") {
                self.found.add(&super::rules::SOURCE_MAP, &url, "", url.path());
            }
        }
    }

    /// Tells what was read and what was left.
    fn finish(&mut self) {
        let total = self.paths.len();
        let listed = self.paths.iter().take(LISTED).cloned();
        self.coverage.read.extend(listed);
        if total > LISTED {
            self.coverage.read.push(format!("{} more pages", total - LISTED));
        }
        if self.files > 0 {
            self.coverage.read.push(format!("{} scripts, style sheets, images, redirects and other files", self.files));
        }
        let waiting = self.frontier.waiting();
        if waiting > 0 {
            let reason = match &self.ended {
                Some(failure) => failure.to_string(),
                None if self.frontier.dropped == waiting => "their addresses are too many or too long".to_owned(),
                None => format!("the limit of {} pages was reached", self.settings.most_pages),
            };
            self.coverage.skip(format!("{waiting} addresses"), reason);
        }
        if let (Some(first), count) = &self.frontier.deep {
            self.coverage
                .skip(format!("{first} and what else is as deep"), format!("{count} links lead more than {} steps from the start", self.settings.depth));
        }
        if !self.frontier.changing.is_empty() {
            let paths: Vec<&str> = self.frontier.changing.iter().take(LISTED).map(String::as_str).collect();
            self.notes.push(format!("not followed, because they may change something: {}", paths.join(", ")));
        }
        for origin in &self.frontier.elsewhere {
            self.notes.push(format!("a redirect leads to {origin}, which was not followed; scan it by its own name"));
        }
        if let (Some(first), count) = &self.scripted {
            self.notes.push(format!("{count} pages, {first} first, have scripts and no links: scripts are not run, so that what they show was not seen"));
        }
        if let (Some(first), count) = &self.denied {
            self.notes.push(format!("{count} pages ask for a sign-in or refuse, {first} first; a header that signs in shows more"));
        }
        if let (Some(first), count) = &self.failed {
            self.notes.push(format!("{count} pages failed with an error of the server, {first} first"));
        }
        if self.forms > 0 {
            self.notes.push(format!("{} forms were not sent, because they are sent by POST or ask for a password", self.forms));
        }
    }
}

fn is_frame_of_scripts(document: &Document) -> bool {
    document.links.is_empty() && document.forms.is_empty() && document.resources.iter().any(|resource| resource.load == Load::Script)
}

fn one_more(told: &mut (Option<String>, usize), path: &str) {
    *told = (told.0.take().or_else(|| Some(clip(path))), told.1 + 1);
}

/// The address of a form that is sent by GET, with what a user might type.
fn filled(form: &Form) -> Option<Url> {
    if !form.get || form.password {
        return None;
    }
    let mut url = form.action.clone();
    url.set_query(None);
    if !form.fields.is_empty() {
        let pairs = form.fields.iter().map(|(name, value)| (name, if value.is_empty() { TYPED } else { value }));
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Some(url)
}
