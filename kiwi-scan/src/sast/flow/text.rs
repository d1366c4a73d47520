//! Texts that are put together.

use super::{Flow, Literal, Part, Value};
use crate::sast::shape::{Operator, Piece};

impl<'t> Flow<'_, 't> {
    pub(super) fn pieces(&mut self, pieces: Vec<Piece<'t>>) -> Value {
        if pieces.is_empty() {
            return Value::text("");
        }
        let values: Vec<Value> = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Value::text(&text),
                Piece::Hole(node) => self.visit(&node),
            })
            .collect();
        Value::concatenate(values)
    }
}

/// `+`: numbers are added, everything else is text.
pub(super) fn add(one: Value, other: Value) -> Value {
    if let (Some(Literal::Number(a)), Some(Literal::Number(b))) = (&one.literal, &other.literal) {
        return Value::literal(Literal::Number(a + b));
    }
    Value::concatenate([one, other])
}

/// What two numbers give; nothing of texts is left.
pub(super) fn calculated(operator: Operator, one: &Value, other: &Value) -> Value {
    if let (Some(Literal::Number(a)), Some(Literal::Number(b))) = (&one.literal, &other.literal) {
        return Value::literal(Literal::Number(match operator {
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            Operator::ShiftLeft => a * b.exp2(),
            _ => a.powf(*b),
        }));
    }
    // `"a" * 8` and `[0] * 16` repeat what is known.
    let mut value = if operator == Operator::Multiply && (one.is_constant() || other.is_constant()) { one.clone() } else { Value::unknown() };
    value.add_calls(&one.calls);
    value.add_calls(&other.calls);
    value
}

/// A text with placeholders, of `printf` or in braces as their first character says, and what is put in.
pub(super) fn formatted(form: &Value, given: &[Value], open: char) -> Value {
    let Some(text) = form.constant_text() else {
        return Value::concatenate(std::iter::once(form.clone()).chain(given.iter().cloned()));
    };
    let mut out = Vec::new();
    let mut next = given.iter();
    let (mut rest, mut plain) = (text.as_str(), String::new());
    while let Some(at) = rest.find(open) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        match placeholder(rest) {
            Some((0, length)) => {
                plain.push_str(&rest[..1]);
                rest = &rest[length..];
            }
            Some((kind, length)) => {
                out.push(Value::text(&std::mem::take(&mut plain)));
                let value = next.next();
                // A number carries nothing.
                let value = value.cloned().unwrap_or_else(Value::unknown);
                out.push(if kind == NUMBER { Value { calls: value.calls, ..Value::unknown() } } else { value });
                rest = &rest[length..];
            }
            None => {
                plain.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    out.push(Value::text(&plain));
    let mut value = Value::concatenate(out);
    // By name, or out of order: what was not put in by its place is put in somewhere.
    let late: Vec<&Value> = next.filter(|value| value.is_tainted()).collect();
    if !late.is_empty() {
        let carried = Value::carrying(late);
        value = Value::concatenate([value, carried]);
    }
    value
}

const NUMBER: u8 = 1;
const TEXT: u8 = 2;

/// The kind and length of the placeholder at the start; kind 0 stands for itself.
fn placeholder(text: &str) -> Option<(u8, usize)> {
    if text.starts_with("%%") || text.starts_with("{{") {
        return Some((0, 2));
    }
    if text.starts_with('{') {
        return text.find('}').map(|end| (TEXT, end + 1));
    }
    let mut characters = text.char_indices().skip(1);
    // `%(name)s`
    if text.starts_with("%(") {
        let end = text.find(')')?;
        return Some((TEXT, (end + 2).min(text.len())));
    }
    let (at, kind) = characters.find(|(_, character)| !matches!(character, '-' | '+' | ' ' | '#' | '.' | '$' | '0'..='9'))?;
    match kind {
        'd' | 'i' | 'u' | 'f' | 'F' | 'e' | 'E' | 'g' | 'G' | 'x' | 'X' | 'o' | 'b' | 't' | 'c' => Some((NUMBER, at + 1)),
        's' | 'S' | 'v' | 'q' | 'r' | 'a' | 'j' | 'O' => Some((TEXT, at + 1)),
        _ => None,
    }
}

/// Joined as parts of a path.
pub(super) fn path(parts: &[&Value]) -> Value {
    let mut values = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            values.push(Value::text("/"));
        }
        values.push((*part).clone());
    }
    Value::concatenate(values)
}

/// The text of a value as text: what is a number or unknown keeps its place.
pub(super) fn same(value: &Value) -> Value {
    let mut text = Value::concatenate([Value { items: None, fields: None, ..value.clone() }]);
    if text.parts == [Part::Unknown] {
        text = Value::carrying([value]);
    }
    text
}
