//! What is known at a place: variables, and which input was checked. Branches write to a layer of their own, so that leaving one costs what it
//! changed and no more.

use super::value::Value;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

#[derive(Debug, Default)]
pub(super) struct Layer {
    variables: HashMap<Rc<str>, Value>,
    checked: HashSet<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Scope {
    layers: Vec<Layer>,
}

impl Scope {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.layers.iter().rev().find_map(|layer| layer.variables.get(name))
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        if let Some(layer) = self.layers.last_mut() {
            layer.variables.insert(name.into(), value);
        }
    }

    pub(super) fn is_checked(&self, id: u64) -> bool {
        self.layers.iter().any(|layer| layer.checked.contains(&id))
    }

    pub(super) fn check(&mut self, ids: &[u64]) {
        if let Some(layer) = self.layers.last_mut() {
            layer.checked.extend(ids);
        }
    }

    pub(super) fn push(&mut self) {
        self.layers.push(Layer::default());
    }

    pub(super) fn pop(&mut self) -> Layer {
        self.layers.pop().unwrap_or_default()
    }

    /// Takes over what one way did.
    pub(super) fn adopt(&mut self, layer: Layer) {
        for (name, value) in layer.variables {
            self.set(&name, value);
        }
        self.check(&layer.checked.into_iter().collect::<Vec<_>>());
    }

    /// Goes on after several ways of which any may have been gone.
    pub(super) fn join(&mut self, ways: Vec<Layer>) {
        let Some((first, rest)) = ways.split_first() else { return };
        let mut names: Vec<&Rc<str>> = ways.iter().flat_map(|way| way.variables.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let mut joined = Vec::new();
        for name in names {
            let before = self.get(name).cloned();
            // What a way checked is harmless after it.
            let of = |way: &Layer| Some(way.variables.get(name).or(before.as_ref())?.without(&|id| way.checked.contains(&id)));
            let mut values = ways.iter().filter_map(of);
            let Some(one) = values.next() else { continue };
            joined.push((name.clone(), values.fold(one, |one, other| Value::join(&one, &other))));
        }
        let checked: Vec<u64> = first.checked.iter().copied().filter(|id| rest.iter().all(|way| way.checked.contains(id))).collect();
        for (name, value) in joined {
            self.set(&name, value);
        }
        self.check(&checked);
    }
}
