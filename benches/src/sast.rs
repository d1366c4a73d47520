//! Source code beside Semgrep, on the same files in the same run: as many rules, of the same kinds. `KIWI_TEST_SEMGREP` names the program.
//!
//! Semgrep's own collection may not be kept here, and its registry is a service. So each of Kiwi's rules becomes one of Semgrep's that looks
//! for the same calls, assignments and names, and follows no values: that is less work for Semgrep than its own rules would be.

use crate::row;
use kiwi_tests::command::{Kiwi, program};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Files of each language.
const FILES: usize = 600;

#[derive(serde::Deserialize)]
struct Rule {
    id: String,
    title: String,
    find: Vec<BTreeMap<String, Value>>,
}

pub(crate) fn measure() {
    let (Ok(semgrep), Ok(javascript)) = (std::env::var("KIWI_TEST_SEMGREP"), std::env::var("KIWI_TEST_PRISM")) else {
        return row("source code beside Semgrep", "not measured: KIWI_TEST_SEMGREP and KIWI_TEST_PRISM name it and a tree of JavaScript");
    };
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    let rules = folder.path().join("rules.json");
    let python = library("python3", &["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]);
    let files = copy(&python, "py", &tree) + copy(Path::new(&javascript), "js", &tree);
    let translated: Vec<Value> = ["python", "javascript"].into_iter().flat_map(translate).collect();
    fs::write(&rules, json!({ "rules": translated }).to_string()).unwrap();

    let kiwi = Kiwi::new();
    let mut command = Command::new(program("kiwi"));
    command.args(["scan", "--sast", "-o", "json"]).arg(&tree).envs(kiwi.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ours = Run::of(command);
    let mut command = Command::new(semgrep);
    command.args(["scan", "--json", "--quiet", "--metrics=off", "--disable-version-check", "--no-git-ignore", "--config"]).arg(&rules).arg(&tree);
    command.env("HOME", folder.path());
    let theirs = Run::of(command);
    let both = |ours: f64, theirs: f64, unit: &str| format!("{ours:.1} / {theirs:.1} {unit} = 1/{:.1}", theirs / ours);
    row(
        &format!("{files} files of Python and JavaScript, {} rules, one run each: kiwi / Semgrep, time", translated.len()),
        &both(ours.seconds, theirs.seconds, "s"),
    );
    row("the same, peak memory of all processes together", &both(ours.memory, theirs.memory, "MiB"));
    row("the same, files that were read; findings", &format!("{} / {}; {} / {}", ours.files, theirs.files, ours.findings, theirs.findings));
}

/// Kiwi's rules of a language, as Semgrep's.
fn translate(language: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kiwi-scan/src/sast/rules").join(language);
    let mut rules = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap() == "sources.yaml" {
            continue;
        }
        for rule in serde_saphyr::from_str::<Vec<Rule>>(&fs::read_to_string(path).unwrap()).unwrap() {
            let mut patterns: BTreeSet<String> = rule.find.iter().flat_map(|find| find.iter().flat_map(|(kind, names)| written(kind, names))).collect();
            if patterns.is_empty() {
                // Rules about shapes have no names: some call of two arguments is as much work.
                patterns.insert(format!("{}($A, $B)", rule.id.replace('-', "_")));
            }
            let either: Vec<Value> = patterns.into_iter().map(|pattern| json!({ "pattern": pattern })).collect();
            let languages = if language == "javascript" { vec!["javascript", "typescript"] } else { vec![language] };
            rules.push(json!({ "id": rule.id, "message": rule.title, "severity": "ERROR", "languages": languages, "pattern-either": either }));
        }
    }
    rules
}

fn written(kind: &str, names: &Value) -> Vec<String> {
    let names: Vec<&str> = match names {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    names
        .into_iter()
        .filter_map(|name| {
            let plain = name.split('.').all(|part| is_word(part.trim_end_matches("()")));
            let last = name.rsplit(['.', '/']).next().filter(|last| is_word(last))?;
            let place = if plain { name.replace("()", "(...)") } else { format!("$X.{last}") };
            match kind {
                "call" => Some(format!("{place}(...)")),
                "assign" => Some(format!("$X.{last} = $V")),
                "reference" => Some(place),
                "import" => Some(format!("import {last}")),
                _ => None,
            }
        })
        .collect()
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// What a program prints: a directory.
fn library(program: &str, arguments: &[&str]) -> PathBuf {
    let output = Command::new(program).args(arguments).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Copies the first files of an ending in the order of their paths, so that neither side leaves out what lies in a folder of libraries.
fn copy(from: &Path, ending: &str, to: &Path) -> usize {
    let listed = Command::new("find").arg(from).args(["-type", "f", "-size", "+1k", "-size", "-200k", "-name"]).arg(format!("*.{ending}")).output().unwrap();
    let mut paths: Vec<PathBuf> = String::from_utf8(listed.stdout).unwrap().lines().map(PathBuf::from).collect();
    paths.sort();
    paths.truncate(FILES);
    for (index, path) in paths.iter().enumerate() {
        let folder = to.join(format!("{ending}{}", index / 50));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(path, folder.join(format!("file{index}.{ending}"))).unwrap();
    }
    paths.len()
}

/// What one scan took and gave.
struct Run {
    seconds: f64,
    /// The most that the process and its descendants held at one time, in MiB.
    memory: f64,
    files: usize,
    findings: usize,
}

impl Run {
    fn of(mut command: Command) -> Self {
        let began = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        let mut output = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            output.read_to_end(&mut text).unwrap();
            text
        });
        let mut memory = 0.0_f64;
        while child.try_wait().unwrap().is_none() {
            memory = memory.max(held(pid));
            std::thread::sleep(Duration::from_millis(50));
        }
        let seconds = began.elapsed().as_secs_f64();
        let answer: Value = serde_json::from_slice(&reader.join().unwrap()).unwrap();
        let length = |value: &Value| value.as_array().map(Vec::len);
        // Kiwi says "600 files of python".
        let read = |line: &Value| line.as_str()?.split(' ').next()?.parse::<usize>().ok();
        let read = answer["coverage"]["read"].as_array().map(|lines| lines.iter().filter_map(read).sum());
        let files = length(&answer["paths"]["scanned"]).or(read).unwrap();
        Self { seconds, memory, files, findings: length(&answer["findings"]).or_else(|| length(&answer["results"])).unwrap() }
    }
}

/// Resident memory of a process and all below it, in MiB.
fn held(root: u32) -> f64 {
    let mut parents: BTreeMap<u32, (u32, u64)> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok());
        parents.insert(pid, (field("PPid:").unwrap_or(0) as u32, field("VmRSS:").unwrap_or(0)));
    }
    let below = |mut pid: u32| {
        while pid != root {
            match parents.get(&pid) {
                Some(&(parent, _)) if parent != 0 => pid = parent,
                _ => return false,
            }
        }
        true
    };
    parents.iter().filter(|(pid, _)| below(**pid)).map(|(_, (_, kib))| *kib as f64).sum::<f64>() / 1024.0
}
