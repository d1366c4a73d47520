//! Rules of one language by what they find, so that a node asks only the few that could be about it.

use super::{Name, Rule, Sources, What};
use crate::sast::language::Dialect;
use ast_grep_core::{Pattern, PatternError};
use ast_grep_language::SupportLang;
use std::collections::HashMap;
use std::sync::OnceLock;

/// A find item of a rule: the rule's number and the item's.
pub(crate) type Place = (usize, usize);

/// Names with what they stand for, by their last part.
#[derive(Debug)]
pub(crate) struct Names<T> {
    by_last: HashMap<String, Vec<(Name, T)>>,
    expressions: Vec<(Name, T)>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { by_last: HashMap::new(), expressions: Vec::new() }
    }
}

impl<T: Copy> Names<T> {
    fn add(&mut self, name: &Name, of: T) {
        match name.last() {
            Some(last) => self.by_last.entry(last.to_owned()).or_default().push((name.clone(), of)),
            None => self.expressions.push((name.clone(), of)),
        }
    }

    /// What the names stand for that match one of these.
    pub(crate) fn find<'a>(&'a self, names: &'a [std::rc::Rc<str>]) -> impl Iterator<Item = T> + 'a {
        let exact = names.iter().filter_map(|name| self.by_last.get(super::name::last_part(name)).map(|found| (name, found)));
        let exact = exact.flat_map(|(name, found)| found.iter().filter(|(pattern, _)| pattern.matches(name)).map(|(_, of)| *of));
        exact.chain(self.expressions.iter().filter(|(pattern, _)| names.iter().any(|name| pattern.matches(name))).map(|(_, of)| *of))
    }

    pub(crate) fn has(&self, names: &[std::rc::Rc<str>]) -> bool {
        self.find(names).next().is_some()
    }
}

/// The rules of one dialect: kinds of nodes, which patterns compare, differ between grammars.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) dialect: Dialect,
    pub(crate) rules: Vec<Rule>,
    pub(crate) calls: Names<Place>,
    pub(crate) assigns: Names<Place>,
    pub(crate) references: Names<Place>,
    pub(crate) imports: Names<Place>,
    pub(crate) returns: Vec<Place>,
    patterns: Vec<(Place, String, OnceLock<Option<Pattern>>)>,
    /// Sanitizers, with the number of the rule that knows them.
    pub(crate) sanitizers: Names<usize>,
    /// Calls that make what an earlier call gave safe.
    pub(crate) calls_after: Names<Place>,
    pub(crate) sources: Names<()>,
    /// Sources of one rule alone.
    pub(crate) own_sources: Names<usize>,
    pub(crate) local_sources: Names<()>,
    pub(crate) neutral: Names<()>,
    pub(crate) carries: Names<u32>,
    pub(crate) carried: Vec<Vec<usize>>,
    pub(crate) types_of_calls: Names<u32>,
    pub(crate) type_names: Vec<std::sync::Arc<str>>,
    pub(crate) parameter_names: HashMap<String, Option<String>>,
    pub(crate) handlers: Names<()>,
    pub(crate) annotated_parameters: Names<()>,
}

impl Index {
    pub(crate) fn new(dialect: Dialect, rules: Vec<Rule>, sources: &Sources) -> Self {
        let mut index = Self {
            dialect,
            calls: Names::default(),
            assigns: Names::default(),
            references: Names::default(),
            imports: Names::default(),
            returns: Vec::new(),
            patterns: Vec::new(),
            sanitizers: Names::default(),
            calls_after: Names::default(),
            sources: Names::default(),
            own_sources: Names::default(),
            local_sources: Names::default(),
            neutral: Names::default(),
            carries: Names::default(),
            carried: Vec::new(),
            types_of_calls: Names::default(),
            type_names: Vec::new(),
            parameter_names: HashMap::new(),
            handlers: Names::default(),
            annotated_parameters: Names::default(),
            rules: Vec::new(),
        };
        for (number, rule) in rules.iter().enumerate() {
            index.add(number, rule);
        }
        index.rules = rules;
        let each = |names: &mut Names<()>, texts: &[String]| texts.iter().for_each(|text| names.add(&Name::new(text), ()));
        each(&mut index.sources, &sources.sources);
        each(&mut index.local_sources, &sources.local_sources);
        each(&mut index.neutral, &sources.neutral);
        each(&mut index.handlers, &sources.handlers);
        each(&mut index.annotated_parameters, &sources.annotated_parameters);
        for (number, (call, kind)) in (0..).zip(&sources.returns) {
            index.types_of_calls.add(&Name::new(call), number);
            index.type_names.push(kind.as_str().into());
        }
        for (number, (call, positions)) in (0..).zip(&sources.carries) {
            index.carries.add(&Name::new(call), number);
            index.carried.push(positions.clone());
        }
        for text in &sources.parameter_names {
            let (name, kind) = text.split_once(':').map_or((text.as_str(), None), |(name, kind)| (name, Some(kind.trim().to_owned())));
            index.parameter_names.insert(name.trim().to_owned(), kind);
        }
        index
    }

    fn add(&mut self, number: usize, rule: &Rule) {
        for (item, find) in rule.find.iter().enumerate() {
            let place = (number, item);
            match &find.what {
                What::Call(names) => names.iter().for_each(|name| self.calls.add(name, place)),
                What::Assign(names) => names.iter().for_each(|name| self.assigns.add(name, place)),
                What::Reference(names) => names.iter().for_each(|name| self.references.add(name, place)),
                What::Import(names) => names.iter().for_each(|name| self.imports.add(name, place)),
                What::Return => self.returns.push(place),
                What::Pattern(text) => self.patterns.push((place, text.clone(), OnceLock::new())),
            }
            find.unless_called.iter().for_each(|name| self.calls_after.add(name, place));
        }
        rule.sources.iter().for_each(|name| self.own_sources.add(name, number));
        rule.sanitizers.iter().for_each(|name| self.sanitizers.add(name, number));
    }

    /// The patterns of ast-grep.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = (Place, &Pattern)> {
        self.patterns.iter().filter_map(move |(place, text, compiled)| {
            let pattern = compiled.get_or_init(|| pattern(text, self.dialect.grammar).ok()).as_ref()?;
            Some((*place, pattern))
        })
    }
}

/// A pattern of a language. To Go's grammar a call that stands alone is a conversion, so it is read as a statement.
fn pattern(text: &str, grammar: SupportLang) -> Result<Pattern, PatternError> {
    if grammar == SupportLang::Go && text.ends_with(')') && !text.starts_with("func") {
        return Pattern::contextual(&format!("func f() {{ {text} }}"), "call_expression", grammar);
    }
    Pattern::try_new(text, grammar)
}

impl Rule {
    /// Whether its patterns are ones of its languages.
    pub(crate) fn check_patterns(&self) -> Result<(), String> {
        for find in &self.find {
            let What::Pattern(text) = &find.what else { continue };
            for language in &self.languages {
                let grammar = language.grammar();
                let read = pattern(text, grammar).map_err(|error| format!("{text:?} is no pattern of {}: {error}", language.as_str()))?;
                if read.has_error() {
                    return Err(format!("{text:?} is no pattern of {}: it cannot be parsed", language.as_str()));
                }
            }
        }
        Ok(())
    }
}
