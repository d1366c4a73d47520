//! The examples of rules, which are their tests.

use super::Language;
use super::file::look;
use super::language::Dialect;
use super::rule::{Rule, Rules};

/// What does not hold of the rules' examples: a rule must find something in each bad one, and nothing in each good one.
pub fn failures(rules: &Rules) -> Vec<String> {
    let mut wrong = Vec::new();
    for language in Language::ALL {
        for rule in rules.of(*language) {
            let (bad, good) = rule.examples();
            if bad.is_empty() || good.is_empty() {
                wrong.push(format!("{}: it needs examples, bad and good", rule.id()));
            }
            for (number, text) in bad.iter().enumerate() {
                check(rules, *language, &rule, text, true, &format!("bad example {}", number + 1), &mut wrong);
            }
            for (number, text) in good.iter().enumerate() {
                check(rules, *language, &rule, text, false, &format!("good example {}", number + 1), &mut wrong);
            }
        }
    }
    wrong
}

fn check(rules: &Rules, language: Language, rule: &Rule, text: &str, wanted: bool, which: &str, wrong: &mut Vec<String>) {
    let Some(dialect) = dialect(language, text) else { return };
    // Alone: of several rules about one place only one speaks.
    let index = rules.index_of(dialect, vec![rule.clone()]);
    let looked = match look(&index, dialect, text.to_owned()) {
        Ok(looked) => looked,
        Err(why) => return wrong.push(format!("{}: {which}: {why}", rule.id())),
    };
    if let Some(line) = looked.broken {
        wrong.push(format!("{}: {which}: line {line} cannot be parsed", rule.id()));
    }
    let hits: Vec<usize> = looked.found.hits.iter().filter(|hit| index.rules[hit.rule].id() == rule.id()).map(|hit| hit.line).collect();
    match (wanted, hits.first()) {
        (true, None) => wrong.push(format!("{}: {which}: nothing was found", rule.id())),
        (false, Some(line)) => wrong.push(format!("{}: {which}: line {line} was found", rule.id())),
        _ => {}
    }
}

/// An example's grammar: `// tsx` or `// ts` on its first line says which of JavaScript's.
fn dialect(language: Language, text: &str) -> Option<Dialect> {
    let marked = text.lines().next().and_then(|line| line.trim().strip_prefix("//")).map(str::trim);
    let extension = match (language.as_str(), marked) {
        ("javascript", Some(marked @ ("ts" | "tsx"))) => marked,
        ("javascript", _) => "jsx",
        ("python", _) => "py",
        (other, _) => other,
    };
    Dialect::of(&format!("example.{extension}"))
}
