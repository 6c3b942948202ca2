//! Which module uses which, and where it says so. Knows no floors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::methods::Foreign;
use super::paths::{Ending, Mention};
use super::resolve::{self, Reach};
use super::tree::{Def, Said, Tree};

/// One module uses another of the same or of another room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    /// The path as it is written.
    pub(super) path: String,
    /// The path names an item of the front door, which is made of the other module.
    pub(super) through_front: bool,
}

/// A path that cannot be followed.
#[derive(Debug)]
pub(super) struct Loose {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) why: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Edges {
    pub(super) edges: BTreeSet<Edge>,
    pub(super) loose: Vec<Loose>,
}

/// Every use outside of tests; the front door's own uses are left out.
pub(super) fn edges(tree: &Tree) -> Edges {
    let mut collector = Collector { tree, macros: macros(tree), foreign: Foreign::read(tree), found: Edges::default() };
    for (id, module) in tree.modules.iter().enumerate().filter(|(_, module)| module.room.is_some()) {
        for said in module.said.iter().filter(|said| !said.test) {
            collector.mention(id, said);
        }
    }
    collector.found
}

/// Macros are found by their bare name too: where each is defined.
fn macros(tree: &Tree) -> BTreeMap<&str, BTreeSet<usize>> {
    let mut found: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for module in &tree.modules {
        for def in module.names.values().flatten() {
            if let Def::Item { module, name, is_macro: true, .. } = def {
                found.entry(name).or_default().insert(*module);
            }
        }
    }
    found
}

struct Collector<'a> {
    tree: &'a Tree,
    macros: BTreeMap<&'a str, BTreeSet<usize>>,
    foreign: Foreign,
    found: Edges,
}

impl Collector<'_> {
    fn mention(&mut self, id: usize, said: &Said) {
        let mention = &said.mention;
        if let Some(why) = self.why_loose(id, mention) {
            let (file, line) = (self.tree.modules[id].file.clone(), mention.at.line);
            self.found.loose.push(Loose { file, line, path: shown(mention), why });
            return;
        }
        let reach = self.reach(id, said);
        let mut inherited = BTreeSet::new();
        self.inherit(&reach.front_items, &mut inherited, &mut BTreeSet::new());
        for to in reach.modules {
            self.edge(id, to, mention, false);
        }
        for to in inherited {
            self.edge(id, to, mention, true);
        }
    }

    fn edge(&mut self, from: usize, to: usize, mention: &Mention, through_front: bool) {
        let [user, used] = [from, to].map(|id| &self.tree.modules[id]);
        if used.room.is_none() || (user.room == used.room && user.file == used.file) {
            return;
        }
        let (file, line, path) = (user.file.clone(), mention.at.line, shown(mention));
        self.found.edges.insert(Edge { file, line, from, to, path, through_front });
    }

    fn reach(&self, id: usize, said: &Said) -> Reach {
        let Mention { segments, leading, ending, import, .. } = &said.mention;
        match &segments[..] {
            [name] if *ending == Ending::Method => return self.reach_of_method(id, name),
            [name] if !import && !leading && !is_way_up(segments) => return self.reach_of_name(id, name, *ending),
            _ => {}
        }
        let mut reach = resolve::reach(self.tree, id, segments, *leading);
        if *ending == Ending::Glob {
            self.everything_shown(&mut reach);
        }
        if said.mention.in_macro() && segments[0] == "super" {
            let below = segments.iter().skip_while(|segment| *segment == "super").cloned();
            let from_root: Vec<_> = ["crate".to_owned()].into_iter().chain(below).collect();
            reach.modules.extend(resolve::reach(self.tree, id, &from_root, false).modules);
        }
        if !import && !leading {
            let known = resolve::reach_of_import(self.tree, id, &segments[0], said.test);
            reach.modules.retain(|module| !known.modules.contains(module));
        }
        if let Some(last) = segments.last() {
            let items = reach.items.clone();
            self.methods_of(&mut reach, self.foreign.of_items(&items, last));
        }
        reach
    }

    /// A method needs the module that wrote it; in a front door, what the type's methods there are made of.
    fn methods_of<'a>(&self, reach: &mut Reach, writers: impl Iterator<Item = (usize, &'a str)>) {
        for (writer, of) in writers {
            reach.modules.insert(writer);
            if self.tree.modules[writer].room.is_none() {
                reach.front_items.insert((writer, of.to_owned()));
            }
        }
    }

    /// An import of everything in a module of the front door is an import of each.
    fn everything_shown(&self, reach: &mut Reach) {
        for end in self.with_globs(&reach.ends) {
            let module = &self.tree.modules[end];
            reach.modules.insert(end);
            for name in module.names.keys().filter(|_| module.room.is_none()) {
                let one = resolve::reach(self.tree, end, &["self".to_owned(), name.clone()], false);
                reach.modules.extend(one.modules);
                reach.front_items.extend(one.front_items);
            }
        }
    }

    /// These modules, and those of which the front door's among them import everything.
    fn with_globs(&self, ends: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open: Vec<_> = ends.iter().copied().collect();
        while let Some(end) = open.pop() {
            let module = &self.tree.modules[end];
            if found.insert(end) && module.room.is_none() {
                let globs =
                    module.globs.iter().map(|glob| resolve::reach(self.tree, end, &glob.segments, glob.leading));
                open.extend(globs.flat_map(|glob| glob.ends));
            }
        }
        found
    }

    /// A name that stands alone: its import is a use already, unless it came with everything else.
    fn reach_of_name(&self, id: usize, name: &str, ending: Ending) -> Reach {
        if resolve::hides_globs(self.tree, id, name) {
            return Reach::default();
        }
        let mut reach = resolve::reach_through_globs(self.tree, id, name);
        if ending == Ending::Macro && reach.modules.is_empty() && !self.has_macro(id, name) {
            for &module in self.macros.get(name).into_iter().flatten() {
                reach.modules.insert(module);
                if self.tree.modules[module].room.is_none() {
                    reach.front_items.insert((module, name.to_owned()));
                }
            }
        }
        reach
    }

    fn reach_of_method(&self, id: usize, name: &str) -> Reach {
        let room = &self.tree.modules[id].room;
        let elsewhere = |(writer, _): &(usize, &str)| self.tree.modules[*writer].room != *room;
        let mut reach = Reach::default();
        self.methods_of(&mut reach, self.foreign.of_name(name).filter(elsewhere));
        reach
    }

    /// Whether a macro is imported in this module, or defined in its room.
    fn has_macro(&self, id: usize, name: &str) -> bool {
        let module = &self.tree.modules[id];
        let is_import = |def: &Def| matches!(def, Def::Import(_));
        let of_room = |definer: &usize| self.tree.modules[*definer].room == module.room;
        module.names.get(name).is_some_and(|defs| defs.iter().any(is_import))
            || self.macros.get(name).is_some_and(|definers| definers.iter().any(of_room))
    }

    /// An item of the front door is made of what its definition names.
    fn inherit(
        &self,
        items: &BTreeSet<(usize, String)>,
        modules: &mut BTreeSet<usize>,
        seen: &mut BTreeSet<(usize, String)>,
    ) {
        for (front, name) in items {
            if !seen.insert((*front, name.clone())) {
                continue;
            }
            let of_item = |said: &&Said| !said.test && said.items.contains(name);
            for said in self.tree.modules[*front].said.iter().filter(of_item) {
                let whole = resolve::reach(self.tree, *front, &said.mention.segments, said.mention.leading);
                modules.extend(&whole.modules);
                self.inherit(&whole.front_items, modules, seen);
            }
        }
    }

    /// A macro can put a path together out of pieces. Where that could lead anywhere, nobody can say what is used.
    fn why_loose(&self, id: usize, mention: &Mention) -> Option<&'static str> {
        let Mention { segments, leading, ending, import, macros, .. } = mention;
        if *ending == Ending::Method {
            return None;
        }
        if segments.last().is_some_and(|last| last == "include") && (*ending == Ending::Macro || *import) {
            return Some("`include!` brings in code that belongs to no module");
        }
        let reach = resolve::reach(self.tree, id, segments, *leading);
        let ends_at_front = reach.ends.iter().any(|end| self.tree.modules[*end].room.is_none());
        let is_up_in_macro = mention.in_macro() && is_way_up(segments);
        match ending {
            Ending::Glob if self.with_globs(&reach.ends).iter().any(|end| self.is_front_root(*end)) => {
                return Some("it brings in every room");
            }
            Ending::Glob | Ending::Open if is_up_in_macro => {
                return Some("where a macro is used, this can lead to every room");
            }
            Ending::Open if ends_at_front => return Some("a macro's variable continues it to any room"),
            Ending::Name if is_up_in_macro => {
                return Some("a macro that is given a part of a path can reach every room");
            }
            Ending::Name if ends_at_front && macros.iter().any(|name| self.is_own_macro(name)) => {
                return Some("a macro that is given the front door can reach every room");
            }
            _ => {}
        }
        reach.is_unknown.then_some("the front door declares no such name")
    }

    fn is_front_root(&self, id: usize) -> bool {
        let module = &self.tree.modules[id];
        module.room.is_none() && module.parent.is_none()
    }

    fn is_own_macro(&self, name: &str) -> bool {
        name == "macro_rules" || self.macros.contains_key(name)
    }
}

fn is_way_up(segments: &[String]) -> bool {
    segments.iter().all(|segment| matches!(segment.as_str(), "crate" | "super"))
}

fn shown(mention: &Mention) -> String {
    let Mention { segments, leading, ending, .. } = mention;
    let segments = match &segments[..] {
        [path @ .., last] if last == "self" && !path.is_empty() => path,
        all => all,
    };
    let (before, after) = match ending {
        Ending::Name => ("", ""),
        Ending::Glob => ("", "::*"),
        Ending::Macro => ("", "!"),
        Ending::Open => ("", "::$"),
        Ending::Method => (".", "()"),
    };
    format!("{before}{}{}{after}", if *leading { "::" } else { "" }, segments.join("::"))
}
