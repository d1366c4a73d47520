//! Reading rules from YAML.

use super::condition::{Names, RawCondition, RawSelector};
use super::{Condition, Examples, Find, Name, Rule, Test, TextPattern, What};
use crate::sast::language::Language;
use kiwi_core::domain::Severity;
use kiwi_core::error::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// Larger files are no rules.
const LARGEST_FILE: u64 = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    languages: Vec<String>,
    severity: Severity,
    cwe: u32,
    title: String,
    explanation: String,
    fix: String,
    find: Vec<RawFind>,
    #[serde(default)]
    from: From,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    sanitizers: Vec<String>,
    #[serde(default)]
    safe_prefix: Option<String>,
    #[serde(default)]
    examples: Examples,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum From {
    #[default]
    Input,
    Parameter,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFind {
    #[serde(default)]
    call: Option<Names>,
    #[serde(default)]
    assign: Option<Names>,
    #[serde(default)]
    reference: Option<Names>,
    #[serde(default)]
    import: Option<Names>,
    #[serde(default, rename = "return")]
    returned: Option<bool>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    tainted: Vec<RawSelector>,
    #[serde(default)]
    when: Vec<RawCondition>,
    #[serde(default)]
    unless_called: Vec<String>,
    #[serde(default)]
    unless_text: Option<String>,
    #[serde(default)]
    if_text: Option<String>,
    /// What the rule says otherwise.
    #[serde(default)]
    from: Option<From>,
}

/// The rules of one YAML text. Rules of languages that were not compiled in are left out.
///
/// Errors: `InvalidInput` with the rule and what is wrong with it.
pub fn read_rules(text: &str) -> Result<Vec<Rule>> {
    read_checked(text).map_err(|why| Error::invalid("read rules", why).with_hint("docs/writing-rules.md has the form of a rule"))
}

/// The rules of every `*.yaml` and `*.yml` of a folder; `sources.yaml` says where more input comes from.
///
/// Errors: `InvalidInput` for a folder that cannot be read, or without rules, and for a rule as [`read_rules`] says.
pub(super) fn folder(folder: &Path) -> Result<(Vec<Rule>, Vec<Sources>)> {
    let fail = |why: String| Error::invalid("read rules", why).with_hint("give a folder of YAML files; docs/writing-rules.md has their form");
    let entries = std::fs::read_dir(folder).map_err(|error| fail(format!("{} cannot be read", folder.display())).with_source(error))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let (mut rules, mut sources): (Vec<Rule>, Vec<Sources>) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")) {
        let large = file.metadata().is_ok_and(|found| found.len() > LARGEST_FILE);
        let text = if large { Err(std::io::Error::other("it is too large")) } else { std::fs::read_to_string(file) };
        let text = text.map_err(|error| fail(format!("{} cannot be read", file.display())).with_source(error))?;
        if file.file_stem().is_some_and(|stem| stem == "sources") {
            sources.push(serde_saphyr::from_str(&text).map_err(|error| fail(format!("{}: {error}", file.display())))?);
        } else {
            rules.extend(read_checked(&text).map_err(|why| fail(format!("{}: {why}", file.display())))?);
        }
    }
    if rules.is_empty() {
        return Err(fail(format!("{} has no rules", folder.display())));
    }
    let mut ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(fail(format!("two rules are called {}", pair[0]))),
        None => Ok((rules, sources)),
    }
}

fn read_checked(text: &str) -> std::result::Result<Vec<Rule>, String> {
    let rules = read(text)?;
    rules.iter().try_for_each(|rule| rule.check().and_then(|()| rule.check_patterns()).map_err(|why| format!("{}: {why}", rule.id)))?;
    Ok(rules)
}

pub(super) fn read(text: &str) -> std::result::Result<Vec<Rule>, String> {
    let raw: Vec<RawRule> = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let mut rules = Vec::new();
    for rule in raw {
        let id = rule.id.clone();
        let rule = convert(rule).map_err(|why| format!("{id}: {why}"))?;
        if !rule.languages.is_empty() {
            rules.push(rule);
        }
    }
    Ok(rules)
}

fn convert(raw: RawRule) -> std::result::Result<Rule, String> {
    if raw.id.is_empty() || !raw.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Err("an id is of small letters, digits and '-'".to_owned());
    }
    const KNOWN: [&str; 4] = ["python", "javascript", "java", "go"];
    if let Some(unknown) = raw.languages.iter().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(format!("{unknown} is not one of {}", KNOWN.join(", ")));
    }
    let languages = Language::ALL.iter().copied().filter(|language| raw.languages.iter().any(|name| name == language.as_str())).collect();
    let find: std::result::Result<Vec<Find>, String> = raw.find.into_iter().map(convert_find).collect();
    let find = find?;
    if find.is_empty() {
        return Err("it finds nothing".to_owned());
    }
    let rule = Rule {
        id: raw.id,
        languages,
        severity: raw.severity,
        cwe: raw.cwe,
        title: raw.title,
        explanation: raw.explanation,
        fix: raw.fix,
        find,
        parameters: raw.from == From::Parameter,
        sources: raw.sources.iter().map(|name| Name::new(name)).collect(),
        sanitizers: raw.sanitizers.iter().map(|name| Name::new(name)).collect(),
        safe_prefix: raw.safe_prefix.map(|pattern| TextPattern::new(&pattern)),
        examples: raw.examples,
    };
    Ok(rule)
}

fn convert_find(raw: RawFind) -> std::result::Result<Find, String> {
    let mut what = Vec::new();
    what.extend(raw.call.map(|names| What::Call(names.into_names())));
    what.extend(raw.assign.map(|names| What::Assign(names.into_names())));
    what.extend(raw.reference.map(|names| What::Reference(names.into_names())));
    what.extend(raw.import.map(|names| What::Import(names.into_names())));
    what.extend(raw.returned.filter(|returned| *returned).map(|_| What::Return));
    what.extend(raw.pattern.map(What::Pattern));
    let [what] = <[What; 1]>::try_from(what).map_err(|_| "each item of find has one of call, assign, reference, import, return and pattern".to_owned())?;
    let when: std::result::Result<Vec<Vec<Condition>>, String> = raw.when.into_iter().map(RawCondition::read).collect();
    let texts = [(raw.unless_text, false), (raw.if_text, true)].into_iter();
    let texts = texts.filter_map(|(text, wanted)| Some(Condition::InFunction(TextPattern::new(&text?), wanted)));
    let unless_called = raw.unless_called.iter().map(|name| Name::new(name)).collect();
    let parameters = raw.from.map(|from| from == From::Parameter);
    Ok(Find {
        parameters,
        what,
        tainted: raw.tainted.iter().map(RawSelector::read).collect(),
        when: when?.into_iter().flatten().chain(texts).collect(),
        unless_called,
    })
}

impl Rule {
    /// Whether every regular expression and pattern of it is one; the built-in rules' are held to it by their tests alone.
    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        for name in self.sanitizers.iter().chain(&self.sources) {
            name.check()?;
        }
        self.safe_prefix.as_ref().map_or(Ok(()), TextPattern::check)?;
        for find in &self.find {
            let names = match &find.what {
                What::Call(names) | What::Assign(names) | What::Reference(names) | What::Import(names) => names.as_slice(),
                What::Return | What::Pattern(_) => &[],
            };
            for name in names.iter().chain(&find.unless_called) {
                name.check()?;
            }
            find.when.iter().try_for_each(check_condition)?;
        }
        Ok(())
    }
}

fn check_condition(condition: &Condition) -> std::result::Result<(), String> {
    match condition {
        Condition::Any(inner) => inner.iter().try_for_each(check_condition),
        Condition::Function(pattern) | Condition::InFunction(pattern, _) | Condition::InFile(pattern, _) => pattern.check(),
        Condition::Argument(_, test) => check_test(test),
    }
}

fn check_test(test: &Test) -> std::result::Result<(), String> {
    match test {
        Test::Matches(pattern) | Test::Name(pattern) | Test::Mentions(pattern) => pattern.check(),
        Test::FromCall(names) => names.iter().try_for_each(Name::check),
        Test::Not(inner) => check_test(inner),
        _ => Ok(()),
    }
}

/// Where input comes from in a language, and where it ends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sources {
    pub(crate) language: String,
    #[serde(default)]
    pub(crate) sources: Vec<String>,
    /// What the person who runs the program gives: like a parameter.
    #[serde(default)]
    pub(crate) local_sources: Vec<String>,
    #[serde(default)]
    pub(crate) parameter_names: Vec<String>,
    #[serde(default)]
    pub(crate) handlers: Vec<String>,
    #[serde(default)]
    pub(crate) annotated_parameters: Vec<String>,
    #[serde(default)]
    pub(crate) neutral: Vec<String>,
    /// The type of what a call gives.
    #[serde(default)]
    pub(crate) returns: std::collections::BTreeMap<String, String>,
    /// Of which arguments alone the result of a call carries input.
    #[serde(default)]
    pub(crate) carries: std::collections::BTreeMap<String, Vec<usize>>,
}

impl Sources {
    pub(super) fn add(&mut self, more: &Self) {
        self.sources.extend_from_slice(&more.sources);
        self.local_sources.extend_from_slice(&more.local_sources);
        self.carries.extend(more.carries.clone());
        self.parameter_names.extend_from_slice(&more.parameter_names);
        self.handlers.extend_from_slice(&more.handlers);
        self.annotated_parameters.extend_from_slice(&more.annotated_parameters);
        self.neutral.extend_from_slice(&more.neutral);
        self.returns.extend(more.returns.clone());
    }
}
