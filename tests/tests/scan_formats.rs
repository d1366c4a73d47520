//! What `kiwi scan` writes is valid by its published schemas, and read by tools of other people.
//!
//! `KIWI_TEST_FORMATS` names a folder with the Python packages that `tests/formats.py` needs.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use kiwi_tests::command::Kiwi;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// A tree with findings of every kind, some of them accepted, and with what cannot be looked at.
fn tree(root: &Path) {
    let packages = json!({
        "node_modules/left": { "version": "1.0.0" },
        "node_modules/@scope/né pad": { "version": "1.0.0-rc.1+build", "dev": true },
        "node_modules/far": { "version": "1.0.0" },
    });
    write(root, "web/package-lock.json", &json!({ "lockfileVersion": 3, "packages": packages }).to_string());
    write(root, "old ones/package-lock.json", r#"{"lockfileVersion":99}"#);
    write(root, "app/go.mod", "module shop\nrequire example.com/a v1.0.0\n");
    write(
        root,
        "app/shöp #1.py",
        "import os\nfrom flask import request\n\ndef run():\n    os.system(request.args['command'])\n    eval(request.args['code'])\n",
    );
    write(root, "app/broken.py", "def (:\n");
    // Put together here, so that this file has none.
    write(root, "deploy/settings.py", &format!("TOKEN = '{}_{}'\n", "ghp", "R4nd0mL00k1ngB1tsOfTextForThisT3st99"));
    write(
        root,
        ".kiwi/suppressions.toml",
        "[[suppress]]\nrule = \"CVE-2026-2\"\nreason = \"on our machines \\\"alone\\\" <ok>\"\n\n[[suppress]]\npath = \"deploy/settings.py\"\nreason = \"revoked\"\n",
    );
}

fn database(source: &Path) -> String {
    for (id, name, rest) in [
        (
            "GHSA-1",
            "left",
            json!({ "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }, { "type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" }, { "type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P" }] }),
        ),
        ("GHSA-2", "@scope/né pad", json!({ "aliases": ["CVE-2026-2"], "database_specific": { "severity": "LOW", "cwe_ids": ["CWE-79", "CWE-1333"] } })),
        ("MAL-2026-3", "far", json!({ "summary": "", "details": "# Bad\n\n\u{1b}[31mred" })),
        ("GHSA-4", "far", json!({})),
    ] {
        let mut record = json!({ "id": id, "summary": format!("trouble in {name}"), "affected": [{ "package": { "ecosystem": "npm", "name": name }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }] }] });
        record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        write(source, &format!("npm/{id}.json"), &record.to_string());
    }
    format!("file://{}", source.display())
}

#[test]
fn sarif_and_cyclonedx_are_valid_and_read_by_others() {
    let Some(packages) = std::env::var_os("KIWI_TEST_FORMATS") else {
        println!("KIWI_TEST_FORMATS names no folder: not run");
        return;
    };
    let kiwi = Kiwi::new();
    let (root, empty) = (kiwi.folder().join("tree"), kiwi.folder().join("empty"));
    tree(&root);
    write(&empty, "readme.txt", "");
    kiwi.run(&["scan", "--update", "--database-source", &database(&kiwi.folder().join("source")), "--ecosystems", "npm"]).ok();
    let mut files = Vec::new();
    let mut said = Value::Null;
    for (name, place, code) in [("tree", &root, 1), ("empty", &empty, 0)] {
        for (format, end) in [("sarif", "sarif"), ("cyclonedx", "cdx.json")] {
            let file = kiwi.folder().join(format!("{name}.{end}")).to_str().unwrap().to_owned();
            let scan = kiwi.run(&["scan", place.to_str().unwrap(), "--format", format, "--output-file", &file, "-o", "json"]);
            assert_eq!(scan.code, code, "{}", scan.err);
            files.push(file);
            if name == "tree" {
                said = scan.json();
            }
        }
    }
    let of = |key: &str| said[key].as_array().unwrap().len();
    assert!(of("findings") >= 5 && of("suppressed") == 3 && said["coverage"]["skipped"].as_array().unwrap().len() >= 3, "{said:#}");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("formats.py");
    let judged = Command::new("python3").arg(script).args(&files).env("PYTHONPATH", packages).output().unwrap();
    let text = String::from_utf8(judged.stdout).unwrap();
    assert!(judged.status.success(), "{text}{}", String::from_utf8_lossy(&judged.stderr));
    println!("{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["results"], of("findings") + of("suppressed"));
    let places: Vec<&str> = lines[0]["places"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(places.contains(&"web/package-lock.json:1") && places.iter().any(|place| place.ends_with(".py:5")), "{places:?}");
    assert_eq!((&lines[1]["components"], &lines[1]["vulnerabilities"]), (&json!(4), &json!(4)));
    assert_eq!((&lines[2]["results"], &lines[3]["components"]), (&json!(0), &json!(0)));
}
