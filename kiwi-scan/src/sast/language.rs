//! The languages that are understood, and how a file of theirs is parsed.

use ast_grep_core::tree_sitter::StrDoc;
use ast_grep_language::{LanguageExt as _, SupportLang};
use std::ops::ControlFlow;
use std::time::Instant;

pub(crate) type Tree = ast_grep_core::AstGrep<StrDoc<SupportLang>>;
pub(crate) type Node<'t> = ast_grep_core::Node<'t, StrDoc<SupportLang>>;

/// A language, each with a feature of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Language {
    /// Python.
    #[cfg(feature = "sast-python")]
    Python,
    /// JavaScript, JSX, TypeScript and TSX.
    #[cfg(feature = "sast-javascript")]
    JavaScript,
    /// Java.
    #[cfg(feature = "sast-java")]
    Java,
    /// Go.
    #[cfg(feature = "sast-go")]
    Go,
}

impl Language {
    /// Every language that was compiled in.
    pub const ALL: &[Self] = &[
        #[cfg(feature = "sast-python")]
        Self::Python,
        #[cfg(feature = "sast-javascript")]
        Self::JavaScript,
        #[cfg(feature = "sast-java")]
        Self::Java,
        #[cfg(feature = "sast-go")]
        Self::Go,
    ];

    /// The grammar of its plainest kind of file.
    pub(crate) fn grammar(self) -> SupportLang {
        match self {
            #[cfg(feature = "sast-python")]
            Self::Python => SupportLang::Python,
            #[cfg(feature = "sast-javascript")]
            Self::JavaScript => SupportLang::JavaScript,
            #[cfg(feature = "sast-java")]
            Self::Java => SupportLang::Java,
            #[cfg(feature = "sast-go")]
            Self::Go => SupportLang::Go,
        }
    }

    /// As rules write it.
    pub fn as_str(self) -> &'static str {
        match self {
            #[cfg(feature = "sast-python")]
            Self::Python => "python",
            #[cfg(feature = "sast-javascript")]
            Self::JavaScript => "javascript",
            #[cfg(feature = "sast-java")]
            Self::Java => "java",
            #[cfg(feature = "sast-go")]
            Self::Go => "go",
        }
    }
}

/// A language with the grammar that one of its kinds of files needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) language: Language,
    pub(crate) grammar: SupportLang,
}

impl Dialect {
    /// What a file is written in, by its name.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension.to_ascii_lowercase().as_str() {
            #[cfg(feature = "sast-python")]
            "py" | "pyw" => Self { language: Language::Python, grammar: SupportLang::Python },
            #[cfg(feature = "sast-javascript")]
            "js" | "mjs" | "cjs" | "jsx" | "es6" => Self { language: Language::JavaScript, grammar: SupportLang::JavaScript },
            #[cfg(feature = "sast-javascript")]
            "ts" | "mts" | "cts" => Self { language: Language::JavaScript, grammar: SupportLang::TypeScript },
            #[cfg(feature = "sast-javascript")]
            "tsx" => Self { language: Language::JavaScript, grammar: SupportLang::Tsx },
            #[cfg(feature = "sast-java")]
            "java" => Self { language: Language::Java, grammar: SupportLang::Java },
            #[cfg(feature = "sast-go")]
            "go" => Self { language: Language::Go, grammar: SupportLang::Go },
            _ => return None,
        })
    }

    /// What a script is written in, by its first line.
    pub(crate) fn of_script(line: &str) -> Option<Self> {
        let program = line.strip_prefix("#!")?.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word)).find(|word| {
            // `env` and its options and variables come before the program.
            *word != "env" && !word.starts_with('-') && !word.contains('=')
        })?;
        match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
            "python" | "pypy" => Self::of("script.py"),
            "node" | "nodejs" | "bun" => Self::of("script.js"),
            "deno" | "ts-node" | "tsx" => Self::of("script.ts"),
            _ => None,
        }
    }

    /// Parses a text; nothing when it takes until after the deadline.
    pub(crate) fn parse(self, text: String, deadline: Instant) -> Option<Tree> {
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&self.grammar.get_ts_language()).ok()?;
        let mut progress = |_: &tree_sitter::ParseState| if Instant::now() > deadline { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let options = tree_sitter::ParseOptions::new().progress_callback(&mut progress);
        let bytes = text.as_bytes();
        let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))?;
        Some(Tree::doc(StrDoc { src: text, lang: self.grammar, tree }))
    }
}
