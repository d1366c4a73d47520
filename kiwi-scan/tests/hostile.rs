//! Trees and databases that are made to break a scan of dependencies. Each ends incomplete, with its reason; `--nocapture` shows what it took.

#![cfg(all(feature = "sca", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
#![expect(clippy::print_stdout, reason = "figures are for people")]

use kiwi_core::domain::{Baseline, Gate, ScanReport, ScanStatus};
use kiwi_core::provider::{ScanTarget, Scanner as _};
use kiwi_scan::sca::osv::update;
use kiwi_scan::sca::{Ecosystem, ScaScanner};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;
use tempfile::TempDir;

/// No input may take more memory than this, whatever its size.
const MOST_MEMORY: u64 = 1 << 30;

/// One at a time: the memory is the process's.
static ALONE: Mutex<()> = Mutex::new(());

/// Peak and present memory of this process.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse::<u64>().ok()).unwrap() << 10;
    (of("VmHWM:"), of("VmRSS:"))
}

/// Does something, and prints the time and the memory that it took.
fn measured<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, begun) = (memory().1, Instant::now());
    let result = work();
    let (took, most) = (begun.elapsed(), memory().0.saturating_sub(before));
    println!("{what}: {:.3} s, {} MiB", took.as_secs_f64(), most >> 20);
    drop(alone);
    assert!(most < MOST_MEMORY, "{what} took {} MiB", most >> 20);
    result
}

fn scan(tree: &Path, database: &Path) -> ScanReport {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(ScaScanner::new(database).scan(&ScanTarget::Tree(tree.to_owned()))).unwrap()
}

/// A database that knows one package of each ecosystem.
fn database() -> TempDir {
    let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for ecosystem in Ecosystem::ALL {
        let folder = source.path().join(ecosystem.as_str());
        std::fs::create_dir(&folder).unwrap();
        let record = format!(r#"{{"id":"X-1","affected":[{{"package":{{"ecosystem":"{}","name":"x"}},"versions":["1.0.0"]}}]}}"#, ecosystem.as_str());
        std::fs::write(folder.join("1.json"), record).unwrap();
        update(target.path(), &url::Url::from_directory_path(source.path()).unwrap(), ecosystem, &|_| {}).unwrap();
    }
    target
}

fn incomplete(report: &ScanReport, path: &str, reason: &str) {
    let found = report.coverage.skipped.iter().any(|skipped| skipped.path == path && skipped.reason.contains(reason));
    assert!(found, "no {path}: {reason} in {:?}", report.coverage.skipped);
    assert_eq!(Gate::default().decide(std::slice::from_ref(report), &Baseline::new()).status, ScanStatus::Incomplete);
}

/// Scans a tree of one file, written by `write`.
fn check(name: &str, reason: &str, write: impl FnOnce(&Path)) {
    let (tree, database) = (tempfile::tempdir().unwrap(), database());
    write(&tree.path().join(name));
    let report = measured(&format!("{name}, {reason:?}"), || scan(tree.path(), database.path()));
    incomplete(&report, name, reason);
}

fn text(name: &str, reason: &str, text: impl AsRef<[u8]>) {
    check(name, reason, |path| std::fs::write(path, text).unwrap());
}

#[test]
fn a_broken_file() {
    for name in
        ["package-lock.json", "composer.lock", "Pipfile.lock", "packages.lock.json", "bun.lock", "pnpm-lock.yaml", "pubspec.lock", "pom.xml", "packages.config"]
    {
        text(name, "malformed", "{ \"a");
    }
    for name in ["poetry.lock", "uv.lock", "pdm.lock", "Cargo.lock"] {
        text(name, "malformed", "[[package]\nname = ");
    }
    for name in ["yarn.lock", "Gemfile.lock", "go.mod", "mix.lock", "gradle.lockfile", "package-lock.json"] {
        text(name, "not UTF-8", [b"a\n\xff\xfe".as_slice(), &[0; 1000]].concat());
    }
    text("yarn.lock", "malformed", "a@^1:\n  nonsense\n");
}

#[test]
fn a_missing_database() {
    let (tree, nothing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(tree.path().join("package-lock.json"), r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}"#).unwrap();
    for database in [nothing.path(), &nothing.path().join("nowhere")] {
        incomplete(&measured("no database", || scan(tree.path(), database)), "npm", "the database has nothing of npm");
    }
}

#[test]
fn an_unknown_lockfile_version() {
    text("package-lock.json", "its format 4 is not known", r#"{"lockfileVersion":4,"packages":{}}"#);
    text("pnpm-lock.yaml", "its format 12.0 is not known", "lockfileVersion: '12.0'\n");
    text("bun.lock", "its format 7 is not known", r#"{"lockfileVersion":7}"#);
    text("uv.lock", "its format 2 is not known", "version = 2\n");
    text("Pipfile.lock", "its format 9 is not known", r#"{"_meta":{"pipfile-spec":9}}"#);
    text("packages.lock.json", "its format 5 is not known", r#"{"version":5}"#);
    text("Cargo.lock", "malformed", "version = 99\n");
}

#[test]
fn a_file_of_2_gb() {
    for name in ["package-lock.json", "pnpm-lock.yaml", "poetry.lock", "pom.xml", "go.mod", "yarn.lock", "Cargo.lock"] {
        check(name, "larger than 128 MiB", |path| std::fs::File::create(path).unwrap().set_len(2 << 30).unwrap());
    }
}

#[test]
fn billion_laughs_in_xml() {
    let entities: String = (1..30).map(|n| format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10))).collect();
    let laughs = format!("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a0 \"ha\">{entities}]><project>&a29;</project>");
    text("pom.xml", "malformed", &laughs);
    text("packages.config", "malformed", &laughs);
    text("pom.xml", "malformed", "<!DOCTYPE a [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><project><version>&a;</version></project>");
    // Maven's properties multiply too.
    let many = "${a0}".repeat(10);
    let properties: String = (1..30).map(|n| format!("<a{n}>{}</a{n}>", format!("${{a{}}}", n - 1).repeat(10))).collect();
    let large = "x".repeat(10 << 20);
    let dependencies = "<dependency><groupId>g</groupId><artifactId>a</artifactId><version>${a1}</version></dependency>".repeat(1000);
    let pom = format!("<project><properties><a0>{large}</a0><b>{many}</b>{properties}</properties><dependencies>{dependencies}</dependencies></project>");
    text("pom.xml", "g:a has no exact version in the file", pom);
}

#[test]
fn yaml_with_aliases() {
    let aliases: String = (1..30).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","))).collect();
    for name in ["pnpm-lock.yaml", "pubspec.lock"] {
        text(name, "malformed", format!("a0: &a0 [ha]\n{aliases}lockfileVersion: '9.0'\npackages: *a29\n"));
        text(name, "malformed", "a: &a [*a]\n");
        let merged: String = (1..30).map(|n| format!("a{n}: &a{n}\n  k: *a{}\n", n - 1)).collect();
        text(name, "", format!("a0: &a0 {{x: y}}\n{merged}packages: *b\n"));
    }
}

#[test]
fn a_zip_bomb_for_a_database() {
    let bomb = |source: &Path, entries: usize, entry: &dyn Fn(usize) -> Vec<u8>| {
        std::fs::create_dir_all(source.join("npm")).unwrap();
        let mut zip = zip::ZipWriter::new(std::fs::File::create(source.join("npm/all.zip")).unwrap());
        for index in 0..entries {
            zip.start_file(format!("{index}.json"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&entry(index)).unwrap();
        }
        zip.finish().unwrap();
    };
    let record = |versions: usize| {
        let versions = vec!["\"1.0.0\""; versions].join(",");
        move |index: usize| {
            format!(r#"{{"id":"X-{index}","affected":[{{"package":{{"ecosystem":"npm","name":"x{index}"}},"versions":[{versions}]}}]}}"#).into_bytes()
        }
    };
    let spaces = |_: usize| vec![b' '; 20 << 20];
    let large = record(1_500_000);
    for (what, entries, entry) in [("of spaces", 8, &spaces as &dyn Fn(usize) -> Vec<u8>), ("of records", 10, &large)] {
        let (tree, source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        bomb(source.path(), entries, entry);
        let url = url::Url::from_directory_path(source.path()).unwrap();
        let size = std::fs::metadata(source.path().join("npm/all.zip")).unwrap().len();
        let error = measured(&format!("a zip {what} of {} KiB", size >> 10), || update(target.path(), &url, Ecosystem::Npm, &|_| {}).unwrap_err());
        assert!(
            error.to_string().contains("unpacks to more than any database")
                || std::error::Error::source(&error).unwrap().to_string().contains("unpacks to more"),
            "{error:?}"
        );
        std::fs::write(tree.path().join("package-lock.json"), r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}"#).unwrap();
        incomplete(&scan(tree.path(), target.path()), "npm", "the database has nothing of npm");
    }
}

#[test]
fn deep_nesting() {
    const DEEP: usize = 200_000;
    let brackets = || format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
    let objects = || format!("{}1{}", "{\"dependencies\":".repeat(DEEP), "}".repeat(DEEP));
    for name in ["package-lock.json", "composer.lock", "Pipfile.lock", "packages.lock.json", "bun.lock"] {
        text(name, "malformed", brackets());
        text(name, "malformed", objects());
    }
    for name in ["pnpm-lock.yaml", "pubspec.lock"] {
        text(name, "malformed", brackets());
        text(name, "malformed", "- ".repeat(DEEP));
        text(name, "malformed", (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>());
    }
    for name in ["poetry.lock", "uv.lock", "pdm.lock", "Cargo.lock"] {
        text(name, "malformed", format!("a = {}", brackets()));
        text(name, "malformed", format!("[{}a]\n", "a.".repeat(DEEP)));
        text(name, "malformed", format!("a = {}1{}", "{a=".repeat(DEEP), "}".repeat(DEEP)));
    }
    for (name, reason) in [("pom.xml", "no project"), ("packages.config", "no list of packages")] {
        text(name, reason, format!("{}{}", "<a>".repeat(DEEP), "</a>".repeat(DEEP)));
    }
    text("yarn.lock", "malformed", format!("a@^1:\n  {}", "  a:\n".repeat(DEEP)));
    text("go.mod", "names no module", "(".repeat(DEEP));
    text("mix.lock", "no map", brackets());
    text("requirements.txt", "no requirement", format!("a ; {}", "(".repeat(DEEP)));
}

/// What fits the limit of a file and would be a hundred times as large, or take days.
#[test]
fn many_of_everything() {
    const SIZE: usize = 100 << 20;
    text("package-lock.json", "more than", format!("{{\"lockfileVersion\":3,\"packages\":{{}},\"x\":[{}0]}}", "0,".repeat(SIZE / 2)));
    text("pubspec.lock", "more than", "- 0\n".repeat(SIZE / 4));
    text("poetry.lock", "more than", format!("a = [{}0]", "0,".repeat(SIZE / 2)));
    text("Cargo.lock", "more than", format!("a = [{}0]", "0,".repeat(SIZE / 2)));
    text("pom.xml", "more than", format!("<project>{}</project>", "<a/>".repeat(SIZE / 4)));
    text("yarn.lock", "more than", "a@1:\n".repeat(SIZE / 5));
    text("go.mod", "x is replaced", format!("module m\nrequire x v1.0.0\nreplace x => ../x\n{}", "go 1.2.3\nreplace y => ../y\n".repeat(20_000)));
    let packages: String =
        (0..20_000).map(|n| format!("[[package]]\nname = \"p{n}\"\nsource = {{ virtual = \".\" }}\ndependencies = [{{ name = \"p{}\" }}]\n", n + 1)).collect();
    text("uv.lock", "g comes from", format!("version = 1\n{packages}[[package]]\nname = \"g\"\nsource = {{ git = \"x\" }}\n"));
}

#[test]
fn a_lockfile_that_is_a_link_out_of_the_tree() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("package-lock.json");
    std::fs::write(&target, r#"{"lockfileVersion":3,"packages":{"node_modules/secret":{"version":"1.0.0"}}}"#).unwrap();
    check("package-lock.json", "it is a link, which is not followed", |path| std::os::unix::fs::symlink(&target, path).unwrap());
    check("Cargo.lock", "it is a link, which is not followed", |path| std::os::unix::fs::symlink("/etc/passwd", path).unwrap());
    check("go.mod", "it is a link, which is not followed", |path| std::os::unix::fs::symlink(path, path).unwrap());
    check("yarn.lock", "it is a link, which is not followed", |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap());
}

#[test]
fn a_link_to_a_lockfile_that_is_read_is_no_loss() {
    let (tree, database) = (tempfile::tempdir().unwrap(), database());
    std::fs::create_dir(tree.path().join("web")).unwrap();
    std::fs::write(tree.path().join("package-lock.json"), r#"{"lockfileVersion":3,"packages":{}}"#).unwrap();
    std::os::unix::fs::symlink("../package-lock.json", tree.path().join("web/package-lock.json")).unwrap();
    assert_eq!(scan(tree.path(), database.path()).coverage.skipped, []);
}

#[test]
fn a_fifo() {
    let make = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    check("package-lock.json", "it is no regular file", make);
    check("pom.xml", "it is no regular file", make);
    check("Gemfile.lock", "it is no regular file", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()));
}

#[test]
fn names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let (tree, database) = (tempfile::tempdir().unwrap(), database());
    let folder = tree.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("package-lock.json"), "{}").unwrap();
    incomplete(&scan(tree.path(), database.path()), "caf\u{fffd}", "its name is not UTF-8");
}
