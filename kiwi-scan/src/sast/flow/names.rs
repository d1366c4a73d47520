//! What names stand for.

use super::{Flow, Literal, Node, Origin, Part, Value};
use crate::sast::rule::Name;
use std::rc::Rc;

/// More than so many packages are not tried for a name that no import names.
const MOST_OPEN_PACKAGES: usize = 12;

impl<'t> Flow<'_, 't> {
    pub(super) fn name(&mut self, name: &str, node: &Node<'t>) -> Value {
        if let Some(value) = self.scope.get(name) {
            let mut value = value.without(&|id| self.scope.is_checked(id));
            // What is local is never taken for something that is global.
            let own = format!("?{name}");
            if !value.names.iter().any(|known| **known == *own || known.starts_with('!')) {
                value.names.push(own.into());
            }
            return value;
        }
        let names = self.global(name);
        self.refer(names, node)
    }

    /// Full names of a name that nothing in the file binds to a value.
    pub(super) fn global(&self, name: &str) -> Vec<Rc<str>> {
        if let Some(names) = self.bound.get(name) {
            return names.clone();
        }
        let mut names: Vec<Rc<str>> = vec![name.into()];
        for package in self.open_packages.iter().take(MOST_OPEN_PACKAGES) {
            names.push(format!("{package}.{name}").into());
        }
        if self.has_implicit_package() && name.starts_with(|first: char| first.is_uppercase()) {
            names.push(format!("java.lang.{name}").into());
        }
        names
    }

    pub(super) fn gives_errors(&self) -> bool {
        self.index.dialect.language.as_str() == "go"
    }

    fn has_implicit_package(&self) -> bool {
        self.index.dialect.language.as_str() == "java"
    }

    /// Where what has one of these names comes from, when it is a source.
    pub(super) fn origin(&self, names: &[Rc<str>]) -> Option<Origin> {
        if self.index.sources.has(names) {
            return Some(Origin::Input);
        }
        self.index.local_sources.has(names).then_some(Origin::Parameter)
    }

    /// The same value, with the input that single rules see in it.
    pub(super) fn marked(&self, mut value: Value, node: &Node<'t>) -> Value {
        let rules: Vec<usize> = self.index.own_sources.find(&value.names).collect();
        for rule in rules {
            if !value.taints().iter().any(|taint| taint.only == Some(rule)) {
                value.parts.push(Part::Input(super::Taint { only: Some(rule), ..self.taint(node, Origin::Input, true) }));
            }
        }
        value
    }

    /// A use of something global: input, when the language's sources say so.
    fn refer(&mut self, names: Vec<Rc<str>>, node: &Node<'t>) -> Value {
        self.check_reference(&names, node);
        if let Some(origin) = self.origin(&names) {
            let taint = self.taint(node, origin, true);
            return self.marked(Value { names, ..Value::input(taint) }, node);
        }
        self.marked(Value::named(names), node)
    }

    pub(super) fn member(&mut self, object: &Node<'t>, name: &str, node: &Node<'t>) -> Value {
        if let Some(known) = self.path(node) {
            return known;
        }
        let held = self.visit(object);
        let mut names = members(&held, name);
        for known in names.clone() {
            names.extend(self.fields.get(&*known).into_iter().flatten().cloned());
        }
        if let Some(field) = held.field(name) {
            let mut field = field.without(&|id| self.scope.is_checked(id));
            if field.names.is_empty() {
                field.names = names;
            }
            return field;
        }
        if held.is_tainted() {
            if matches!(name, "length" | "size" | "count") {
                return Value::unknown();
            }
            self.check_reference(&names, node);
            if self.index.neutral.has(&names) {
                return Value { names, ..Value::unknown() };
            }
            let cleaned: Vec<usize> = self.index.sanitizers.find(&names).collect();
            let part = self.marked(Value { names, ..only_input(&held).part(name).clean_for(&cleaned) }, node);
            return part.without(&|id| self.scope.is_checked(id));
        }
        let mut value = self.refer(names, node);
        value.calls = held.calls;
        value.without(&|id| self.scope.is_checked(id))
    }

    pub(super) fn at(&mut self, object: &Node<'t>, key: &Node<'t>, node: &Node<'t>) -> Value {
        if let Some(known) = self.path(node) {
            return known;
        }
        let (held, key) = (self.visit(object), self.visit(key));
        if let Some(text) = key.constant_text() {
            if let Some(field) = held.field(&text) {
                return field.without(&|id| self.scope.is_checked(id));
            }
            if !held.is_tainted() {
                let value = self.refer(members(&held, &text), node);
                return value.without(&|id| self.scope.is_checked(id));
            }
            let names = members(&held, &text).into_iter().chain(held.names.iter().cloned()).collect();
            let part = Value { names, ..only_input(&held).part(&text) };
            return part.without(&|id| self.scope.is_checked(id));
        }
        if let (Some(items), Some(Literal::Number(number))) = (&held.items, &key.literal) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index that is not one finds nothing")]
            let item = items.get(*number as usize);
            if let Some(item) = item {
                return item.clone();
            }
        }
        // Which part is chosen says nothing of what is in it.
        let mut value = if held.is_tainted() { only_input(&held) } else { Value::unknown() };
        value.add_calls(&held.calls);
        if !held.is_tainted() && key.is_tainted() {
            // Whether it is there says that the key is one of those that are.
            value.implies = Some(Rc::new([Vec::new(), super::guard::ids(&key)]));
        }
        value.without(&|id| self.scope.is_checked(id))
    }

    /// What was assigned to exactly this path, such as `self.name`.
    fn path(&self, node: &Node<'t>) -> Option<Value> {
        let text = node.text();
        if text.len() > 200 || text.contains('(') {
            return None;
        }
        Some(self.scope.get(&text)?.without(&|id| self.scope.is_checked(id)))
    }

    /// Full names of a declared type.
    pub(super) fn type_names(&self, node: &Node<'_>) -> Vec<Rc<str>> {
        let text = node.text();
        let plain: String = text
            .trim_start_matches(['*', '&', '[', ']', ' ', '?'])
            .chars()
            .take_while(|character| !matches!(character, '<' | '[' | '|' | ' ' | '{' | '('))
            .collect();
        let plain = plain.trim_matches(['"', '\'']).to_owned();
        // What may be missing, or is one of many, is of the type inside.
        if matches!(plain.as_str(), "Optional" | "Annotated" | "typing.Optional" | "Promise")
            && let Some(inner) = text.split_once(['[', '<']).map(|(_, inner)| inner.split([',', ']', '>']).next().unwrap_or_default().trim().to_owned())
        {
            return self.dotted(&inner);
        }
        if plain.is_empty() { Vec::new() } else { self.dotted(&plain) }
    }

    fn dotted(&self, text: &str) -> Vec<Rc<str>> {
        let (first, rest) = text.split_once('.').map_or((text, None), |(first, rest)| (first, Some(rest)));
        let local = self.scope.get(first).map(|value| value.names.clone()).filter(|names| !names.is_empty());
        let names = local.unwrap_or_else(|| self.global(first));
        match rest {
            Some(rest) => names.iter().map(|name| format!("{name}.{rest}").into()).collect(),
            None => names,
        }
    }
}

/// The input of a value, as it is.
pub(super) fn only_input(value: &Value) -> Value {
    let parts = value.taints().into_iter().map(Part::Input).collect();
    Value { parts, calls: value.calls.clone(), ..Value::default() }
}

/// The names of a member of something.
pub(super) fn members(held: &Value, name: &str) -> Vec<Rc<str>> {
    if held.names.is_empty() {
        return vec![format!("?.{name}").into()];
    }
    held.names.iter().map(|of| format!("{of}.{name}").into()).collect()
}

/// Whether one of the names is one of these.
pub(super) fn is_one_of(names: &[Rc<str>], known: &[Name]) -> bool {
    names.iter().any(|name| known.iter().any(|pattern| pattern.matches(name)))
}
