//! Dependencies against a database of a quarter of a million records: indexing once, and then each scan.

use crate::command::peak;
use crate::{median, row};
use kiwi_tests::command::Kiwi;
use std::io::Write as _;
use std::time::Instant;

/// Records in the database, and packages in the lockfile.
const RECORDS: usize = 250_000;
const PACKAGES: usize = 5_000;

pub(crate) fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let (source, tree) = (folder.path().join("source/npm"), folder.path().join("tree"));
    std::fs::create_dir_all(&source).unwrap();
    std::fs::create_dir_all(&tree).unwrap();
    let mut zip = zip::ZipWriter::new(std::io::BufWriter::new(std::fs::File::create(source.join("all.zip")).unwrap()));
    let options = zip::write::SimpleFileOptions::default();
    for record in 0..RECORDS {
        zip.start_file(format!("GHSA-{record}.json"), options).unwrap();
        // As large as records are on average: a summary, details, references, ranges and versions.
        let details = "Some words about what happens, how it is used, and what mends it. ".repeat(12);
        let versions: Vec<String> = (0..20).map(|patch| format!("\"1.{}.{patch}\"", record % 30)).collect();
        write!(
            zip,
            r#"{{"id":"GHSA-{record}","aliases":["CVE-2026-{record}"],"modified":"2026-01-01T00:00:00Z","summary":"Trouble in package-{record}","details":"{details}",
            "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}}],"database_specific":{{"severity":"HIGH","cwe_ids":["CWE-79"]}},
            "affected":[{{"package":{{"ecosystem":"npm","name":"package-{}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"1.{}.0"}},{{"fixed":"1.{}.0"}}]}}],"versions":[{}]}}]}}"#,
            record % (RECORDS / 3),
            record % 30,
            record % 30 + 1,
            versions.join(",")
        )
        .unwrap();
    }
    zip.finish().unwrap();
    let packages: serde_json::Map<String, serde_json::Value> = (0..PACKAGES)
        .map(|package| (format!("node_modules/package-{}", package * 7), serde_json::json!({ "version": format!("1.{}.3", package % 40) })))
        .collect();
    std::fs::write(tree.join("package-lock.json"), serde_json::json!({ "lockfileVersion": 3, "packages": packages }).to_string()).unwrap();
    let kiwi = Kiwi::new();
    let url = format!("file://{}", folder.path().join("source").display());
    let update = ["scan", "--update", "--database-source", &url, "--ecosystems", "npm"];
    let began = Instant::now();
    kiwi.run(&update).ok();
    row(&format!("a zip of {RECORDS} records is indexed"), &format!("{:.1} s, peak memory {:.0} MiB", began.elapsed().as_secs_f64(), peak(&kiwi, &update)));
    let scan = ["scan", tree.to_str().unwrap(), "-o", "json"];
    let found = kiwi.run(&scan).json()["findings"].as_array().unwrap().len();
    let mut times: Vec<f64> = (0..11).map(|_| kiwi.run(&scan).took.as_secs_f64() * 1000.0).collect();
    row(
        &format!("a lockfile of {PACKAGES} packages against it, the whole command with loading: {found} findings, median of 11"),
        &format!("{:.0} ms, peak memory {:.0} MiB", median(&mut times), peak(&kiwi, &scan)),
    );
}
