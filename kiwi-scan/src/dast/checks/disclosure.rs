//! Bodies that tell what only developers should see.

use crate::dast::findings::Findings;
use crate::dast::page::{Kind, Page};
use crate::dast::rules::{DIRECTORY_LISTING, ERROR_SQL, ERROR_STACK_TRACE, Rule};
use regex::bytes::{Regex, RegexBuilder};
use std::sync::OnceLock;

/// Only so much of a body is searched: errors stand in small pages or at their begin.
const SEARCHED: usize = 512 << 10;

/// What errors look like: whose they are, a word that every one has (or nothing), and the form. Each form needs more than a word, so that a page about errors is none.
static FORMS: [(&Rule, &str, &str, &str); 16] = [
    (
        &ERROR_STACK_TRACE,
        "Python",
        "Traceback (most recent call last)",
        r#"Traceback \(most recent call last\):?[\s\S]{0,400}File (?:"|&quot;|&#34;)[^\n]{1,300}, line \d+"#,
    ),
    (&ERROR_STACK_TRACE, "Django", "DEBUG = True", r"(?:You're|You&#x27;re|You&#39;re) seeing this error because you have <code>DEBUG = True</code>"),
    (
        &ERROR_STACK_TRACE,
        "Java",
        "at ",
        r"(?:\.\w*(?:Exception|Error)\b[^\n]{0,300}(?:\n|<br\s*/?>|\r)+\s*(?:&nbsp;|\s)*at [\w.$/@]{3,200}\([\w]+\.(?:java|kt|scala|groovy):\d+\))",
    ),
    (
        &ERROR_STACK_TRACE,
        "Node.js",
        "at ",
        r"(?:Error: ?[^\n]{0,300})(?:\n|<br\s*/?>)+(?:\s|&nbsp;)*at (?:[^\n(]{1,200}\()?(?:file://|node:|/|[A-Z]:\\)[^\n]{1,300}:\d+:\d+",
    ),
    (
        &ERROR_STACK_TRACE,
        "PHP",
        "on line",
        r"(?:<b>)?(?:Fatal error|Parse error|Warning|Notice|Deprecated)(?:</b>)?: [^\n]{1,400} in (?:<b>)?[^\n<]{1,200}\.(?:php|phtml|inc)(?:</b>)? on line (?:<b>)?\d+",
    ),
    (&ERROR_STACK_TRACE, "PHP", "Stack trace:", r"PHP Fatal error|Stack trace:\s*(?:<[^>]{0,20}>\s*)*#0 [^\n]{1,300}\.php\(\d+\)"),
    (&ERROR_STACK_TRACE, "Go", "goroutine ", r"goroutine \d+ \[running\]:[\s\S]{0,2000}\.go:\d+"),
    (&ERROR_STACK_TRACE, "Ruby", ".rb:", r"[\w./-]{2,200}\.rb:\d+:in (?:`|'|&#39;|&#x27;)[^\n]{1,100}"),
    (
        &ERROR_STACK_TRACE,
        ".NET",
        "   at ",
        r"\w+(?:\.\w+)*Exception: [^\n]{0,400}\n(?:[^\n]{0,300}\n){0,5}?\s+at [\w.<>`]{3,200}\([^)\n]{0,300}\)(?: in [^\n]{1,300}:line \d+)?",
    ),
    (&ERROR_STACK_TRACE, ".NET", "Server Error in", r"Server Error in '[^'\n]{1,100}' Application"),
    (&ERROR_SQL, "MySQL", "SQL syntax", r"You have an error in your SQL syntax; check the manual that corresponds to your (?:MySQL|MariaDB) server version"),
    (&ERROR_SQL, "PostgreSQL", "PG", r"PG::\w*Error: ERROR|PSQLException: ERROR|pg_(?:query|exec)\(\): Query failed"),
    (&ERROR_SQL, "PostgreSQL", "syntax error at or near", r#"(?:ERROR:|SQLSTATE\[42601\]|error:)[^\n]{0,100}syntax error at or near (?:"|&quot;|&#34;|\\")"#),
    (
        &ERROR_SQL,
        "SQLite",
        "",
        r#"sqlite3\.OperationalError: (?:near|no such|unrecognized|incomplete) |SQLITE_ERROR: |SQLite3::SQLException|SQLSTATE\[HY000\]: General error: 1 (?:near|no such)|near (?:"|&quot;|&#34;)[^\n]{1,40}(?:"|&quot;|&#34;): syntax error"#,
    ),
    (
        &ERROR_SQL,
        "SQL Server",
        "quotation mark",
        r"Unclosed quotation mark after the character string|Incorrect syntax near '[^\n]{1,60}' ?\.?[^\n]{0,40}(?:SqlException|SQL Server)",
    ),
    (&ERROR_SQL, "Oracle", "ORA-", r"\bORA-\d{5}: "),
];

/// Compiled when a page first needs it.
static COMPILED: [OnceLock<Option<Regex>>; FORMS.len()] = [const { OnceLock::new() }; FORMS.len()];

pub(super) fn check(page: &Page, found: &mut Findings) {
    if !matches!(page.kind, Kind::Html | Kind::Text) {
        return;
    }
    let url = &page.answer.url;
    let body = &page.answer.body;
    let text = String::from_utf8_lossy(body.get(..SEARCHED).unwrap_or(body));
    // JSON writes line ends as two characters.
    let text = if text.trim_start().starts_with(['{', '[']) { text.replace("\\n", "\n").replace("\\\"", "\"").into() } else { text };
    for (rule, owner) in errors(&text) {
        found.add(rule, url, owner, owner);
    }
    if page.kind == Kind::Html && page.answer.is_success() && is_listing(&page.document.title, &text) {
        found.add(&DIRECTORY_LISTING, url, "", "");
    }
}

/// The errors that stand in a text, each with whose it is.
fn errors(text: &str) -> Vec<(&'static Rule, &'static str)> {
    let mut told: Vec<(&'static Rule, &'static str)> = Vec::new();
    for ((rule, owner, word, form), compiled) in FORMS.iter().zip(&COMPILED) {
        if !told.contains(&(rule, owner)) && text.contains(word) && compile(form, compiled).is_some_and(|form| form.is_match(text.as_bytes())) {
            told.push((rule, owner));
        }
    }
    told
}

/// Of bytes, not of letters of all scripts: errors are in ASCII, and counted letters would need a hundred times the room.
fn compile<'r>(form: &str, compiled: &'r OnceLock<Option<Regex>>) -> Option<&'r Regex> {
    compiled.get_or_init(|| RegexBuilder::new(form).unicode(false).build().ok()).as_ref()
}

fn is_listing(title: &str, text: &str) -> bool {
    let parent = text.contains("Parent Directory") || text.contains("href=\"../\"") || text.contains("href=\"..\"");
    (title.starts_with("Index of /") && (parent || text.contains("<pre>") || text.contains("<table")))
        || (title.starts_with("Directory listing for /") && text.contains("<li><a href="))
        || text.contains("[To Parent Directory]</A>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(text: &str) -> Vec<&'static str> {
        errors(text).into_iter().map(|(_, owner)| owner).collect()
    }

    #[test]
    fn errors_are_told_by_their_form() {
        assert!(FORMS.iter().zip(&COMPILED).all(|((.., form), compiled)| compile(form, compiled).is_some()));
        for (owner, text) in [
            ("Python", "Traceback (most recent call last):\n  File \"/srv/app.py\", line 3, in <module>\nKeyError: 'x'"),
            ("Java", "java.lang.NullPointerException: null\n\tat com.shop.Cart.total(Cart.java:42)\n\tat x"),
            ("Node.js", "TypeError: Cannot read properties of undefined\n    at get (/srv/app/index.js:10:5)"),
            ("Node.js", "<pre>Error: boom<br> &nbsp; &nbsp;at /srv/app.js:7:9<br>"),
            ("PHP", "<br />\n<b>Warning</b>:  Undefined variable $x in <b>/var/www/index.php</b> on line <b>3</b><br />"),
            ("Go", "goroutine 7 [running]:\nmain.handler(0xc000)\n\t/src/main.go:12 +0x1d"),
            ("Ruby", "app/models/user.rb:12:in `find'"),
            (".NET", "System.InvalidOperationException: Sequence contains no elements\n   at System.Linq.ThrowHelper.ThrowNoElementsException()\n"),
            ("MySQL", "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for"),
            ("PostgreSQL", "ERROR:  syntax error at or near \"'\"\nLINE 1"),
            ("SQLite", "sqlite3.OperationalError: no such table: users"),
            ("SQLite", "near \"'\": syntax error in SQL"),
            ("SQL Server", "Unclosed quotation mark after the character string ''."),
            ("Oracle", "ORA-00933: SQL command not properly ended"),
        ] {
            assert_eq!(owners(text), [owner], "{text}");
        }
    }

    #[test]
    fn a_page_about_errors_is_none() {
        for text in [
            "How to read a traceback: Traceback (most recent call last) is its first line",
            "An exception is thrown at runtime (see Cart.java)",
            "Error: not found. Look at https://shop.test:443/help",
            "Warning: the file is on line 3 of the list",
            "a goroutine is light; the goroutine 1 [running] example",
            "except sqlite3.OperationalError:\n    pass",
            "You have an error in your SQL syntax? Read our guide",
            "{\"error\":\"syntax error at or near the end of the form\"}",
        ] {
            assert_eq!(owners(text), Vec::<&str>::new(), "{text}");
        }
        assert!(is_listing("Index of /files", "<pre><a href=\"../\">../</a>") && !is_listing("Index of /authors a to z", "<p>Names</p>"));
    }
}
