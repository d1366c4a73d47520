//! How long a host wants us to wait.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use std::time::Duration;

/// The wait that a refusal asks for; none when it is not about a rate limit.
///
/// Rules: GitHub's "Rate limits for the REST API" (primary: nothing remains until the reset; secondary: `Retry-After`, else a minute),
/// GitLab's "User and IP rate limits" (`Retry-After`, else `RateLimit-Reset`; both may be missing).
pub(crate) fn wait(status: StatusCode, headers: &HeaderMap, body: &[u8], now: jiff::Timestamp) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::FORBIDDEN | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let until = |epoch: i64| Duration::from_secs(u64::try_from(epoch.saturating_sub(now.as_second())).unwrap_or(0).saturating_add(1));
    if let Some(after) = header("retry-after").and_then(|value| retry_after(value, now)) {
        return Some(after);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    // A clock that is wrong on either side must not make us wait for years or not at all.
    let reset = |name| header(name).and_then(|value| value.parse::<i64>().ok()).map(until);
    if header("x-ratelimit-remaining") == Some("0")
        && let Some(wait) = reset("x-ratelimit-reset")
    {
        return Some(wait);
    }
    if status == StatusCode::TOO_MANY_REQUESTS
        && let Some(wait) = reset("ratelimit-reset")
    {
        return Some(wait);
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]).to_lowercase();
    let secondary = header("gh-limited-by").is_some()
        || ["secondary rate limit", "abuse detection", "abuse-rate-limits", "secondary-rate-limits"].iter().any(|words| text.contains(words));
    if secondary {
        return Some(Duration::from_secs(60));
    }
    // Without any header the caller's own growing pause has to do.
    (status == StatusCode::TOO_MANY_REQUESTS).then_some(Duration::from_secs(2))
}

/// Seconds, or a date (<https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>).
fn retry_after(value: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::from_secs(u64::try_from(date.as_second() - now.as_second()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_form_of_a_limit() {
        let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let epoch = (now.as_second() + 30).to_string();
        let (many, forbidden) = (StatusCode::TOO_MANY_REQUESTS, StatusCode::FORBIDDEN);
        let seconds = |status, pairs: &[(&'static str, &str)], body: &str| wait(status, &headers(pairs), body.as_bytes(), now).map(|wait| wait.as_secs());
        assert_eq!(seconds(many, &[("retry-after", "7")], ""), Some(7));
        assert_eq!(seconds(forbidden, &[("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT")], ""), Some(9));
        assert_eq!(seconds(forbidden, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &epoch)], ""), Some(31));
        assert_eq!(seconds(many, &[("ratelimit-reset", &epoch)], "Retry later"), Some(31));
        assert_eq!(seconds(many, &[], "Retry later"), Some(2));
        assert_eq!(seconds(forbidden, &[("x-ratelimit-remaining", "41")], "{\"message\":\"You have exceeded a secondary rate limit\"}"), Some(60));
        assert_eq!(seconds(forbidden, &[("gh-limited-by", "x")], ""), Some(60));
        // A permission that is missing is no limit, whatever remains of one.
        assert_eq!(seconds(forbidden, &[("x-ratelimit-remaining", "41"), ("x-ratelimit-reset", &epoch)], "{\"message\":\"Resource not accessible\"}"), None);
        assert_eq!(seconds(StatusCode::SERVICE_UNAVAILABLE, &[("retry-after", "1")], ""), Some(1));
        assert_eq!(seconds(StatusCode::SERVICE_UNAVAILABLE, &[], ""), None);
        assert_eq!(seconds(many, &[("ratelimit-reset", "yesterday"), ("retry-after", "soon")], ""), Some(2));
        assert_eq!(seconds(many, &[("ratelimit-reset", "1")], ""), Some(1));
    }
}
