//! Servers that mean harm: a scan of them ends, says so, and keeps little in memory.

use crate::server::{SAFE, Server, answer, html, scan, settings};
use kiwi_core::domain::{Gate, ScanReport, ScanStatus};
use kiwi_scan::dast::Settings;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that answers every connection with bytes, again and again.
async fn raw(first: &'static [u8], again: &'static [u8], pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let mut sent = stream.write_all(first).await;
                // Without more the connection stays open and silent.
                while sent.is_ok() && !again.is_empty() {
                    sent = stream.write_all(again).await;
                    tokio::time::sleep(pause).await;
                }
                if sent.is_ok() {
                    tokio::time::sleep(Duration::from_secs(600)).await;
                }
            });
        }
    });
    address
}

/// With a time for each answer in which this machine, however busy, gives one that is complete.
async fn quick(url: &str) -> ScanReport {
    within(url, Duration::from_secs(5)).await
}

async fn within(url: &str, timeout: Duration) -> ScanReport {
    let settings = Settings { timeout, largest_body: 100_000, most_pages: 40, deadline: Duration::from_secs(40), ..settings() };
    let begun = Instant::now();
    let report = scan(url, settings).await;
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
    report
}

/// It was not looked at, and nobody may take it for safe.
fn refuses(report: &ScanReport, why: &str) {
    let decision = Gate::default().decide(std::slice::from_ref(report), &[].into());
    assert!(decision.status != ScanStatus::Passed && !decision.pass && decision.reasons.join("\n").contains(why), "{why}: {:#?}", decision.reasons);
}

#[tokio::test]
async fn who_never_answers_is_incomplete() {
    let unused = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    refuses(&quick(&format!("http://{unused}/")).await, "cannot be reached");
    refuses(&quick("http://nobody.invalid/").await, "was not found");
    for (first, again, pause, why) in [
        (&b""[..], &b""[..], 0, "no whole answer within"),
        (b"HTTP/1.1 200 OK\r\nx-", b"a", 50, "no whole answer within"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000000\r\n\r\n<p>", b"a", 50, "no whole answer within"),
        (b"SSH-2.0-OpenSSH\r\n", b"", 0, "did not answer"),
        (
            b"HTTP/1.1 200 OK\r\n",
            b"x-more: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
            0,
            "did not answer",
        ),
    ] {
        let address = raw(first, again, Duration::from_millis(pause)).await;
        let report = within(&format!("http://{address}/"), Duration::from_millis(500)).await;
        assert!(report.incomplete.is_some(), "{report:#?}");
        refuses(&report, why);
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held: Vec<TcpStream> = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if held.is_empty() {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let body: String = (0..100).map(|n| format!("<a href=/{n}>x</a>")).collect();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(head.as_bytes()).await;
            }
            held.push(stream);
        }
    });
    refuses(&within(&format!("http://{address}/"), Duration::from_secs(2)).await, "requests in a row had no answer");
}

#[tokio::test]
async fn bodies_without_end_are_cut() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n";
    let address = raw(head, &[b'<'; 65536], Duration::ZERO).await;
    refuses(&quick(&format!("http://{address}/")).await, "only its first");
    let packed = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-encoding: gzip\r\n\r\n";
    let address = raw(packed, &[0; 65536], Duration::ZERO).await;
    refuses(&quick(&format!("http://{address}/")).await, "compressed");
}

#[tokio::test]
async fn traps_end() {
    let redirects = Server::start(|request| {
        let number: u64 = request.uri().path().trim_start_matches("/r").parse().unwrap_or(0);
        answer(302, &[("location", &format!("/r{}", number + 1))], "")
    })
    .await;
    refuses(&quick(&redirects.url()).await, "more than 8 steps");
    let circle = Server::start(|_| answer(302, &[("location", "/")], "")).await;
    refuses(&quick(&circle.url()).await, "302");
    let links = Server::start(|request| {
        let path = request.uri().path().len();
        html((0..6000).map(|n| format!("<a href=/trap-{path}-{n}x{}>x</a>", "y".repeat(path % 50))).collect::<String>())
    })
    .await;
    let settings = Settings { most_pages: 25, ..settings() };
    refuses(&scan(&links.url(), settings).await, "limit of 25 pages");
    for (status, body) in [(200, ""), (204, ""), (206, "<html>")] {
        let empty = Server::start(move |_| answer(status, SAFE, body)).await;
        refuses(&quick(&empty.url()).await, "with success and content");
    }
    let maps = Server::start(|request| match request.uri().path() {
        "/" => html("welcome"),
        "/sitemap.xml" => answer(
            200,
            &[("content-type", "application/xml")],
            format!("<sitemapindex>{}</sitemapindex>", (0..30).map(|n| format!("<loc>/map{n}.xml</loc>")).collect::<String>()),
        ),
        _ => answer(404, SAFE, "none"),
    })
    .await;
    let skipped = quick(&maps.url()).await.coverage.skipped;
    assert!(skipped.iter().any(|one| one.path.ends_with(" sitemaps") && one.reason.starts_with("only ")), "{skipped:?}");
    // One that turns everybody away from all but its front.
    for status in [429, 503] {
        let front = Server::start(move |request| if request.uri().path() == "/" { html("welcome") } else { answer(status, SAFE, "later") }).await;
        let report = quick(&front.url()).await;
        let told = format!("it answered {status}");
        assert!(report.coverage.skipped.iter().any(|one| one.path.contains("usual places") && one.reason == told), "{:?}", report.coverage.skipped);
    }
    let failing = Server::start(|_| answer(503, SAFE, "later")).await;
    refuses(&quick(&failing.url()).await, "503");
}

#[tokio::test]
async fn broken_pages_are_read_as_far_as_they_go() {
    let server = Server::start(|request| match request.uri().path() {
        "/" => html(format!("<a href=/deep>1</a><a href=/bytes>2</a><a href=/nul>3</a><a href=/wide>4</a>{}", "<".repeat(1000))),
        "/wide" => html("\u{feff}<a href=/far>x</a>".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
        "/deep" => html(format!("{}<a href=/below>x</a>", "<div><b><table>".repeat(100_000))),
        "/bytes" => html(vec![0xff, 0x80, b'<', b'a', b' ', b'h', b'r', b'e', b'f', b'=', b'/', b'b', b'2', b'>', 0x80]),
        "/nul" => html(format!("<a href='/n{}ul'>\0\0</a><a {}>", '\0', "x=y ".repeat(20_000))),
        "/below" | "/b2" | "/far" => html("found"),
        _ => answer(404, SAFE, "none"),
    })
    .await;
    let report = scan(&server.url(), settings()).await;
    assert_eq!(report.coverage.skipped, []);
    for path in ["/below", "/b2", "/nul", "/far"] {
        assert!(report.coverage.read.contains(&path.to_owned()), "{path}: {:?}", report.coverage.read);
    }
}
