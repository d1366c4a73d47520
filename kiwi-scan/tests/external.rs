//! Every tool from what it wrote to findings, and every way in which a tool can fail.
//!
//! A shell script stands for each tool: it puts a recorded report where the tool is told to write one, and ends with the recorded code.

#![cfg(feature = "external")]
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use kiwi_core::domain::{EnvironmentName, Finding, Gate, ImagePin, ScanKind, ScanReport, ScanStatus, ServiceId, Severity};
use kiwi_core::error::ErrorKind;
use kiwi_core::memory::MemoryRuntime;
use kiwi_core::provider::{ScanTarget, Scanner as _, Workload};
use kiwi_scan::external::{Exit, ExternalScanner, Tool, ToolTask, ToolVersion, tools};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A folder with the sample project in `src`, and a place for programs.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&fixtures().join("sample"), &folder.path().join("src"));
        Self { folder }
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("src")
    }

    /// A program; its arguments are in `"$@"`, the tree is `$tree`, and `$reports` is where the last report goes.
    fn program(&self, tool: &Tool, version: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join("program");
        let tree = self.tree().canonicalize().unwrap();
        let asked = tool.version.arguments.join(" ");
        let text = format!(
            "#!/bin/sh\n[ \"$*\" = '{asked}' ] && {{ echo '{}{version}'; exit 0; }}\ntree='{}'\nreports=$PWD\n{script}\n",
            tool.version.after,
            tree.display()
        );
        // Written under another name first: a file that is still open for writing cannot be run.
        let fresh = self.folder.path().join("fresh");
        std::fs::write(&fresh, text).unwrap();
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(fresh, &path).unwrap();
        path
    }

    async fn scan(&self, tool: Tool, script: &str) -> ScanReport {
        let target = match tool.tree {
            Some(_) => ScanTarget::Tree(self.tree()),
            None => ScanTarget::Url("https://shop.example.com/".parse().unwrap()),
        };
        self.scan_target(tool, script, &target).await
    }

    async fn scan_image(&self, tool: Tool, script: &str) -> ScanReport {
        let digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let image = ImagePin::Registry { reference: "127.0.0.1:5001/sample:1".parse().unwrap(), digest, registry: None };
        self.scan_target(tool, script, &ScanTarget::Image(image)).await
    }

    async fn scan_target(&self, tool: Tool, script: &str, target: &ScanTarget) -> ScanReport {
        let program = self.program(&tool, "99.0.0", script);
        ExternalScanner::program(tool, Some(program)).timeout(Duration::from_secs(60)).scan(target).await.unwrap()
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/external")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Puts recorded reports in place, with the tree's own path instead of the recorded one, and ends.
fn replay(files: &[(&str, &str)], code: i32) -> String {
    let copies = files.iter().map(|(from, to)| format!("sed \"s#/src#$tree#g\" '{}' > \"$reports/{to}\"", fixtures().join(from).display()));
    format!("{}\nexit {code}", copies.collect::<Vec<_>>().join("\n"))
}

/// A report in lines: what was found, what was accepted, and what was not looked at.
fn lines(report: &ScanReport) -> Vec<String> {
    let place = |finding: &Finding| match (finding.place(), &finding.path) {
        (place, Some(path)) if finding.dependency.is_some() => format!("{place} in {path}"),
        (place, _) => place,
    };
    let found = report.findings.iter().map(|finding| {
        let scores: Vec<String> = finding
            .scores
            .iter()
            .map(|score| format!("{}={}{}", score.source, score.severity, score.base.map(|base| format!(" {base}")).unwrap_or_default()))
            .collect();
        format!(
            "{:.8} {} {} {} [{}] cwe {:?} also {:?} fixed {:?} scores [{}] {} {}",
            finding.fingerprint.as_str(),
            finding.kind.as_str(),
            finding.severity,
            finding.rule,
            place(finding),
            finding.cwe,
            finding.advisories,
            finding.fixed_versions,
            scores.join(", "),
            finding.message,
            finding.url.as_deref().unwrap_or_default()
        )
    });
    let accepted = report.suppressed.iter().map(|one| format!("accepted {} [{}]: {}", one.finding.rule, place(&one.finding), one.reason));
    let skipped = report.coverage.skipped.iter().map(|skipped| format!("skipped {}: {}", skipped.path, skipped.reason));
    let read = report.coverage.read.iter().map(|read| format!("read {read}"));
    let notes = report.notes.iter().map(|note| format!("note {note}"));
    let gap = report.incomplete.iter().map(|reason| format!("incomplete: {reason}"));
    found.chain(accepted).chain(read).chain(skipped).chain(notes).chain(gap).collect()
}

fn status(report: &ScanReport) -> ScanStatus {
    Gate { fail_on: Severity::Critical, fail_on_unknown: false, ..Gate::default() }.decide(std::slice::from_ref(report), &Default::default()).status
}

/// Reads SARIF from anywhere.
fn own() -> Tool {
    let version = ToolVersion { arguments: &["--version"], after: "own ", least: [0, 1, 0] };
    let mut tool = Tool::sarif("own", ScanKind::Sast, "own", version);
    tool.tree = Some(&["{options}", "{target}"]);
    tool
}

/// The least that each tool writes when it finds nothing.
fn nothing(tool: &Tool) -> &'static str {
    match tool.name {
        "semgrep" => r#"{"version":"1.182.0","results":[],"errors":[],"paths":{"scanned":["a.py"]}}"#,
        "bandit" => r#"{"errors":[],"metrics":{"_totals":{"nosec":0},"a.py":{"nosec":0}},"results":[]}"#,
        "gitleaks" => "[]",
        "trivy" => r#"{"SchemaVersion":2}"#,
        "grype" => r#"{"matches":[],"descriptor":{"version":"0.99.0"}}"#,
        "osv-scanner" => r#"{"results":[{"source":{"path":"go.mod"},"packages":[{"package":{"name":"a","version":"1","ecosystem":"Go"}}]}]}"#,
        "nuclei" => "",
        "zap" => {
            r#"{"@version":"2.16.1","site":[{"@name":"https://shop.example.com","alerts":[{"alertRef":"10049","name":"Non-Storable Content","riskcode":"0"}]}]}"#
        }
        _ => r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"own"}},"results":[]}]}"#,
    }
}

fn all() -> impl Iterator<Item = Tool> {
    tools::ALL.into_iter().chain([own()])
}

#[tokio::test]
async fn what_tools_wrote_becomes_findings() {
    let ground = Ground::new();
    let plain = |from| vec![(from, "report.json")];
    for (name, tool, files, code) in [
        ("semgrep", tools::SEMGREP, vec![("semgrep/report.json", "report.json"), ("semgrep/report.sarif", "report.sarif")], 0),
        ("semgrep_no_rules", tools::SEMGREP, plain("semgrep/no-rules.json"), 7),
        ("bandit", tools::BANDIT, plain("bandit/report.json"), 1),
        ("gitleaks", tools::GITLEAKS, plain("gitleaks/report.json"), 10),
        ("trivy", tools::TRIVY, plain("trivy/report.json"), 0),
        ("trivy_vulnerabilities", tools::TRIVY, plain("trivy/vulnerabilities.json"), 0),
        ("trivy_documented", tools::TRIVY, plain("trivy/documented.json"), 0),
        ("grype", tools::GRYPE, plain("grype/report.json"), 0),
        ("grype_documented", tools::GRYPE, plain("grype/documented.json"), 0),
        ("osv_scanner", tools::OSV_SCANNER, plain("osv-scanner/report.json"), 1),
        ("osv_scanner_documented", tools::OSV_SCANNER, plain("osv-scanner/documented.json"), 1),
        ("nuclei", tools::NUCLEI, vec![("nuclei/report.jsonl", "report.jsonl")], 0),
        ("nuclei_no_answer", tools::NUCLEI, vec![("nuclei/no-answer.jsonl", "report.jsonl")], 0),
        ("nuclei_documented", tools::NUCLEI, vec![("nuclei/documented.jsonl", "report.jsonl")], 0),
        ("zap", tools::ZAP, plain("zap/report.json"), 2),
        ("zap_documented", tools::ZAP, plain("zap/documented.json"), 2),
        ("sarif_of_semgrep", own(), vec![("semgrep/report.sarif", "report.sarif")], 0),
        ("sarif_of_gitleaks", own(), vec![("gitleaks/report.sarif", "report.sarif")], 1),
        ("sarif_of_trivy", own(), vec![("trivy/report.sarif", "report.sarif")], 0),
    ] {
        let report = ground.scan(tool, &replay(&files, code)).await;
        let tree = ground.tree().canonicalize().unwrap().display().to_string();
        let text = lines(&report).join("\n");
        assert!(!text.contains("correct-horse") && !text.contains("hunter2"), "{text}");
        insta::assert_snapshot!(name, text.replace(&tree, "/src"));
    }
}

#[tokio::test]
async fn what_tools_wrote_of_an_image_becomes_findings() {
    let ground = Ground::new();
    for (name, tool, file, code) in [
        ("trivy_image", tools::TRIVY, "trivy/image.json", 0),
        ("grype_image", tools::GRYPE, "grype/image.json", 0),
        ("osv_scanner_image", tools::OSV_SCANNER, "osv-scanner/image.json", 1),
    ] {
        insta::assert_snapshot!(name, lines(&ground.scan_image(tool, &replay(&[(file, "report.json")], code)).await).join("\n"));
    }
}

#[tokio::test]
async fn an_image_that_no_tool_knows_its_way_in_is_incomplete() {
    let ground = Ground::new();
    // Each tool ends with 0 and a report without findings, and says the rest in its log, if at all.
    for (tool, report, log, words) in [
        (tools::TRIVY, "trivy/no-packages.json", None, "it recognized nothing in the image"),
        (tools::TRIVY, "trivy/image.json", Some("trivy/no-packages.log"), "No OS package is detected"),
        (tools::TRIVY, "trivy/image.json", Some("trivy/unknown-distribution.log"), "Unsupported os family=\"none\""),
        (tools::TRIVY, "trivy/image.json", Some("trivy/unsupported-distribution.log"), "The vulnerability detection may be insufficient"),
        (tools::GRYPE, "grype/image.json", Some("grype/no-packages.log"), "found 0 vulnerability matches across 0 packages"),
        (tools::GRYPE, "grype/image.json", Some("grype/unknown-distribution.log"), "Unable to determine the OS distribution"),
        (tools::OSV_SCANNER, "osv-scanner/unknown-distribution.json", None, "2 packages are of an ecosystem or a distribution"),
    ] {
        let said = log.map(|log| format!("cat '{}' >&2\n", fixtures().join(log).display())).unwrap_or_default();
        let report = ground.scan_image(tool, &(said + &replay(&[(report, "report.json")], 0))).await;
        // The words begin it: no time and no level before them.
        assert!(report.incomplete.as_ref().is_some_and(|reason| reason.starts_with(words)), "{report:?}");
    }
}

#[tokio::test]
async fn temporary_files_are_no_reports() {
    let ground = Ground::new();
    let script = format!("head -c 70000000 /dev/zero > \"$TMPDIR/layer\"; sleep 0.3; echo '{}' > \"$reports/report.sarif\"", nothing(&own()));
    let report = ground.scan(own(), &script).await;
    assert_eq!((status(&report), report.incomplete.as_deref()), (ScanStatus::Passed, None));
}

#[tokio::test]
async fn a_missing_database_is_incomplete() {
    let ground = Ground::new();
    for (tool, log, code, words) in [
        (tools::TRIVY, "trivy/no-database.log", 1, "failed to download vulnerability DB"),
        (tools::GRYPE, "grype/no-database.log", 1, "failed to load vulnerability db: database does not exist"),
        (tools::NUCLEI, "nuclei/no-templates.log", 1, "no templates provided for scan"),
        (tools::OSV_SCANNER, "osv-scanner/no-database.log", 127, "no offline version of the OSV database is available"),
    ] {
        let report = ground.scan(tool, &format!("cat '{}' >&2\nexit {code}", fixtures().join(log).display())).await;
        let reason = report.incomplete.clone().unwrap();
        assert!(reason.starts_with(&format!("it ended with {code}: ")) && reason.contains(words), "{reason}");
        assert_eq!(status(&report), ScanStatus::Incomplete);
    }
}

#[tokio::test]
async fn each_tool_has_its_own_exit_codes() {
    let ground = Ground::new();
    for tool in all() {
        let write = |code: i64| format!("cat > \"$reports/{}\" <<'END'\n{}\nEND\nexit {code}", tool.report, nothing(&tool));
        for (code, exit) in tool.exits {
            let report = ground.scan(tool, &write(*code)).await;
            let reason = report.incomplete.clone().unwrap_or_default();
            match exit {
                Exit::Done => assert_eq!((status(&report), reason.as_str()), (ScanStatus::Passed, ""), "{} {code}", tool.name),
                Exit::Found if !report.findings.is_empty() => assert_eq!(reason, "", "{} {code}", tool.name),
                Exit::Found => assert!(reason.contains("its report has nothing"), "{} {code}: {reason}", tool.name),
                Exit::Failed(why) => assert!(reason.contains(&format!("it ended with {code}: {why}")), "{} {code}: {reason}", tool.name),
            }
        }
        let unknown = ground.scan(tool, &write(77)).await;
        assert!(unknown.incomplete.as_ref().is_some_and(|reason| reason.contains("77")), "{unknown:?}");
        let silent = ground.scan(tool, "exit 0").await;
        assert_eq!((silent.incomplete.as_deref(), status(&silent)), (Some("it wrote no report"), ScanStatus::Incomplete), "{}", tool.name);
        let killed = ground.scan(tool, "kill -9 $$").await;
        assert_eq!(killed.incomplete.as_deref(), Some("it was killed"), "{}", tool.name);
    }
}

#[tokio::test]
async fn what_a_log_says_was_left_out_counts() {
    let ground = Ground::new();
    let unresponsive = "echo '[INF] Skipped shop.example.com:443 from target list as found unresponsive 30 times' >&2\n: > \"$reports/report.jsonl\"";
    let report = ground.scan(tools::NUCLEI, unresponsive).await;
    assert!(report.incomplete.is_some_and(|reason| reason.contains("unresponsive")));
    // Its report and its exit code are those of a scan that found something, and tell nothing of this.
    for (log, words) in [("part-of-database.log", "could not load db for Go ecosystem"), ("malformed.log", "package-lock.json: could not extract")] {
        let log = fixtures().join("osv-scanner").join(log);
        let script = format!("cat '{}' >&2\n{}", log.display(), replay(&[("osv-scanner/report.json", "report.json")], 1));
        let report = ground.scan(tools::OSV_SCANNER, &script).await;
        assert!(report.incomplete.as_ref().is_some_and(|reason| reason.contains(words)), "{report:?}");
        assert_eq!(report.findings.len(), 3);
    }
}

#[tokio::test]
async fn an_application_that_does_not_answer_zap_is_incomplete() {
    let ground = Ground::new();
    let log = |name| format!("cat '{}'\n", fixtures().join("zap").join(name).display());
    // Beside the summary of an earlier scan in its home it ends with that one's code.
    for code in [3, 2, 0] {
        let reason = ground.scan(tools::ZAP, &format!("{}exit {code}", log("no-answer.log"))).await.incomplete.unwrap();
        assert!(reason.contains("failed to access URL") && reason.contains("Connection refused"), "{reason}");
    }
    let refused = ground.scan(tools::ZAP, &(log("refused.log") + &replay(&[("zap/refused.json", "report.json")], 2))).await;
    assert!(refused.incomplete.is_some_and(|reason| reason.contains("status code returned : 401")) && refused.findings.len() == 4);
    // Without its automation framework ZAP ends well and writes this.
    let nothing = r#"{"@version":"2.12.0","site":[{"@name":"http://nowhere.invalid","@host":"nowhere.invalid","@port":"80","@ssl":"false","alerts":[]}]}"#;
    let silent = ground.scan(tools::ZAP, &format!("echo '{nothing}' > \"$reports/report.json\"")).await;
    assert!(silent.incomplete.is_some_and(|reason| reason.contains("does not answer")));
}

#[tokio::test]
async fn a_tool_that_is_missing_or_too_old_never_passes() {
    let ground = Ground::new();
    let target = ScanTarget::Tree(ground.tree());
    let missing = ExternalScanner::program(tools::SEMGREP, Some("/nowhere/semgrep".into())).scan(&target).await.unwrap();
    assert_eq!(status(&missing), ScanStatus::Incomplete);
    assert!(missing.incomplete.is_some_and(|reason| reason.contains("was not found") && reason.contains("pip install semgrep")));
    for (version, says) in [("1.99.9", "older than 1.100.0"), ("none", "does not tell its version")] {
        let program = ground.program(&tools::SEMGREP, version, "exit 0");
        let report = ExternalScanner::program(tools::SEMGREP, Some(program)).scan(&target).await.unwrap();
        assert!(report.incomplete.as_ref().is_some_and(|reason| reason.contains(says)), "{report:?}");
    }
    // What it told is told on; a report that names another version knows better.
    for (report, version) in [("{\"results\":[]}", "99.0.0"), ("{\"version\":\"1.182.0\",\"results\":[]}", "1.182.0")] {
        let report = ground.scan(tools::SEMGREP, &format!("echo '{report}' > \"$reports/report.json\"")).await;
        assert_eq!(report.version.as_deref(), Some(version));
    }
    // In an image nobody asks for the version, and the report tells it.
    let old = ground.scan(tools::TRIVY, "echo '{\"SchemaVersion\":2,\"Trivy\":{\"Version\":\"0.40.0\"}}' > \"$reports/report.json\"").await;
    assert!(old.incomplete.is_some_and(|reason| reason.contains("0.40.0 is older")));
    let unsupported = ExternalScanner::program(tools::ZAP, None).scan(&target).await.unwrap_err();
    assert_eq!(unsupported.kind(), ErrorKind::Unsupported);
    let told = ExternalScanner::program(tools::ZAP, None).scan(&ScanTarget::Url("https://me:secret@shop.example.com".parse().unwrap())).await.unwrap_err();
    assert!(told.kind() == ErrorKind::InvalidInput && !told.to_string().contains("secret"));
}

/// Whether a process is there, and not only waiting to be taken off the list.
fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn gone(ground: &Ground, files: &[&str]) {
    for file in files {
        let pid = std::fs::read_to_string(ground.folder.path().join(file)).unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while runs(&pid) {
            assert!(Instant::now() < end, "{file} still runs");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn at_its_deadline_a_tool_ends_with_all_that_it_started() {
    let ground = Ground::new();
    let folder = ground.folder.path().display().to_string();
    let script = format!("sleep 300 &\necho $! > '{folder}/child.new'\nmv '{folder}/child.new' '{folder}/child'\necho $$ > '{folder}/leader'\nsleep 300");
    let program = ground.program(&own(), "1.0.0", &script);
    let scanner = || ExternalScanner::program(own(), Some(program.clone())).timeout(Duration::from_secs(1));
    let target = ScanTarget::Tree(ground.tree());
    let start = Instant::now();
    let report = scanner().scan(&target).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(20) && report.incomplete.is_some_and(|reason| reason.contains("took longer than 1 s")));
    gone(&ground, &["leader", "child"]).await;
    // And when nobody waits for it any more.
    std::fs::remove_file(ground.folder.path().join("leader")).unwrap();
    let scanner = scanner().timeout(Duration::from_secs(600));
    let waiting = tokio::spawn(async move { scanner.scan(&target).await });
    while !ground.folder.path().join("leader").exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    waiting.abort();
    gone(&ground, &["leader", "child"]).await;
    // One that ends well leaves nobody behind either.
    let quick = format!("sleep 300 &\necho $! > '{folder}/child'\necho '{}' > \"$reports/report.sarif\"", nothing(&own()));
    assert_eq!(status(&ground.scan(own(), &quick).await), ScanStatus::Passed);
    gone(&ground, &["child"]).await;
}

#[tokio::test]
async fn a_tool_that_writes_without_end_is_stopped() {
    let ground = Ground::new();
    let start = Instant::now();
    let report = ground.scan(own(), "exec yes > \"$reports/report.sarif\"").await;
    assert!(report.incomplete.as_ref().is_some_and(|reason| reason.contains("larger than 64 MiB")), "{report:?}");
    assert!(start.elapsed() < Duration::from_secs(30));
    // A long log is no report: only its end is kept.
    let chatty = format!("head -c 50000000 /dev/zero; echo >&2; echo '{}' > \"$reports/report.sarif\"", nothing(&own()));
    assert_eq!(status(&ground.scan(own(), &chatty).await), ScanStatus::Passed);
}

#[tokio::test]
async fn hostile_reports_are_incomplete_in_words() {
    let ground = Ground::new();
    let deep = "[".repeat(500_000);
    let object = "{\"a\":".repeat(500_000);
    let many = format!("{{\"runs\":[{}0],\"results\":[{}0],\"matches\":[{}0]}}", "0,".repeat(300_000), "0,".repeat(300_000), "0,".repeat(300_000));
    let bodies = [
        "{",
        "{}",
        "{\"results\":[]}",
        "null",
        "7",
        "\"text\"",
        "[[[1]]]",
        "{\"runs\":7,\"results\":7,\"matches\":7,\"site\":7,\"Results\":7}",
        "\u{0}",
        &deep,
        &object,
        &many,
    ];
    for tool in all() {
        for body in bodies {
            let file = ground.folder.path().join("body");
            std::fs::write(&file, body).unwrap();
            let report = ground.scan(tool, &format!("cp '{}' \"$reports/{}\"", file.display(), tool.report)).await;
            assert_eq!(status(&report), ScanStatus::Incomplete, "{} {:.40}", tool.name, body);
            assert!(report.incomplete.as_ref().is_none_or(|reason| reason.len() < 1000), "{report:?}");
        }
        let report = ground.scan(tool, &format!("printf '[{{\"a\":\"\\377\\376\"}}]' > \"$reports/{}\"", tool.report)).await;
        assert_eq!(status(&report), ScanStatus::Incomplete, "{} of bytes that are no text", tool.name);
    }
}

#[tokio::test]
async fn sarif_is_read_as_tools_bend_it() {
    let ground = Ground::new();
    let sarif = r##"{"runs":[{"tool":{"driver":{"rules":[
            {"id":"a","defaultConfiguration":{"level":"note"},"properties":{"security-severity":9.1,"tags":["external/cwe/cwe-079"]}},
            {"id":"b","relationships":[{"target":{"id":"89","toolComponent":{"name":"CWE"}}}],"helpUri":"javascript:alert(1)"}]}},
        "originalUriBaseIds":{"ROOT":{"uri":"file:///src/"}},
        "invocations":[{"executionSuccessful":false,"exitCode":3,"toolExecutionNotifications":[
            {"level":"error","message":{"text":"cannot parse\nsecret"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"app/worse.py"}}}]},
            {"level":"error","message":{"text":"no rules"}},{"message":{"text":"a warning"}}]}],
        "results":[
            {"ruleId":"a/narrow","message":{"text":"one"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"my%20docs/read%20me.py","uriBaseId":"ROOT"},"region":{"startLine":9}}}]},
            {"ruleIndex":1,"message":{"markdown":"two"},"fingerprints":{"x":"requires login"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"file:///src/app/shop.py"},"region":{"startLine":13}}}]},
            {"ruleId":"none","level":"none","message":{},"suppressions":[{"kind":"external","status":"rejected"}]},
            {"ruleId":"b","message":{"text":"accepted"},"suppressions":[{"kind":"external","justification":"for a reason"}]},
            {"ruleId":"b","kind":"pass","message":{"text":"fine"}},{"ruleId":"b","baselineState":"absent","message":{"text":"gone"}},
            {"ruleId":"b","message":{"text":"out"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"../../etc/passwd"}}}]},
            {"ruleId":"b","message":{"text":"out"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"%2e%2e/x"}}}]},
            {"ruleId":["strange"],"message":7},
            {"ruleId":"b","message":{"text":"two\u001b[2J\u0007lines"},"locations":[{"physicalLocation":{"region":{"startLine":-1}}}]}]},
        {"tool":{}}]}"##;
    let file = ground.folder.path().join("body");
    std::fs::write(&file, sarif).unwrap();
    let report = ground.scan(own(), &format!("sed \"s#/src#$tree#g\" '{}' > \"$reports/report.sarif\"", file.display())).await;
    insta::assert_snapshot!("bent_sarif", lines(&report).join("\n"));
    assert!(report.findings.iter().all(|finding| finding.url.is_none()));
}

#[tokio::test]
async fn a_tool_sees_little_of_this_process() {
    let ground = Ground::new();
    let report = nothing(&own());
    // Cargo sets this variable for every test.
    let script = format!(
        "[ -z \"$CARGO_MANIFEST_DIR\" ] && [ -n \"$PATH\" ] && [ \"$1\" = '; touch x' ] && [ \"$2\" = \"$tree\" ] && [ \"$(ls)\" = '' ] || exit 9\necho '{report}' > \"$reports/report.sarif\""
    );
    let program = ground.program(&own(), "1.0.0", &script);
    let scanner = ExternalScanner::program(own(), Some(program)).options(vec!["; touch x".to_owned()]);
    let report = scanner.scan(&ScanTarget::Tree(ground.tree())).await.unwrap();
    assert_eq!((status(&report), report.incomplete), (ScanStatus::Passed, None));
}

#[tokio::test]
async fn a_tool_runs_as_a_task_of_a_runtime() {
    let ground = Ground::new();
    let runtime = Arc::new(MemoryRuntime::default());
    let task = ToolTask {
        runtime: runtime.clone(),
        image: ImagePin::Local { reference: "bandit:1".parse().unwrap(), id: format!("sha256:{}", "a".repeat(64)).parse().unwrap() },
        program: None,
        workload: Workload {
            installation: "tests".to_owned(),
            service: ServiceId::generate(),
            name: "shop".parse().unwrap(),
            environment: EnvironmentName::default(),
        },
        run: None,
        registries: Vec::new(),
    };
    let scanner = ExternalScanner::task(tools::BANDIT, task);
    let target = ScanTarget::Tree(ground.tree());
    let silent = scanner.scan(&target).await.unwrap();
    assert_eq!(status(&silent), ScanStatus::Incomplete, "no report came back");
    let recorded = std::fs::read_to_string(fixtures().join("bandit/report.json")).unwrap().replace("/src", "/kiwi/in");
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(recorded.len() as u64);
    archive.append_data(&mut header, "out/report.json", recorded.as_bytes()).unwrap();
    runtime.hand_back("/kiwi/out".parse().unwrap(), archive.into_inner().unwrap());
    runtime.exit_tasks_with(1);
    let report = scanner.scan(&target).await.unwrap();
    let program = ground.scan(tools::BANDIT, &replay(&[("bandit/report.json", "report.json")], 1)).await;
    assert_eq!(lines(&report), lines(&program), "the way in which a tool runs changes nothing of what it finds");
    let tasks = runtime.tasks();
    let last = tasks.last().unwrap();
    assert_eq!(last.command, ["bandit", "--recursive", "--quiet", "--ini=/dev/null", "--format=json", "--output=/kiwi/out/report.json", "/kiwi/in"]);
    let mut input = tar::Archive::new(last.input.as_deref().unwrap());
    let names: Vec<String> = input.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!(names, ["Dockerfile", "app/settings.py", "app/shop.py", "app/worse.py", "my docs/read me.py", "requirements.txt"]);
}

/// With a real Bandit, whose program `KIWI_TEST_BANDIT` names.
#[tokio::test]
async fn bandit_itself() {
    let Some(program) = std::env::var_os("KIWI_TEST_BANDIT") else {
        println!("KIWI_TEST_BANDIT names no program: not run");
        return;
    };
    let ground = Ground::new();
    let scanner = ExternalScanner::program(tools::BANDIT, Some(program.into()));
    let report = scanner.scan(&ScanTarget::Tree(ground.tree())).await.unwrap();
    let recorded = ground.scan(tools::BANDIT, &replay(&[("bandit/report.json", "report.json")], 1)).await;
    assert_eq!(lines(&report), lines(&recorded));
    // Settings of the tree exclude nothing.
    std::fs::write(ground.tree().join(".bandit"), "[bandit]\nexclude: /\n").unwrap();
    assert_eq!(lines(&scanner.scan(&ScanTarget::Tree(ground.tree())).await.unwrap()), lines(&recorded));
}

#[tokio::test]
async fn bandit_that_looked_at_nothing_vouches_for_nothing() {
    let ground = Ground::new();
    let script = "echo '{\"errors\":[],\"metrics\":{\"_totals\":{\"nosec\":0}},\"results\":[]}' > \"$reports/report.json\"\nexit 0";
    let report = ground.scan(tools::BANDIT, script).await;
    assert_eq!(report.incomplete.as_deref(), Some("it looked at no file, and the tree has Python files"));
    std::fs::remove_dir_all(ground.tree()).unwrap();
    std::fs::create_dir(ground.tree()).unwrap();
    let report = ground.scan(tools::BANDIT, script).await;
    assert_eq!((report.incomplete, report.coverage.read), (None, vec!["no Python files, as there are none".to_owned()]));
}

#[cfg(feature = "secrets")]
#[tokio::test]
async fn what_a_failing_tool_said_last_shows_no_secret() {
    let ground = Ground::new();
    // Put together here, so that this file has none.
    let secret = format!("{}_{}", "ghp", "R4nd0mL00k1ngB1tsOfTextForThisT3st99");
    let report = ground.scan(own(), &format!("echo 'cannot parse: token = \"{secret}\" at 1' >&2\nexit 77")).await;
    let said = report.incomplete.unwrap();
    assert!(said.contains("cannot parse: token = \"***\" at 1") && !said.contains(&secret), "{said}");
}
