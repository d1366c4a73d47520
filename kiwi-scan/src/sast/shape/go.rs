//! Go's grammar.

use super::{Argument, Callee, Case, Function, Import, Parameter, Piece, Shape, Target, binary, block, number, sequence, unescaped};
use crate::sast::language::Node;

pub(super) fn shape<'t>(node: &Node<'t>) -> Shape<'t> {
    match &*node.kind() {
        "identifier" | "field_identifier" | "package_identifier" => Shape::Name(node.text().into_owned()),
        "interpreted_string_literal" | "raw_string_literal" => Shape::Text(vec![Piece::Text(text(node))]),
        "int_literal" | "float_literal" => number(&node.text()),
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "nil" => Shape::Null,
        "selector_expression" => match (node.field("operand"), node.field("field")) {
            (Some(object), Some(name)) => Shape::Member(object, name.text().into_owned()),
            _ => Shape::Nothing,
        },
        "qualified_type" => match (node.field("package"), node.field("name")) {
            (Some(package), Some(name)) => Shape::Member(package, name.text().into_owned()),
            _ => Shape::Nothing,
        },
        "index_expression" => match (node.field("operand"), node.field("index")) {
            (Some(object), Some(index)) => Shape::Index(object, index),
            _ => Shape::Nothing,
        },
        "slice_expression"
        | "type_assertion_expression"
        | "parenthesized_expression"
        | "expression_statement"
        | "type_conversion_expression"
        | "literal_element"
        | "variadic_argument" => {
            let operand = node.field("operand").or_else(|| node.named_children().next());
            operand.map_or(Shape::Nothing, Shape::Same)
        }
        "unary_expression" => match (node.field("operator").map(|operator| operator.text().into_owned()).as_deref(), node.field("operand")) {
            (Some("!"), Some(operand)) => Shape::Not(operand),
            (Some("-"), _) => super::negative(node, "operand"),
            (_, Some(operand)) => Shape::Same(operand),
            _ => Shape::Nothing,
        },
        "call_expression" => call(node),
        "composite_literal" => literal(node),
        "literal_value" => Shape::Object(elements(node).into_iter().map(|argument| (argument.name, argument.value)).collect()),
        "binary_expression" => binary(node, |_| None),
        "func_literal" | "function_declaration" | "method_declaration" => function(node),
        "short_var_declaration" | "assignment_statement" => assignment(node),
        "var_spec" | "const_spec" => {
            let kind = node.field("type");
            let targets = node.field_children("name").filter(|name| name.kind() == "identifier").map(|node| Target { node, kind: kind.clone() });
            Shape::Assign(targets.collect(), list(node.field("value")), false)
        }
        "if_statement" => {
            let Some(condition) = node.field("condition") else { return sequence(node) };
            let (yes, no) = (block(node.field("consequence")), block(node.field("alternative")));
            match node.field("initializer") {
                Some(first) => Shape::IfAfter(first, condition, yes, no),
                None => Shape::If(condition, yes, no),
            }
        }
        "for_statement" => repeat(node),
        "expression_switch_statement" => Shape::Switch(node.field("value"), cases(node)),
        "type_switch_statement" | "select_statement" => Shape::Switch(None, cases(node)),
        "return_statement" => Shape::Return(node.named_children().next()),
        "expression_list" => {
            let all: Vec<_> = node.named_children().collect();
            match <[Node<'t>; 1]>::try_from(all) {
                Ok([one]) => Shape::Same(one),
                Err(all) => Shape::List(all),
            }
        }
        "break_statement" | "continue_statement" | "goto_statement" => Shape::Exit(None),
        "type_spec" => structure(node),
        "import_spec" => import(node),
        "comment" | "package_clause" | "parameter_list" | "label_name" => Shape::Nothing,
        _ => sequence(node),
    }
}

fn text(node: &Node<'_>) -> String {
    let written = node.text();
    if node.kind() == "raw_string_literal" {
        return written.trim_matches('`').to_owned();
    }
    unescaped(node)
}

fn call<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(function) = node.field("function") else { return Shape::Nothing };
    let Some(list) = node.field("arguments") else { return Shape::Nothing };
    let argument = |child: Node<'t>| match &*child.kind() {
        "comment" => None,
        "variadic_argument" => Some(Argument { name: None, value: child.named_children().next()?, spread: true }),
        _ => Some(Argument { name: None, value: child, spread: false }),
    };
    let arguments: Vec<_> = list.named_children().filter_map(argument).collect();
    match (&*function.kind(), function.field("operand"), function.field("field")) {
        ("selector_expression", Some(object), Some(name)) => Shape::Call(Callee::Method(Some(object), name.text().into_owned()), arguments),
        // `[]byte(text)` and `(*T)(value)` convert.
        ("slice_type" | "parenthesized_expression" | "array_type" | "map_type", _, _) => match arguments.into_iter().next() {
            Some(argument) => Shape::Same(argument.value),
            None => Shape::Nothing,
        },
        _ => Shape::Call(Callee::Value(function), arguments),
    }
}

fn literal<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(body) = node.field("body") else { return Shape::Nothing };
    match node.field("type") {
        Some(kind) if matches!(&*kind.kind(), "type_identifier" | "qualified_type" | "generic_type") => Shape::Call(Callee::New(kind), elements(&body)),
        Some(kind) if kind.kind() == "map_type" => Shape::Object(elements(&body).into_iter().map(|argument| (argument.name, argument.value)).collect()),
        _ => Shape::List(elements(&body).into_iter().map(|argument| argument.value).collect()),
    }
}

fn elements<'t>(body: &Node<'t>) -> Vec<Argument<'t>> {
    let element = |child: Node<'t>| match &*child.kind() {
        "comment" => None,
        "keyed_element" => {
            let mut pair = child.named_children();
            let (key, value) = (pair.next()?, pair.next()?);
            Some(Argument { name: Some(key.text().trim_matches('"').to_owned()), value, spread: false })
        }
        _ => Some(Argument { name: None, value: child, spread: false }),
    };
    body.named_children().filter_map(element).collect()
}

fn function<'t>(node: &Node<'t>) -> Shape<'t> {
    let lists = [node.field("receiver"), node.field("parameters")];
    let mut parameters = Vec::new();
    for declaration in lists.into_iter().flatten().flat_map(|list| list.named_children().collect::<Vec<_>>()) {
        let kind = declaration.field("type");
        for target in declaration.field_children("name") {
            parameters.push(Parameter { target, kind: kind.clone(), annotations: Vec::new() });
        }
    }
    Shape::Function(Box::new(Function {
        name: node.field("name").map(|name| name.text().into_owned()),
        parameters,
        body: node.field("body"),
        annotations: Vec::new(),
        decorators: Vec::new(),
        expression: false,
    }))
}

fn structure<'t>(node: &Node<'t>) -> Shape<'t> {
    let (Some(name), Some(kind)) = (node.field("name"), node.field("type")) else { return Shape::Nothing };
    let lists = kind.named_children().filter(|child| child.kind() == "field_declaration_list").flat_map(|list| list.named_children().collect::<Vec<_>>());
    let mut fields = Vec::new();
    for declaration in lists {
        let Some(kind) = declaration.field("type") else { continue };
        fields.extend(declaration.field_children("name").map(|field| (field.text().into_owned(), kind.clone())));
    }
    Shape::Struct(name.text().into_owned(), fields)
}

fn list<'t>(node: Option<Node<'t>>) -> Vec<Node<'t>> {
    match node {
        Some(node) if node.kind() == "expression_list" => node.named_children().collect(),
        node => node.into_iter().collect(),
    }
}

fn assignment<'t>(node: &Node<'t>) -> Shape<'t> {
    let adds = node.field("operator").is_some_and(|operator| operator.text() == "+=");
    Shape::Assign(list(node.field("left")).into_iter().map(Target::from).collect(), list(node.field("right")), adds)
}

fn repeat<'t>(node: &Node<'t>) -> Shape<'t> {
    let body = block(node.field("body"));
    let head = node.named_children().find(|child| matches!(&*child.kind(), "for_clause" | "range_clause"));
    match head {
        Some(head) if head.kind() == "range_clause" => {
            let targets = list(head.field("left"));
            // The first is an index or a key.
            let targets: Vec<Target<'t>> = if targets.len() > 1 { targets.into_iter().skip(1).map(Target::from).collect() } else { Vec::new() };
            Shape::Loop(targets, list(head.field("right")), body)
        }
        Some(head) => Shape::Loop(Vec::new(), ["initializer", "condition"].into_iter().filter_map(|name| head.field(name)).collect(), body),
        None => Shape::Loop(Vec::new(), node.named_children().filter(|child| child.kind() != "block").collect(), body),
    }
}

fn cases<'t>(node: &Node<'t>) -> Vec<Case<'t>> {
    node.named_children()
        .filter(|child| matches!(&*child.kind(), "expression_case" | "default_case" | "type_case" | "communication_case"))
        .map(|child| {
            let values = list(child.field("value"));
            let body = child.named_children().filter(|inner| child.field("value").is_none_or(|value| value.node_id() != inner.node_id())).collect();
            Case::plain(values, body)
        })
        .collect()
}

fn import<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(path) = node.field("path") else { return Shape::Nothing };
    let name = path.text().trim_matches(['"', '`']).to_owned();
    let local = match node.field("name") {
        Some(name) => name.text().into_owned(),
        None => package_name(&name),
    };
    let all = local == ".";
    let binds = (!all && local != "_").then(|| (local, name.clone()));
    Shape::Import(vec![Import { binds, name, all }])
}

/// The name that a package has by its path: the last part that is not a version, without what marks one.
fn package_name(path: &str) -> String {
    let version = |part: &str| part.len() > 1 && part.starts_with('v') && part[1..].bytes().all(|byte| byte.is_ascii_digit());
    let last = path.rsplit('/').find(|part| !version(part)).unwrap_or(path);
    let last = last.split_once(".v").map_or(last, |(name, _)| name);
    last.strip_prefix("go-").or_else(|| last.strip_suffix("-go")).unwrap_or(last).replace('-', "_")
}
