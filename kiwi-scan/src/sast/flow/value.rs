//! What is known of a value.

use std::rc::Rc;

/// Where input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A parameter: who calls decides.
    Parameter,
    /// Somebody outside.
    Input,
}

impl Origin {
    pub(crate) fn is_parameter(self) -> bool {
        self == Self::Parameter
    }
}

/// Input in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taint {
    /// The same for the same expression, so that a check of one use holds for the next.
    pub(crate) id: u64,
    pub(crate) origin: Origin,
    /// The line where it came in.
    pub(crate) line: usize,
    /// Whether it is a whole, such as all parameters of a request, of which each part is input of its own.
    pub(crate) whole: bool,
    /// The rule that alone takes it for input.
    pub(crate) only: Option<usize>,
    /// The rules whose sanitizers it went through.
    pub(crate) clean_for: Rc<[usize]>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(Rc<str>),
    Unknown,
    Input(Taint),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Bool(bool),
    Number(f64),
    Null,
}

/// Of longer texts only the beginning and the input in them is kept.
const MOST_PARTS: usize = 24;
/// Longer constants are cut: nothing asks for their end.
const LONGEST_TEXT: usize = 2000;
const MOST_CALLS: usize = 16;

/// Keys and what they lead to, the latest last.
pub(crate) type Fields = Vec<(Rc<str>, Value)>;

/// What is known of a value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Value {
    /// Text, in order; empty for what is no text.
    pub(crate) parts: Vec<Part>,
    pub(crate) literal: Option<Literal>,
    /// Full names of what it is, the likelier first.
    pub(crate) names: Vec<Rc<str>>,
    pub(crate) fields: Option<Rc<Fields>>,
    pub(crate) items: Option<Rc<Vec<Value>>>,
    /// Calls that it was computed from.
    pub(crate) calls: Vec<Rc<str>>,
    /// The call that gave it, and the calls that gave what that was called on.
    pub(crate) sites: Vec<usize>,
    /// Input that is checked when it is true, and when it is false.
    pub(crate) implies: Option<Rc<[Vec<u64>; 2]>>,
}

impl Value {
    pub(crate) fn unknown() -> Self {
        Self { parts: vec![Part::Unknown], ..Self::default() }
    }

    pub(crate) fn text(text: &str) -> Self {
        let end = text.char_indices().map(|(at, _)| at).nth(LONGEST_TEXT).unwrap_or(text.len());
        Self { parts: vec![Part::Text(text[..end].into())], ..Self::default() }
    }

    pub(crate) fn literal(literal: Literal) -> Self {
        Self { literal: Some(literal), ..Self::default() }
    }

    pub(crate) fn named(names: Vec<Rc<str>>) -> Self {
        Self { parts: vec![Part::Unknown], names, ..Self::default() }
    }

    pub(crate) fn input(taint: Taint) -> Self {
        Self { parts: vec![Part::Input(taint)], ..Self::default() }
    }

    /// Every input in it, also in what it holds.
    pub(crate) fn taints(&self) -> Vec<Taint> {
        let mut found = Vec::new();
        self.collect(&mut found, 0);
        found
    }

    fn collect(&self, found: &mut Vec<Taint>, depth: usize) {
        for part in &self.parts {
            if let Part::Input(taint) = part
                && !found.contains(taint)
            {
                found.push(taint.clone());
            }
        }
        if depth < 4 {
            let inner = self.fields.iter().flat_map(|fields| fields.iter().map(|(_, value)| value));
            for value in inner.chain(self.items.iter().flat_map(|items| items.iter())) {
                value.collect(found, depth + 1);
            }
        }
    }

    pub(crate) fn is_tainted(&self) -> bool {
        !self.taints().is_empty()
    }

    /// The whole text, when all of it is known.
    pub(crate) fn constant_text(&self) -> Option<String> {
        if self.parts.is_empty() {
            return None;
        }
        self.parts.iter().map(|part| if let Part::Text(text) = part { Some(&**text) } else { None }).collect()
    }

    /// The text, with `\0` for what is not known; nothing for what is no text.
    pub(crate) fn pattern_text(&self) -> Option<String> {
        let text = self.parts.iter().map(|part| if let Part::Text(text) = part { text } else { "\0" }).collect();
        (!self.parts.is_empty()).then_some(text)
    }

    /// The text that stands before the first input, with `\0` for what is not known.
    pub(crate) fn prefix(&self) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => Some(text.to_string()),
            Part::Unknown => Some("\0".to_owned()),
            Part::Input(_) => None,
        };
        self.parts.iter().map_while(text).collect()
    }

    /// Whether all of it is known.
    pub(crate) fn is_constant(&self) -> bool {
        let text = self.constant_text().is_some_and(|text| !text.is_empty());
        let items = self.items.as_ref().is_some_and(|items| !items.is_empty() && items.iter().all(|item| item.is_constant() || item.literal.is_some()));
        text || items
    }

    /// One text after another.
    pub(crate) fn concatenate(values: impl IntoIterator<Item = Self>) -> Self {
        let mut out = Self::default();
        for value in values {
            let held = if value.parts.is_empty() { value.as_text() } else { value.parts.clone() };
            let inner = if value.parts.is_empty() { value.taints() } else { Vec::new() };
            out.add_parts(held);
            out.add_parts(inner.into_iter().map(Part::Input).collect());
            out.add_calls(&value.calls);
        }
        if out.parts.is_empty() {
            out.parts.push(Part::Unknown);
        }
        out
    }

    fn as_text(&self) -> Vec<Part> {
        match &self.literal {
            Some(Literal::Number(number)) => vec![Part::Text(number.to_string().into())],
            Some(Literal::Bool(value)) => vec![Part::Text(value.to_string().into())],
            _ => vec![Part::Unknown],
        }
    }

    fn add_parts(&mut self, parts: Vec<Part>) {
        for part in parts {
            let (full, crowded) = (self.parts.len() >= MOST_PARTS, self.parts.len() >= 2 * MOST_PARTS || self.parts.contains(&part));
            match (self.parts.last_mut(), part) {
                (Some(Part::Text(last)), Part::Text(text)) if last.len() < LONGEST_TEXT => *last = format!("{last}{text}").into(),
                (Some(Part::Text(_)), Part::Text(_)) => {}
                (Some(Part::Unknown), Part::Unknown) => {}
                (_, part) if !full => self.parts.push(part),
                // Of a long text the input is kept.
                (_, part @ Part::Input(_)) if !crowded => self.parts.push(part),
                _ => {}
            }
        }
    }

    pub(crate) fn add_calls(&mut self, calls: &[Rc<str>]) {
        for call in calls {
            if self.calls.len() < MOST_CALLS && !self.calls.contains(call) {
                self.calls.push(call.clone());
            }
        }
    }

    /// A value that carries the input of others, and nothing else of them.
    pub(crate) fn carrying<'a>(values: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut out = Self::default();
        for value in values {
            out.add_parts(value.taints().into_iter().map(|taint| Part::Input(Taint { whole: false, ..taint })).collect());
            out.add_calls(&value.calls);
        }
        if out.parts.is_empty() {
            out.parts.push(Part::Unknown);
        }
        out
    }

    /// One or the other.
    pub(crate) fn join(one: &Self, other: &Self) -> Self {
        if one == other {
            return one.clone();
        }
        let mut joined = match (one.is_tainted(), other.is_tainted()) {
            (true, false) => one.clone(),
            (false, true) => other.clone(),
            // What stands before differs: nothing is known to.
            (true, true) => {
                let mut both = Self::unknown();
                both.add_parts(one.taints().into_iter().chain(other.taints()).map(Part::Input).collect());
                both
            }
            (false, false) if one.literal == Some(Literal::Null) => other.clone(),
            (false, false) if other.literal == Some(Literal::Null) => one.clone(),
            (false, false) => Self::unknown(),
        };
        for name in one.names.iter().chain(&other.names) {
            if joined.names.len() < 4 && !joined.names.contains(name) {
                joined.names.push(name.clone());
            }
        }
        joined.add_calls(&one.calls);
        joined.add_calls(&other.calls);
        joined.implies = None;
        joined
    }

    /// A part of it, by its key: of a whole, input of its own.
    pub(crate) fn part(mut self, key: &str) -> Self {
        for part in &mut self.parts {
            if let Part::Input(taint) = part
                && taint.whole
            {
                taint.id = identity(&[&taint.id.to_string(), key]);
                taint.whole = false;
            }
        }
        self
    }

    /// Without the input that was checked.
    pub(crate) fn without(&self, checked: &dyn Fn(u64) -> bool) -> Self {
        let touched = self.taints().iter().any(|taint| checked(taint.id));
        if !touched {
            return self.clone();
        }
        let keep = |part: &Part| match part {
            Part::Input(taint) if checked(taint.id) => Part::Unknown,
            other => other.clone(),
        };
        let mut out = self.clone();
        out.parts = self.parts.iter().map(keep).collect();
        out.fields = self.fields.as_ref().map(|fields| Rc::new(fields.iter().map(|(key, value)| (key.clone(), value.without(checked))).collect()));
        out.items = self.items.as_ref().map(|items| Rc::new(items.iter().map(|item| item.without(checked)).collect()));
        out
    }

    /// The same, and its input clean for these rules as well.
    pub(crate) fn clean_for(mut self, rules: &[usize]) -> Self {
        for part in &mut self.parts {
            if let Part::Input(taint) = part {
                taint.clean_for = taint.clean_for.iter().copied().chain(rules.iter().copied()).collect();
            }
        }
        self
    }

    /// What a key leads to.
    pub(crate) fn field(&self, key: &str) -> Option<&Self> {
        self.fields.as_ref()?.iter().rev().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }
}

/// The same number for the same texts, within one process.
pub(crate) fn identity(texts: &[&str]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    hasher.finish()
}
