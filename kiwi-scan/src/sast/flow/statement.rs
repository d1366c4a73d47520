//! Statements, and the ways through them.

use super::names::{members, only_input};
use super::scope::Layer;
use super::{Flow, Node, Part, Shape, Value, guard, shape};
use crate::sast::shape::{Case, Import, Target, parts};
use std::rc::Rc;

/// Loops in loops that are gone through twice.
const MOST_DOUBLED: usize = 3;

impl<'t> Flow<'_, 't> {
    pub(super) fn statement(&mut self, statement: Shape<'t>, node: &Node<'t>) {
        match statement {
            Shape::Assign(targets, values, adds) => self.assign_all(&targets, &values, adds),
            Shape::If(condition, yes, no) => self.choose(&condition, &yes, &no),
            Shape::IfAfter(first, condition, yes, no) => {
                self.visit(&first);
                self.choose(&condition, &yes, &no);
            }
            Shape::Loop(targets, head, body) => self.repeat(&targets, &head, &body),
            Shape::Switch(subject, cases) => self.switch(subject.as_ref(), &cases),
            Shape::Try(body, handlers, rest) => self.attempt(&body, &handlers, &rest),
            Shape::Return(value) => {
                if let Some(value) = value {
                    let returned = self.visit(&value);
                    self.check_return(&returned, &value);
                }
                self.left = true;
            }
            Shape::Exit(value) => {
                if let Some(value) = value {
                    self.visit(&value);
                }
                self.left = true;
            }
            Shape::Assert(condition) => {
                let (when_true, _) = self.condition(&condition);
                self.scope.check(&when_true);
            }
            Shape::Import(imports) => imports.into_iter().for_each(|import| self.import(import, node)),
            Shape::Attribute(name, value) => {
                let given = value.as_ref().map_or_else(Value::default, |value| self.visit(value));
                self.check_assign(&[name.as_str().into()], &given, node);
            }
            Shape::Sequence(nodes) => self.visit_all(&nodes),
            Shape::Struct(name, fields) => {
                for (field, kind) in fields {
                    let names = self.type_names(&kind);
                    self.fields.insert(format!("{name}.{field}"), names);
                }
            }
            Shape::Enum(name, members) => {
                self.enums.extend(name);
                self.visit_all(&members);
            }
            Shape::Class(name, first, members) => {
                self.visit_all(&first);
                // What the file itself defines is nothing that is known by the same name.
                if let Some(name) = name {
                    let own = format!("!{name}").into();
                    self.scope.set(&name, Value::named(vec![own]));
                }
                self.visit_all(&members);
            }
            _ => {}
        }
    }

    fn import(&mut self, import: Import, node: &Node<'t>) {
        let names: Vec<Rc<str>> = vec![import.name.as_str().into()];
        self.check_import(&names, node);
        if import.all {
            self.open_packages.push(import.name);
        }
        if let Some((local, name)) = import.binds {
            self.bound.insert(local, vec![name.into()]);
        }
    }

    /// Evaluates a condition: input that is checked when it holds, and when not.
    pub(super) fn condition(&mut self, node: &Node<'t>) -> (Vec<u64>, Vec<u64>) {
        let (_, when_true, when_false) = self.decide(node);
        (when_true, when_false)
    }

    /// The same, with the value.
    pub(super) fn decide(&mut self, node: &Node<'t>) -> (Value, Vec<u64>, Vec<u64>) {
        let value = self.visit(node);
        let (when_true, when_false) = match &value.implies {
            Some(implied) => (implied[1].clone(), implied[0].clone()),
            // What is empty harms nobody.
            None if self.is_place(node) => (Vec::new(), guard::ids(&value)),
            None => (Vec::new(), Vec::new()),
        };
        (value, when_true, when_false)
    }

    /// Whether a node is a variable or a part of one.
    fn is_place(&self, node: &Node<'t>) -> bool {
        match shape(self.index.dialect.language, node) {
            Shape::Name(_) | Shape::Member(..) | Shape::Index(..) => true,
            Shape::Same(inner) => self.is_place(&inner),
            _ => false,
        }
    }

    /// Goes one way; what it left behind, and whether it left.
    fn way(&mut self, checked: &[u64], go: impl FnOnce(&mut Self)) -> (Layer, bool) {
        let before = std::mem::replace(&mut self.left, false);
        self.scope.push();
        self.scope.check(checked);
        go(self);
        let left = std::mem::replace(&mut self.left, before);
        (self.scope.pop(), left)
    }

    /// Goes on after the ways that did not leave.
    fn after(&mut self, ways: Vec<(Layer, bool)>) {
        let all_left = !ways.is_empty() && ways.iter().all(|(_, left)| *left);
        if all_left {
            self.left = true;
            return;
        }
        let mut going: Vec<Layer> = ways.into_iter().filter(|(_, left)| !left).map(|(layer, _)| layer).collect();
        match going.len() {
            1 => going.pop().into_iter().for_each(|only| self.scope.adopt(only)),
            _ => self.scope.join(going),
        }
    }

    fn choose(&mut self, condition: &Node<'t>, yes: &[Node<'t>], no: &[Node<'t>]) {
        let (when_true, when_false) = self.condition(condition);
        let first = self.way(&when_true, |flow| flow.visit_all(yes));
        let second = self.way(&when_false, |flow| match no {
            // `elif` after `elif`: each is what the one before is not.
            [next, rest @ ..] if !rest.is_empty() => match shape(flow.index.dialect.language, next) {
                Shape::If(condition, yes, _) => flow.choose(&condition, &yes, rest),
                _ => flow.visit_all(no),
            },
            _ => flow.visit_all(no),
        });
        self.after(vec![first, second]);
    }

    fn repeat(&mut self, targets: &[Target<'t>], head: &[Node<'t>], body: &[Node<'t>]) {
        let mut values: Vec<Value> = head.iter().map(|node| self.visit(node)).collect();
        let over = values.pop().unwrap_or_default();
        // A clause of a comprehension has no body: what follows it is in its scope.
        if body.is_empty() {
            targets.iter().for_each(|target| self.assign(target, &element(&over), false));
            return;
        }
        // Twice: what the end of the body sets, its beginning sees. Deep inside once: each loop doubles the work of those in it.
        self.loops += 1;
        for _ in 0..if self.loops > MOST_DOUBLED { 1 } else { 2 } {
            let (layer, _) = self.way(&[], |flow| {
                targets.iter().for_each(|target| flow.assign(target, &element(&over), false));
                flow.visit_all(body);
            });
            self.after(vec![(layer, false), (Layer::default(), false)]);
        }
        self.loops -= 1;
    }

    fn switch(&mut self, subject: Option<&Node<'t>>, cases: &[Case<'t>]) {
        let of = subject.map(|subject| self.visit(subject));
        let mut ways = Vec::new();
        let mut otherwise = false;
        for case in cases {
            otherwise |= case.values.is_empty();
            let mut checked = Vec::new();
            for value in &case.values {
                match &of {
                    Some(of) => {
                        let label = self.visit(value);
                        if !label.is_tainted() {
                            checked.extend(guard::ids(of));
                        }
                    }
                    None => checked.extend(self.condition(value).0),
                }
            }
            ways.push(self.way(&checked, |flow| {
                for (name, whole) in &case.captures {
                    let given = of.as_ref().map_or_else(Value::unknown, |of| if *whole { of.clone() } else { only_input(of) });
                    flow.assign(&name.clone().into(), &given, false);
                }
                if let Some(guard) = &case.guard {
                    let (when_true, _) = flow.condition(guard);
                    flow.scope.check(&when_true);
                }
                flow.visit_all(&case.body);
                // `break` leaves the choice, not the function.
                if case.body.last().is_some_and(|last| last.kind() == "break_statement") {
                    flow.left = false;
                }
            }));
        }
        if !otherwise {
            ways.push((Layer::default(), false));
        }
        self.after(ways);
    }

    fn attempt(&mut self, body: &[Node<'t>], handlers: &[Vec<Node<'t>>], rest: &[Node<'t>]) {
        let mut ways = vec![self.way(&[], |flow| flow.visit_all(body))];
        for handler in handlers {
            ways.push(self.way(&[], |flow| flow.visit_all(handler)));
        }
        self.after(ways);
        self.visit_all(rest);
    }

    fn assign_all(&mut self, targets: &[Target<'t>], values: &[Node<'t>], adds: bool) {
        if targets.len() == values.len() {
            let mut given: Vec<Value> = values.iter().map(|value| self.visit(value)).collect();
            for (target, value) in targets.iter().zip(&mut given) {
                // An error tells of what was given, and is none of it.
                if self.gives_errors() && target.node.text() == "err" {
                    *value = Value { parts: vec![Part::Unknown], implies: value.implies.clone(), ..Value::default() };
                }
            }
            for ((target, value), node) in targets.iter().zip(&given).zip(values) {
                self.assigning = Some(node.clone());
                self.assign(target, value, adds);
                self.assigning = None;
            }
            return;
        }
        let Some(value) = values.first() else {
            targets.iter().for_each(|target| self.declare(target));
            return;
        };
        let value = self.visit(value);
        for (number, target) in targets.iter().enumerate() {
            let last = number > 0 && number + 1 == targets.len();
            // What a call gives beside its result says whether it is one.
            let given = if last { Value { parts: vec![Part::Unknown], implies: value.implies.clone(), ..Value::default() } } else { value.clone() };
            self.assign(target, &given, adds);
        }
    }

    fn declare(&mut self, target: &Target<'t>) {
        let names = target.kind.as_ref().map(|kind| self.type_names(kind)).unwrap_or_default();
        if !names.is_empty() {
            let text = target.node.text().into_owned();
            if self.within.is_empty() {
                self.scope.set(&format!("this.{text}"), Value::named(names.clone()));
            }
            self.scope.set(&text, Value::named(names));
        }
    }

    /// Gives a target a value.
    pub(super) fn assign(&mut self, target: &Target<'t>, value: &Value, adds: bool) {
        let node = &target.node;
        let apart = parts(node);
        if !apart.is_empty() {
            for (number, (key, inner)) in apart.into_iter().enumerate() {
                let given = match &key {
                    Some(key) => self.taken(value, key),
                    None => value.items.as_ref().and_then(|items| items.get(number)).cloned().unwrap_or_else(|| {
                        let names = if number == 0 { value.names.clone() } else { Vec::new() };
                        Value { names, ..only_input(value) }
                    }),
                };
                self.assign(&inner.into(), &given, false);
            }
            return;
        }
        let text = node.text().into_owned();
        let mut given = value.clone();
        if adds {
            let before = self.scope.get(&text).cloned().unwrap_or_else(Value::unknown);
            given = super::text::add(before, given);
        }
        if let Some(kind) = &target.kind {
            for name in self.type_names(kind).into_iter().rev() {
                given.names.retain(|known| *known != name);
                given.names.insert(0, name);
            }
        }
        let names: Vec<Rc<str>> = match shape(self.index.dialect.language, node) {
            Shape::Name(name) => vec![name.into()],
            Shape::Member(object, name) => {
                let held = self.visit(&object);
                let mut names = members(&held, &name);
                self.silence(&names, &held.sites);
                self.set_field(&object, &name, &given);
                names.push(text.as_str().into());
                names
            }
            Shape::Index(object, key) => {
                let (held, key) = (self.visit(&object), self.visit(&key));
                self.put(&object, &held, &given);
                match key.constant_text() {
                    Some(key) => members(&held, &key),
                    None => vec![text.as_str().into()],
                }
            }
            _ => vec![text.as_str().into()],
        };
        let mut names = names;
        names.extend(names.first().map(|name| crate::sast::rule::last_part(name).into()));
        self.check_assign(&names, &given, node);
        self.scope.set(&text, given.clone());
        // Fields are also read by their name alone, or through `this`.
        if self.within.is_empty() && matches!(shape(self.index.dialect.language, node), Shape::Name(_)) {
            for prefix in ["this", "self"] {
                self.scope.set(&format!("{prefix}.{text}"), given.clone());
            }
        }
    }

    fn taken(&self, value: &Value, key: &str) -> Value {
        match value.field(key) {
            Some(field) => field.clone(),
            None => {
                let names = members(value, key);
                if value.is_tainted() {
                    return Value { names, ..only_input(value).part(key) };
                }
                let source = self.origin(&names);
                let mut found = Value::named(names.clone());
                if let Some(origin) = source {
                    found = Value {
                        names,
                        ..Value::input(super::Taint {
                            id: super::value::identity(&[&names_text(value), key]),
                            origin,
                            line: 0,
                            whole: true,
                            only: None,
                            clean_for: Rc::new([]),
                        })
                    };
                }
                found
            }
        }
    }

    /// A field that is set later is as good as one that was there from the start.
    fn set_field(&mut self, object: &Node<'t>, name: &str, given: &Value) {
        let text = object.text().into_owned();
        let Some(mut held) = self.scope.get(&text).cloned() else { return };
        let Some(fields) = held.fields.as_mut() else { return };
        Rc::make_mut(fields).push((name.into(), given.clone()));
        self.scope.set(&text, held);
    }

    /// A container that is given something carries it from then on.
    pub(super) fn put(&mut self, container: &Node<'t>, held: &Value, given: &Value) {
        if !given.is_tainted() {
            return;
        }
        let text = container.text();
        if text.len() < 200 && !text.contains('(') {
            let mut carrying = Value::carrying([held, given]);
            carrying.names.clone_from(&held.names);
            carrying.fields.clone_from(&held.fields);
            let text = text.into_owned();
            self.scope.set(&text, carrying);
        }
    }
}

fn names_text(value: &Value) -> String {
    value.names.join(" ")
}

/// What going through a value gives.
fn element(value: &Value) -> Value {
    match &value.items {
        Some(items) => {
            let mut items = items.iter();
            let first = items.next().cloned().unwrap_or_else(Value::unknown);
            items.fold(first, |one, other| Value::join(&one, other))
        }
        None => {
            let mut inner = only_input(value);
            if inner.parts.is_empty() {
                inner = Value::unknown();
            }
            inner
        }
    }
}
