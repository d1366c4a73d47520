//! Conditions over the arguments of what a rule finds.

use super::{Name, TextPattern};
use serde::Deserialize;

/// Which argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selector {
    /// Any of them.
    Any,
    /// The object of a method call.
    Receiver,
    /// One, and the keys that lead into it.
    At(Step, Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Position(usize),
    Name(String),
}

impl Selector {
    pub(crate) fn new(text: &str) -> Self {
        match text {
            "*" => Self::Any,
            "receiver" => Self::Receiver,
            _ => {
                let mut parts = text.split('.').map(str::to_owned);
                let first = parts.next().unwrap_or_default();
                let step = first.parse().map_or_else(|_| Step::Name(first.clone()), Step::Position);
                Self::At(step, parts.collect())
            }
        }
    }
}

/// What must hold.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Any(Vec<Condition>),
    /// The enclosing function's name.
    Function(TextPattern),
    /// The text of the enclosing function, or of the file outside of all; whether it must match or must not.
    InFunction(TextPattern, bool),
    /// The text of the file.
    InFile(TextPattern, bool),
    Argument(Selector, Test),
}

/// What an argument must be.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Is(serde_json::Value),
    OneOf(Vec<serde_json::Value>),
    Matches(TextPattern),
    Below(f64),
    Above(f64),
    Missing(bool),
    Constant(bool),
    Name(TextPattern),
    /// The code of the argument.
    Mentions(TextPattern),
    FromCall(Vec<Name>),
    Not(Box<Test>),
}

/// One name or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub(super) fn into_names(self) -> Vec<Name> {
        match self {
            Self::One(name) => vec![Name::new(&name)],
            Self::Many(names) => names.iter().map(|name| Name::new(name)).collect(),
        }
    }
}

/// A selector, which may be written as a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum RawSelector {
    Position(usize),
    /// `1.2` is a number to YAML.
    Path(f64),
    Text(String),
}

impl RawSelector {
    pub(super) fn read(&self) -> Selector {
        match self {
            Self::Position(position) => Selector::At(Step::Position(*position), Vec::new()),
            Self::Path(path) => Selector::new(&format!("{path:?}")),
            Self::Text(text) => Selector::new(text),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    #[serde(default, deserialize_with = "some")]
    is: Option<serde_json::Value>,
    #[serde(default)]
    one_of: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    matches: Option<String>,
    #[serde(default)]
    below: Option<f64>,
    #[serde(default)]
    above: Option<f64>,
    #[serde(default)]
    missing: Option<bool>,
    #[serde(default)]
    present: Option<bool>,
    #[serde(default)]
    constant: Option<bool>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    mentions: Option<String>,
    #[serde(default)]
    from_call: Option<Names>,
    #[serde(default)]
    not: Option<Box<RawTest>>,
}

/// `null` is a value, too.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}

impl RawTest {
    fn tests(self) -> Vec<Test> {
        let mut tests = Vec::new();
        tests.extend(self.is.map(Test::Is));
        tests.extend(self.one_of.map(Test::OneOf));
        tests.extend(self.matches.map(|pattern| Test::Matches(TextPattern::new(&pattern))));
        tests.extend(self.below.map(Test::Below));
        tests.extend(self.above.map(Test::Above));
        tests.extend(self.missing.map(Test::Missing));
        tests.extend(self.present.map(|present| Test::Missing(!present)));
        tests.extend(self.constant.map(Test::Constant));
        tests.extend(self.name.map(|pattern| Test::Name(TextPattern::new(&pattern))));
        tests.extend(self.mentions.map(|pattern| Test::Mentions(TextPattern::new(&pattern))));
        tests.extend(self.from_call.map(|names| Test::FromCall(names.into_names())));
        tests.extend(self.not.into_iter().flat_map(|inner| inner.tests()).map(|test| Test::Not(Box::new(test))));
        tests
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RawCondition {
    #[serde(default)]
    argument: Option<RawSelector>,
    #[serde(default)]
    function: Option<String>,
    #[serde(default)]
    in_function: Option<String>,
    #[serde(default)]
    not_in_function: Option<String>,
    #[serde(default)]
    in_file: Option<String>,
    #[serde(default)]
    not_in_file: Option<String>,
    #[serde(default)]
    any: Option<Vec<RawCondition>>,
    #[serde(flatten)]
    test: RawTest,
}

impl RawCondition {
    /// What it says; else what is wrong with it.
    pub(super) fn read(self) -> Result<Vec<Condition>, String> {
        let mut found = Vec::new();
        if let Some(any) = self.any {
            let inner: Result<Vec<Vec<Condition>>, String> = any.into_iter().map(Self::read).collect();
            found.push(Condition::Any(inner?.into_iter().flatten().collect()));
        }
        found.extend(self.function.map(|pattern| Condition::Function(TextPattern::new(&pattern))));
        let pattern = |text: String| TextPattern::new(&text);
        found.extend(self.in_function.map(|text| Condition::InFunction(pattern(text), true)));
        found.extend(self.not_in_function.map(|text| Condition::InFunction(pattern(text), false)));
        found.extend(self.in_file.map(|text| Condition::InFile(pattern(text), true)));
        found.extend(self.not_in_file.map(|text| Condition::InFile(pattern(text), false)));
        let tests = self.test.tests();
        match &self.argument {
            Some(argument) if tests.is_empty() => return Err(format!("a condition on {argument:?} says nothing")),
            Some(argument) => found.extend(tests.into_iter().map(|test| Condition::Argument(argument.read(), test))),
            None if !tests.is_empty() => return Err("a condition has no argument".to_owned()),
            None => {}
        }
        if found.is_empty() { Err("a condition says nothing".to_owned()) } else { Ok(found) }
    }
}
