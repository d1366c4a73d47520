//! Python's grammar.

use super::{Argument, Callee, Case, Function, Import, Operator, Parameter, Piece, Shape, Target, binary, block, escape, number, parts, sequence};
use crate::sast::language::Node;

pub(super) fn shape<'t>(node: &Node<'t>) -> Shape<'t> {
    match &*node.kind() {
        "identifier" => match &*node.text() {
            "self" | "cls" => Shape::This,
            text => Shape::Name(text.to_owned()),
        },
        "string" => Shape::Text(pieces(node)),
        "concatenated_string" => Shape::Text(node.named_children().flat_map(|child| pieces(&child)).collect()),
        "integer" | "float" => number(&node.text()),
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "none" => Shape::Null,
        "attribute" => match (node.field("object"), node.field("attribute")) {
            (Some(object), Some(name)) => Shape::Member(object, name.text().into_owned()),
            _ => Shape::Nothing,
        },
        "subscript" => match (node.field("value"), node.field("subscript")) {
            // A part of a text is of the text.
            (Some(value), Some(key)) if key.kind() == "slice" => Shape::Same(value),
            (Some(value), Some(key)) => Shape::Index(value, key),
            _ => Shape::Nothing,
        },
        "call" => call(node),
        "binary_operator" | "boolean_operator" => binary(node, operator),
        "unary_operator" => super::negative(node, "argument"),
        "not_operator" => node.field("argument").map_or(Shape::Nothing, Shape::Not),
        "comparison_operator" => comparison(node),
        "conditional_expression" => {
            let all: Vec<_> = node.named_children().collect();
            match <[Node<'t>; 3]>::try_from(all) {
                Ok([yes, condition, no]) => Shape::Conditional(condition, yes, no),
                Err(_) => Shape::Nothing,
            }
        }
        "dictionary" => Shape::Object(node.named_children().filter_map(|child| entry(&child)).collect()),
        "list" | "tuple" | "set" | "expression_list" => Shape::List(node.named_children().collect()),
        "list_comprehension" | "set_comprehension" | "generator_expression" | "dictionary_comprehension" => {
            let element = node.field("body").into_iter().collect();
            Shape::Comprehension(element, node.named_children().filter(|child| child.kind() == "for_in_clause" || child.kind() == "if_clause").collect())
        }
        "for_in_clause" => Shape::Loop(node.field("left").map(Target::from).into_iter().collect(), node.field("right").into_iter().collect(), Vec::new()),
        "lambda" => function(node, Vec::new(), true),
        "function_definition" => function(node, Vec::new(), false),
        "decorated_definition" => decorated(node),
        "class_definition" => {
            Shape::Class(node.field("name").map(|name| name.text().into_owned()), block(node.field("superclasses")), block(node.field("body")))
        }
        "parenthesized_expression" | "await" | "expression_statement" | "as_pattern_target" | "interpolation" | "type" => match node.named_children().next() {
            Some(child) if node.named_children().count() == 1 => Shape::Same(child),
            _ => sequence(node),
        },
        "assignment" => assignment(node, false),
        "augmented_assignment" => assignment(node, true),
        "named_expression" => match (node.field("name"), node.field("value")) {
            (Some(name), Some(value)) => Shape::Assign(vec![name.into()], vec![value], false),
            _ => Shape::Nothing,
        },
        "as_pattern" => match (node.named_children().next(), node.field("alias")) {
            (Some(value), Some(alias)) => Shape::Assign(alias.named_children().map(Target::from).collect(), vec![value], false),
            _ => sequence(node),
        },
        "if_statement" | "elif_clause" => conditional(node),
        "for_statement" => Shape::Loop(
            node.field("left").map(Target::from).into_iter().collect(),
            block(node.field("right")),
            node.field("body").into_iter().chain(node.field("alternative")).collect(),
        ),
        "while_statement" => match node.field("condition") {
            Some(condition) => Shape::Loop(Vec::new(), vec![condition], block(node.field("body"))),
            None => Shape::Nothing,
        },
        "try_statement" => {
            let handlers = node.named_children().filter(|child| matches!(&*child.kind(), "except_clause" | "except_group_clause")).map(|child| vec![child]);
            let rest = node.named_children().filter(|child| matches!(&*child.kind(), "else_clause" | "finally_clause"));
            Shape::Try(block(node.field("body")), handlers.collect(), rest.collect())
        }
        "return_statement" => Shape::Return(node.named_children().next()),
        "raise_statement" | "break_statement" | "continue_statement" => Shape::Exit(node.named_children().next()),
        "assert_statement" => node.named_children().next().map_or(Shape::Nothing, Shape::Assert),
        "match_statement" => Shape::Switch(node.field("subject"), node.field("body").map(|body| cases(&body)).unwrap_or_default()),
        "import_statement" => Shape::Import(node.field_children("name").filter_map(|name| import(&name)).collect()),
        "import_from_statement" => Shape::Import(import_from(node)),
        "comment" | "string_start" | "string_end" | "pass_statement" | "global_statement" | "nonlocal_statement" | "future_import_statement" => Shape::Nothing,
        _ => sequence(node),
    }
}

fn pieces<'t>(node: &Node<'t>) -> Vec<Piece<'t>> {
    let raw = node.children().next().is_some_and(|start| start.text().to_ascii_lowercase().contains('r'));
    let mut pieces = Vec::new();
    for child in node.children() {
        match &*child.kind() {
            "string_content" => pieces.push(Piece::Text(content(&child, raw))),
            "interpolation" => pieces.extend(child.field("expression").or_else(|| child.named_children().next()).map(Piece::Hole)),
            _ => {}
        }
    }
    pieces
}

fn content(node: &Node<'_>, raw: bool) -> String {
    let text = node.text();
    if raw || !text.contains('\\') {
        return text.into_owned();
    }
    let (start, mut at, mut out) = (node.range().start, 0, String::new());
    for child in node.children().filter(|child| child.kind() == "escape_sequence") {
        let range = child.range();
        out.push_str(text.get(at..range.start - start).unwrap_or_default());
        out.push_str(&escape(&child.text()));
        at = range.end - start;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

fn call<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(function) = node.field("function") else { return Shape::Nothing };
    let Some(list) = node.field("arguments") else { return Shape::Nothing };
    let arguments = if list.kind() == "generator_expression" {
        vec![Argument { name: None, value: list, spread: false }]
    } else {
        list.named_children().filter_map(|child| argument(&child)).collect()
    };
    Shape::Call(callee(function), arguments)
}

fn callee(function: Node<'_>) -> Callee<'_> {
    if function.kind() == "attribute"
        && let (Some(object), Some(name)) = (function.field("object"), function.field("attribute"))
    {
        return Callee::Method(Some(object), name.text().into_owned());
    }
    Callee::Value(function)
}

fn argument<'t>(node: &Node<'t>) -> Option<Argument<'t>> {
    Some(match &*node.kind() {
        "comment" => return None,
        "keyword_argument" => Argument { name: Some(node.field("name")?.text().into_owned()), value: node.field("value")?, spread: false },
        "list_splat" | "dictionary_splat" => Argument { name: None, value: node.named_children().next()?, spread: true },
        _ => Argument { name: None, value: node.clone(), spread: false },
    })
}

/// What Python writes otherwise than C's family.
fn operator(text: &str) -> Option<Operator> {
    Some(match text {
        "%" => Operator::Percent,
        // `Path(a) / b` joins.
        "/" => Operator::Add,
        "**" => Operator::Power,
        "and" => Operator::And,
        "or" => Operator::Or,
        _ => return None,
    })
}

fn comparison<'t>(node: &Node<'t>) -> Shape<'t> {
    let operands: Vec<_> = node.named_children().collect();
    let written: Vec<String> =
        node.children().filter(|child| !operands.iter().any(|operand| operand.node_id() == child.node_id())).map(|child| child.text().into_owned()).collect();
    let operator = match written.join(" ").as_str() {
        "==" | "is" => Operator::Equal,
        "!=" | "is not" => Operator::NotEqual,
        "in" => Operator::In,
        "not in" => Operator::NotIn,
        _ => Operator::Other,
    };
    match <[Node<'t>; 2]>::try_from(operands) {
        Ok([left, right]) => Shape::Binary(operator, left, right),
        Err(_) => sequence(node),
    }
}

fn entry<'t>(node: &Node<'t>) -> Option<(Option<String>, Node<'t>)> {
    match &*node.kind() {
        "pair" => {
            let key = node.field("key")?;
            let name = if key.kind() == "string" {
                pieces(&key).into_iter().map(|piece| if let Piece::Text(text) = piece { text } else { String::new() }).collect()
            } else {
                key.text().into_owned()
            };
            Some((Some(name), node.field("value")?))
        }
        "dictionary_splat" => Some((None, node.named_children().next()?)),
        _ => None,
    }
}

fn decorated<'t>(node: &Node<'t>) -> Shape<'t> {
    let decorators: Vec<_> = node.named_children().filter(|child| child.kind() == "decorator").filter_map(|child| child.named_children().next()).collect();
    match node.field("definition") {
        Some(definition) if definition.kind() == "function_definition" => function(&definition, decorators, false),
        Some(definition) => Shape::Sequence(decorators.into_iter().chain([definition]).collect()),
        None => Shape::Nothing,
    }
}

fn function<'t>(node: &Node<'t>, decorators: Vec<Node<'t>>, expression: bool) -> Shape<'t> {
    let parameters = node.field("parameters").map(|list| list.named_children().filter_map(|child| parameter(&child)).collect()).unwrap_or_default();
    let annotations = decorators.iter().map(|decorator| {
        if decorator.kind() == "call" {
            decorator.field("function").map_or_else(String::new, |name| name.text().into_owned())
        } else {
            decorator.text().into_owned()
        }
    });
    Shape::Function(Box::new(Function {
        name: node.field("name").map(|name| name.text().into_owned()),
        parameters,
        body: node.field("body"),
        annotations: annotations.collect(),
        decorators,
        expression,
    }))
}

fn parameter<'t>(node: &Node<'t>) -> Option<Parameter<'t>> {
    let (target, kind) = match &*node.kind() {
        "identifier" | "tuple_pattern" => (node.clone(), None),
        "default_parameter" => (node.field("name")?, None),
        "typed_default_parameter" => (node.field("name")?, node.field("type")),
        "typed_parameter" => (node.named_children().next()?, node.field("type")),
        "list_splat_pattern" | "dictionary_splat_pattern" => (node.named_children().next()?, None),
        _ => return None,
    };
    if matches!(&*target.text(), "self" | "cls") {
        return None;
    }
    Some(Parameter { target, kind, annotations: Vec::new() })
}

fn assignment<'t>(node: &Node<'t>, adds: bool) -> Shape<'t> {
    let Some(left) = node.field("left") else { return Shape::Nothing };
    let Some(right) = node.field("right") else { return Shape::Nothing };
    // `a = b = value` is one assignment in another.
    let apart = if right.kind() == "expression_list" || right.kind() == "tuple" { parts(&left) } else { Vec::new() };
    let values: Vec<_> = right.named_children().collect();
    if !apart.is_empty() && apart.len() == values.len() {
        return Shape::Assign(apart.into_iter().map(|(_, target)| target.into()).collect(), values, adds);
    }
    Shape::Assign(vec![Target { node: left, kind: node.field("type") }], vec![right], adds)
}

fn conditional<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(condition) = node.field("condition") else { return sequence(node) };
    let mut alternatives: Vec<_> = node.field_children("alternative").collect();
    // Each `elif` holds what it is the alternative to: fold from the end.
    if node.kind() == "if_statement" && alternatives.len() > 1 {
        let first = alternatives.remove(0);
        return Shape::If(condition, block(node.field("consequence")), std::iter::once(first).chain(alternatives).collect());
    }
    Shape::If(condition, block(node.field("consequence")), alternatives)
}

fn cases<'t>(body: &Node<'t>) -> Vec<Case<'t>> {
    let patterns = |case: &Node<'t>| -> Vec<Node<'t>> { case.named_children().filter(|child| child.kind() == "case_pattern").collect() };
    body.named_children()
        .filter(|child| child.kind() == "case_clause")
        .map(|child| {
            let patterns = patterns(&child);
            let values = patterns.iter().flat_map(|pattern| pattern.named_children().collect::<Vec<_>>());
            let mut captures = Vec::new();
            let whole = patterns.len() == 1;
            patterns.iter().for_each(|pattern| capture(pattern, whole, &mut captures));
            Case {
                values: values.filter(|value| is_constant(value)).collect(),
                captures,
                guard: child.field("guard").and_then(|guard| guard.named_children().next()),
                body: block(child.field("consequence")),
            }
        })
        .collect()
}

/// Whether a pattern is compared with the value. A name with a dot is; one without takes the value.
fn is_constant(pattern: &Node<'_>) -> bool {
    match &*pattern.kind() {
        "string" | "integer" => true,
        "dotted_name" => pattern.named_children().count() > 1,
        "union_pattern" => pattern.named_children().all(|part| is_constant(&part)),
        _ => false,
    }
}

/// The names in a pattern that take a value: the whole subject, or a part of it.
fn capture<'t>(pattern: &Node<'t>, whole: bool, found: &mut Vec<(Node<'t>, bool)>) {
    const NUMBERS: [&str; 3] = ["int", "float", "bool"];
    match &*pattern.kind() {
        "dotted_name" if !is_constant(pattern) => found.extend(pattern.named_children().next().map(|name| (name, whole))),
        "as_pattern" => {
            let mut children: Vec<_> = pattern.named_children().collect();
            let name = children.pop();
            let is_number = children.first().is_some_and(|inner| NUMBERS.iter().any(|kind| inner.text() == format!("{kind}()").as_str()));
            found.extend(name.filter(|_| !is_number).map(|name| (name, whole)));
            children.iter().for_each(|child| capture(child, whole, found));
        }
        "splat_pattern" => found.extend(pattern.named_children().next().map(|name| (name, false))),
        // `str(x)` is the text itself; what other classes have inside is a part.
        "class_pattern" => {
            let mut children = pattern.named_children();
            let class = children.next().map(|class| class.text().into_owned()).unwrap_or_default();
            if !NUMBERS.contains(&class.as_str()) {
                children.for_each(|child| capture(&child, whole && class == "str", found));
            }
        }
        "case_pattern" | "union_pattern" => pattern.named_children().for_each(|child| capture(&child, whole, found)),
        // Before the sign stands a name of the other side.
        "keyword_pattern" => pattern.named_children().skip(1).for_each(|child| capture(&child, false, found)),
        "dict_pattern" => pattern.named_children().filter(|child| !is_key(pattern, child)).for_each(|child| capture(&child, false, found)),
        "list_pattern" | "tuple_pattern" => pattern.named_children().for_each(|child| capture(&child, false, found)),
        _ => {}
    }
}

fn is_key(pattern: &Node<'_>, child: &Node<'_>) -> bool {
    pattern.field_children("key").any(|key| key.node_id() == child.node_id())
}

fn import(node: &Node<'_>) -> Option<Import> {
    if node.kind() == "aliased_import" {
        let name = node.field("name")?.text().into_owned();
        return Some(Import { binds: Some((node.field("alias")?.text().into_owned(), name.clone())), name, all: false });
    }
    let name = node.text().into_owned();
    // `import a.b` binds `a`.
    let first = name.split('.').next().unwrap_or(&name).to_owned();
    Some(Import { binds: Some((first.clone(), first)), name, all: false })
}

fn import_from(node: &Node<'_>) -> Vec<Import> {
    let Some(module) = node.field("module_name") else { return Vec::new() };
    let module = module.text().into_owned();
    if node.named_children().any(|child| child.kind() == "wildcard_import") {
        return vec![Import { binds: None, name: module, all: true }];
    }
    let join = |name: &str| if module.ends_with('.') { format!("{module}{name}") } else { format!("{module}.{name}") };
    let bound = |name: Node<'_>| {
        let (local, name) = match &*name.kind() {
            "aliased_import" => (name.field("alias")?.text().into_owned(), join(&name.field("name")?.text())),
            _ => (name.text().into_owned(), join(&name.text())),
        };
        Some(Import { binds: Some((local, name.clone())), name, all: false })
    };
    node.field_children("name").filter_map(bound).collect()
}
