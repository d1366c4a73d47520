//! Languages whose compiler leaves one program: Swift, Dart, Haskell, Crystal, Zig, C and C++.

use super::{Check, Draft, Found, Project, Strength, TINI, ambiguous, test_stage, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::{Files, string};
use crate::wizard::start::Start;
use crate::wizard::{Framework, Language, table};

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let plain = |language, evidence: &str| Some(Found::new(language, None, evidence));
    if files.has("Package.swift") {
        let vapor = files.hint("Package.swift").contains("vapor/vapor");
        return Ok(Some(Found::new(Language::Swift, vapor.then_some(Framework::Vapor), "Package.swift")));
    }
    if files.has("pubspec.yaml") {
        return Ok(plain(Language::Dart, "pubspec.yaml"));
    }
    let cabal = files.ending(".cabal").first().map(|name| (*name).to_owned());
    if let Some(evidence) = files
        .first(&["stack.yaml", "package.yaml", "cabal.project"])
        .map(str::to_owned)
        .or(cabal)
        .filter(|name| name != "package.yaml" || !files.ending(".hs").is_empty() || files.has_directory("app"))
    {
        return Ok(plain(Language::Haskell, &evidence));
    }
    if files.has("shard.yml") {
        return Ok(plain(Language::Crystal, "shard.yml"));
    }
    if let Some(evidence) = files.first(&["build.zig", "build.zig.zon"]) {
        return Ok(plain(Language::Zig, evidence));
    }
    let native = files
        .first(&["CMakeLists.txt", "meson.build", "Makefile"])
        .filter(|name| *name != "Makefile" || !files.ending(".c").is_empty() || !files.ending(".cpp").is_empty());
    Ok(native.map(|evidence| Found::new(Language::Cpp, None, evidence).weaker(Strength::Aside)))
}

/// How one language becomes a program.
struct Recipe {
    /// Manifests that come before the sources.
    manifests: Vec<String>,
    /// Fetches dependencies, where the language can do so without the sources.
    fetch: Option<String>,
    caches: Vec<&'static str>,
    /// Leaves the program in `/out`.
    build: String,
    name: String,
    of_build: Vec<&'static str>,
    of_run: Vec<&'static str>,
    listens: bool,
    ignore: Vec<&'static str>,
    manager: &'static str,
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let (declared, recipe) = match draft.language {
        Language::Swift => swift(files)?,
        Language::Dart => dart(files)?,
        Language::Haskell => haskell(files)?,
        Language::Crystal => crystal(files)?,
        Language::Zig => zig(files)?,
        _ => cpp(files)?,
    };
    let images = project.version(draft, declared)?;
    draft.package_manager = Some(recipe.manager.to_owned());
    draft.because(format!("the program is {}", recipe.name));
    let mut build = Stage::image("build", &images.build).workdir("/src").apt(&recipe.of_build);
    if draft.language == Language::Zig {
        let release = table::release("zig", &images.version)?;
        build = build.apt(&["python3-pip", "tini"]).run(format!("pip install --no-cache-dir --break-system-packages ziglang=={release}"));
    }
    let manifests: Vec<String> = recipe.manifests.iter().filter(|name| files.has(name)).map(|name| files.path(name)).collect();
    match &recipe.fetch {
        Some(fetch) => build = build.copy_in_place(&manifests, files.directory()).run_cached(fetch, &recipe.caches),
        None => draft.because("dependencies are fetched with the build: the language cannot do so without the sources"),
    }
    let command = project.build_command(draft, Some(recipe.build.clone())).unwrap_or_default();
    build = build.copy([project.here()], "./").run_cached(command, &recipe.caches);
    project.start(draft, |draft| {
        draft.because("start command: the program itself");
        let mut program = vec![format!("/usr/local/bin/{}", recipe.name)];
        if draft.framework == Some(Framework::Vapor) {
            program.extend(["serve", "--env", "production", "--hostname", "0.0.0.0", "--port", "8080"].map(str::to_owned));
        }
        Ok(Start { program, variables: Vec::new() })
    })?;
    let sources: Vec<String> = files
        .search(3, |path| [".swift", ".dart", ".hs", ".cr", ".zig", ".c", ".cpp", ".cc"].iter().any(|end| path.ends_with(end)))
        .iter()
        .take(30)
        .map(|path| files.hint(path))
        .collect();
    let signs = ["HttpServer", "HTTP::Server", "Network.Wai", "std.net", "bind(", "std.http.Server", "Warp", "scotty", "shelf_io"];
    let listens = recipe.listens || draft.framework.is_some() || sources.iter().any(|source| signs.iter().any(|sign| source.contains(sign)));
    project.port(draft, listens, 8080, &sources);
    draft.ignore.extend(&recipe.ignore);
    let small = images.run.starts_with("alpine");
    let mut last = Stage::last(From::Image(images.run.clone())).workdir("/app");
    last = if small {
        last.copy_from("build", "/usr/bin/tini-static", "/sbin/tini")
    } else {
        last.apt(&project.packages(&[recipe.of_run.as_slice(), &["ca-certificates", "tini"]].concat()))
    };
    last = last.copy_from("build", "/out/", "/usr/local/bin/");
    for directory in ["public", "Public", "Resources", "static", "templates", "assets"] {
        if files.has_directory(directory) {
            last = last.copy([format!("{}/", files.path(directory))], format!("{directory}/"));
        }
    }
    let last = project.end(draft, last, if small { Check::Busybox } else { Check::Bash }, Some(if small { "/sbin/tini" } else { TINI }));
    draft.stages.extend([build, test_stage("build"), last]);
    Ok(())
}

type Planned = Result<(Vec<(String, String)>, Recipe)>;

/// A name that can stand in a path.
fn name(text: &str) -> Result<String> {
    let legal = !text.is_empty() && !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !legal {
        return Err(Error::invalid("plan build", format!("{text:?} cannot be the name of a program")).with_hint("use letters, digits, '.', '_' and '-'"));
    }
    Ok(text.to_owned())
}

fn unnamed(manifest: &str) -> Error {
    Error::invalid("plan build", format!("{manifest} names no program")).with_hint("say how it starts with --start, or write a Dockerfile by hand")
}

fn swift(files: &Files<'_>) -> Planned {
    let manifest = files.text("Package.swift")?.unwrap_or_default();
    let mut declared = Vec::new();
    declared.extend(files.line(".swift-version")?.map(|line| (line, files.path(".swift-version"))));
    declared.extend(tool_versions(files, &["swift"]));
    let tools = manifest
        .lines()
        .next()
        .and_then(|line| line.split("swift-tools-version").nth(1))
        .map(|rest| rest.trim_start_matches([':', ' ']).split_whitespace().next().unwrap_or_default().to_owned());
    // The tools version is a minimum; the newest compiler of the same major version is the default.
    declared.extend(tools.filter(|text| !text.is_empty()).map(|text| (format!("^{text}"), files.path("Package.swift"))));
    let target = |sign: &str| {
        manifest
            .match_indices(sign)
            .filter_map(|(at, _)| manifest[at..].split_once("name:").and_then(|(_, rest)| rest.split('"').nth(1)).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let mut found = target(".executableTarget(");
    if found.is_empty() {
        found = target(".executable(");
    }
    if found.is_empty() {
        found = manifest.split_once("name:").and_then(|(_, rest)| rest.split('"').nth(1)).map(str::to_owned).into_iter().collect();
    }
    let name = match found.as_slice() {
        [only] => name(only)?,
        [] => return Err(unnamed("Package.swift")),
        several => return Err(ambiguous("the package has several programs", several.to_vec(), "say which with --build and --start")),
    };
    let build = format!(
        "swift build --configuration release --static-swift-stdlib --product {name} && install -D .build/release/{name} /out/{name} && find .build/release/ -maxdepth 1 -name '*.resources' -exec cp -r {{}} /out/ ';'"
    );
    let recipe = Recipe {
        manifests: vec!["Package.swift".to_owned(), "Package.resolved".to_owned()],
        fetch: Some("swift package resolve".to_owned()),
        caches: vec![],
        build,
        name,
        of_build: vec![],
        of_run: vec![],
        listens: manifest.contains("hummingbird"),
        ignore: vec![".build", ".swiftpm"],
        manager: "swift package manager",
    };
    Ok((declared, recipe))
}

fn dart(files: &Files<'_>) -> Planned {
    let manifest = files.yaml("pubspec.yaml")?.unwrap_or_default();
    let package = string(&manifest, &["name"]).ok_or_else(|| unnamed("pubspec.yaml"))?.to_owned();
    if manifest.get("dependencies").and_then(|list| list.get("flutter")).is_some() {
        return Err(Error::invalid("plan build", "this is a Flutter app, which is built for devices")
            .with_hint("deliver its web build: build it, and register the directory build/web as a static site"));
    }
    let mut declared = tool_versions(files, &["dart"]);
    declared.extend(string(&manifest, &["environment", "sdk"]).map(|text| (text.to_owned(), files.path("pubspec.yaml"))));
    let entry = [format!("bin/{package}.dart"), "bin/server.dart".to_owned(), "bin/main.dart".to_owned(), "main.dart".to_owned()]
        .into_iter()
        .find(|path| files.has(path));
    let entry = entry.or_else(|| files.below("bin").ending(".dart").first().map(|file| format!("bin/{file}"))).ok_or_else(|| unnamed("pubspec.yaml"))?;
    let name = name(&package)?;
    let depends = |name: &str| manifest.get("dependencies").and_then(|list| list.get(name)).is_some();
    let recipe = Recipe {
        manifests: vec!["pubspec.yaml".to_owned(), "pubspec.lock".to_owned()],
        fetch: Some("dart pub get".to_owned()),
        caches: vec![],
        build: format!("mkdir /out && dart pub get --offline && dart compile exe {} -o /out/{name}", word(&entry)),
        name,
        of_build: vec![],
        of_run: vec![],
        listens: depends("shelf") || depends("dart_frog"),
        ignore: vec![".dart_tool", "build"],
        manager: "pub",
    };
    Ok((declared, recipe))
}

fn haskell(files: &Files<'_>) -> Planned {
    let stack = files.yaml("stack.yaml")?;
    let package = files.yaml("package.yaml")?;
    let cabal_file = files.ending(".cabal").first().map(|name| (*name).to_owned());
    let cabal = cabal_file.as_ref().map(|name| files.hint(name)).unwrap_or_default();
    let mut declared = tool_versions(files, &["ghc"]);
    if let Some(resolver) = stack.as_ref().and_then(|stack| string(stack, &["resolver"]).or_else(|| string(stack, &["snapshot"]))) {
        // The compiler that each long-term snapshot of Stackage has.
        let line = match resolver.trim_start_matches("lts-").split('.').next() {
            Some("18") => "8.10",
            Some("19" | "20") => "9.2",
            Some("21") => "9.4",
            Some("22") => "9.6",
            Some("23") => "9.8",
            Some("24") => "9.10",
            _ => resolver.strip_prefix("ghc-").unwrap_or_default(),
        };
        declared.extend((!line.is_empty()).then(|| (line.to_owned(), format!("the snapshot {resolver} in stack.yaml"))));
    }
    let of_package = package
        .as_ref()
        .and_then(|package| package.get("executables"))
        .and_then(serde_json::Value::as_object)
        .map(|list| list.keys().cloned().collect::<Vec<_>>());
    let of_cabal: Vec<String> = cabal.lines().filter_map(|line| line.strip_prefix("executable ")).map(|name| name.trim().to_owned()).collect();
    let found = of_package.filter(|list| !list.is_empty()).unwrap_or(of_cabal);
    let name = match found.as_slice() {
        [only] => name(only)?,
        [] => return Err(unnamed("the cabal file")),
        several => return Err(ambiguous("the package has several programs", several.to_vec(), "say which with --build and --start")),
    };
    let with_stack = stack.is_some();
    let postgres = cabal.contains("postgresql") || files.hint("package.yaml").contains("postgresql");
    let mut manifests: Vec<String> = ["stack.yaml", "stack.yaml.lock", "package.yaml", "cabal.project", "cabal.project.freeze"].map(str::to_owned).to_vec();
    manifests.extend(cabal_file);
    let recipe = Recipe {
        manifests,
        fetch: Some(if with_stack { "stack build --system-ghc --only-dependencies" } else { "cabal update && cabal build --only-dependencies" }.to_owned()),
        caches: if with_stack { vec!["/root/.stack"] } else { vec!["/root/.cabal"] },
        build: if with_stack {
            format!("stack install --system-ghc --local-bin-path /out {name}")
        } else {
            format!("cabal install --install-method=copy --installdir=/out exe:{name}")
        },
        name,
        of_build: if postgres { vec!["libpq-dev"] } else { vec![] },
        of_run: if postgres { vec!["libgmp10", "libpq5"] } else { vec!["libgmp10"] },
        listens: ["warp", "scotty", "servant-server", "yesod", "wai"].iter().any(|name| cabal.contains(name) || files.hint("package.yaml").contains(name)),
        ignore: vec![".stack-work", "dist-newstyle"],
        manager: if with_stack { "stack" } else { "cabal" },
    };
    Ok((declared, recipe))
}

fn crystal(files: &Files<'_>) -> Planned {
    let manifest = files.yaml("shard.yml")?.unwrap_or_default();
    let mut declared = tool_versions(files, &["crystal"]);
    declared.extend(files.line(".crystal-version")?.map(|line| (line, files.path(".crystal-version"))));
    declared.extend(string(&manifest, &["crystal"]).map(|text| (text.to_owned(), files.path("shard.yml"))));
    let targets: Vec<String> = manifest.get("targets").and_then(serde_json::Value::as_object).map(|list| list.keys().cloned().collect()).unwrap_or_default();
    let package = string(&manifest, &["name"]).unwrap_or_default().to_owned();
    let (name, build) = match targets.as_slice() {
        [only] => (name(only)?, format!("shards build --release --production {only}")),
        [] => {
            let name = name(&package)?;
            let entry = [format!("src/{package}.cr"), "src/main.cr".to_owned()].into_iter().find(|path| files.has(path)).ok_or_else(|| unnamed("shard.yml"))?;
            let build = format!("mkdir -p bin && crystal build --release {} -o bin/{name}", word(&entry));
            (name, build)
        }
        several if several.contains(&package) => (name(&package)?, format!("shards build --release --production {package}")),
        several => return Err(ambiguous("the shard has several targets", several.to_vec(), "say which with --build and --start")),
    };
    let text = files.hint("shard.yml");
    let recipe = Recipe {
        manifests: vec!["shard.yml".to_owned(), "shard.lock".to_owned()],
        fetch: Some("shards install --production --skip-postinstall".to_owned()),
        caches: vec![],
        build: format!(
            "{} && install -D bin/{name} /out/{name}",
            build.replace(&format!(" {}", targets.first().map_or("", String::as_str)), &format!(" {}", word(&name)))
        ),
        name,
        of_build: vec![],
        of_run: vec!["libevent-2.1-7", "libgc1", "libpcre2-8-0", "libssl3", "libyaml-0-2", "zlib1g"],
        listens: ["kemal", "lucky", "amber", "spider-gazelle", "athena"].iter().any(|name| text.contains(name)),
        ignore: vec!["bin", ".shards", "lib"],
        manager: "shards",
    };
    Ok((declared, recipe))
}

fn zig(files: &Files<'_>) -> Planned {
    let text = files.hint("build.zig");
    let zon = files.hint("build.zig.zon");
    let mut declared = tool_versions(files, &["zig"]);
    declared.extend(zon.split_once(".minimum_zig_version").and_then(|(_, rest)| rest.split('"').nth(1)).map(|text| {
        (text.split('-').next().unwrap_or_default().rsplit_once('.').map_or(String::new(), |(line, _)| line.to_owned()), files.path("build.zig.zon"))
    }));
    let found = text.split_once("addExecutable(").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or_default();
    let name = name(found).map_err(|_| unnamed("build.zig"))?;
    let recipe = Recipe {
        manifests: vec!["build.zig".to_owned(), "build.zig.zon".to_owned()],
        fetch: None,
        caches: vec!["/root/.cache/zig"],
        build: "python3 -m ziglang build -Doptimize=ReleaseSafe -Dtarget=native-linux-musl --prefix /tmp/install && cp -r /tmp/install/bin /out".to_owned(),
        name,
        of_build: vec![],
        of_run: vec![],
        listens: false,
        ignore: vec!["zig-out", "zig-cache", ".zig-cache"],
        manager: "zig",
    };
    Ok((declared, recipe))
}

/// Libraries as build files name them, with the packages of Debian that compile against them and that run.
const LIBRARIES: [(&[&str], &str, &[&str]); 9] = [
    (&["find_package(OpenSSL", "dependency('openssl'", "-lssl"], "libssl-dev", &["libssl3"]),
    (&["find_package(CURL", "dependency('libcurl'", "-lcurl"], "libcurl4-openssl-dev", &["libcurl4"]),
    (&["find_package(ZLIB", "dependency('zlib'", "-lz "], "zlib1g-dev", &["zlib1g"]),
    (&["find_package(SQLite3", "dependency('sqlite3'", "-lsqlite3"], "libsqlite3-dev", &["libsqlite3-0"]),
    (&["find_package(PostgreSQL", "dependency('libpq'", "-lpq"], "libpq-dev", &["libpq5"]),
    (
        &["find_package(Boost", "dependency('boost'", "-lboost_"],
        "libboost-all-dev",
        &["libboost-date-time1.74.0", "libboost-filesystem1.74.0", "libboost-program-options1.74.0", "libboost-regex1.74.0", "libboost-thread1.74.0"],
    ),
    (&["find_package(fmt", "dependency('fmt'", "-lfmt"], "libfmt-dev", &["libfmt9"]),
    (&["find_package(spdlog", "dependency('spdlog'", "-lspdlog"], "libspdlog-dev", &["libspdlog1.10"]),
    (&["find_package(Protobuf", "dependency('protobuf'", "-lprotobuf"], "libprotobuf-dev", &["libprotobuf32"]),
];

fn cpp(files: &Files<'_>) -> Planned {
    let (manager, text) = match files.first(&["CMakeLists.txt", "meson.build", "Makefile"]) {
        Some("CMakeLists.txt") => ("cmake", files.hint("CMakeLists.txt")),
        Some("meson.build") => ("meson", files.hint("meson.build")),
        _ => ("make", files.hint("Makefile")),
    };
    let inside = |sign: &str| {
        text.match_indices(sign)
            .map(|(at, _)| {
                text[at + sign.len()..].trim_start().split([' ', '\n', ')', ',', '\t']).next().unwrap_or_default().trim_matches(['\'', '"']).to_owned()
            })
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
    };
    let project_name = inside("project(").first().cloned().unwrap_or_default();
    let found: Vec<String> = match manager {
        "cmake" => inside("add_executable(").into_iter().map(|name| if name.contains("PROJECT_NAME") { project_name.clone() } else { name }).collect(),
        "meson" => inside("executable("),
        _ => text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(target, _)| target.trim().to_owned())
            .filter(|target| {
                !target.is_empty()
                    && !target.starts_with(['.', '$', '#', '\t'])
                    && !["all", "clean", "install", "test", "run"].contains(&target.as_str())
                    && !target.contains([' ', '=', '%'])
            })
            .take(1)
            .collect(),
    };
    let name = match found.as_slice() {
        [only] => name(only)?,
        [] => return Err(unnamed(manager)),
        several => {
            let named = several.iter().find(|name| **name == project_name);
            match named {
                Some(named) => name(named)?,
                None => return Err(ambiguous("the project has several programs", several.to_vec(), "say which with --build and --start")),
            }
        }
    };
    let (mut of_libraries, mut of_run) = (Vec::new(), vec!["libstdc++6"]);
    for (signs, build, run) in LIBRARIES {
        if signs.iter().any(|sign| text.contains(sign)) {
            of_libraries.push(build);
            of_run.extend(run);
        }
    }
    let (build, mut of_build): (String, Vec<&'static str>) = match manager {
        "cmake" => ("cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release && cmake --build /build".to_owned(), vec!["cmake", "ninja-build"]),
        "meson" => ("meson setup /build --buildtype release && meson compile -C /build".to_owned(), vec!["meson", "ninja-build", "pkg-config"]),
        _ => ("make && mkdir -p /build && cp -r . /build/".to_owned(), vec!["make"]),
    };
    of_build.extend(of_libraries);
    let recipe = Recipe {
        manifests: vec![],
        fetch: None,
        caches: vec![],
        build: format!("{build} && mkdir /out && find /build -type f -name {name} -perm -u+x -exec cp {{}} /out/ ';'"),
        name,
        of_build,
        of_run,
        listens: false,
        ignore: vec!["build", "cmake-build-*", "*.o"],
        manager,
    };
    Ok((Vec::new(), recipe))
}
