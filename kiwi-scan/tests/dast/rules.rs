//! Each rule, with a server that breaks it and one that does not.

use crate::server::{SAFE, Server, answer, finding, html, rules, safe_but, scan, settings};
use kiwi_core::domain::{ScanKind, Severity};
use kiwi_scan::dast::{Settings, rules as all_rules};
use std::collections::BTreeSet;

/// What the page at `/` breaks.
async fn broken(headers: &[(&'static str, &'static str)], body: &'static str) -> BTreeSet<String> {
    let headers = safe_but(headers);
    let server = Server::start(move |request| if request.uri().path() == "/" { answer(200, &headers, body) } else { answer(404, SAFE, "none") }).await;
    let report = scan(&server.url(), settings()).await;
    assert_eq!((report.incomplete.as_deref(), report.coverage.skipped.len()), (None, 0), "{report:#?}");
    rules(&report).into_iter().map(str::to_owned).collect()
}

async fn expect(headers: &[(&'static str, &'static str)], body: &'static str, wanted: &[&str]) {
    let found = broken(headers, body).await;
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), wanted, "{headers:?} {body}");
}

#[tokio::test]
async fn a_safe_page_has_nothing() {
    expect(&[], "<title>Shop</title><p>Welcome", &[]).await;
    expect(&[("server", "nginx"), ("x-powered-by", "Express")], "<form method=post><input type=password name=p></form>", &[]).await;
}

#[tokio::test]
async fn headers() {
    let bare: Vec<(&str, &str)> = SAFE.iter().filter(|(name, _)| *name != "content-type").map(|(name, _)| (*name, "")).collect();
    let all = ["content-type-options-missing", "csp-missing", "frame-options-missing", "permissions-policy-missing", "referrer-policy-missing"];
    expect(&bare, "<p>", &all).await;
    let policy = "content-security-policy";
    for (value, wanted) in [
        ("script-src 'self' 'unsafe-inline'; frame-ancestors 'none'", &["csp-unsafe-inline"][..]),
        ("script-src 'self' 'unsafe-eval'; frame-ancestors 'none'", &["csp-unsafe-eval"]),
        ("default-src *; frame-ancestors 'none'", &["csp-wildcard"]),
        ("frame-ancestors 'none'", &["csp-wildcard"]),
        ("default-src 'self'", &["frame-options-missing"]),
        ("script-src 'nonce-a' 'unsafe-inline' 'strict-dynamic' https:; frame-ancestors 'self'", &[]),
    ] {
        expect(&[(policy, value)], "<p>", wanted).await;
    }
    expect(&[(policy, "default-src 'self'"), ("x-frame-options", "SAMEORIGIN")], "<p>", &[]).await;
    expect(&[(policy, ""), ("x-frame-options", "DENY")], "<meta http-equiv=Content-Security-Policy content=\"default-src 'self'\">", &[]).await;
    expect(&[("referrer-policy", "unsafe-url")], "<p>", &["referrer-policy-unsafe"]).await;
    expect(&[("x-content-type-options", "")], "<p>", &["content-type-options-missing"]).await;
    for (name, value) in [("server", "nginx/1.25.3"), ("x-powered-by", "PHP/8.2"), ("x-aspnet-version", "4.0.30319")] {
        expect(&[(name, value)], "<p>", &["version-disclosure"]).await;
    }
}

#[tokio::test]
async fn cookies_and_caches() {
    let cookie = "set-cookie";
    expect(&[(cookie, "session=abc; HttpOnly; SameSite=Lax")], "<p>", &[]).await;
    expect(&[(cookie, "session=abc; SameSite=Lax")], "<p>", &["cookie-without-httponly"]).await;
    expect(&[(cookie, "theme=dark")], "<p>", &["cookie-without-samesite"]).await;
    expect(&[(cookie, "csrftoken=abc; SameSite=Strict")], "<p>", &[]).await;
    expect(&[(cookie, "session=; Max-Age=0")], "<p>", &[]).await;
    let session = (cookie, "session=abc; HttpOnly; SameSite=Lax");
    expect(&[session, ("cache-control", "public, max-age=60")], "<p>", &["cache-private-page"]).await;
    expect(&[session, ("cache-control", "")], "<p>", &["cache-private-page"]).await;
    expect(&[("cache-control", "public, max-age=60")], "<p>", &[]).await;
    // Names that are not this machine's, at an address of this machine.
    let server = Server::page(&[("set-cookie", "theme=x; SameSite=None; Domain=shop.test"), ("content-type", "text/html")], "<input type=password>").await;
    let named = |host| {
        let url = format!("http://{host}:{}/", server.address.port());
        let addresses = vec![server.address.ip()];
        async move { scan(&url, Settings { addresses, ..settings() }).await }
    };
    let report = named("www.shop.test").await;
    assert!(rules(&report).is_superset(&["cookie-samesite-none-insecure", "cookie-wide-domain", "password-over-http"].into()), "{report:#?}");
    let report = named("shop.test").await;
    assert!(!rules(&report).contains("cookie-wide-domain"), "its own name is not too wide");
}

#[tokio::test]
async fn origins() {
    let (origin, credentials) = ("access-control-allow-origin", ("access-control-allow-credentials", "true"));
    expect(&[(origin, "*"), credentials], "<p>", &["cors-wildcard-with-credentials"]).await;
    expect(&[(origin, "null")], "<p>", &["cors-null-origin"]).await;
    expect(&[(origin, "*")], "<p>", &[]).await;
    expect(&[(origin, "https://friend.test"), credentials], "<p>", &[]).await;
}

#[tokio::test]
async fn contents() {
    expect(&[], "<form action=/in><input type=password name=p></form>", &["password-by-get"]).await;
    expect(&[], "<script src=https://cdn.test/x.js></script>", &["integrity-missing"]).await;
    expect(&[], "<script src=https://cdn.test/x.js integrity=sha384-x crossorigin></script>", &[]).await;
    expect(&[], "<title>Index of /files</title><pre><a href=\"../\">../</a></pre>", &["directory-listing"]).await;
    expect(&[], "<title>Index of /files</title><p>A chapter about directories", &[]).await;
    expect(&[], "<pre>Traceback (most recent call last):\n  File &quot;/srv/a.py&quot;, line 3, in x</pre>", &["error-stack-trace"]).await;
    expect(&[], "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right", &["error-sql"]).await;
    expect(&[], "Our guide explains tracebacks and SQL syntax errors.", &[]).await;
}

#[tokio::test]
async fn errors_count_whatever_their_status_and_type() {
    let server = Server::start(|request| match request.uri().path() {
        "/" => html("<a href=/fails>x</a>"),
        "/fails" => answer(500, &[("content-type", "application/json")], r#"{"error":"Error: boom\n    at get (/srv/app/index.js:10:5)"}"#),
        _ => answer(404, SAFE, "none"),
    })
    .await;
    let report = scan(&server.url(), settings()).await;
    let found = finding(&report, "error-stack-trace");
    assert_eq!((found.path.as_deref(), found.severity, found.cwe.as_slice(), found.kind), (Some("/fails"), Severity::Medium, &[209][..], ScanKind::Dast));
    assert!(found.message.contains("Node.js") && found.url.is_some());
}

#[tokio::test]
async fn a_source_map_is_told_when_it_is_there() {
    for (map, wanted) in [("{\"version\":3,\"sources\":[\"a.ts\"]}", true), ("<html>first page</html>", false)] {
        let server = Server::start(move |request| match request.uri().path() {
            "/" => html("<script src=/a.js></script>"),
            "/a.js" => answer(200, &safe_but(&[("content-type", "text/javascript")]), "let a;\n//# sourceMappingURL=a.js.map\n"),
            "/a.js.map" => answer(200, SAFE, map),
            _ => answer(404, SAFE, "none"),
        })
        .await;
        let report = scan(&server.url(), settings()).await;
        assert_eq!(rules(&report).contains("source-map"), wanted, "{report:#?}");
    }
}

#[tokio::test]
async fn what_should_not_be_public_is_known_by_its_content() {
    let files: [(&str, &[u8], &str); 13] = [
        ("/.git/HEAD", b"ref: refs/heads/main\n", "exposed-git"),
        ("/.env", b"# production\nDATABASE_URL=postgres://x\nexport DEBUG=1\n", "exposed-env"),
        ("/.svn/entries", b"12\n", "exposed-svn"),
        ("/.svn/wc.db", b"SQLite format 3\0more", "exposed-svn"),
        ("/.DS_Store", b"\0\0\0\x01Bud1\0\0", "exposed-ds-store"),
        ("/.htpasswd", b"shop:$apr1$abc$def\n", "exposed-htpasswd"),
        ("/server-status", b"<h1>Apache Server Status for shop</h1><dt>Server uptime: 1 day", "exposed-server-status"),
        ("/actuator/env", b"{\"activeProfiles\":[],\"propertySources\":[]}", "exposed-actuator-env"),
        ("/debug/pprof/", b"<title>/debug/pprof/</title>Types of profiles available: <a href='goroutine?debug=1'>", "exposed-pprof"),
        ("/phpinfo.php", b"<title>PHP 8.2 - phpinfo()</title><h1>PHP Version 8.2</h1>", "exposed-phpinfo"),
        ("/backup.sql", b"-- dump\nCREATE TABLE users (id int);", "exposed-backup"),
        ("/backup.zip", b"PK\x03\x04\x14\0", "exposed-backup"),
        ("/shop.php.bak", b"<?php $password = 'x';", "exposed-backup"),
    ];
    let server = Server::start(move |request| match request.uri().path() {
        "/" => html("<a href=/shop.php>shop</a>"),
        "/shop.php" => html("shop"),
        path => match files.iter().find(|(file, ..)| *file == path) {
            Some((_, content, _)) => answer(200, &[], *content),
            None => answer(404, SAFE, "none"),
        },
    })
    .await;
    let report = scan(&server.url(), settings()).await;
    for (path, _, rule) in files {
        assert!(report.findings.iter().any(|found| found.rule == rule && found.path.as_deref() == Some(path)), "{path}");
    }
    // An application that answers everything with its first page has none of them, whatever that page is.
    for everything in ["<!doctype html><title>Shop</title><div id=app></div>", "A=1\n", "12\n", "{\"ok\":true}"] {
        let server = Server::start(move |_| html(everything)).await;
        let report = scan(&server.url(), settings()).await;
        assert!(!rules(&report).iter().any(|rule| rule.starts_with("exposed-")), "{everything}: {report:#?}");
    }
}

#[tokio::test]
async fn a_header_is_told_once_for_the_site() {
    let server = Server::start(|request| match request.uri().path() {
        "/" => answer(200, &safe_but(&[("content-security-policy", "")]), "<a href=/a>a</a><a href=/b>b</a>"),
        "/a" | "/b" => answer(200, &safe_but(&[("content-security-policy", "")]), "more"),
        _ => answer(404, SAFE, "none"),
    })
    .await;
    let report = scan(&server.url(), settings()).await;
    let found: Vec<_> = report.findings.iter().filter(|found| found.rule == "csp-missing").collect();
    assert_eq!((found.len(), found[0].path.as_deref(), found[0].line), (1, Some("/"), None));
    assert!(found[0].message.contains("(3 times)"), "{}", found[0].message);
    // Another port is the same site.
    let other = Server::start(|_| answer(200, &safe_but(&[("content-security-policy", "")]), "one page")).await;
    let again = scan(&other.url(), settings()).await;
    assert_eq!(finding(&again, "csp-missing").fingerprint, found[0].fingerprint);
    let known: BTreeSet<&str> = all_rules().iter().map(|rule| rule.id).collect();
    assert!(rules(&report).is_subset(&known) && known.len() > 40);
}
