//! Probes: only when they are asked for, and only where a parameter was seen.

use crate::server::{SAFE, Server, answer, finding, html, rules, safe_but, scan, settings};
use axum::extract::Request;
use kiwi_core::domain::Severity;
use kiwi_scan::dast::Settings;

fn parameter(request: &Request, name: &str) -> String {
    let query = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn encoded(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A site that does everything wrong.
fn careless(request: &Request) -> axum::response::Response {
    match request.uri().path() {
        "/" => html(
            "<form action=/find><input name=q></form><form action=/safe><input name=q></form><form action=/attribute><input name=v></form>\
                     <a href='/go?next=/x'>go</a><a href='/stay?next=/x'>stay</a><a href=/api>api</a>",
        ),
        "/find" => html(format!("<p>Nothing for {}</p>", parameter(request, "q"))),
        "/safe" => html(format!("<p>Nothing for {}</p>", encoded(&parameter(request, "q")))),
        "/attribute" => html(format!("<input value=\"{}\">", parameter(request, "v").replace('<', "&lt;").replace('>', "&gt;"))),
        "/go" => answer(302, &[("location", &parameter(request, "next"))], ""),
        "/stay" => answer(302, &[("location", &format!("/x?from={}", parameter(request, "next")))], ""),
        "/x" => html("x"),
        "/api" => {
            let origin = request.headers().get("origin").and_then(|origin| origin.to_str().ok()).unwrap_or("https://friend.test").to_owned();
            let origin: &'static str = Box::leak(origin.into_boxed_str());
            answer(
                200,
                &safe_but(&[("content-type", "application/json"), ("access-control-allow-origin", origin), ("access-control-allow-credentials", "true")]),
                "{}",
            )
        }
        _ => answer(404, SAFE, "none"),
    }
}

#[tokio::test]
async fn probes_find_what_comes_back() {
    let server = Server::start(careless).await;
    let report = scan(&server.url(), Settings { probe: true, ..settings() }).await;
    let found: Vec<_> = report.findings.iter().map(|found| (found.rule.as_str(), found.path.as_deref().unwrap(), found.severity)).collect();
    assert_eq!(
        found,
        [
            ("cors-reflected-origin", "/api", Severity::High),
            ("reflected-input", "/attribute", Severity::High),
            ("reflected-input", "/find", Severity::High),
            ("open-redirect", "/go", Severity::Medium),
        ]
    );
    assert!(finding(&report, "reflected-input").message.contains(": v"));
    assert!(server.asked().iter().all(|request| request.starts_with("GET ")));
    // The marker is another one each time, the finding is the same.
    let again = scan(&server.url(), Settings { probe: true, ..settings() }).await;
    assert_eq!(again.findings, report.findings);
}

#[tokio::test]
async fn nothing_is_probed_unasked() {
    let server = Server::start(careless).await;
    let report = scan(&server.url(), settings()).await;
    assert_eq!(rules(&report), [].into());
    assert!(!server.asked().iter().any(|request| request.contains("kiwi-probe") || request.contains("%3C")));
}
