//! Methods that one room gives to a type of another: a call of such a method uses the room that wrote it.

use std::collections::{BTreeMap, BTreeSet};

use super::resolve;
use super::tree::Tree;

/// Methods by name, with the type's module and name, and the module that wrote the method.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    methods: BTreeMap<String, BTreeSet<(usize, String, usize)>>,
    /// Names that other methods have too: a call does not say which is meant.
    ambiguous: BTreeSet<String>,
}

impl Foreign {
    pub(super) fn read(tree: &Tree) -> Self {
        let mut found = Self::default();
        let mut own = BTreeSet::new();
        for (id, module) in tree.modules.iter().enumerate() {
            for methods in &module.methods {
                let items = match &methods.of {
                    Some(of) => resolve::reach_of_type(tree, id, of),
                    None => BTreeSet::new(),
                };
                let is_foreign = |(at, _): &(usize, String)| tree.modules[*at].room != module.room;
                let foreign: Vec<_> = items.into_iter().filter(is_foreign).collect();
                if foreign.is_empty() {
                    own.extend(methods.names.iter().cloned());
                }
                for name in &methods.names {
                    let entries = foreign.iter().map(|(at, of)| (*at, of.clone(), id));
                    found.methods.entry(name.clone()).or_default().extend(entries);
                }
            }
        }
        found.methods.retain(|_, entries| !entries.is_empty());
        found.ambiguous = own.into_iter().filter(|name| found.methods.contains_key(name)).collect();
        found
    }

    /// Who wrote the method `name` of one of these types, with the type's name.
    pub(super) fn of_items<'a>(
        &'a self,
        items: &'a BTreeSet<(usize, String)>,
        name: &str,
    ) -> impl Iterator<Item = (usize, &'a str)> {
        let entries = self.methods.get(name).into_iter().flatten();
        entries.filter(|(at, of, _)| items.contains(&(*at, of.clone()))).map(|(_, of, writer)| (*writer, of.as_str()))
    }

    /// Who wrote the method `name`, if its name alone says that, with the type's name.
    pub(super) fn of_name(&self, name: &str) -> impl Iterator<Item = (usize, &str)> {
        let is_clear = !self.ambiguous.contains(name);
        let entries = self.methods.get(name).into_iter().flatten().filter(move |_| is_clear);
        entries.map(|(_, of, writer)| (*writer, of.as_str()))
    }
}
