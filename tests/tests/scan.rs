//! `kiwi scan`: from the database's source to exit codes, formats and what people accepted.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures_util::StreamExt as _;
use kiwi_tests::command::{Kiwi, leftovers, unique};
use kiwi_tests::git::GitHost;
use kiwi_tests::sample;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn record(id: &str, name: &str, severity: &str, rest: &Value) -> String {
    let mut record = json!({ "id": id, "aliases": [format!("CVE-{id}")], "summary": format!("trouble in {name}"), "database_specific": { "severity": severity, "cwe_ids": ["CWE-79"] },
        "affected": [{ "package": { "ecosystem": "npm", "name": name }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }] }] });
    record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    record.to_string()
}

/// A tree with two vulnerable dependencies, one of them for development alone, and a database that knows them.
fn ground(kiwi: &Kiwi) -> (std::path::PathBuf, String) {
    let (source, tree) = (kiwi.folder().join("source"), kiwi.folder().join("tree"));
    write(&source, "npm/1.json", &record("GHSA-1", "left", "HIGH", &json!({})));
    write(&source, "npm/2.json", &record("GHSA-2", "tool", "CRITICAL", &json!({})));
    write(&source, "npm/3.json", &record("GHSA-3", "never", "CRITICAL", &json!({})));
    let lock =
        json!({ "lockfileVersion": 3, "packages": { "node_modules/left": { "version": "1.0.0" }, "node_modules/tool": { "version": "1.0.0", "dev": true } } });
    write(&tree, "package-lock.json", &lock.to_string());
    let source = format!("file://{}", source.display());
    (tree, source)
}

#[test]
fn nothing_is_not_passed_and_findings_refuse() {
    let kiwi = Kiwi::new();
    let (tree, source) = ground(&kiwi);
    let tree = tree.to_str().unwrap();
    let none = kiwi.run(&["scan", tree, "-o", "json"]);
    assert_eq!((none.code, none.json()["status"].as_str()), (1, Some("incomplete")), "without a database nothing is known");
    assert_eq!(kiwi.run(&["scan", "/nowhere"]).code, 2);
    assert_eq!(kiwi.run(&["scan", "--update", "--database-source", &source, "--ecosystems", "nmp"]).code, 2);
    kiwi.run(&["scan", "--update", "--database-source", &source, "--ecosystems", "npm"]).ok();
    let failed = kiwi.run(&["scan", tree, "-o", "json"]);
    let value = failed.json();
    assert_eq!((failed.code, value["status"].as_str()), (1, Some("failed")));
    let first = &value["findings"][0];
    assert_eq!(
        json!([first["kind"], first["rule"], first["severity"], first["cwe"], first["package"], first["version"], first["ecosystem"], first["fixed_versions"]]),
        json!(["sca", "GHSA-2", "critical", [79], "tool", "1.0.0", "npm", ["2.0.0"]])
    );
    assert!(
        first["fingerprint"].is_string()
            && first["url"].is_string()
            && value["coverage"]["read"].as_array().unwrap().contains(&json!("package-lock.json (2 packages)"))
    );
    let table = kiwi.run(&["scan", tree]);
    assert!(table.out.contains("CVE-GHSA-1") && table.out.trim_end().ends_with("failed: 2 findings"), "{}", table.out);
    // What is let through is asked for by name.
    assert_eq!(kiwi.run(&["scan", tree, "--fail-on", "critical"]).code, 1);
    assert_eq!(kiwi.run(&["scan", tree, "--fail-on", "critical", "--ignore-development"]).code, 0);
    let earlier = kiwi.folder().join("earlier.json");
    std::fs::write(&earlier, failed.out).unwrap();
    kiwi.run(&["scan", tree, "--baseline", earlier.to_str().unwrap()]).ok();
    assert_eq!(kiwi.run(&["scan", tree, "--baseline", tree]).code, 2);
    // What became worse is new.
    let text = std::fs::read_to_string(&earlier).unwrap();
    assert!(text.contains("\"severity\": \"critical\""), "{text}");
    std::fs::write(&earlier, text.replace("\"severity\": \"critical\"", "\"severity\": \"medium\"")).unwrap();
    let worse = kiwi.run(&["scan", tree, "--baseline", earlier.to_str().unwrap(), "-o", "json"]);
    assert_eq!((worse.code, worse.json()["reasons"].as_array().unwrap().len()), (1, 1), "{}", worse.out);
    let update = kiwi.run(&["scan", "--update", "--database-source", &source, "--ecosystems", "PyPI"]);
    assert!(update.code == 1 && !update.err.is_empty(), "{}", update.err);
}

#[test]
fn what_people_accepted_is_said_in_every_format() {
    let kiwi = Kiwi::new();
    let (tree, source) = ground(&kiwi);
    kiwi.run(&["scan", "--update", "--database-source", &source, "--ecosystems", "npm"]).ok();
    write(&tree, ".kiwi/suppressions.toml", "[[suppress]]\nrule = \"CVE-GHSA-2\"\nreason = \"runs on our machines alone\"\n");
    let vex = kiwi.folder().join("vex.json");
    let statement = json!({ "vulnerability": { "name": "GHSA-1" }, "products": [{ "@id": "pkg:npm/left@1.0.0" }], "status": "not_affected", "justification": "vulnerable_code_not_present" });
    std::fs::write(&vex, json!({ "@context": "https://openvex.dev/ns/v0.2.0", "statements": [statement] }).to_string()).unwrap();
    let (sarif, bom) = (kiwi.folder().join("o.sarif"), kiwi.folder().join("o.cdx.json"));
    let scan = ["scan", tree.to_str().unwrap(), "--sca", "--vex", vex.to_str().unwrap(), "-o", "json"];
    let passed = kiwi.run(&[&scan[..], &["--format", "sarif", "--output-file", sarif.to_str().unwrap()]].concat()).ok().json();
    assert_eq!(
        (passed["status"].as_str(), passed["findings"].as_array().unwrap().len(), passed["suppressed"].as_array().unwrap().len()),
        (Some("passed"), 0, 2)
    );
    let sarif: Value = serde_json::from_slice(&std::fs::read(sarif).unwrap()).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() == 2 && results.iter().all(|result| result["suppressions"][0]["justification"].is_string()), "{sarif:#}");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), 2);
    kiwi.run(&[&scan[..], &["--format", "cyclonedx", "--output-file", bom.to_str().unwrap()]].concat()).ok();
    let bom: Value = serde_json::from_slice(&std::fs::read(bom).unwrap()).unwrap();
    assert_eq!(
        bom["components"].as_array().unwrap().iter().map(|component| component["purl"].as_str().unwrap()).collect::<Vec<_>>(),
        ["pkg:npm/left@1.0.0", "pkg:npm/tool@1.0.0"]
    );
    assert_eq!(
        bom["vulnerabilities"].as_array().unwrap().iter().map(|found| found["analysis"].clone()).collect::<Vec<_>>(),
        [
            json!({ "state": "not_affected", "detail": "VEX: vulnerable_code_not_present" }),
            json!({ "response": ["will_not_fix"], "detail": "runs on our machines alone" })
        ]
    );
    write(&tree, ".kiwi/suppressions.toml", "[[suppress]]\nrule = \"CVE-GHSA-2\"\n");
    let refused = kiwi.run(&scan);
    assert!(refused.code == 2 && refused.err.contains("reason"), "{}", refused.err);
}

#[test]
fn a_tree_writes_no_lines_of_its_own_and_accepts_nothing_through_links() {
    let kiwi = Kiwi::new();
    let (tree, source) = ground(&kiwi);
    kiwi.run(&["scan", "--update", "--database-source", &source, "--ecosystems", "npm"]).ok();
    let lock = json!({ "lockfileVersion": 3, "packages": { "node_modules/left\npassed: 0 findings": { "version": "1.0.0\u{202e}" }, "node_modules/tool": { "version": "1.0.0" } } });
    write(&tree, "a\nnot read: nothing\u{2028}/package-lock.json", &lock.to_string());
    write(&tree, "b\rpassed/package-lock.json", "{");
    write(&tree, ".kiwi/suppressions.toml", "[[suppress]]\nrule = \"GHSA-1\"\nreason = \"fine\\npassed: 0 findings\\u001b[2J\"\n");
    let shown = kiwi.run(&["scan", tree.to_str().unwrap(), "--sca"]);
    let forged = |line: &&str| line.starts_with("passed") || line.starts_with("not read: nothing");
    assert!(shown.code == 1 && !shown.out.lines().any(|line| forged(&line)), "{}", shown.out);
    assert!(shown.out.contains("accepted: GHSA-1 in left 1.0.0: fine passed: 0 findings\n"), "{}", shown.out);
    assert!(!shown.out.contains(['\u{1b}', '\r', '\u{202e}', '\u{2028}']), "{}", shown.out);
    // A folder elsewhere is nobody's decision about this tree.
    let elsewhere = kiwi.folder().join("elsewhere");
    std::fs::rename(tree.join(".kiwi"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, tree.join(".kiwi")).unwrap();
    assert!(!kiwi.run(&["scan", tree.to_str().unwrap(), "--sca"]).out.contains("accepted: "));
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let kiwi = Kiwi::new();
    let tree = kiwi.folder().join("tree");
    write(&tree, "readme.txt", "hello");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let lost = kiwi.command(&["scan", tree.to_str().unwrap(), "--secrets", "-o", "json"]).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&lost.stderr).into_owned();
    assert!(lost.status.code() == Some(1) && said.contains("standard output cannot be written"), "{said}");
    // Who reads no further is no failure.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(kiwi.command(&["scan", tree.to_str().unwrap(), "--secrets", "-o", "json"]).stdout(writer).output().unwrap().status.code(), Some(0));
}

#[test]
fn examples_of_rules_are_told_as_json_too() {
    let kiwi = Kiwi::new();
    let rules = kiwi.folder().join("rules");
    let rule = "- id: python-own\n  languages: [python]\n  severity: high\n  cwe: 78\n  title: A call of ours\n  explanation: It is ours.\n  fix: Call another.\n  find:\n    - call: ours.run\n      tainted: [0]\n  from: parameter\n  examples:\n    bad:\n      - |\n        import ours\n        def f(x):\n            ours.walk(x)\n    good:\n      - |\n        x = 1\n";
    write(&rules, "own.yaml", rule);
    let checked = kiwi.run(&["scan", "--check-rules", rules.to_str().unwrap(), "-o", "json"]);
    assert_eq!((checked.code, checked.json()["failures"].as_array().unwrap().len()), (1, 1), "{checked:?}");
    write(&rules, "own.yaml", &rule.replace("ours.walk", "ours.run"));
    assert_eq!(kiwi.run(&["scan", "--check-rules", rules.to_str().unwrap(), "-o", "json"]).ok().json(), json!({ "failures": [] }));
}

#[test]
fn a_tool_ends_with_the_scan() {
    use std::os::unix::fs::PermissionsExt as _;
    let kiwi = Kiwi::new();
    let (tree, program, begun) = (kiwi.folder().join("tree"), kiwi.folder().join("gitleaks"), kiwi.folder().join("begun"));
    write(&tree, "readme.txt", "hello");
    let script = format!("#!/bin/sh\n[ \"$1\" = version ] && {{ echo 8.30.1; exit 0; }}\necho $$ \"$PWD\" > '{}'\nsleep 600\n", begun.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let tool = format!("gitleaks={}", program.display());
    let arguments = ["scan", tree.to_str().unwrap(), "--secrets", "--tool", &tool];
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let mut child = kiwi.start(&arguments);
        let written = || std::fs::read_to_string(&begun).ok().filter(|text| text.ends_with('\n'));
        let said = std::iter::repeat_with(|| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            written()
        })
        .take(600)
        .flatten()
        .next()
        .unwrap();
        std::fs::remove_file(&begun).unwrap();
        let (id, folder) = said.trim().split_once(' ').unwrap();
        assert!(std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        let gone = std::iter::repeat_with(|| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            !Path::new("/proc").join(id).exists() && !Path::new(folder).exists()
        });
        assert!(gone.take(100).any(|gone| gone), "{signal}: {said}");
    }
}

#[test]
fn a_secret_is_found_and_never_shown() {
    let kiwi = Kiwi::new();
    let tree = kiwi.folder().join("tree");
    // Put together here, so that this file has none.
    let secret = format!("{}_{}", "ghp", "R4nd0mL00k1ngB1tsOfTextForThisT3st99");
    let password = "c0rrect-h0rse-b4ttery";
    write(&tree, "deploy/settings.py", &format!("import os\n\nTOKEN = '{secret}'\nDATABASE = 'postgres://shop:{password}@db/shop'\n"));
    write(&tree, "picture.png", &format!("\0\0\0\rIHDR\0\0{secret}"));
    write(&tree, "node_modules/left/x.js", &secret);
    write(&tree, "env/pyvenv.cfg", "home = /usr/bin\n");
    write(&tree, "env/bin/activate", &secret);
    let (sarif, arguments) = (kiwi.folder().join("o.sarif"), ["scan", tree.to_str().unwrap(), "--secrets"]);
    let table = kiwi.run(&arguments);
    let json = kiwi.run(&[&arguments[..], &["-o", "json", "--format", "sarif", "--output-file", sarif.to_str().unwrap()]].concat());
    let found: Vec<Value> =
        json.json()["findings"].as_array().unwrap().iter().map(|f| json!([f["kind"], f["rule"], f["path"], f["line"], f["cwe"], f["severity"]])).collect();
    assert_eq!(
        found,
        [
            json!(["secrets", "github-personal-token", "deploy/settings.py", 3, [798], "high"]),
            json!(["secrets", "url-password", "deploy/settings.py", 4, [798], "high"])
        ]
    );
    assert_eq!((table.code, json.code), (1, 1));
    for text in [&table.out, &table.err, &json.out, &json.err, &std::fs::read_to_string(&sarif).unwrap()] {
        assert!(!text.contains(&secret) && !text.contains(password), "{text}");
    }
    assert!(table.out.contains("1 files for secrets; 1 binary files were not"), "{}", table.out);
    // Lines before it change nothing of what it is.
    let before = json.json()["findings"][0]["fingerprint"].clone();
    write(&tree, "deploy/settings.py", &format!("# a comment\nimport os\n\n\nTOKEN = '{secret}'\n"));
    assert_eq!(kiwi.run(&[&arguments[..], &["-o", "json"]].concat()).json()["findings"][0]["fingerprint"], before);
    // Another one in its place is another finding, and a text of Windows is a text.
    let other = format!("{}_{}", "ghp", "0therR4nd0mL00k1ngB1tsOfTextForTh1sT");
    let wide: Vec<u8> = format!("TOKEN = '{other}'\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(tree.join("deploy/settings.py"), [&[0xff, 0xfe], wide.as_slice()].concat()).unwrap();
    let replaced = kiwi.run(&[&arguments[..], &["-o", "json"]].concat()).json();
    assert!(replaced["findings"][0]["rule"] == "github-personal-token" && replaced["findings"][0]["fingerprint"] != before, "{replaced:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_scanned_at_its_address() {
    let kiwi = Kiwi::new();
    let (headers, sarif, empty) = (kiwi.folder().join("headers"), kiwi.folder().join("o.sarif"), kiwi.folder().join("tree"));
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(&headers, "# of a test\nAuthorization: Bearer s3cret-of-the-user\n").unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let find = |query: axum::extract::RawQuery| async move {
        axum::response::Html(query.0.unwrap_or_default().replace("%3C", "<").replace("%3E", ">").replace("%22", "\"").replace("%27", "'"))
    };
    let routes = Router::new()
        .route(
            "/",
            get(move |sent: axum::http::HeaderMap| async move {
                count.fetch_add(usize::from(sent.contains_key("authorization")), Ordering::SeqCst);
                axum::response::Html("<form action=/find><input name=q></form>")
            }),
        )
        .route("/find", get(find))
        .route("/.git/HEAD", get(|| async { "ref: refs/heads/main\n" }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    tokio::task::spawn_blocking(move || {
        let passive = kiwi.run(&["scan", &address, "-o", "json", "--format", "sarif", "--output-file", sarif.to_str().unwrap()]);
        let value = passive.json();
        let rules: Vec<&str> = value["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
        assert!(passive.code == 1 && value["status"] == "failed" && rules[0] == "exposed-git" && !rules.contains(&"reflected-input"), "{value:#}");
        let document: Value = serde_json::from_slice(&std::fs::read(&sarif).unwrap()).unwrap();
        assert_eq!(document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"], json!({ "uri": "/.git/HEAD" }));
        let both = ["scan", empty.to_str().unwrap(), "--secrets", "--url", &address, "--probe", "--header-file", headers.to_str().unwrap()];
        let probed = kiwi.run(&both);
        assert!(probed.code == 1 && probed.out.contains("reflected-input") && probed.out.contains("0 files for secrets"), "{}", probed.out);
        assert!(asked.load(Ordering::SeqCst) > 0 && probed.err.contains("warning: the address is http"), "{}", probed.err);
        assert!(!probed.out.contains("s3cret") && !probed.err.contains("s3cret"));
        let closed = kiwi.run(&["scan", "HTTP://127.0.0.1:1/", "-o", "json"]);
        assert_eq!((closed.code, closed.json()["status"].as_str()), (1, Some("incomplete")), "who does not answer did not pass");
        for wrong in [
            &["scan", ".", "--dast"][..],
            &["scan", ".", "--probe"],
            &["scan", &address, "--sca"],
            &["scan", &address, "--url", &address],
            &["scan", "http://"],
        ] {
            let refused = kiwi.run(wrong);
            assert!(refused.code == 2 && refused.err.contains("hint: "), "{wrong:?}: {}", refused.err);
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_fetched_leaves_the_one_before() {
    let kiwi = Kiwi::new();
    let (tree, source) = ground(&kiwi);
    kiwi.run(&["scan", "--update", "--database-source", &source, "--ecosystems", "npm"]).ok();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let routes = Router::new()
        .route(
            "/busy/npm/all.zip",
            get(move || async move {
                count.fetch_add(1, Ordering::SeqCst);
                StatusCode::SERVICE_UNAVAILABLE
            }),
        )
        .route("/gone/npm/all.zip", get(|| async { StatusCode::NOT_FOUND }))
        .route("/page/npm/all.zip", get(|| async { "<html>sign in</html>" }))
        .route(
            "/cut/npm/all.zip",
            get(|| async {
                let late = async {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    Err(std::io::Error::other("cut"))
                };
                let first = futures_util::stream::iter([Ok(bytes::Bytes::from(vec![b'P'; 100_000]))]);
                Body::from_stream(first.chain(futures_util::stream::once(late))).into_response()
            }),
        );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let tree = tree.to_str().unwrap().to_owned();
    tokio::task::spawn_blocking(move || {
        for (path, says) in [("busy", "503"), ("gone", "404"), ("page", "no zip"), ("cut", "broke off")] {
            let refused = kiwi.run(&["scan", "--update", "--database-source", &format!("http://{address}/{path}"), "--ecosystems", "npm"]);
            assert!(refused.code == 1 && refused.err.contains(says) && refused.err.contains("hint: "), "{path}: {}", refused.err);
            assert_eq!(kiwi.run(&["scan", &tree, "-o", "json"]).json()["findings"].as_array().unwrap().len(), 2, "{path}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 4, "a busy server is asked again, a missing file is not");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_asked_when_it_is_named() {
    let kiwi = Kiwi::new();
    let (tree, _) = ground(&kiwi);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let batch = move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        r#"{"results":[{"vulns":[{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z"}]},{}]}"#
    };
    let routes = Router::new()
        .route("/osv/v1/querybatch", axum::routing::post(batch))
        .route("/osv/v1/vulns/GHSA-1", get(|| async { record("GHSA-1", "left", "HIGH", &json!({})) }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let api = format!("--osv-api=http://{}/osv", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    tokio::task::spawn_blocking(move || {
        let tree = tree.to_str().unwrap();
        assert_eq!(kiwi.run(&["scan", tree, "--sca", "-o", "json"]).json()["status"], "incomplete");
        assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is sent that nobody asked for");
        let scan = kiwi.run(&["scan", tree, "--sca", &api, "-o", "json"]);
        let value = scan.json();
        assert_eq!((scan.code, value["status"].as_str(), value["findings"][0]["rule"].as_str()), (1, Some("failed"), Some("GHSA-1")), "{value:#}");
        assert_eq!((asked.load(Ordering::SeqCst), value["coverage"]["skipped"].as_array().unwrap().len()), (1, 0));
        let down = kiwi.run(&["scan", tree, "--sca", "--osv-api=http://127.0.0.1:1", "-o", "json"]);
        assert_eq!((down.code, down.json()["status"].as_str()), (1, Some("incomplete")));
        for wrong in
            [&["scan", tree, "--sast", &api][..], &["scan", "--update", &api], &["scan", tree, "--osv-api=file:///tmp"], &["scan", "http://127.0.0.1:1/", &api]]
        {
            assert_eq!(kiwi.run(wrong).code, 2, "{wrong:?}");
        }
    })
    .await
    .unwrap();
}

#[test]
fn a_pipeline_scans_what_it_builds_and_what_runs_and_production_asks_for_more() {
    let host = GitHost::start(None);
    let repository = host.create("shop");
    sample::write(repository.folder(), "one");
    std::fs::write(repository.folder().join("admin.py"), "import os\nfrom flask import request\n\ndef run():\n    os.system(request.args['command'])\n")
        .unwrap();
    repository.push("main");
    let kiwi = Kiwi::new().with_runtime().env("KIWI_SCANNERS", "sast,secrets,dast");
    let name = unique("scanned");
    kiwi.run(&["service", "register", &name, "--git", &host.url("shop"), "--port", "8080", "--health", "/"]).ok();
    // Development reports and goes on.
    let run = kiwi.run(&["run", &name, "-o", "json"]).ok().json();
    assert_eq!(run["status"], "live");
    let scan = kiwi.run(&["scan", "--run", run["run"].as_str().unwrap(), "-o", "json"]).json();
    let rules: Vec<&str> = scan["findings"].as_array().unwrap().iter().filter_map(|finding| finding["rule"].as_str()).collect();
    assert!(scan["status"] == "failed" && rules.iter().any(|rule| rule.starts_with("python-")), "{scan}");
    assert!(rules.contains(&"content-type-options-missing"), "what runs was looked at too: {rules:?}");
    let refused = kiwi.run(&["deploy", &name, "--from", "development", "--environment", "production"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("the gate of production refused") && refused.err.contains("kiwi scan --run"), "{}", refused.err);
    let gate = kiwi.run(&["gate", &name, "--environment", "production", "--fail-on", "critical", "--allow-incomplete"]).ok();
    assert!(gate.out.contains("findings of critical and above"), "{}", gate.out);
    // Development only reports, so the command says what is there and ends well.
    let now = kiwi.run(&["scan", "--service", &name, "-o", "json"]).ok().json();
    assert!(now["findings"].as_array().is_some_and(|findings| findings.len() >= rules.len()), "{now}");
    kiwi.run(&["service", "remove", &name, "--volumes"]).ok();
    assert_eq!(leftovers(&format!("kiwi-{name}")), Vec::<String>::new());
}
