//! The public items of a crate as its sources have them, with their docs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, Visibility};

/// A public item, or a part of one.
pub(crate) struct Documented {
    /// The module that declares it, from the crate's root.
    pub(crate) module: String,
    /// What it belongs to, such as the type of a field; empty for an item of its own.
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Whether it is a field, a variant or a setter.
    pub(crate) is_part: bool,
    pub(crate) doc: String,
}

impl Documented {
    pub(crate) fn path(&self) -> String {
        let parts = [&self.module, &self.owner, &self.name];
        parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("::")
    }
}

/// A module with its items; `file` has those of its children beside it.
struct Module {
    path: Vec<String>,
    is_pub: bool,
    /// Its own docs, inside and outside.
    doc: String,
    items: Vec<Item>,
    file: PathBuf,
}

/// Every item that users see of the crate whose root this file is.
pub(crate) fn public(root: &Path) -> Vec<Documented> {
    let mut modules = Vec::new();
    let file = parsed(root);
    let doc = doc(&file.attrs, root);
    collect(Module { path: Vec::new(), is_pub: true, doc, items: file.items, file: root.into() }, &mut modules);
    let seen = Seen::of(&modules);
    let macros = macros(&modules);
    let mut found = Vec::new();
    for module in &modules {
        let visible = seen.has(module);
        if visible {
            found.push(module_itself(module));
        }
        for item in &module.items {
            Parts { module, visible, seen: &seen, macros: &macros, found: &mut found }.item(item);
        }
    }
    found
}

fn parsed(file: &Path) -> syn::File {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn collect(module: Module, modules: &mut Vec<Module>) {
    for item in &module.items {
        let Item::Mod(child) = item else { continue };
        if is_hidden(&child.attrs) {
            continue;
        }
        let path: Vec<String> = module.path.iter().cloned().chain([child.ident.to_string()]).collect();
        let is_pub = matches!(child.vis, Visibility::Public(_));
        let outside = doc(&child.attrs, &module.file);
        let (file, items, inside) = match &child.content {
            Some((_, items)) => (folder(&module.file).join(child.ident.to_string()), items.clone(), String::new()),
            None => {
                let file = folder(&module.file).join(format!("{}.rs", child.ident));
                let parsed = parsed(&file);
                let inside = doc(&parsed.attrs, &file);
                (file, parsed.items, inside)
            }
        };
        collect(Module { path, is_pub, doc: outside + &inside, items, file }, modules);
    }
    modules.push(module);
}

/// Where the children of a file are.
fn folder(file: &Path) -> PathBuf {
    let is_root = file.file_name().is_some_and(|name| name == "lib.rs");
    if is_root { file.with_file_name("") } else { file.with_extension("") }
}

/// What re-exports show.
struct Seen {
    modules: BTreeSet<Vec<String>>,
    names: BTreeSet<String>,
    /// Types, for the methods that stand elsewhere.
    types: BTreeSet<String>,
}

impl Seen {
    fn of(modules: &[Module]) -> Self {
        let mut seen = Self { modules: BTreeSet::new(), names: BTreeSet::new(), types: BTreeSet::new() };
        loop {
            let before = (seen.modules.len(), seen.names.len());
            for module in modules {
                let parent = module.path.split_last().map(|(_, parent)| parent.to_vec());
                let shown = parent.is_none_or(|parent| seen.modules.contains(&parent));
                let named = module.path.last().is_some_and(|name| seen.names.contains(name));
                let spread = module.path.last().is_some_and(|name| seen.names.contains(&format!("{name}::*")));
                if module.is_pub && (shown || named) || spread {
                    seen.modules.insert(module.path.clone());
                }
            }
            for module in modules.iter().filter(|module| seen.modules.contains(&module.path)) {
                for item in &module.items {
                    if let Item::Use(item) = item
                        && matches!(item.vis, Visibility::Public(_))
                    {
                        leaves(&item.tree, "", &mut seen.names);
                    }
                }
            }
            if before == (seen.modules.len(), seen.names.len()) {
                break;
            }
        }
        for module in modules {
            for item in &module.items {
                if let Some((name, vis)) = declared(item)
                    && matches!(vis, Visibility::Public(_))
                    && (seen.modules.contains(&module.path) || seen.names.contains(&name))
                {
                    seen.types.insert(name);
                }
            }
        }
        seen
    }

    fn has(&self, module: &Module) -> bool {
        self.modules.contains(&module.path)
    }
}

fn declared(item: &Item) -> Option<(String, &Visibility)> {
    match item {
        Item::Struct(item) => Some((item.ident.to_string(), &item.vis)),
        Item::Enum(item) => Some((item.ident.to_string(), &item.vis)),
        Item::Trait(item) => Some((item.ident.to_string(), &item.vis)),
        _ => None,
    }
}

/// The names that a re-export shows; `name::*` for what a module has.
fn leaves(tree: &syn::UseTree, last: &str, names: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, &path.ident.to_string(), names),
        syn::UseTree::Name(name) if name.ident == "self" => drop(names.insert(last.to_owned())),
        syn::UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
        syn::UseTree::Rename(name) => drop(names.insert(name.ident.to_string())),
        syn::UseTree::Glob(_) => drop(names.insert(format!("{last}::*"))),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, last, names)),
    }
}

fn module_itself(module: &Module) -> Documented {
    let (name, parent) = module.path.split_last().map_or((String::new(), &[][..]), |(name, rest)| (name.clone(), rest));
    Documented { module: parent.join("::"), owner: String::new(), name, is_part: false, doc: module.doc.clone() }
}

/// A macro of the crate with the methods that it makes, and the macros that it calls.
struct Maker {
    name: String,
    methods: Vec<(String, String)>,
    calls: Vec<String>,
}

fn macros(modules: &[Module]) -> Vec<Maker> {
    let items = modules.iter().flat_map(|module| &module.items);
    let macros = items.filter_map(|item| match item {
        Item::Macro(item) => item.ident.as_ref().map(|name| (name.to_string(), item.mac.tokens.clone())),
        _ => None,
    });
    macros.map(|(name, tokens)| Maker { name, methods: written(&tokens), calls: called(&tokens) }).collect()
}

struct Parts<'a> {
    module: &'a Module,
    visible: bool,
    seen: &'a Seen,
    macros: &'a [Maker],
    found: &'a mut Vec<Documented>,
}

impl Parts<'_> {
    fn add(&mut self, owner: &str, name: &str, doc: String) {
        let module = self.module.path.join("::");
        self.found.push(Documented { module, owner: owner.to_owned(), name: name.to_owned(), is_part: false, doc });
    }

    fn part(&mut self, owner: &str, name: &str, attrs: &[Attribute]) {
        let doc = self.doc(attrs);
        self.add(owner, name, doc);
        self.found.iter_mut().rev().take(1).for_each(|item| item.is_part = true);
    }

    fn shows(&self, name: &str, vis: &Visibility, attrs: &[Attribute]) -> bool {
        let is_pub = matches!(vis, Visibility::Public(_)) && !is_hidden(attrs);
        is_pub && (self.visible || self.seen.names.contains(name))
    }

    fn doc(&self, attrs: &[Attribute]) -> String {
        doc(attrs, &self.module.file)
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Struct(item) => self.structure(item),
            Item::Enum(item) => self.enumeration(item),
            Item::Trait(item) => self.interface(item),
            Item::Fn(item) => self.plain(&item.sig.ident.to_string(), &item.vis, &item.attrs),
            Item::Const(item) => self.plain(&item.ident.to_string(), &item.vis, &item.attrs),
            Item::Static(item) => self.plain(&item.ident.to_string(), &item.vis, &item.attrs),
            Item::Type(item) => self.plain(&item.ident.to_string(), &item.vis, &item.attrs),
            Item::Impl(item) if item.trait_.is_none() => self.methods(item),
            Item::Macro(item) => self.called(item),
            _ => {}
        }
    }

    fn plain(&mut self, name: &str, vis: &Visibility, attrs: &[Attribute]) {
        if self.shows(name, vis, attrs) {
            let doc = self.doc(attrs);
            self.add("", name, doc);
        }
    }

    fn structure(&mut self, item: &syn::ItemStruct) {
        let name = item.ident.to_string();
        if self.shows(&name, &item.vis, &item.attrs) {
            self.plain(&name, &item.vis, &item.attrs);
            self.fields(&name, &item.fields, false);
        }
    }

    fn fields(&mut self, owner: &str, fields: &syn::Fields, of_variant: bool) {
        for field in fields {
            let shown = (of_variant || matches!(field.vis, Visibility::Public(_))) && !is_hidden(&field.attrs);
            if let (true, Some(name)) = (shown, &field.ident) {
                self.part(owner, &name.to_string(), &field.attrs);
            }
        }
    }

    fn enumeration(&mut self, item: &syn::ItemEnum) {
        let name = item.ident.to_string();
        if !self.shows(&name, &item.vis, &item.attrs) {
            return;
        }
        self.plain(&name, &item.vis, &item.attrs);
        for variant in item.variants.iter().filter(|variant| !is_hidden(&variant.attrs)) {
            self.part(&name, &variant.ident.to_string(), &variant.attrs);
            self.fields(&format!("{name}::{}", variant.ident), &variant.fields, true);
        }
    }

    fn interface(&mut self, item: &syn::ItemTrait) {
        let name = item.ident.to_string();
        if !self.shows(&name, &item.vis, &item.attrs) {
            return;
        }
        self.plain(&name, &item.vis, &item.attrs);
        for part in &item.items {
            let (part, attrs) = match part {
                syn::TraitItem::Fn(part) => (part.sig.ident.to_string(), &part.attrs),
                syn::TraitItem::Const(part) => (part.ident.to_string(), &part.attrs),
                syn::TraitItem::Type(part) => (part.ident.to_string(), &part.attrs),
                _ => continue,
            };
            if !is_hidden(attrs) {
                let doc = self.doc(attrs);
                self.add(&name, &part, doc);
            }
        }
    }

    fn methods(&mut self, item: &syn::ItemImpl) {
        let Some(owner) = type_name(&item.self_ty) else { return };
        if !self.seen.types.contains(&owner) || is_hidden(&item.attrs) {
            return;
        }
        for part in &item.items {
            let (name, vis, attrs, is_setter) = match part {
                syn::ImplItem::Fn(part) => (part.sig.ident.to_string(), &part.vis, &part.attrs, is_setter(&part.sig)),
                syn::ImplItem::Const(part) => (part.ident.to_string(), &part.vis, &part.attrs, false),
                _ => continue,
            };
            if matches!(vis, Visibility::Public(_)) && !is_hidden(attrs) {
                let doc = self.doc(attrs);
                self.add(&owner, &name, doc);
                self.found.iter_mut().rev().take(1).for_each(|item| item.is_part = is_setter);
            }
        }
    }

    /// A macro of ours that users see; or one that is called here, with what its tokens and its own arms document.
    fn called(&mut self, item: &syn::ItemMacro) {
        if let Some(name) = &item.ident {
            let exported = item.attrs.iter().any(|attr| attr.path().is_ident("macro_export"));
            if exported && !is_hidden(&item.attrs) {
                let doc = self.doc(&item.attrs);
                self.add("", &name.to_string(), doc);
            }
            return;
        }
        let Some(name) = item.mac.path.segments.last().map(|segment| segment.ident.to_string()) else { return };
        let owner = first_ident(&item.mac.tokens).unwrap_or_else(|| name.clone());
        if self.visible || self.seen.types.contains(&owner) || self.seen.names.contains(&owner) {
            let macros = self.macros;
            for (method, doc) in written(&item.mac.tokens).into_iter().chain(made_by(macros, &name)) {
                self.add(&owner, &method, doc);
            }
        }
    }
}

/// What a macro makes, with what the macros make that it calls; arms repeat it.
fn made_by(macros: &[Maker], name: &str) -> Vec<(String, String)> {
    let Some(maker) = macros.iter().find(|maker| maker.name == name) else { return Vec::new() };
    let nested = maker.calls.iter().filter(|call| *call != name).flat_map(|call| made_by(macros, call));
    let mut made: Vec<_> = maker.methods.iter().cloned().chain(nested).collect();
    made.sort();
    made.dedup();
    made
}

/// Whether a method takes the value and gives it back, as the setter of a field or of a parameter does.
fn is_setter(signature: &syn::Signature) -> bool {
    let takes = signature.receiver().is_some_and(|receiver| !receiver.to_token_stream().to_string().starts_with('&'));
    let gives =
        matches!(&signature.output, syn::ReturnType::Type(_, ty) if type_name(ty).is_some_and(|name| name == "Self"));
    takes && gives
}

fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

fn first_ident(tokens: &TokenStream) -> Option<String> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident != "pub" && ident != "struct" && ident != "enum" => Some(ident.to_string()),
        _ => None,
    })
}

/// The documented public functions in the tokens of a macro, at any depth: name and doc.
fn written(tokens: &TokenStream) -> Vec<(String, String)> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let (mut found, mut doc) = (Vec::new(), String::new());
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        let attribute = match (tree, trees.get(at + 1)) {
            (TokenTree::Punct(sign), Some(TokenTree::Group(group))) if sign.as_char() == '#' => Some(group),
            _ => None,
        };
        if let Some(group) = attribute {
            doc.push_str(&doc_of_tokens(&group.stream()));
            at += 2;
            continue;
        }
        match tree {
            TokenTree::Ident(word) if word == "pub" && !doc.is_empty() => {
                let words = trees[at + 1..].iter().take(4).map(ToString::to_string).collect::<Vec<_>>();
                let name = words.iter().position(|word| word == "fn").and_then(|at| words.get(at + 1));
                if let (Some(name), false) = (name, words[0].starts_with('(')) {
                    found.push((name.clone(), std::mem::take(&mut doc)));
                }
            }
            TokenTree::Group(group) => found.extend(written(&group.stream())),
            _ => {}
        }
        doc.clear();
        at += 1;
    }
    found
}

/// The macros of this crate that an arm calls.
fn called(tokens: &TokenStream) -> Vec<String> {
    let text = tokens.to_string();
    let calls = text.split("crate").skip(1).filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix("::")?.trim_start();
        let (name, after) = rest.split_at(rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?);
        after.trim_start().starts_with('!').then(|| name.to_owned())
    });
    calls.collect()
}

fn doc_of_tokens(tokens: &TokenStream) -> String {
    match syn::parse2::<syn::MetaNameValue>(tokens.clone()) {
        Ok(pair) if pair.path.is_ident("doc") => text_of(&pair.value, Path::new("")),
        _ => String::new(),
    }
}

fn doc(attrs: &[Attribute], file: &Path) -> String {
    let docs = attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    docs.filter_map(|attr| attr.meta.require_name_value().ok()).map(|pair| text_of(&pair.value, file)).collect()
}

/// The text of one line, or of a file that is the doc.
fn text_of(value: &syn::Expr, file: &Path) -> String {
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => text.value().trim().to_owned() + "\n",
        syn::Expr::Macro(call) => {
            let Ok(path) = call.mac.parse_body::<syn::LitStr>() else { return String::new() };
            std::fs::read_to_string(file.with_file_name(path.value())).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Hidden, for tests only, or a room of the macros, which nobody reads.
fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let meta = attr.meta.to_token_stream().to_string().replace(' ', "");
        meta == "doc(hidden)"
            || meta == "allow(missing_docs)"
            || meta.starts_with("cfg(test")
            || meta.starts_with("cfg(all(test")
    })
}
