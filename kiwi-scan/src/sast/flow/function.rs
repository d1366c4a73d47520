//! Functions: what their parameters carry, and what they do.

use super::{Flow, Node, Origin, Shape, Value, shape};
use crate::sast::rule::TextPattern;
use crate::sast::shape::{Function, Parameter};
use std::rc::Rc;
use std::sync::LazyLock;

/// Types that can carry no text of somebody else.
static HARMLESS: LazyLock<TextPattern> = LazyLock::new(|| {
    TextPattern::new(
        r"^[*&\[\]? ]*(?i:u?int(8|16|32|64)?|integer|long|short|byte|char|character|float(32|64)?|double|bool|boolean|number|bigint|decimal|bigdecimal|biginteger|uuid|uuid\.uuid|date|datetime|localdate|localdatetime|instant|time|time\.time|duration|time\.duration|void|error|context\.context)$",
    )
});
/// Types that carry text.
static TEXTUAL: LazyLock<TextPattern> = LazyLock::new(|| {
    TextPattern::new(
        r"(?i)(string|\bstr\b|any|object|charsequence|interface|bytes?\b|text|\burl\b|\buri\b|path|\bfile\b|dict|stream|reader|\bmap\b|record|unknown)",
    )
});

/// A function that encloses a place.
pub(super) struct Within {
    pub(super) name: String,
    /// Whether it answers requests.
    pub(super) handler: bool,
    /// Where it stands.
    pub(super) range: std::ops::Range<usize>,
}

/// Whether a route's pattern, such as `/items/<int:id>`, gives this parameter as something else than text.
fn converts(decorators: &[Node<'_>], name: &str) -> bool {
    let gives = |text: &str| ["int", "float", "uuid"].iter().any(|kind| text.contains(&format!("<{kind}:{name}>")));
    decorators.iter().any(|decorator| gives(&decorator.text()))
}

fn names(annotations: &[String]) -> Vec<Rc<str>> {
    annotations.iter().map(|name| name.as_str().into()).collect()
}

impl<'t> Flow<'_, 't> {
    /// Follows a function where it is defined, or when the file is known if it stands outside of all others.
    pub(super) fn define(&mut self, node: &Node<'t>) {
        let declared = node.parent().is_none_or(|parent| !matches!(&*parent.kind(), "arguments" | "argument_list" | "pair" | "variable_declarator"));
        if self.within.is_empty() && declared {
            self.later.push(node.clone());
            return;
        }
        let given = self.given.take();
        self.function(node, given);
    }

    pub(super) fn function(&mut self, node: &Node<'t>, given: Option<Value>) {
        let Shape::Function(function) = shape(self.index.dialect.language, node) else { return };
        self.visit_all(&function.decorators);
        let handler = self.handles(&function);
        let name = function.name.clone().unwrap_or_default();
        let left = std::mem::replace(&mut self.left, false);
        self.scope.push();
        self.within.push(Within { name, handler, range: node.range() });
        let routed = !function.annotations.is_empty() && self.is_annotated_handler(&function);
        for (number, parameter) in function.parameters.iter().enumerate() {
            let value = match (&given, number) {
                (Some(given), 0) => given.clone(),
                _ if converts(&function.decorators, &parameter.target.text()) => Value::unknown(),
                _ => self.parameter(parameter, routed),
            };
            self.assign(&parameter.target.clone().into(), &value, false);
        }
        if let Some(body) = &function.body {
            let value = self.visit(body);
            if function.expression {
                self.check_return(&value, body);
            }
        }
        self.within.pop();
        self.scope.pop();
        self.left = left;
    }

    fn is_annotated_handler(&self, function: &Function<'t>) -> bool {
        self.index.handlers.has(&names(&function.annotations))
    }

    fn is_annotated(&self, parameter: &Parameter<'t>) -> bool {
        self.index.annotated_parameters.has(&names(&parameter.annotations))
    }

    fn handles(&self, function: &Function<'t>) -> bool {
        let known = |parameter: &Parameter<'t>| self.index.parameter_names.contains_key(&*parameter.target.text());
        let enclosed = self.within.last().is_some_and(|within| within.handler);
        enclosed || self.is_annotated_handler(function) || function.parameters.iter().any(|parameter| known(parameter) || self.is_annotated(parameter))
    }

    fn parameter(&mut self, parameter: &Parameter<'t>, routed: bool) -> Value {
        let written = parameter.kind.as_ref().map(|kind| kind.text().into_owned());
        let mut names = parameter.kind.as_ref().map(|kind| self.type_names(kind)).unwrap_or_default();
        let known = self.index.parameter_names.get(&*parameter.target.text()).cloned();
        if let Some(kind) = known.clone().flatten() {
            names.push(kind.into());
        }
        let annotated = self.is_annotated(parameter);
        // Only its values come through.
        let is_enum = written.as_deref().is_some_and(|kind| self.enums.contains(kind.rsplit('.').next().unwrap_or(kind)));
        if is_enum || written.as_deref().is_some_and(|kind| HARMLESS.is_match(kind)) || (known.is_some() && !annotated) {
            return Value::named(names);
        }
        // A handler's own objects, such as its request, are no text.
        let source = !names.is_empty() && self.index.sources.has(&names);
        let origin = match (routed || annotated || source, &written) {
            (true, _) => Origin::Input,
            (false, Some(kind)) if !TEXTUAL.is_match(kind) => return Value::named(names),
            (false, _) => Origin::Parameter,
        };
        let taint = self.taint(&parameter.target, origin, true);
        Value { names, ..Value::input(taint) }
    }
}
