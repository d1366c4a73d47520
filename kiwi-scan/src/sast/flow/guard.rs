//! Checks that make input harmless where they hold.

use super::{Flow, Literal, Node, Operator, Part, Value};
use crate::sast::rule::TextPattern;
use std::rc::Rc;
use std::sync::LazyLock;

/// Names of functions that say whether a value is harmless.
static VALIDATES: LazyLock<TextPattern> = LazyLock::new(|| {
    TextPattern::new(
        "(?i)(valid|allow|safe|permit|whitelist|trusted|legal|known|^is_?(uuid|int|integer|number|numeric|digits?|alpha|alnum|alphanumeric|decimal|ipv?4?|local|hex|slug|empty|blank|null_?or_?empty)$)",
    )
});
/// Names of functions that stop when a value is not harmless.
static ENSURES: LazyLock<TextPattern> = LazyLock::new(|| TextPattern::new("(?i)^(validate|ensure|assert|verify|check|require)_?[a-z_]*"));
/// Methods whose argument is looked for in the object.
const CONTAINS: [&str; 10] = ["includes", "contains", "has", "containsKey", "containsValue", "Contains", "hasOwnProperty", "__contains__", "contain", "hasOwn"];
/// Methods by which a text is held to a form.
const FORMS: [&str; 12] = [
    "isdigit",
    "isalnum",
    "isalpha",
    "isnumeric",
    "isdecimal",
    "isidentifier",
    "issubset",
    "is_relative_to",
    "isIn",
    "equals",
    "equalsIgnoreCase",
    "EqualFold",
];
const STARTS: [&str; 3] = ["startswith", "startsWith", "HasPrefix"];
const ENDS: [&str; 3] = ["endswith", "endsWith", "HasSuffix"];
const MATCHES: [&str; 9] = ["match", "fullmatch", "search", "test", "matches", "MatchString", "Match", "find", "lookingAt"];
/// Prefixes that hold nothing to a form.
const WEAK_PREFIXES: [&str; 8] = ["", "/", "http", "http:", "https:", "http://", "https://", "."];

/// The input in a value.
pub(super) fn ids(value: &Value) -> Vec<u64> {
    value.taints().into_iter().map(|taint| taint.id).collect()
}

fn implying(no: Vec<u64>, yes: Vec<u64>) -> Value {
    Value { parts: vec![Part::Unknown], implies: Some(Rc::new([no, yes])), ..Value::default() }
}

/// `==`, `!=`, `in`, `not in`.
pub(super) fn comparison(operator: Operator, one: &Value, other: &Value) -> Value {
    let is_null = |value: &Value| value.literal == Some(Literal::Null);
    // `err != nil`: what the call that gave the error says of its input.
    if (is_null(one) || is_null(other))
        && let Some(implied) = one.implies.as_ref().or(other.implies.as_ref())
    {
        let [no, yes] = [implied[0].clone(), implied[1].clone()];
        return if operator == Operator::Equal { implying(yes, no) } else { implying(no, yes) };
    }
    let equal = match operator {
        Operator::Equal | Operator::NotEqual => match (one.is_tainted(), other.is_tainted()) {
            (true, false) => ids(one),
            (false, true) => ids(other),
            _ => Vec::new(),
        },
        _ if !other.taints().iter().any(|taint| !taint.origin.is_parameter()) => ids(one),
        // `".." in path`: its absence is what is wanted.
        _ if is_climbing(one) => return if operator == Operator::In { implying(ids(other), Vec::new()) } else { implying(Vec::new(), ids(other)) },
        _ => Vec::new(),
    };
    match operator {
        Operator::Equal | Operator::In => implying(Vec::new(), equal),
        _ => implying(equal, Vec::new()),
    }
}

fn is_climbing(value: &Value) -> bool {
    value.constant_text().is_some_and(|text| text.contains("..") || text == "/" || text == "\\")
}

/// What a call says of what it is given, when it is one that checks.
pub(super) fn of_call(last: &str, receiver: Option<&Value>, given: &[&Value]) -> Option<Value> {
    let tainted = |value: &&Value| value.is_tainted();
    let all: Vec<u64> = receiver.into_iter().chain(given.iter().copied()).flat_map(ids).collect();
    let of_receiver = receiver.filter(tainted);
    let first = given.first().copied();
    if STARTS.contains(&last) || ENDS.contains(&last) {
        // `strings.HasPrefix(text, prefix)` has both as arguments.
        let (text, form) = match (of_receiver, given) {
            (Some(text), [form, ..]) => (text, *form),
            (None, [text, form, ..]) => (*text, *form),
            _ => return Some(implying(Vec::new(), Vec::new())),
        };
        let strong = match form.constant_text() {
            Some(known) if ENDS.contains(&last) => known.matches('.').count() > 1,
            Some(known) => !WEAK_PREFIXES.contains(&known.as_str()),
            // What it must begin with is somebody else's.
            None => STARTS.contains(&last),
        };
        // What it must begin with may be part of it.
        let base = ids(form);
        let held = ids(text).into_iter().filter(|id| !base.contains(id)).collect();
        return Some(implying(Vec::new(), if strong { held } else { Vec::new() }));
    }
    if CONTAINS.contains(&last) {
        return Some(match (of_receiver, first) {
            (Some(text), Some(part)) if is_climbing(part) => implying(ids(text), Vec::new()),
            (None, Some(_)) => match given {
                // `slices.Contains(allowed, text)` and `strings.Contains(text, "..")`.
                [text, part] if text.is_tainted() && is_climbing(part) => implying(ids(text), Vec::new()),
                [text, _] if text.is_tainted() => implying(Vec::new(), Vec::new()),
                _ => implying(Vec::new(), all),
            },
            _ => implying(Vec::new(), Vec::new()),
        });
    }
    if MATCHES.contains(&last) {
        let expression = receiver.into_iter().chain(given.iter().copied()).filter(|value| !value.is_tainted()).find_map(Value::constant_text);
        let whole =
            matches!(last, "fullmatch" | "matches") || expression.is_none_or(|text| text.ends_with('$') || text.ends_with("\\Z") || text.ends_with("\\z"));
        return Some(implying(Vec::new(), if whole { all } else { Vec::new() }));
    }
    let checks = FORMS.contains(&last) || VALIDATES.is_match(last);
    (checks && !all.is_empty()).then(|| implying(Vec::new(), all))
}

/// Whether a function by its name stops when what it is given is not harmless.
pub(super) fn ensures(last: &str) -> bool {
    ENSURES.is_match(last)
}

impl<'t> Flow<'_, 't> {
    /// `and`, `or`: each side is evaluated under what the one before says.
    pub(super) fn choice(&mut self, operator: Operator, left: &Node<'t>, right: &Node<'t>) -> Value {
        let (one, one_true, one_false) = self.decide(left);
        let and = operator == Operator::And;
        self.scope.push();
        self.scope.check(if and { &one_true } else { &one_false });
        let (other, other_true, other_false) = self.decide(right);
        self.scope.pop();
        let both = |one: &[u64], other: &[u64]| one.iter().chain(other).copied().collect::<Vec<_>>();
        let either = |one: &[u64], other: &[u64]| one.iter().copied().filter(|id| other.contains(id)).collect::<Vec<_>>();
        let implies = if and {
            [either(&one_false, &other_false), both(&one_true, &other_true)]
        } else {
            [both(&one_false, &other_false), either(&one_true, &other_true)]
        };
        // In Python and JavaScript the result is one of both.
        Value { implies: Some(Rc::new(implies)), ..Value::join(&one, &other) }
    }
}
