//! Source that its language reads in one way and a grammar in another, so that a name in it would not be recognized.

use super::language::{Dialect, Node};
use unicode_normalization::UnicodeNormalization as _;

/// Encodings in which plain letters stand for others (Python's `codecs`, "Standard Encodings").
const ENCODINGS: [&str; 6] = ["utf-7", "utf-16", "utf-32", "unicode-escape", "raw-unicode-escape", "u7"];

/// The text with the ends of lines that every grammar knows. A carriage return alone ends one too in Python and in Java, and with it a comment
/// (<https://docs.oracle.com/javase/specs/jls/se21/html/jls-3.html#jls-3.4>).
pub(super) fn with_lines(dialect: Dialect, text: String) -> String {
    if !matches!(dialect.language.as_str(), "python" | "java") || !text.contains('\r') {
        return text;
    }
    // As long as before, so that every place stays what it is.
    let mut lines = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        lines.push(if c == '\r' && rest.peek() != Some(&'\n') { '\n' } else { c });
    }
    lines
}

/// The first line, from 1, with what stands for something else than it shows, and what that is.
pub(super) fn find(dialect: Dialect, text: &str, root: &Node<'_>) -> Option<(usize, &'static str)> {
    match dialect.language.as_str() {
        "python" => encoding(text).or_else(|| names(root, |name| !name.is_ascii() && name.nfkc().ne(name.chars()), text.is_ascii())),
        "java" => ending(text),
        "javascript" => names(root, |name| name.contains('\\'), !text.contains("\\u")),
        _ => None,
    }
}

/// An encoding that the first two lines declare (<https://docs.python.org/3/reference/lexical_analysis.html#encoding-declarations>).
fn encoding(text: &str) -> Option<(usize, &'static str)> {
    let declares = |line: &str| {
        let Some((_, rest)) = line.split_once("coding").filter(|(before, _)| before.trim_start().starts_with('#')) else { return false };
        let Some(name) = rest.strip_prefix([':', '=']).map(str::trim_start) else { return false };
        let name: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        let name = name.to_lowercase().replace(['_', '.'], "-");
        ENCODINGS.iter().any(|known| name.starts_with(known) || name == known.replace('-', ""))
    };
    let line = text.lines().take(2).position(declares)?;
    Some((line + 1, "the file is in an encoding that is not read"))
}

/// An end of a line that is written as an escape, which Java reads before anything else, in comments too.
fn ending(text: &str) -> Option<(usize, &'static str)> {
    let line = text.lines().position(|line| {
        line.match_indices("\\u").any(|(at, _)| {
            let code = line[at + 1..].trim_start_matches('u');
            code.get(..4).is_some_and(|code| code.eq_ignore_ascii_case("000a") || code.eq_ignore_ascii_case("000d"))
        })
    })?;
    Some((line + 1, "the end of a line is written as an escape"))
}

/// A name that `is` written in another way than it is read.
fn names(root: &Node<'_>, is: impl Fn(&str) -> bool, none: bool) -> Option<(usize, &'static str)> {
    if none {
        return None;
    }
    let found = root.dfs().find(|node| node.kind().ends_with("identifier") && is(&node.text()))?;
    Some((found.start_pos().line() + 1, "a name is written in letters that stand for others"))
}

#[cfg(all(test, feature = "sast-java", feature = "sast-javascript", feature = "sast-python"))]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    fn found(path: &str, text: &str) -> Option<(usize, &'static str)> {
        let dialect = Dialect::of(path).unwrap();
        let tree = dialect.parse(text.to_owned(), Instant::now() + Duration::from_secs(10)).unwrap();
        find(dialect, text, &tree.root())
    }

    #[test]
    fn names_that_are_written_as_others_are_found() {
        assert_eq!(found("a.py", "import os\nos.\u{1d494}ystem(x)\n").unwrap().0, 2);
        assert_eq!(found("a.py", "# -*- coding: utf_7 -*-\n# +AAo-x\n").unwrap().0, 1);
        assert_eq!(found("a.js", "let a = 1;\n\\u0065val(a);\n").unwrap().0, 2);
        assert_eq!(found("a.ts", "cp.\\u{65}xec(a);\n").unwrap().0, 1);
        assert_eq!(found("A.java", "class A {\n  // fine \\uu000a int a;\n}\n").unwrap().0, 2);
    }

    #[test]
    fn other_letters_and_escapes_are_no_matter() {
        for (path, text) in [
            ("a.py", "# coding: latin-1\nname\u{e9} = '\\u0065'\nprint('\u{1d494}')\n"),
            ("a.py", "x = 'coding: utf-7'\n"),
            ("a.js", "const caf\u{e9} = '\\u0065val'; const b = /\\u0065/;\n"),
            ("A.java", "class A { String a = \"\\u0065\"; }\n"),
        ] {
            assert_eq!(found(path, text), None, "{text}");
        }
    }

    #[test]
    fn a_carriage_return_alone_ends_a_line_where_the_language_says_so() {
        let of = |path: &str, text: &str| with_lines(Dialect::of(path).unwrap(), text.to_owned());
        for (text, lines) in [("a\rb\r\nc\n\rd\r\r\ne\r", "a\nb\r\nc\n\nd\n\r\ne\n"), ("\r\n\r\n", "\r\n\r\n"), ("a\nb", "a\nb"), ("\r", "\n")] {
            assert_eq!((of("a.py", text).as_str(), of("A.java", text).as_str()), (lines, lines));
            assert_eq!(of("a.js", text), text);
        }
    }
}
