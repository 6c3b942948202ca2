//! Where a path leads, through imports, re-exports and globs, to the modules that it needs. Knows no floors.

use std::collections::BTreeSet;

use super::declared::Target;
use super::tree::{Def, Tree};

/// What a path needs.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// The modules that declare or re-export what it names.
    pub(super) modules: BTreeSet<usize>,
    /// The modules that it names.
    pub(super) ends: BTreeSet<usize>,
    /// Items that it names, with the module that declares each.
    pub(super) items: BTreeSet<(usize, String)>,
    /// Items that a front door declares itself.
    pub(super) front_items: BTreeSet<(usize, String)>,
    /// A name that a front door does not declare.
    pub(super) is_unknown: bool,
}

/// Longer paths come from imports that name themselves.
const LONGEST: usize = 32;

/// Follows the path `segments`, written in module `from`.
pub(super) fn reach(tree: &Tree, from: usize, segments: &[String], leading: bool) -> Reach {
    let mut search = Search::new(tree);
    search.follow(from, segments, leading);
    search.reach
}

/// Follows a name that stands alone, as far as an import of everything brings it into module `from`.
pub(super) fn reach_through_globs(tree: &Tree, from: usize, name: &str) -> Reach {
    let mut search = Search::new(tree);
    for (holder, def) in search.brought_by_globs(from, name) {
        search.take(holder, &def, &[]);
    }
    search.reach
}

/// The items that a type's path, written in module `from`, names.
pub(super) fn reach_of_type(tree: &Tree, from: usize, of: &Target) -> BTreeSet<(usize, String)> {
    reach(tree, from, &of.segments, of.leading).items
}

/// What an explicit import of `name` in module `from` needs already.
pub(super) fn reach_of_import(tree: &Tree, from: usize, name: &str, in_test: bool) -> Reach {
    let mut search = Search::new(tree);
    for def in tree.modules[from].names.get(name).into_iter().flatten() {
        if let Def::Import(target) = def
            && (in_test || !target.in_test)
        {
            search.take(from, def, &[]);
        }
    }
    search.reach
}

struct Search<'a> {
    tree: &'a Tree,
    reach: Reach,
    followed: BTreeSet<(usize, Vec<String>)>,
    /// Names that are being looked for in globs.
    looking: BTreeSet<(usize, String)>,
}

impl<'a> Search<'a> {
    fn new(tree: &'a Tree) -> Self {
        Self { tree, reach: Reach::default(), followed: BTreeSet::new(), looking: BTreeSet::new() }
    }

    fn follow(&mut self, from: usize, segments: &[String], leading: bool) {
        let Some((first, rest)) = segments.split_first() else { return };
        if segments.len() > LONGEST || !self.followed.insert((from, segments.to_vec())) {
            return;
        }
        if leading {
            return self.through_own_name(from, first, rest);
        }
        match first.as_str() {
            "crate" => self.walk(self.tree.modules[from].root, rest),
            "self" | "super" => self.walk(from, segments),
            _ => {
                let defs = self.look_up(from, first);
                if defs.is_empty() {
                    self.through_own_name(from, first, rest);
                }
                for (holder, def) in defs {
                    self.take(holder, &def, rest);
                }
            }
        }
    }

    /// A crate may know itself by name (`extern crate self as paid`); its package's programs do.
    fn through_own_name(&mut self, from: usize, name: &str, rest: &[String]) {
        if let Some(root) = own_name(self.tree, from, name) {
            self.walk(root, rest);
        }
    }

    /// Goes on inside of module `at`.
    fn walk(&mut self, at: usize, segments: &[String]) {
        let Some((first, rest)) = segments.split_first() else {
            self.reach.ends.insert(at);
            self.reach.modules.insert(at);
            return;
        };
        match first.as_str() {
            "self" => self.walk(at, rest),
            "super" => {
                if let Some(parent) = self.tree.modules[at].parent {
                    self.walk(parent, rest);
                }
            }
            name => {
                let defs = self.look_up(at, name);
                if defs.is_empty() {
                    self.reach.modules.insert(at);
                    self.reach.is_unknown |= self.tree.modules[at].room.is_none();
                }
                for (holder, def) in defs {
                    self.take(holder, &def, rest);
                }
            }
        }
    }

    fn take(&mut self, holder: usize, def: &Def, rest: &[String]) {
        match def {
            Def::Module(module) => self.walk(*module, rest),
            Def::Import(target) => {
                self.reach.modules.insert(holder);
                let segments: Vec<_> = target.segments.iter().chain(rest).cloned().collect();
                self.follow(holder, &segments, target.leading);
            }
            Def::Item { holds_names: false, .. } if !rest.is_empty() => {}
            Def::Item { module, name, .. } => {
                self.reach.modules.insert(*module);
                self.reach.items.insert((*module, name.clone()));
                if self.tree.modules[*module].room.is_none() {
                    self.reach.front_items.insert((*module, name.clone()));
                }
            }
        }
    }

    /// What `name` stands for in module `at`, with the module that says so.
    fn look_up(&mut self, at: usize, name: &str) -> Vec<(usize, Def)> {
        let explicit = self.tree.modules[at].names.get(name);
        let mut found: Vec<_> = explicit.into_iter().flatten().map(|def| (at, def.clone())).collect();
        if !hides_globs(self.tree, at, name) {
            found.extend(self.brought_by_globs(at, name));
        }
        found
    }

    fn brought_by_globs(&mut self, at: usize, name: &str) -> Vec<(usize, Def)> {
        if !self.looking.insert((at, name.to_owned())) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for glob in &self.tree.modules[at].globs {
            for module in self.ends_of(at, glob) {
                found.extend(self.look_up(module, name));
            }
        }
        self.looking.remove(&(at, name.to_owned()));
        found
    }

    fn ends_of(&self, from: usize, glob: &Target) -> BTreeSet<usize> {
        let mut search = Search { looking: self.looking.clone(), ..Search::new(self.tree) };
        search.follow(from, &glob.segments, glob.leading);
        search.reach.ends
    }
}

/// Whether module `at` declares a type or a module `name`, which hides those that a glob brings. A value does not.
pub(super) fn hides_globs(tree: &Tree, at: usize, name: &str) -> bool {
    let hides = |def: &Def| matches!(def, Def::Module(_) | Def::Item { holds_names: true, .. });
    tree.modules[at].names.get(name).is_some_and(|defs| defs.iter().any(hides))
}

/// The root of the crate that `name` stands for in front of `::`, if it is one of this package.
pub(super) fn own_name(tree: &Tree, from: usize, name: &str) -> Option<usize> {
    let root = tree.modules[from].root;
    let says_so = |def: &Def| matches!(def, Def::Import(target) if target.segments == ["crate"]);
    if tree.modules[root].names.get(name).is_some_and(|defs| defs.iter().any(says_so)) {
        return Some(root);
    }
    tree.library.as_ref().filter(|(library, _)| library == name).map(|(_, root)| *root)
}
