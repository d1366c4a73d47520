//! Headers that tell browsers and caches what they may do, or everybody too much.

use super::cookies::is_session;
use crate::dast::findings::{Findings, clip};
use crate::dast::page::{Kind, Page};
use crate::dast::rules::{
    CACHE_PRIVATE_PAGE, CONTENT_TYPE_OPTIONS_MISSING, CORS_NULL, CORS_WILDCARD_CREDENTIALS, HSTS_MISSING, PERMISSIONS_POLICY_MISSING, REFERRER_POLICY_MISSING,
    REFERRER_POLICY_UNSAFE, VERSION_DISCLOSURE,
};

/// Headers that name software.
const NAMING: [&str; 6] = ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator", "x-drupal-cache-version"];

pub(super) fn check(page: &Page, found: &mut Findings) {
    let (answer, url) = (&page.answer, &page.answer.url);
    for name in NAMING {
        if let Some(value) = answer.header(name).filter(|value| has_version(value)) {
            found.add(&VERSION_DISCLOSURE, url, name, format!("{name}: {}", clip(value)));
        }
    }
    cors(page, found);
    cache(page, found);
    // Browsers take the header from names alone.
    if url.scheme() == "https" && matches!(url.host(), Some(url::Host::Domain(_))) && !answer.header("strict-transport-security").is_some_and(is_lasting) {
        found.add(&HSTS_MISSING, url, "strict-transport-security", "");
    }
    if !answer.is_success() {
        return;
    }
    if !answer.header("x-content-type-options").is_some_and(|value| value.trim().eq_ignore_ascii_case("nosniff")) {
        found.add(&CONTENT_TYPE_OPTIONS_MISSING, url, "x-content-type-options", "");
    }
    if page.kind != Kind::Html {
        return;
    }
    if answer.header("permissions-policy").is_none() {
        found.add(&PERMISSIONS_POLICY_MISSING, url, "permissions-policy", "");
    }
    // The last word that a browser knows counts.
    match answer.header("referrer-policy").or(page.document.referrer.as_deref()).map(|value| value.rsplit(',').next().unwrap_or_default().trim()) {
        None => found.add(&REFERRER_POLICY_MISSING, url, "referrer-policy", ""),
        Some(value @ ("unsafe-url" | "no-referrer-when-downgrade")) => found.add(&REFERRER_POLICY_UNSAFE, url, "referrer-policy", value),
        Some(_) => {}
    }
}

/// Whether a number with a dot stands in it, such as `nginx/1.25.3` or `4.0.30319`.
fn has_version(value: &str) -> bool {
    value.as_bytes().windows(3).any(|three| three[0].is_ascii_digit() && three[1] == b'.' && three[2].is_ascii_digit())
        || value.split('/').skip(1).any(|rest| rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit()))
}

fn is_lasting(value: &str) -> bool {
    let directive = |part: &str| {
        let (name, seconds) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("max-age").then(|| seconds.trim().trim_matches('"').parse::<u64>().unwrap_or(0))
    };
    value.split(';').find_map(directive).is_some_and(|seconds| seconds > 0)
}

fn cors(page: &Page, found: &mut Findings) {
    let answer = &page.answer;
    let credentials = answer.header("access-control-allow-credentials").is_some_and(|value| value.trim() == "true");
    match answer.header("access-control-allow-origin").map(str::trim) {
        Some("*") if credentials => found.add(&CORS_WILDCARD_CREDENTIALS, &answer.url, "access-control-allow-origin", ""),
        Some("null") => found.add(&CORS_NULL, &answer.url, "access-control-allow-origin", ""),
        _ => {}
    }
}

/// Pages that are one user's. Files of the application are everybody's, whatever they were asked for with.
fn cache(page: &Page, found: &mut Findings) {
    let answer = &page.answer;
    let session = answer.all("set-cookie").any(|cookie| is_session(cookie.split('=').next().unwrap_or_default().trim()));
    if !answer.is_success() || !matches!(page.kind, Kind::Html | Kind::Text) || !(session || page.authorized) {
        return;
    }
    let directives = answer.all("cache-control").collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let has = |wanted: &[&str]| directives.split(',').any(|directive| wanted.contains(&directive.split('=').next().unwrap_or_default().trim()));
    let kept = if has(&["public", "s-maxage"]) { "it is public for caches" } else { "it does not say what caches may do" };
    if has(&["public", "s-maxage"]) || !has(&["no-store", "private", "no-cache"]) {
        found.add(&CACHE_PRIVATE_PAGE, &answer.url, "cache-control", kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        for value in ["nginx/1.25.3", "PHP/8", "4.0.30319", "Apache/2.4 (Debian)"] {
            assert!(has_version(value), "{value}");
        }
        for value in ["nginx", "Express", "cloudflare", "Next.js", "gunicorn/", "h2o"] {
            assert!(!has_version(value), "{value}");
        }
        assert!(is_lasting("includeSubDomains; MAX-AGE=\"63072000\"") && !is_lasting("max-age=0") && !is_lasting("preload"));
    }
}
