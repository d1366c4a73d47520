//! Asks the rules.

use super::call::Site;
use super::{Flow, Hit, Literal, Node, Origin, Place, Value};
use crate::sast::rule::{Condition, Rule, Selector, Test, TextPattern};
use kiwi_core::domain::Severity;
use std::rc::Rc;

/// What an argument is.
enum Given<'v> {
    Known(&'v Value),
    /// Nothing is known of its form, but it carries input.
    Input(&'v Value),
    /// It is not there, and nothing could give it.
    Missing,
    /// It may be there.
    Unsure,
}

impl<'t> Flow<'_, 't> {
    pub(super) fn check_call(&mut self, names: &[Rc<str>], site: &Site<'_, 't>, node: &Node<'t>) {
        let index = self.index;
        for place in index.calls.find(names) {
            self.check(place, site, node);
        }
    }

    pub(super) fn check_assign(&mut self, names: &[Rc<str>], value: &Value, node: &Node<'t>) {
        let index = self.index;
        let arguments = [(Some("value".to_owned()), value.clone())];
        let nodes: Vec<Node<'t>> = self.assigning.clone().into_iter().collect();
        for place in index.assigns.find(names) {
            self.check(place, &Site { receiver: None, arguments: &arguments, nodes: &nodes, open: false }, node);
        }
    }

    pub(super) fn check_reference(&mut self, names: &[Rc<str>], node: &Node<'t>) {
        let index = self.index;
        for place in index.references.find(names) {
            self.check(place, &Site { receiver: None, arguments: &[], nodes: &[], open: false }, node);
        }
    }

    pub(super) fn check_import(&mut self, names: &[Rc<str>], node: &Node<'t>) {
        let index = self.index;
        for place in index.imports.find(names) {
            self.check(place, &Site { receiver: None, arguments: &[], nodes: &[], open: false }, node);
        }
    }

    pub(super) fn check_return(&mut self, value: &Value, node: &Node<'t>) {
        if !self.within.last().is_some_and(|within| within.handler) {
            return;
        }
        let index = self.index;
        // `return text, status`
        let first = value.items.as_ref().and_then(|items| items.first()).unwrap_or(value);
        let arguments = [(Some("value".to_owned()), first.clone())];
        for place in &index.returns {
            self.check(*place, &Site { receiver: None, arguments: &arguments, nodes: &[], open: false }, node);
        }
    }

    pub(super) fn check_patterns(&mut self, node: &Node<'t>) {
        let Some(found) = self.patterns.remove(&node.node_id()) else { return };
        for (place, variables) in found {
            let arguments: Vec<_> = variables.iter().map(|(name, node)| (Some(name.clone()), self.visit(node))).collect();
            self.check(place, &Site { receiver: None, arguments: &arguments, nodes: &[], open: false }, node);
        }
    }

    /// Notes calls that make what earlier calls gave safe.
    pub(super) fn silence(&mut self, names: &[Rc<str>], sites: &[usize]) {
        if sites.is_empty() {
            return;
        }
        let index = self.index;
        for place in index.calls_after.find(names) {
            self.silenced.extend(sites.iter().map(|site| (*site, place)));
        }
    }

    fn check(&mut self, place: Place, site: &Site<'_, 't>, node: &Node<'t>) {
        let Some(rule) = self.index.rules.get(place.0) else { return };
        let Some(find) = rule.find.get(place.1) else { return };
        if !find.when.iter().all(|condition| self.holds(condition, site, node)) {
            return;
        }
        let input = if find.tainted.is_empty() {
            None
        } else {
            let Some(input) = find
                .tainted
                .iter()
                .flat_map(|selector| inputs(rule, find.parameters.unwrap_or(rule.parameters), place.0, selector, site))
                .max_by_key(|(_, origin)| *origin)
            else {
                return;
            };
            Some(input)
        };
        let severity = match input {
            Some((_, Origin::Parameter)) => lower(rule.severity),
            _ => rule.severity,
        };
        let range = node.range();
        let line = node.start_pos().line() + 1;
        let hit = Hit { rule: place.0, severity, start: range.start, end: range.end, line, input };
        // What is called on the result, or on the object, later or before.
        let mut later = Vec::new();
        if !find.unless_called.is_empty() {
            later.push(node.node_id());
            later.extend(site.receiver.iter().flat_map(|receiver| receiver.sites.iter().copied()));
        }
        let known = self.hits.get(&(place.0, range.start)).is_some_and(|(known, _, _)| known.severity >= severity);
        if !known {
            self.hits.insert((place.0, range.start), (hit, place, later));
        }
    }

    fn holds(&self, condition: &Condition, site: &Site<'_, 't>, node: &Node<'t>) -> bool {
        match condition {
            Condition::Any(inner) => inner.iter().any(|condition| self.holds(condition, site, node)),
            Condition::Function(pattern) => self.within.iter().any(|within| pattern.is_match(&within.name)),
            Condition::InFunction(pattern, wanted) => pattern.is_match(self.enclosing(node)) == *wanted,
            Condition::InFile(pattern, wanted) => pattern.is_match(&node.get_doc().src) == *wanted,
            Condition::Argument(selector, Test::Not(inner)) if matches!(**inner, Test::Mentions(_)) => {
                let Test::Mentions(pattern) = &**inner else { return false };
                !mentioned(selector, site).iter().any(|node| mentions(&node.text(), pattern))
            }
            Condition::Argument(selector, Test::Mentions(pattern)) => mentioned(selector, site).iter().any(|node| mentions(&node.text(), pattern)),
            Condition::Argument(Selector::Any, test) => site.arguments.iter().any(|(_, value)| passes(test, &Given::Known(value))),
            Condition::Argument(selector, test) => passes(test, &given(selector, site)),
        }
    }

    /// The text of the outermost function around a node; of the file where there is none.
    fn enclosing(&self, node: &Node<'t>) -> &'t str {
        let source = &node.get_doc().src;
        self.within.first().map_or(source.as_str(), |within| source.get(within.range.clone()).unwrap_or_default())
    }
}

/// Whether code, or a word in it, matches.
fn mentions(code: &str, pattern: &TextPattern) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    pattern.is_match(code) || code.split(|character| !is_word(character)).any(|word| !word.is_empty() && pattern.is_match(word))
}

/// The code of an argument.
fn mentioned<'v, 't>(selector: &Selector, site: &'v Site<'_, 't>) -> Vec<&'v Node<'t>> {
    use crate::sast::rule::Step;
    let position = match selector {
        Selector::Any => return site.nodes.iter().collect(),
        Selector::At(Step::Position(position), _) => site.arguments.iter().enumerate().filter(|(_, (name, _))| name.is_none()).nth(*position),
        Selector::At(Step::Name(wanted), _) => site.arguments.iter().enumerate().find(|(_, (name, _))| name.as_deref() == Some(wanted)),
        Selector::Receiver => None,
    };
    position.and_then(|(number, _)| site.nodes.get(number)).into_iter().collect()
}

/// The input that reaches a rule's argument.
fn inputs(rule: &Rule, parameters: bool, number: usize, selector: &Selector, site: &Site<'_, '_>) -> Vec<(usize, Origin)> {
    let values: Vec<&Value> = match selector {
        Selector::Any => site.arguments.iter().map(|(_, value)| value).collect(),
        selector => match given(selector, site) {
            Given::Known(value) | Given::Input(value) => vec![value],
            _ => Vec::new(),
        },
    };
    let counts = |value: &&Value| rule.safe_prefix.as_ref().is_none_or(|prefix| !prefix.is_match(&value.prefix()));
    let taints = values.into_iter().filter(counts).flat_map(Value::taints);
    let own = (!rule.sources.is_empty()).then_some(number);
    let reaches = |taint: &super::Taint| taint.only == own && (taint.origin == Origin::Input || parameters) && !taint.clean_for.contains(&number);
    taints.filter(reaches).map(|taint| (taint.line, taint.origin)).collect()
}

fn given<'v>(selector: &Selector, site: &Site<'v, '_>) -> Given<'v> {
    use crate::sast::rule::Step;
    let (step, path) = match selector {
        Selector::Receiver => return site.receiver.map_or(Given::Missing, Given::Known),
        Selector::Any => return Given::Unsure,
        Selector::At(step, path) => (step, path),
    };
    let found = match step {
        Step::Position(position) => site.arguments.iter().filter(|(name, _)| name.is_none()).nth(*position),
        Step::Name(wanted) => site.arguments.iter().find(|(name, _)| name.as_deref() == Some(wanted)),
    };
    let Some((_, mut value)) = found.map(|(name, value)| (name, value)) else {
        return if site.open { Given::Unsure } else { Given::Missing };
    };
    for key in path {
        let index = key.parse::<usize>().ok();
        let inner = match (&value.items, index) {
            (Some(items), Some(index)) => items.get(index),
            _ => value.field(key),
        };
        match inner {
            Some(inner) => value = inner,
            // Something unknown may have been spread into it.
            None if value.fields.is_some() && value.field("...").is_none() => return Given::Missing,
            // A text has no parts by name.
            None if value.pattern_text().is_some_and(|text| text != "\0") => {
                return if value.is_tainted() && value.prefix().is_empty() { Given::Input(value) } else { Given::Missing };
            }
            None if value.is_tainted() => return Given::Input(value),
            None => return Given::Unsure,
        }
    }
    Given::Known(value)
}

fn passes(test: &Test, given: &Given<'_>) -> bool {
    let known = match given {
        Given::Known(value) => Some(*value),
        _ => None,
    };
    match test {
        Test::Missing(true) => matches!(given, Given::Missing | Given::Input(_)),
        Test::Missing(false) => known.is_some(),
        Test::Not(inner) => !passes(inner, given),
        Test::Is(wanted) => known.is_some_and(|value| equals(value, wanted)),
        Test::OneOf(wanted) => known.is_some_and(|value| wanted.iter().any(|wanted| equals(value, wanted))),
        Test::Matches(pattern) => known.and_then(Value::pattern_text).is_some_and(|text| pattern.is_match(&text)),
        Test::Below(limit) => known.and_then(number).is_some_and(|number| number < *limit),
        Test::Above(limit) => known.and_then(number).is_some_and(|number| number > *limit),
        Test::Constant(wanted) => known.is_some_and(|value| value.is_constant() == *wanted),
        Test::Name(pattern) => known.is_some_and(|value| value.names.iter().any(|name| pattern.is_match(name.trim_start_matches('?')))),
        // Asked where the code is known.
        Test::Mentions(_) => false,
        Test::FromCall(names) => known.is_some_and(|value| comes_from(value, names, 0)),
    }
}

/// Whether a value, or what it holds, was computed from one of these calls.
fn comes_from(value: &Value, names: &[crate::sast::rule::Name], depth: usize) -> bool {
    let fields = value.fields.iter().flat_map(|fields| fields.iter().map(|(_, value)| value));
    let mut inner = fields.chain(value.items.iter().flat_map(|items| items.iter()));
    super::names::is_one_of(&value.calls, names) || (depth < 4 && inner.any(|value| comes_from(value, names, depth + 1)))
}

fn number(value: &Value) -> Option<f64> {
    match &value.literal {
        Some(Literal::Number(number)) => Some(*number),
        _ => None,
    }
}

fn equals(value: &Value, wanted: &serde_json::Value) -> bool {
    match wanted {
        serde_json::Value::Bool(wanted) => value.literal == Some(Literal::Bool(*wanted)),
        serde_json::Value::Null => value.literal == Some(Literal::Null),
        serde_json::Value::Number(wanted) => number(value).is_some_and(|number| wanted.as_f64() == Some(number)),
        serde_json::Value::String(wanted) => value.constant_text().is_some_and(|text| text == *wanted),
        _ => false,
    }
}

/// Who calls decides about a parameter.
fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium => Severity::Low,
        other => other,
    }
}
