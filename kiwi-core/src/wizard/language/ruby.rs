//! Ruby, by Bundler.

use super::{Check, Draft, Found, Project, Strength, TINI, node, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage};
use crate::wizard::files::{Files, string};
use crate::wizard::start::Start;
use crate::wizard::{Framework, Language};

/// Packages of Debian that gems need to be compiled and to run.
const LIBRARIES: [(&str, &[&str], &[&str]); 6] = [
    ("pg", &["libpq-dev"], &["libpq5"]),
    ("mysql2", &["libmariadb-dev"], &["libmariadb3"]),
    ("sqlite3", &["libsqlite3-dev"], &["libsqlite3-0"]),
    ("image_processing", &[], &["libvips42"]),
    ("ruby-vips", &[], &["libvips42"]),
    ("execjs", &[], &["nodejs"]),
];

fn uses(gemfile: &str, name: &str) -> bool {
    gemfile.lines().map(str::trim).any(|line| {
        line.strip_prefix("gem").is_some_and(|rest| rest.trim_start_matches(['(', ' ']).trim_start_matches(['"', '\'']).split(['"', '\'']).next() == Some(name))
    })
}

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let gemfile = files.hint("Gemfile");
    if !files.has("Gemfile") {
        let script = files.first(&["config.ru", "app.rb", "main.rb", "server.rb"]);
        return Ok(script.map(|script| Found::new(Language::Ruby, None, script)));
    }
    let framework = if uses(&gemfile, "rails") {
        Some(Framework::Rails)
    } else if uses(&gemfile, "sinatra") {
        Some(Framework::Sinatra)
    } else {
        None
    };
    let found = Found::new(Language::Ruby, framework, "Gemfile");
    // Documentation and mobile projects keep tools in a Gemfile.
    let runs = framework.is_some()
        || files.first(&["config.ru", "app.rb", "main.rb", "server.rb", "Procfile", "Rakefile"]).is_some()
        || !files.ending(".rb").is_empty();
    Ok(Some(if runs { found } else { found.weaker(Strength::Weak) }))
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let gemfile = files.hint("Gemfile");
    let lock = files.hint("Gemfile.lock");
    let images = project.version(draft, versions(files, &gemfile, &lock)?)?;
    let bundled = files.has("Gemfile");
    draft.package_manager = bundled.then(|| "bundler".to_owned());
    let in_lock = |name: &str| lock.lines().any(|line| line.trim_start().split(' ').next() == Some(name)) || uses(&gemfile, name);
    let mut of_build = vec!["build-essential", "git", "libyaml-dev"];
    let mut of_run = Vec::new();
    for (name, build, run) in LIBRARIES {
        if in_lock(name) {
            of_build.extend(build);
            of_run.extend(run);
        }
    }
    if in_lock("execjs") {
        of_build.push("nodejs");
    }
    let puma = in_lock("puma");
    project.start(draft, |draft| start(files, draft, puma))?;
    let listens = draft.framework.is_some() || files.has("config.ru") || puma || in_lock("webrick");
    let sources: Vec<String> = draft.start.program.iter().filter(|word| word.ends_with(".rb")).map(|file| files.hint(file)).collect();
    project.port(draft, listens, 3000, &sources);

    let locked = files.has("Gemfile.lock");
    if bundled && !locked {
        draft.because("there is no Gemfile.lock, so every build may get other versions: commit it");
    }
    let mut build = Stage::image("dependencies", &images.build)
        .workdir("/app")
        .apt(&project.packages(&of_build))
        .env([("BUNDLE_WITHOUT", "development:test"), ("BUNDLE_JOBS", "2")]);
    if bundled {
        let mut manifests = project.existing(&["Gemfile", "Gemfile.lock", ".ruby-version", ".tool-versions"]);
        manifests.extend(files.ending(".gemspec").into_iter().map(|name| files.path(name)));
        build = build.copy_in_place(&manifests, files.directory());
        // Gems that lie in the repository are needed for the install.
        for directory in ["vendor/cache", "vendor/gems", "engines", "gems", "local", "lib"] {
            let named =
                gemfile.contains(&format!("\"{directory}")) || gemfile.contains(&format!("'{directory}")) || gemfile.contains(&format!("./{directory}"));
            if files.has_directory(directory) && (directory == "vendor/cache" || named) {
                build = build.copy([format!("{}/", files.path(directory))], format!("{directory}/"));
            }
        }
        if gemfile.contains("path:") || gemfile.contains(":path =>") || gemfile.contains("gemspec") {
            draft.because("the sources are copied before the install, because the Gemfile names gems in the repository");
            build = build.copy([project.here()], "./");
        }
        let exact = if locked { "bundle config set --local frozen true && " } else { "" };
        build = build.run(format!("{exact}bundle install && rm -rf /usr/local/bundle/cache"));
    }
    draft.stages.push(build);
    let mut test = Stage::on("test", "dependencies").env([("BUNDLE_WITHOUT", "")]);
    if bundled {
        test = test.run("bundle install");
    }
    draft.stages.push(test.comment("The test command of the pipeline runs here, with the development dependencies.").copy([project.here()], "./"));
    let assets = draft.framework == Some(Framework::Rails) && (in_lock("sprockets-rails") || in_lock("propshaft") || in_lock("sprockets"));
    let bundles = assets && files.json("package.json")?.is_some_and(|package| string(&package, &["scripts", "build"]).is_some());
    let mut out = Stage::on("build", "dependencies");
    if bundles {
        draft.because("Node.js builds the assets: package.json has a build script");
        let node = node::tools(project, draft)?;
        // The whole installation lies below /usr/local, beside Ruby's.
        out = out.copy_from(&node.image, "/usr/local/", "/usr/local/");
        if let Some(setup) = node.setup {
            out = out.run(setup);
        }
        out = out.copy_in_place(&node.manifests, files.directory()).run(node.install);
    }
    out = out.copy([project.here()], "./");
    if assets {
        draft.because("assets are compiled with the build, with a key that is none");
        let tidy = if bundles { " && rm -rf node_modules" } else { "" };
        out = out.run(format!("SECRET_KEY_BASE_DUMMY=1 SECRET_KEY_BASE=build RAILS_ENV=production bundle exec rails assets:precompile{tidy}"));
    }
    if let Some(command) = project.build_command(draft, None) {
        out = out.run(command);
    }
    draft.stages.push(out);
    of_run.push("tini");
    let mut last = Stage::last(From::Image(images.run.clone())).workdir("/app").apt(&project.packages(&of_run)).env([("BUNDLE_WITHOUT", "development:test")]);
    last = match draft.framework {
        Some(Framework::Rails) => last.env([("RAILS_ENV", "production"), ("RAILS_LOG_TO_STDOUT", "1"), ("RAILS_SERVE_STATIC_FILES", "1")]),
        _ => last.env([("RACK_ENV", "production"), ("APP_ENV", "production")]),
    };
    last = last.copy_from("build", "/usr/local/bundle", "/usr/local/bundle").copy_from("build", "/app", "./");
    if draft.framework == Some(Framework::Rails) {
        last = last.run("mkdir -p tmp/pids log storage && chmod -R a+rwX tmp log storage");
    }
    draft.ignore.extend([".bundle", "vendor/bundle", "log/*", "tmp/*", "node_modules", "coverage", "config/master.key", "config/credentials/*.key"]);
    let last = project.end(draft, last, Check::Ruby, Some(TINI));
    draft.stages.push(last);
    Ok(())
}

/// The version of Ruby, in the order in which version managers and Bundler look for it.
fn versions(files: &Files<'_>, gemfile: &str, lock: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let clean = |text: &str| text.trim().trim_start_matches("ruby").trim_start_matches('-').split('p').next().unwrap_or_default().to_owned();
    found.extend(files.line(".ruby-version")?.map(|line| (clean(&line), files.path(".ruby-version"))));
    found.extend(tool_versions(files, &["ruby"]));
    let line = gemfile.lines().map(str::trim).find_map(|line| line.strip_prefix("ruby ").or_else(|| line.strip_prefix("ruby(")));
    let quoted = line
        .filter(|line| !line.contains("file:"))
        .map(|line| line.split(['"', '\'']).skip(1).step_by(2).filter(|word| word.contains(|c: char| c.is_ascii_digit())).collect::<Vec<_>>().join(", "));
    found.extend(quoted.filter(|text| !text.is_empty()).map(|text| (text, files.path("Gemfile"))));
    let locked = lock.split_once("RUBY VERSION").and_then(|(_, rest)| rest.trim_start().lines().next()).map(|line| clean(line.trim()));
    found.extend(locked.map(|text| (text, files.path("Gemfile.lock"))));
    Ok(found)
}

fn start(files: &Files<'_>, draft: &mut Draft, puma: bool) -> Result<Start> {
    let words = |text: &str| Start { program: text.split(' ').map(str::to_owned).collect(), variables: Vec::new() };
    if draft.framework == Some(Framework::Rails) {
        draft.because("start command: the server of Rails");
        return Ok(if puma && files.has("config/puma.rb") {
            words("bundle exec puma --config config/puma.rb")
        } else {
            words("bundle exec rails server --binding 0.0.0.0")
        });
    }
    if files.has("config.ru") {
        draft.because("start command: config.ru");
        return Ok(if puma { words("bundle exec puma --bind tcp://0.0.0.0:3000") } else { words("bundle exec rackup --host 0.0.0.0 --port 3000") });
    }
    let script = files.first(&["app.rb", "main.rb", "server.rb", "run.rb", "bot.rb"]).map(str::to_owned).or_else(|| match files.ending(".rb").as_slice() {
        [only] => Some((*only).to_owned()),
        _ => None,
    });
    let script = script.ok_or_else(|| {
        Error::invalid("plan build", "nothing says how the project starts").with_hint("add a config.ru or a Procfile, or say it with --start")
    })?;
    draft.because(format!("start command: the file {script}"));
    let mut start = if files.has("Gemfile") { words("bundle exec ruby") } else { words("ruby") };
    start.program.push(script);
    if draft.framework == Some(Framework::Sinatra) {
        start.program.extend(["-o", "0.0.0.0", "-p", "3000"].map(str::to_owned));
    }
    Ok(start)
}
