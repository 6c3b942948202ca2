//! The modules of a package: what each is called, declares and mentions. Knows no floors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};
use syn::spanned::Spanned;

use super::declared::{self, Declared, Methods, Target};
use super::paths::{self, Ending, Mention};

/// A package's modules: those of its library (or of its program, if it has none), then those of its other programs.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) modules: Vec<Module>,
    /// The library's name in the package's programs, and its root.
    pub(super) library: Option<(String, usize)>,
    /// Every `.rs` file that was read.
    pub(super) files: BTreeSet<PathBuf>,
    /// What cannot be read: where, and why.
    pub(super) unreadable: Vec<(PathBuf, usize, String)>,
}

#[derive(Debug)]
pub(super) struct Module {
    /// Below the workspace's root.
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) parent: Option<usize>,
    /// The root of its crate.
    pub(super) root: usize,
    /// The room that it belongs to; the front door is in none.
    pub(super) room: Option<String>,
    /// Compiled for tests only.
    pub(super) test: bool,
    pub(super) names: BTreeMap<String, Vec<Def>>,
    pub(super) globs: Vec<Target>,
    pub(super) said: Vec<Said>,
    pub(super) methods: Vec<Methods>,
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Def {
    Module(usize),
    Import(Target),
    /// An item of that module. A value or a macro has no names inside.
    Item {
        module: usize,
        name: String,
        holds_names: bool,
        is_macro: bool,
    },
}

/// A path, and who says it.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) mention: Mention,
    pub(super) test: bool,
    /// The items of the front door in which it stands.
    pub(super) items: Rc<[String]>,
}

/// Crates whose macros take code of other programs: their names may mean nothing else.
const QUOTING: [&str; 2] = ["quote", "syn"];

/// Where the files of a module's children are.
struct Place {
    file: PathBuf,
    children: PathBuf,
    test_lines: declared::Ranges,
}

/// Reads the package whose sources are in `folder`, below `root`.
pub(super) fn read(root: &Path, folder: &str, library_name: &str) -> Result<Tree> {
    let mut reader = Reader { root, tree: Tree::default() };
    let folder = Path::new(folder);
    let (library, program) = (folder.join("lib.rs"), folder.join("main.rs"));
    let has_library = root.join(&library).is_file();
    if has_library {
        reader.tree.library = Some((library_name.to_owned(), 0));
        reader.crate_root(&library, None)?;
    }
    if root.join(&program).is_file() {
        reader.crate_root(&program, has_library.then(|| "bin/main".to_owned()))?;
    }
    for (name, file) in programs(root, &folder.join("bin"))? {
        reader.crate_root(&file, Some(format!("bin/{name}")))?;
    }
    Ok(reader.tree)
}

/// `src/bin/name.rs` and `src/bin/name/main.rs`.
fn programs(root: &Path, folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return Ok(found) };
    for entry in entries {
        let path = folder.join(entry?.file_name());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let inner = path.join("main.rs");
        if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(name, path);
        } else if root.join(&inner).is_file() {
            found.insert(name, inner);
        }
    }
    Ok(found)
}

struct Reader<'a> {
    root: &'a Path,
    tree: Tree,
}

impl Reader<'_> {
    fn crate_root(&mut self, file: &Path, room: Option<String>) -> Result<()> {
        let root = self.tree.modules.len();
        let module = Module {
            file: file.to_owned(),
            line: 1,
            parent: None,
            root,
            room,
            test: false,
            names: BTreeMap::new(),
            globs: Vec::new(),
            said: Vec::new(),
            methods: Vec::new(),
        };
        self.tree.modules.push(module);
        let children = file.parent().unwrap_or(Path::new("")).to_owned();
        self.file(root, file, children)
    }

    fn file(&mut self, id: usize, file: &Path, children: PathBuf) -> Result<()> {
        self.tree.files.insert(file.to_owned());
        let text =
            std::fs::read_to_string(self.root.join(file)).with_context(|| format!("cannot read {}", file.display()))?;
        let parsed = match syn::parse_file(&text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let line = error.span().start().line;
                self.tree.unreadable.push((file.to_owned(), line, format!("this is not Rust: {error}")));
                return Ok(());
            }
        };
        self.tree.modules[id].test |= declared::is_test(&parsed.attrs);
        let place = Place { file: file.to_owned(), children, test_lines: declared::test_ranges(&parsed) };
        self.fill(id, &parsed.attrs, &parsed.items, &place)
    }

    /// First every name that the items declare, then what they mention.
    fn fill(&mut self, id: usize, attributes: &[syn::Attribute], items: &[syn::Item], place: &Place) -> Result<()> {
        for item in items {
            match item {
                syn::Item::Mod(module) => self.child(id, module, place)?,
                item => self.declare(id, item, place),
            }
        }
        self.mentions(id, Rc::new([]), place, attributes.iter().map(quote::ToTokens::to_token_stream).collect());
        for item in items {
            let front = self.tree.modules[id].room.is_none();
            let owners = if front { declared::owners(item) } else { Vec::new() };
            let tokens = match item {
                syn::Item::Mod(module) => module.attrs.iter().map(quote::ToTokens::to_token_stream).collect(),
                item => quote::ToTokens::to_token_stream(item),
            };
            self.mentions(id, owners.into(), place, tokens);
        }
        Ok(())
    }

    fn declare(&mut self, id: usize, item: &syn::Item, place: &Place) {
        let Declared { names, imports, globs, macros, methods, inner_modules, item_macros } = declared::read(item);
        let root = self.tree.modules[id].root;
        let module = &mut self.tree.modules[id];
        for (name, holds_names) in names {
            module.names.entry(name.clone()).or_default().push(Def::Item {
                module: id,
                name,
                holds_names,
                is_macro: false,
            });
        }
        for (name, mut target) in imports {
            if QUOTING.contains(&name.as_str()) && target.segments[0] != name {
                let why = format!("the name `{name}` is kept for the crate");
                self.tree.unreadable.push((place.file.clone(), target.at.line, why));
            }
            target.in_test = module.test || place.test_lines.contain(target.at);
            module.names.entry(name).or_default().push(Def::Import(target));
        }
        module.globs.extend(globs);
        module.methods.extend(methods);
        let front = module.room.is_none();
        for (name, is_exported) in macros {
            let def = Def::Item { module: id, name: name.clone(), holds_names: false, is_macro: true };
            self.tree.modules[id].names.entry(name.clone()).or_default().push(def.clone());
            if is_exported && id != root {
                self.tree.modules[root].names.entry(name).or_default().push(def);
            }
        }
        for line in inner_modules {
            let why = "a module inside of a function cannot be followed".to_owned();
            self.tree.unreadable.push((place.file.clone(), line, why));
        }
        for line in item_macros.into_iter().filter(|_| front) {
            let why = "what a macro declares in the front door cannot be followed".to_owned();
            self.tree.unreadable.push((place.file.clone(), line, why));
        }
    }

    fn child(&mut self, parent: usize, item: &syn::ItemMod, place: &Place) -> Result<()> {
        let name = syn::ext::IdentExt::unraw(&item.ident).to_string();
        if QUOTING.contains(&name.as_str()) {
            let why = format!("the name `{name}` is kept for the crate");
            self.tree.unreadable.push((place.file.clone(), item.span().start().line, why));
        }
        let Module { root, room, test, .. } = &self.tree.modules[parent];
        let is_sign = item.content.as_ref().is_some_and(|(_, items)| declared::only_exports(items));
        let room = match room {
            Some(room) => Some(room.clone()),
            None if is_sign => None,
            None => Some(name.clone()),
        };
        let module = Module {
            file: place.file.clone(),
            line: item.span().start().line,
            parent: Some(parent),
            root: *root,
            room,
            test: *test || declared::is_test(&item.attrs),
            names: BTreeMap::new(),
            globs: Vec::new(),
            said: Vec::new(),
            methods: Vec::new(),
        };
        let id = self.tree.modules.len();
        self.tree.modules.push(module);
        self.tree.modules[parent].names.entry(name.clone()).or_default().push(Def::Module(id));
        if let Some((_, items)) = &item.content {
            let place = Place {
                file: place.file.clone(),
                children: place.children.join(&name),
                test_lines: place.test_lines.clone(),
            };
            return self.fill(id, &[], items, &place);
        }
        let Some((file, children)) = self.file_of(&name, item, place) else {
            let why = format!("the file of module `{name}` is not there");
            self.tree.unreadable.push((place.file.clone(), item.span().start().line, why));
            return Ok(());
        };
        self.tree.modules[id].file.clone_from(&file);
        self.tree.modules[id].line = 1;
        self.file(id, &file, children)
    }

    /// The file of a module, and the folder of its children.
    fn file_of(&self, name: &str, item: &syn::ItemMod, place: &Place) -> Option<(PathBuf, PathBuf)> {
        let there = |path: &PathBuf| self.root.join(path).is_file();
        if let Some(path) = declared::path_attribute(&item.attrs) {
            let file = place.file.parent()?.join(path);
            let children = file.parent()?.to_owned();
            return Some((file, children)).filter(|(file, _)| there(file));
        }
        let folder = place.children.join(name);
        [place.children.join(format!("{name}.rs")), folder.join("mod.rs")]
            .into_iter()
            .find(there)
            .map(|file| (file, folder))
    }

    fn mentions(&mut self, id: usize, items: Rc<[String]>, place: &Place, tokens: proc_macro2::TokenStream) {
        let module = &self.tree.modules[id];
        let found = paths::collect(tokens, &|path| module.quotes(path));
        let test = module.test;
        let said = found.mentions.into_iter().map(|mention| {
            let test = test || place.test_lines.contain(mention.at);
            Said { mention, test, items: Rc::clone(&items) }
        });
        let said: Vec<_> = said.collect();
        self.tree.modules[id].imports_of_macros(&said);
        self.tree.modules[id].said.extend(said);
        for at in found.hidden_modules {
            let why = "a module that a macro declares cannot be followed".to_owned();
            self.tree.unreadable.push((place.file.clone(), at.line, why));
        }
    }
}

impl Module {
    /// A `use` in a macro's arguments declares a name like any other.
    fn imports_of_macros(&mut self, said: &[Said]) {
        for Said { mention, test, .. } in said.iter().filter(|said| said.mention.import && said.mention.in_macro()) {
            let Mention { segments, leading, at, .. } = mention;
            let target = Target { segments: segments.clone(), leading: *leading, at: *at, in_test: *test };
            let last = segments.iter().rev().find(|segment| *segment != "self");
            match (mention.ending, mention.alias.as_ref().or(last)) {
                (Ending::Glob, _) => self.globs.push(target),
                (_, Some(name)) => self.names.entry(name.clone()).or_default().push(Def::Import(target)),
                _ => {}
            }
        }
    }

    /// Whether this macro's argument is data: `quote!` and its like, out of the crates that everyone knows.
    fn quotes(&self, path: &[String]) -> bool {
        let known = |path: &[String]| match path {
            [of, name] => match of.as_str() {
                "quote" => matches!(name.as_str(), "quote" | "quote_spanned"),
                "syn" => matches!(name.as_str(), "parse_quote" | "parse_quote_spanned"),
                _ => false,
            },
            _ => false,
        };
        match path {
            [name] => self.names.get(name).is_some_and(|defs| {
                !defs.is_empty() && defs.iter().all(|def| matches!(def, Def::Import(target) if known(&target.segments)))
            }),
            path => known(path) && !self.names.contains_key(&path[0]),
        }
    }
}
