//! Static sites and shell scripts.

use super::{Check, Draft, Found, Project, Strength, TINI, test_stage};
use crate::error::{Error, Result};
use crate::wizard::Language;
use crate::wizard::dockerfile::{From, Stage};
use crate::wizard::files::Files;
use crate::wizard::start::Start;
use crate::wizard::table;

/// Where nginx finds the pages.
const PAGES: &str = "/usr/share/nginx/html/";

const SCRIPTS: [&str; 4] = ["start.sh", "run.sh", "entrypoint.sh", "main.sh"];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    if files.has("Staticfile") {
        return Ok(Some(Found::new(Language::Static, None, "Staticfile")));
    }
    if let Some(page) = files.first(&["index.html", "public/index.html", "index.htm"]) {
        return Ok(Some(Found::new(Language::Static, None, page).weaker(Strength::Aside)));
    }
    let script = files.first(&SCRIPTS).map(str::to_owned).or_else(|| match files.ending(".sh").as_slice() {
        [only] => Some((*only).to_owned()),
        _ => None,
    });
    // A Procfile says how something starts, whatever it is written in.
    let script = script.or_else(|| files.has("Procfile").then(|| "Procfile".to_owned()));
    Ok(script.map(|script| Found::new(Language::Shell, None, script).weaker(Strength::Weak)))
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    if draft.language == Language::Shell {
        return shell(project, draft);
    }
    let root = staticfile(&project.files)?.unwrap_or_else(|| {
        let directory = if project.files.has("index.html") || !project.files.has("public/index.html") { "" } else { "public" };
        directory.to_owned()
    });
    let directory = if root.is_empty() { project.here() } else { format!("{}/", project.path(&root)) };
    draft.because(format!("the pages are those in {}", if directory == "." { "the root" } else { &directory }));
    site(project, draft, Pages::Context(directory))
}

/// The directory that a Staticfile names.
fn staticfile(files: &Files<'_>) -> Result<Option<String>> {
    let Some(text) = files.text("Staticfile")? else { return Ok(None) };
    let root = text.lines().find_map(|line| line.strip_prefix("root:")).map(|root| root.trim().trim_matches(['"', '\'', '/']).to_owned());
    if root.as_ref().is_some_and(|root| root.split('/').any(|part| part == "..")) {
        return Err(Error::invalid("plan build", "the root in Staticfile leads out of the project").with_hint("name a directory of the project"));
    }
    Ok(Some(root.filter(|root| root != ".").unwrap_or_default()))
}

/// Where the pages of a site come from.
pub(super) enum Pages {
    /// A directory of the build's context.
    Context(String),
    /// A directory of the stage `build`; with `fallback`, one page answers for all paths.
    Stage { directory: String, fallback: bool },
}

/// The last stages of a site: nginx as a user of no name, which writes only into memory.
pub(super) fn site(project: &Project<'_>, draft: &mut Draft, pages: Pages) -> Result<()> {
    let images = table::choose("static", None)?;
    if draft.language == Language::Static {
        draft.version = None;
    }
    draft.because(format!("pages are served by {}, as a user of no name and with nothing to write", images.run));
    draft.start = Start { program: ["nginx", "-g", "daemon off;"].map(str::to_owned).to_vec(), variables: Vec::new() };
    project.port(draft, true, 8080, &[]);
    let fallback = match &pages {
        Pages::Context(_) => false,
        Pages::Stage { fallback, .. } => *fallback,
    };
    let found = if fallback { "try_files $uri $uri.html $uri/ /index.html;" } else { "try_files $uri $uri.html $uri/index.html $uri/ =404;" };
    let port = draft.port.unwrap_or(8080);
    let lines = [
        "worker_processes auto;".to_owned(),
        "pid /dev/shm/nginx.pid;".to_owned(),
        "error_log stderr warn;".to_owned(),
        "events {}".to_owned(),
        "http {".to_owned(),
        "    include mime.types;".to_owned(),
        "    default_type application/octet-stream;".to_owned(),
        "    access_log /dev/stdout;".to_owned(),
        "    server_tokens off;".to_owned(),
        "    sendfile on;".to_owned(),
        "    gzip on;".to_owned(),
        "    gzip_types text/css text/javascript application/javascript application/json image/svg+xml;".to_owned(),
        "    client_body_temp_path /dev/shm/body;".to_owned(),
        "    proxy_temp_path /dev/shm/proxy;".to_owned(),
        "    fastcgi_temp_path /dev/shm/fastcgi;".to_owned(),
        "    uwsgi_temp_path /dev/shm/uwsgi;".to_owned(),
        "    scgi_temp_path /dev/shm/scgi;".to_owned(),
        "    server {".to_owned(),
        format!("        listen {port};"),
        format!("        root {};", PAGES.trim_end_matches('/')),
        format!("        location / {{ {found} }}"),
        "    }".to_owned(),
        "}".to_owned(),
    ];
    let server = Stage::image("server", &images.run)
        .comment("The root file system may be read-only: what nginx writes goes into memory.")
        .write(lines.to_vec(), "/etc/nginx/nginx.conf");
    let last = Stage::last(From::Stage("server"));
    let last = match pages {
        Pages::Context(directory) => {
            draft.stages.extend([server, test_stage("server").copy([directory.clone()], PAGES)]);
            last.copy([directory], PAGES)
        }
        Pages::Stage { directory, .. } => {
            draft.stages.push(server);
            last.copy_from("build", directory, PAGES)
        }
    };
    let last = project.end(draft, last, Check::Nginx, None);
    draft.stages.push(last);
    Ok(())
}

fn shell(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let images = table::choose("shell", None)?;
    project.start(draft, |draft| {
        let script = if project.files.has(&project.found.evidence) { project.found.evidence.clone() } else { "start.sh".to_owned() };
        let first = project.files.beginning(&script);
        let shell = if first.lines().next().is_some_and(|line| line.contains("bash") || line.contains("zsh")) { "bash" } else { "sh" };
        draft.because(format!("start command: the script {script}"));
        Ok(Start { program: vec![shell.to_owned(), script], variables: Vec::new() })
    })?;
    project.port(draft, false, 8080, &[]);
    draft.because("one stage is enough: there is nothing to build");
    let base = Stage::image("base", &images.build).workdir("/app").apt(&project.packages(&["ca-certificates", "tini"])).copy([project.here()], "./");
    let last = project.end(draft, Stage::last(From::Stage("base")), Check::Bash, Some(TINI));
    draft.stages.extend([base, test_stage("base"), last]);
    Ok(())
}
