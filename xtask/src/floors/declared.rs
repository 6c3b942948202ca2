//! What one item declares: names, imports, and whether it is for tests only. Knows no modules but the item's own.

use proc_macro2::LineColumn;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Where an import points to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) segments: Vec<String>,
    /// `::` stands before it.
    pub(super) leading: bool,
    /// Where it is written.
    pub(super) at: LineColumn,
    /// Only tests import it.
    pub(super) in_test: bool,
}

impl Target {
    fn new(segments: Vec<String>, leading: bool, at: LineColumn) -> Self {
        Self { segments, leading, at, in_test: false }
    }
}

/// What an item declares, in its functions' bodies too.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// With whether it can hold names itself, as a type can.
    pub(super) names: Vec<(String, bool)>,
    pub(super) imports: Vec<(String, Target)>,
    pub(super) globs: Vec<Target>,
    /// With whether they are also names of the crate's root.
    pub(super) macros: Vec<(String, bool)>,
    pub(super) methods: Vec<Methods>,
    /// Lines with a module inside of a function.
    pub(super) inner_modules: Vec<usize>,
    /// Lines where a macro stands in place of an item.
    pub(super) item_macros: Vec<usize>,
}

/// Reads an item that is not a module.
pub(super) fn read(item: &syn::Item) -> Declared {
    let mut declared = Declared::default();
    if let Some((name, holds_names)) = name_of(item) {
        declared.names.push((name, holds_names));
    }
    if let syn::Item::Macro(item) = item
        && item.ident.is_none()
    {
        declared.item_macros.push(item.span().start().line);
    }
    declared.visit_item(item);
    declared
}

/// An item's name, and whether names can stand behind it.
fn name_of(item: &syn::Item) -> Option<(String, bool)> {
    let (ident, holds_names) = match item {
        syn::Item::Const(item) => (&item.ident, false),
        syn::Item::Enum(item) => (&item.ident, true),
        syn::Item::Fn(item) => (&item.sig.ident, false),
        syn::Item::Static(item) => (&item.ident, false),
        syn::Item::Struct(item) => (&item.ident, true),
        syn::Item::Trait(item) => (&item.ident, true),
        syn::Item::TraitAlias(item) => (&item.ident, true),
        syn::Item::Type(item) => (&item.ident, true),
        syn::Item::Union(item) => (&item.ident, true),
        _ => return None,
    };
    Some((ident.unraw().to_string(), holds_names))
}

/// The names under which a use of this item's parts is found: its own; that of the type, and of the trait, it implements.
pub(super) fn owners(item: &syn::Item) -> Vec<String> {
    let last = |path: &syn::Path| path.segments.last().map(|segment| segment.ident.unraw().to_string());
    match item {
        syn::Item::Impl(item) => {
            let of_type = type_path(&item.self_ty).and_then(last);
            let of_trait = item.trait_.as_ref().and_then(|(path, _)| last(path));
            of_type.into_iter().chain(of_trait).collect()
        }
        syn::Item::Macro(item) => item.ident.iter().map(|ident| ident.unraw().to_string()).collect(),
        item => name_of(item).into_iter().map(|(name, _)| name).collect(),
    }
}

fn type_path(of: &syn::Type) -> Option<&syn::Path> {
    match of {
        syn::Type::Path(of) => Some(&of.path),
        _ => None,
    }
}

/// The functions and constants that an `impl` gives a type.
#[derive(Debug)]
pub(super) struct Methods {
    /// The type; nothing for the methods of a trait, whoever implements it.
    pub(super) of: Option<Target>,
    pub(super) names: Vec<String>,
}

/// Whether these items only show the way to others.
pub(super) fn only_exports(items: &[syn::Item]) -> bool {
    items.iter().all(|item| match item {
        syn::Item::Use(_) => true,
        syn::Item::Mod(module) => module.content.as_ref().is_some_and(|(_, items)| only_exports(items)),
        _ => false,
    })
}

impl Declared {
    fn tree(&mut self, tree: &syn::UseTree, prefix: &[String], leading: bool) {
        let at = tree.span().start();
        let with = |last: &syn::Ident| prefix.iter().cloned().chain([last.unraw().to_string()]).collect::<Vec<_>>();
        let mut import = |name: String, segments| self.imports.push((name, Target::new(segments, leading, at)));
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident), leading),
            syn::UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = prefix.last() {
                    import(last.clone(), prefix.to_vec());
                }
            }
            syn::UseTree::Name(name) => import(name.ident.unraw().to_string(), with(&name.ident)),
            syn::UseTree::Rename(rename) => import(rename.rename.unraw().to_string(), with(&rename.ident)),
            syn::UseTree::Glob(_) => self.globs.push(Target::new(prefix.to_vec(), leading, at)),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, prefix, leading);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Declared {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &[], item.leading_colon.is_some());
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let (name, leading) = match item.ident.unraw().to_string() {
            own if own == "self" => ("crate".to_owned(), false),
            other => (other, true),
        };
        let shown = item.rename.as_ref().map_or_else(|| name.clone(), |(_, rename)| rename.unraw().to_string());
        self.imports.push((shown, Target::new(vec![name], leading, item.span().start())));
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let Some(ident) = &item.ident else { return };
        let is_exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
        self.macros.push((ident.unraw().to_string(), is_exported));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let names = item.items.iter().filter_map(|item| match item {
            syn::ImplItem::Fn(function) => Some(&function.sig.ident),
            syn::ImplItem::Const(constant) => Some(&constant.ident),
            _ => None,
        });
        let names = names.map(|ident| ident.unraw().to_string()).collect();
        let of = match item.trait_ {
            Some(_) => None,
            None => type_path(&item.self_ty).map(|path| {
                let segments = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
                Target::new(segments, path.leading_colon.is_some(), path.span().start())
            }),
        };
        self.methods.push(Methods { of, names });
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let names = item.items.iter().filter_map(|item| match item {
            syn::TraitItem::Fn(function) => Some(function.sig.ident.unraw().to_string()),
            _ => None,
        });
        self.methods.push(Methods { of: None, names: names.collect() });
        visit::visit_item_trait(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.inner_modules.push(item.span().start().line);
    }
}

/// The value of `#[path = "..."]`.
pub(super) fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// Whether something with these attributes is compiled for tests only.
pub(super) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args::<syn::Meta>().is_ok_and(|condition| means_test(&condition))
        }
        syn::Meta::Path(path) => path.is_ident("test"),
        _ => false,
    })
}

/// `test`, or `all(...)` with `test` in it.
fn means_test(condition: &syn::Meta) -> bool {
    match condition {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated)
            .is_ok_and(|conditions| conditions.iter().any(means_test)),
        _ => false,
    }
}

/// The parts of a file that are compiled for tests only.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranges(Vec<(LineColumn, LineColumn)>);

impl Ranges {
    pub(super) fn contain(&self, at: LineColumn) -> bool {
        self.0.iter().any(|(start, end)| *start <= at && at < *end)
    }

    fn add(&mut self, attributes: &[syn::Attribute], spanned: &dyn Spanned) {
        if is_test(attributes) {
            let span = spanned.span();
            self.0.push((span.start(), span.end()));
        }
    }
}

/// Finds what `#[cfg(test)]` stands on: items, members, statements.
pub(super) fn test_ranges(file: &syn::File) -> Ranges {
    let mut ranges = Ranges::default();
    ranges.visit_file(file);
    ranges
}

impl<'ast> Visit<'ast> for Ranges {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.add(attributes_of(item), item);
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.attrs, item);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.add(&item.attrs, item);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(&item.attrs, item);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.add(&field.attrs, field);
        visit::visit_field(self, field);
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        self.add(&field.attrs, field);
        visit::visit_field_value(self, field);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.add(&variant.attrs, variant);
        visit::visit_variant(self, variant);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.add(&arm.attrs, arm);
        visit::visit_arm(self, arm);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        self.add(&local.attrs, local);
        visit::visit_local(self, local);
    }

    fn visit_expr_block(&mut self, block: &'ast syn::ExprBlock) {
        self.add(&block.attrs, block);
        visit::visit_expr_block(self, block);
    }
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
