//! Java's grammar.

use super::{Argument, Callee, Case, Function, Import, Operator, Parameter, Piece, Shape, Target, binary, block, number, sequence, unescaped};
use crate::sast::language::Node;

pub(super) fn shape<'t>(node: &Node<'t>) -> Shape<'t> {
    match &*node.kind() {
        "identifier" | "type_identifier" => Shape::Name(node.text().into_owned()),
        "this" | "super" => Shape::This,
        "string_literal" | "character_literal" => Shape::Text(vec![Piece::Text(text(node))]),
        "decimal_integer_literal" | "hex_integer_literal" | "octal_integer_literal" | "binary_integer_literal" | "decimal_floating_point_literal" => {
            number(&node.text())
        }
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "null_literal" => Shape::Null,
        "field_access" => match (node.field("object"), node.field("field")) {
            (Some(object), Some(name)) => Shape::Member(object, name.text().into_owned()),
            _ => Shape::Nothing,
        },
        "scoped_type_identifier" | "scoped_identifier" => {
            let mut children = node.named_children();
            match (children.next(), children.last()) {
                (Some(scope), Some(name)) => Shape::Member(scope, name.text().into_owned()),
                _ => Shape::Nothing,
            }
        }
        "generic_type" => node.named_children().next().map_or(Shape::Nothing, Shape::Same),
        "array_access" => match (node.field("array"), node.field("index")) {
            (Some(array), Some(index)) => Shape::Index(array, index),
            _ => Shape::Nothing,
        },
        "method_invocation" => match node.field("name") {
            Some(name) => Shape::Call(Callee::Method(node.field("object"), name.text().into_owned()), arguments(node)),
            None => Shape::Nothing,
        },
        "object_creation_expression" => creation(node),
        "explicit_constructor_invocation" => Shape::Sequence(node.field("arguments").into_iter().collect()),
        "binary_expression" => binary(node, |_| None),
        "instanceof_expression" => match node.field("left") {
            Some(left) => Shape::Binary(Operator::Other, left.clone(), left),
            None => Shape::Nothing,
        },
        "unary_expression" => match (node.field("operator").map(|operator| operator.text().into_owned()).as_deref(), node.field("operand")) {
            (Some("!"), Some(operand)) => Shape::Not(operand),
            (Some("-"), _) => super::negative(node, "operand"),
            (_, Some(operand)) => Shape::Same(operand),
            _ => Shape::Nothing,
        },
        "ternary_expression" => match (node.field("condition"), node.field("consequence"), node.field("alternative")) {
            (Some(condition), Some(yes), Some(no)) => Shape::Conditional(condition, yes, no),
            _ => Shape::Nothing,
        },
        "cast_expression" => node.field("value").map_or(Shape::Nothing, Shape::Same),
        "parenthesized_expression" | "expression_statement" => node.named_children().next().map_or(Shape::Nothing, Shape::Same),
        "array_creation_expression" => node.field("value").map_or(Shape::Nothing, Shape::Same),
        "array_initializer" | "element_value_array_initializer" => Shape::List(node.named_children().collect()),
        "variable_declarator" => declarator(node),
        "assignment_expression" => match (node.field("left"), node.field("right")) {
            (Some(left), Some(right)) => {
                let adds = node.field("operator").is_some_and(|operator| operator.text() == "+=");
                Shape::Assign(vec![left.into()], vec![right], adds)
            }
            _ => Shape::Nothing,
        },
        "resource" => match (node.field("name"), node.field("value")) {
            (Some(name), Some(value)) => Shape::Assign(vec![Target { node: name, kind: node.field("type") }], vec![value], false),
            _ => sequence(node),
        },
        "lambda_expression" | "method_declaration" | "constructor_declaration" | "compact_constructor_declaration" => function(node),
        "if_statement" => match node.field("condition") {
            Some(condition) => Shape::If(condition, block(node.field("consequence")), block(node.field("alternative"))),
            None => sequence(node),
        },
        "enhanced_for_statement" => {
            let targets = node.field("name").map(|name| Target { node: name, kind: node.field("type") });
            Shape::Loop(targets.into_iter().collect(), block(node.field("value")), block(node.field("body")))
        }
        "for_statement" => {
            let head = node.field_children("init").chain(node.field("condition")).collect();
            Shape::Loop(Vec::new(), head, node.field("body").into_iter().chain(node.field("update")).collect())
        }
        "while_statement" | "do_statement" => Shape::Loop(Vec::new(), block(node.field("condition")), block(node.field("body"))),
        "switch_expression" => Shape::Switch(node.field("condition"), node.field("body").map(|body| cases(&body)).unwrap_or_default()),
        "try_statement" | "try_with_resources_statement" => {
            let body = node.field("resources").into_iter().chain(node.field("body")).collect();
            let handlers =
                node.named_children().filter(|child| child.kind() == "catch_clause").filter_map(|clause| clause.field("body")).map(|body| vec![body]);
            Shape::Try(body, handlers.collect(), node.named_children().filter(|child| child.kind() == "finally_clause").collect())
        }
        "return_statement" => Shape::Return(node.named_children().next()),
        "throw_statement" | "break_statement" | "continue_statement" => Shape::Exit(node.named_children().next().filter(|child| child.kind() != "identifier")),
        "assert_statement" => node.named_children().next().map_or(Shape::Nothing, Shape::Assert),
        "import_declaration" => import(node),
        "enum_declaration" => Shape::Enum(node.field("name").map(|name| name.text().into_owned()), block(node.field("body"))),
        "class_declaration" | "record_declaration" | "interface_declaration" => {
            Shape::Class(None, node.named_children().filter(|child| child.kind() == "modifiers").collect(), block(node.field("body")))
        }
        "marker_annotation" | "annotation" => annotation(node),
        "comment"
        | "line_comment"
        | "block_comment"
        | "package_declaration"
        | "string_fragment"
        | "type_arguments"
        | "type_parameters"
        | "superclass"
        | "super_interfaces"
        | "formal_parameters"
        | "throws"
        | "dimensions"
        | "class_literal"
        | "method_reference" => Shape::Nothing,
        _ => sequence(node),
    }
}

fn text(node: &Node<'_>) -> String {
    let out = unescaped(node);
    if node.kind() == "character_literal" && out.is_empty() {
        return node.text().trim_matches('\'').to_owned();
    }
    out
}

fn arguments<'t>(node: &Node<'t>) -> Vec<Argument<'t>> {
    let Some(list) = node.field("arguments") else { return Vec::new() };
    let given = list.named_children().filter(|child| !child.kind().ends_with("comment"));
    given.map(|value| Argument { name: None, value, spread: false }).collect()
}

fn creation<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(kind) = node.field("type") else { return sequence(node) };
    let mut given = arguments(node);
    // What an anonymous class does is looked at as well.
    let body = node.named_children().find(|child| child.kind() == "class_body");
    given.extend(body.map(|value| Argument { name: Some("body".to_owned()), value, spread: false }));
    Shape::Call(Callee::New(kind), given)
}

/// A declarator stands in a declaration, which has the type.
fn declarator<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(name) = node.field("name") else { return Shape::Nothing };
    let kind = node.parent().and_then(|declaration| declaration.field("type"));
    Shape::Assign(vec![Target { node: name, kind }], node.field("value").into_iter().collect(), false)
}

fn modifiers<'t>(node: &Node<'t>) -> Vec<Node<'t>> {
    let list = node.named_children().filter(|child| child.kind() == "modifiers");
    list.flat_map(|list| list.named_children().collect::<Vec<_>>()).filter(|child| child.kind().ends_with("annotation")).collect()
}

fn names(annotations: &[Node<'_>]) -> Vec<String> {
    let last = |name: Node<'_>| name.text().rsplit('.').next().unwrap_or_default().to_owned();
    annotations.iter().filter_map(|annotation| annotation.field("name")).map(last).collect()
}

fn function<'t>(node: &Node<'t>) -> Shape<'t> {
    let decorators = modifiers(node);
    let list = node.field("parameters");
    let parameters = match list {
        Some(list) if list.kind() == "identifier" => vec![Parameter { target: list, kind: None, annotations: Vec::new() }],
        Some(list) => list.named_children().filter_map(|child| parameter(&child)).collect(),
        None => Vec::new(),
    };
    let body = node.field("body");
    Shape::Function(Box::new(Function {
        name: node.field("name").map(|name| name.text().into_owned()),
        parameters,
        expression: node.kind() == "lambda_expression" && body.as_ref().is_some_and(|body| body.kind() != "block"),
        body,
        annotations: names(&decorators),
        decorators,
    }))
}

fn parameter<'t>(node: &Node<'t>) -> Option<Parameter<'t>> {
    match &*node.kind() {
        "identifier" => Some(Parameter { target: node.clone(), kind: None, annotations: Vec::new() }),
        "formal_parameter" => Some(Parameter { target: node.field("name")?, kind: node.field("type"), annotations: names(&modifiers(node)) }),
        "spread_parameter" => {
            let target = node.named_children().find(|child| child.kind() == "variable_declarator")?.field("name")?;
            Some(Parameter { target, kind: None, annotations: names(&modifiers(node)) })
        }
        _ => None,
    }
}

fn cases<'t>(body: &Node<'t>) -> Vec<Case<'t>> {
    let is_label = |child: &Node<'t>| child.kind() == "switch_label";
    body.named_children()
        .filter(|child| matches!(&*child.kind(), "switch_block_statement_group" | "switch_rule"))
        .map(|child| {
            let values = child.named_children().filter(is_label).flat_map(|label| label.named_children().collect::<Vec<_>>()).collect();
            Case::plain(values, child.named_children().filter(|inner| !is_label(inner)).collect())
        })
        .collect()
}

fn import<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(path) = node.named_children().find(|child| matches!(&*child.kind(), "scoped_identifier" | "identifier")) else { return Shape::Nothing };
    let name = path.text().into_owned();
    let all = node.named_children().any(|child| child.kind() == "asterisk");
    let local = name.rsplit('.').next().unwrap_or(&name).to_owned();
    Shape::Import(vec![Import { binds: (!all).then(|| (local, name.clone())), name, all }])
}

fn annotation<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(name) = node.field("name") else { return Shape::Nothing };
    let argument = |child: Node<'t>| match &*child.kind() {
        "element_value_pair" => Some(Argument { name: Some(child.field("key")?.text().into_owned()), value: child.field("value")?, spread: false }),
        _ => Some(Argument { name: Some("value".to_owned()), value: child, spread: false }),
    };
    let given = node.field("arguments").map(|list| list.named_children().filter_map(argument).collect()).unwrap_or_default();
    Shape::Call(Callee::Annotation(name.text().into_owned()), given)
}
