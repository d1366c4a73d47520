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
    assert_eq!(
        (report.coverage.read.as_slice(), report.coverage.skipped.len()),
        (["1 files, of which none declares dependencies in a form that is read".to_owned()].as_slice(), 0)
    );
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

/// What is not read of a tree of these files, with a database that knows nothing of it.
async fn not_read(files: &[(&str, &str)]) -> Vec<String> {
    let (tree, nothing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    files.iter().for_each(|(path, text)| write(tree.path(), path, text));
    let report = scan(tree.path(), nothing.path()).await;
    let skipped = report.coverage.skipped.into_iter().filter(|skipped| !skipped.reason.contains("the database has nothing of"));
    skipped.map(|skipped| format!("{}: {}", skipped.path, skipped.reason)).collect()
}

#[tokio::test]
async fn a_manifest_without_a_lockfile_is_named() {
    for (path, text) in [
        ("package.json", r#"{"devDependencies":{"left":"1"}}"#),
        ("Pipfile", "[packages]\nleft = \"*\"\n"),
        ("pyproject.toml", "[project]\nname = \"x\"\ndependencies = [\"left\"]\n"),
        ("pyproject.toml", "[project]\nname = \"x\"\n[project.optional-dependencies]\nweb = [\"left==1.0.0\"]\n"),
        ("pyproject.toml", "[dependency-groups]\ndev = [\"left==1.0.0\"]\n"),
        ("pyproject.toml", "[tool.poetry.group.main.dependencies]\nleft = \"1.0.0\"\n"),
        ("pyproject.toml", "[project]\nname = \"x\"\ndynamic = [\"dependencies\"]\n"),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=[\"left==1.0.0\"])\n"),
        ("setup.cfg", "[options]\ninstall_requires =\n    left==1.0.0\n"),
        ("setup.cfg", "[options.extras_require]\nweb = left\n"),
        ("requirements.in", "left\n"),
        ("requirements/base.in", "left\n"),
        ("Cargo.toml", "dependencies.left = \"1\"\n[package]\nname = \"x\"\n"),
        ("Cargo.toml", "[target.'cfg(unix)'.dev-dependencies]\nleft = \"1\"\n"),
        ("Gemfile", "source \"https://rubygems.org\"\ngem(\"left\", \"1.0.0\")\n"),
        ("Gemfile", "%w[left].each { |g| gem g }\n"),
        ("gems.rb", "gem \"left\"\n"),
        ("Gemfile", "eval_gemfile \"gems/common.rb\"\n"),
        ("App.csproj", "<Project><ItemGroup><packageReference Include=\"Left\" Version=\"1.0.0\"/></ItemGroup></Project>"),
        ("composer.json", r#"{"require":{"php":"8","a/left":"1"}}"#),
        ("mix.exs", "defp deps do [{:left, \"== 1.0.0\"}] end\n"),
        ("mix.exs", "defp deps do\n  [\n    {:left,\n      github: \"x/left\"}\n  ]\nend\n"),
        ("pubspec.yaml", "name: x\ndependencies:\n  left: ^1.0.0\n"),
        ("build.gradle", "dependencies {\n  api 'com.ex:left:1.0.0'\n}\n"),
        ("build.gradle", "dependencies { runtimeOnly libs.left }\n"),
        ("build.gradle.kts", "dependencies{ // ours\n  implementation(\"com.ex:left:1.0.0\") }\n"),
        ("App.csproj", "<Project><ItemGroup><PackageReference Include=\"Left\" Version=\"1.0.0\"/></ItemGroup></Project>"),
        ("Directory.Packages.props", "<Project><ItemGroup><GlobalPackageReference Include=\"Left\" Version=\"1.0.0\"/></ItemGroup></Project>"),
    ] {
        let named = not_read(&[(path, text)]).await;
        assert!(named.len() == 1 && named[0].starts_with(&format!("{path}: it declares dependencies, and there is no ")), "{text}: {named:?}");
    }
    // A lockfile that has none of it, or is of something else, is none.
    for (path, text, lock, locked) in [
        ("package.json", r#"{"dependencies":{"left":"1"}}"#, "package-lock.json", r#"{"lockfileVersion":3,"packages":{}}"#),
        ("package.json", r#"{"dependencies":{"left":"1"}}"#, "yarn.lock", "# yarn lockfile v1\n"),
        ("pyproject.toml", "[project]\nname = \"x\"\ndependencies = [\"Left.one==1.0.0\"]\n", "docs-requirements.txt", "sphinx==7.0.0\n"),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.12\"\nleft = \"1\"\n", "poetry.lock", "[metadata]\npython-versions = \"*\"\n"),
        ("Cargo.toml", "[dependencies]\na = { package = \"left\", version = \"1\" }\n", "Cargo.lock", "version = 4\n"),
        ("composer.json", r#"{"require":{"a/left":"1"}}"#, "composer.lock", r#"{"packages":[],"packages-dev":[]}"#),
        ("pubspec.yaml", "name: x\ndependencies:\n  left: ^1.0.0\n", "pubspec.lock", "packages: {}\n"),
    ] {
        let named = not_read(&[(path, text), (lock, locked)]).await;
        assert!(named.contains(&format!("{path}: it declares dependencies, of which {lock} has none")), "{named:?}");
    }
    for (path, text, lock, locked) in [
        ("pyproject.toml", "[project]\nname = \"x\"\ndependencies = [\"Left.one==1.0.0\"]\n", "requirements-dev.txt", "left_one==1.0.0\n"),
        ("Cargo.toml", "[dependencies]\nown = { path = \"own\" }\n", "Cargo.lock", "version = 4\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n"),
        ("package.json", "{}", "yarn.lock", ""),
    ] {
        assert_eq!(not_read(&[(path, text), (lock, locked)]).await, Vec::<String>::new(), "{text}");
    }
    for (path, text) in [
        ("package.json", r#"{"name":"x","dependencies":{}}"#),
        (
            "pyproject.toml",
            "[build-system]\nrequires = [\"setuptools\"]\n[project]\nname = \"x\"\ndependencies = []\n[tool.poetry.dependencies]\npython = \"^3.12\"\n",
        ),
        ("setup.py", "setup(name=\"x\", install_requires=[ ])\n"),
        ("setup.cfg", "[metadata]\nname = x\n[flake8]\ninstall_requires = x\n"),
        ("Gemfile", "# gem \"left\"\nsource \"https://rubygems.org\"\n"),
        ("mix.exs", "def project do [app: :x, deps: []] end\ndef f, do: {:ok, x}\n"),
        ("build.gradle.kts", "plugins { java }\ndependencies {\n  // none\n}\n"),
        ("App.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"/>"),
        ("Directory.Packages.props", "<Project><ItemGroup><PackageVersion Include=\"Left\" Version=\"1.0.0\"/></ItemGroup></Project>"),
        ("requirements.in", "-c pins.txt\n# none\n"),
        ("notes.in", "left\n"),
    ] {
        assert_eq!(not_read(&[(path, text)]).await, Vec::<String>::new(), "{text}");
    }
}

#[tokio::test]
async fn a_lockfile_further_up_counts_where_it_has_the_manifest() {
    let npm = r#"{"lockfileVersion":3,"packages":{"":{"workspaces":["packages/*"]},"packages/a":{"version":"1.0.0"},"node_modules/a":{"resolved":"packages/a","link":true}}}"#;
    let berry = "# This file is generated by running \"yarn install\" inside your project.\n# Manual changes might be lost - proceed with caution!\n\n__metadata:\n  version: 8\n  cacheKey: 10\n\n\"a@workspace:packages/a\":\n  version: 0.0.0-use.local\n  resolution: \"a@workspace:packages/a\"\n  languageName: unknown\n  linkType: soft\n";
    let manifest = r#"{"name":"a","dependencies":{"left":"1"}}"#;
    let cargo = "[package]\nname = \"a\"\n[dependencies]\nleft = \"1\"\n";
    let python = "[project]\nname = \"A_a\"\ndependencies = [\"left\"]\n";
    let lock_of = |name: &str| format!("version = 4\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
    let uv = |name: &str| format!("version = 1\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\nsource = {{ editable = \"x\" }}\n");
    let (cargo_has, cargo_has_not, uv_has, uv_has_not) = (lock_of("a"), lock_of("b"), uv("a-a"), uv("b"));
    let mix = "defp deps do [{:left, \"~> 1.0\"}] end\n";
    let gradle = "dependencies { api 'a:b:1' }\n";
    let reference = "<Project><ItemGroup><PackageReference Include=\"Left\"/></ItemGroup></Project>";
    let nuget = r#"{"version":1,"dependencies":{}}"#;
    let has: [&[(&str, &str)]; 13] = [
        &[("requirements.txt", "-r requirements/base.in\n"), ("requirements/base.in", "left==1.0.0\n")],
        &[("package-lock.json", npm), ("packages/a/package.json", manifest)],
        &[("pnpm-lock.yaml", "lockfileVersion: '9.0'\nimporters:\n  packages/a: {}\n"), ("packages/a/package.json", manifest)],
        &[("bun.lock", r#"{"lockfileVersion":1,"workspaces":{"":{},"packages/a":{}},"packages":{},}"#), ("packages/a/package.json", manifest)],
        &[("yarn.lock", berry), ("packages/a/package.json", manifest)],
        &[("yarn.lock", "# yarn lockfile v1\n"), ("package.json", r#"{"workspaces":["packages/*"]}"#), ("packages/a/package.json", manifest)],
        &[("Cargo.lock", &cargo_has), ("a/Cargo.toml", cargo)],
        &[("uv.lock", &uv_has), ("a/pyproject.toml", python)],
        &[("mix.lock", "%{}\n"), ("apps/a/mix.exs", mix)],
        &[("pubspec.lock", "packages: {}\n"), ("a/pubspec.yaml", "resolution: workspace\ndependencies: {left: ^1.0.0}\n")],
        &[("requirements/base.in", "left\n"), ("requirements/base.txt", "left==1.0.0\n")],
        &[("a/App.csproj", reference), ("a/packages.lock.json", nuget), ("Directory.Build.props", reference)],
        &[("setup.py", "setup(install_requires=open('requirements.txt').read())\n"), ("requirements-base.txt", "left==1.0.0\n")],
    ];
    for files in has {
        assert_eq!(not_read(files).await, Vec::<String>::new(), "{files:?}");
    }
    let has_not: [&[(&str, &str)]; 9] = [
        &[("package-lock.json", npm), ("services/a/package.json", manifest)],
        &[
            ("yarn.lock", "# yarn lockfile v1\n"),
            ("package.json", r#"{"workspaces":{"packages":["packages/*","!packages/a"]}}"#),
            ("packages/a/package.json", manifest),
        ],
        &[("pnpm-lock.yaml", "lockfileVersion: '9.0'\nimporters:\n  .: {}\n"), ("packages/a/package.json", manifest)],
        &[("Cargo.lock", &cargo_has_not), ("a/Cargo.toml", cargo)],
        &[("uv.lock", &uv_has_not), ("a/pyproject.toml", python)],
        &[("requirements.txt", "left==1.0.0\n"), ("services/api/pyproject.toml", python)],
        &[("gradle.lockfile", "empty=\n"), ("a/build.gradle", gradle)],
        &[("mix.lock", "%{}\n"), ("other/a/mix.exs", mix)],
        &[("a/App.csproj", "<Project/>"), ("Directory.Build.props", reference)],
    ];
    for files in has_not {
        let named = not_read(files).await;
        assert!(named.len() == 1 && named[0].contains("it declares dependencies, "), "{files:?}: {named:?}");
    }
}

#[tokio::test]
async fn requirements_are_followed_through_the_tree() {
    let database =
        database(&[json!({ "id": "X-1", "affected": [{ "package": { "ecosystem": "PyPI", "name": "left" }, "versions": ["1.0.0"] }] })], &[Ecosystem::PyPi]);
    let tree = tempfile::tempdir().unwrap();
    write(tree.path(), "requirements.txt", "-r deps/base.in\n--constraint=/etc/pins.txt\n-r https://user:pw@example.com/r.txt\n-r gone.txt\n");
    write(tree.path(), "deps/base.in", "-r ../requirements.txt\n-r testing.in\n");
    write(tree.path(), "deps/testing.in", "left==1.0.0\n");
    let report = scan(tree.path(), database.path()).await;
    assert_eq!(report.coverage.read, ["deps/base.in (0 packages)", "deps/testing.in (1 packages)", "requirements.txt (0 packages)"]);
    let skipped: Vec<&str> = report.coverage.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(
        skipped,
        ["it reads \"/etc/pins.txt\", which is no file of the tree", "it reads \"gone.txt\", which is no file of the tree", "it reads requirements from a URL"]
    );
    let found = &report.findings[0];
    assert!(found.path.as_deref() == Some("deps/testing.in") && !found.dependency.as_ref().unwrap().development, "the program needs it: {found:?}");
}

#[tokio::test]
async fn a_database_without_records_is_none() {
    let before = database(&[record("GHSA-1", "left", json!({}))], &[Ecosystem::Npm]);
    let tree = tempfile::tempdir().unwrap();
    write(tree.path(), "package-lock.json", lock(&[("left", "1.2.3")]));
    let of_pypi = json!({ "id": "X-1", "affected": [{ "package": { "ecosystem": "PyPI", "name": "left" }, "versions": ["1.0.0"] }] }).to_string();
    let zipped = |entries: &[(&str, &str)]| {
        use std::io::Write as _;
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in entries {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let sources: [&[(&str, Vec<u8>)]; 5] = [
        &[("npm/readme.txt", Vec::new())],
        &[("npm/all.zip", zipped(&[]))],
        &[("npm/all.zip", zipped(&[("readme.txt", "hello")]))],
        &[("npm/all.zip", zipped(&[("X-1.json", &of_pypi)]))],
        &[("npm/1.json", b"{".to_vec())],
    ];
    for files in sources {
        let source = tempfile::tempdir().unwrap();
        files.iter().for_each(|(path, bytes)| write(source.path(), path, bytes));
        let url = url::Url::from_directory_path(source.path()).unwrap();
        let error = update(before.path(), &url, Ecosystem::Npm, &|_| {}).unwrap_err();
        assert!(error.to_string().contains("no records of npm") && error.hint().contains("kept"), "{error}");
        assert_eq!(scan(tree.path(), before.path()).await.findings.len(), 1, "what was there is there");
        let nothing = tempfile::tempdir().unwrap();
        assert!(update(nothing.path(), &url, Ecosystem::Npm, &|_| {}).is_err());
        assert!(scan(tree.path(), nothing.path()).await.coverage.skipped[0].reason.contains("the database has nothing of npm"));
    }
    // One that an earlier version wrote.
    let holdings = before.path().join("holdings.json");
    let mut none: Value = serde_json::from_str(&std::fs::read_to_string(&holdings).unwrap()).unwrap();
    none["npm"]["records"] = json!(0);
    std::fs::write(&holdings, none.to_string()).unwrap();
    assert!(scan(tree.path(), before.path()).await.coverage.skipped[0].reason.contains("the database has nothing of npm"));
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
