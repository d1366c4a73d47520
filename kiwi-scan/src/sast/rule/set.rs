//! The rules of a scan.

use super::{Index, Rule, Sources, builtin, read};
use crate::sast::language::{Dialect, Language};
use kiwi_core::error::Result;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// The rules of a scan: those that come with Kiwi, one's own, or both.
#[derive(Debug, Default)]
pub struct Rules {
    builtin: bool,
    own: Vec<Rule>,
    sources: Vec<Sources>,
    indices: Mutex<Vec<Arc<Index>>>,
}

impl Rules {
    /// The rules that come with Kiwi.
    pub fn builtin() -> Self {
        Self { builtin: true, ..Self::default() }
    }

    /// No rules at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the rules of every `*.yaml` of a folder. Its `sources.yaml`, where there is one, says where more input comes from.
    ///
    /// Errors: `InvalidInput` with the file, the rule and what is wrong with it.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self> {
        let (rules, sources) = read::folder(folder)?;
        self.own.extend(rules);
        self.sources.extend(sources);
        self.indices = Mutex::default();
        Ok(self)
    }

    /// Every rule for a language.
    pub fn of(&self, language: Language) -> Vec<Rule> {
        let own = self.own.iter().filter(|rule| rule.languages.contains(&language));
        if self.builtin { builtin::rules(language).iter().chain(own).cloned().collect() } else { own.cloned().collect() }
    }

    pub(crate) fn index(&self, dialect: Dialect) -> Arc<Index> {
        let mut indices = self.indices.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = indices.iter().find(|index| index.dialect == dialect) {
            return known.clone();
        }
        let index = Arc::new(self.index_of(dialect, self.of(dialect.language)));
        indices.push(index.clone());
        index
    }

    /// An index of some rules alone.
    pub(crate) fn index_of(&self, dialect: Dialect, rules: Vec<Rule>) -> Index {
        let mut sources = builtin::sources(dialect.language).clone();
        self.sources.iter().filter(|more| more.language == dialect.language.as_str()).for_each(|more| sources.add(more));
        Index::new(dialect, rules, &sources)
    }
}
