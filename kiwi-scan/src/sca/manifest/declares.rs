//! Whether a manifest declares a dependency at all; in doubt it does.

use super::Manifest;
use serde_json::Value;

/// Whether the text of a manifest declares a dependency.
pub(super) fn declares(manifest: Manifest, text: &str) -> bool {
    match manifest {
        Manifest::Npm => of_json(text, |file| ["dependencies", "devDependencies", "optionalDependencies"].iter().any(|key| filled(&file[key]))),
        Manifest::Composer => of_json(text, |file| {
            // `php` and `ext-json` are no packages.
            ["require", "require-dev"].iter().any(|key| file[key].as_object().is_some_and(|all| all.keys().any(|name| name.contains('/'))))
        }),
        Manifest::Pubspec => match crate::yaml::read(text) {
            Ok(file) => ["dependencies", "dev_dependencies", "dependency_overrides"].iter().any(|key| filled(&file[*key])),
            Err(_) => true,
        },
        Manifest::Cargo => of_toml(text, cargo),
        Manifest::Pyproject => of_toml(text, pyproject),
        Manifest::Pipfile => of_toml(text, |file| {
            let others = ["source", "requires", "pipenv", "scripts"];
            file.as_object().into_iter().flatten().any(|(section, all)| !others.contains(&section.as_str()) && filled(all))
        }),
        Manifest::SetupPy => setup_py(text),
        Manifest::SetupCfg => setup_cfg(text),
        Manifest::Requirements => text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['#', '-'])),
        Manifest::Gemfile | Manifest::GemsRb => {
            // `gem "left"`, `gem("left")`, `.each { |name| gem name }`, and what a gem of one's own says.
            let is_word = |rest: &str| ["gem", "gemspec"].iter().any(|word| rest.strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_of_a_name)));
            // What is evaluated may declare some.
            code(text, "#").any(|line| words(line, "gem").any(is_word) || words(line, "eval_gemfile").next().is_some())
        }
        Manifest::Mix => mix(text),
        Manifest::Gradle => gradle(text),
        Manifest::Project | Manifest::Projects => {
            // MSBuild takes names of any case.
            let text = text.to_ascii_lowercase();
            text.contains("<packagereference") || text.contains("<globalpackagereference")
        }
    }
}

/// The names of what a manifest declares, where it is data and not a program; those of workspaces are left out, as each member has its own.
pub(super) fn names(manifest: Manifest, text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}');
    let file = match manifest {
        Manifest::Npm | Manifest::Composer => serde_json::from_str(text).unwrap_or(Value::Null),
        Manifest::Pubspec => crate::yaml::read(text).unwrap_or(Value::Null),
        Manifest::Cargo | Manifest::Pyproject | Manifest::Pipfile => {
            text.parse::<toml::Table>().ok().and_then(|file| serde_json::to_value(file).ok()).unwrap_or(Value::Null)
        }
        _ => Value::Null,
    };
    let keys = |table: &Value| table.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let of = |all: &[&str]| all.iter().flat_map(|key| keys(&file[*key])).collect::<Vec<_>>();
    match manifest {
        Manifest::Npm => of(&["dependencies", "devDependencies", "optionalDependencies"]),
        Manifest::Composer => of(&["require", "require-dev"]).into_iter().filter(|name| name.contains('/')).collect(),
        Manifest::Pubspec => of(&["dependencies", "dev_dependencies", "dependency_overrides"]),
        Manifest::Pipfile => of(&["packages", "dev-packages"]),
        Manifest::Cargo => {
            let all = ["dependencies", "dev-dependencies", "build-dependencies"].iter().flat_map(|key| file[*key].as_object()).flatten();
            all.map(|(name, wanted)| wanted["package"].as_str().unwrap_or(name).to_owned()).collect()
        }
        Manifest::Pyproject => {
            let (project, poetry) = (&file["project"], &file["tool"]["poetry"]);
            let written = project["dependencies"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let name = |text: &str| text.trim().split(|c: char| !is_of_a_name(c) && !matches!(c, '-' | '.')).next().unwrap_or_default().to_owned();
            let of_poetry = keys(&poetry["dependencies"]).into_iter().filter(|name| name != "python");
            written.map(name).chain(of_poetry).filter(|name| !name.is_empty()).collect()
        }
        _ => Vec::new(),
    }
}

fn of_json(text: &str, declares: impl Fn(&Value) -> bool) -> bool {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_or(true, |file| declares(&file))
}

/// TOML, as the values of JSON, which know what is missing.
fn of_toml(text: &str, declares: impl Fn(&Value) -> bool) -> bool {
    let file = text.trim_start_matches('\u{feff}').parse::<toml::Table>().ok().and_then(|file| serde_json::to_value(file).ok());
    file.is_none_or(|file| declares(&file))
}

/// Whether something is there that has something in it.
fn filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        _ => true,
    }
}

fn cargo(file: &Value) -> bool {
    const KEYS: [&str; 5] = ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"];
    let own = |table: &Value| KEYS.iter().any(|key| filled(&table[*key]));
    own(file) || own(&file["workspace"]) || file["target"].as_object().into_iter().flatten().any(|(_, target)| own(target))
}

fn pyproject(file: &Value) -> bool {
    let (project, tool) = (&file["project"], &file["tool"]);
    let any = |tables: &Value| tables.as_object().into_iter().flatten().any(|(_, all)| filled(all));
    let dynamic = project["dynamic"].as_array().into_iter().flatten().any(|key| key == "dependencies" || key == "optional-dependencies");
    let poetry = &tool["poetry"];
    let of_poetry = |table: &Value| table.as_object().into_iter().flatten().any(|(name, _)| name != "python");
    dynamic
        || filled(&project["dependencies"])
        || any(&project["optional-dependencies"])
        || any(&file["dependency-groups"])
        || of_poetry(&poetry["dependencies"])
        || filled(&poetry["dev-dependencies"])
        || poetry["group"].as_object().into_iter().flatten().any(|(_, group)| of_poetry(&group["dependencies"]))
        || any(&tool["pdm"]["dev-dependencies"])
        || filled(&tool["uv"]["dev-dependencies"])
        || filled(&tool["flit"]["metadata"]["requires"])
}

const SETUP: [&str; 4] = ["install_requires", "extras_require", "tests_require", "setup_requires"];

/// Setup files are programs: what is named and not plainly empty declares something.
fn setup_py(text: &str) -> bool {
    let text: String = code(text, "#").flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    let is_empty = |rest: &str| ["=[]", "={}", "=()", "=None", "\":[]", "\":{}", "':[]", "':{}"].iter().any(|none| rest.starts_with(none));
    SETUP.iter().any(|key| text.match_indices(key).any(|(at, _)| !is_empty(&text[at + key.len()..])))
}

fn setup_cfg(text: &str) -> bool {
    let (mut section, mut key) = ("", "");
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        let value = if let Some(named) = line.trim_end().strip_prefix('[') {
            (section, key) = (named.trim_end_matches(']').trim(), "");
            ""
        } else if line.starts_with([' ', '\t']) {
            line
        } else {
            let (named, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
            key = named.trim();
            value
        };
        let is_list = section == "options" && SETUP.contains(&key) || section == "options.extras_require" && !key.is_empty();
        if is_list && !value.trim().is_empty() {
            return true;
        }
    }
    false
}

/// A list of dependencies has tuples such as `{:left, "~> 1.0"}` and `{:left, path: "../left"}`.
fn mix(text: &str) -> bool {
    const OPTIONS: [&str; 9] = ["git:", "github:", "path:", "in_umbrella:", "only:", "hex:", "organization:", "repo:", "["];
    let text: String = code(text, "#").flat_map(|line| line.chars().chain(['\n'])).collect();
    text.split('{').skip(1).any(|tuple| {
        let Some(rest) = tuple.trim_start().strip_prefix(':') else { return false };
        let name = rest.trim_start_matches(is_of_a_name);
        let Some(value) = name.trim_start().strip_prefix(',').map(str::trim_start) else { return false };
        value.starts_with(['"', '~']) || OPTIONS.iter().any(|option| value.starts_with(option))
    })
}

/// A block of dependencies with something in it.
fn gradle(text: &str) -> bool {
    let text: String = code(text, "//").flat_map(|line| line.chars().chain(['\n'])).collect();
    let declares = |rest: &str| {
        let rest = rest["dependencies".len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(block) => !block.trim_start().starts_with('}'),
            None => rest.starts_with(['.', '(']),
        }
    };
    words(&text, "dependencies").any(declares)
}

/// The lines without what begins a comment.
fn code<'t>(text: &'t str, comment: &'t str) -> impl Iterator<Item = &'t str> {
    // In a text, such as that of a URL, it begins none.
    let end = move |line: &'t str| line.match_indices(comment).map(|(at, _)| at).find(|at| !line[..*at].ends_with([':', '"', '\'', '/'])).unwrap_or(line.len());
    text.lines().map(move |line| &line[..end(line)])
}

/// The places where a word begins.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(word).filter(|(at, _)| !text[..*at].ends_with(is_of_a_name)).map(|(at, _)| &text[at..])
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
