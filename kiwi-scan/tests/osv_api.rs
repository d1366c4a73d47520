//! OSV's API as a second source of records: a real server that pages, is busy, slow, broken, or lies.

#![cfg(feature = "sca")]
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use kiwi_core::domain::{Baseline, Gate, ScanReport, ScanStatus};
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_scan::sca::osv::{OsvApi, Settings, update};
use kiwi_scan::sca::{Ecosystem, ScaScanner};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Answers otherwise than OSV would: given how many requests came before, and the path.
type Fault = dyn Fn(usize, &str) -> Option<Response> + Send + Sync;

/// OSV's API over these records, with two ids a page.
struct Osv {
    url: String,
    records: Mutex<BTreeMap<String, Value>>,
    /// The bodies of the batches.
    batches: Mutex<Vec<Value>>,
    /// The ids that were fetched.
    fetched: Mutex<Vec<String>>,
    requests: AtomicUsize,
    /// Requests at one time, and the most that there were.
    flight: (AtomicUsize, AtomicUsize),
    fault: Box<Fault>,
}

impl Osv {
    async fn start(records: &[Value], fault: impl Fn(usize, &str) -> Option<Response> + Send + Sync + 'static) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let osv = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            records: Mutex::new(records.iter().map(|record| (record["id"].as_str().unwrap().to_owned(), record.clone())).collect()),
            batches: Mutex::default(),
            fetched: Mutex::default(),
            requests: AtomicUsize::new(0),
            flight: Default::default(),
            fault: Box::new(fault),
        });
        let server = osv.clone();
        let router = Router::new().fallback(move |request: Request| {
            let server = server.clone();
            async move {
                let now = server.flight.0.fetch_add(1, Ordering::SeqCst) + 1;
                server.flight.1.fetch_max(now, Ordering::SeqCst);
                let response = server.answer(request).await;
                server.flight.0.fetch_sub(1, Ordering::SeqCst);
                response
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        osv
    }

    async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        assert!(request.headers().iter().all(|(name, _)| ["host", "user-agent", "accept", "content-type", "content-length"].contains(&name.as_str())));
        let body = to_bytes(request.into_body(), 64 << 20).await.unwrap();
        if let Some(fault) = (self.fault)(self.requests.fetch_add(1, Ordering::SeqCst), &path) {
            return fault;
        }
        let records = self.records.lock().unwrap().clone();
        if let Some(id) = path.strip_prefix("/v1/vulns/") {
            self.fetched.lock().unwrap().push(id.to_owned());
            tokio::time::sleep(Duration::from_millis(20)).await;
            return records.get(id).map_or_else(|| answer(404, "{}"), |record| answer(200, record.to_string()));
        }
        assert_eq!(path, "/v1/querybatch");
        let batch: Value = serde_json::from_slice(&body).unwrap();
        self.batches.lock().unwrap().push(batch.clone());
        let results = batch["queries"].as_array().unwrap().iter().map(|query| {
            let named = records.values().filter(|record| record["affected"][0]["package"] == query["package"]);
            let begin: usize = query["page_token"].as_str().map_or(0, |token| token.parse().unwrap());
            let ids: Vec<Value> = named.map(|record| json!({ "id": record["id"], "modified": record["modified"] })).collect();
            match &ids[begin..] {
                [] => json!({}),
                rest if rest.len() > 2 => json!({ "vulns": rest[..2], "next_page_token": (begin + 2).to_string() }),
                rest => json!({ "vulns": rest }),
            }
        });
        answer(200, json!({ "results": results.collect::<Vec<_>>() }).to_string())
    }

    fn fetched(&self) -> Vec<String> {
        let mut fetched = std::mem::take(&mut *self.fetched.lock().unwrap());
        fetched.sort();
        fetched
    }

    /// `ECOSYSTEM NAME VERSION` of everything that was asked.
    fn asked(&self) -> BTreeSet<String> {
        let batches = self.batches.lock().unwrap();
        let queries = batches.iter().flat_map(|batch| batch["queries"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        queries.map(|query| format!("{} {} {}", text(&query["package"]["ecosystem"]), text(&query["package"]["name"]), text(&query["version"]))).collect()
    }

    /// Quick to give up.
    fn api(&self) -> OsvApi {
        let settings = Settings { timeout: Duration::from_millis(400), deadline: Duration::from_secs(5), pause: Duration::from_millis(20) };
        OsvApi::new(&self.url.parse().unwrap(), settings).unwrap()
    }
}

fn answer(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn record(id: &str, name: &str, rest: Value) -> Value {
    let mut record = json!({ "id": id, "modified": "2026-01-01T00:00:00Z", "summary": format!("trouble in {name}"), "database_specific": { "severity": "HIGH" },
        "affected": [{ "package": { "ecosystem": "npm", "name": name }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }] }] });
    record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    record
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn lock(packages: &[(&str, &str)]) -> String {
    let packages: serde_json::Map<String, Value> =
        packages.iter().map(|(name, version)| (format!("node_modules/{name}"), json!({ "version": version }))).collect();
    json!({ "lockfileVersion": 3, "packages": packages }).to_string()
}

/// A tree with a lockfile, and an empty database.
fn ground(packages: &[(&str, &str)]) -> (tempfile::TempDir, tempfile::TempDir) {
    let (tree, database) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(tree.path(), "package-lock.json", &lock(packages));
    (tree, database)
}

async fn scan(osv: &Osv, (tree, database): &(tempfile::TempDir, tempfile::TempDir)) -> ScanReport {
    ScaScanner::new(database.path()).with_api(osv.api()).scan(&ScanTarget::Tree(tree.path().to_owned())).await.unwrap()
}

fn status(report: &ScanReport) -> ScanStatus {
    Gate::default().decide(std::slice::from_ref(report), &Baseline::new()).status
}

fn rules(report: &ScanReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

fn skipped(report: &ScanReport) -> Vec<String> {
    report.coverage.skipped.iter().map(|skipped| format!("{}: {}", skipped.path, skipped.reason)).collect()
}

#[tokio::test]
async fn what_it_names_is_fetched_once_and_judged_like_the_local_copy() {
    let osv = Osv::start(
        &[
            record("GHSA-1", "left", json!({ "aliases": ["CVE-2026-1"] })),
            record("GHSA-2", "left", json!({ "withdrawn": "2026-01-01T00:00:00Z" })),
            record("SNYK-3", "left", json!({ "aliases": ["CVE-2026-1"], "database_specific": { "severity": "CRITICAL" } })),
            // It is named, but not about this version.
            record("GHSA-4", "left", json!({ "affected": [{ "package": { "ecosystem": "npm", "name": "left" }, "versions": ["9.9.9"] }] })),
            record("GHSA-5", "left", json!({})),
            record("GHSA-6", "right", json!({})),
        ],
        |_, _| None,
    )
    .await;
    let ground = ground(&[("left", "1.2.3"), ("right", "2.0.0"), ("middle", "1.0.0")]);
    let report = scan(&osv, &ground).await;
    assert_eq!(rules(&report), ["GHSA-1", "GHSA-5"], "{report:#?}");
    assert_eq!(report.findings[0].advisories, ["CVE-2026-1", "GHSA-1", "SNYK-3"]);
    assert_eq!((skipped(&report), status(&report)), (Vec::new(), ScanStatus::Failed));
    let host = osv.url.trim_start_matches("http://");
    assert_eq!(report.notes, [format!("{host}: asked about 3 versions; 6 records, 0 of them kept from before")]);
    assert_eq!(osv.fetched(), ["GHSA-1", "GHSA-2", "GHSA-4", "GHSA-5", "GHSA-6", "SNYK-3"], "three pages of left and one of right");
    let again = scan(&osv, &ground).await;
    assert_eq!((again.findings == report.findings, osv.fetched().len()), (true, 0));
    assert_eq!(again.notes, [format!("{host}: asked about 3 versions; 6 records, 6 of them kept from before")]);
    // What changed is fetched again, and what was kept badly.
    osv.records
        .lock()
        .unwrap()
        .insert("GHSA-1".to_owned(), record("GHSA-1", "left", json!({ "modified": "2026-02-01T00:00:00Z", "withdrawn": "2026-02-01T00:00:00Z" })));
    let kept = std::fs::read_dir(ground.1.path().join("api")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(kept.join("GHSA-5.json"), "{").unwrap();
    std::fs::write(kept.join("GHSA-6.json"), std::fs::read(kept.join("GHSA-4.json")).unwrap()).unwrap();
    assert_eq!(rules(&scan(&osv, &ground).await), ["SNYK-3", "GHSA-5"]);
    assert_eq!(osv.fetched(), ["GHSA-1", "GHSA-5", "GHSA-6"]);
}

#[tokio::test]
async fn both_sources_are_joined_and_the_newer_word_counts() {
    let osv = Osv::start(
        &[record("GHSA-1", "left", json!({ "withdrawn": "2026-01-01T00:00:00Z" })), record("GHSA-2", "left", json!({ "aliases": ["CVE-2026-2"] }))],
        |_, _| None,
    )
    .await;
    let ground = ground(&[("left", "1.2.3")]);
    let source = tempfile::tempdir().unwrap();
    for (index, own) in [record("GHSA-1", "left", json!({})), record("OWN-2", "left", json!({ "aliases": ["CVE-2026-2"] })), record("OWN-3", "left", json!({}))]
        .iter()
        .enumerate()
    {
        write(source.path(), &format!("npm/{index}.json"), &own.to_string());
    }
    update(ground.1.path(), &url::Url::from_directory_path(source.path()).unwrap(), Ecosystem::Npm, &|_| {}).unwrap();
    let report = scan(&osv, &ground).await;
    assert_eq!(rules(&report), ["GHSA-2", "OWN-3"]);
    assert_eq!(report.findings[0].advisories, ["CVE-2026-2", "GHSA-2", "OWN-2"]);
}

#[tokio::test]
async fn a_large_lockfile_is_asked_in_batches_and_few_records_at_once() {
    let records: Vec<Value> = (0..60).map(|index| record(&format!("GHSA-{index}"), &format!("p{index}"), json!({}))).collect();
    let osv = Osv::start(&records, |_, _| None).await;
    let names: Vec<String> = (0..2500).map(|index| format!("p{index}")).collect();
    let packages: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    let report = scan(&osv, &ground(&packages)).await;
    assert_eq!((report.findings.len(), skipped(&report)), (60, Vec::new()));
    let sizes: Vec<usize> = osv.batches.lock().unwrap().iter().map(|batch| batch["queries"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    let most = osv.flight.1.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most} at once");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let busy = |status: u16, after: &'static str| Response::builder().status(status).header("retry-after", after).body(Body::empty()).unwrap();
    let osv = Osv::start(&[record("GHSA-1", "left", json!({}))], move |count, _| match count {
        0 => Some(busy(429, "1")),
        1 => Some(answer(502, "")),
        3 => Some(busy(503, "1")),
        _ => None,
    })
    .await;
    let begun = Instant::now();
    let report = scan(&osv, &ground(&[("left", "1.2.3")])).await;
    assert_eq!((rules(&report), skipped(&report)), (vec!["GHSA-1"], Vec::new()));
    assert!(begun.elapsed() >= Duration::from_secs(2), "it came back after {:?}", begun.elapsed());
    // Longer than anybody waits.
    let osv = Osv::start(&[], move |_, _| Some(busy(429, "18446744073709551615"))).await;
    let report = scan(&osv, &ground(&[("left", "1.2.3")])).await;
    assert!(
        skipped(&report)[0].contains("429 Too Many Requests, and wants to be asked again after") && osv.requests.load(Ordering::SeqCst) == 1,
        "{report:#?}"
    );
    assert_eq!(status(&report), ScanStatus::Incomplete);
}

#[tokio::test]
async fn what_does_not_answer_or_lies_is_never_passed() {
    let endless = || Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 20])));
    let page = |id: &str, token: &str| json!({ "results": [{ "vulns": [{ "id": id }], "next_page_token": token }] }).to_string();
    let cases: Vec<(&str, Box<Fault>)> = vec![
        ("it answered 500 Internal Server Error, 4 times", Box::new(|_, _| Some(answer(500, "")))),
        ("it answered 404 Not Found", Box::new(|_, _| Some(answer(404, "")))),
        (
            "it answered 307 Temporary Redirect",
            Box::new(|_, _| Some(Response::builder().status(307).header("location", "http://127.0.0.1:1/").body(Body::empty()).unwrap())),
        ),
        ("its answer is not that of OSV's API", Box::new(|_, _| Some(answer(200, "<html>sign in</html>")))),
        ("its answer is not that of OSV's API", Box::new(|_, _| Some(answer(200, "[".repeat(100_000))))),
        ("it answered 0 of 1 questions", Box::new(|_, _| Some(answer(200, r#"{"results":[]}"#)))),
        ("it answered 2 of 1 questions", Box::new(|_, _| Some(answer(200, r#"{"results":[{},{}]}"#)))),
        ("it named a record by what is no id", Box::new(|_, _| Some(answer(200, r#"{"results":[{"vulns":[{"id":"../../etc/passwd"}]}]}"#)))),
        ("its pages lead to themselves", Box::new(move |_, _| Some(answer(200, page("GHSA-1", "same"))))),
        ("an answer of it has more than 100 pages", Box::new(move |count, _| Some(answer(200, page(&format!("GHSA-{count}"), &count.to_string()))))),
        ("an answer of it is larger than 64 MiB", Box::new(move |_, _| Some(answer(200, endless())))),
        (
            "GHSA-1: another record came in its place",
            Box::new(|_, path| path.contains("vulns").then(|| answer(200, record("GHSA-9", "left", json!({})).to_string()))),
        ),
        ("GHSA-1: what came is no record", Box::new(|_, path| path.contains("vulns").then(|| answer(200, "{}")))),
        ("GHSA-1: the API answered 404 Not Found", Box::new(|_, path| path.contains("vulns").then(|| answer(404, "")))),
        ("GHSA-1: an answer of it is larger than 16 MiB", Box::new(move |_, path| path.contains("vulns").then(|| answer(200, endless())))),
        ("it answered 503 Service Unavailable, 4 times", Box::new(|_, path| path.contains("vulns").then(|| answer(503, "")))),
        (
            "it gave no whole answer within 0.4 s, 4 times",
            Box::new(|_, _| Some(answer(200, Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>())))),
        ),
    ];
    for (reason, fault) in cases {
        let osv = Osv::start(&[record("GHSA-1", "left", json!({}))], fault).await;
        let report = scan(&osv, &ground(&[("left", "1.2.3")])).await;
        let host = osv.url.trim_start_matches("http://");
        assert!(skipped(&report).contains(&format!("{host}: {reason}")), "not {reason:?}: {:?}", skipped(&report));
        assert_eq!(status(&report), ScanStatus::Incomplete, "{reason}");
    }
    // Nobody listens.
    let api = OsvApi::new(&"http://127.0.0.1:1".parse().unwrap(), Settings { pause: Duration::from_millis(1), ..Settings::default() }).unwrap();
    let (tree, database) = ground(&[("left", "1.2.3")]);
    let report = ScaScanner::new(database.path()).with_api(api).scan(&ScanTarget::Tree(tree.path().to_owned())).await.unwrap();
    assert!(skipped(&report)[0].starts_with("127.0.0.1:1: it cannot be reached: ") && status(&report) == ScanStatus::Incomplete, "{report:#?}");
    for wrong in ["file:///tmp", "https://user:secret@example.com", "https://example.com/?key=1", "data:x"] {
        assert!(OsvApi::new(&wrong.parse().unwrap(), Settings::default()).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn what_came_before_a_failure_is_told() {
    let osv = Osv::start(&[record("GHSA-1", "p0", json!({}))], |count, _| (count == 1).then(|| answer(400, ""))).await;
    let names: Vec<String> = (0..1001).map(|index| format!("p{index:04}")).collect();
    let mut packages: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    packages.push(("p0", "1.0.0"));
    let report = scan(&osv, &ground(&packages)).await;
    assert_eq!((rules(&report), status(&report)), (vec!["GHSA-1"], ScanStatus::Failed));
    assert!(skipped(&report)[0].ends_with("it answered 400 Bad Request"));
}

#[tokio::test]
async fn names_of_private_packages_stay_here() {
    let osv = Osv::start(&[], |_, _| None).await;
    let ground = ground(&[]);
    let files = [
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{"node_modules/npm-open":{"version":"1.0.0","resolved":"https://registry.npmjs.org/npm-open/-/npm-open-1.0.0.tgz"},"node_modules/npm-unsaid":{"version":"1.0.0"},
            "node_modules/@shop/npm-secret":{"version":"1.0.0","resolved":"https://npm.shop.example/x/-/x.tgz"},"node_modules/npm-secret-directory":{"version":"1.0.0","resolved":"file:../x.tgz"},"node_modules/npm-secret-git":{"version":"1.0.0","resolved":"git+ssh://git@shop.example/x.git#1"}}}"#,
        ),
        (
            "one/package-lock.json",
            r#"{"lockfileVersion":1,"dependencies":{"npm1-open":{"version":"1.0.0","resolved":"https://registry.npmjs.org/x.tgz"},"npm1-secret":{"version":"1.0.0","resolved":"https://npm.shop.example/x/-/x.tgz"}}}"#,
        ),
        (
            "pnpm/pnpm-lock.yaml",
            "lockfileVersion: '6.0'\npackages:\n  /pnpm-open@1.0.0:\n    resolution: {integrity: x}\n  /@shop/pnpm-secret@1.0.0:\n    resolution: {integrity: x, tarball: 'https://npm.shop.example/x/-/x.tgz'}\n",
        ),
        (
            "five/pnpm-lock.yaml",
            "lockfileVersion: 5.4\npackages:\n  /pnpm5-open/1.0.0:\n    dev: false\n  npm.shop.example/pnpm5-secret/1.0.0:\n    dev: false\n",
        ),
        (
            "yarn/yarn.lock",
            "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\nyarn-open@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://registry.yarnpkg.com/yarn-open/-/yarn-open-1.0.0.tgz#1\"\n\nyarn-secret@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://npm.shop.example/x/-/x.tgz#1\"\n",
        ),
        (
            "berry/yarn.lock",
            "# This file is generated by running \"yarn install\" inside your project.\n# Manual changes might be lost - proceed with caution!\n\n__metadata:\n  version: 8\n  cacheKey: 10\n\n\"berry-open@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"berry-open@npm:1.0.0\"\n  checksum: 10/x\n  languageName: node\n  linkType: hard\n\n\"berry-secret@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"berry-secret@npm:1.0.0::__archiveUrl=https%3A%2F%2Fnpm.shop.example%2Fx%2F-%2Fx.tgz\"\n  checksum: 10/x\n  languageName: node\n  linkType: hard\n",
        ),
        (
            "bun/bun.lock",
            r#"{"lockfileVersion":1,"packages":{"bun-open":["bun-open@1.0.0","",{},"sha"],"bun-secret":["bun-secret@1.0.0","https://npm.shop.example/",{},"sha"]}}"#,
        ),
        ("pip/requirements.txt", "pip-open==1.0\n"),
        ("index/requirements.txt", "--extra-index-url https://pypi.shop.example/simple\npip-secret==1.0\n"),
        ("two/requirements.txt", "--index-url https://pypi.org/simple --extra-index-url https://pypi.shop.example/simple\npip-secret-two==1.0\n"),
        ("short/requirements.txt", "--extra-index https://pypi.shop.example/simple\npip-secret-short==1.0\n"),
        ("group/requirements.txt", "-r deps/base.in\npip-secret-group==1.0\n"),
        ("group/deps/base.in", "-c ../pins.txt\npip-secret-base==1.0\n"),
        ("group/pins.txt", "-i https://pypi.shop.example/simple\npip-secret-pin==1.0\n"),
        (
            "pylock.toml",
            "lock-version = \"1.0\"\n[[packages]]\nname = \"pylock-open\"\nversion = \"1.0\"\nindex = \"https://pypi.org/simple\"\n[[packages]]\nname = \"pylock-secret\"\nversion = \"1.0\"\nindex = \"https://pypi.shop.example/simple\"\n[[packages]]\nname = \"pylock-secret-too\"\nversion = \"1.0\"\nwheels = [{ url = \"https://pypi.shop.example/x.whl\" }]\n",
        ),
        (
            "file/yarn.lock",
            "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n\"yarn-secret-file@file:./x\":\n  version \"1.0.0\"\n",
        ),
        (
            "profile/pom.xml",
            "<project><profiles><profile><repositories><repository><url>https://maven.shop.example</url></repository></repositories></profile></profiles><dependencies><dependency><groupId>secret</groupId><artifactId>profile</artifactId><version>1</version></dependency></dependencies></project>",
        ),
        ("same/requirements.txt", "--index-url=https://pypi.org/simple\npip-same==1.0\n"),
        (
            "poetry/poetry.lock",
            "[[package]]\nname = \"poetry-open\"\nversion = \"1.0\"\n\n[[package]]\nname = \"poetry-secret\"\nversion = \"1.0\"\n[package.source]\ntype = \"legacy\"\nurl = \"https://pypi.shop.example/simple\"\n",
        ),
        (
            "pdm/pdm.lock",
            "[[package]]\nname = \"pdm-open\"\nversion = \"1.0\"\nfiles = [{url = \"https://files.pythonhosted.org/x\"}]\n[[package]]\nname = \"pdm-secret\"\nversion = \"1.0\"\nfiles = [{url = \"https://pypi.shop.example/x\"}]\n",
        ),
        (
            "uv/uv.lock",
            "version = 1\n[[package]]\nname = \"uv-open\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n[[package]]\nname = \"uv-secret\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.shop.example/simple\" }\n",
        ),
        (
            "pipfile/Pipfile.lock",
            r#"{"_meta":{"pipfile-spec":6,"sources":[{"name":"pypi","url":"https://pypi.org/simple"},{"name":"shop","url":"https://pypi.shop.example/simple"}]},
            "default":{"pipfile-open":{"version":"==1.0","index":"pypi"},"pipfile-secret":{"version":"==1.0","index":"shop"},"pipfile-secret-unsaid":{"version":"==1.0"}}}"#,
        ),
        (
            "maven/pom.xml",
            "<project><groupId>shop</groupId><version>1</version><dependencies><dependency><groupId>open</groupId><artifactId>maven</artifactId><version>1</version></dependency><dependency><groupId>shop</groupId><artifactId>secret</artifactId><version>1</version></dependency></dependencies></project>",
        ),
        (
            "nexus/pom.xml",
            "<project><repositories><repository><url>https://maven.shop.example</url></repository></repositories><dependencies><dependency><groupId>secret</groupId><artifactId>maven</artifactId><version>1</version></dependency></dependencies></project>",
        ),
        (
            "Gemfile.lock",
            "GEM\n  remote: https://gems.shop.example/\n  remote: https://rubygems.org/\n  specs:\n    gem-secret (1.0)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    gem-open (1.0)\n\nPATH\n  remote: .\n  specs:\n    gem-secret-own (1.0)\n\nDEPENDENCIES\n  gem-open\n",
        ),
        (
            "composer.lock",
            r#"{"packages":[{"name":"open/php","version":"1.0","notification-url":"https://packagist.org/downloads/"},{"name":"secret/php","version":"1.0","dist":{"type":"path"}},{"name":"secret/private","version":"1.0","notification-url":"https://repo.packagist.com/shop/downloads/"}]}"#,
        ),
        (
            "mix.lock",
            "%{\n  \"mix_open\": {:hex, :mix_open, \"1.0.0\", \"abc\", [:mix], [{:x, \"~> 1.0\", [hex: :x, repo: \"hexpm\", optional: false]}], \"hexpm\", \"def\"},\n  \"mix_secret\": {:hex, :mix_secret, \"1.0.0\", \"abc\", [:mix], [], \"hexpm:shop\", \"def\"},\n}\n",
        ),
        (
            "pubspec.lock",
            "packages:\n  pub_open:\n    source: hosted\n    description: {name: pub_open, url: 'https://pub.dev'}\n    version: \"1.0.0\"\n  pub_secret:\n    source: hosted\n    description: {name: pub_secret, url: 'https://pub.shop.example'}\n    version: \"1.0.0\"\n",
        ),
        (
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"cargo-secret-own\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"cargo-open\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n[[package]]\nname = \"cargo-secret\"\nversion = \"1.0.0\"\nsource = \"registry+https://crates.shop.example/index\"\n",
        ),
        ("go.mod", "module secret.example/shop\nrequire open.example/go v1.0.0\nrequire secret.example/lib v1.0.0\nreplace secret.example/lib => ../lib\n"),
    ];
    for (path, text) in files {
        write(ground.0.path(), path, text);
    }
    let report = scan(&osv, &ground).await;
    assert!(report.coverage.skipped.iter().all(|skipped| !skipped.reason.contains("malformed")), "{:#?}", report.coverage.skipped);
    let asked: Vec<String> = osv.asked().into_iter().collect();
    assert!(asked.iter().all(|query| !query.contains("secret")), "{asked:?}");
    assert_eq!(
        asked,
        [
            "Go open.example/go 1.0.0",
            "Hex mix_open 1.0.0",
            "Maven open:maven 1",
            "Packagist open/php 1.0",
            "Pub pub_open 1.0.0",
            "PyPI pdm-open 1.0",
            "PyPI pip-open 1.0",
            "PyPI pip-same 1.0",
            "PyPI pipfile-open 1.0",
            "PyPI poetry-open 1.0",
            "PyPI pylock-open 1.0",
            "PyPI uv-open 1.0",
            "RubyGems gem-open 1.0",
            "crates.io cargo-open 1.0.0",
            "npm berry-open 1.0.0",
            "npm bun-open 1.0.0",
            "npm npm-open 1.0.0",
            "npm npm-unsaid 1.0.0",
            "npm npm1-open 1.0.0",
            "npm pnpm-open 1.0.0",
            "npm pnpm5-open 1.0.0",
            "npm yarn-open 1.0.0",
        ]
    );
    let keys =
        osv.batches.lock().unwrap().iter().flat_map(|batch| batch["queries"].as_array().unwrap().clone()).all(|query| {
            query.as_object().unwrap().keys().eq(["package", "version"]) && query["package"].as_object().unwrap().keys().eq(["ecosystem", "name"])
        });
    assert!(keys, "nothing else is sent");
    // Nobody vouches for those.
    let host = osv.url.trim_start_matches("http://");
    let left = format!("npm: 7 packages of other registries, which {host} is not told about: the database has nothing of npm; run `kiwi scan --update`");
    assert!(skipped(&report).contains(&left) && status(&report) == ScanStatus::Incomplete, "{:#?}", skipped(&report));
}

#[tokio::test]
async fn where_all_is_private_nothing_is_asked() {
    let osv = Osv::start(&[], |_, _| None).await;
    let ground = ground(&[]);
    write(
        ground.0.path(),
        "package-lock.json",
        r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","resolved":"https://npm.shop.example/a/-/a.tgz"}}}"#,
    );
    assert_eq!((status(&scan(&osv, &ground).await), osv.requests.load(Ordering::SeqCst)), (ScanStatus::Incomplete, 0));
}
