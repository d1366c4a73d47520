//! What is asked, and what never is.

use crate::server::{SAFE, Server, answer, html, rules, safe_but, scan, settings};
use kiwi_core::error::ErrorKind;
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_core::secret::SecretString;
use kiwi_scan::dast::{DastScanner, Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[tokio::test]
async fn everything_of_one_origin_is_read_and_nothing_else() {
    let other = Server::start(|_| html("other")).await;
    let elsewhere = other.url();
    let server = Server::start(move |request| match request.uri().path() {
        "/" => html(format!(
            "<a href=/one>1</a><a href={elsewhere}>x</a><script src={elsewhere}x.js integrity=a></script><iframe src={elsewhere}></iframe><a href=/away>y</a>\
             <link rel=stylesheet href=/s.css><img src=/i.png><form action=/find><input name=q><input name=page value=2></form>\
             <form action=/post method=post><input name=z></form><a href=/logout>bye</a><a href='/items/1/delete'>x</a><form action={elsewhere}></form>"
        )),
        "/away" => answer(302, &[("location", elsewhere.as_str())], ""),
        "/one" => answer(302, &[("location", "/two")], ""),
        "/robots.txt" => {
            answer(200, &[("content-type", "text/plain")], format!("User-agent: *\nDisallow: /hidden\nSitemap: {elsewhere}s.xml\nSitemap: /map.xml"))
        }
        "/map.xml" => answer(200, &[("content-type", "text/xml")], format!("<urlset><loc>/mapped</loc><loc>{elsewhere}mapped</loc></urlset>")),
        "/two" | "/find" | "/hidden" | "/mapped" => html("page"),
        "/s.css" => answer(200, &safe_but(&[("content-type", "text/css")]), "p {}"),
        "/i.png" => answer(200, &safe_but(&[("content-type", "image/png")]), vec![0; 100]),
        _ => answer(404, SAFE, "none"),
    })
    .await;
    let report = scan(&server.url(), Settings { probe: true, ..settings() }).await;
    let asked = server.asked();
    for wanted in ["/two", "/find?q=kiwi&page=2", "/hidden", "/mapped", "/s.css", "/i.png"] {
        assert!(asked.contains(&format!("GET {wanted}")), "{wanted}: {asked:#?}");
    }
    assert!(asked.iter().all(|request| request.starts_with("GET ") && !request.contains("logout") && !request.contains("delete") && !request.contains("post")));
    assert_eq!(other.asked(), Vec::<String>::new(), "another origin is never asked");
    assert_eq!((report.incomplete.as_deref(), report.coverage.skipped.as_slice()), (None, &[][..]));
    assert!(report.coverage.read.contains(&"/two".to_owned()), "{:?}", report.coverage);
    let notes = report.notes.join("\n");
    assert!(notes.contains("/logout") && notes.contains(&format!("http://{}", other.address)) && notes.contains("1 forms"), "{notes}");
    assert_eq!(rules(&report), [].into());
}

#[tokio::test]
async fn an_origin_is_scheme_host_and_port() {
    let server = Server::start(|request| match request.uri().path() {
        "/" => answer(301, &[("location", &format!("http://localhost:{}/", request.headers()["host"].to_str().unwrap().rsplit(':').next().unwrap()))], ""),
        _ => answer(404, SAFE, "none"),
    })
    .await;
    let report = scan(&server.url(), settings()).await;
    assert!(report.incomplete.as_ref().unwrap().contains("http://localhost:"), "{report:#?}");
    // A name leads to where it was resolved first, or where the user says.
    let addresses = vec![server.address.ip()];
    let named = scan(&format!("http://shop.invalid:{}/x", server.address.port()), Settings { addresses, ..settings() }).await;
    assert!(named.incomplete.unwrap().contains("404"));
}

#[tokio::test]
async fn operations_of_openapi_are_asked() {
    let document = "openapi: 3.0.3\npaths:\n  /items/{id}:\n    get: { parameters: [{ name: id, in: path, schema: { type: integer, minimum: 3 } }] }\n    delete: {}\n  /logout: { get: {} }\n";
    let serves = move |request: &axum::extract::Request| match request.uri().path() {
        "/" | "/items/3" => answer(200, &safe_but(&[("content-type", "application/json")]), "{}"),
        _ => answer(404, SAFE, "none"),
    };
    let server = Server::start(serves).await;
    let report = scan(&server.url(), Settings { openapi: Some(document.to_owned()), ..settings() }).await;
    assert!(server.asked().contains(&"GET /items/3".to_owned()) && report.coverage.read.contains(&"/items/3".to_owned()));
    assert!(!server.asked().iter().any(|request| request.contains("logout")));
    let found = Server::start(
        move |request| if request.uri().path() == "/openapi.yaml" { answer(200, &[("content-type", "text/yaml")], document) } else { serves(request) },
    )
    .await;
    let report = scan(&found.url(), settings()).await;
    assert!(found.asked().contains(&"GET /items/3".to_owned()) && report.notes.iter().any(|note| note.contains("/openapi.yaml")), "{report:#?}");
    let broken = DastScanner::new(Settings { openapi: Some("{}".to_owned()), ..settings() });
    let refused = broken.scan(&ScanTarget::Url(server.url().parse().unwrap())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn limits_are_kept_and_told() {
    let endless = || Server::start(|request| html((0..20).map(|n| format!("<a href=\"{}{n}/\">x</a>", request.uri().path())).collect::<String>()));
    let server = endless().await;
    let report = scan(&server.url(), Settings { most_pages: 30, ..settings() }).await;
    let crawled = |server: &Server| server.asked().iter().filter(|request| request.ends_with('/') && !request.contains("pprof")).count();
    assert_eq!(crawled(&server), 30);
    assert!(report.coverage.skipped.iter().any(|skipped| skipped.reason.contains("limit of 30 pages")), "{:?}", report.coverage.skipped);
    let shallow = endless().await;
    let report = scan(&shallow.url(), Settings { depth: 1, ..settings() }).await;
    assert_eq!(crawled(&shallow), 21);
    assert!(report.coverage.skipped.iter().any(|skipped| skipped.reason.contains("more than 1 steps")), "{:?}", report.coverage.skipped);
    let slow = endless().await;
    let begun = Instant::now();
    let report = scan(&slow.url(), Settings { requests_per_second: 10, deadline: Duration::from_secs(2), ..Settings::default() }).await;
    assert!((1..=21).contains(&slow.asked().len()), "{} requests in 2 s", slow.asked().len());
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(report.coverage.skipped.iter().filter(|skipped| skipped.reason.contains("time for the scan")).count() >= 2, "{:?}", report.coverage.skipped);
}

#[tokio::test]
async fn secret_headers_are_sent_and_never_shown() {
    let secret = "Bearer s3cret-of-the-user";
    let echo = Server::start(move |request| match request.headers().get("authorization") {
        Some(value) if value == secret => {
            let value = value.to_str().unwrap();
            answer(
                200,
                &safe_but(&[("cache-control", "")]),
                format!("<a href=\"/echo/{value}\">x</a><form method=get action='/f?{value}'><input type=password name=p>"),
            )
        }
        _ => answer(401, SAFE, "sign in"),
    })
    .await;
    let with = Settings { headers: vec![("Authorization".to_owned(), SecretString::from(secret))], probe: true, depth: 2, ..settings() };
    assert!(!format!("{:?}", DastScanner::new(with.clone())).contains("s3cret"));
    let report = scan(&echo.url(), with).await;
    assert!(rules(&report).is_superset(&["cache-private-page", "password-by-get"].into()), "{report:#?}");
    assert!(!format!("{report:?}").contains("s3cret") && !serde_json::to_string(&report).unwrap().contains("s3cret"), "{report:#?}");
    let without = scan(&echo.url(), settings()).await;
    assert!(without.incomplete.unwrap().contains("401"), "a page that wants a sign-in says nothing of what is behind");
    let malformed = Settings { headers: vec![("Authorization".to_owned(), SecretString::from("s3cret\nx"))], ..settings() };
    let refused = DastScanner::new(malformed).scan(&ScanTarget::Url(echo.url().parse().unwrap())).await.unwrap_err();
    assert!(refused.kind() == ErrorKind::InvalidInput && !refused.chain().to_string().contains("s3cret"));
}

#[tokio::test]
async fn progress_is_told() {
    let server =
        Server::start(|request| if request.uri().path().len() < 4 { html("<a href=/a>a</a><a href=/b>b</a>") } else { answer(404, SAFE, "none") }).await;
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let scanner = DastScanner::new(settings()).on_progress(move |progress| {
        seen.fetch_max(progress.read, Ordering::SeqCst);
    });
    assert!(!scanner.supports(&ScanTarget::Tree(".".into())));
    scanner.scan(&ScanTarget::Url(server.url().parse().unwrap())).await.unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_address_that_cannot_be_scanned_is_refused() {
    for address in ["ftp://shop.test/", "file:///etc", "http://user:word@shop.test/", "data:text/html,x"] {
        let refused = DastScanner::new(settings()).scan(&ScanTarget::Url(address.parse().unwrap())).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{address}");
        assert!(!refused.to_string().contains("word@"), "{refused}");
    }
    let tree = DastScanner::new(settings()).scan(&ScanTarget::Tree(".".into())).await.unwrap_err();
    assert_eq!(tree.kind(), ErrorKind::Unsupported);
}
