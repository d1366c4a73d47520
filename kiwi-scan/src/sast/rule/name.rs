//! Names of rules: exact, by their end, or by a regular expression over their last part.

use regex::Regex;
use std::sync::OnceLock;

/// A regular expression that is compiled when it is first needed: most of a language's rules meet nothing in most scans.
#[derive(Debug, Clone)]
pub(crate) struct TextPattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl TextPattern {
    pub(crate) fn new(source: &str) -> Self {
        Self { source: source.to_owned(), compiled: OnceLock::new() }
    }

    /// Whether it is a regular expression at all; else why not.
    pub(crate) fn check(&self) -> Result<(), String> {
        Regex::new(&self.source).map(|_| ()).map_err(|error| error.to_string())
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.compiled.get_or_init(|| Regex::new(&self.source).ok()).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Name {
    Exact(String),
    /// After `*.`: with anything before, or nothing.
    End(String),
    /// Between `/` and `/`: over the last part.
    Last(TextPattern),
}

impl Name {
    pub(crate) fn new(text: &str) -> Self {
        if let Some(inner) = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            return Self::Last(TextPattern::new(inner));
        }
        match text.strip_prefix("*.") {
            Some(end) => Self::End(end.to_owned()),
            None => Self::Exact(text.to_owned()),
        }
    }

    /// The part after the last dot, by which it is looked up; nothing for an expression.
    pub(crate) fn last(&self) -> Option<&str> {
        match self {
            Self::Exact(text) | Self::End(text) => Some(last_part(text)),
            Self::Last(_) => None,
        }
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => text == name,
            Self::End(text) => name.strip_suffix(text.as_str()).is_some_and(|before| before.is_empty() || before.ends_with(['.', '/', '?'])),
            Self::Last(pattern) => pattern.is_match(last_part(name)),
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::Last(pattern) => pattern.check(),
            Self::Exact(text) | Self::End(text) if text.is_empty() => Err("a name is empty".to_owned()),
            _ => Ok(()),
        }
    }
}

pub(crate) fn last_part(name: &str) -> &str {
    // Paths of Go's imports have dots and slashes of their own.
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit('.').next().unwrap_or(name).trim_start_matches('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_or_ends_or_expressions() {
        for (pattern, name, expected) in [
            ("os.system", "os.system", true),
            ("os.system", "a.os.system", false),
            ("*.execute", "sqlite3.connect().cursor().execute", true),
            ("*.cursor().execute", "sqlite3.connect().cursor().execute", true),
            ("*.execute", "execute", true),
            ("*.execute", "preexecute", false),
            ("/(?i)^(.*_)?password$/", "settings.DB_PASSWORD", true),
            ("/(?i)^(.*_)?password$/", "password_hint", false),
            ("crypto/md5.New", "crypto/md5.New", true),
        ] {
            assert_eq!(Name::new(pattern).matches(name), expected, "{pattern} {name}");
        }
        assert_eq!(last_part("os/exec.Command"), "Command");
        assert_eq!(last_part("github.com/dgrijalva/jwt-go"), "jwt-go");
    }
}
