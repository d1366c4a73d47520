//! A tree of lockfiles against a database of records, from fetching to findings.

#![cfg(feature = "sca")]
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use kiwi_core::domain::{ScanReport, Severity};
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_scan::sca::osv::update;
use kiwi_scan::sca::{Ecosystem, ScaScanner};
use serde_json::{Value, json};
use std::path::Path;

fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// A database of these records, read from a directory.
fn database(records: &[Value], ecosystems: &[Ecosystem]) -> tempfile::TempDir {
    let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for ecosystem in ecosystems {
        std::fs::create_dir_all(source.path().join(ecosystem.as_str())).unwrap();
        for (index, record) in records.iter().enumerate() {
            write(source.path(), &format!("{}/{index}.json", ecosystem.as_str()), record.to_string());
        }
        let url = url::Url::from_directory_path(source.path()).unwrap();
        update(target.path(), &url, *ecosystem, &|_| {}).unwrap();
    }
    target
}

fn record(id: &str, name: &str, rest: Value) -> Value {
    let mut record = json!({ "id": id, "summary": format!("trouble in {name}"),
        "affected": [{ "package": { "ecosystem": "npm", "name": name }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "1.2.4" }] }] }] });
    record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    record
}

async fn scan(root: &Path, database: &Path) -> ScanReport {
    ScaScanner::new(database).scan(&ScanTarget::Tree(root.to_owned())).await.unwrap()
}

fn lock(packages: &[(&str, &str)]) -> String {
    let packages: serde_json::Map<String, Value> =
        packages.iter().map(|(name, version)| (format!("node_modules/{name}"), json!({ "version": version }))).collect();
    json!({ "lockfileVersion": 3, "packages": packages }).to_string()
}

#[tokio::test]
async fn databases_are_joined_and_each_score_keeps_its_source() {
    let database = database(
        &[
            record("GHSA-1", "left", json!({ "aliases": ["CVE-2026-1"], "database_specific": { "severity": "MODERATE", "cwe_ids": ["CWE-79"] } })),
            record(
                "SNYK-1",
                "left",
                json!({ "aliases": ["CVE-2026-1"], "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }] }),
            ),
            record("GHSA-2", "left", json!({ "withdrawn": "2026-01-01T00:00:00Z" })),
            record("GHSA-3", "left", json!({ "affected": [{ "package": { "ecosystem": "npm", "name": "left" }, "versions": ["9.9.9"] }] })),
            record(
                "GHSA-4",
                "right",
                json!({ "affected": [{ "package": { "ecosystem": "npm", "name": "right" },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "2.0.0" }, { "last_affected": "2.5.0" }, { "introduced": "0" }, { "fixed": "1.0.0" }] }] }] }),
            ),
            json!({ "broken": true }),
        ],
        &[Ecosystem::Npm],
    );
    let tree = tempfile::tempdir().unwrap();
    write(tree.path(), "web/package-lock.json", lock(&[("left", "1.2.3"), ("right", "2.5.0"), ("middle", "1.0.0")]));
    let report = scan(tree.path(), database.path()).await;
    let found: Vec<(&str, Severity)> = report.findings.iter().map(|finding| (finding.rule.as_str(), finding.severity)).collect();
    assert_eq!(found, [("GHSA-1", Severity::Critical), ("GHSA-4", Severity::Unknown)], "{report:#?}");
    let first = &report.findings[0];
    assert_eq!(first.advisories, ["CVE-2026-1", "GHSA-1", "SNYK-1"]);
    assert_eq!(first.fixed_versions, ["1.2.4"]);
    assert_eq!(first.cwe, [79]);
    let scores: Vec<String> = first
        .scores
        .iter()
        .map(|score| format!("{} {} {}", score.source, score.severity, score.base.map(|base| base.to_string()).unwrap_or_default()))
        .collect();
    assert_eq!(scores, ["SNYK-1 critical 9.8", "GHSA-1 medium "]);
    assert_eq!(report.coverage.read, ["web/package-lock.json (3 packages)"]);
    assert!(report.coverage.skipped.is_empty(), "{:?}", report.coverage.skipped);
    assert_eq!(report.notes, ["npm: 5 records, fetched today", "npm: 1 records could not be read"]);
    // The line may move and another database may join: it is the same finding.
    write(tree.path(), "web/package-lock.json", lock(&[("another", "1.0.0"), ("left", "1.0.0")]));
    assert_eq!(scan(tree.path(), database.path()).await.findings[0].fingerprint, first.fingerprint);
    write(tree.path(), "web/package-lock.json", lock(&[("left", "1.2.4"), ("right", "1.5.0")]));
    assert_eq!(scan(tree.path(), database.path()).await.findings, []);
}

#[tokio::test]
async fn what_was_not_looked_at_is_said() {
    let empty = tempfile::tempdir().unwrap();
    let tree = tempfile::tempdir().unwrap();
    let skipped = async || -> Vec<String> {
        let report = scan(tree.path(), empty.path()).await;
        report.coverage.skipped.iter().map(|skipped| format!("{}: {}", skipped.path, skipped.reason)).collect()
    };
    write(tree.path(), "readme.txt", "hello");
    let report = scan(tree.path(), empty.path()).await;
    assert_eq!((report.coverage.read.as_slice(), report.coverage.skipped.len()), (["1 files, of which none declares dependencies".to_owned()].as_slice(), 0));
    write(tree.path(), "web/package.json", r#"{"dependencies":{"left":"^1"}}"#);
    write(tree.path(), "plain/package.json", r#"{"name":"x"}"#);
    write(tree.path(), "old/package-lock.json", r#"{"lockfileVersion":99}"#);
    write(tree.path(), "app/go.mod", "module x\nrequire a.b/c v1.0.0\n");
    write(tree.path(), "app/node_modules/left/package-lock.json", "{");
    write(tree.path(), "bad/yarn.lock", [0xff, 0xfe]);
    assert_eq!(
        skipped().await,
        [
            "bad/yarn.lock: it is not UTF-8",
            "old/package-lock.json: its format 99 is not known; a newer Kiwi may read it",
            "web/package.json: it declares dependencies, and there is no package-lock.json or npm-shrinkwrap.json or pnpm-lock.yaml or yarn.lock or bun.lock",
            "Go: 1 packages: the database has nothing of Go; run `kiwi scan --update`",
        ]
    );
    // A sparse file of 2 GB costs nothing.
    std::fs::File::create(tree.path().join("bad/poetry.lock")).unwrap().set_len(2 << 30).unwrap();
    assert!(skipped().await.contains(&"bad/poetry.lock: it is larger than 128 MiB".to_owned()));
    std::os::unix::fs::symlink("/etc", tree.path().join("link")).unwrap();
    std::os::unix::fs::symlink(tree.path(), tree.path().join("round")).unwrap();
    assert_eq!(skipped().await.len(), 5);
}

#[tokio::test]
async fn an_old_or_damaged_database_vouches_for_nothing() {
    let database = database(&[record("GHSA-1", "left", json!({}))], &[Ecosystem::Npm]);
    let tree = tempfile::tempdir().unwrap();
    write(tree.path(), "package-lock.json", lock(&[("left", "1.2.3")]));
    let holdings = database.path().join("holdings.json");
    let text = std::fs::read_to_string(&holdings).unwrap();
    let mut aged: Value = serde_json::from_str(&text).unwrap();
    aged["npm"]["updated_at"] = json!("2026-01-01T00:00:00.000Z");
    std::fs::write(&holdings, aged.to_string()).unwrap();
    let report = scan(tree.path(), database.path()).await;
    assert!(report.findings.len() == 1 && report.coverage.skipped[0].reason.contains("days ago"), "{:?}", report.coverage.skipped);
    std::fs::write(&holdings, text).unwrap();
    let index = database.path().join("npm.index");
    let bytes = std::fs::read(&index).unwrap();
    for broken in [&bytes[..30], &bytes[..bytes.len() - 5], b"another file"] {
        std::fs::write(&index, broken).unwrap();
        let error = ScaScanner::new(database.path()).scan(&ScanTarget::Tree(tree.path().to_owned())).await.unwrap_err();
        assert!(error.hint().contains("kiwi scan --update"), "{error}");
    }
}
