//! Python: pip, uv, Poetry, PDM and Pipenv.

mod manager;

use super::{Check, Draft, Found, Project, TINI, ambiguous, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage};
use crate::wizard::files::{Files, text, value};
use crate::wizard::start::Start;
use crate::wizard::{Framework, Language};
use manager::Manager;

const MANIFESTS: [&str; 8] = ["requirements.txt", "pyproject.toml", "Pipfile", "setup.py", "uv.lock", "poetry.lock", "pdm.lock", "setup.cfg"];

/// What shows each framework: the name of its distribution.
const SIGNS: [(Framework, &[&str]); 5] = [
    (Framework::Django, &["django"]),
    (Framework::FastHtml, &["python-fasthtml"]),
    (Framework::FastApi, &["fastapi"]),
    (Framework::Flask, &["flask"]),
    (Framework::Streamlit, &["streamlit"]),
];

/// Servers and frameworks beside those that listen.
const LISTENERS: [&str; 13] =
    ["gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress", "tornado", "aiohttp", "sanic", "starlette", "litestar", "bottle", "gradio"];

/// Libraries of Debian that distributions need when they run, and those that their sources need to be compiled.
const LIBRARIES: [(&str, &[&str], &[&str]); 9] = [
    ("psycopg2", &["libpq5"], &["libpq-dev"]),
    ("psycopg", &["libpq5"], &["libpq-dev"]),
    ("mysqlclient", &["libmariadb3"], &["libmariadb-dev"]),
    ("pycairo", &["libcairo2"], &["libcairo2-dev"]),
    ("pydub", &["ffmpeg"], &[]),
    ("pdf2image", &["poppler-utils"], &[]),
    ("weasyprint", &["libpango-1.0-0", "libpangoft2-1.0-0"], &[]),
    ("python-magic", &["libmagic1"], &[]),
    ("opencv-python", &["libgl1", "libglib2.0-0"], &[]),
];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let manifest = files.first(&MANIFESTS);
    let script = files.first(&["main.py", "app.py", "manage.py", "server.py", "bot.py", "run.py", "wsgi.py", "asgi.py"]);
    let loose = || files.entries().iter().any(|entry| entry.name.starts_with("requirements") && entry.name.ends_with(".txt"));
    let Some(evidence) = manifest.or(script).or_else(|| loose().then_some("requirements files")) else { return Ok(None) };
    // pyproject.toml also configures linters in projects of other languages.
    if evidence == "pyproject.toml" && script.is_none() {
        let table = files.toml("pyproject.toml")?.unwrap_or_default();
        if value(&table, &["project"]).is_none() && value(&table, &["tool", "poetry"]).is_none() && value(&table, &["tool", "uv"]).is_none() {
            return Ok(None);
        }
    }
    let framework = framework(files, &dependencies(files)?);
    Ok(Some(Found::new(Language::Python, framework, evidence)))
}

fn framework(files: &Files<'_>, names: &[String]) -> Option<Framework> {
    if files.has("manage.py") && files.hint("manage.py").contains("django") {
        return Some(Framework::Django);
    }
    SIGNS.iter().find(|(_, signs)| signs.iter().any(|sign| names.iter().any(|name| name == sign))).map(|(framework, _)| *framework)
}

/// The distributions that a project asks for, normalised as PEP 503 says.
fn dependencies(files: &Files<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut requirement = |line: &str| {
        let name: String = line.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
        if !name.is_empty() && !name.starts_with('-') {
            found.push(name.to_ascii_lowercase().replace(['_', '.'], "-"));
        }
    };
    for entry in files.entries().iter().filter(|entry| entry.name.starts_with("requirements") && (entry.name.ends_with(".txt") || entry.name.ends_with(".in")))
    {
        files.hint(&entry.name).lines().filter(|line| !line.trim_start().starts_with(['#', '-'])).for_each(&mut requirement);
    }
    files.hint("requirements/production.txt").lines().chain(files.hint("requirements/base.txt").lines()).for_each(&mut requirement);
    if let Some(project) = files.toml("pyproject.toml")? {
        let lists = [value(&project, &["project", "dependencies"]), value(&project, &["project", "optional-dependencies", "production"])];
        lists.into_iter().flatten().filter_map(toml::Value::as_array).flatten().filter_map(toml::Value::as_str).for_each(&mut requirement);
        value(&project, &["tool", "poetry", "dependencies"]).and_then(toml::Value::as_table).into_iter().flatten().for_each(|(name, _)| requirement(name));
    }
    if let Some(pipfile) = files.toml("Pipfile")? {
        value(&pipfile, &["packages"]).and_then(toml::Value::as_table).into_iter().flatten().for_each(|(name, _)| requirement(name));
    }
    // `install_requires=["flask"]` is code; the names between its quotes are enough.
    let setup = files.hint("setup.py");
    if let Some((_, list)) = setup.split_once("install_requires") {
        list.split(']').next().unwrap_or_default().split(['"', '\'']).skip(1).step_by(2).for_each(&mut requirement);
    }
    Ok(found)
}

/// The members of a workspace of uv that can be started; none when the root is a program itself.
pub(super) fn members(files: &Files<'_>) -> Result<Vec<String>> {
    if entry_file(files).is_some() {
        return Ok(Vec::new());
    }
    Ok(manager::members(files).into_iter().filter(|member| entry_file(&files.below(member)).is_some()).collect())
}

fn entry_file(files: &Files<'_>) -> Option<&'static str> {
    files.first(&[
        "main.py",
        "app.py",
        "server.py",
        "bot.py",
        "run.py",
        "wsgi.py",
        "asgi.py",
        "app/main.py",
        "src/main.py",
        "src/app.py",
        "app/app.py",
        "api/main.py",
        "hello.py",
        "__main__.py",
        "application.py",
    ])
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let manager = Manager::detect(project)?;
    draft.because(&manager.reason);
    draft.package_manager = Some(manager.name().to_owned());
    let images = project.version(draft, versions(project, &manager)?)?;
    let names = dependencies(files)?;
    let libraries: Vec<_> = LIBRARIES.iter().filter(|(name, ..)| names.iter().any(|dependency| dependency == name)).collect();
    let of_run: Vec<&str> = libraries.iter().flat_map(|(_, run, _)| run.iter().copied()).collect();
    let of_build: Vec<&str> = libraries.iter().flat_map(|(.., build)| build.iter().copied()).collect();

    let mut server = None;
    project.start(draft, |draft| start(project, draft, &names, &mut server))?;
    let sources: Vec<String> = draft.start.program.iter().filter(|word| word.ends_with(".py")).map(|file| files.hint(file)).collect();
    let in_source = sources.iter().any(|source| ["http.server", "HTTPServer", "socketserver", ".listen("].iter().any(|word| source.contains(word)));
    let listens = in_source || draft.framework.is_some() || names.iter().any(|name| LISTENERS.contains(&name.as_str()));
    project.port(draft, listens, if draft.framework == Some(Framework::Streamlit) { 8501 } else { 8000 }, &sources);
    if let Some(server) = &server {
        draft.start.program = with_port(server, draft.port.unwrap_or(8000));
    }
    let program = draft.start.program.first().cloned().unwrap_or_default();

    let mut dependencies = manager.dependencies(project, draft, &images.build, &of_build);
    let missing = server.and_then(|(server, _)| server.missing(&names));
    if let Some(extra) = missing.filter(|extra| !manager.locks(project, extra.split('=').next().unwrap_or_default())) {
        draft.because(format!("{extra} is installed beside the project's own dependencies, to serve it"));
        dependencies = manager.add(dependencies, extra);
    }
    draft.stages.push(dependencies);
    let mut tests = Stage::on("test", "dependencies");
    tests = manager
        .development(project, tests)
        .comment("The test command of the pipeline runs here, with the development dependencies.")
        .copy([manager.source()], "./");
    draft.stages.push(tests);
    draft.ignore.extend([".venv", "venv", "**/__pycache__", "**/*.pyc", ".pytest_cache", ".mypy_cache", ".ruff_cache", "*.egg-info", "dist", "build"]);

    let handles = matches!(program.as_str(), "gunicorn" | "uvicorn" | "hypercorn" | "granian");
    let mut needed = of_run;
    if !handles {
        needed.push("tini");
    }
    let mut last = Stage::last(From::Image(images.run)).workdir("/app").apt(&project.packages(&needed));
    last = last.env([
        ("PATH", "/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]);
    if names.iter().any(|name| name == "streamlit") {
        last = last.env([("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false"), ("HOME", "/tmp")]);
    }
    last = last.copy_from("dependencies", "/venv", "/venv").copy([manager.source()], "./");
    if let Some(inner) = manager.inner(project) {
        last = last.workdir(format!("/app/{inner}"));
    }
    if files.json("package.json").ok().flatten().is_some_and(|package| crate::wizard::files::string(&package, &["scripts", "build"]).is_some()) {
        draft.because("the build script of package.json is not run: commit what it makes, or make it with --build");
    }
    if draft.framework == Some(Framework::Django)
        && let Some(command) = collect_static(project)
    {
        draft.because("static files are collected, because the settings name STATIC_ROOT");
        last = last.run(command);
    }
    let last = project.end(draft, last, Check::Python, (!handles).then_some(TINI));
    draft.stages.push(last);
    Ok(())
}

fn collect_static(project: &Project<'_>) -> Option<String> {
    let settings = settings(&project.files)?;
    let source = project.files.hint(&settings);
    if !source.contains("STATIC_ROOT") {
        return None;
    }
    // What only the environment has must not stop the build; it is in no layer.
    let mut names = vec!["SECRET_KEY".to_owned(), "DJANGO_SECRET_KEY".to_owned()];
    for sign in ["os.environ[", "env(", "env.str(", "env.db(", "config(", "os.getenv(", "os.environ.get("] {
        for (at, _) in source.match_indices(sign) {
            let name: String = source[at + sign.len()..]
                .trim_start_matches(['"', '\''])
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
                .collect();
            let bare = sign == "os.environ[" || !source[at + sign.len()..].split(')').next().unwrap_or_default().contains(',');
            if !name.is_empty() && bare && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let value = |name: &str| if name.ends_with("DATABASE_URL") { "sqlite:////tmp/build.db" } else { "build" };
    let variables: Vec<String> = names.iter().map(|name| format!("{name}={}", value(name))).collect();
    Some(format!("{} python manage.py collectstatic --noinput", variables.join(" ")))
}

/// The settings module of a Django project.
fn settings(files: &Files<'_>) -> Option<String> {
    files.search(2, |path| path.ends_with("settings.py")).into_iter().next()
}

/// The version of Python, in the order in which tools look for it.
fn versions(project: &Project<'_>, manager: &Manager) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let places = if manager.root() == project.files.directory() { vec![manager.root()] } else { vec![project.files.directory(), manager.root()] };
    for files in places.into_iter().map(|place| project.root.at(place)) {
        found.extend(files.line(".python-version")?.map(|line| (clean(&line), files.path(".python-version"))));
        found.extend(files.line("runtime.txt")?.map(|line| (clean(&line), files.path("runtime.txt"))));
        found.extend(tool_versions(&files, &["python"]));
        if let Some(pipfile) = files.toml("Pipfile")? {
            let version = ["python_full_version", "python_version"].iter().find_map(|key| text(&pipfile, &["requires", key]));
            found.extend(version.map(|version| (version.to_owned(), files.path("Pipfile"))));
        }
        if let Some(table) = files.toml("pyproject.toml")? {
            let keys: [&[&str]; 2] = [&["project", "requires-python"], &["tool", "poetry", "dependencies", "python"]];
            found.extend(keys.iter().find_map(|keys| text(&table, keys)).map(|version| (version.to_owned(), files.path("pyproject.toml"))));
        }
        let setup = files.hint("setup.py");
        let requires = setup.split_once("python_requires").and_then(|(_, rest)| rest.split(['"', '\'']).nth(1).map(str::to_owned));
        found.extend(requires.map(|version| (version, files.path("setup.py"))));
    }
    Ok(found)
}

/// `python-3.12.1`, `cpython@3.12` and `3.13t` as plain versions.
fn clean(line: &str) -> String {
    let line = line.trim().trim_start_matches("cpython").trim_start_matches("python").trim_start_matches(['-', '@']);
    line.split_whitespace().next().unwrap_or_default().to_owned()
}

/// A server that is started for a framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    /// gunicorn for WSGI, with the module's index in the start command.
    Gunicorn,
    Uvicorn,
    Streamlit,
}

impl Server {
    /// What must be installed for it, where the project does not do so.
    fn missing(self, names: &[String]) -> Option<&'static str> {
        let (name, requirement) = match self {
            Self::Gunicorn => ("gunicorn", "gunicorn==23.0.0"),
            Self::Uvicorn => ("uvicorn", "uvicorn==0.35.0"),
            Self::Streamlit => return None,
        };
        // fastapi[standard] and python-fasthtml bring uvicorn.
        (!names.iter().any(|other| other == name || (name == "uvicorn" && other == "python-fasthtml"))).then_some(requirement)
    }
}

/// The server's command; its application stands in `TARGET`.
fn with_port((server, target): &(Server, String), port: u16) -> Vec<String> {
    let command = match server {
        Server::Gunicorn => format!("gunicorn --bind 0.0.0.0:{port} --worker-tmp-dir /dev/shm {target}"),
        Server::Uvicorn => format!("uvicorn --host 0.0.0.0 --port {port} {target}"),
        Server::Streamlit => format!("streamlit run {target} --server.address 0.0.0.0 --server.port {port} --server.headless true"),
    };
    command.split(' ').map(str::to_owned).collect()
}

/// How the project starts: its framework's server, a script of its own, or its main file.
fn start(project: &Project<'_>, draft: &mut Draft, names: &[String], server: &mut Option<(Server, String)>) -> Result<Start> {
    let files = &project.files;
    let script = |file: &str| Start { program: vec!["python".to_owned(), file.to_owned()], variables: Vec::new() };
    match draft.framework {
        Some(Framework::Django) => {
            let module = django_module(files)?;
            let (kind, target) = if names.iter().any(|name| name == "uvicorn" || name == "channels")
                && files.has(&format!("{}/asgi.py", module.replace('.', "/")))
                && !names.iter().any(|name| name == "gunicorn")
            {
                (Server::Uvicorn, format!("{module}.asgi:application"))
            } else {
                (Server::Gunicorn, format!("{module}.wsgi:application"))
            };
            draft.because(format!("start command: the application {target} of Django"));
            *server = Some((kind, target));
            return Ok(Start::default());
        }
        Some(framework @ (Framework::Flask | Framework::FastApi | Framework::FastHtml)) => {
            if let Some(target) = application(files, framework) {
                draft.because(format!("start command: the application {target} of {}", framework.title()));
                *server = Some((if framework == Framework::Flask { Server::Gunicorn } else { Server::Uvicorn }, target));
                return Ok(Start::default());
            }
        }
        Some(Framework::Streamlit) => {
            let main = files.first(&["streamlit_app.py", "app.py", "main.py", "Home.py"]).or_else(|| entry_file(files)).unwrap_or("streamlit_app.py");
            draft.because(format!("start command: Streamlit with {main}"));
            *server = Some((Server::Streamlit, main.to_owned()));
            return Ok(Start::default());
        }
        _ => {}
    }
    if let Some(table) = files.toml("pyproject.toml")? {
        let keys: [&[&str]; 2] = [&["project", "scripts"], &["tool", "poetry", "scripts"]];
        let scripts = keys.iter().find_map(|keys| value(&table, keys)).and_then(toml::Value::as_table);
        if let Some(scripts) = scripts.filter(|_| entry_file(files).is_none()) {
            let named: Vec<&String> = scripts.keys().collect();
            let name = text(&table, &["project", "name"]).or_else(|| text(&table, &["tool", "poetry", "name"]));
            let chosen =
                named.iter().find(|script| Some(script.as_str()) == name || script.as_str() == "start").or(if named.len() == 1 { named.first() } else { None });
            if let Some(script) = chosen {
                draft.because(format!("start command: the script {script} of pyproject.toml"));
                return Ok(Start { program: vec![format!("/venv/bin/{script}")], variables: Vec::new() });
            }
        }
    }
    if let Some(file) = entry_file(files) {
        draft.because(format!("start command: the file {file}"));
        return Ok(script(file));
    }
    // The only script there is, or the only package that can be run.
    let scripts: Vec<&str> = files
        .ending(".py")
        .into_iter()
        .filter(|name| !["setup.py", "conftest.py", "__init__.py", "gunicorn.conf.py", "noxfile.py"].contains(name) && !name.starts_with("test_"))
        .collect();
    if let [only] = scripts.as_slice() {
        draft.because(format!("start command: the only script, {only}"));
        return Ok(script(only));
    }
    let packages = files.search(2, |path| path.ends_with("/__main__.py"));
    if let [only] = packages.as_slice() {
        let module = only.trim_end_matches("/__main__.py").trim_start_matches("src/").replace('/', ".");
        draft.because(format!("start command: the package {module}"));
        return Ok(Start { program: ["python", "-m", &module].map(str::to_owned).to_vec(), variables: Vec::new() });
    }
    if scripts.len() > 1 {
        return Err(ambiguous(
            "several scripts may start the project",
            scripts.into_iter().map(|name| format!("python {name}")).collect(),
            "choose one with --start",
        ));
    }
    Err(Error::invalid("plan build", "nothing says how the project starts").with_hint("name its main file main.py, add a Procfile, or say it with --start"))
}

/// The package of a Django project that has its settings.
fn django_module(files: &Files<'_>) -> Result<String> {
    let manage = files.hint("manage.py");
    let named = manage.split_once("DJANGO_SETTINGS_MODULE").and_then(|(_, rest)| {
        rest.split(['"', '\''])
            .map(str::trim)
            .find(|word| word.contains('.') && word.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c)))
            .map(str::to_owned)
    });
    if let Some(module) = named {
        let package = module.split(".settings").next().unwrap_or_default().to_owned();
        // Settings may be a package deeper down; wsgi.py stands beside it or above.
        let mut candidate = package.as_str();
        while !files.has(&format!("{}/wsgi.py", candidate.replace('.', "/"))) {
            match candidate.rsplit_once('.') {
                Some((parent, _)) => candidate = parent,
                None => return Ok(package.clone()),
            }
        }
        return Ok(candidate.to_owned());
    }
    let found = files.search(2, |path| path.ends_with("/wsgi.py"));
    found.first().and_then(|path| path.strip_suffix("/wsgi.py")).map(|path| path.replace('/', ".")).ok_or_else(|| {
        Error::invalid("plan build", "the project uses Django, but has neither settings in manage.py nor a wsgi.py")
            .with_hint("say the start command with --start")
    })
}

/// `module:name` of the object that a server calls.
fn application(files: &Files<'_>, framework: Framework) -> Option<String> {
    const PLACES: [&str; 17] = [
        "main.py",
        "app.py",
        "wsgi.py",
        "asgi.py",
        "server.py",
        "api.py",
        "run.py",
        "application.py",
        "app/main.py",
        "app/__init__.py",
        "src/main.py",
        "src/app.py",
        "app/app.py",
        "api/main.py",
        "api/app.py",
        "hello.py",
        "app/server.py",
    ];
    let class = match framework {
        Framework::Flask => "Flask(",
        Framework::FastApi => "FastAPI(",
        _ => "fast_app(",
    };
    let (mut factory, mut found) = (None, None);
    for place in PLACES.iter().filter(|place| files.has(place)) {
        let source = files.hint(place);
        let module = place.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
        for line in source.lines() {
            if let Some((name, rest)) = line.split_once('=')
                && (rest.contains(class) || (class == "fast_app(" && rest.contains("FastHTML(")) || rest.contains("create_app("))
                && !line.starts_with([' ', '\t', '#'])
            {
                let name = name.split([',', ':']).next().unwrap_or_default().trim();
                if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    found = found.or_else(|| Some(format!("{module}:{name}")));
                }
            }
            if line.starts_with("def create_app(") {
                factory = factory.or_else(|| Some(format!("{module}:create_app()")));
            }
        }
    }
    found.or(if framework == Framework::Flask { factory } else { None })
}
