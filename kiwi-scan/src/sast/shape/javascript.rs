//! The grammars of JavaScript, TypeScript and TSX.

use super::{Argument, Callee, Case, Function, Import, Operator, Parameter, Piece, Shape, Target, binary, block, escape, number, sequence, unquoted};
use crate::sast::language::Node;

pub(super) fn shape<'t>(node: &Node<'t>) -> Shape<'t> {
    match &*node.kind() {
        "identifier" | "shorthand_property_identifier" | "property_identifier" => Shape::Name(node.text().into_owned()),
        // `import(module)` is a call.
        "import" => Shape::Name("import".to_owned()),
        "undefined" | "null" => Shape::Null,
        "this" => Shape::This,
        "string" | "template_string" => Shape::Text(pieces(node)),
        "number" => number(&node.text()),
        "true" => Shape::Bool(true),
        "false" => Shape::Bool(false),
        "member_expression" => match (node.field("object"), node.field("property")) {
            (Some(object), Some(name)) => Shape::Member(object, name.text().into_owned()),
            _ => Shape::Nothing,
        },
        "subscript_expression" => match (node.field("object"), node.field("index")) {
            (Some(object), Some(index)) => Shape::Index(object, index),
            _ => Shape::Nothing,
        },
        "call_expression" => call(node),
        "new_expression" => match node.field("constructor") {
            Some(constructor) => Shape::Call(Callee::New(constructor), arguments(node.field("arguments"))),
            None => Shape::Nothing,
        },
        "binary_expression" => binary(node, operator),
        "unary_expression" => match (node.field("operator").map(|operator| operator.text().into_owned()).as_deref(), node.field("argument")) {
            (Some("!"), Some(argument)) => Shape::Not(argument),
            (Some("-"), _) => super::negative(node, "argument"),
            (Some("+" | "~" | "typeof" | "void" | "delete"), Some(argument)) => Shape::Binary(Operator::Other, argument.clone(), argument),
            (_, Some(argument)) => Shape::Same(argument),
            _ => Shape::Nothing,
        },
        "ternary_expression" => match (node.field("condition"), node.field("consequence"), node.field("alternative")) {
            (Some(condition), Some(yes), Some(no)) => Shape::Conditional(condition, yes, no),
            _ => Shape::Nothing,
        },
        "object" => Shape::Object(node.named_children().filter_map(|child| entry(&child)).collect()),
        "array" => Shape::List(node.named_children().collect()),
        "arrow_function" | "function_expression" | "function_declaration" | "generator_function" | "generator_function_declaration" | "method_definition" => {
            function(node)
        }
        "parenthesized_expression"
        | "await_expression"
        | "as_expression"
        | "satisfies_expression"
        | "non_null_expression"
        | "expression_statement"
        | "jsx_expression"
        | "spread_element" => node.named_children().next().map_or(Shape::Nothing, Shape::Same),
        "type_assertion" => node.named_children().last().map_or(Shape::Nothing, Shape::Same),
        "variable_declarator" => match (node.field("name"), node.field("value")) {
            (Some(name), Some(value)) => Shape::Assign(vec![Target { node: name, kind: annotation(node) }], vec![value], false),
            (Some(name), None) => Shape::Assign(vec![Target { node: name, kind: annotation(node) }], Vec::new(), false),
            _ => Shape::Nothing,
        },
        "assignment_expression" => assignment(node, false),
        "augmented_assignment_expression" => assignment(node, node.field("operator").is_some_and(|operator| operator.text() == "+=")),
        "field_definition" | "public_field_definition" => match (node.field("name").or_else(|| node.field("property")), node.field("value")) {
            (Some(name), Some(value)) => Shape::Assign(vec![Target { node: name, kind: annotation(node) }], vec![value], false),
            _ => Shape::Nothing,
        },
        "if_statement" => match node.field("condition") {
            Some(condition) => Shape::If(condition, block(node.field("consequence")), block(node.field("alternative"))),
            None => sequence(node),
        },
        "for_in_statement" => Shape::Loop(node.field("left").map(Target::from).into_iter().collect(), block(node.field("right")), block(node.field("body"))),
        "for_statement" => {
            let head = ["initializer", "condition"].into_iter().filter_map(|name| node.field(name)).collect();
            Shape::Loop(Vec::new(), head, node.field("body").into_iter().chain(node.field("increment")).collect())
        }
        "while_statement" | "do_statement" => Shape::Loop(Vec::new(), block(node.field("condition")), block(node.field("body"))),
        "switch_statement" => Shape::Switch(node.field("value"), node.field("body").map(|body| cases(&body)).unwrap_or_default()),
        "try_statement" => {
            Shape::Try(block(node.field("body")), node.field("handler").into_iter().map(|handler| vec![handler]).collect(), block(node.field("finalizer")))
        }
        "catch_clause" => Shape::Sequence(block(node.field("body"))),
        "return_statement" => Shape::Return(node.named_children().next()),
        "throw_statement" | "break_statement" | "continue_statement" => {
            Shape::Exit(node.named_children().next().filter(|child| child.kind() != "statement_identifier"))
        }
        "import_statement" => Shape::Import(imports(node)),
        "class_declaration" | "class" | "abstract_class_declaration" => {
            Shape::Class(node.field("name").map(|name| name.text().into_owned()), decorators(node), block(node.field("body")))
        }
        "jsx_attribute" => attribute(node),
        "decorator" => node.named_children().next().map_or(Shape::Nothing, Shape::Same),
        "comment"
        | "string_fragment"
        | "regex"
        | "type_annotation"
        | "interface_declaration"
        | "type_alias_declaration"
        | "type_arguments"
        | "type_parameters"
        | "jsx_text"
        | "empty_statement"
        | "debugger_statement" => Shape::Nothing,
        _ => sequence(node),
    }
}

fn annotation<'t>(node: &Node<'t>) -> Option<Node<'t>> {
    node.field("type")?.named_children().next()
}

fn pieces<'t>(node: &Node<'t>) -> Vec<Piece<'t>> {
    node.named_children()
        .filter_map(|child| match &*child.kind() {
            "string_fragment" => Some(Piece::Text(child.text().into_owned())),
            "escape_sequence" => Some(Piece::Text(escape(&child.text()))),
            "template_substitution" => child.named_children().next().map(Piece::Hole),
            _ => None,
        })
        .collect()
}

fn call<'t>(node: &Node<'t>) -> Shape<'t> {
    let Some(function) = node.field("function") else { return Shape::Nothing };
    let list = node.field("arguments");
    let given = match &list {
        // A tagged template: the tag escapes what is put in, or knows that it is data.
        Some(template) if template.kind() == "template_string" => vec![Argument { name: Some("template".to_owned()), value: template.clone(), spread: false }],
        _ => arguments(list),
    };
    if function.kind() == "member_expression"
        && let (Some(object), Some(name)) = (function.field("object"), function.field("property"))
    {
        return Shape::Call(Callee::Method(Some(object), name.text().into_owned()), given);
    }
    Shape::Call(Callee::Value(function), given)
}

fn arguments<'t>(list: Option<Node<'t>>) -> Vec<Argument<'t>> {
    let Some(list) = list else { return Vec::new() };
    let argument = |child: Node<'t>| match &*child.kind() {
        "comment" => None,
        "spread_element" => Some(Argument { name: None, value: child.named_children().next()?, spread: true }),
        _ => Some(Argument { name: None, value: child, spread: false }),
    };
    list.named_children().filter_map(argument).collect()
}

/// What JavaScript writes otherwise than its family.
fn operator(text: &str) -> Option<Operator> {
    Some(match text {
        "**" => Operator::Power,
        "||" | "??" => Operator::Either,
        "===" => Operator::Equal,
        "!==" => Operator::NotEqual,
        "in" => Operator::In,
        _ => return None,
    })
}

fn entry<'t>(node: &Node<'t>) -> Option<(Option<String>, Node<'t>)> {
    match &*node.kind() {
        "pair" => Some((Some(unquoted(&node.field("key")?.text())), node.field("value")?)),
        "shorthand_property_identifier" => Some((Some(node.text().into_owned()), node.clone())),
        "spread_element" => Some((None, node.named_children().next()?)),
        "method_definition" => Some((Some(node.field("name")?.text().into_owned()), node.clone())),
        _ => None,
    }
}

fn decorators<'t>(node: &Node<'t>) -> Vec<Node<'t>> {
    node.named_children().filter(|child| child.kind() == "decorator").collect()
}

fn function<'t>(node: &Node<'t>) -> Shape<'t> {
    let alone = node.field("parameter").map(|target| Parameter { target, kind: None, annotations: Vec::new() });
    let list: Vec<Parameter<'t>> =
        node.field("parameters").map(|list| list.named_children().filter_map(|child| parameter(&child)).collect()).unwrap_or_default();
    // In a class, decorators stand before the method.
    let mut before = decorators(node);
    let mut sibling = node.prev();
    while let Some(decorator) = sibling.filter(|sibling| sibling.kind() == "decorator") {
        sibling = decorator.prev();
        before.push(decorator);
    }
    let body = node.field("body");
    let expression = body.as_ref().is_some_and(|body| body.kind() != "statement_block");
    Shape::Function(Box::new(Function {
        name: node.field("name").map(|name| name.text().into_owned()).or_else(|| declared_name(node)),
        parameters: alone.into_iter().chain(list).collect(),
        body,
        annotations: before.iter().map(name_of_decorator).collect(),
        // They are evaluated where they stand.
        decorators: Vec::new(),
        expression,
    }))
}

/// `const name = () => ...` names its function.
fn declared_name(node: &Node<'_>) -> Option<String> {
    let parent = node.parent()?;
    let field = match &*parent.kind() {
        "variable_declarator" => "name",
        "assignment_expression" => "left",
        "pair" => "key",
        _ => return None,
    };
    Some(parent.field(field)?.text().into_owned())
}

fn name_of_decorator(node: &Node<'_>) -> String {
    let inner = node.named_children().next();
    let name = inner.map(|inner| if inner.kind() == "call_expression" { inner.field("function").unwrap_or(inner) } else { inner });
    name.map(|name| name.text().into_owned()).unwrap_or_default()
}

fn parameter<'t>(node: &Node<'t>) -> Option<Parameter<'t>> {
    let (target, kind) = match &*node.kind() {
        "required_parameter" | "optional_parameter" => (node.field("pattern")?, annotation(node)),
        "comment" | "this" => return None,
        _ => (node.clone(), None),
    };
    let annotations = decorators(node).iter().map(name_of_decorator).collect();
    Some(Parameter { target, kind, annotations })
}

fn assignment<'t>(node: &Node<'t>, adds: bool) -> Shape<'t> {
    match (node.field("left"), node.field("right")) {
        (Some(left), Some(right)) => Shape::Assign(vec![left.into()], vec![right], adds),
        _ => sequence(node),
    }
}

fn cases<'t>(body: &Node<'t>) -> Vec<Case<'t>> {
    body.named_children()
        .filter(|child| matches!(&*child.kind(), "switch_case" | "switch_default"))
        .map(|child| Case::plain(child.field("value").into_iter().collect(), child.field_children("body").collect()))
        .collect()
}

fn imports(node: &Node<'_>) -> Vec<Import> {
    let Some(source) = node.field("source") else { return Vec::new() };
    let module = module_name(&unquoted(&source.text()));
    let mut found = vec![Import { binds: None, name: module.clone(), all: false }];
    let bind = |found: &mut Vec<Import>, local: String, name: String| found.push(Import { binds: Some((local, name.clone())), name, all: false });
    for clause in node.named_children().filter(|child| child.kind() == "import_clause").flat_map(|clause| clause.named_children().collect::<Vec<_>>()) {
        match &*clause.kind() {
            "identifier" => bind(&mut found, clause.text().into_owned(), module.clone()),
            "namespace_import" => {
                if let Some(name) = clause.named_children().next() {
                    bind(&mut found, name.text().into_owned(), module.clone());
                }
            }
            "named_imports" => {
                for specifier in clause.named_children().filter(|child| child.kind() == "import_specifier") {
                    let Some(name) = specifier.field("name") else { continue };
                    let local = specifier.field("alias").unwrap_or_else(|| name.clone());
                    let full = if name.text() == "default" { module.clone() } else { format!("{module}.{}", name.text()) };
                    bind(&mut found, local.text().into_owned(), full);
                }
            }
            _ => {}
        }
    }
    found
}

/// A module's name, without the scheme of Node's own modules.
pub(crate) fn module_name(source: &str) -> String {
    source.strip_prefix("node:").unwrap_or(source).to_owned()
}

fn attribute<'t>(node: &Node<'t>) -> Shape<'t> {
    let mut children = node.named_children();
    match children.next() {
        Some(name) => Shape::Attribute(name.text().into_owned(), children.next()),
        None => Shape::Nothing,
    }
}
