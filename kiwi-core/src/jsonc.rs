//! JSON as several tools write it: with comments, and with commas at the ends.

use std::iter::Peekable;
use std::str::Chars;

/// The same without `//` and `/* */` comments and trailing commas, as plain JSON.
pub fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = characters.next() {
        match c {
            '\\' if in_string => {
                out.push(c);
                out.extend(characters.next());
            }
            '"' => {
                in_string = !in_string;
                out.push(c);
            }
            '/' if !in_string && skip_comment(&mut characters) => {}
            '}' | ']' if !in_string => {
                while out.ends_with(char::is_whitespace) {
                    out.pop();
                }
                if out.ends_with(',') {
                    out.pop();
                }
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// Goes past the rest of a `//` or `/* */` comment whose first slash was read; false when it was no comment's.
pub(crate) fn skip_comment(characters: &mut Peekable<Chars<'_>>) -> bool {
    match characters.peek() {
        Some('/') => while characters.next_if(|next| *next != '\n').is_some() {},
        Some('*') => {
            let mut last = ' ';
            characters.next();
            for next in characters.by_ref() {
                if last == '*' && next == '/' {
                    break;
                }
                last = next;
            }
        }
        _ => return false,
    }
    true
}
