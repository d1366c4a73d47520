//! Cookies: what protects them. Their values are never looked at further than whether there is one.

use super::is_local;
use crate::dast::findings::{Findings, clip};
use crate::dast::page::Page;
use crate::dast::rules::{COOKIE_SAMESITE_NONE, COOKIE_WIDE_DOMAIN, COOKIE_WITHOUT_HTTPONLY, COOKIE_WITHOUT_SAMESITE, COOKIE_WITHOUT_SECURE};
use std::collections::HashMap;

/// Parts of the names of cookies that sign somebody in.
const SESSION: [&str; 8] = ["sess", "sid", "auth", "token", "jwt", "login", "remember", "identity"];
/// Scripts must read these, to send them back.
const FOR_SCRIPTS: [&str; 3] = ["csrf", "xsrf", "antiforgery"];

pub(super) fn check(page: &Page, found: &mut Findings) {
    let url = &page.answer.url;
    for cookie in page.answer.all("set-cookie") {
        let mut parts = cookie.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')).map(|(name, value)| (name.trim(), value.trim())) else { continue };
        let attributes: HashMap<String, &str> =
            parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())).collect();
        // One that is taken back needs no protection.
        if value.trim_matches('"').is_empty() || attributes.get("max-age").is_some_and(|age| *age == "0" || age.starts_with('-')) {
            continue;
        }
        let shown = clip(name);
        let secure = attributes.contains_key("secure");
        let same_site = attributes.get("samesite").map(|value| value.to_ascii_lowercase());
        if !secure && url.scheme() == "https" {
            found.add(&COOKIE_WITHOUT_SECURE, url, name, &shown);
        }
        if is_session(name) && !attributes.contains_key("httponly") {
            found.add(&COOKIE_WITHOUT_HTTPONLY, url, name, &shown);
        }
        match same_site.as_deref() {
            None | Some("") => found.add(&COOKIE_WITHOUT_SAMESITE, url, name, &shown),
            Some("none") if !secure && !is_local(url) => found.add(&COOKIE_SAMESITE_NONE, url, name, &shown),
            Some(_) => {}
        }
        let domain = attributes.get("domain").map(|domain| domain.trim_start_matches('.').to_ascii_lowercase()).unwrap_or_default();
        if !domain.is_empty() && url.host_str().is_some_and(|host| host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))) {
            found.add(&COOKIE_WIDE_DOMAIN, url, name, format!("{shown}, for {}", clip(&domain)));
        }
    }
}

/// Whether a cookie of this name signs somebody in.
pub(super) fn is_session(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SESSION.iter().any(|part| name.contains(part)) && !FOR_SCRIPTS.iter().any(|part| name.contains(part))
}
