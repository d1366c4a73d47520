//! What a syntax tree says, in the same words for every language: one file each maps its grammar to [`Shape`].

// With fewer languages some shapes have nobody who writes them.
#![cfg_attr(not(feature = "sast"), allow(dead_code))]

#[cfg(feature = "sast-go")]
mod go;
#[cfg(feature = "sast-java")]
mod java;
#[cfg(feature = "sast-javascript")]
mod javascript;
#[cfg(feature = "sast-python")]
mod python;

use super::language::{Language, Node};

/// A piece of a text: what stands there, or what is put in.
#[derive(Clone)]
pub(crate) enum Piece<'t> {
    Text(String),
    Hole(Node<'t>),
}

/// What is given to a call.
#[derive(Clone)]
pub(crate) struct Argument<'t> {
    pub(crate) name: Option<String>,
    pub(crate) value: Node<'t>,
    /// Whether it stands for any number of arguments, as `*list` and `...list` do.
    pub(crate) spread: bool,
}

/// What a call calls.
#[derive(Clone)]
pub(crate) enum Callee<'t> {
    /// An expression.
    Value(Node<'t>),
    /// A method of an object, or of nothing when it stands alone.
    Method(Option<Node<'t>>, String),
    /// A type whose instance is made.
    New(Node<'t>),
    /// An annotation of this name.
    Annotation(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    /// `%`, which formats in Python.
    Percent,
    And,
    Or,
    /// `a || b` and `a ?? b`, whose result is one of both.
    Either,
    Subtract,
    Multiply,
    ShiftLeft,
    Power,
    Equal,
    NotEqual,
    In,
    NotIn,
    /// The result is a number or a boolean.
    Other,
}

/// A parameter of a function.
#[derive(Clone)]
pub(crate) struct Parameter<'t> {
    /// A name, or a pattern that takes a value apart.
    pub(crate) target: Node<'t>,
    /// The declared type.
    pub(crate) kind: Option<Node<'t>>,
    pub(crate) annotations: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Function<'t> {
    pub(crate) name: Option<String>,
    pub(crate) parameters: Vec<Parameter<'t>>,
    pub(crate) body: Option<Node<'t>>,
    /// Names of its decorators or annotations, as written.
    pub(crate) annotations: Vec<String>,
    /// Decorators and annotations, which are evaluated before it.
    pub(crate) decorators: Vec<Node<'t>>,
    /// Whether the body is an expression, whose value is returned.
    pub(crate) expression: bool,
}

/// A name that an import binds.
pub(crate) struct Import {
    /// The name that is bound, and the full name that it stands for; nothing for `import *` and the like.
    pub(crate) binds: Option<(String, String)>,
    /// What is imported.
    pub(crate) name: String,
    /// Whether everything in it is bound.
    pub(crate) all: bool,
}

/// One case of a choice: the values that it is chosen for, and what is done then.
pub(crate) struct Case<'t> {
    pub(crate) values: Vec<Node<'t>>,
    /// Names that take the subject, or with `false` a part of it.
    pub(crate) captures: Vec<(Node<'t>, bool)>,
    /// What must hold besides.
    pub(crate) guard: Option<Node<'t>>,
    pub(crate) body: Vec<Node<'t>>,
}

impl<'t> Case<'t> {
    /// A case that takes nothing apart.
    pub(crate) fn plain(values: Vec<Node<'t>>, body: Vec<Node<'t>>) -> Self {
        Self { values, captures: Vec::new(), guard: None, body }
    }
}

/// What a node is.
pub(crate) enum Shape<'t> {
    Name(String),
    /// `this` and `self`.
    This,
    Text(Vec<Piece<'t>>),
    Number(f64),
    Bool(bool),
    Null,
    Member(Node<'t>, String),
    Index(Node<'t>, Node<'t>),
    Call(Callee<'t>, Vec<Argument<'t>>),
    Binary(Operator, Node<'t>, Node<'t>),
    Not(Node<'t>),
    Conditional(Node<'t>, Node<'t>, Node<'t>),
    /// Keys and values; a value without a key is spread.
    Object(Vec<(Option<String>, Node<'t>)>),
    List(Vec<Node<'t>>),
    /// A comprehension: its element, and of what.
    Comprehension(Vec<Node<'t>>, Vec<Node<'t>>),
    Function(Box<Function<'t>>),
    /// Has the value of another node: parentheses, casts, `await`.
    Same(Node<'t>),
    /// Targets, values, and whether it is added to what was there. One value may be taken apart by several targets.
    Assign(Vec<Target<'t>>, Vec<Node<'t>>, bool),
    /// A condition, what is done when it holds, and what when not.
    If(Node<'t>, Vec<Node<'t>>, Vec<Node<'t>>),
    /// The same after something that is done first.
    IfAfter(Node<'t>, Node<'t>, Vec<Node<'t>>, Vec<Node<'t>>),
    /// What is gone through with which targets, and the body.
    Loop(Vec<Target<'t>>, Vec<Node<'t>>, Vec<Node<'t>>),
    Switch(Option<Node<'t>>, Vec<Case<'t>>),
    Try(Vec<Node<'t>>, Vec<Vec<Node<'t>>>, Vec<Node<'t>>),
    /// Gives a value back.
    Return(Option<Node<'t>>),
    /// Leaves: throw, break, continue.
    Exit(Option<Node<'t>>),
    Assert(Node<'t>),
    Import(Vec<Import>),
    /// An attribute of JSX.
    Attribute(String, Option<Node<'t>>),
    /// Nodes in the order in which they are evaluated.
    Sequence(Vec<Node<'t>>),
    /// A class: its name, what is evaluated before it, and its members.
    Class(Option<String>, Vec<Node<'t>>, Vec<Node<'t>>),
    /// An enumeration, and what it declares: its values are no text of somebody else.
    Enum(Option<String>, Vec<Node<'t>>),
    /// A type with fields of these types.
    Struct(String, Vec<(String, Node<'t>)>),
    Nothing,
}

/// What is assigned to.
#[derive(Clone)]
pub(crate) struct Target<'t> {
    pub(crate) node: Node<'t>,
    /// The declared type.
    pub(crate) kind: Option<Node<'t>>,
}

impl<'t> From<Node<'t>> for Target<'t> {
    fn from(node: Node<'t>) -> Self {
        Self { node, kind: None }
    }
}

/// What a node is, in its language.
pub(crate) fn shape<'t>(language: Language, node: &Node<'t>) -> Shape<'t> {
    match language {
        #[cfg(feature = "sast-python")]
        Language::Python => python::shape(node),
        #[cfg(feature = "sast-javascript")]
        Language::JavaScript => javascript::shape(node),
        #[cfg(feature = "sast-java")]
        Language::Java => java::shape(node),
        #[cfg(feature = "sast-go")]
        Language::Go => go::shape(node),
    }
}

/// What a pattern takes apart, by the key it is taken from; a name alone has none.
pub(crate) fn parts<'t>(node: &Node<'t>) -> Vec<(Option<String>, Node<'t>)> {
    match &*node.kind() {
        "object_pattern" => node.named_children().filter_map(|child| pattern_entry(&child)).collect(),
        "array_pattern" | "tuple_pattern" | "pattern_list" | "list_pattern" | "tuple" | "list" => node.named_children().map(|child| (None, child)).collect(),
        "assignment_pattern" | "object_assignment_pattern" => node.field("left").map(|left| (None, left)).into_iter().collect(),
        "rest_pattern" | "list_splat_pattern" | "dictionary_splat_pattern" => node.named_children().map(|child| (None, child)).collect(),
        _ => Vec::new(),
    }
}

fn pattern_entry<'t>(child: &Node<'t>) -> Option<(Option<String>, Node<'t>)> {
    match &*child.kind() {
        "shorthand_property_identifier_pattern" => Some((Some(child.text().into_owned()), child.clone())),
        "pair_pattern" => Some((Some(unquoted(&child.field("key")?.text())), child.field("value")?)),
        "object_assignment_pattern" => {
            let left = child.field("left")?;
            Some((Some(left.text().into_owned()), left))
        }
        _ => Some((None, child.clone())),
    }
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '\'', '`']).to_owned()
}

fn sequence<'t>(node: &Node<'t>) -> Shape<'t> {
    Shape::Sequence(node.named_children().collect())
}

/// The statements of a block; one that stands alone is a block of its own.
fn block<'t>(node: Option<Node<'t>>) -> Vec<Node<'t>> {
    node.into_iter().collect()
}

/// Two operands and what is between them: as `own` says of this language, or as C's family writes it.
fn binary<'t>(node: &Node<'t>, own: impl Fn(&str) -> Option<Operator>) -> Shape<'t> {
    let (Some(left), Some(right)) = (node.field("left"), node.field("right")) else { return sequence(node) };
    let written = node.field("operator").map(|operator| operator.text().into_owned()).unwrap_or_default();
    let common = || match written.as_str() {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "<<" => Operator::ShiftLeft,
        "&&" => Operator::And,
        "||" => Operator::Or,
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        _ => Operator::Other,
    };
    Shape::Binary(own(&written).unwrap_or_else(common), left, right)
}

/// A sign before something: of a number its other, of anything else a number.
fn negative<'t>(node: &Node<'t>, field: &str) -> Shape<'t> {
    let Some(operand) = node.field(field) else { return Shape::Nothing };
    let sign = if node.text().starts_with('-') { -1.0 } else { 1.0 };
    match number(&operand.text()) {
        Shape::Number(value) => Shape::Number(sign * value),
        _ => Shape::Binary(Operator::Other, operand.clone(), operand),
    }
}

fn number<'t>(text: &str) -> Shape<'t> {
    let digits: String = text.chars().filter(|character| *character != '_').collect();
    let digits = digits.trim_end_matches(['l', 'L', 'n', 'u', 'U']);
    let lower = digits.to_ascii_lowercase();
    let radix = |prefix: &str, radix| lower.strip_prefix(prefix).and_then(|rest| i64::from_str_radix(rest, radix).ok());
    let whole = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2));
    // C's octal, as in 0777.
    let octal = || (lower.len() > 1 && lower.bytes().all(|byte| byte.is_ascii_digit())).then(|| radix("0", 8)).flatten();
    #[expect(clippy::cast_precision_loss, reason = "rules compare sizes and modes, which are small")]
    let value = whole.or_else(octal).map(|whole| whole as f64).or_else(|| digits.trim_end_matches(['f', 'F', 'd', 'D', 'j', 'J']).parse().ok());
    value.map_or(Shape::Nothing, Shape::Number)
}

/// The text of a literal whose parts are its children.
fn unescaped(node: &Node<'_>) -> String {
    let part = |child: Node<'_>| if child.kind() == "escape_sequence" { escape(&child.text()) } else { child.text().into_owned() };
    node.named_children().map(part).collect()
}

/// A character or more, as an escape sequence writes it.
fn escape(text: &str) -> String {
    let mut characters = text.chars().skip(1);
    match characters.next() {
        Some('n') => "\n".to_owned(),
        Some('r') => "\r".to_owned(),
        Some('t') => "\t".to_owned(),
        Some('0') => "\0".to_owned(),
        Some('\n') => String::new(),
        Some('x' | 'u' | 'U') => {
            let digits: String = characters.filter(char::is_ascii_hexdigit).collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).map(String::from).unwrap_or_default()
        }
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
