//! PHP, with Composer where there is one, behind Apache.

use super::{Check, Draft, Found, Project, Strength, tool_versions};
use crate::error::{Error, Result};
use crate::wizard::dockerfile::{From, Stage, word};
use crate::wizard::files::{Files, string};
use crate::wizard::start::Start;
use crate::wizard::{Framework, Language, table};
use serde_json::Value;

/// Extensions of PHP that its images do not have, and the packages of Debian that compile them.
const EXTENSIONS: [(&str, &[&str]); 16] = [
    ("bcmath", &[]),
    ("calendar", &[]),
    ("exif", &[]),
    ("gd", &["libpng-dev", "libjpeg62-turbo-dev", "libfreetype6-dev"]),
    ("gmp", &["libgmp-dev"]),
    ("intl", &["libicu-dev"]),
    ("ldap", &["libldap-dev"]),
    ("mysqli", &[]),
    ("opcache", &[]),
    ("pcntl", &[]),
    ("pdo_mysql", &[]),
    ("pdo_pgsql", &["libpq-dev"]),
    ("pgsql", &["libpq-dev"]),
    ("soap", &["libxml2-dev"]),
    ("sockets", &[]),
    ("zip", &["libzip-dev"]),
];

/// Extensions that come from PECL.
const PECL: [(&str, &[&str]); 8] = [
    ("amqp", &["librabbitmq-dev"]),
    ("apcu", &[]),
    ("igbinary", &[]),
    ("imagick", &["libmagickwand-dev"]),
    ("memcached", &["libmemcached-dev", "libssl-dev", "zlib1g-dev"]),
    ("mongodb", &["libssl-dev"]),
    ("redis", &[]),
    ("swoole", &["libssl-dev"]),
];

/// Extensions that the images have.
const THERE: [&str; 27] = [
    "ctype",
    "curl",
    "date",
    "dom",
    "fileinfo",
    "filter",
    "hash",
    "iconv",
    "json",
    "libxml",
    "mbstring",
    "mysqlnd",
    "openssl",
    "pcre",
    "pdo",
    "pdo_sqlite",
    "phar",
    "posix",
    "readline",
    "session",
    "simplexml",
    "sodium",
    "sqlite3",
    "tokenizer",
    "xml",
    "xmlreader",
    "xmlwriter",
];

pub(super) fn detect(files: &Files<'_>) -> Result<Option<Found>> {
    let Some(composer) = files.json("composer.json")? else {
        return Ok(files.has("index.php").then(|| Found::new(Language::Php, None, "index.php")));
    };
    let needs = |name: &str| string(&composer, &["require", name]).is_some();
    let framework = if needs("laravel/framework") {
        Some(Framework::Laravel)
    } else if needs("symfony/framework-bundle") || needs("symfony/runtime") {
        Some(Framework::Symfony)
    } else {
        None
    };
    let found = Found::new(Language::Php, framework, "composer.json");
    let runs = framework.is_some() || files.first(&["index.php", "public/index.php"]).is_some();
    Ok(Some(if runs { found } else { found.weaker(Strength::Aside) }))
}

pub(super) fn plan(project: &Project<'_>, draft: &mut Draft) -> Result<()> {
    let files = &project.files;
    let composer = files.json("composer.json")?;
    let mut declared = Vec::new();
    declared.extend(files.line(".php-version")?.map(|line| (line, project.path(".php-version"))));
    declared.extend(tool_versions(files, &["php"]));
    if let Some(composer) = &composer {
        let asked = string(composer, &["config", "platform", "php"])
            .map(|text| (text, "config.platform"))
            .or_else(|| string(composer, &["require", "php"]).map(|text| (text, "require")));
        declared.extend(asked.map(|(text, key)| (text.to_owned(), format!("{key} of {}", project.path("composer.json")))));
    }
    let images = project.version(draft, declared)?;
    draft.package_manager = composer.as_ref().map(|_| "composer".to_owned());
    let root = if files.has("public/index.php") { "/public" } else { "" };
    draft.because(format!("Apache serves {}", if root.is_empty() { "the project's directory" } else { "public/" }));
    project.port(draft, true, 8080, &[]);
    let port = draft.port.unwrap_or(8080);
    project.start(draft, |draft| {
        draft.because("start command: Apache in the foreground");
        Ok(Start { program: ["apache2", "-D", "FOREGROUND"].map(str::to_owned).to_vec(), variables: Vec::new() })
    })?;

    let (extensions, of_pecl) = extensions(composer.as_ref(), draft.framework)?;
    let mut packages: Vec<&str> = extensions.iter().chain(&of_pecl).flat_map(|(_, packages)| packages.iter().copied()).collect();
    packages.extend(["unzip"]);
    let mut base = Stage::image("base", &images.run).workdir("/app").apt(&project.packages(&packages));
    let installed: Vec<&str> = extensions.iter().map(|(name, _)| *name).collect();
    if !installed.is_empty() {
        draft.because(format!("extensions of PHP: {}", installed.join(", ")));
        base = base.run(format!("docker-php-ext-install -j2 {}", installed.join(" ")));
    }
    let from_pecl: Vec<&str> = of_pecl.iter().map(|(name, _)| *name).collect();
    if !from_pecl.is_empty() {
        draft.because(format!("extensions of PHP from PECL: {}", from_pecl.join(", ")));
        base = base.run(format!("pecl install {names} && docker-php-ext-enable {names} && rm -rf /tmp/pear", names = from_pecl.join(" ")));
    }
    // Without an .htaccess, Apache must be told that one script answers for every path.
    let front = !files.has(&format!("{}.htaccess", root.trim_start_matches('/').to_owned() + if root.is_empty() { "" } else { "/" })) && !root.is_empty();
    let fallback = if front { "'FallbackResource /index.php' " } else { "" };
    // As no root: another port, and what Apache writes goes into memory.
    base = base.run(format!(
        "a2enmod rewrite && sed -i 's/Listen 80$/Listen {port}/' /etc/apache2/ports.conf && sed -i 's#:80>#:{port}>#; s#/var/www/html#/app{root}#' /etc/apache2/sites-available/000-default.conf && printf '%s\\n' '<Directory /app>' 'AllowOverride All' 'Require all granted' {fallback}'</Directory>' > /etc/apache2/conf-enabled/app.conf && mv \"$PHP_INI_DIR/php.ini-production\" \"$PHP_INI_DIR/php.ini\""
    ));
    let variables = [
        "APACHE_CONFDIR=/etc/apache2",
        "APACHE_RUN_USER=#10001",
        "APACHE_RUN_GROUP=#10001",
        "APACHE_RUN_DIR=/dev/shm",
        "APACHE_LOCK_DIR=/dev/shm",
        "APACHE_PID_FILE=/dev/shm/apache2.pid",
        "APACHE_LOG_DIR=/var/log/apache2",
    ];
    base = base.env(variables.iter().filter_map(|pair| pair.split_once('=')));
    draft.stages.push(base);

    let mut dependencies = "base";
    if composer.is_some() {
        let manifests = project.existing(&["composer.json", "composer.lock", "symfony.lock", "auth.json.example"]);
        let install = "composer install --no-interaction --no-progress --prefer-dist --no-scripts --no-autoloader";
        let cache = ["/root/.composer/cache"];
        let tool = |stage: Stage| {
            stage
                .copy_from(&table::image("php", None, &[]).unwrap_or_default(), "/usr/bin/composer", "/usr/local/bin/")
                .env([("COMPOSER_ALLOW_SUPERUSER", "1"), ("COMPOSER_CACHE_DIR", cache[0])])
        };
        if !files.has("composer.lock") {
            draft.because("there is no composer.lock, so every build may get other versions: commit it");
        }
        draft
            .stages
            .push(tool(Stage::on("dependencies", "base")).copy_in_place(&manifests, files.directory()).run_cached(format!("{install} --no-dev"), &cache));
        draft.stages.push(Stage::on("build", "dependencies").copy([project.here()], "./").run("composer dump-autoload --optimize --no-dev --no-scripts"));
        let test = Stage::on("test", "dependencies")
            .run_cached(install, &cache)
            .comment("The test command of the pipeline runs here, with the development dependencies.");
        draft.stages.push(test.copy([project.here()], "./").run("composer dump-autoload --no-scripts"));
        dependencies = "build";
    }
    let assets = assets(project, draft, dependencies == "build")?;
    let mut last = Stage::last(From::Stage("base"));
    last = if dependencies == "build" { last.copy_from("build", "/app", "./") } else { last.copy([project.here()], "./") };
    if assets {
        last = last.copy_from("assets", "/app/public/build", "./public/build");
    }
    if draft.framework == Some(Framework::Laravel) {
        last = last.env([("LOG_CHANNEL", "stderr")]).run("mkdir -p storage/framework/cache storage/framework/sessions storage/framework/views storage/logs bootstrap/cache && chmod -R a+rwX storage bootstrap/cache");
    } else if draft.framework == Some(Framework::Symfony) {
        last = last.env([("APP_ENV", "prod")]);
        let mut steps = vec!["mkdir -p var/cache var/log"];
        if files.has("bin/console") {
            let asks = |name: &str| composer.as_ref().is_some_and(|composer| string(composer, &["require", name]).is_some());
            // What Composer's scripts would do, with the environment of production.
            if asks("symfony/asset-mapper") {
                steps.extend(["php bin/console importmap:install", "php bin/console asset-map:compile"]);
            }
            steps.extend(["php bin/console assets:install public || true", "php bin/console cache:warmup"]);
            draft.because("the cache is warmed with the build, and .env, which Symfony reads, is a part of the image");
            draft.ignore.extend(["!.env"]);
        }
        steps.push("chmod -R a+rwX var");
        last =
            last.run(steps.join(" && ").replace("&& php bin/console assets:install public || true", "&& { php bin/console assets:install public || true; }"));
    }
    draft.ignore.extend(["vendor", "node_modules", "storage/logs/*", "var", "public/build"]);
    if dependencies == "base" {
        draft.stages.push(super::test_stage("base").copy([project.here()], "./"));
    }
    let last = project.end(draft, last, Check::Php, None);
    draft.stages.push(last);
    Ok(())
}

/// The extensions that the project asks for, and those that its framework cannot do without.
///
/// Errors: `InvalidInput` for one that is neither in the images nor known how to compile.
fn extensions(composer: Option<&Value>, framework: Option<Framework>) -> Result<(Vec<Extension>, Vec<Extension>)> {
    let asked: Vec<String> = composer
        .and_then(|composer| composer.get("require"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| name.strip_prefix("ext-").map(str::to_owned))
        .collect();
    let of_framework: &[&str] = match framework {
        Some(Framework::Laravel) => &["pdo_mysql", "pdo_pgsql", "bcmath", "pcntl", "zip"],
        Some(Framework::Symfony) => &["intl", "pdo_mysql", "pdo_pgsql"],
        _ => &[],
    };
    let known = |name: &str| THERE.contains(&name) || EXTENSIONS.iter().chain(&PECL).any(|(known, _)| *known == name);
    if let Some(stranger) = asked.iter().find(|name| !known(&name.to_ascii_lowercase().replace("zend-", ""))) {
        return Err(Error::invalid(
            "plan build",
            format!("composer.json asks for the extension {stranger}, which the Build Wizard does not know how to install"),
        )
        .with_hint("write a Dockerfile by hand"));
    }
    let wanted = |(name, _): &&Extension| of_framework.contains(name) || asked.iter().any(|asked| asked.eq_ignore_ascii_case(name));
    Ok((EXTENSIONS.iter().filter(wanted).copied().collect(), PECL.iter().filter(wanted).copied().collect()))
}

type Extension = (&'static str, &'static [&'static str]);

/// Pages that Node.js builds beside the project.
fn assets(project: &Project<'_>, draft: &mut Draft, vendored: bool) -> Result<bool> {
    let Some(package) = project.files.json("package.json")? else { return Ok(false) };
    if string(&package, &["scripts", "build"]).is_none() {
        return Ok(false);
    }
    draft.because("Node.js builds the pages' assets: package.json has a build script");
    let images = table::choose("node", string(&package, &["engines", "node"]).map(|text| (text, "engines of package.json")))?;
    let manifests = project.existing(&["package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", ".npmrc"]);
    let install = match project.files.first(&["package-lock.json", "yarn.lock", "pnpm-lock.yaml"]) {
        Some("yarn.lock") => "yarn install --frozen-lockfile".to_owned(),
        Some("pnpm-lock.yaml") => format!("npm install --global pnpm@{} && pnpm install --frozen-lockfile", word(&table::tool("pnpm", "9"))),
        Some(_) => "npm ci".to_owned(),
        None => "npm install".to_owned(),
    };
    let mut stage =
        Stage::image("assets", &images.build).workdir("/app").copy_in_place(&manifests, project.files.directory()).run_cached(install, &["/root/.npm"]);
    if vendored {
        // Packages of PHP bring sources of their pages too.
        stage = stage.copy_from("build", "/app/vendor", "./vendor");
    }
    draft.stages.push(stage.copy([project.here()], "./").run("npm run build && mkdir -p public/build"));
    Ok(true)
}
