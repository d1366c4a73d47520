//! What a page loads, and what it asks for.

use super::is_local;
use crate::dast::findings::{Findings, clip};
use crate::dast::html::{Load, Resource};
use crate::dast::page::{Kind, Page};
use crate::dast::rules::{FORM_OVER_HTTP, INTEGRITY_MISSING, MIXED_CONTENT_ACTIVE, MIXED_CONTENT_PASSIVE, PASSWORD_BY_GET, PASSWORD_OVER_HTTP};
use url::Url;

pub(super) fn check(page: &Page, found: &mut Findings) {
    let (url, document) = (&page.answer.url, &page.document);
    for resource in &document.resources {
        if url.scheme() == "https" && resource.url.scheme() == "http" && !is_local(&resource.url) {
            let rule = if resource.load == Load::Media { &MIXED_CONTENT_PASSIVE } else { &MIXED_CONTENT_ACTIVE };
            let shown = place(&resource.url);
            found.add(rule, url, &shown, clip(&shown));
        }
        integrity(url, resource, found);
    }
    // Browsers trust the machine itself without TLS.
    let plain = |url: &Url| url.scheme() == "http" && !is_local(url);
    for form in &document.forms {
        if url.scheme() == "https" && plain(&form.action) {
            found.add(&FORM_OVER_HTTP, url, form.action.path(), clip(&place(&form.action)));
        }
        if form.password && form.get {
            found.add(&PASSWORD_BY_GET, url, form.action.path(), "");
        }
    }
    if document.password && plain(url) {
        found.add(&PASSWORD_OVER_HTTP, url, "", "");
    }
}

/// Where a file lies, without its query: that is another one for each version.
fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn integrity(page: &Url, resource: &Resource, found: &mut Findings) {
    if matches!(resource.load, Load::Script | Load::Style) && resource.url.origin() != page.origin() && !resource.integrity {
        let shown = place(&resource.url);
        found.add(&INTEGRITY_MISSING, page, &shown, clip(&shown));
    }
}

/// Where a script says that its source map is.
pub(in crate::dast) fn source_map(page: &Page) -> Option<Url> {
    if page.kind != Kind::Script || !page.answer.is_success() {
        return None;
    }
    // It stands in the last line.
    let body = &page.answer.body;
    let end = String::from_utf8_lossy(&body[body.len().saturating_sub(4096)..]);
    let (_, address) = end.rsplit_once("//# sourceMappingURL=")?;
    let address = address.split_ascii_whitespace().next().filter(|address| !address.starts_with("data:"))?;
    page.answer.url.join(address).ok()
}
