//! Source code: every rule's own examples, the labelled set, what cannot be analysed, and rules of users.
#![cfg(feature = "sast")]

use kiwi_core::domain::{ScanReport, Severity};
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_scan::sast::{Language, Rules, SastScanner, failures, read_rules};
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

async fn scan(root: &Path) -> ScanReport {
    match SastScanner::default().scan(&ScanTarget::Tree(root.to_owned())).await {
        Ok(report) => report,
        Err(error) => unreachable!("{}", error.chain()),
    }
}

#[test]
fn every_example_of_every_rule_holds() {
    let wrong = failures(&Rules::builtin());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_of_rules_is_compiled_in_and_each_rule_is_explained() {
    for language in Language::ALL {
        let read = Rules::none().with_folder(&here(&format!("src/sast/rules/{}", language.as_str()))).unwrap();
        let ids = |rules: Vec<kiwi_scan::sast::Rule>| {
            let mut ids: Vec<String> = rules.iter().map(|rule| rule.id().to_owned()).collect();
            ids.sort();
            ids
        };
        let builtin = Rules::builtin().of(*language);
        assert!(builtin.len() >= 40, "{}: {}", language.as_str(), builtin.len());
        for rule in &builtin {
            let name = rule.id();
            assert!(name.starts_with(language.as_str()), "{name}");
            assert!(rule.cwe() > 0 && rule.explanation().len() > 20 && rule.fix().len() > 10 && rule.title().len() <= 72, "{name}");
            assert!(rule.severity() != Severity::Unknown, "{name}");
        }
        assert_eq!(ids(builtin), ids(read.of(*language)));
    }
}

#[derive(Deserialize)]
struct Case {
    file: String,
    vulnerable: bool,
    cwe: u32,
    lines: Vec<u32>,
}

/// Classes that one finding may name either way.
fn class(cwe: u32) -> u32 {
    match cwe {
        95 => 94,
        327 | 328 => 326,
        338 => 330,
        1004 => 614,
        605 => 489,
        943 => 90,
        297 | 322 => 295,
        other => other,
    }
}

/// Scores the frozen cases; `docs/sast-score.md` holds the result (`KIWI_WRITE_DOCS=1` writes it anew).
#[tokio::test]
async fn the_score_on_the_labelled_set_is_the_documented_one() {
    let mut text = String::from(
        "# Score on the labelled set\n\nWritten by `KIWI_WRITE_DOCS=1 cargo nextest run -p kiwi-scan --test sast`. The cases and how they are counted: `kiwi-scan/tests/labelled/README.md`.\n\n| language | cases | found | missed | false | precision | recall |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut total = [0_usize; 4];
    let mut details = String::new();
    for folder in ["python", "javascript", "java", "go"] {
        let root = here("tests/labelled").join(folder);
        let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(root.join("labels.json")).unwrap()).unwrap();
        let report = scan(&root).await;
        let (mut found, mut missed, mut wrong) = (0, Vec::new(), Vec::new());
        for case in &cases {
            let of_file: Vec<_> = report.findings.iter().filter(|finding| finding.path.as_deref() == Some(case.file.as_str())).collect();
            if !case.vulnerable {
                wrong.extend(of_file.first().map(|finding| format!("`{}` ({})", case.file, finding.rule)));
                continue;
            }
            let right = of_file
                .iter()
                .any(|finding| finding.cwe.iter().any(|cwe| class(*cwe) == class(case.cwe)) && finding.line.is_some_and(|line| case.lines.contains(&line)));
            if right {
                found += 1;
            } else {
                missed.push(format!("`{}` (CWE-{})", case.file, case.cwe));
            }
        }
        let row = [cases.len(), found, missed.len(), wrong.len()];
        writeln!(text, "{}", line(folder, row)).unwrap();
        for (sum, one) in total.iter_mut().zip(row) {
            *sum += one;
        }
        write!(details, "\n## {folder}\n\nMissed: {}.\n\nFalse: {}.\n", list(&missed), list(&wrong)).unwrap();
    }
    writeln!(text, "{}", line("all", total)).unwrap();
    text.push_str(&details);
    let file = here("../docs/sast-score.md");
    if std::env::var_os("KIWI_WRITE_DOCS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    println!("{text}");
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), text);
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn line(name: &str, [cases, found, missed, wrong]: [usize; 4]) -> String {
    let share = |part: usize, rest: usize| if part + rest == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / (part + rest) as f64) };
    format!("| {name} | {cases} | {found} | {missed} | {wrong} | {} | {} |", share(found, wrong), share(found, missed))
}

/// `docs/sast-rules.md` lists the rules (`KIWI_WRITE_DOCS=1` writes it anew).
#[test]
fn the_rules_are_documented() {
    let mut text = String::from("# Rules for source code\n\nWritten by `KIWI_WRITE_DOCS=1 cargo nextest run -p kiwi-scan --test sast`.\n");
    for language in Language::ALL {
        let rules = Rules::builtin().of(*language);
        write!(text, "\n## {} ({} rules)\n\n| rule | severity | weakness | what |\n| --- | --- | --- | --- |\n", language.as_str(), rules.len()).unwrap();
        let mut rows: Vec<String> =
            rules.iter().map(|rule| format!("| `{}` | {} | CWE-{} | {} |", rule.id(), rule.severity(), rule.cwe(), rule.title().replace('|', "\\|"))).collect();
        rows.sort();
        text.push_str(&rows.join("\n"));
        text.push('\n');
    }
    let file = here("../docs/sast-rules.md");
    if std::env::var_os("KIWI_WRITE_DOCS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), text);
}

#[tokio::test]
async fn a_script_is_known_by_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("serve", "#!/usr/bin/env -S PORT=1 python3.12\nimport os, sys\nos.system(sys.argv[1])\n"),
        ("run", "#!/usr/bin/node\nrequire('child_process').exec(process.argv[2]);\n"),
        ("APP.PY", "import os, sys\nos.system(sys.argv[1])\n"),
        ("notes", "import os, sys\nos.system(sys.argv[1])\n"),
        ("Makefile", "#!/usr/bin/make -f\nall:\n\techo $(1)\n"),
        ("empty", ""),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let report = scan(folder.path()).await;
    let mut found: Vec<String> = report.findings.iter().filter_map(|finding| finding.path.clone()).collect();
    found.sort();
    assert_eq!(found, ["APP.PY", "run", "serve"]);
    assert_eq!(report.coverage.read, ["1 files of javascript", "2 files of python"]);
}

#[tokio::test]
async fn what_was_not_analysed_is_said() {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(root.path().join(name), text).unwrap();
    write("broken.py", b"import os\nos.system(input())\ndef f(:\n    pass\n");
    write("deep.js", format!("x = {}1{};", "(".repeat(3000), ")".repeat(3000)).as_bytes());
    write("long.py", format!("x = {}1", "1 + ".repeat(200_000)).as_bytes());
    write("large.go", &vec![b' '; 3 << 20]);
    write("odd.java", b"class \xff\xfe { void f() { } }");
    write(
        "loops.py",
        format!(
            "import os\n{}",
            (0..40).map(|depth| format!("{}for x{depth} in y:\n", " ".repeat(depth))).collect::<String>() + &" ".repeat(40) + "os.system(x1)\n"
        )
        .as_bytes(),
    );
    let report = scan(root.path()).await;
    let skipped: Vec<(&str, &str)> = report.coverage.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.reason.as_str())).collect();
    assert!(skipped.iter().any(|(path, reason)| *path == "broken.py" && reason.contains("line 3")), "{skipped:?}");
    assert!(skipped.iter().any(|(path, reason)| *path == "deep.js" && reason.contains("nested")), "{skipped:?}");
    assert!(skipped.iter().any(|(path, reason)| *path == "large.go" && reason.contains("larger")), "{skipped:?}");
    // What could be read of a broken file is looked at nonetheless.
    assert!(report.findings.iter().any(|finding| finding.path.as_deref() == Some("broken.py") && finding.line == Some(2)), "{:?}", report.findings);
}

#[tokio::test]
async fn a_finding_keeps_its_identity_when_lines_move_and_can_be_accepted_where_it_stands() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("app.py");
    let code = "import subprocess\nfrom flask import request\n\ndef run():\n    subprocess.run(request.args['x'], shell=True)\n";
    std::fs::write(&file, code).unwrap();
    let before = scan(root.path()).await;
    assert_eq!(before.findings.len(), 1, "{:?}", before.findings);
    assert_eq!((before.findings[0].cwe.as_slice(), before.findings[0].line), ([78].as_slice(), Some(5)));
    std::fs::write(&file, format!("# a line\n\n{}", code.replace("shell=True", " shell = True"))).unwrap();
    let after = scan(root.path()).await;
    assert_eq!(after.findings[0].fingerprint, before.findings[0].fingerprint);
    let rule = &before.findings[0].rule;
    std::fs::write(&file, code.replace("    subprocess", &format!("    # kiwi: accept {rule} because only operators reach it\n    subprocess"))).unwrap();
    let accepted = scan(root.path()).await;
    assert_eq!((accepted.findings.len(), accepted.suppressed.len()), (0, 1));
    assert_eq!(accepted.suppressed[0].reason, "only operators reach it");
    std::fs::create_dir(root.path().join("tests")).unwrap();
    std::fs::write(root.path().join("tests/test_app.py"), code).unwrap();
    let with_tests = scan(root.path()).await;
    assert_eq!(with_tests.findings[0].severity, Severity::Low);
}

#[tokio::test]
async fn names_that_match_takes_apart_carry_what_they_took() {
    let root = tempfile::tempdir().unwrap();
    let code = |case: &str| {
        format!(
            "import os\nfrom flask import request\n\ndef run():\n    match request.args.get('a'):\n        case {case}:\n            os.system('ls ' + v)\n"
        )
    };
    let found = async |case: &str| {
        std::fs::write(root.path().join("app.py"), code(case)).unwrap();
        scan(root.path()).await.findings.iter().any(|finding| finding.cwe == [78] && finding.line == Some(7))
    };
    for case in ["v", "str() as v", "str(v)", "['go', v]", "('go', *v)", "{'name': v}", "{'a': 1, **v}", "Point(x=v)", "str() | bytes() as v"] {
        assert!(found(case).await, "{case}");
    }
    for case in ["int() as v", "int(v)", "v if v in ('a', 'b')"] {
        assert!(!found(case).await, "{case}");
    }
    // A constant is compared, and what equals it is none of the input.
    let chosen = "import os\nfrom flask import request\n\ndef run():\n    a = request.args.get('a')\n    match a:\n        case 'x' | 'y':\n            os.system('ls ' + a)\n        case Names.Z:\n            os.system('ls ' + a)\n";
    std::fs::write(root.path().join("app.py"), chosen).unwrap();
    assert_eq!(scan(root.path()).await.findings, []);
}

#[tokio::test]
async fn an_enum_of_the_file_carries_no_text() {
    let root = tempfile::tempdir().unwrap();
    let code = "import org.springframework.web.bind.annotation.*;\nimport java.sql.*;\nclass A {\n  Connection c;\n  @GetMapping(\"/x\") void x(@RequestParam Column n) throws Exception {\n    c.createStatement().executeQuery(\"select * from t order by \" + n);\n  }\n  enum Column { NAME, AGE }\n}\n";
    std::fs::write(root.path().join("A.java"), code).unwrap();
    assert_eq!(scan(root.path()).await.findings, []);
    std::fs::write(root.path().join("A.java"), code.replace("enum Column", "enum Other")).unwrap();
    assert_eq!(scan(root.path()).await.findings.len(), 1);
}

#[test]
fn rules_of_users_are_read_or_refused_with_the_reason() {
    let rule = |body: &str| format!("- id: my-rule\n  languages: [python]\n  severity: high\n  cwe: 78\n  title: t\n  explanation: e\n  fix: f\n{body}");
    assert!(read_rules(&rule("  find:\n    - call: os.system\n      tainted: [0]\n")).is_ok());
    for (bad, reason) in [
        ("  find: []\n", "it finds nothing"),
        ("  find:\n    - call: a\n      import: b\n", "each item of find has one of"),
        ("  find:\n    - call: '/(/'\n", "unclosed group"),
        ("  find:\n    - call: a\n      when:\n        - { argument: 0 }\n", "says nothing"),
        ("  find:\n    - call: a\n      wenn: []\n", "unknown field"),
        ("  find:\n    - pattern: 'def ('\n", "pattern"),
    ] {
        let error = read_rules(&rule(bad)).unwrap_err().chain();
        assert!(error.contains(reason), "{bad}: {error}");
    }
}
