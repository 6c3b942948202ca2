//! What the names of a file stand for: its `use` items, followed to the library.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::{ItemExternCrate, ItemUse, UseTree};

/// Whether a name is the library's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Certainty {
    /// It is.
    Sure,
    /// It is if some file of the package imports this name from the library.
    IfImported(String),
}

/// The names of a file.
#[derive(Default)]
pub(super) struct Imports {
    /// The paths that a name was imported from.
    known: BTreeMap<String, Vec<Vec<String>>>,
    /// The paths of which everything was imported.
    globs: Vec<Vec<String>>,
    /// Types that the file defines itself.
    own: BTreeSet<String>,
}

impl Imports {
    pub(super) fn of(file: &syn::File) -> Self {
        let mut imports = Self::default();
        imports.visit_file(file);
        imports
    }

    /// What a path stands for: whether it is `wanted` of the library, which the manifests call by one of `names`.
    pub(super) fn is(&self, path: &[String], wanted: &str, names: &BTreeSet<String>) -> Option<Certainty> {
        let (first, rest) = path.split_first()?;
        if let Some(origins) = self.known.get(first) {
            let whole = |origin: &Vec<String>| origin.iter().chain(rest).cloned().collect::<Vec<_>>();
            let mut judged = origins.iter().filter_map(|origin| judge(&whole(origin), wanted, names));
            return judged.next();
        }
        if path.len() > 1 {
            return judge(path, wanted, names);
        }
        if self.own.contains(first) {
            return None;
        }
        let mut through = self.globs.iter().filter_map(|glob| {
            let whole: Vec<String> = glob.iter().chain(path).cloned().collect();
            judge(&whole, wanted, names)
        });
        through.next()
    }

    /// The names under which the file has things of the library.
    pub(super) fn own_names(&self, names: &BTreeSet<String>) -> Vec<String> {
        let is_ours = |origins: &Vec<Vec<String>>| {
            origins.iter().any(|origin| origin.first().is_some_and(|first| names.contains(first)))
        };
        let mut ours: Vec<String> =
            self.known.iter().filter(|(_, origins)| is_ours(origins)).map(|(name, _)| name.clone()).collect();
        if self.globs.iter().any(|glob| glob.first().is_some_and(|first| names.contains(first))) {
            ours.extend(["signal", "signal_block", "Signal", "NewSignal"].map(str::to_owned));
        }
        ours
    }

    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
                before.pop();
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                match before.last() {
                    Some(module) if name == "self" => self.add(module.clone(), before.clone()),
                    _ => self.add(name.clone(), joined(before, name)),
                }
            }
            UseTree::Rename(rename) => {
                let name = rename.ident.to_string();
                let origin = if name == "self" { before.clone() } else { joined(before, name) };
                self.add(rename.rename.to_string(), origin);
            }
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, before);
                }
            }
        }
    }

    fn add(&mut self, name: String, origin: Vec<String>) {
        self.known.entry(name).or_default().push(origin);
    }
}

fn joined(before: &[String], name: String) -> Vec<String> {
    before.iter().cloned().chain([name]).collect()
}

/// Whether a whole path is `wanted` of the library. A path of the own crate may lead there: by a name that a file imports.
fn judge(path: &[String], wanted: &str, names: &BTreeSet<String>) -> Option<Certainty> {
    let last = path.last()?;
    let is_relative = path.first().is_some_and(|first| matches!(first.as_str(), "crate" | "self" | "super"));
    if path.iter().any(|part| names.contains(part))
        && (is_relative || path.first().is_some_and(|first| names.contains(first)))
    {
        return (last == wanted).then_some(Certainty::Sure);
    }
    (is_relative && last == wanted).then(|| Certainty::IfImported(last.clone()))
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        if let Some((_, name)) = &item.rename {
            self.add(name.to_string(), vec![item.ident.to_string()]);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.own.insert(item.ident.to_string());
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.own.insert(item.ident.to_string());
    }
}
